"""Laws of the features: no value sees a later bar, further back than its warm-up, or another's order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candlelock.artifacts.user_files import read_registry
from candlelock.contracts.registry import select
from candlelock.features.build import GROUPS, build_features
from candlelock.features.market import CANDLE_FIELDS, Market
from tests.markets import between, changed, of_closes, walk

if TYPE_CHECKING:
    from candlelock.contracts.registry import Feature
    from candlelock.features.market import Array

REGISTRY = read_registry(Path(__file__).resolve().parents[2], GROUPS)
LONGEST = max(entry.warmup_bars for entry in REGISTRY)
NAN = float("nan")
# Shares and positions in which the price's own size cancels out.
FREE_OF_SCALE = [entry for entry in REGISTRY if entry.group not in ("time",)]

markets = st.builds(
    walk,
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


@given(markets, st.data())
@settings(deadline=None, max_examples=80)
def test_the_past_alone_gives_every_value_of_the_past(market: Market, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(market.open_time_ms) - 1))
    whole = build_features(market, REGISTRY)
    past = build_features(market.until(int(market.open_time_ms[cut])), REGISTRY)
    assert_same_bits(past, {name: values[:, : cut + 1].copy() for name, values in whole.items()})


@given(markets, st.data())
@settings(deadline=None, max_examples=80)
def test_another_future_of_every_symbol_changes_nothing(market: Market, data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(market.open_time_ms)))
    other = walk(data.draw(st.integers(0, 10**6)), len(market.symbols), market.close.shape[1], gap_share=0.3)
    size = data.draw(st.sampled_from([1.0, 1e-6, 1e6]))
    fields = {
        name: np.concatenate([getattr(market, name)[:, :cut], size * getattr(other, name)[:, cut:]], axis=1)
        for name in CANDLE_FIELDS
    }
    before, after = build_features(market, REGISTRY), build_features(changed(market, **fields), REGISTRY)
    assert_same_bits(
        {name: values[:, :cut].copy() for name, values in before.items()},
        {name: values[:, :cut].copy() for name, values in after.items()},
    )


@pytest.mark.parametrize("entry", REGISTRY, ids=lambda entry: entry.name)
@pytest.mark.parametrize("gap_share", [0.0, 0.03])
def test_the_warm_up_is_all_a_feature_remembers_and_no_bar_too_long(entry: Feature, gap_share: float) -> None:
    market = walk(seed=11, n_symbols=3, n_bars=LONGEST + 60, gap_share=gap_share)
    compute = GROUPS[entry.group]
    whole = compute(market)[entry.name]
    shorter_differs = False
    for bar in (LONGEST, LONGEST + 1, LONGEST + 17, LONGEST + 59):
        window = compute(between(market, bar - entry.warmup_bars, bar + 1))[entry.name]
        assert window[:, -1].tobytes() == whole[:, bar].tobytes(), f"bar {bar}"
        if entry.warmup_bars:
            shorter = compute(between(market, bar - entry.warmup_bars + 1, bar + 1))[entry.name]
            shorter_differs |= shorter[:, -1].tobytes() != whole[:, bar].tobytes()
    assert shorter_differs == (entry.warmup_bars > 0)
    assert np.isfinite(whole[:, LONGEST:]).any()


@given(markets, st.data())
@settings(deadline=None, max_examples=40)
def test_the_order_of_the_symbols_is_no_information(market: Market, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(market.symbols))))
    fields = {name: getattr(market, name)[order] for name in CANDLE_FIELDS}
    turned = Market(tuple(market.symbols[i] for i in order), market.bar_ms, market.open_time_ms, **fields)
    before, after = build_features(market, REGISTRY), build_features(turned, REGISTRY)
    for entry in REGISTRY:
        expected = before[entry.name][order]
        if entry.group == "cross_asset":  # a sum over symbols may round otherwise in another order
            np.testing.assert_allclose(after[entry.name], expected, rtol=0, atol=1e-14)
        else:
            assert after[entry.name].tobytes() == expected.tobytes()


@given(markets, st.sampled_from([0.25, 4.0, 1024.0]))
@settings(deadline=None, max_examples=40)
def test_prices_in_another_currency_give_the_same_features(market: Market, factor: float) -> None:
    scaled = {name: factor * getattr(market, name) for name in ("open", "high", "low", "close")}
    before = build_features(market, FREE_OF_SCALE)
    after = build_features(changed(market, **scaled), FREE_OF_SCALE)
    for name, values in before.items():
        # percentages of sums of log returns, each of which rounds at the size of the logarithm
        atol = 1e-9 if name == "rsi_14" else 1e-12
        np.testing.assert_allclose(after[name], values, rtol=1e-10, atol=atol, err_msg=name)


@given(markets, st.sampled_from([0.5, 8.0]))
@settings(deadline=None, max_examples=10)
def test_volume_in_other_lots_gives_the_same_bits(market: Market, factor: float) -> None:
    other_lots = changed(market, volume=factor * market.volume)
    assert_same_bits(build_features(market, REGISTRY), build_features(other_lots, REGISTRY))


@given(markets)
@settings(deadline=None, max_examples=40)
def test_a_symbol_alone_differs_only_where_others_are_asked(market: Market) -> None:
    fields = {name: getattr(market, name)[:1].copy() for name in CANDLE_FIELDS}
    alone = Market(market.symbols[:1], market.bar_ms, market.open_time_ms, **fields)
    apart, together = build_features(alone, REGISTRY), build_features(market, REGISTRY)
    for entry in REGISTRY:
        if entry.group == "cross_asset":
            assert np.isnan(apart[entry.name]).all()
        else:
            assert apart[entry.name][0].tobytes() == together[entry.name][0].tobytes()


def test_a_bar_missing_elsewhere_takes_only_that_symbol_out_of_the_mean() -> None:
    market = walk(seed=5, n_symbols=3, n_bars=80)
    holed = {name: getattr(market, name).copy() for name in CANDLE_FIELDS}
    for values in holed.values():
        values[2, 70] = NAN
    entries = select(REGISTRY, ["cross_asset", "returns"])
    before, after = build_features(market, entries), build_features(changed(market, **holed), entries)
    pair = build_features(
        Market(market.symbols[:2], market.bar_ms, market.open_time_ms, **{n: v[:2].copy() for n, v in holed.items()}),
        entries,
    )
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


@pytest.mark.parametrize("price", [1e-8, 0.1, 1.0, 67_123.45])
def test_a_market_that_stands_still_has_the_documented_nulls(price: float) -> None:
    n_bars = LONGEST + 5
    features = build_features(of_closes([price] * n_bars, [2 * price] * n_bars, volume=[0.0] * n_bars), REGISTRY)
    unknown = {entry.name for entry in REGISTRY if np.isnan(features[entry.name][:, -1]).any()}
    assert unknown == {
        "close_position_1", "rsi_14", "stochastic_k_14", "volatility_ratio_6_96",
        *(f"price_zscore_{k}" for k in (6, 24, 96)), *(f"volume_zscore_{k}" for k in (6, 24, 96)),
        *(f"signed_volume_{k}" for k in (12, 48)), *(f"range_position_{k}" for k in (48, 192, 672)),
    }  # fmt: skip
    still = {name for name, values in features.items() if (values[:, -1] == 0).all()}
    assert still >= {"return_1", "return_96", "body_1", "range_1", "volatility_6", "market_return_1", "dispersion_12"}
    assert np.abs(features["sma_distance_200"][:, -1]).max() < 1e-13
