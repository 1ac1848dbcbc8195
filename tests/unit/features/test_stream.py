"""The stream: what completes a row, what is refused, and what a saved state survives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from candlelock.artifacts.user_files import read_catalogue
from candlelock.contracts.errors import InputError
from candlelock.contracts.registry import select
from candlelock.features.build import build_features
from candlelock.features.plugins import load_plugin
from candlelock.features.stream import FeatureStream
from tests.markets import HOUR_MS, changed, walk

if TYPE_CHECKING:
    from candlelock.contracts.registry import Feature
    from candlelock.features.market import Market
    from candlelock.features.stream import FeatureRow

CATALOGUE = read_catalogue(Path(__file__).resolve().parents[3])
ENTRIES = tuple(
    entry for entry in select(CATALOGUE, ["returns", "volume", "cross_asset", "patterns"]) if entry.warmup(HOUR_MS) < 60
)
NAN = float("nan")
BAR = {"open": 100.0, "high": 103.0, "low": 99.0, "close": 101.0, "volume": 5.0}
T = 1_700_000 * HOUR_MS


def feed(stream: FeatureStream, market: Market, first: int = 0, end: int | None = None) -> list[FeatureRow]:
    """Push every candle of some bars, in order of time."""
    rows = []
    for bar, time in enumerate(market.open_time_ms.tolist()[:end]):
        for i in np.flatnonzero(market.has_bar[:, bar]) if bar >= first else []:
            candle = {name: float(values[i, bar]) for name, values in market.columns().items()}
            rows += stream.push(market.symbols[i], time, candle)
    return rows


def assert_rows_of_batch(rows: list[FeatureRow], market: Market, entries: tuple[Feature, ...]) -> None:
    batch = np.stack(list(build_features(market, entries).values()), axis=-1)
    for row in rows:
        at = (row.open_time_ms - int(market.open_time_ms[0])) // market.bar_ms
        assert row.values.tobytes() == batch[market.symbols.index(row.symbol), at].tobytes(), (row.symbol, at)


@pytest.fixture
def pair() -> FeatureStream:
    return FeatureStream(("A/USD", "B/USD"), HOUR_MS, ENTRIES)


def test_rows_come_when_every_symbol_has_delivered(pair: FeatureStream) -> None:
    assert pair.push("B/USD", T, BAR) == []
    rows = pair.push("A/USD", T, BAR)
    assert [(row.symbol, row.open_time_ms) for row in rows] == [("A/USD", T), ("B/USD", T)]
    assert all(row.values.shape == (len(ENTRIES),) for row in rows)


def test_a_later_bar_shows_that_a_symbol_has_none(pair: FeatureStream) -> None:
    pair.push("B/USD", T, BAR)
    rows = pair.push("A/USD", T + HOUR_MS, BAR)
    assert [(row.symbol, row.open_time_ms) for row in rows] == [("B/USD", T)]
    assert [(row.symbol, row.open_time_ms) for row in pair.flush()] == [("A/USD", T + HOUR_MS)]
    assert pair.flush() == []


def test_the_same_bar_again_is_ignored_before_and_after_its_close(pair: FeatureStream) -> None:
    assert pair.push("A/USD", T, BAR) == pair.push("A/USD", T, BAR) == []
    assert len(pair.push("B/USD", T, BAR)) == 2
    assert pair.push("A/USD", T, BAR) == []
    assert len(pair.push("A/USD", T + HOUR_MS, BAR) + pair.push("B/USD", T + HOUR_MS, BAR)) == 2


@pytest.mark.parametrize(
    ("symbol", "time", "change", "code"),
    [
        ("C/USD", T + HOUR_MS, {}, "stream-unknown-symbol"),
        ("A/USD", T + HOUR_MS + 1, {}, "stream-off-grid"),
        ("A/USD", T - HOUR_MS, {}, "stream-late-bar"),
        ("A/USD", T, {"volume": 12.5}, "stream-contradiction"),
        ("A/USD", T + HOUR_MS, {"close": 1e6}, "stream-bad-bar"),
        ("A/USD", T + HOUR_MS, {"close": "none"}, "stream-bad-bar"),
        ("A/USD", T + HOUR_MS, {"close": None}, "stream-bad-bar"),
        ("A/USD", T + HOUR_MS, {"close": NAN}, "stream-bad-bar"),
        ("A/USD", T + HOUR_MS, {"high": float("inf")}, "stream-bad-bar"),
        ("A/USD", T + HOUR_MS, {"low": 0.0}, "stream-bad-bar"),
        ("A/USD", T + HOUR_MS, {"volume": -1.0}, "stream-bad-bar"),
    ],
)
def test_a_bad_bar_is_refused_and_leaves_the_stream_as_it_was(
    symbol: str, time: int, change: dict[str, Any], code: str
) -> None:
    market = walk(seed=3, n_symbols=2, n_bars=80)
    market = type(market)(("A/USD", "B/USD"), HOUR_MS, T - 79 * HOUR_MS + HOUR_MS * np.arange(80), **{
        name: getattr(market, name) for name in BAR
    })  # fmt: skip
    streams = [FeatureStream(market.symbols, HOUR_MS, ENTRIES) for _ in range(2)]
    for stream in streams:
        feed(stream, market)
    last = {name: float(getattr(market, name)[0, -1]) for name in BAR}
    with pytest.raises(InputError) as caught:
        streams[0].push(symbol, time, last | change)
    assert [problem.code for problem in caught.value.problems] == [code]
    next_rows = [[stream.push(s, T + HOUR_MS, BAR) for s in market.symbols][1] for stream in streams]
    assert [row.values.tobytes() for row in next_rows[0]] == [row.values.tobytes() for row in next_rows[1]]


def test_the_first_bar_may_be_of_any_time_but_not_before_it(pair: FeatureStream) -> None:
    pair.push("A/USD", T, BAR)
    with pytest.raises(InputError, match="stream-late-bar"):
        pair.push("B/USD", T - HOUR_MS, BAR)


@pytest.mark.parametrize("gap", [1, 30, 59, 60, 61, 500, 100_000])
def test_a_gap_of_any_length_is_the_gap_of_the_batch(gap: int) -> None:
    market = walk(seed=8, n_symbols=2, n_bars=200)
    times = market.open_time_ms.copy()
    times[90:] += gap * HOUR_MS
    stream = FeatureStream(market.symbols, HOUR_MS, ENTRIES)
    rows = feed(stream, market, end=90)
    rows += feed(stream, type(market)(market.symbols, HOUR_MS, times, **{n: getattr(market, n) for n in BAR}), first=90)
    if gap > 1000:  # the batch would hold every missing bar: what comes before it cannot matter, so leave it out
        rows, whole = rows[180:], market
        whole = type(market)(market.symbols, HOUR_MS, times[90:], **{n: getattr(market, n)[:, 90:] for n in BAR})
        age = 90 + gap
        batch = np.stack(list(build_features(whole, ENTRIES).values()), axis=-1)
        for row in rows:
            at = (row.open_time_ms - int(times[90])) // HOUR_MS
            old_enough = np.array([at >= entry.warmup(HOUR_MS) for entry in ENTRIES])
            expected = batch[market.symbols.index(row.symbol), at]
            assert row.values[old_enough].tobytes() == expected[old_enough].tobytes(), (age, at)
        return
    grid = np.arange(times[0], times[-1] + HOUR_MS, HOUR_MS)
    at = (times - times[0]) // HOUR_MS
    fields = {name: np.full((2, len(grid)), NAN) for name in BAR}
    for name, values in fields.items():
        values[:, at] = getattr(market, name)
    assert_rows_of_batch(rows, type(market)(market.symbols, HOUR_MS, grid, **fields), ENTRIES)


def test_a_saved_state_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    market = walk(seed=4, n_symbols=2, n_bars=150, gap_share=0.05)
    stream = FeatureStream(market.symbols, HOUR_MS, ENTRIES)
    feed(stream, market, end=100)
    first_of_next = {name: float(values[0, 100]) for name, values in market.columns().items()}
    if market.has_bar[0, 100]:
        stream.push(market.symbols[0], int(market.open_time_ms[100]), first_of_next)
    stream.save(tmp_path / "state")
    loaded = FeatureStream.load(tmp_path / "state", ENTRIES)
    expected, found = (feed(each, market, first=100) + each.flush() for each in (stream, loaded))
    assert len(found) == len(expected) > 80
    assert all(a.values.tobytes() == b.values.tobytes() for a, b in zip(found, expected, strict=True))
    assert_rows_of_batch(found, market, ENTRIES)


def test_a_state_of_other_features_is_refused(tmp_path: Path, pair: FeatureStream) -> None:
    pair.save(tmp_path / "state")
    with pytest.raises(InputError, match="stream-state-other"):
        FeatureStream.load(tmp_path / "state", ENTRIES[:-1])


@pytest.mark.parametrize("at", [0, 5, 40, 400, -1])
def test_a_damaged_state_is_refused(tmp_path: Path, pair: FeatureStream, at: int) -> None:
    pair.push("A/USD", T, BAR)
    pair.save(tmp_path / "state")
    damaged = bytearray((tmp_path / "state").read_bytes())
    damaged[at] ^= 1
    (tmp_path / "state").write_bytes(damaged)
    with pytest.raises(InputError, match="stream-state-broken"):
        FeatureStream.load(tmp_path / "state", ENTRIES)
    (tmp_path / "state").write_bytes(damaged[:100])
    with pytest.raises(InputError, match="stream-state-broken"):
        FeatureStream.load(tmp_path / "state", ENTRIES)
    with pytest.raises(InputError, match="stream-state-broken"):
        FeatureStream.load(tmp_path / "nowhere", ENTRIES)


def test_a_long_stream_keeps_a_state_of_one_size(tmp_path: Path) -> None:
    market = changed(walk(seed=6, n_symbols=1, n_bars=600))
    stream = FeatureStream(market.symbols, HOUR_MS, ENTRIES)
    sizes = []
    for end in (100, 600):
        feed(stream, market, first=0 if end == 100 else 100, end=end)
        stream.save(tmp_path / "state")
        sizes.append((tmp_path / "state").stat().st_size)
    assert abs(sizes[0] - sizes[1]) < 64


def test_a_late_bar_after_a_gap_is_late_whatever_it_holds(pair: FeatureStream) -> None:
    for symbol in pair.symbols:
        pair.push(symbol, T, BAR)
    pair.push("A/USD", T + 5 * HOUR_MS, BAR)
    with pytest.raises(InputError, match="stream-late-bar"):
        pair.push("B/USD", T + 4 * HOUR_MS, BAR)


def test_times_of_an_array_can_be_saved(tmp_path: Path, pair: FeatureStream) -> None:
    pair.push("A/USD", np.int64(T), BAR)
    pair.save(tmp_path / "state")
    assert len(FeatureStream.load(tmp_path / "state", ENTRIES).push("B/USD", T, BAR)) == 2


def test_entries_that_nothing_computes_and_symbols_given_twice_are_refused() -> None:
    own = ENTRIES[0].model_copy(update={"name": "of_a_plugin", "group": "mine"})
    with pytest.raises(InputError, match="feature-without-function"):
        FeatureStream(("A/USD",), HOUR_MS, (*ENTRIES, own))
    with pytest.raises(InputError, match="stream-symbols"):
        FeatureStream(("A/USD", "A/USD"), HOUR_MS, ENTRIES)


PLUGIN = """
FAILS = []
def trades(bars):
    if FAILS:
        raise ValueError("not now")
    return {"trades_2": bars["n_trades"].rolling(2).sum(), "trades_1": bars["n_trades"]}
"""
PLUGIN_ENTRY = """
  - {{name: trades_{n}, group: mine, dtype: float64, unit: "1", warmup_bars: {warmup}, inputs: [n_trades],
     available_at: close, formula: "trades of {n}"}}"""


def test_a_plug_in_lives_on_optional_columns_and_its_failure_loses_no_bar(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PLUGIN)
    entries = "".join(PLUGIN_ENTRY.format(n=n, warmup=n - 1) for n in (1, 2))
    (tmp_path / "mine.yml").write_text(f"features:{entries}\n")
    plugin = load_plugin(tmp_path / "mine.py")
    own = (*ENTRIES, plugin.entries[1])  # the other one is left out
    market = walk(seed=2, n_symbols=1, n_bars=90, gap_share=0.05)
    extras = {"n_trades": np.where(market.has_bar, np.arange(90.0), NAN)}
    market = type(market)(
        market.symbols, HOUR_MS, market.open_time_ms, **{n: getattr(market, n) for n in BAR}, extras=extras
    )
    stream = FeatureStream(market.symbols, HOUR_MS, own, (plugin,))
    rows = feed(stream, market, end=70)
    candle = {name: float(values[0, 70]) for name, values in market.columns().items()}
    fails = plugin.functions["trades"].__globals__["FAILS"]
    fails.append(1)
    with pytest.raises(InputError, match="plugin-failed"):
        stream.push(market.symbols[0], int(market.open_time_ms[70]), candle)
    fails.clear()
    rows += stream.push(market.symbols[0], int(market.open_time_ms[70]), candle)
    rows += feed(stream, market, first=71)
    assert len(rows) == market.has_bar.sum()
    batch = np.stack(list(build_features(market, own, (plugin,)).values()), axis=-1)[0]
    for row in rows:
        at = (row.open_time_ms - int(market.open_time_ms[0])) // HOUR_MS
        assert row.values.tobytes() == batch[at].tobytes()
