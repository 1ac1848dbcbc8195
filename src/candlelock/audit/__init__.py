"""Proof: that a card follows from its artifacts, and what state the machine is in."""
