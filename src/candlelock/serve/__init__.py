"""Answers from a trained model: the bundle."""
