"""Candlestick patterns: TA-Lib's values, and bits that depend on the declared look-back alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
from talib import abstract

from candlelock.features.kernels import patterns_layout
from candlelock.features.kernels.patterns import (
    LOOKBACKS,
    N_PATTERNS,
    PATTERN_NAMES,
    SCRATCH,
    STATE_SIZE,
    TALIB_NAMES,
    write_patterns,
)
from tests.architecture.code_tree import ROOT
from tests.pattern_candles import fractional, whole_ticks

if TYPE_CHECKING:
    from candlelock.features.market import Array

CANDLES = ROOT.parent / "shared/data/candles/binance_spot_5m_2024"
BEARISH = """
    advance_block dark_cloud_cover evening_doji_star evening_star hanging_man identical_three_crows in_neck on_neck
    shooting_star stalled_pattern three_black_crows thrusting two_crows upside_gap_two_crows
"""
BULLISH = """
    concealing_baby_swallow doji dragonfly_doji gravestone_doji hammer homing_pigeon inverted_hammer
    ladder_bottom long_legged_doji mat_hold matching_low morning_doji_star morning_star piercing rickshaw_man
    stick_sandwich takuri three_stars_in_south three_white_soldiers unique_three_river
"""
VALUES = {
    **dict.fromkeys(PATTERN_NAMES, (-1.0, 1.0)),
    **dict.fromkeys(BEARISH.split(), (-1.0,)),
    **dict.fromkeys(BULLISH.split(), (1.0,)),
    **dict.fromkeys(("engulfing", "harami", "harami_cross"), (-1.0, -0.8, 0.8, 1.0)),
    **dict.fromkeys(("hikkake", "hikkake_mod"), (-2.0, -1.0, 1.0, 2.0)),
}


def found(candles: Array, chunks: list[int] | None = None) -> Array:
    """All patterns of the candles, shape (N_PATTERNS, n), given in chunks that end at `chunks`."""
    out = np.full((N_PATTERNS, candles.shape[1]), np.inf)
    state, start = np.zeros(STATE_SIZE), 0
    for end in [*(chunks or []), candles.shape[1]]:
        write_patterns(*candles[:, start:end], state, np.empty(SCRATCH), out[:, start:end])
        start = end
    return out


def of_talib(candles: Array) -> Array:
    """TA-Lib's values of the same patterns over 100, NaN within TA-Lib's look-back."""
    values = np.array([getattr(talib, TALIB_NAMES[name])(*candles) for name in PATTERN_NAMES]) / 100
    for row, n_bars in enumerate(LOOKBACKS):
        values[row, :n_bars] = np.nan
    return values


def first_difference(got: Array, expected: Array) -> str:
    """Where two tables of patterns differ first, pattern by pattern; empty where they have the same values."""
    differs = ~((got == expected) | (np.isnan(got) & np.isnan(expected)))
    rows = [(PATTERN_NAMES[row], int(np.argmax(differs[row]))) for row in np.flatnonzero(differs.any(axis=1))]
    return "\n".join(f"{n} at {i}: got {got[PATTERN_NAMES.index(n), i]}" for n, i in rows)


def test_there_is_a_pattern_for_each_of_talibs() -> None:
    assert sorted(TALIB_NAMES.values()) == sorted(talib.get_function_groups()["Pattern Recognition"])
    assert list(PATTERN_NAMES) == sorted(TALIB_NAMES)
    assert [abstract.Function(TALIB_NAMES[name]).lookback for name in PATTERN_NAMES] == list(LOOKBACKS)
    columns = [getattr(patterns_layout, name.upper()) for name in PATTERN_NAMES]
    assert columns == [row * patterns_layout.WIDTH for row in range(N_PATTERNS)]


def test_whole_ticks_give_talibs_values() -> None:
    """And every value of every pattern occurs among them, in dozens."""
    counts: Counter[tuple[str, float]] = Counter()
    for piece, candles in whole_ticks():
        values = found(candles)
        assert not first_difference(values, of_talib(candles)), piece
        for name, row in zip(PATTERN_NAMES, values, strict=True):
            seen, times = np.unique(row[~np.isnan(row) & (row != 0)], return_counts=True)
            counts.update({(name, value): n for value, n in zip(seen.tolist(), times.tolist(), strict=True)})
    assert set(counts) == {(name, value) for name in PATTERN_NAMES for value in VALUES[name]}
    assert min(counts.values()) >= 30


@pytest.mark.shared
@pytest.mark.skipif(not CANDLES.is_dir(), reason="no candle folders beside the project")
@pytest.mark.parametrize("symbol", ["BTC_USDT", "LINK_USDT"])
def test_real_candles_in_whole_ticks_give_talibs_values(symbol: str) -> None:
    frame = pd.read_feather(CANDLES / f"{symbol}-5m.feather")[["open", "high", "low", "close"]]
    ticks = np.ascontiguousarray((frame.to_numpy(np.float64) * 1e4).round().T)
    assert np.allclose(ticks / 1e4, frame.to_numpy().T, rtol=1e-12, atol=0)
    assert not first_difference(found(ticks), of_talib(ticks))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(0, 700), max_size=12),
    st.integers(0, 600),
    st.lists(st.tuples(st.integers(0, 699), st.integers(0, 3)), max_size=10),
)
def test_chunks_do_not_matter(ends: list[int], single_from: int, missing: list[tuple[int, int]]) -> None:
    candles = fractional(700)
    for bar, price in missing:
        candles[price, bar] = np.nan
    whole = found(candles)
    assert not np.isinf(whole).any()
    assert found(candles, sorted(ends)).tobytes() == whole.tobytes()
    assert found(candles, [*range(single_from, single_from + 100)]).tobytes() == whole.tobytes()


@pytest.mark.parametrize("n_earlier", sorted(set(LOOKBACKS)))
def test_a_value_depends_on_its_lookback_alone(n_earlier: int) -> None:
    """A fresh start that many bars before gives the same bits; one bar later it gives nothing."""
    candles = fractional(6_000)
    rows = np.flatnonzero(np.array(LOOKBACKS) == n_earlier)
    whole = found(candles)[rows]
    alone, short = np.full_like(whole, np.nan), np.full_like(whole, 0.0)
    for i in range(n_earlier, candles.shape[1]):
        window = candles[:, i - n_earlier : i + 1]
        alone[:, i] = found(window)[rows, -1]
        short[:, i] = found(window[:, 1:])[rows, -1]
    assert alone.tobytes() == whole.tobytes()
    assert np.isnan(short[:, n_earlier:]).all()


def test_no_pattern_spans_a_missing_bar() -> None:
    """A value is NaN exactly where a bar of its look-back is missing or lacks a price; the others keep their bits."""
    candles = fractional(4_000)
    random = np.random.default_rng(2)
    missing = random.random((4, 4_000)) < 0.008
    missing[:, 1_000:1_100] = True
    whole, holed = found(candles), found(np.where(missing, np.nan, candles))
    n_missing = np.cumsum(np.concatenate([[0], missing.any(axis=0)]))
    for row, n_earlier in enumerate(LOOKBACKS):
        known = np.zeros(4_000, dtype=bool)
        known[n_earlier:] = n_missing[n_earlier + 1 :] == n_missing[: -n_earlier - 1]
        expected = np.where(known, whole[row], np.nan)
        assert holed[row].tobytes() == expected.tobytes(), PATTERN_NAMES[row]


def test_rows_may_lie_apart() -> None:
    candles = fractional(500)
    wide = np.full((500, 2 * N_PATTERNS), 7.0)
    write_patterns(*candles, np.zeros(STATE_SIZE), np.empty(SCRATCH), wide.T[::2])
    assert wide.T[::2].tobytes() == found(candles).tobytes()
    assert (wide.T[1::2] == 7.0).all()


def test_the_state_holds_the_last_bars_alone() -> None:
    """Two pasts that share their last bars leave the same state: nothing else is carried."""
    candles = fractional(300)
    n_kept = STATE_SIZE // 4
    other = candles * np.where(np.arange(300) < 300 - n_kept, 1.01, 1.0)
    states = [np.zeros(STATE_SIZE), np.zeros(STATE_SIZE)]
    for state, past in zip(states, (candles, other), strict=True):
        write_patterns(*past, state, np.empty(SCRATCH), np.empty((N_PATTERNS, 300)))
    assert states[0].tobytes() == states[1].tobytes() == candles[:, -n_kept:].tobytes()
