"""A loopback exchange: candle files served over HTTP as Binance or Kraken would, with faults on demand."""
