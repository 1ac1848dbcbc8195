"""Laws of the order book: bars are those of the exchange's own book, whatever the files; nothing lost goes unseen."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from candlelock.contracts.errors import InputError
from candlelock.orderbook.importer import import_recording
from candlelock.orderbook.messages import parse
from candlelock.orderbook.recording import Recording
from tests.unit.orderbook.streams import START_MS, depth, line, recorded, rows_of, snapshot, ticker, trade

BAR_MS = 40
LEVELS = (1, 3)
ENDS = {-900: 1, 1100: 1}  # a bid and an ask far away that never change: the snapshot reaches beyond all others
QUALITY = ("is_whole", "has_sequence_gap")


@dataclass
class Exchange:
    """A true book, bids with negative keys, and what it tells about it. Prices are keys / 10."""

    clock_ms: int = 0
    update_id: int = 100
    book: dict[int, int] = field(default_factory=lambda: dict(ENDS))
    history: dict[int, dict[int, int]] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list)
    n_trades: int = 0

    def step(self, n_ms: int, changes: list[tuple[int, int]], has_ticker: bool, trade_delay_ms: int | None) -> None:
        """Time passes, levels change one by one, each change with its update; a depth message sums them up."""
        self.clock_ms += n_ms
        first_id = self.update_id + 1
        for key, size in changes or [(-900, 1)]:
            self.update_id += 1
            self.book = {other: kept for other, kept in (self.book | {key: size}).items() if kept}
            self.history[self.update_id] = self.book
            if has_ticker:
                self.told.append(ticker(self.update_id, *top(self.book)))
        if trade_delay_ms is not None:
            self.n_trades += 1
            sign = self.n_trades % 2 == 0
            self.told.append(trade(self.clock_ms - trade_delay_ms, self.n_trades, "100", "1.5", sign, trade_delay_ms))
        levels = [(price(key), str(size)) for key, size in (dict(changes) or {-900: 1}).items()]
        bids = [level for level, (key, _) in zip(levels, dict(changes).items() or [(-900, 1)], strict=True) if key < 0]
        asks = [level for level in levels if level not in bids]
        self.told.append(depth(self.clock_ms, first_id, self.update_id, bids, asks))

    def whole(self) -> dict[str, Any]:
        """What the exchange answers when asked for the whole book now."""
        sides = [sorted(key for key in self.book if (key < 0) == is_bid) for is_bid in (True, False)]
        levels = [[(price(key), str(self.book[key])) for key in side] for side in sides]
        return snapshot(self.update_id, *levels)


def price(key: int) -> str:
    return str(Decimal(abs(key)) / 10)


def top(book: dict[int, int]) -> tuple[str, str, str, str]:
    """Best bid, its size, best ask, its size."""
    bid, ask = min(key for key in book if key < 0), min(key for key in book if key > 0)
    return price(bid), str(book[bid]), price(ask), str(book[ask])


LEVEL = st.tuples(st.integers(-999, -991) | st.integers(1001, 1009), st.integers(0, 5))
STEP = st.tuples(st.integers(0, 30), st.lists(LEVEL, max_size=4), st.booleans(), st.none() | st.integers(0, 20))


@st.composite
def streams(draw: st.DrawFn, min_steps: int = 3) -> tuple[Exchange, list[dict[str, Any]]]:
    """An exchange and what was recorded of it: its snapshot arrives somewhere after it was taken."""
    exchange, steps = Exchange(), draw(st.lists(STEP, min_size=min_steps, max_size=25))
    taken_at, late_by = draw(st.integers(0, len(steps) - 1)), draw(st.integers(0, 12))
    answer, asked_at = None, 0
    for number, step in enumerate(steps):
        exchange.step(*step)
        if number == taken_at:
            answer, asked_at = exchange.whole(), len(exchange.told)
    recorded_bodies = list(exchange.told)
    recorded_bodies.insert(asked_at + late_by, answer or {})
    return exchange, recorded_bodies


def clocks(bodies: list[dict[str, Any]]) -> list[int]:
    """The exchange's clock at each message, in ms after START_MS: the latest event time so far, or else the first."""
    events = [body.get("data", {}).get("E") for body in bodies]
    first = next(time for time in events if time is not None)
    return [
        max([first, *(time for time in events[: n + 1] if time is not None)]) - START_MS for n in range(len(events))
    ]


def expected_rows(exchange: Exchange, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The bars, millisecond by millisecond, from the exchange's own history."""
    times = clocks(bodies)
    states = []  # after each message: the book's update id, the quote's
    book_id, change_id, snapshot_id, ticker_id = None, 0, None, None
    for body in bodies:
        data = body.get("data", {})
        change_id = data["u"] if "U" in data else change_id
        snapshot_id = body.get("lastUpdateId", snapshot_id)
        ticker_id = data["u"] if "B" in data else ticker_id
        book_id = None if snapshot_id is None else max(snapshot_id, change_id)
        known = [each for each in (book_id, ticker_id) if each is not None]
        states.append((book_id, max(known, default=None)))
    trades = []  # time, side, quote; none where the bar has closed
    for body, now, (_, quote) in zip(bodies, times, states, strict=True):
        if "T" in body.get("data", {}):
            time = body["data"]["T"] - START_MS
            trades.append((time, body["data"]["m"], quote if time // BAR_MS >= now // BAR_MS else None))
    bars = sorted({time // BAR_MS for time in times} | {time // BAR_MS for time, *_ in trades})
    return [expected_row(exchange, bodies, times, states, trades, bar) for bar in bars]


def expected_row(
    exchange: Exchange,
    bodies: list[dict[str, Any]],
    times: list[int],
    states: list[tuple[int | None, int | None]],
    trades: list[tuple[int, bool, int | None]],
    bar: int,
) -> dict[str, Any]:
    def state_at(moment: int) -> tuple[int | None, int | None]:
        """After the last message at or before a millisecond; the last message's own is over at once."""
        return next((s for t, s in zip(times[::-1], states[::-1], strict=True) if t <= moment), (None, None))

    span = [moment for moment in range(bar * BAR_MS, (bar + 1) * BAR_MS) if moment < times[-1]]
    has_clock = bar in [time // BAR_MS for time in times]
    at_close = state_at((bar + 1) * BAR_MS - 1) if has_clock else (None, None)
    quotes = [state_at(moment)[1] for moment in span if state_at(moment)[1]] if has_clock else []
    tops = [[float(each) for each in top(exchange.history[quote])] for quote in quotes]
    inside = [body.get("data", {}) for time, body in zip(times, bodies, strict=True) if time // BAR_MS == bar]
    told = [trade for trade in trades if trade[0] // BAR_MS == bar]
    mine = [is_sell for _, is_sell, _ in told]
    row = {
        "open_time_utc": bar * BAR_MS,
        "mean_spread": mean([ask - bid for bid, _, ask, _ in tops]),
        "mean_imbalance": mean([(b - a) / (b + a) for _, b, _, a in tops]),
        "n_trades": len(mine),
        "volume": Decimal("1.5") * len(mine),
        "buy_volume": Decimal("1.5") * mine.count(False),
        "signed_volume": Decimal("1.5") * (mine.count(False) - mine.count(True)),
        "vwap": 100.0 if mine else None,
        "effective_spread": mean([cost(is_sell, exchange.history[at]) for _, is_sell, at in told if at]),
        "n_book_updates": sum("U" in data for data in inside),
        "n_ticker_updates": sum("B" in data for data in inside),
        "book_known_frac": pytest.approx(sum(state_at(t)[0] is not None for t in span) / BAR_MS if has_clock else 0),
        "has_sequence_gap": False,
        "is_whole": times[0] < bar * BAR_MS and (bar + 1) * BAR_MS <= times[-1],
    }
    book, quote = (exchange.history.get(at or 0) for at in at_close)
    return row | quote_columns(quote) | depth_columns(book)


def cost(is_sell: bool, book: dict[int, int]) -> float:
    """What the taker of a trade at 100 paid: twice the distance from the mid."""
    bid, _, ask, _ = top(book)
    return (-1 if is_sell else 1) * (200 - float(bid) - float(ask))


def mean(values: list[float]) -> Any:
    return pytest.approx(sum(values) / len(values), abs=1e-9) if values else None


def quote_columns(book: dict[int, int] | None) -> dict[str, Any]:
    names = ("best_bid", "bid_size", "best_ask", "ask_size", "mid", "spread", "microprice")
    if book is None:
        return dict.fromkeys(names)
    bid, bid_size, ask, ask_size = map(Decimal, top(book))
    micro = pytest.approx(float((bid * ask_size + ask * bid_size) / (bid_size + ask_size)))
    return dict(zip(names, (bid, bid_size, ask, ask_size, (bid + ask) / 2, ask - bid, micro), strict=True))


def depth_columns(book: dict[int, int] | None) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for n in LEVELS:
        sides = [sorted(key for key in book or {} if (key < 0) == is_bid) for is_bid in (True, False)]
        bids, asks = (sum((book or {})[k] for k in side[:n]) if len(side) >= n else None for side in sides)
        is_known = bids is not None and asks is not None
        row |= {f"bid_depth_{n}": bids, f"ask_depth_{n}": asks}
        row[f"imbalance_{n}"] = pytest.approx((bids - asks) / (bids + asks)) if is_known else None
    return row


@given(streams())
@settings(max_examples=200, deadline=None)
def test_bars_are_those_of_the_exchanges_own_book(stream: tuple[Exchange, list[dict[str, Any]]]) -> None:
    exchange, bodies = stream
    recording = recorded(bodies, BAR_MS, LEVELS)
    assert rows_of(recording.finish()) == expected_rows(exchange, bodies)
    assert recording.breaks == []
    assert recording.comparison.contradictions == []


@given(streams(), st.data())
@settings(max_examples=100, deadline=None)
def test_a_lost_depth_message_is_always_found(
    stream: tuple[Exchange, list[dict[str, Any]]], data: st.DataObject
) -> None:
    """But for the first and the last, of which nobody can know."""
    _, bodies = stream
    places = [n for n, body in enumerate(bodies) if "U" in body.get("data", {})]
    lost = data.draw(st.sampled_from(places[1:-1]))
    after = places[places.index(lost) + 1]
    recording = recorded(bodies[:lost] + bodies[lost + 1 :], BAR_MS, LEVELS)
    assert {each.place for each in recording.breaks if each.stream == "depth"} >= {f"x:{after}"}
    table = rows_of(recording.finish())
    bars = {clocks(bodies)[each] // BAR_MS * BAR_MS for each in (places[places.index(lost) - 1], after)}
    assert {row["open_time_utc"] for row in table if row["has_sequence_gap"]} >= bars
    taken_at = next(n for n, body in enumerate(bodies) if "lastUpdateId" in body)
    if taken_at < lost:
        assert table[-1]["bid_depth_1"] is None


@given(streams(), st.data())
@settings(max_examples=100, deadline=None)
def test_a_bar_knows_nothing_of_later_messages(
    stream: tuple[Exchange, list[dict[str, Any]]], data: st.DataObject
) -> None:
    """Cut where the clock first reaches a bar's close, but for late news of trades in it; also where messages lack."""
    _, bodies = stream
    if data.draw(st.booleans()):
        del bodies[data.draw(st.integers(0, len(bodies) - 1))]
    times = clocks(bodies)
    ends = [end for time in times if (end := (time // BAR_MS + 1) * BAR_MS) <= times[-1]]
    assume(ends)
    end = data.draw(st.sampled_from(ends))
    before = [body for time, body in zip(times, bodies, strict=True) if time < end]
    late = [body for time, body in zip(times, bodies, strict=True) if time >= end and is_trade_before(body, end)]
    whole = [row for row in rows_of(recorded(bodies, BAR_MS, LEVELS).finish()) if row["open_time_utc"] < end]
    cut = recorded(before, BAR_MS, LEVELS)
    cut.bars.advance(START_MS + end)
    for body in late:
        message = parse(line(body, end), "BTCUSDT")
        cut.bars.add_trade(message)  # type: ignore[arg-type]
    known = [row for row in rows_of(cut.finish()) if row["open_time_utc"] < end]
    assert [without_quality(row) for row in known] == [without_quality(row) for row in whole]


def is_trade_before(body: dict[str, Any], end: int) -> bool:
    return bool(body.get("data", {}).get("T", START_MS + end) < START_MS + end)


def without_quality(row: dict[str, Any]) -> dict[str, Any]:
    """A row less what can only be known after the bar."""
    return {name: value for name, value in row.items() if name not in QUALITY}


@given(streams(), st.data())
@settings(max_examples=30, deadline=None)
def test_files_may_be_split_anywhere_and_named_in_any_order(
    stream: tuple[Exchange, list[dict[str, Any]]], data: st.DataObject
) -> None:
    lines = [line(slowed(body), number) for number, body in enumerate(stream[1])]
    cuts = sorted(data.draw(st.sets(st.integers(1, len(lines) - 1), max_size=3)))
    parts = [lines[start:end] for start, end in zip([0, *cuts], [*cuts, len(lines)], strict=True)]
    with tempfile.TemporaryDirectory() as name:
        paths = [Path(name) / f"part-{number}" for number in range(len(parts))]
        for path, part in zip(paths, parts, strict=True):
            path.write_bytes(b"".join(part))
        (whole := Path(name) / "whole").write_bytes(b"".join(lines))
        tables = []
        for files in ([whole], data.draw(st.permutations(paths))):
            import_recording(files, "BTC/USDT", "1m", LEVELS, Path(name) / "out", lambda n_done, n_total: None)
            tables.append((Path(name) / "out/BTC-USDT.parquet").read_bytes())
    assert tables[0] == tables[1]


def slowed(body: dict[str, Any]) -> dict[str, Any]:
    """The message as if all took 200 times as long: minutes rather than milliseconds."""
    data = body.get("data", {})
    times = {key: START_MS + 200 * (data[key] - START_MS) for key in ("E", "T") if key in data}
    return body | {"data": data | times} if times else body


SOUND = [
    line(depth(5, 7, 9, bids=[("1.5", "0.00000000")], asks=[("2", "1")]), 5),
    line(snapshot(9, [("1", "1")], [("2", "3")]), 6),
    line(ticker(10, "1", "1", "2", "3"), 7),
    line(trade(8, 1, "1", "2"), 8),
]
TOKENS = [b'"', b"{", b"}", b"[", b"]", b",", b":", b"-", b"0", b"9", b".", b"e", b"null", b"NaN", b"true", b" ", b"\n"]


@given(st.lists(st.sampled_from(SOUND), min_size=1, max_size=4), st.data())
@settings(max_examples=2_000, deadline=None)
def test_no_line_leads_to_a_traceback(lines: list[bytes], data: st.DataObject) -> None:
    """Whatever is put in, taken out or written over: a bar table that fits its contract, or words for a user."""
    number = data.draw(st.integers(0, len(lines) - 1))
    content = lines[number]
    start = data.draw(st.integers(0, len(content)))
    n_gone = data.draw(st.integers(0, 12))
    noise = data.draw(st.sampled_from(TOKENS) | st.binary(max_size=6) | st.sampled_from(SOUND))
    lines[number] = content[:start] + noise + content[start + n_gone :]
    recording = Recording(60_000, LEVELS)
    for place, each in enumerate(lines):
        try:
            recording.add(parse(each, "BTCUSDT"), str(place))
        except InputError as error:
            (problem,) = error.problems
            assert problem.code.startswith("book-")
            assert problem.found
            assert problem.expected
            assert problem.help
    recording.finish()


@given(st.binary(max_size=200))
@settings(max_examples=2_000, deadline=None)
def test_no_bytes_are_taken_for_a_message_by_chance(content: bytes) -> None:
    with pytest.raises(InputError):
        parse(content, "BTCUSDT")
