"""Recorded order books and trades -> one row per bar. Candles are the snapshot's; features are built elsewhere."""
