"""Candlelock: data-versioned, reproducible machine-learning pipelines for crypto trading signals."""
