"""The compiled loops that features are made of: plain functions over float64 arrays, chunk by chunk."""
