"""Lines of recordings, as the exchange and a recorder write them, for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from candlelock.orderbook.messages import parse
from candlelock.orderbook.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

START_MS = 1_723_161_600_000  # 2024-08-09T00:00Z
BAR_MS = 60_000
Side = Sequence[tuple[str, str]]


def line(body: dict[str, Any], local_ms: float) -> bytes:
    """A line that arrived `local_ms` after START_MS."""
    return f"{START_MS * 1_000_000 + round(local_ms * 1_000_000)} {json.dumps(body)}\n".encode()


def event(kind: str, **data: Any) -> dict[str, Any]:
    """A message of a combined stream."""
    return {"stream": f"btcusdt@{kind}", "data": {"s": "BTCUSDT", **data}}


def depth(at_ms: int, first_id: int, last_id: int, bids: Side = (), asks: Side = ()) -> dict[str, Any]:
    """Changed levels; `at_ms` after START_MS."""
    sides = {"b": [list(level) for level in bids], "a": [list(level) for level in asks]}
    return event("depth@100ms", e="depthUpdate", E=START_MS + at_ms, U=first_id, u=last_id, **sides)


def ticker(update_id: int, bid: str, bid_size: str, ask: str, ask_size: str) -> dict[str, Any]:
    """Best bid and ask."""
    return event("bookTicker", u=update_id, b=bid, B=bid_size, a=ask, A=ask_size)


def trade(at_ms: int, trade_id: int, price: str, size: str, is_sell: bool = False, delay_ms: int = 0) -> dict[str, Any]:
    """A trade at `at_ms` after START_MS, told `delay_ms` later."""
    times = {"E": START_MS + at_ms + delay_ms, "T": START_MS + at_ms}
    return event("trade", e="trade", t=trade_id, p=price, q=size, m=is_sell, M=True, **times)


def snapshot(last_id: int, bids: Side, asks: Side) -> dict[str, Any]:
    """What the exchange answers when asked for the whole book."""
    return {"lastUpdateId": last_id, "bids": [list(each) for each in bids], "asks": [list(each) for each in asks]}


def recorded(bodies: Iterable[dict[str, Any]], bar_ms: int = BAR_MS, levels: tuple[int, ...] = (1, 2)) -> Recording:
    """What is known after the messages; the n-th, from 1, is named `x:n`."""
    recording = Recording(bar_ms, levels)
    for number, body in enumerate(bodies, start=1):
        at_ms = body.get("data", {}).get("E", START_MS + number) - START_MS
        recording.add(parse(line(body, at_ms), "BTCUSDT"), f"x:{number}")
    return recording


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """Rows with the time as milliseconds after START_MS."""
    times = table["open_time_utc"].cast("int64").to_pylist()
    return [row | {"open_time_utc": time - START_MS} for row, time in zip(table.to_pylist(), times, strict=True)]
