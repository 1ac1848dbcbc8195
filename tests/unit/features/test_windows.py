"""Kernels of the trailing windows against the frozen slow oracle, exact sums and answers worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.features import operators as op
from candlelock.features.expression import source
from tests.oracles import operators as naive
from tests.oracles import windows as frozen
from tests.oracles.expressions import values
from tests.oracles.series import KINDS, series

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.features.expression import Node
    from candlelock.features.market import Array

NAN = float("nan")
X = source("x")
WINDOWS = (1, 2, 3, 9, 10, 24, 96, 300)
N_BARS = 700

# Kernel, frozen oracle, and the size that a difference is measured by: of the values, or of their spread.
STATISTICS: dict[str, tuple[Callable[[Node, int], Node], Callable[[Array, int], Array], Callable[[Array], float]]] = {
    "sum": (op.window_sum, frozen.rolling_sum, lambda x: float(np.abs(x).sum())),
    "mean": (op.window_mean, frozen.rolling_mean, lambda x: float(np.abs(x).max())),
    "max": (op.window_max, frozen.rolling_max, lambda x: 0.0),
    "min": (op.window_min, frozen.rolling_min, lambda x: 0.0),
    "std": (op.window_std, frozen.rolling_std, lambda x: float(np.std(x))),
}


def kernel(node: Node, x: Array) -> Array:
    return values({"it": node}, {"x": x})["it"]


def of_oracle(x: Array, window: int, statistic: Callable[[Array, int], Array]) -> Array:
    """Windows that reach beyond the first bar find missing bars there."""
    padded = np.concatenate([np.full(window - 1, NAN), x])
    return statistic(padded[None], window)[0, window - 1 :]


def assert_close(found: Array, wanted: Array, size: Array | float) -> None:
    """Null in the same places; elsewhere within 1e-12 of `size`."""
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    bound = np.broadcast_to(1e-12 * np.asarray(size), wanted.shape)
    is_known = ~np.isnan(wanted)
    assert (np.abs(found - wanted)[is_known] <= bound[is_known]).all()


@pytest.mark.parametrize("gap_share", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", STATISTICS)
def test_a_window_agrees_with_the_frozen_oracle(name: str, kind: str, gap_share: float) -> None:
    build, statistic, size = STATISTICS[name]
    x = series(kind, N_BARS, gap_share)
    found = values({str(window): build(X, window) for window in WINDOWS}, {"x": x})
    for window in WINDOWS:
        wanted = of_oracle(x, window, statistic)
        assert np.isfinite(wanted).any() or gap_share == 0.2
        assert_close(found[str(window)], wanted, naive.over_windows(x, window, size))


@pytest.mark.parametrize("kind", ["walk", "flat", "high level"])
def test_a_deviation_does_not_lose_digits_to_the_level(kind: str) -> None:
    """Against sums rounded once: also where the spread is a hundred-thousandth of the level."""
    x = series(kind, N_BARS, 0.05)
    for window in (2, 24, 300):
        wanted = naive.over_windows(x, window, naive.std)
        assert_close(kernel(op.window_std(X, window), x), wanted, wanted)


@pytest.mark.parametrize("kind", ["ticks", "flat", "outliers"])
def test_extremes_and_their_ages_are_exact_and_the_latest_of_several(kind: str) -> None:
    x = series(kind, N_BARS, 0.05)
    nodes = {f"{window} max": op.bars_since_max(X, window) for window in WINDOWS}
    nodes |= {f"{window} min": op.bars_since_min(X, window) for window in WINDOWS}
    found = values(nodes, {"x": x})
    for window in WINDOWS:
        np.testing.assert_array_equal(found[f"{window} max"], naive.bars_since(x, window, np.max))
        np.testing.assert_array_equal(found[f"{window} min"], naive.bars_since(x, window, np.min))


@pytest.mark.parametrize("n_bars", [1, 2, 3, 5, 30])
def test_a_lag_is_the_value_of_just_so_many_bars_before(n_bars: int) -> None:
    x = series("noise", 40, 0.2)
    np.testing.assert_array_equal(kernel(op.lag(X, n_bars), x), frozen.lag(x[None], n_bars)[0])
    np.testing.assert_array_equal(kernel(op.change(X, n_bars), x), x - frozen.lag(x[None], n_bars)[0])


@pytest.mark.parametrize(
    ("window", "least"), [(1, 1), (6, 6), (9, 9), (10, 9), (14, 13), (24, 22), (96, 87), (300, 270)]
)
def test_a_window_needs_nine_tenths_of_its_bars(window: int, least: int) -> None:
    assert op.min_present(window) == frozen.min_present(window) == least
    for n_present in (least, least - 1):
        x = np.ones(window)
        x[: window - n_present] = NAN
        assert np.isnan(kernel(op.window_mean(X, window), x)[-1]) == (n_present < least)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-9, 123_456_789.123, -7.3])
@pytest.mark.parametrize("window", [6, 24, 96])
def test_a_flat_window_has_exactly_no_spread_no_z_score_and_no_place(value: float, window: int) -> None:
    x = np.concatenate([[value + 1.0], np.full(3 * window, value)])
    nodes = {"std": op.window_std(X, window), "score": op.zscore(X, window), "deviation": op.mean_deviation(X, window)}
    nodes["place"] = op.position_in_range(X, X, X, window)
    found = {name: row[window:] for name, row in values(nodes, {"x": x}).items()}
    assert set(found["std"]) == set(found["deviation"]) == {0.0}
    assert np.isnan(found["score"]).all()
    assert np.isnan(found["place"]).all()


def test_a_small_real_spread_is_not_taken_for_flat() -> None:
    x = np.array([1e6, 1e6 + 0.01] * 3)
    assert kernel(op.window_std(X, 6), x)[-1] == pytest.approx(0.005, rel=1e-4)


def test_known_answers() -> None:
    x = np.array([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0])
    assert kernel(op.window_std(X, 8), x)[-1] == 2.0
    assert kernel(op.window_mean(X, 8), x)[-1] == 5.0
    assert kernel(op.zscore(X, 8), x)[-1] == 2.0
    assert kernel(op.window_sum(X, 3), x).tolist()[2:] == [10.0, 12.0, 13.0, 14.0, 17.0, 21.0]
    assert kernel(op.window_max(X, 3), x).tolist()[2:] == [4.0, 4.0, 5.0, 5.0, 7.0, 9.0]
    assert kernel(op.window_min(X, 3), x).tolist()[2:] == [2.0, 4.0, 4.0, 4.0, 5.0, 5.0]
    high, low = np.array([4.0, 9.0, 6.0]), np.array([1.0, 5.0, 3.0])
    place = op.position_in_range(X, source("top"), source("bottom"), 3)
    assert values({"it": place}, {"x": np.array([2.0, 7.0, 5.0]), "top": high, "bottom": low})["it"][-1] == 4 / 8


def test_a_window_of_no_bars_is_no_window() -> None:
    with pytest.raises(ValueError, match="a window of 0 bars"):
        op.window_sum(X, 0)
