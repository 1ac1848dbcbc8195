"""Laws of the causality checks: what looks ahead by any number of bars is found, and so is what looks back too far.

And the other way round: what keeps to its look-back raises no alarm, whatever the market, the window and the seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from candlelock.causality import later_candles, replay
from candlelock.causality.cuts import choose_cuts
from candlelock.causality.offsets import bars_ahead, bars_behind
from tests.markets import walk
from tests.unit.causality.doubles import SETTINGS, codes, entry, lag, probe, subject

if TYPE_CHECKING:
    from candlelock.causality.examination import Probe, Subject
    from candlelock.features.market import Array, Market

N_BARS = 160
markets = st.builds(
    walk,
    seed=st.integers(0, 10**6),
    n_symbols=st.integers(1, 3),
    n_bars=st.just(N_BARS),
    gap_share=st.sampled_from([0.0, 0.02, 0.1]),
    latest_start=st.sampled_from([0, 10]),
)
seeds = st.integers(0, 2**31 - 1)
FEW = SETTINGS.model_copy(update={"n_replay_rows": 30, "n_gap_rows": 30})


def windowed(values: Array, n_back: int, n_ahead: int, use_max: bool) -> Array:
    """Sum or maximum of the known values from `n_back` bars before to `n_ahead` bars after each bar; 0 for none."""
    known = [np.nan_to_num(lag(values, at)) for at in range(n_back, -n_ahead - 1, -1)]
    return np.max(known, axis=0) if use_max else np.sum(known, axis=0)


def feature(n_back: int, n_ahead: int, declared: int, use_max: bool) -> Subject:
    """A window as a feature, unknown where there is no candle."""

    def build(market: Market) -> Array:
        return np.where(market.has_bar, windowed(market.close, n_back, n_ahead, use_max), np.nan)

    return subject([(entry("window", declared), build)])


def tried(each: Subject, market: Market, seed: int) -> tuple[Probe, Probe, Probe]:
    """Prefix, future and replay."""
    prefix, future, replayed = (probe(each, market) for _ in range(3))
    cuts = choose_cuts(market, 8, (0.5,), 20, seed)
    later_candles.check_prefix(prefix, cuts)
    later_candles.check_future(future, cuts, 3)
    replay.check_replay(replayed, FEW)
    return prefix, future, replayed


@given(markets, st.integers(0, 12), st.booleans(), seeds)
@settings(deadline=None, max_examples=40)
def test_what_keeps_to_its_look_back_raises_no_alarm(market: Market, n_back: int, use_max: bool, seed: int) -> None:
    for each in tried(feature(n_back, 0, n_back, use_max), market, seed):
        assert not each.violations
        assert each.n_compared[0] > 0


@given(markets, st.integers(0, 5), st.integers(1, 12), seeds)
@settings(deadline=None, max_examples=40)
def test_what_looks_ahead_is_found_and_measured(market: Market, n_back: int, n_ahead: int, seed: int) -> None:
    prefix, future, _ = tried(feature(n_back, n_ahead, n_back, use_max=False), market, seed)
    assert codes(prefix) == {"window": "future-prefix"}
    assert codes(future) == {"window": "future-perturbed"}
    row = prefix.violations[0]
    assert row.symbol is not None
    assert row.bar is not None
    assert bars_ahead(prefix.exam, 0, row.symbol, row.bar) == 1


@given(markets, st.integers(1, 10), st.integers(12, 60))
@settings(deadline=None, max_examples=40)
def test_the_distance_of_a_single_later_bar_is_found(market: Market, n_ahead: int, bar: int) -> None:
    each = probe(subject([(entry("ahead"), lambda m: np.nan_to_num(lag(m.close, -n_ahead)))]), market)
    assert bars_ahead(each.exam, 0, 0, bar) == n_ahead


@given(markets, st.integers(1, 12), st.integers(1, 12))
@settings(deadline=None, max_examples=40)
def test_what_looks_back_too_far_is_found_and_measured(market: Market, n_back: int, n_short: int) -> None:
    declared = max(n_back - n_short, 0)
    each = probe(feature(n_back, 0, declared, use_max=False), market)
    replay.check_replay(each, FEW)
    assert codes(each) == {"window": "lookback-longer"}
    row = each.violations[0]
    assert row.symbol is not None
    assert row.bar is not None
    assert bars_behind(each.exam, 0, row.symbol, row.bar) == min(n_back, row.bar)
