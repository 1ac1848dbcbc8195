"""Laws of every operator: chunks, threads and an earlier start change no bit; another place in time only rounding."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candlelock.features import operators as op
from candlelock.features.bars import bars_of, hold
from candlelock.features.build import build_features
from candlelock.features.expression import Node, source
from candlelock.features.program import OPS, facts_of
from tests.oracles.agreement import built, registered
from tests.oracles.expressions import FIRST, HOUR_MS, values
from tests.oracles.series import series
from tests.oracles.specimens import specimen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from candlelock.features.market import Array

BARS = bars_of(HOUR_MS)
X, Y, CLOSE, VOLUME = source("x"), source("y"), BARS.close, BARS.volume
HIGHER = BARS.higher(4)

# Every operator at least once, and some within others.
NODES = {
    "lag": op.lag(X, 7),
    "sum": op.window_sum(X, 10),
    "mean": op.window_mean(X, 24),
    "max": op.window_max(X, 9),
    "age": op.bars_since_min(X, 20),
    "std": op.window_std(X, 24),
    "score": op.zscore(X, 12),
    "skew": op.window_skew(Y, 24),
    "tails": op.window_kurtosis(Y, 30),
    "ema": op.ema(X, 5),
    "wilder": op.wilder(X, 3),
    "decayed": op.decayed_sum(X, 4),
    "covariance": op.window_covariance(X, Y, 16),
    "slope": op.window_slope(X, Y, 16),
    "correlation": op.window_correlation(X, Y, 24),
    "path": op.path_zscore(Y, 24),
    "deviation": op.mean_deviation(X, 14),
    "rank": op.window_rank(Y, 14),
    "above": op.volume_above(CLOSE, VOLUME, 12, 6),
    "control": op.control_distance(CLOSE, VOLUME, 12, 6),
    "run": op.run_length(op.sign(op.change(CLOSE, 1)), 12),
    "sar": op.parabolic_sar(BARS.high, BARS.low, 16),
    "same time": op.same_time_mean(X, 3, 6),
    "higher": hold(op.window_mean(HIGHER.close, 5)),
    "higher volume": hold(HIGHER.volume),
    "pattern": Node("patterns", (BARS.open, BARS.high, BARS.low, CLOSE), output=3),
    "others": op.others_mean(X),
    "all": op.cross_mean(op.window_mean(X, 6)),
    "dispersion": op.cross_deviation(X),
    "place": op.cross_rank(X),
    "venues": op.venues_mean(X),
    "market then window": op.window_correlation(X, op.others_mean(op.ema(X, 3)), 12),
    "elementwise": op.larger(op.smaller(X / Y, 2.0), -X) * op.is_above(X, Y) + op.where_known(op.absolute(X), Y),
    "shape": op.sine(op.log(CLOSE)) - op.cosine(op.sqrt(VOLUME)) * op.remainder(X, 0.7) + op.floor_ratio(X, 0.3),
    "month": op.month(source("open_time")),
}
LOOKBACKS = {name: facts_of(node).lookback for name, node in NODES.items()}
SYMBOLS = ("BTC/USDT", "ETH/USDT", "BTC/EUR")
N_BARS = 420


@functools.cache
def columns(gap_share: float) -> dict[str, Array]:
    """Three symbols; flat stretches and a long gap besides single missing bars."""

    def rows(kind: str, seed: int) -> Array:
        return np.array([series(kind, N_BARS, gap_share, seed + 10 * row) for row in range(len(SYMBOLS))])

    close = rows("walk", 1)
    close[0, 150:190] = close[0, 149]
    reach = np.abs(rows("noise", 2))
    given = {"x": rows("walk", 3), "y": rows("noise", 4), "volume": np.abs(rows("ticks", 5))}
    given |= {"open": close + 0.1, "high": close + reach, "low": close - reach, "close": close}
    given["x"][1, 200:260] = 7.25
    for x in given.values():
        x[2, 300:330] = np.nan
    return given


def cut(given: dict[str, Array], begin: int, end: int | None = None) -> dict[str, Array]:
    return {name: x[:, begin:end].copy() for name, x in given.items()}


@functools.cache
def whole(gap_share: float) -> dict[str, Array]:
    return values(NODES, columns(gap_share), symbols=SYMBOLS)


def all_ops(nodes: list[Node]) -> Iterator[str]:
    for node in nodes:
        yield node.op
        yield from all_ops(list(node.inputs))


def test_no_operator_is_left_out() -> None:
    assert set(all_ops(list(NODES.values()))) - {"source", "constant"} == OPS.keys()


@given(st.sampled_from([0.0, 0.03]), st.lists(st.integers(1, N_BARS - 1), max_size=12))
@settings(deadline=None, max_examples=25)
def test_chunks_change_no_bit(gap_share: float, ends: list[int]) -> None:
    found = values(NODES, columns(gap_share), ends=ends, symbols=SYMBOLS)
    for name, wanted in whole(gap_share).items():
        assert found[name].tobytes() == wanted.tobytes(), name


@pytest.mark.parametrize("gap_share", [0.0, 0.03])
def test_single_bars_and_threads_change_no_bit(gap_share: float) -> None:
    for options in ({"ends": range(N_BARS)}, {"n_threads": 2}, {"n_threads": 3, "ends": range(0, N_BARS, 7)}):
        found = values(NODES, columns(gap_share), symbols=SYMBOLS, **options)
        for name, wanted in whole(gap_share).items():
            assert found[name].tobytes() == wanted.tobytes(), name


def test_threads_change_no_byte_of_any_feature() -> None:
    threaded = build_features(specimen("walk"), registered(), n_threads=2)
    for name, wanted in built("walk").items():
        assert threaded[name].tobytes() == wanted.tobytes(), name


@pytest.mark.parametrize("gap_share", [0.0, 0.03])
@pytest.mark.parametrize("name", NODES)
def test_a_value_rests_on_its_declared_bars_alone(name: str, gap_share: float) -> None:
    """Cutting off all that lies before them changes no bit, whatever the blocks that a window falls into."""
    node = {name: NODES[name]}
    for bar in range(LOOKBACKS[name], N_BARS, 23):
        begin = bar - LOOKBACKS[name]
        found = values(node, cut(columns(gap_share), begin, bar + 1), first=FIRST + begin, symbols=SYMBOLS)[name]
        assert found[:, -1].tobytes() == whole(gap_share)[name][:, bar].tobytes(), bar


@pytest.mark.parametrize("padding", [1, 40, 200])
def test_a_series_that_has_not_begun_is_a_series_of_missing_bars(padding: int) -> None:
    """Also inside the warm-up: a stream that starts anew after a long silence must not take nothing for zeros."""
    given = columns(0.03)
    padded = {name: np.concatenate([np.full((3, padding), np.nan), x], axis=1) for name, x in given.items()}
    found = values(NODES, padded, first=FIRST - padding, symbols=SYMBOLS)
    for name, wanted in whole(0.03).items():
        assert found[name][:, padding:].tobytes() == wanted.tobytes(), name


@pytest.mark.parametrize("shift", [1, 5, 12_345])
def test_another_place_in_time_changes_rounding_at_most(shift: int) -> None:
    """But for what is cut at fixed times: higher bars, the month, and the stop, whose recursions begin there."""
    found = values(NODES, columns(0.03), first=FIRST + shift, symbols=SYMBOLS)
    for name in NODES.keys() - {"higher", "higher volume", "month", "sar"}:
        wanted = whole(0.03)[name]
        np.testing.assert_allclose(found[name], wanted, rtol=1e-9, atol=1e-12 * np.nanmax(np.abs(wanted)), err_msg=name)
