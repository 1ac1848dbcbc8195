"""Group `cross_asset` against its textbook reference, planted betas and answers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from candlelock.features.market import CANDLE_FIELDS, Market
from tests.markets import between, of_closes, walk
from tests.oracles.agreement import assert_agrees, features_of, registered
from tests.oracles.cross_asset import expected_cross_asset
from tests.oracles.specimens import MARKETS, specimen

NAN = float("nan")
NAMES = tuple(entry.name for entry in registered() if entry.group == "cross_asset")


@pytest.mark.parametrize("market", MARKETS)
def test_every_feature_is_what_the_textbook_says(market: str) -> None:
    assert_agrees(market, "cross_asset", expected_cross_asset(specimen(market)))


def test_market_excess_and_dispersion_by_hand() -> None:
    steps = (0.01, 0.02, 0.06)
    features = features_of(of_closes(*[list(np.exp(step * np.arange(13))) for step in steps]), *NAMES)
    for k in (1, 3, 6, 12):
        assert features[f"market_return_{k}"][:, -1] == pytest.approx([0.03 * k] * 3, rel=1e-11)
        assert features[f"excess_return_{k}"][:, -1] == pytest.approx([-0.02 * k, -0.01 * k, 0.03 * k], rel=1e-11)
    spread = np.sqrt((0.24**2 + 0.12**2 + 0.36**2) / 3)
    assert features["dispersion_12"][:, -1] == pytest.approx([spread] * 3, rel=1e-11)
    assert features["return_rank_12"][:, -1].tolist() == [0.0, 0.5, 1.0]
    assert np.isnan(features["market_return_48"]).all()


def test_a_missing_symbol_is_left_out_not_counted_as_still() -> None:
    closes = [list(np.exp(step * np.arange(3.0))) for step in (0.01, 0.02, 0.06)]
    closes[2][2] = NAN
    features = features_of(of_closes(*closes), "market_return_1", "excess_return_1", "return_rank_1")
    assert features["market_return_1"][:2, -1] == pytest.approx([0.015] * 2, rel=1e-12)
    assert features["return_rank_1"][:2, -1].tolist() == [0.0, 1.0]
    for values in features.values():
        assert np.isnan(values[2, -1])


def test_alone_there_is_no_market() -> None:
    features = features_of(walk(1, n_symbols=1, n_bars=700), *NAMES)
    assert all(np.isnan(values).all() for values in features.values())
    early = between(walk(2, n_symbols=2, n_bars=60), 0, 60)
    for name in CANDLE_FIELDS:
        getattr(early, name)[1, :30] = NAN  # the second symbol is listed later
    alone = features_of(early, "market_return_1")["market_return_1"]
    assert np.isnan(alone[0, :31]).all()
    assert np.isfinite(alone[:, 31:]).all()


def test_a_planted_beta_and_lead_are_recovered() -> None:
    """The second symbol moves 1.5 times as the first did, and the third half as the first did a bar before."""
    random = np.random.default_rng(4)
    first = random.normal(0, 0.01, 3_000)
    steps = [first, 1.5 * first + random.normal(0, 0.002, 3_000), 0.5 * np.roll(first, 1)]
    closes = [list(np.exp(np.cumsum(step))) for step in steps]
    pair = features_of(of_closes(*closes[:2]), "beta_96", "residual_return_1", "correlation_96")
    assert pair["beta_96"][1, 96:].mean() == pytest.approx(1.5, rel=0.01)
    assert np.nanstd(pair["residual_return_1"][1]) == pytest.approx(0.002, rel=0.05)
    assert pair["correlation_96"][1, 96:].mean() == pytest.approx(0.015 / np.hypot(0.015, 0.002), abs=0.002)
    led = features_of(of_closes(closes[0], closes[2]), "lead_correlation_96", "correlation_96")
    assert led["lead_correlation_96"][1, 98:].min() > 0.999
    assert np.abs(led["correlation_96"][1, 98:].mean()) < 0.05


def test_two_bars_apart_in_time_are_never_joined() -> None:
    """A symbol whose candles come a bar later than the other's has nothing in common with it."""
    market = walk(3, n_symbols=2, n_bars=200)
    fields = {name: getattr(market, name).copy() for name in CANDLE_FIELDS}
    for values in fields.values():
        values[0, ::2], values[1, 1::2] = NAN, NAN
    holed = Market(market.symbols, market.bar_ms, market.open_time_ms, **fields)
    features = features_of(holed, *NAMES)
    assert all(np.isnan(values).all() for values in features.values())
