"""Real recordings beside the project: unbroken, free of contradictions, and equal to a plain recomputation."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from candlelock.orderbook import book_bars
from candlelock.orderbook.importer import import_recording

FOLDER = Path(__file__).parents[4] / "shared/data/orderbook/binance_spot_2024"
OPEN_MS = 1_723_161_300_000  # 2024-08-08T23:55Z
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="no recordings beside the project"),
]


@pytest.mark.parametrize(("base", "n_depth_known"), [("BTC", 6), ("ETH", 12)])
def test_a_real_recording_is_whole_and_agrees_with_itself(base: str, n_depth_known: int, tmp_path: Path) -> None:
    paths = sorted(FOLDER.glob(f"{base.lower()}usdt_*.gz"))
    report = import_recording(paths[::-1], f"{base}/USDT", "1m", (1, 20), tmp_path / "out", lambda *_: None)
    assert report.sequence_breaks == []
    assert report.ticker_check.n_contradictions == 0
    assert report.ticker_check.n_compared > 900
    assert (report.n_bars, report.n_whole_bars, report.n_missing_bars) == (12, 10, 0)
    assert report.n_bars_with_depth["20"] == n_depth_known  # BTC falls below the last bid of its snapshot
    assert report.clock_skew.median_ms == pytest.approx(1_273, abs=1)
    _, table = book_bars.read(tmp_path / "out")
    rows = {int(row["open_time_utc"].timestamp() * 1000): row for row in table.to_pylist()}
    assert_trades(rows[OPEN_MS], paths)
    assert_book(rows[OPEN_MS], paths)


def bodies(paths: list[Path]) -> list[dict[str, Any]]:
    return [json.loads(line.split(" ", 1)[1]) for path in paths for line in gzip.open(path, "rt")]


def assert_trades(row: dict[str, Any], paths: list[Path]) -> None:
    """Trades of one bar against pandas sums over the raw messages."""
    trades = pd.DataFrame([body["data"] for body in bodies(paths) if body.get("stream", "").endswith("@trade")])
    mine = trades[(trades["T"] >= OPEN_MS) & (trades["T"] < OPEN_MS + 60_000)]
    sizes, prices = mine["q"].map(Decimal), mine["p"].map(Decimal)
    assert row["n_trades"] == len(mine) > 500
    assert row["volume"] == sum(sizes)
    assert row["buy_volume"] == sum(sizes[~mine["m"]])
    assert row["signed_volume"] == sum(sizes[~mine["m"]]) - sum(sizes[mine["m"]])
    assert row["vwap"] == pytest.approx(float(sum(prices * sizes) / sum(sizes)), rel=1e-12)
    assert row["effective_spread"] == pytest.approx(effective_spread(paths), rel=1e-9)


def effective_spread(paths: list[Path]) -> float:
    """From trades and bookTickers alone, which carry every change of the best bid and ask."""
    mid, paid, amount = Decimal(0), Decimal(0), Decimal(0)
    for data in (body["data"] for body in bodies(paths) if "data" in body):
        if "B" in data:
            mid = (Decimal(data["b"]) + Decimal(data["a"])) / 2
        elif "m" in data and OPEN_MS <= data["T"] < OPEN_MS + 60_000:
            paid += Decimal(data["q"]) * (-1 if data["m"] else 1) * 2 * (Decimal(data["p"]) - mid)
            amount += Decimal(data["q"])
    return float(paid / amount)


def assert_book(row: dict[str, Any], paths: list[Path]) -> None:
    """The close of one bar against plain dictionaries of the whole book, and the last ticker.

    A depth message that arrived before the snapshot reaches beyond it, and counts.
    """
    whole = next(body for body in bodies(paths) if "lastUpdateId" in body)
    book_id, last_ticker = whole["lastUpdateId"], dict[str, Any]()
    sides = {key[0]: {Decimal(price): Decimal(size) for price, size in whole[key]} for key in ("bids", "asks")}
    for data in (body["data"] for body in bodies(paths) if "data" in body):
        if data.get("E", 0) >= OPEN_MS + 60_000:
            break
        if "U" in data and data["u"] > book_id:
            book_id = data["u"]
            for side in ("b", "a"):
                sides[side] |= {Decimal(price): Decimal(size) for price, size in data[side]}
        elif "B" in data:
            last_ticker = data
    bids = sorted(((price, size) for price, size in sides["b"].items() if size), reverse=True)[:20]
    asks = sorted((price, size) for price, size in sides["a"].items() if size)[:20]
    quote = tuple(Decimal(last_ticker[key]) for key in "bBaA") if last_ticker["u"] > book_id else bids[0] + asks[0]
    assert tuple(row[name] for name in ("best_bid", "bid_size", "best_ask", "ask_size")) == quote
    assert row["ask_depth_20"] == sum(size for _, size in asks)
    assert row["bid_depth_20"] == sum(size for _, size in bids)
    assert row["bid_depth_1"] == bids[0][1]
