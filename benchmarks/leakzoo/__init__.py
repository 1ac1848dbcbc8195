"""The leak zoo: one leak planted at a time, what the audit says of it, and clean look-alikes that it must let pass."""
