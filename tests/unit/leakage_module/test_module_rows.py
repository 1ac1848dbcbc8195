"""The search at single rows: the look-back it measures, the rows it looks at, and whom it blames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.causality.examination import Probe
from candlelock.leakage.module.candles import candles_elsewhere, mixed, unusual_bars
from candlelock.leakage.module.rows import UNKNOWN, check_rows
from tests.markets import walk
from tests.unit.causality.doubles import entry, examine, lag, subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.features.market import Array, Market
    from candlelock.leakage.module.rows import RowSearch

MARKET = walk(4, 2, 500, gap_share=0.01)
PEEKING_BAR = 311


def _rolling(values: Array, n_bars: int) -> Array:
    return np.sum([np.nan_to_num(lag(values, back)) for back in range(n_bars)], axis=0)


def _rare(market: Market) -> Array:
    at = (market.open_time_ms - MARKET.open_time_ms[0]) // market.bar_ms == PEEKING_BAR
    volume = np.nan_to_num(market.volume)
    return np.where(at, np.nan_to_num(lag(volume, -1)), volume)


def search(*functions: Callable[[Market], Array], has_time: bool = True) -> tuple[RowSearch, Probe]:
    pairs = [(entry(f"own_{number}"), function) for number, function in enumerate(functions)]
    probe = Probe(examine(subject(pairs), MARKET), lambda share: None)
    return check_rows(probe, lambda share: lambda: has_time), probe


def test_the_look_back_is_measured() -> None:
    found, probe = search(
        lambda market: np.nan_to_num(market.close),
        lambda market: _rolling(market.close, 12),
        lambda market: np.cumsum(np.nan_to_num(market.volume), axis=1),
        lambda market: np.broadcast_to(np.arange(market.close.shape[1], dtype=np.float64), market.close.shape).copy(),
    )
    assert found.look_back.tolist() == [0, 11, UNKNOWN, UNKNOWN]
    assert found.reach.tolist() == [0, 11, UNKNOWN, 0]  # the number of a row depends on where rows begin, on no candle
    assert not probe.violations


def test_every_row_but_the_last_is_looked_at_where_there_is_time() -> None:
    found, probe = search(
        lambda market: _rolling(market.close, 12), lambda market: np.cumsum(market.close * 0 + 1, axis=1)
    )
    assert found.n_rows[0] == 2 * 499
    assert probe.n_compared[0] >= 2 * 2 * 499  # before larger candles and before smaller ones


def test_without_time_no_row_is_said_to_be_looked_at() -> None:
    found, probe = search(_rare, has_time=False)
    assert found.n_rows.tolist() == [0]
    assert not probe.violations


@pytest.mark.parametrize("past", [lambda market: 0.0, lambda market: np.cumsum(np.nan_to_num(market.close), axis=1)])
def test_one_row_that_peeks_is_found_whatever_the_past(past: Callable[[Market], Array]) -> None:
    _, probe = search(lambda market: _rare(market) + past(market))
    assert {found.bar for found in probe.violations.values()} == {PEEKING_BAR}


def test_a_past_that_reaches_further_now_and_then_is_no_future() -> None:
    def far_at_times(market: Market) -> Array:
        is_rare = (market.open_time_ms // market.bar_ms) % 7 == 0
        close = np.nan_to_num(market.close)
        return np.where(is_rare, np.nan_to_num(lag(close, 90)), close)

    def unmeasured(market: Market) -> Array:
        """Reaches back 90 bars in the last fifth alone, after all that the measuring looks at."""
        is_late = market.open_time_ms >= MARKET.open_time_ms[400]
        close = np.nan_to_num(market.close)
        return np.where(is_late, np.nan_to_num(lag(close, 90)), close)

    found, probe = search(far_at_times)
    assert 84 <= found.reach[0] <= 90  # every seventh bar of six starts was looked at
    assert not probe.violations
    found, probe = search(unmeasured)
    assert found.reach.tolist() == [UNKNOWN]  # as it turned out
    assert found.n_rows[0] > 0
    assert not probe.violations


def test_other_candles_are_sound_and_far_from_the_real_ones() -> None:
    large, small = candles_elsewhere(MARKET, 3)
    for market in (large, small):
        assert not np.isnan(market.close).any()
        assert (market.high >= np.maximum(market.open, market.close)).all()
        assert (market.low <= np.minimum(market.open, market.close)).all()
        assert (market.low > 0).all()
    known = MARKET.has_bar
    assert (large.close[known] > 2 * MARKET.close[known]).all()
    assert (small.close[known] < MARKET.close[known] / 2).all()
    kinds = np.zeros(500, dtype=np.int64)
    kinds[10], kinds[20] = 1, 2
    both = mixed(MARKET, (large, small), kinds)
    assert (both.volume[:, 10] == large.volume[:, 10]).all()
    assert (both.volume[:, 20] == small.volume[:, 20]).all()
    assert np.array_equal(both.close[:, 30:], MARKET.close[:, 30:], equal_nan=True)


def test_bars_that_stand_out_come_first_and_once() -> None:
    bars = unusual_bars(MARKET, np.random.default_rng(1))
    assert len(set(bars.tolist())) == len(bars)
    assert bars.max() < 499
    volume = np.where(np.isnan(MARKET.volume), -1, MARKET.volume)
    assert set(volume.argmax(axis=1).tolist()) <= set(bars[:40].tolist())
