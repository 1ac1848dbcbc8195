"""What the clean features declare."""

from __future__ import annotations

from benchmarks.leakzoo.catalogue import HISTORY, clean

WINDOWS = clean("""
clean_lag_1 | 2 | close | the return before
clean_lag_24 | 25 | close | the return a day before
clean_difference_5 | 5 | close | difference over five bars
clean_mean | 30 | close | rolling mean
clean_std | 30 | close | rolling deviation
clean_skew | 30 | close | rolling skewness
clean_kurt | 30 | close | rolling kurtosis
clean_sum | 30 | close | rolling sum
clean_error | 30 | close | rolling standard error
clean_median | 23 | close | rolling median
clean_quantile | 23 | close | rolling quantile
clean_rank | 23 | close | rolling rank
clean_min | 23 | close | rolling minimum
clean_max | 23 | close | rolling maximum
clean_argmax | 23 | close | place of the rolling maximum
clean_correlation | 24 | close volume | rolling correlation
clean_covariance | 24 | close volume | rolling covariance
clean_autocorrelation | 25 | close | rolling autocorrelation
clean_zscore | 47 | close | rolling z-score
clean_min_max | 47 | close | rolling min-max
clean_robust | 48 | close | rolling median and quartiles
clean_winsorised | 48 | close | clipped at rolling quantiles
clean_outlier_flag | 48 | close | outliers by the rolling deviation
clean_slope | 19 | close | slope of a rolling line
clean_residual | 19 | close | residual of a rolling line
clean_rolling_pca | 40 | high low close | first component of the last 40 rows
clean_regression | 60 | close volume | rolling regression on known labels
clean_entropy | 32 | close | rolling entropy of signs
clean_hurst | 79 | close | rolling Hurst exponent
clean_window_drawdown | 47 | close | drawdown inside a window
clean_parkinson | 23 | high low | Parkinson's volatility
clean_garman_klass | 23 | open high low close | Garman and Klass's volatility
clean_rogers_satchell | 23 | open high low close | Rogers and Satchell's volatility
clean_volume_ratio | 23 | volume | volume over its rolling mean
clean_illiquidity | 24 | close volume | Amihud's illiquidity
clean_signed_volume | 12 | close volume | signed volume of 12 bars
clean_window_vwap | 23 | close volume | VWAP of a rolling day
clean_constant | 0 | close | a constant
clean_huge | 3 | close | values of 1e15
clean_tiny | 1 | close | values of 1e-17
clean_root | 0 | high low | a square root
clean_sign | 1 | close | a sign
clean_squashed | 1 | close | tanh of a return
clean_interpolated_inside | 4 | close | gaps interpolated between candles that the row has seen
clean_capped_run | 9 | open close | bars in a row that closed higher
""")

INDICATORS = clean("""
clean_ema_return | 240 | close | exponential average, look-back declared
clean_ewma_volatility | 960 | close | exponential volatility, look-back declared
clean_macd | 520 | close | MACD
clean_macd_histogram | 640 | close | MACD's histogram
clean_rsi | 560 | close | Wilder's RSI
clean_atr | 560 | high low | Wilder's ATR
clean_percent_b | 19 | close | Bollinger's %B
clean_width | 19 | close | Bollinger's width
clean_stochastic | 13 | high low close | stochastic
clean_stochastic_slow | 15 | high low close | slow stochastic
clean_cci | 19 | high low close | CCI
clean_balance_change | 24 | close volume | change of the on-balance volume
clean_money_flow | 14 | high low close volume | money flow index
clean_breakout | 20 | high low close | place in the channel of the bars before
clean_aroon | 24 | high | Aroon
clean_directional | 14 | high low | directional movement
clean_hull | 18 | close | Hull's average
clean_cloud | 51 | high low close | Ichimoku's cloud over the row
clean_trix | 400 | close | three averages, one of another
clean_awesome | 33 | high low | awesome oscillator
clean_williams | 13 | high low close | Williams' %R
clean_rate_of_change | 9 | close | rate of change
clean_body_share | 0 | open high low close | the body's share of the bar
clean_pivot_confirmed | 34 | high close | pivots told when confirmed
clean_fractal_confirmed | 4 | low | fractals told when confirmed
clean_centred_shifted | 10 | close | a centred window shifted by half of it
clean_reversed_twice | 6 | close | reversed twice
clean_matured_label | 6 | close | the label of six bars, six bars later
clean_label_mean | 53 | close | mean of labels that are known
""")

FILTERS = clean("""
clean_lfilter | 300 | close | a Butterworth filter forwards
clean_lfilter_twice | 600 | close | forwards, twice
clean_savitzky_golay | 15 | close | Savitzky-Golay at the end of its window
clean_trailing_line | 16 | close | a weighted line through the last bars
clean_kalman | 250 | close | a Kalman filter with steady gain
clean_filtered_probability | 400 | close | state probabilities of the forward pass
clean_slow_power | 32 | close | spectrum of the last 32 bars
clean_haar | 8 | close | trailing Haar detail
clean_fractional | 30 | close | fractional difference, truncated
clean_filtfilt_in_window | 40 | close | filtfilt inside the last 40 bars
clean_neighbour | 60 | close | nearest neighbour among known bars
clean_detrended | 48 | close | detrended inside the last 48 bars
clean_noise_of_time | 0 | open_time | noise that follows from the open time
clean_nearest_centre | 1 | close | centres that are written down
""")

JOINS = clean("""
clean_hour | 0 | open_time | hour of the day
clean_weekday | 0 | open_time | day of the week
clean_hours_to_midnight | 0 | open_time | hours left of the day
clean_days_to_month_end | 0 | open_time | days left of the month
clean_is_weekend | 0 | open_time | weekend
clean_hour_in_new_york | 0 | open_time | hour in another zone
clean_days_high_so_far | 23 | high close open_time | the day's high so far
clean_days_low_so_far | 23 | low close open_time | the day's low so far
clean_session_vwap | 23 | close volume open_time | session VWAP so far
clean_days_mean_so_far | 23 | close open_time | mean of the day so far
clean_since_days_open | 23 | open close open_time | return since the day's open
clean_days_high_before | 47 | high close open_time | yesterday's high
clean_days_low_before | 47 | low close open_time | yesterday's low
clean_days_close_before | 47 | close open_time | yesterday's close
clean_place_in_day_before | 47 | high low close open_time | place in yesterday's range
clean_days_volume_before | 47 | volume open_time | yesterday's volume
clean_day_by_close_time | 47 | close open_time | the day that ends with the row's close
clean_week_before | 335 | close open_time | last week's close
clean_foreign_day | 71 | close open_time | New York's last day, by its own dates
clean_higher_2 | 1 | close@x2_close | the last closed bar of two
clean_higher_3 | 2 | close@x3_close | the last closed bar of three
clean_higher_4 | 3 | close@x4_close | the last closed bar of four
clean_higher_6 | 5 | close@x6_close | the last closed bar of six
clean_higher_8 | 7 | close@x8_close | the last closed bar of eight
clean_higher_12 | 11 | close@x12_close | the last closed bar of twelve
clean_higher_24 | 23 | close@x24_close | the last closed day
clean_higher_return | 7 | close@x4_close | return between closed bars of four
clean_higher_mean | 11 | close@x4_close | mean of three closed bars of four
clean_higher_range | 10 | high low@x6_close | range of the last closed bar of six
clean_resampled | 7 | close open_time | resample, moved on by one bar, filled forward
clean_right_label | 3 | close open_time | bars closed and labelled on the right
clean_merged_exact | 24 | close open_time | merge_asof backward, exact matches allowed
clean_merged_before | 24 | close open_time | merge_asof backward, exact matches not allowed
clean_same_hour | 120 | open close | this hour on the days before
clean_missing | 23 | close | missing bars of a day
clean_after_gap | 1 | close | the bar before was missing
clean_filled_close | 4 | close | filled forward, three bars at most
clean_event_held | 112 | close | an event, held for half a day
clean_rank_in_day | 23 | volume open_time | rank among the day's rows so far
""")

HISTORIES = clean("""
clean_expanding_mean | 20 | close | expanding mean
clean_expanding_zscore | 20 | close | expanding z-score
clean_expanding_maximum | 20 | close | drawdown from the maximum so far
clean_expanding_rank | 20 | close | expanding rank
clean_expanding_quantile | 20 | close | expanding quantile
clean_balance_level | 20 | close volume | level of the on-balance volume
clean_volume_so_far | 20 | volume | volume since the first row
clean_row_number | 20 | open_time | row number
clean_since_first_row | 20 | close | return since the first row
clean_hour_encoding | 48 | open close open_time | each hour's mean of all days before
clean_regime | 60 | close | a regime that lasts until turned
clean_slow_average | 50 | close | a slow average, declared too short
clean_online_regression | 20 | close | a regression on all pairs so far
""", HISTORY)  # fmt: skip
