"""Every operator but the plain windows against its naive meaning; averages against TA-Lib besides."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import talib

from candlelock.features import operators as op
from candlelock.features.bars import bars_of, hold
from candlelock.features.expression import source
from tests.oracles import operators as naive
from tests.oracles.expressions import FIRST, HOUR_MS, values
from tests.oracles.series import KINDS, series
from tests.oracles.specimens import real_candles

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.features.expression import Node
    from candlelock.features.market import Array

NAN = float("nan")
X, Y = source("x"), source("y")
WINDOWS = (1, 2, 3, 9, 10, 24, 96, 300)
N_BARS = 700


def assert_close(found: Array, wanted: Array, size: Array | float, share: float = 1e-12) -> None:
    """Null in the same places; elsewhere within `share` of `size`."""
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    is_known = ~np.isnan(wanted)
    bound = np.broadcast_to(share * np.asarray(size), wanted.shape)
    assert (np.abs(found - wanted)[is_known] <= bound[is_known]).all()


def each_window(build: Callable[[int], Node], x: Array, y: Array | None = None) -> dict[int, Array]:
    columns = {"x": x} if y is None else {"x": x, "y": y}
    found = values({str(window): build(window) for window in WINDOWS}, columns)
    return {window: found[str(window)] for window in WINDOWS}


@pytest.mark.parametrize("gap_share", [0.0, 0.05])
@pytest.mark.parametrize("kind", KINDS)
def test_how_two_series_move_together(kind: str, gap_share: float) -> None:
    x, y = series(kind, N_BARS, gap_share, seed=1), series("noise", N_BARS, gap_share, seed=2)
    covariances = each_window(lambda window: op.window_covariance(X, Y, window), x, y)
    slopes = each_window(lambda window: op.window_slope(Y, X, window), x, y)
    correlations = each_window(lambda window: op.window_correlation(X, Y, window), x, y)
    for window in WINDOWS:
        own, other = (naive.over_pairs(a, b, window, lambda p, q: p.std()) for a, b in ((x, y), (y, x)))
        wanted = naive.over_pairs(x, y, window, naive.covariance)
        assert_close(covariances[window], wanted, own * other)
        with np.errstate(divide="ignore", invalid="ignore"):
            assert_close(slopes[window], naive.over_pairs(y, x, window, naive.slope), other / own)
        assert_close(correlations[window], naive.over_pairs(x, y, window, naive.correlation), 1.0)


@pytest.mark.parametrize("gap_share", [0.0, 0.05])
@pytest.mark.parametrize("kind", ["noise", "ticks", "outliers"])
def test_skewness_and_kurtosis_are_those_of_scipy(kind: str, gap_share: float) -> None:
    x = series(kind, 400, gap_share)
    skews = each_window(lambda window: op.window_skew(X, window), x)
    tails = each_window(lambda window: op.window_kurtosis(X, window), x)
    for window in (10, 24, 300):
        assert_close(skews[window], naive.over_windows(x, window, naive.skew), 1.0, 1e-9)
        assert_close(tails[window], naive.over_windows(x, window, naive.kurtosis), 1.0, 1e-8)


def test_skewness_and_kurtosis_of_a_flat_window_are_null() -> None:
    for x in (np.zeros(60), np.full(60, 0.1), 0.1 + 1e-5 * series("noise", 60)):
        found = values({"skew": op.window_skew(X, 24), "tails": op.window_kurtosis(X, 24)}, {"x": x})
        assert np.isnan(found["skew"]).all()
        assert np.isnan(found["tails"]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_mean_deviation_from_the_mean(kind: str) -> None:
    x = series(kind, 400, 0.05)
    found = each_window(lambda window: op.mean_deviation(X, window), x)
    for window in WINDOWS:
        size = naive.over_windows(x, window, lambda values: np.abs(values).max())
        assert_close(found[window], naive.over_windows(x, window, naive.mean_deviation), size)


@pytest.mark.parametrize("kind", ["noise", "ticks", "flat"])
def test_the_rank_counts_ties_half_and_is_exact(kind: str) -> None:
    x = series(kind, N_BARS, 0.05)
    found = each_window(lambda window: op.window_rank(X, window), x)
    for window in WINDOWS:
        np.testing.assert_array_equal(found[window], naive.rank(x, window))


def test_where_a_running_total_stands_on_its_path() -> None:
    x = series("noise", N_BARS, 0.05)
    x[200:420] = 0.0
    found = each_window(lambda window: op.path_zscore(X, window), x)
    for window in (9, 10, 24, 96):
        wanted = naive.path_zscore(x, window)
        assert np.isnan(wanted[300])
        assert_close(found[window], wanted, 1.0, 1e-9)


@pytest.mark.parametrize("gap_share", [0.0, 0.02])
@pytest.mark.parametrize("kind", ["walk", "noise", "flat", "tiny", "huge"])
def test_exponential_averages_are_weighted_means_of_their_window(kind: str, gap_share: float) -> None:
    x = series(kind, N_BARS, gap_share)
    nodes = {"ema": op.ema(X, 12), "sum": op.decayed_sum(X, 12), "wilder": op.wilder(X, 14)}
    found = values(nodes, {"x": x})
    window = {q: math.ceil(math.log(1e-10) / math.log(q)) for q in (11 / 13, 13 / 14)}
    size = np.nanmax(np.abs(x))
    mean, total = naive.decay(x, 11 / 13, window[11 / 13])
    assert_close(found["ema"], mean, size)
    assert_close(found["sum"], total, 10 * size)
    assert_close(found["wilder"], naive.decay(x, 13 / 14, window[13 / 14])[0], size)


def test_exponential_averages_after_the_warm_up_are_those_without_an_end() -> None:
    x = series("walk", 5_000)
    for period in (3, 12, 50, 200):
        found = values({"it": op.ema(X, period)}, {"x": x})["it"]
        np.testing.assert_allclose(found[3_500:], talib.EMA(x, period)[3_500:], rtol=1e-9)
    for period in (7, 14, 28):
        average = x[:period].mean()
        for bar in range(period, len(x)):
            average += (x[bar] - average) / period
        found = values({"it": op.wilder(X, period)}, {"x": x})["it"]
        assert found[-1] == pytest.approx(average, rel=1e-9)


def test_runs_are_counted_from_each_bar_backwards() -> None:
    x = np.sign(series("walk", N_BARS, 0.03) - 100)
    x[300:310] = 0.0
    for steps in (x, series("ticks", N_BARS, 0.03)):
        found = each_window(lambda window: op.run_length(X, window), steps)
        for window in WINDOWS:
            np.testing.assert_array_equal(found[window], naive.run_length(steps, window))


@pytest.mark.parametrize("kind", ["walk", "flat", "ticks"])
def test_the_volume_profile(kind: str) -> None:
    """Prices in ticks lie on the edges of bins; they belong above them, however they round."""
    price, volume = series(kind, N_BARS, 0.02), series("ticks", N_BARS, 0.02) + 2.0
    price = 100 + 0.1 * np.cumsum(series("ticks", N_BARS)) if kind == "ticks" else price
    volume[400:440] = 0.0
    nodes = {"above": op.volume_above(X, Y, 24, 12), "distance": op.control_distance(X, Y, 24, 12)}
    found = values(nodes, {"x": price, "y": volume})
    above, distance = naive.profile(price, volume, 24, 12)
    assert np.isnan(above[430])
    assert_close(found["above"], above, 1.0)
    assert_close(found["distance"], distance, 1.0)


@pytest.mark.parametrize(("n_days", "day_bars"), [(7, 24), (3, 48), (10, 5), (1, 1)])
def test_the_same_time_of_the_days_before(n_days: int, day_bars: int) -> None:
    x = series("noise", N_BARS, 0.02)
    found = values({"it": op.same_time_mean(X, n_days, day_bars)}, {"x": x})["it"]
    assert_close(found, naive.same_time_mean(x, n_days, day_bars), 10.0)


@pytest.mark.parametrize("n_bars", [2, 4, 12, 48])
def test_higher_bars_are_known_from_their_close_until_the_next(n_bars: int) -> None:
    fields = {name: series("walk", N_BARS, 0.0, seed) for seed, name in enumerate(("open", "high", "low", "close"))}
    fields["volume"] = series("ticks", N_BARS) + 2.0
    fields = {name: np.where(np.isnan(series("noise", N_BARS, 0.04)), NAN, x) for name, x in fields.items()}
    bars = bars_of(HOUR_MS).higher(n_bars)
    nodes = {name: hold(getattr(bars, name)) for name in fields}
    found = values(nodes, fields)
    wanted = naive.higher(fields, n_bars, FIRST)
    for name in fields:
        shown = np.where(np.isnan(fields["close"]), NAN, wanted[name])
        np.testing.assert_allclose(found[name], shown, rtol=1e-15, err_msg=name)


SYMBOLS = ("BTC/USDT", "ETH/USDT", "BTC/USDC", "BTC/EUR", "XRP/USDT")
ACROSS: dict[str, tuple[Callable[[Node], Node], Callable[[Array], Array]]] = {
    "others": (op.others_mean, lambda x: naive.across(x, lambda own, others: others.mean())),
    "deviation": (op.cross_deviation, lambda x: naive.across(x, lambda own, others: np.std([own, *others]))),
    "rank": (
        op.cross_rank,
        lambda x: naive.across(x, lambda own, others: ((others < own) + 0.5 * (others == own)).mean()),
    ),
    "venues": (op.venues_mean, lambda x: naive.across(x, lambda own, others: others.mean(), [0, 1, 0, 0, 4])),
    "mean": (
        lambda x: op.where_known(op.cross_mean(x), x),
        lambda x: naive.across(x, lambda own, others: np.mean([own, *others])),
    ),
}


@pytest.mark.parametrize("name", ACROSS)
@pytest.mark.parametrize("n_symbols", [1, 2, 5])
def test_operators_over_the_symbols_at_each_bar(name: str, n_symbols: int) -> None:
    build, statistic = ACROSS[name]
    x = np.array([series("ticks", 200, 0.4, seed) for seed in range(n_symbols)])
    found = values({"it": build(X)}, {"x": x}, symbols=SYMBOLS[:n_symbols])["it"]
    wanted = statistic(x)
    assert np.isfinite(wanted).any() == (n_symbols > 2 or (n_symbols == 2 and name != "venues"))
    assert_close(found, wanted, 10.0)


def test_the_mean_over_the_symbols_is_known_also_for_one_that_is_missing() -> None:
    x = np.array([[1.0, 1.0, NAN], [3.0, NAN, NAN], [NAN, NAN, NAN]])
    found = values({"it": op.cross_mean(X)}, {"x": x})["it"]
    np.testing.assert_array_equal(found, [[2.0, NAN, NAN]] * 3)


ELEMENTWISE = {
    "divide": (X / Y, [0.5, NAN, NAN, NAN, NAN, -2.0]),
    "larger": (op.larger(X, Y), [2.0, 1.0, 0.0, NAN, NAN, 2.0]),
    "smaller": (op.smaller(X, Y), [1.0, 0.0, 0.0, NAN, NAN, -1.0]),
    "is_above": (op.is_above(X, Y), [0.0, 1.0, 0.0, NAN, NAN, 1.0]),
    "where_known": (op.where_known(X, Y), [1.0, 1.0, 0.0, NAN, NAN, 2.0]),
    "part_of": (op.part_of(X - X, Y), [0.0, 0.0, 0.0, NAN, NAN, 0.0]),
    "log": (op.log(Y), [math.log(2), NAN, NAN, math.log(3), NAN, NAN]),
    "sqrt": (op.sqrt(Y), [math.sqrt(2), 0.0, 0.0, math.sqrt(3), NAN, NAN]),
    "sign": (op.sign(Y), [1.0, 0.0, 0.0, 1.0, NAN, -1.0]),
    "absolute": (op.absolute(Y), [2.0, 0.0, 0.0, 3.0, NAN, 1.0]),
    "negate": (-Y, [-2.0, 0.0, 0.0, -3.0, NAN, 1.0]),
    "remainder": (op.remainder(Y, 1.5), [0.5, 0.0, 0.0, 0.0, NAN, 0.5]),
    "floor_ratio": (op.floor_ratio(Y, 1.5), [1.0, 0.0, 0.0, 2.0, NAN, -1.0]),
    "sum": (2.0 + X - 1.0 * Y, [1.0, 3.0, 2.0, NAN, NAN, 5.0]),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_bar_by_bar_a_missing_value_stays_missing_and_nothing_becomes_infinite(name: str) -> None:
    node, wanted = ELEMENTWISE[name]
    x, y = np.array([1.0, 1.0, 0.0, NAN, 1.0, 2.0]), np.array([2.0, 0.0, 0.0, 3.0, NAN, -1.0])
    np.testing.assert_allclose(values({"it": node}, {"x": x, "y": y})["it"], wanted, rtol=1e-15)


def test_a_difference_that_is_rounding_is_none() -> None:
    x, y = np.array([0.1 + 0.2, 0.3, 1e12 + 1.0, 0.0, 1e-9]), np.array([0.3, 0.3 + 1e-9, 1e12, 0.0, 0.0])
    found = values({"it": op.difference(X, Y)}, {"x": x, "y": y})["it"]
    np.testing.assert_array_equal(found, [0.0, 0.3 - (0.3 + 1e-9), 0.0, 0.0, 1e-9])


@pytest.mark.parametrize("gap_share", [0.0, 0.03])
def test_the_parabolic_stop_is_ta_libs_begun_one_to_two_windows_ago(gap_share: float) -> None:
    """In whole ticks, where stops are touched and bars reach as far up as down; and tenths of them are the same."""
    high = 1000 + np.cumsum(series("ticks", 800)) + np.abs(series("ticks", 800, seed=1))
    low = high - 1 - np.abs(series("ticks", 800, seed=2))
    high[np.isnan(series("noise", 800, gap_share))] = NAN
    for window in (8, 64):
        wanted = naive.parabolic_sar(high, low, window, FIRST)
        assert np.isfinite(wanted).sum() > 100
        for size in (1.0, 0.1):
            found = values({"it": op.parabolic_sar(X, Y, window)}, {"x": size * high, "y": size * low})["it"]
            np.testing.assert_allclose(found, size * wanted, rtol=1e-12)


@pytest.mark.shared
@pytest.mark.parametrize(("window", "differ"), [(64, 0.03), (128, 0.001)])
def test_how_seldom_the_parabolic_stop_differs_from_one_without_an_end(window: int, differ: float) -> None:
    """Of 60,000 bars 2 to 3 in a hundred differ with windows of 64 bars, 1 to 4 in ten thousand with 128."""
    for folder, file, ticks in (
        ("binance_spot_5m_2024", "XRP_USDT-5m.feather", 1e4),
        ("binance_spot_1m_2025", "BTC_USDT-1m.feather", 1e2),
    ):
        candles = real_candles(folder, file).iloc[:60_000]
        high, low = (np.rint(candles[name].to_numpy() * ticks) for name in ("high", "low"))
        found = values({"it": op.parabolic_sar(X, Y, window)}, {"x": high, "y": low})["it"][2 * window :]
        endless = talib.SAR(high, low)[2 * window :]
        assert (np.abs(found / endless - 1) > 1e-9).mean() < differ
