"""Group `taker` against its textbook reference, a planted impact, answers by hand and real candles that have it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from candlelock.features.market import Market, align
from tests.markets import of_closes, walk
from tests.oracles.agreement import assert_agrees, features_of, registered
from tests.oracles.specimens import CANDLES, MARKETS, specimen
from tests.oracles.taker import expected_taker

NAMES = tuple(entry.name for entry in registered() if entry.group == "taker")
EXTRAS = ("taker_buy_volume", "n_trades", "quote_volume")


@pytest.mark.parametrize("market", MARKETS)
def test_every_feature_is_what_the_textbook_says(market: str) -> None:
    assert_agrees(market, "taker", expected_taker(specimen(market)))


def with_columns(market: Market, **columns: list[float]) -> Market:
    extras = {name: np.array([values], dtype=np.float64) for name, values in columns.items()}
    return dataclasses.replace(market, extras=extras)


def test_by_hand() -> None:
    market = of_closes([10.0] * 12, volume=[4.0] * 11 + [8.0])
    bars = with_columns(market, taker_buy_volume=[1.0] * 11 + [8.0], quote_volume=[40.0] * 11 + [100.0])
    features = {name: values[0, -1] for name, values in features_of(bars, *NAMES).items()}
    assert features["taker_imbalance_1"] == 1.0
    assert features["taker_imbalance_6"] == (8 - 5 * 2) / (5 * 4 + 8)
    assert features["taker_imbalance_12"] == (8 - 11 * 2) / (11 * 4 + 8)
    assert features["close_vwap_distance_1"] == pytest.approx(10 / (100 / 8) - 1)
    assert np.isnan(features["n_trades_zscore_96"])


def test_the_impact_of_the_takers_is_recovered_through_noise() -> None:
    random = np.random.default_rng(6)
    volume = random.lognormal(3, 0.5, 6_000)
    bought = volume * random.random(6_000)
    moves = 1e-4 * (2 * bought - volume) + random.normal(0, 5e-4, 6_000)
    market = of_closes(list(np.exp(np.cumsum(moves))), volume=list(volume))
    found = features_of(with_columns(market, taker_buy_volume=list(bought)), "taker_lambda_48")["taker_lambda_48"][0]
    assert np.nanmean(found) == pytest.approx(1e-4 * volume.mean(), rel=0.02)


def test_candles_without_the_columns_have_none_of_it() -> None:
    features = features_of(walk(1, n_symbols=2, n_bars=300), *NAMES)
    assert all(np.isnan(values).all() for values in features.values())


def test_a_bar_without_trades_has_no_side() -> None:
    market = of_closes([10.0] * 3, volume=[5.0, 0.0, 5.0])
    bars = with_columns(
        market, taker_buy_volume=[1.0, 0.0, 4.0], n_trades=[2.0, 0.0, 2.0], quote_volume=[50.0, 0.0, 50.0]
    )
    features = features_of(bars, "taker_imbalance_1", "close_vwap_distance_1")
    assert np.isnan(features["taker_imbalance_1"][0]).tolist() == [False, True, False]
    assert np.isnan(features["close_vwap_distance_1"][0]).tolist() == [False, True, False]


@pytest.mark.shared
def test_real_candles_with_the_columns_keep_their_ranges() -> None:
    file = CANDLES / "binance_usdm_klines12_1m_2023/LINKUSDT-1m-2023-02.csv"
    if not file.is_file():
        pytest.skip("no ../shared/data")
    frame = pd.read_csv(file)
    candles = frame.rename(columns={"open_time": "open_time_ms", "count": "n_trades"}).iloc[:8_000]
    columns = ["open_time_ms", "open", "high", "low", "close", "volume", *EXTRAS]
    market = align({"LINK/USDT": candles[columns]}, 60_000)
    features = features_of(market, *NAMES)
    for entry in registered():
        if entry.group == "taker":
            values = features[entry.name][0, entry.warmup_bars :]
            assert np.isfinite(values).mean() > 0.98, entry.name
            if entry.range is not None:
                assert np.nanmin(values) >= entry.range[0]
    # the average price of a bar lies within it
    average = market.close[0] / (1 + features["close_vwap_distance_1"][0])
    inside = (average <= market.high[0] * (1 + 1e-9)) & (average >= market.low[0] * (1 - 1e-9))
    assert inside[np.isfinite(average)].mean() > 0.999
    # takers push the price their way
    assert np.nanmean(features["taker_return_correlation_48"]) > 0.3
    assert np.nanmean(features["taker_lambda_48"]) > 0.0
