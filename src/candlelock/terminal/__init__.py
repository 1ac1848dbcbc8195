"""What a terminal shows while work goes on. For `cli` and `stages`; the library itself never prints."""
