"""The reference of the features: what each one is, as a table and as a page, and how it looks on real candles."""
