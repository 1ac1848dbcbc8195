"""Laws of the features: no value sees a later bar, further back than its warm-up, or another's order."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candlelock.artifacts.user_files import read_catalogue
from candlelock.contracts.registry import select
from candlelock.contracts.stage_params import FeatureGroup
from candlelock.features.build import build_features
from candlelock.features.catalogue import declare
from candlelock.features.engine import compute_in_parts
from candlelock.features.market import CANDLE_FIELDS, Market
from candlelock.features.program import lower
from candlelock.features.stream import FeatureStream
from candlelock.features.validation import library_problems
from tests.markets import HOUR_MS, between, changed, of_closes, of_symbols, walk

if TYPE_CHECKING:
    from candlelock.contracts.registry import Feature
    from candlelock.features.market import Array
    from candlelock.features.program import Program

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = select(read_catalogue(ROOT), get_args(FeatureGroup))
EXTRA = sorted(
    name
    for name in {name for entry in REGISTRY for name in entry.inputs} - {*CANDLE_FIELDS, "open_time"}
    if not name.startswith("market.")
)
ACROSS = {entry.name for entry in REGISTRY if any(name.startswith("market.") for name in entry.inputs)}
LONGEST = 110
# Quick enough for many random markets; the test of the warm-up takes every feature on one market.
SHORT = tuple(entry for entry in REGISTRY if entry.warmup(HOUR_MS) <= LONGEST)
FREE_OF_SCALE = tuple(entry for entry in SHORT if entry.group not in ("order_book", "taker"))
# Their oldest bars decide so seldom, or weigh so little, that a hundred bars need not show it.
SELDOM = {
    *(entry.name for entry in REGISTRY if entry.group in ("patterns", "timeframes")),
    *("run_length_12", "bars_since_cross_14_50", "parabolic_sar_distance"),
    *("macd_signal_12_26_9", "macd_histogram_12_26_9", "true_strength_25_13", "trix_15", "adx_14"),
}
NAN = float("nan")
SYMBOLS = ("BTC/USDT", "ETH/USDT", "BTC/USDC", "XRP/USDT")


def market_of(seed: int, n_symbols: int, n_bars: int, gap_share: float = 0.0, latest_start: int = 0) -> Market:
    """A random market with every optional column, in which two symbols have one base currency."""
    market = walk(seed, n_symbols, n_bars, gap_share, latest_start)
    random = np.random.default_rng(seed + 1)
    extras = {name: np.where(market.has_bar, random.lognormal(2, 0.5, market.close.shape), NAN) for name in EXTRA}
    fields = {name: getattr(market, name) for name in CANDLE_FIELDS}
    return Market(SYMBOLS[:n_symbols], market.bar_ms, market.open_time_ms, **fields, extras=extras)


markets = st.builds(
    market_of,
    seed=st.integers(0, 10**6),
    n_symbols=st.integers(1, 4),
    n_bars=st.integers(2, LONGEST + 100),
    gap_share=st.sampled_from([0.0, 0.01, 0.1]),
    latest_start=st.just(1),
)


def assert_same_bits(one: dict[str, Array], other: dict[str, Array]) -> None:
    assert one.keys() == other.keys()
    for name, values in one.items():
        assert values.tobytes() == other[name].tobytes(), name


def first_bars(built: dict[str, Array], n_bars: int) -> dict[str, Array]:
    return {name: values[:, :n_bars].copy() for name, values in built.items()}


@pytest.mark.parametrize("bar_ms", [60_000, 1_800_000, 86_400_000])
def test_the_registry_says_what_the_formulas_have(bar_ms: int) -> None:
    assert library_problems(ROOT / "features.yml", bar_ms) == []


@given(markets, st.data())
@settings(deadline=None, max_examples=60)
def test_the_past_alone_gives_every_value_of_the_past(market: Market, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(market.open_time_ms) - 1))
    past = build_features(market.until(int(market.open_time_ms[cut])), SHORT)
    assert_same_bits(past, first_bars(build_features(market, SHORT), cut + 1))


@given(markets, st.data())
@settings(deadline=None, max_examples=60)
def test_another_future_of_every_symbol_changes_nothing(market: Market, data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(market.open_time_ms)))
    other = walk(data.draw(st.integers(0, 10**6)), len(market.symbols), market.close.shape[1], gap_share=0.3)
    size = data.draw(st.sampled_from([1.0, 1e-6, 1e6]))
    fields = {
        name: np.concatenate([getattr(market, name)[:, :cut], size * getattr(other, name)[:, cut:]], axis=1)
        for name in CANDLE_FIELDS
    }
    before, after = build_features(market, SHORT), build_features(changed(market, **fields), SHORT)
    assert_same_bits(first_bars(before, cut), first_bars(after, cut))


@given(markets, st.data())
@settings(deadline=None, max_examples=40)
def test_live_rows_are_the_rows_of_the_batch(market: Market, data: st.DataObject) -> None:
    """Also when the stream is saved and taken up again half-way."""
    batch = build_features(market, SHORT)
    saved_at = data.draw(st.integers(0, len(market.open_time_ms) - 1))
    stream = FeatureStream(market.symbols, market.bar_ms, SHORT)
    live = {name: np.full_like(values, NAN) for name, values in batch.items()}
    for bar, time in enumerate(market.open_time_ms.tolist()):
        if bar == saved_at:
            with tempfile.TemporaryDirectory() as folder:
                stream.save(Path(folder) / "state")
                stream = FeatureStream.load(Path(folder) / "state", SHORT)
        rows = [
            row
            for i in data.draw(st.permutations(range(len(market.symbols))))
            if market.has_bar[i, bar]
            for row in stream.push(
                market.symbols[i], time, {name: float(values[i, bar]) for name, values in market.columns().items()}
            )
        ]
        for row in rows + stream.flush():
            for name, value in zip(live, row.values, strict=True):
                at = (row.open_time_ms - int(market.open_time_ms[0])) // market.bar_ms
                live[name][market.symbols.index(row.symbol), at] = value
    assert_same_bits(live, batch)


def computed(program: Program, market: Market) -> Array:
    """The one feature of a program, warm-up and all: (n_symbols, n_bars)."""
    return next(compute_in_parts(program, market, len(market.open_time_ms)))[:, 0]


@pytest.mark.parametrize("gap_share", [0.0, 0.03])
@pytest.mark.parametrize("entry", REGISTRY, ids=lambda entry: entry.name)
def test_the_warm_up_is_all_a_feature_remembers_and_no_more_than_it_needs(entry: Feature, gap_share: float) -> None:
    n_tried, bar_ms = 120, 4 * HOUR_MS
    n_back = entry.warmup(bar_ms)
    market = market_of(seed=11, n_symbols=3, n_bars=n_back + n_tried, gap_share=gap_share)
    market = Market(market.symbols, bar_ms, bar_ms * np.arange(90_000, 90_000 + n_back + n_tried), **{
        name: getattr(market, name) for name in CANDLE_FIELDS
    }, extras=market.extras)  # fmt: skip
    program = lower({entry.name: declare(entry.group, bar_ms)[entry.name]})
    whole = computed(program, market)
    shorter_differs = n_back == 0 or entry.name in SELDOM
    for bar in range(n_back, n_back + n_tried):
        window = computed(program, between(market, bar - n_back, bar + 1))[:, -1]
        assert window.tobytes() == whole[:, bar].tobytes(), f"bar {bar}"
        if not shorter_differs:
            shorter = computed(program, between(market, bar - n_back + 1, bar + 1))[:, -1]
            shorter_differs |= shorter.tobytes() != whole[:, bar].tobytes()
    assert shorter_differs
    assert np.isfinite(whole[:, n_back:]).any()


@given(markets, st.data())
@settings(deadline=None, max_examples=30)
def test_the_order_of_the_symbols_is_no_information(market: Market, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(market.symbols))))
    before, after = build_features(market, SHORT), build_features(of_symbols(market, order), SHORT)
    for entry in SHORT:
        expected = before[entry.name][order]
        if entry.name in ACROSS:  # a sum over symbols may round otherwise in another order
            np.testing.assert_allclose(after[entry.name], expected, rtol=1e-6, atol=1e-9, err_msg=entry.name)
        else:
            assert after[entry.name].tobytes() == expected.tobytes()


@given(markets, st.sampled_from([0.25, 4.0, 1024.0]))
@settings(deadline=None, max_examples=30)
def test_prices_in_another_currency_give_the_same_features(market: Market, factor: float) -> None:
    scaled = {name: factor * getattr(market, name) for name in ("open", "high", "low", "close")}
    before = build_features(market, FREE_OF_SCALE)
    after = build_features(changed(market, **scaled), FREE_OF_SCALE)
    for name, values in before.items():  # logarithms of other sizes round otherwise, and a difference of them more so
        np.testing.assert_allclose(after[name], values, rtol=1e-6, atol=1e-9, err_msg=name)


@given(markets, st.sampled_from([0.5, 8.0]))
@settings(deadline=None, max_examples=10)
def test_volume_in_other_lots_gives_the_same_features(market: Market, factor: float) -> None:
    other_lots = changed(market, volume=factor * market.volume)
    before, after = build_features(market, FREE_OF_SCALE), build_features(other_lots, FREE_OF_SCALE)
    for name, values in before.items():
        np.testing.assert_allclose(after[name], values, rtol=1e-9, atol=1e-12, err_msg=name)


@given(markets)
@settings(deadline=None, max_examples=30)
def test_a_symbol_alone_differs_only_where_others_are_asked(market: Market) -> None:
    apart, together = build_features(of_symbols(market, [0]), SHORT), build_features(market, SHORT)
    for entry in SHORT:
        if entry.name in ACROSS:
            assert np.isnan(apart[entry.name]).all(), entry.name
        else:
            assert apart[entry.name][0].tobytes() == together[entry.name][0].tobytes(), entry.name


def test_a_bar_missing_elsewhere_takes_only_that_symbol_out_of_the_mean() -> None:
    market = walk(seed=5, n_symbols=3, n_bars=80)
    holed = {name: getattr(market, name).copy() for name in CANDLE_FIELDS}
    for values in holed.values():
        values[2, 70] = NAN
    entries = select(REGISTRY, ["cross_asset", "returns"])
    after_market = changed(market, **holed)
    before, after = build_features(market, entries), build_features(after_market, entries)
    pair = build_features(of_symbols(after_market, [0, 1]), entries)
    for k in (1, 3, 6, 12, 48):
        name = f"market_return_{k}"
        np.testing.assert_allclose(after[name][:2, 70], pair[name][:, 70], rtol=1e-13)
        untouched = [bar for bar in range(80) if bar not in (70, 70 + k)]
        np.testing.assert_array_equal(after[name][:2, untouched], before[name][:2, untouched])


@given(
    st.lists(st.sampled_from([1e-8, 1.0, 1e12, NAN]), min_size=LONGEST + 2, max_size=LONGEST + 2),
    st.lists(st.sampled_from([0.0, 1e-8, 1e15]), min_size=LONGEST + 2, max_size=LONGEST + 2),
)
@settings(deadline=None, max_examples=15)
def test_wild_markets_give_numbers_or_nothing(closes: list[float], volume: list[float]) -> None:
    market = of_closes([1.0, *closes], [2.0, *reversed(closes)], volume=[1.0, *volume])
    for name, values in build_features(market, REGISTRY).items():
        assert not np.isinf(values).any(), name


@given(markets)
@settings(deadline=None, max_examples=10)
def test_two_threads_give_the_bytes_of_one(market: Market) -> None:
    assert_same_bits(build_features(market, SHORT, n_threads=2), build_features(market, SHORT))
