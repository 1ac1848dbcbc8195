"""Learners, the search for their settings, and out-of-fold predictions."""
