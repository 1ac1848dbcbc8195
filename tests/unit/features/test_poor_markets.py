"""What every feature says of poor markets: one that stands still, one without trading, too few bars, a lone symbol."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

from candlelock.contracts.errors import InputError
from candlelock.features.market import CANDLE_FIELDS, Market
from tests.markets import between, changed, of_closes
from tests.oracles.agreement import features_of, registered
from tests.oracles.specimens import specimen, with_extras

NAMES = tuple(entry.name for entry in registered())
N_BARS = 2_400  # more than the longest warm-up of hourly bars

# A market that stands still: one price, no range, no volume, no trades; the book stands too.
NULL = """
    adx_14 amihud_ratio_12_96 amihud_zscore_96 autocorrelation_1_24 autocorrelation_1_96 autocorrelation_2_96
    autocorrelation_3_96 beta_288 beta_96 body_share_1 bollinger_position_20 book_depth_zscore_12
    book_trade_imbalance book_trade_imbalance_6 book_update_ratio_12 cci_14 cci_20 chaikin_money_flow_20
    chaikin_oscillator_3_10 choppiness_14 close_position_1 close_vwap_distance_1 control_distance_48
    correlation_14d correlation_288 correlation_7d correlation_96 cutler_rsi_14 dx_14 effective_spread
    efficiency_ratio_12 efficiency_ratio_48 excess_close_position_1 excess_cutler_rsi_14 excess_path_zscore_12
    excess_path_zscore_192 excess_path_zscore_24 excess_path_zscore_48 excess_path_zscore_672
    excess_path_zscore_96 excess_price_zscore_24 excess_price_zscore_6 excess_price_zscore_96
    excess_range_position_192 excess_range_position_48 excess_scaled_return_1 excess_scaled_return_12
    excess_scaled_return_2 excess_scaled_return_24 excess_scaled_return_3 excess_scaled_return_48
    excess_scaled_return_6 excess_signed_volume_12 excess_signed_volume_3 excess_signed_volume_48
    excess_volume_24 excess_volume_level_1 excess_volume_level_24 excess_volume_level_6 excess_zscore_1
    excess_zscore_12 excess_zscore_48 force_index_13 garman_klass_ratio_24 garman_klass_ratio_6
    garman_klass_ratio_96 jump_share_48 keltner_position_20 kurtosis_192 kurtosis_48 kyle_lambda_48
    lead_correlation_96 market_volume_24 minus_di_14 money_flow_index_14 n_trades_zscore_96
    others_close_position_1 others_cutler_rsi_14 others_price_zscore_24 others_price_zscore_6
    others_price_zscore_96 others_range_position_192 others_range_position_48 others_return_1_lag_1
    others_return_1_lag_2 others_scaled_return_1 others_scaled_return_12 others_scaled_return_2
    others_scaled_return_24 others_scaled_return_3 others_scaled_return_48 others_scaled_return_6
    others_signed_volume_12 others_signed_volume_3 others_signed_volume_48 others_volume_level_1
    others_volume_level_24 others_volume_level_6 parkinson_ratio_24 parkinson_ratio_6 parkinson_ratio_96
    plus_di_14 price_volume_trend_12 price_volume_trend_48 price_zscore_24 price_zscore_6 price_zscore_96
    range_position_12 range_position_192 range_position_24 range_position_48 range_position_672
    range_position_96 range_zscore_24 regression_fit_24 regression_fit_96 relative_volatility_24
    residual_return_1 residual_return_12 residual_return_48 residual_zscore_12_288 residual_zscore_12_96
    residual_zscore_1_288 residual_zscore_1_96 residual_zscore_3_288 residual_zscore_3_96 residual_zscore_48_288
    residual_zscore_48_96 rsi_14 rsi_28 rsi_7 scaled_body_1 scaled_gap_1 scaled_gap_12 scaled_gap_3
    scaled_gap_48 scaled_lower_shadow_1 scaled_market_return_1 scaled_market_return_12 scaled_range_1
    scaled_return_1 scaled_return_12 scaled_return_1_lag_1 scaled_return_1_lag_2 scaled_return_1_lag_3
    scaled_return_1_lag_4 scaled_return_3 scaled_return_6 scaled_shadow_balance_1 scaled_shadow_balance_12
    scaled_shadow_balance_1_lag_1 scaled_shadow_balance_1_lag_2 scaled_shadow_balance_3 scaled_shadow_balance_48
    scaled_upper_shadow_1 scaled_vwap_distance_12 scaled_vwap_distance_48 scaled_vwap_distance_96
    semivariance_balance_48 signed_volume_12 signed_volume_24 signed_volume_48 signed_volume_96
    size_autocorrelation_1_96 skew_192 skew_48 span_12_price_zscore span_12_range_position span_12_scaled_return
    span_12_scaled_return_lag_1 span_12_scaled_return_lag_2 span_48_price_zscore span_48_range_position
    span_48_scaled_return span_48_scaled_return_lag_1 span_48_scaled_return_lag_2 span_4_price_zscore
    span_4_range_position span_4_scaled_return span_4_scaled_return_lag_1 span_4_scaled_return_lag_2 squeeze_20
    stochastic_d_14_3 stochastic_k_14 stochastic_rsi_14 stochastic_rsi_d_14_3 stochastic_slow_d_14_3_3
    taker_imbalance_1 taker_imbalance_12 taker_imbalance_48 taker_imbalance_6 taker_imbalance_zscore_96
    taker_lambda_48 taker_return_correlation_48 trade_size_ratio_96 true_range_ratio_14 true_strength_25_13
    ultimate_oscillator_7_14_28 variance_ratio_6_192 venue_gap_zscore_96 volatility_of_volatility_24_96
    volatility_ratio_24_288 volatility_ratio_24_672 volatility_ratio_24_96 volatility_ratio_3_24
    volatility_ratio_6_96 volatility_ratio_96_672 volatility_time_ratio_7d volume_above_48 volume_change_1
    volume_price_correlation_24 volume_ratio_20 volume_ratio_6_96 volume_return_correlation_48
    volume_size_correlation_48 volume_time_ratio_7d volume_zscore_24 volume_zscore_6 volume_zscore_96
    vwap_distance_12 vwap_distance_48 vwap_distance_96 williams_r_14 x12_price_zscore_12 x12_range_position_12
    x12_rsi_14 x12_volume_ratio_12 x48_price_zscore_12 x48_range_position_12 x48_rsi_14 x48_volume_ratio_12
    x4_price_zscore_12 x4_range_position_12 x4_rsi_14 x4_volume_ratio_12
"""
ZERO = """
    aroon_oscillator_14 atr_percent_14 awesome_oscillator_5_34 balance_of_power_14 bars_since_cross_14_50
    bars_since_high_192 bars_since_high_24 bars_since_high_96 bars_since_low_192 bars_since_low_24
    bars_since_low_96 body_1 bollinger_lower_distance_20 bollinger_upper_distance_20 bollinger_width_20
    book_imbalance_1 book_imbalance_10 book_imbalance_20 book_imbalance_5 book_imbalance_change_1
    book_mean_imbalance book_mid_distance book_pressure corwin_schultz_24 detrended_price_20 dispersion_1
    dispersion_12 dispersion_48 drawdown_96 drawup_96 ema_cross_12_26 ema_cross_50_200 ema_distance_14
    ema_distance_200 ema_distance_50 excess_return_1 excess_return_12 excess_return_2 excess_return_24
    excess_return_3 excess_return_48 excess_return_6 gap_1 garman_klass_24 ichimoku_base_distance
    ichimoku_cloud_width ichimoku_cross ichimoku_lagging_distance ichimoku_span_a_distance
    ichimoku_span_b_distance ichimoku_turning_distance is_weekend keltner_width_20 lower_shadow_1 macd_12_26
    macd_histogram_12_26_9 macd_signal_12_26_9 market_return_1 market_return_12 market_return_2 market_return_24
    market_return_3 market_return_48 market_return_6 market_volatility_24 mean_return_24 mean_return_96
    minute_of_hour minute_of_quarter momentum_14d momentum_30d momentum_7d parabolic_sar_distance parkinson_24
    range_1 rate_of_change_10 rate_of_change_20 regression_slope_24 regression_slope_96 return_1 return_12
    return_2 return_24 return_3 return_48 return_6 return_96 rogers_satchell_24 roll_spread_48 run_length_12
    shadow_balance_12 simple_return_1 sma_cross_14_50 sma_cross_50_200 sma_distance_14 sma_distance_200
    sma_distance_50 trix_15 up_share_12 up_share_48 upper_shadow_1 venue_gap venue_gap_change_1
    venue_gap_change_6 volatility_14d volatility_24 volatility_30d volatility_6 volatility_7d volatility_96
    x12_open_distance x12_return_1 x12_return_3 x12_volatility_12 x48_open_distance x48_return_1 x48_return_3
    x48_volatility_12 x4_open_distance x4_return_1 x4_return_3 x4_volatility_12
"""
VALUES = {
    "aroon_down_14": 100.0,  # the latest of equal extremes is now
    "aroon_up_14": 100.0,
    "book_depth_ratio_1": 0.05,
    "book_depth_ratio_10": 0.5,
    "book_depth_ratio_5": 0.25,
    "hour": 23.0,
    "hour_cos": np.cos(2 * np.pi * 23 / 24),
    "hour_sin": np.sin(2 * np.pi * 23 / 24),
    "minutes_to_funding": 60.0,
    "month": 3.0,
    "pattern_doji": 1.0,  # a body of nothing
    "quoted_spread": 1e-4,
    "quoted_spread_ratio": 1.0,
    "return_position_96": 0.5,  # ties count half
    "return_rank_1": 0.5,
    "return_rank_12": 0.5,
    "return_rank_48": 0.5,
    "return_rank_6": 0.5,
    "volume_rank_48": 0.5,
    "weekday": 4.0,
    "weekday_cos": np.cos(2 * np.pi * 4 / 7),
    "weekday_sin": np.sin(2 * np.pi * 4 / 7),
}


def standing(price: float) -> Market:
    """Two venues of one base currency and another symbol, at rest."""
    market = of_closes(*[[price] * N_BARS] * 2, [3 * price] * N_BARS, volume=[0.0] * N_BARS)
    ones = np.ones((3, N_BARS))
    book = dict.fromkeys(("mid", "microprice"), market.close)
    book |= dict.fromkeys(("spread", "mean_spread"), 0.0001 * market.close)
    book |= dict.fromkeys(("volume", "signed_volume", "n_book_updates", "mean_imbalance"), 0 * ones)
    book["effective_spread"] = np.nan * ones
    for n in (1, 5, 10, 20):
        book |= {f"bid_depth_{n}": n * ones, f"ask_depth_{n}": n * ones, f"imbalance_{n}": 0 * ones}
    extras = {f"book_{name}": x for name, x in book.items()}
    extras |= dict.fromkeys(("taker_buy_volume", "n_trades", "quote_volume"), 0 * ones)
    return dataclasses.replace(market, symbols=("BTC/USDT", "BTC/USDC", "ETH/USDT"), extras=extras)


def test_the_table_of_the_standing_market_names_every_feature_once() -> None:
    patterns = [name for name in NAMES if name.startswith("pattern_") and name != "pattern_doji"]
    assert sorted([*NULL.split(), *ZERO.split(), *VALUES, *patterns]) == sorted(NAMES)


@pytest.mark.parametrize("price", [1e-8, 0.1, 123.456, 67_123.45])
def test_a_market_that_stands_still(price: float) -> None:
    """Whatever the price rounds to: a difference of means by a last digit must not become an indicator's reading."""
    features = {name: values[:2, -1] for name, values in features_of(standing(price), *NAMES).items()}
    for name in NULL.split():
        assert np.isnan(features.pop(name)).all(), name
    for name, values in features.items():
        np.testing.assert_allclose(values, VALUES.get(name, 0.0), rtol=1e-12, atol=1e-12, err_msg=name)


@functools.cache
def lively() -> Market:
    return specimen("walk")


def without(market: Market, begin: int, end: int) -> Market:
    """Bars `begin` to `end` as exchanges write them where nothing is traded: every price the last close."""
    fields = {name: getattr(market, name).copy() for name in CANDLE_FIELDS}
    last = fields["close"][:, begin - 1 : begin]
    for name in CANDLE_FIELDS[:4]:
        fields[name][:, begin:end] = last
    fields["volume"][:, begin:end] = 0.0
    return with_extras(changed(market, **fields))


def test_hours_without_trading_leave_no_wrong_number_behind() -> None:
    """Ranges hold at every bar, in the standstill and after it, and one warm-up later all is as if it had not been."""
    begin, end = 2_400, 2_460
    assert lively().has_bar[:, begin - 1].all()
    market = without(lively(), begin, end)
    found, before = features_of(market, *NAMES), features_of(lively(), *NAMES)
    for entry in registered():
        values = found[entry.name]
        assert not np.isinf(values).any(), entry.name
        low, high = entry.range or (None, None)
        assert low is None or np.nanmin(values) >= low - 1e-9 * max(abs(low), 1), entry.name
        assert high is None or np.nanmax(values) <= high + 1e-9 * max(abs(high), 1), entry.name
        assert values[:, : begin - 1].tobytes() == before[entry.name][:, : begin - 1].tobytes(), entry.name
        again = end + entry.warmup(market.bar_ms)
        if again < market.close.shape[1] and entry.group not in ("order_book", "taker"):
            assert values[:, again:].tobytes() == before[entry.name][:, again:].tobytes(), entry.name


def test_fewer_bars_than_the_warm_up_give_nothing() -> None:
    market = between(lively(), 0, 700)
    features = features_of(market, *NAMES)
    begins = np.argmax(market.has_bar, axis=1)
    for entry in registered():
        for row, begin in enumerate(begins):
            early = features[entry.name][row, : begin + entry.warmup(market.bar_ms)]
            assert np.isnan(early).all(), entry.name
    one = features_of(between(lively(), 1_000, 1_001), *NAMES)
    known = {name for name, values in one.items() if np.isfinite(values).any()}
    assert known <= {entry.name for entry in registered() if entry.warmup(lively().bar_ms) == 0}


def test_a_market_without_bars_is_refused() -> None:
    with pytest.raises(InputError, match="market-empty"):
        features_of(between(of_closes([1.0]), 0, 0), "return_1")


def test_a_symbol_alone_has_no_cross_section_and_all_else_unchanged() -> None:
    market = lively()
    fields = {name: getattr(market, name)[:1].copy() for name in CANDLE_FIELDS}
    extras = {name: x[:1].copy() for name, x in market.extras.items()}
    alone = Market(market.symbols[:1], market.bar_ms, market.open_time_ms, **fields, extras=extras)
    apart, together = features_of(alone, *NAMES), features_of(market, *NAMES)
    for entry in registered():
        if any(name.startswith("market.") for name in entry.inputs):
            assert np.isnan(apart[entry.name]).all(), entry.name
        else:
            assert apart[entry.name][0].tobytes() == together[entry.name][0].tobytes(), entry.name


@pytest.mark.parametrize("factor", [1e-8, 1e12])
def test_prices_of_hostile_size_give_the_same_readings(factor: float) -> None:
    """But for those in units of volume, which value traded also moves; 1e-8 and 1e12 are no powers of two."""
    market = between(lively(), 0, 1_400)
    prices = {name: factor * getattr(market, name) for name in CANDLE_FIELDS[:4]}
    names = tuple(entry.name for entry in registered() if entry.group not in ("order_book", "taker"))
    before, after = features_of(market, *names), features_of(changed(market, **prices), *names)
    for name in names:
        np.testing.assert_array_equal(np.isnan(after[name]), np.isnan(before[name]), err_msg=name)
        spread = 1e-7 * np.nanstd(before[name]) if np.isfinite(before[name]).any() else 0.0
        np.testing.assert_allclose(after[name], before[name], rtol=1e-7, atol=spread, err_msg=name)
