"""Window statistics against a slow oracle and against answers worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.features import windows
from candlelock.features.windows import lag, min_present, position_in_range, ratio, zscore

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.features.market import Array

NAN = float("nan")
STATISTICS: dict[str, tuple[Callable[[Array, int], Array], Callable[[Array], float]]] = {
    "sum": (windows.rolling_sum, np.sum),
    "mean": (windows.rolling_mean, np.mean),
    "max": (windows.rolling_max, np.max),
    "min": (windows.rolling_min, np.min),
    "std": (windows.rolling_std, lambda values: float(np.std(values, ddof=0))),
}


def oracle(x: Array, window: int, statistic: Callable[[Array], float]) -> Array:
    """One row, bar by bar: the statistic of the present values, NaN with fewer than nine tenths of the window."""
    out = np.full_like(x, NAN)
    for bar in range(window - 1, len(x)):
        values = x[bar - window + 1 : bar + 1]
        present = values[~np.isnan(values)]
        if 10 * len(present) >= 9 * window:
            out[bar] = statistic(present)
    return out


def random_rows(seed: int, n_bars: int, gap_share: float) -> Array:
    random = np.random.default_rng(seed)
    values = random.normal(5, 2, (2, n_bars))
    return np.where(random.random((2, n_bars)) < gap_share, NAN, values)


@pytest.mark.parametrize("window", [1, 2, 6, 9, 10, 14, 30])
@pytest.mark.parametrize("gap_share", [0.0, 0.08, 0.3])
@pytest.mark.parametrize("name", STATISTICS)
def test_a_statistic_agrees_with_the_oracle(name: str, gap_share: float, window: int) -> None:
    rolling, statistic = STATISTICS[name]
    x = random_rows(window, 120, gap_share)
    expected = np.array([oracle(row, window, statistic) for row in x])
    assert np.isfinite(expected).any() or (gap_share == 0.3 and window > 2)
    np.testing.assert_allclose(rolling(x, window), expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("n_bars", [0, 1, 4, 5])
def test_a_series_shorter_than_the_window_or_just_as_long(name: str, n_bars: int) -> None:
    x = np.arange(float(n_bars))[None]
    out = STATISTICS[name][0](x, 5)
    assert out.shape == x.shape
    assert np.isfinite(out).tolist() == [[bar == 4 for bar in range(n_bars)]]


@pytest.mark.parametrize(
    ("window", "least"), [(1, 1), (6, 6), (9, 9), (10, 9), (14, 13), (24, 22), (96, 87), (672, 605)]
)
def test_a_window_needs_nine_tenths_of_its_bars(window: int, least: int) -> None:
    assert min_present(window) == least
    x = np.ones((1, window))
    x[0, : window - least] = NAN
    assert np.isfinite(windows.rolling_mean(x, window)[0, -1])
    x[0, -1] = NAN
    assert np.isnan(windows.rolling_mean(x, window)[0, -1])


def test_known_answers() -> None:
    x = np.array([[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]])
    assert windows.rolling_std(x, 8)[0, -1] == 2.0
    assert windows.rolling_mean(x, 8)[0, -1] == 5.0
    assert zscore(x, 8)[0, -1] == 2.0
    assert windows.rolling_sum(x, 3)[0].tolist()[2:] == [10.0, 12.0, 13.0, 14.0, 17.0, 21.0]
    assert windows.rolling_max(x, 3)[0].tolist()[2:] == [4.0, 4.0, 5.0, 5.0, 7.0, 9.0]
    assert windows.rolling_min(x, 3)[0].tolist()[2:] == [2.0, 4.0, 4.0, 4.0, 5.0, 5.0]


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-9, 123_456_789.123, -7.3])
@pytest.mark.parametrize("window", [6, 24, 96])
def test_a_flat_window_has_exactly_no_spread_and_no_z_score(value: float, window: int) -> None:
    x = np.full((1, window + 3), value)
    assert windows.rolling_std(x, window)[0, window - 1 :].tolist() == [0.0] * 4
    assert np.isnan(zscore(x, window)).all()
    assert np.isnan(position_in_range(x, x, x, window)).all()


def test_a_small_real_spread_is_not_taken_for_flat() -> None:
    x = np.array([[1e6, 1e6 + 0.01] * 3])
    assert windows.rolling_std(x, 6)[0, -1] == pytest.approx(0.005, rel=1e-4)


def test_position_in_range_by_hand() -> None:
    high, low = np.array([[4.0, 9.0, 6.0]]), np.array([[1.0, 5.0, 3.0]])
    close = np.array([[2.0, 7.0, 5.0]])
    assert position_in_range(close, high, low, 3)[0, -1] == (5 - 1) / (9 - 1)
    assert position_in_range(high, high, low, 2)[0, 1] == 1.0
    assert position_in_range(low, high, low, 2)[0, 2] == 0.0


def test_lag_moves_later_and_never_earlier() -> None:
    x = np.array([[1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(lag(x, 1), [[NAN, 1.0, 2.0]])
    np.testing.assert_array_equal(lag(x, 3), [[NAN, NAN, NAN]])
    np.testing.assert_array_equal(lag(x, 7), [[NAN, NAN, NAN]])


def test_a_ratio_is_unknown_over_nothing() -> None:
    out = ratio(np.array([1.0, 1.0, NAN, 0.0, -1.0]), np.array([2.0, 0.0, 1.0, 0.0, NAN]))
    np.testing.assert_array_equal(out, [0.5, NAN, NAN, NAN, NAN])
