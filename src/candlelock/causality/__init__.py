"""The causality certificate: proof, on real candles, that no feature sees more than it may."""
