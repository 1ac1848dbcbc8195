"""From a source of candles to a snapshot: exact, checked, content-addressed parquet with a manifest; and back."""
