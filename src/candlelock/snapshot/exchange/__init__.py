"""The source `exchange`: candles asked through ccxt, page by page, complete or refused."""
