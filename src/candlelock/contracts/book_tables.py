"""Schema of the bars made from a recorded order book. Features of them belong in `features`."""

from __future__ import annotations

import pyarrow as pa

from candlelock.contracts.tables import OPEN_TIME, Column, TableSchema

DEFAULT_LEVELS = (1, 5, 10, 20)
EXACT = pa.decimal128(38, 8)
HALF = pa.decimal128(38, 9)

_QUOTE = (
    Column("best_bid", EXACT, "quote currency", "highest bid at the bar's close; null when not known", True),
    Column("bid_size", EXACT, "base currency", "amount at the best bid", True),
    Column("best_ask", EXACT, "quote currency", "lowest ask at the bar's close", True),
    Column("ask_size", EXACT, "base currency", "amount at the best ask", True),
    Column("mid", HALF, "quote currency", "half-way between best bid and best ask", True),
    Column("spread", EXACT, "quote currency", "best ask less best bid", True),
    Column("microprice", pa.float64(), "quote currency", "best prices weighted by the amount opposite", True),
    Column(
        "mean_spread", pa.float64(), "quote currency", "over the time of the bar with a known best bid and ask", True
    ),
    Column(
        "mean_imbalance", pa.float64(), "1", "(bid - ask) / (bid + ask) of the best amounts, over the same time", True
    ),
)

_TRADES = (
    Column("n_trades", pa.int64(), "1", "trades whose own time lies in the bar"),
    Column("volume", EXACT, "base currency", "amount traded"),
    Column("buy_volume", EXACT, "base currency", "amount that buyers took out of the book"),
    Column("signed_volume", EXACT, "base currency", "amount taken by buyers less amount taken by sellers"),
    Column("vwap", pa.float64(), "quote currency", "mean price, weighted by amount; null without trades", True),
    Column(
        "effective_spread",
        pa.float64(),
        "quote currency",
        "twice a trade's distance from the mid, as a cost to the taker; mean by amount; null without trades at a mid",
        True,
    ),
)

_QUALITY = (
    Column("n_book_updates", pa.int64(), "1", "depth messages in the bar"),
    Column("n_ticker_updates", pa.int64(), "1", "messages about the best bid and ask in the bar"),
    Column("book_known_frac", pa.float64(), "fraction", "share of the bar's length in which the book was known"),
    Column("has_sequence_gap", pa.bool_(), "1", "ids break off in the bar or across it; found out after it, at times"),
    Column("is_whole", pa.bool_(), "1", "the recording began before the bar and went on after it"),
)


def book_bars(levels: tuple[int, ...]) -> TableSchema:
    """The table with depth and imbalance of the best 1, 5, … levels, as asked."""
    depth = tuple(column for n_levels in levels for column in _depth_columns(n_levels))
    return TableSchema("book bars", (OPEN_TIME, *_QUOTE, *depth, *_TRADES, *_QUALITY), key=("open_time_utc",))


def _depth_columns(n: int) -> tuple[Column, ...]:
    what = f"best {n} bids at the bar's close" if n > 1 else "best bid at the bar's close"
    return (
        Column(f"bid_depth_{n}", EXACT, "base currency", f"amount at the {what}; null unless known", True),
        Column(f"ask_depth_{n}", EXACT, "base currency", "the same of the asks", True),
        Column(f"imbalance_{n}", pa.float64(), "1", "(bid - ask) / (bid + ask) of the two", True),
    )
