"""Tests of the leakage checks."""
