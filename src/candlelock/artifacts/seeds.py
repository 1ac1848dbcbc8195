"""One seed in, many independent ones out."""

from __future__ import annotations

import hashlib


def derive(seed: int, name: str) -> int:
    """The seed of one named use, in [0, 2**31): adding a use never changes another's."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4], "big") >> 1
