"""Causal features of candles: one module per group, one registry, one builder."""
