"""What the planted features declare: look-back in bars, inputs, availability, and whether each is a leak."""

from __future__ import annotations

from dataclasses import dataclass

FUTURE = frozenset({"future-prefix", "future-perturbed"})
EARLY = FUTURE | {"not-yet-available"}
STATE = frozenset({"process-state", "not-deterministic"})
HISTORY = frozenset({"lookback-longer", "live-differs"})


@dataclass(frozen=True)
class Declared:
    """One feature of a plug-in: what its registry says, and what the zoo knows of it."""

    name: str
    warmup_bars: int
    inputs: str
    what: str
    codes: frozenset[str] = frozenset()
    also: frozenset[str] = frozenset()
    available_at: str = "close"
    is_core: bool = False


def _leaks(text: str) -> list[Declared]:
    """Lines of `name | look-back | inputs | what`; a star before the name marks those that anybody would list."""
    rows = [[part.strip() for part in line.split("|")] for line in text.strip().splitlines()]
    return [
        Declared(name.lstrip("*"), int(warmup), inputs, what, FUTURE, is_core=name.startswith("*"))
        for name, warmup, inputs, what in rows
    ]


def clean(text: str, also: frozenset[str] = frozenset()) -> list[Declared]:
    rows = [[part.strip() for part in line.split("|")] for line in text.strip().splitlines()]
    return [
        Declared(
            name, int(warmup), inputs.split("@")[0], what, also=also, available_at=(inputs + "@close").split("@")[1]
        )
        for name, warmup, inputs, what in rows
    ]


NEXT_BARS = _leaks("""
*shift_minus_one | 1 | close | the next return
pct_change_minus | 0 | close | pct_change(-3)
*centred_window | 5 | close | a centred mean of 11 bars
rolling_shifted_back | 9 | close | a mean of ten bars, shifted five bars back
forward_window | 1 | close | a forward-looking window indexer
central_difference | 1 | close | numpy.gradient: the difference of both neighbours
chikou_span | 0 | close | Ichimoku's lagging span as a feature: the close 26 bars ahead
fractal_at_centre | 2 | high | a five-bar fractal, told at its middle
*pivot_at_peak | 50 | high close | pivots confirmed five bars later, placed at the peak
zigzag_leg | 200 | close | the leg of a zigzag that is redrawn up to its extreme
supertrend_next_close | 10 | high low close | a trend judged by the close of the next bar
next_open | 0 | open close | the next bar's open
label_as_feature | 0 | close | the triple-barrier label itself
gain_only | 0 | close | the next return where it is a gain
worst_ahead | 0 | low close | the lowest price of the day to come
bars_to_gap | 0 | close | a flag before candles go missing
event_before_it_is_told | 120 | close | an event stamped four bars before it is known, filled forward
*back_fill | 0 | close open_time | six-hourly values filled backwards
*interpolation | 6 | close open_time | six-hourly values joined by straight lines
kernel_same | 8 | close | a kernel laid around the row (numpy.convolve, "same")
*group_by_day | 23 | close open_time | groupby(day).transform("mean")
days_high_at_open | 23 | high close open_time | the whole day's high from its first bar on
days_close_at_open | 23 | close open_time | the day's close from its first bar on
whole_session_vwap | 23 | close volume open_time | the VWAP of the whole session
share_of_days_volume | 23 | volume open_time | volume so far over the whole day's
weeks_range | 167 | high low close open_time | place in the range of the whole week
rank_within_month | 100 | close open_time | rank among all rows of the month
days_next_open | 0 | open close | the same hour of the next day
there_and_back | 1 | close | shifted three bars on and three back: null until three bars later
reversed_rsi | 14 | close | an RSI on a frame that is sorted newest first
far_and_faint | 1 | close | a peek 50 bars ahead that weighs a millionth
*cache_without_end | 0 | close | a cache whose key has no end time
store_of_other_symbols | 0 | close | frames of other symbols are kept, and the next bar of one is read
""")
NEXT_BARS = [
    each if each.name not in ("cache_without_end", "store_of_other_symbols")
    else Declared(each.name, each.warmup_bars, each.inputs, each.what, FUTURE | STATE, is_core=each.is_core)
    for each in NEXT_BARS
]  # fmt: skip

WHOLE_SERIES = _leaks("""
*whole_maximum | 0 | close | close over the maximum of all rows
*whole_zscore | 0 | close | mean and deviation of all rows
*whole_rank | 0 | volume | rank among all rows
*whole_quantile_bins | 0 | close | deciles of all rows (qcut)
whole_min_max | 0 | high low close | minimum and maximum of all rows
robust_scaled | 1 | close | median and quartiles of all rows
winsorised | 1 | close | clipped at quantiles of all rows
outliers_removed | 1 | close | outliers by the deviation of all rows set to zero
median_imputed | 1 | volume open_time | missing values replaced by the median of all rows
volume_over_mean | 0 | volume | log volume over the mean of all rows
share_of_all_volume | 0 | volume | volume so far over the volume of all rows
box_cox | 0 | volume | Box-Cox with the exponent that fits all rows
*detrended | 0 | close | the residual of one straight line through all rows
since_last_row | 0 | close | close over the last close
share_of_length | 0 | open_time | row number over the number of rows
reversed_expanding | 0 | high close | an expanding maximum on the reversed frame
*pca_all_rows | 48 | open high low close volume | first principal component of all rows
clusters_of_all_rows | 1 | high low close | k-means centres fitted on all rows
*target_encoding | 0 | close open_time | each hour's mean next return over all rows
isotonic_on_label | 1 | close | an isotonic fit on the label over all rows
regressed_on_all_rows | 2 | close | a regression on the label over all rows
hourly_profile | 0 | high low open_time | range over that hour's mean of all rows
most_traded_price | 0 | close volume | distance from the busiest price of all rows
nearest_neighbour | 3 | close | what followed the most similar row, later ones included
best_split | 1 | close | the change point that splits all rows best
variance_target | 200 | close | GARCH with the variance of all rows as its target
best_span | 600 | close | an average whose span was chosen on all rows
average_begun_at_mean | 100 | close | a slow average that begins at the mean of all rows
equalised | 1 | close | returns through the distribution of all rows
""")

TWO_SIDED = _leaks("""
*savitzky_golay | 9 | close | Savitzky-Golay around the row
*filtfilt | 60 | close | a Butterworth filter forwards and backwards
*fft_low_pass | 0 | close | the spectrum of all rows, cut off
hilbert_phase | 0 | close | phase of the analytic signal of all rows
haar_wavelet | 8 | close | wavelet shrinkage of all rows
lowess | 16 | close | a local line around the row
kalman_smoother | 100 | close | a Kalman smoother (RTS)
spline | 0 | close | a smoothing spline through all rows
hodrick_prescott | 0 | close | the Hodrick-Prescott trend
season_and_trend | 12 | close open_time | STL in short: centred trend and mean of each hour
decay_both_ways | 200 | high low | an ATR averaged forwards and backwards
*viterbi_path | 100 | close | the Viterbi path of a hidden Markov model
smoothed_probability | 200 | close | smoothed state probabilities (forward-backward)
relative_extreme | 8 | close | argrelextrema
resampled_spectrum | 40 | close | decimate with zero phase
""")

RARE_PEEKS = _leaks("""
*one_row_in_500 | 1 | close open_time | the next return on one row in 500
*before_one_date | 1 | close open_time | the next return, but only before one date
on_high_volume | 47 | close volume | the next return when volume is four times the usual
after_gaps | 1 | open close | the next return on the first bar after a gap
on_mondays | 1 | close open_time | the next return on Mondays
on_large_moves | 100 | close | the next return after a move of three deviations
after_one_date | 1 | close open_time | the next return, but only after one date
on_month_ends | 1 | close open_time | the next return on a month's last bar
on_still_bars | 1 | open close | the next return after a bar that closed where it opened
at_midnight | 1 | close open_time | the next return on the day's first bar
""") + clean("""
clean_event_flag | 123 | close | a large move in the last day
clean_reset_at_date | 3 | close open_time | another formula from one date on
clean_on_mondays | 2 | close open_time | the return before on Mondays
clean_after_gaps | 1 | open close | zero on the first bar after a gap
clean_rarely_known | 1 | close open_time | null on most days
clean_one_row_in_500 | 3 | close open_time | an older return on one row in 500
""")  # fmt: skip

JOINED = _leaks("""
*higher_unclosed | 3 | close open_time | bars of four hours, joined where they open
higher_high_at_open | 5 | high close open_time | the high of a bar of six hours from its first hour on
*nearest_merge | 4 | close open_time | merge_asof, direction "nearest"
forward_merge | 0 | close open_time | merge_asof, direction "forward"
nearest_with_tolerance | 5 | close open_time | merge_asof "nearest" within five hours
reindexed_nearest | 3 | close | reindex(method="nearest") of every fifth row
*open_candle_as_final | 4 | close | the running bar of four, declared as the last closed one
closed_one_bar_early | 3 | close | a bar of four taken as closed with its third bar
*time_zone_off_by_one | 47 | close open_time | daily closes an hour early: two clocks
foreign_day_on_utc_date | 71 | close open_time | New York's day joined by the date in UTC
close_time_as_key | 0 | open close | a row's close time as the key of a table by open time
joined_by_position | 0 | close | joined by row number after gaps were dropped
sorted_newest_first | 0 | close open_time | filled forward on a table sorted newest first
outer_interpolated | 24 | close open_time | daily values interpolated in time
interval_at_its_start | 7 | open close open_time | a rate over eight hours, stamped with its start
origin_of_last_row | 4 | close | resample with its origin at the last row
weekly_unclosed | 167 | close open_time | the week's close, joined to the week
tomorrow_by_date | 0 | open close open_time | a daily table shifted the wrong way
higher_centred | 15 | close open_time | closed higher bars, smoothed by a centred window
months_table | 100 | volume open_time | the month's mean and deviation, joined by month
rounded_key | 8 | close open_time | closed higher bars, joined on the rounded time
""")
JOINED = [
    each if each.name not in ("open_candle_as_final", "closed_one_bar_early")
    else Declared(each.name, each.warmup_bars, each.inputs, each.what, EARLY, frozenset(), "x4_close", each.is_core)
    for each in JOINED
]  # fmt: skip
