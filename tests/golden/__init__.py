"""What independent programs gave once, and the commands that make it anew."""
