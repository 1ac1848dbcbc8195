"""Metrics, baselines, intervals, back-test and latency of predictions."""
