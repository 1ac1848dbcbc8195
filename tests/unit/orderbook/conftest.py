"""A small recording in files."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from tests.unit.orderbook.streams import depth, line, snapshot, ticker, trade

if TYPE_CHECKING:
    from pathlib import Path

BIDS, ASKS = [("99", "1"), ("98", "2")], [("101", "3"), ("102", "4")]
BODIES = [
    depth(0, 10, 10),
    snapshot(10, BIDS, ASKS),
    ticker(10, "99", "1", "101", "3"),
    trade(30_000, 1, "101", "2"),
    depth(61_000, 11, 11, bids=[("99", "1.5")]),
    trade(62_000, 2, "99", "1", is_sell=True),
    depth(121_000, 12, 12),
]
LINES = [line(body, 1_000 * number) for number, body in enumerate(BODIES)]


@pytest.fixture
def lines() -> list[bytes]:
    """One line a second, of three one-minute bars; the one in the middle is whole."""
    return list(LINES)


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    """The same in two files, one of them gzip."""
    first, second = tmp_path / "a.gz", tmp_path / "b.txt"
    first.write_bytes(gzip.compress(b"".join(LINES[:4])))
    second.write_bytes(b"".join(LINES[4:]))
    return [first, second]
