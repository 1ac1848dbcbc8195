"""Group `microstructure` against its textbook reference and against markets made with a known spread and impact."""

from __future__ import annotations

import math

import numpy as np
import pytest

from candlelock.features.market import Market
from tests.markets import FIRST_MS, HOUR_MS, changed, of_closes
from tests.oracles.agreement import assert_agrees, features_of
from tests.oracles.microstructure import expected_microstructure
from tests.oracles.specimens import MARKETS, specimen


@pytest.mark.parametrize("market", MARKETS)
def test_every_feature_is_what_the_papers_say(market: str) -> None:
    assert_agrees(market, "microstructure", expected_microstructure(specimen(market)), rtol=1e-7)


def traded(spread: float, volatility: float, n_bars: int, n_trades: int) -> Market:
    """Bars of trades at the ask or the bid, `spread` (a log ratio) apart, around a Brownian log price."""
    random = np.random.default_rng(9)
    middle = np.cumsum(random.normal(0, volatility / math.sqrt(n_trades), n_bars * n_trades))
    side = random.choice([-0.5, 0.5], n_bars * n_trades)
    price = np.exp(middle + spread * side).reshape(n_bars, n_trades)
    fields = {"open": price[:, 0], "high": price.max(axis=1), "low": price.min(axis=1), "close": price[:, -1]}
    times = FIRST_MS + HOUR_MS * np.arange(n_bars, dtype=np.int64)
    rows = {name: x[None] for name, x in fields.items()}
    return Market(("S0",), HOUR_MS, times, **rows, volume=np.ones((1, n_bars)))


@pytest.mark.parametrize("spread", [0.002, 0.01, 0.03])
def test_rolls_spread_is_recovered_where_the_bounce_outweighs_the_moves(spread: float) -> None:
    """From 48 bars alone the estimate of a window is rough; its square is right on average."""
    market = traded(spread, volatility=0.2 * spread, n_bars=20_000, n_trades=5)
    found = features_of(market, "roll_spread_48")["roll_spread_48"][0, 49:]
    assert math.sqrt((found**2).mean()) == pytest.approx(spread, rel=0.05)


@pytest.mark.parametrize("spread", [0.005, 0.01, 0.03])
def test_corwin_and_schultzs_spread_is_recovered_where_it_outweighs_the_moves(spread: float) -> None:
    """The paper says so too; where moves outweigh the spread it is estimated too high, as negative ones count as 0."""
    market = traded(spread, volatility=0.5 * spread, n_bars=5_000, n_trades=400)
    found = features_of(market, "corwin_schultz_24")["corwin_schultz_24"][0, 24:]
    assert found.mean() == pytest.approx(spread, rel=0.1)


def test_without_a_spread_rolls_is_small_and_none_is_negative() -> None:
    market = traded(0.0, volatility=0.01, n_bars=5_000, n_trades=50)
    features = features_of(market, "roll_spread_48", "corwin_schultz_24")
    assert np.nanmin(features["roll_spread_48"]) == 0.0
    assert np.nanmean(features["roll_spread_48"]) < 0.005
    assert np.nanmin(features["corwin_schultz_24"]) >= 0.0


def test_kyles_lambda_of_a_linear_impact_is_recovered() -> None:
    """A move of 2e-9 per unit of value: times the mean value traded, as the feature has it."""
    random = np.random.default_rng(5)
    signed = random.normal(0, 1e6, 2_000)
    close = 30 * np.exp(np.cumsum(2e-9 * signed))
    market = of_closes(list(close), volume=list(np.abs(signed) / close))
    found = features_of(market, "kyle_lambda_48")["kyle_lambda_48"][0, 48:]
    mean_value = np.convolve(np.abs(signed), np.ones(48) / 48, "valid")[1:]
    np.testing.assert_allclose(found, 2e-9 * mean_value, rtol=1e-6)


def test_amihuds_ratio_says_how_much_more_a_value_moves_the_price_of_late() -> None:
    moves = np.where(np.arange(300) % 2 == 0, 1.0, -1.0) * np.where(np.arange(300) < 288, 0.001, 0.004)
    close = 10 * np.exp(np.cumsum(moves))
    market = of_closes(list(close), volume=list(1e6 / close))  # the same value in every bar
    features = features_of(market, "amihud_ratio_12_96")
    assert features["amihud_ratio_12_96"][0, -1] == pytest.approx(0.004 / ((84 * 0.001 + 12 * 0.004) / 96), rel=1e-9)
    assert features["amihud_ratio_12_96"][0, 200] == pytest.approx(1.0, rel=1e-9)


def test_the_volume_profile_by_hand() -> None:
    closes = [10.0] * 20 + [12.0] * 20 + [16.0] * 7 + [13.0]
    volume = [1.0] * 20 + [5.0] * 20 + [2.0] * 7 + [3.0]
    market = of_closes(closes, volume=volume)
    features = features_of(market, "volume_above_48", "control_distance_48")
    assert features["volume_above_48"][0, -1] == pytest.approx(14 / (20 + 100 + 14 + 3))
    # bins of half a unit from 10 to 16: the 12s lie in the one from 12 to 12.5
    assert features["control_distance_48"][0, -1] == pytest.approx(math.log(13 / 12.25))


def test_a_single_price_has_no_profile() -> None:
    market = changed(of_closes([0.3] * 60, volume=[1.0] * 60), high=np.full((1, 60), 0.3))
    features = features_of(market, "volume_above_48", "control_distance_48")
    assert all(np.isnan(values).all() for values in features.values())
