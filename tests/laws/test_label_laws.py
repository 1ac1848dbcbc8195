"""Laws of labels of every kind on walks with gaps: a slow reference, no sight beyond the end, purged by actual ends."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from candlelock.causality.other_candles import between, replaced
from candlelock.contracts.documents import SEGMENTS
from candlelock.contracts.head_params import (
    DirectionParams,
    FutureReturnParams,
    FutureVolatilityParams,
    HeadParams,
    TripleBarrierParams,
)
from candlelock.contracts.stage_params import SplitParams
from candlelock.split.labels import label
from candlelock.split.segments import assign, fold_masks
from candlelock.split.volatility import past_volatility
from tests.heads import direction, future_return, future_volatility, triple_barrier
from tests.markets import changed, walk

if TYPE_CHECKING:
    from candlelock.features.market import Market

Candle = tuple[float, float, float]  # high, low, close

seeds = st.integers(0, 2**16)
directions = st.builds(
    direction,
    st.integers(1, 9),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.integers(2, 30),
    learns=st.sampled_from(["end", "path"]),
)
barriers = st.builds(
    triple_barrier, st.integers(1, 24), st.floats(0.1, 2.0), st.floats(0.1, 2.0), volatility_bars=st.integers(2, 30)
)
returns = st.builds(future_return, st.integers(1, 9), st.integers(2, 30))
volatilities = st.builds(future_volatility, st.integers(2, 9), st.integers(2, 30))
heads: st.SearchStrategy[HeadParams] = st.one_of(directions, barriers, returns, volatilities)


@st.composite
def markets(draw: st.DrawFn) -> Market:
    """Two walks of 160 bars with gaps and late starts; some stand still for a while."""
    market = walk(draw(seeds), 2, 160, draw(st.sampled_from([0.0, 0.01, 0.1])), latest_start=30)
    still = draw(st.integers(0, 120))
    flat = market.close.copy()
    flat[0, still : still + 40] = np.where(np.isnan(flat[0, still : still + 40]), np.nan, 50.0)
    high, low = np.maximum(market.high, flat), np.minimum(market.low, flat)
    return changed(market, close=flat, high=high, low=low)


def candles_of(market: Market, row: int) -> dict[int, Candle]:
    """Bar -> high, low and close, where there is a candle."""
    columns = zip(market.high[row].tolist(), market.low[row].tolist(), market.close[row].tolist(), strict=True)
    return {bar: candle for bar, candle in enumerate(columns) if not math.isnan(candle[2])}


def move_of(at: dict[int, Candle], start: int, n_bars: int) -> float | None:
    """Log return from a bar to that many later; None without either."""
    return math.log(at[start + n_bars][2] / at[start][2]) if start in at and start + n_bars in at else None


def value_slowly(at: dict[int, Candle], bar: int, end: int, head: HeadParams) -> float:
    """What the horizon that closes with bar `end` brings, by the past of `bar`; NaN where unknown."""
    sigma, steps = volatility_slowly(at, bar, head), range(end - head.horizon_bars, end)
    if sigma is None:
        return math.nan
    if isinstance(head, FutureReturnParams):
        move = move_of(at, end - head.horizon_bars, head.horizon_bars)
        is_whole = end <= bar or all(step + 1 in at for step in steps)
        return math.nan if move is None or not is_whole else move / sigma
    moves = [move_of(at, step, 1) for step in steps]
    if None in moves or not any(moves):
        return math.nan
    ahead = math.sqrt(sum(move**2 for move in moves if move) / head.horizon_bars)
    return math.log(ahead / (sigma / math.sqrt(head.horizon_bars)))


def volatility_slowly(at: dict[int, Candle], bar: int, head: HeadParams) -> float | None:
    """Of a move over the horizon, from one-bar moves up to `bar`; None where unknown."""
    window = range(bar - head.volatility_bars + 1, bar + 1)
    moves = [math.log(at[each][2] / at[each - 1][2]) for each in window if each in at and each - 1 in at]
    if 2 * len(moves) <= head.volatility_bars or not any(moves):
        return None
    return math.sqrt(head.horizon_bars * sum(move**2 for move in moves) / len(moves))


def label_slowly(at: dict[int, Candle], bar: int, head: HeadParams) -> tuple[float, int]:
    """The label of a bar, NaN where unknown, and how many bars it looks ahead."""
    sigma, close = volatility_slowly(at, bar, head), at[bar][2]
    unknown = math.nan, head.horizon_bars
    if isinstance(head, FutureReturnParams | FutureVolatilityParams):
        value = value_slowly(at, bar, bar + head.horizon_bars, head)
        return (math.nan if math.isnan(value) or value == 0 else float(value > 0)), head.horizon_bars
    if isinstance(head, DirectionParams):
        if any(bar + step not in at for step in range(1, head.horizon_bars + 1)):
            return unknown
        move = math.log(at[bar + head.horizon_bars][2] / close)
        if move == 0 or (head.dead_zone_sigmas > 0 and (sigma is None or abs(move) < head.dead_zone_sigmas * sigma)):
            return unknown
        return float(move > 0), head.horizon_bars
    if sigma is None:
        return unknown
    upper, lower = close * math.exp(head.take_profit_sigmas * sigma), close * math.exp(-head.stop_loss_sigmas * sigma)
    for step in range(1, head.horizon_bars + 1):
        if bar + step not in at:
            return unknown
        high, low, _ = at[bar + step]
        if low <= lower or high >= upper:
            return (0.0 if low <= lower else 1.0), step
    return unknown


@settings(deadline=None, max_examples=60)
@given(markets(), heads)
def test_every_label_and_its_end_are_those_of_a_row_by_row_loop(market: Market, head: HeadParams) -> None:
    rows = label(market, head, 0)
    expected = {}
    for number, symbol in enumerate(market.symbols):
        at = candles_of(market, number)
        expected |= {(symbol, int(market.open_time_ms[bar])): label_slowly(at, bar, head) for bar in at}
    assert list(zip(rows["symbol"], rows["open_time_ms"], strict=True)) == sorted(expected)
    slow = np.array([expected[key] for key in sorted(expected)])
    np.testing.assert_array_equal(rows["is_up"], slow[:, 0])
    np.testing.assert_array_equal((rows["label_end_ms"] - rows["decision_time_ms"]) / market.bar_ms, slow[:, 1])
    assert (rows["decision_time_ms"] == rows["open_time_ms"] + market.bar_ms).all()


@settings(deadline=None, max_examples=60)
@given(markets(), st.one_of(returns, volatilities))
def test_every_value_is_that_of_a_row_by_row_loop(market: Market, head: HeadParams) -> None:
    rows = label(market, head, 0)
    for number, symbol in enumerate(market.symbols):
        at, own = candles_of(market, number), rows[rows["symbol"] == symbol]
        ahead = [value_slowly(at, bar, bar + head.horizon_bars, head) for bar in sorted(at)]
        behind = [value_slowly(at, bar, bar, head) for bar in sorted(at)]
        np.testing.assert_allclose(own["value"], ahead, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(own["past_value"], behind, rtol=1e-9, atol=1e-12)


@settings(deadline=None, max_examples=60)
@given(markets(), heads)
def test_every_share_above_is_that_of_a_row_by_row_loop(market: Market, head: HeadParams) -> None:
    rows = label(market, head, 0)
    for number, symbol in enumerate(market.symbols):
        at, own = candles_of(market, number), rows[rows["symbol"] == symbol]
        expected = []
        for bar, is_up in zip(sorted(at), own["is_up"], strict=True):
            if not isinstance(head, DirectionParams) or head.learns == "end" or math.isnan(is_up):
                expected.append(math.nan)
                continue
            moves = [at[bar + step][2] - at[bar][2] for step in range(1, head.horizon_bars + 1)]
            expected.append(sum(0.5 if move == 0 else float(move > 0) for move in moves) / len(moves))
        np.testing.assert_allclose(own["share_above"], expected, rtol=1e-15)


@settings(deadline=None, max_examples=30)
@given(markets(), st.one_of(directions, barriers))
def test_other_heads_have_no_values(market: Market, head: HeadParams) -> None:
    assert label(market, head, 0)[["value", "past_value"]].isna().all(axis=None)


@settings(deadline=None, max_examples=60)
@given(markets(), heads, st.integers(1, 159), seeds)
def test_a_label_known_by_a_time_does_not_hang_on_later_candles(
    market: Market, head: HeadParams, cut: int, seed: int
) -> None:
    """Others in their place, gaps among them, or none at all."""
    cut_ms = int(market.open_time_ms[cut])
    whole = label(market, head, 0)
    settled = whole[whole["label_end_ms"] <= cut_ms]
    columns = ["symbol", "open_time_ms", "label_end_ms", "is_up", "value"]
    for other in (replaced(market, cut, 160, seed, gap_share=0.1), between(market, 0, cut)):
        again = settled[columns[:2]].merge(label(other, head, 0)[columns], how="left", validate="one_to_one")
        pd.testing.assert_frame_equal(again, settled[columns].reset_index(drop=True), check_exact=True)


@settings(deadline=None, max_examples=60)
@given(markets(), heads, st.integers(1, 159))
def test_no_label_is_known_before_its_candles_are_there(market: Market, head: HeadParams, cut: int) -> None:
    rows = label(between(market, 0, cut), head, 0)
    assert (rows.loc[rows["is_up"].notna(), "label_end_ms"] <= int(market.open_time_ms[cut])).all()


@settings(deadline=None, max_examples=60)
@given(markets(), st.integers(2, 40), st.integers(1, 12), st.integers(41, 159), seeds)
def test_volatility_is_that_of_its_window_alone(
    market: Market, n_bars: int, horizon_bars: int, bar: int, seed: int
) -> None:
    """To the last bit: neither later candles nor those before the window have a say."""
    at_bar = past_volatility(np.log(market.close), n_bars, horizon_bars)[:, bar]
    other = replaced(replaced(market, bar + 1, 160, seed, size=7), 0, bar - n_bars, seed + 1, size=7)
    again = past_volatility(np.log(other.close), n_bars, horizon_bars)[:, bar]
    np.testing.assert_array_equal(again, at_bar)


@settings(deadline=None, max_examples=40)
@given(markets(), st.integers(1, 9), st.integers(2, 50))
def test_a_dead_zone_only_takes_labels_away_and_one_of_nothing_takes_none(
    market: Market, horizon_bars: int, n_bars: int
) -> None:
    plain, wide = label(market, direction(horizon_bars), 0), label(market, direction(horizon_bars, 0.5, n_bars), 0)
    pd.testing.assert_frame_equal(label(market, direction(horizon_bars, 0.0, n_bars), 0), plain, check_exact=True)
    is_left = wide["is_up"].notna()
    pd.testing.assert_frame_equal(wide[is_left], plain[is_left], check_exact=True)
    others = [name for name in plain.columns if name != "is_up"]
    pd.testing.assert_frame_equal(wide[others], plain[others], check_exact=True)


@settings(deadline=None, max_examples=40)
@given(markets(), barriers)
def test_returns_are_those_of_the_whole_horizon_whatever_the_kind(market: Market, head: TripleBarrierParams) -> None:
    names = ["symbol", "open_time_ms", "decision_time_ms", "past_return", "future_return"]
    plain = label(market, direction(head.horizon_bars), 0)
    pd.testing.assert_frame_equal(label(market, head, 0)[names], plain[names], check_exact=True)


@dataclass(frozen=True)
class Cut:
    market: Market
    head: HeadParams
    params: SplitParams

    @property
    def embargo_ms(self) -> int:
        return self.params.embargo_bars * self.market.bar_ms


@st.composite
def cuts(draw: st.DrawFn) -> Cut:
    """Two symbols of 1,200 bars with gaps, labelled by barriers or beyond a dead zone, in segments."""
    market = walk(draw(seeds), 2, 1200, draw(st.sampled_from([0.0, 0.01])), latest_start=60)
    head: HeadParams = draw(
        st.one_of(
            st.builds(triple_barrier, st.integers(4, 24), st.floats(0.3, 0.8), st.floats(0.3, 0.8)),
            st.builds(direction, st.integers(1, 9), st.floats(0.1, 0.5), st.integers(2, 30)),
        )
    )
    params = SplitParams(
        calibrate_frac=0.15,
        decide_frac=0.15,
        test_frac=draw(st.sampled_from([0.2, 0.25])),
        min_history_bars=draw(st.integers(0, 30)),
        embargo_bars=draw(st.integers(0, 12)),
        n_folds=2,
    )
    return Cut(market, head, params)


@settings(deadline=None, max_examples=40)
@given(cuts())
def test_no_label_interval_of_an_earlier_part_meets_a_later_one(cut: Cut) -> None:
    rows = assign(label(cut.market, cut.head, cut.params.min_history_bars), cut.params, cut.market.bar_ms)
    parts = [rows[rows["segment"] == name] for name in SEGMENTS]
    for earlier, later in itertools.combinations(parts, 2):
        assert earlier["label_end_ms"].max() + cut.embargo_ms < later["decision_time_ms"].min()
    for fold in (1, 2):
        trains, validates = fold_masks(rows, fold, cut.embargo_ms)
        assert rows["label_end_ms"][trains].max() + cut.embargo_ms < rows["decision_time_ms"][validates].min()


@settings(deadline=None, max_examples=40)
@given(cuts())
def test_a_row_is_dropped_just_where_its_actual_end_reaches_the_next_part(cut: Cut) -> None:
    rows = assign(label(cut.market, cut.head, cut.params.min_history_bars), cut.params, cut.market.bar_ms)
    begins = [rows.loc[rows["segment"] == name, "decision_time_ms"].min() for name in SEGMENTS[1:]]
    part = np.searchsorted(begins, rows["decision_time_ms"], side="right")
    following = np.append(begins, np.iinfo(np.int64).max // 2)[part]
    is_kept = rows["label_end_ms"] + cut.embargo_ms < following
    expected = pd.Series(SEGMENTS, dtype="str")[part].set_axis(rows.index).where(is_kept)
    pd.testing.assert_series_equal(rows["segment"], expected, check_names=False)


@settings(deadline=None, max_examples=40)
@given(cuts(), seeds)
def test_candles_of_test_have_no_say_in_what_comes_before(cut: Cut, seed: int) -> None:
    """Neither in where the segments lie nor in any label of theirs, though more or fewer of test's rows get one."""
    rows = assign(label(cut.market, cut.head, cut.params.min_history_bars), cut.params, cut.market.bar_ms)
    begin_ms = rows.loc[rows["segment"] == "test", "decision_time_ms"].min()
    first = int(np.searchsorted(cut.market.open_time_ms, begin_ms))
    moved = {name: getattr(cut.market, name).copy() for name in ("high", "low", "close")}
    for values in moved.values():
        values[:, first:] *= np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.05, 1200 - first)))
    other = changed(cut.market, **moved)
    again = assign(label(other, cut.head, cut.params.min_history_bars), cut.params, cut.market.bar_ms)
    assert (again["segment"] == rows["segment"])[rows["segment"].notna()].all()
    before = (rows["segment"].notna() & (rows["segment"] != "test")).to_numpy()
    names = [name for name in rows.columns if name != "future_return"]
    pd.testing.assert_frame_equal(again.loc[before, names], rows.loc[before, names], check_exact=True)
