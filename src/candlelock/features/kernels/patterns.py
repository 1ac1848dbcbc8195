"""The 61 candlestick patterns of TA-Lib over chunks of bars: the same bits whether bars come at once or one by one.

The conditions are those of TA-Lib with its default candle settings and penetrations (0.3 for stars and the abandoned
baby, 0.5 for the dark cloud cover and the mat hold). Unlike TA-Lib's, the means of the settings are summed anew at
every bar, so that they do not drift; on prices that are whole numbers both agree exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.artifacts.compiled import compiled
from candlelock.features.kernels import patterns_layout as at
from candlelock.features.kernels.patterns_bars import get, measure_bars, put
from candlelock.features.kernels.patterns_long import write_fives, write_fours, write_hikkakes, write_rests
from candlelock.features.kernels.patterns_pairs import (
    write_engulfing,
    write_hammers,
    write_harami,
    write_meetings,
    write_necks,
)
from candlelock.features.kernels.patterns_single import write_dojis, write_lines
from candlelock.features.kernels.patterns_triples import (
    write_bottoms,
    write_confirmed,
    write_crows,
    write_gaps,
    write_soldiers,
    write_stars,
)

if TYPE_CHECKING:
    from candlelock.features.market import Array

# Name, TA-Lib's function, earlier bars a value depends on.
_TABLE = (
    ("abandoned_baby", "CDLABANDONEDBABY", 12),
    ("advance_block", "CDLADVANCEBLOCK", 12),
    ("belt_hold", "CDLBELTHOLD", 10),
    ("breakaway", "CDLBREAKAWAY", 14),
    ("closing_marubozu", "CDLCLOSINGMARUBOZU", 10),
    ("concealing_baby_swallow", "CDLCONCEALBABYSWALL", 13),
    ("counterattack", "CDLCOUNTERATTACK", 11),
    ("dark_cloud_cover", "CDLDARKCLOUDCOVER", 11),
    ("doji", "CDLDOJI", 10),
    ("doji_star", "CDLDOJISTAR", 11),
    ("dragonfly_doji", "CDLDRAGONFLYDOJI", 10),
    ("engulfing", "CDLENGULFING", 2),
    ("evening_doji_star", "CDLEVENINGDOJISTAR", 12),
    ("evening_star", "CDLEVENINGSTAR", 12),
    ("gap_side_by_side_white", "CDLGAPSIDESIDEWHITE", 7),
    ("gap_three_methods", "CDLXSIDEGAP3METHODS", 2),
    ("gravestone_doji", "CDLGRAVESTONEDOJI", 10),
    ("hammer", "CDLHAMMER", 11),
    ("hanging_man", "CDLHANGINGMAN", 11),
    ("harami", "CDLHARAMI", 11),
    ("harami_cross", "CDLHARAMICROSS", 11),
    ("high_wave", "CDLHIGHWAVE", 10),
    ("hikkake", "CDLHIKKAKE", 5),
    ("hikkake_mod", "CDLHIKKAKEMOD", 10),
    ("homing_pigeon", "CDLHOMINGPIGEON", 11),
    ("identical_three_crows", "CDLIDENTICAL3CROWS", 12),
    ("in_neck", "CDLINNECK", 11),
    ("inverted_hammer", "CDLINVERTEDHAMMER", 11),
    ("kicking", "CDLKICKING", 11),
    ("kicking_by_length", "CDLKICKINGBYLENGTH", 11),
    ("ladder_bottom", "CDLLADDERBOTTOM", 14),
    ("long_legged_doji", "CDLLONGLEGGEDDOJI", 10),
    ("long_line", "CDLLONGLINE", 10),
    ("marubozu", "CDLMARUBOZU", 10),
    ("mat_hold", "CDLMATHOLD", 14),
    ("matching_low", "CDLMATCHINGLOW", 6),
    ("morning_doji_star", "CDLMORNINGDOJISTAR", 12),
    ("morning_star", "CDLMORNINGSTAR", 12),
    ("on_neck", "CDLONNECK", 11),
    ("piercing", "CDLPIERCING", 11),
    ("rickshaw_man", "CDLRICKSHAWMAN", 10),
    ("rise_fall_three_methods", "CDLRISEFALL3METHODS", 14),
    ("separating_lines", "CDLSEPARATINGLINES", 11),
    ("shooting_star", "CDLSHOOTINGSTAR", 11),
    ("short_line", "CDLSHORTLINE", 10),
    ("spinning_top", "CDLSPINNINGTOP", 10),
    ("stalled_pattern", "CDLSTALLEDPATTERN", 12),
    ("stick_sandwich", "CDLSTICKSANDWICH", 7),
    ("takuri", "CDLTAKURI", 10),
    ("tasuki_gap", "CDLTASUKIGAP", 7),
    ("three_black_crows", "CDL3BLACKCROWS", 13),
    ("three_inside", "CDL3INSIDE", 12),
    ("three_line_strike", "CDL3LINESTRIKE", 8),
    ("three_outside", "CDL3OUTSIDE", 3),
    ("three_stars_in_south", "CDL3STARSINSOUTH", 12),
    ("three_white_soldiers", "CDL3WHITESOLDIERS", 12),
    ("thrusting", "CDLTHRUSTING", 11),
    ("tristar", "CDLTRISTAR", 12),
    ("two_crows", "CDL2CROWS", 12),
    ("unique_three_river", "CDLUNIQUE3RIVER", 12),
    ("upside_gap_two_crows", "CDLUPSIDEGAP2CROWS", 12),
)

N_PATTERNS = at.N_PATTERNS
PATTERN_NAMES: tuple[str, ...] = tuple(name for name, _, _ in _TABLE)
TALIB_NAMES: dict[str, str] = {name: talib for name, talib, _ in _TABLE}
LOOKBACKS: tuple[int, ...] = tuple(n_bars for _, _, n_bars in _TABLE)
STATE_SIZE = 4 * at.LAG
SCRATCH = at.SIZE
_LOOKBACKS = np.array(LOOKBACKS, dtype=np.int64)


@compiled
def write_patterns(
    opened: Array, high: Array, low: Array, close: Array, state: Array, scratch: Array, out: Array
) -> None:
    """Write the pattern values of a chunk of n bars into `out`, shape (N_PATTERNS, n), rows as in PATTERN_NAMES.

    Prices: shape (n,), any unit, NaN where a bar is missing. `state`, changed in place, carries the last bars from one
    chunk to the next; `scratch`: SCRATCH numbers to work on. Values are TA-Lib's divided by 100: 1 bullish, -1 bearish,
    0 not there; 0.8 where an engulfing or a harami shares an end of the body; 2 where a hikkake is confirmed. NaN where
    the bar or one of its LOOKBACKS earlier bars is missing or lacks one of its prices: a pattern never joins bars
    across a gap.
    """
    if state[0] == 0.0:  # a price never is: the series has not begun
        state[:] = np.nan
    b, n_bars = scratch, opened.shape[0]
    for start in range(0, n_bars, at.BLOCK):
        end = at.LAG + min(at.BLOCK, n_bars - start)
        _load(b, at.OPEN, opened, start, end, state[0 : at.LAG])
        _load(b, at.HIGH, high, start, end, state[at.LAG : 2 * at.LAG])
        _load(b, at.LOW, low, start, end, state[2 * at.LAG : 3 * at.LAG])
        _load(b, at.CLOSE, close, start, end, state[3 * at.LAG : 4 * at.LAG])
        measure_bars(b, end)
        _find(b, end)
        _hand_over(b, end, _count_run(b, end), out[:, start : start + at.BLOCK])


@compiled
def _find(b: Array, end: int) -> None:
    """Fill the columns of all patterns."""
    write_dojis(b, end)
    write_lines(b, end)
    write_hammers(b, end)
    write_harami(b, end)
    write_engulfing(b, end)
    write_necks(b, end)
    write_meetings(b, end)
    write_stars(b, end)
    write_confirmed(b, end)
    write_soldiers(b, end)
    write_crows(b, end)
    write_gaps(b, end)
    write_bottoms(b, end)
    write_fours(b, end)
    write_fives(b, end)
    write_rests(b, end)
    write_hikkakes(b, end)


@compiled
def _load(b: Array, column: int, values: Array, start: int, end: int, earlier: Array) -> None:
    """Put the earlier bars and the block into a column; then keep the last of them for the next block."""
    for i in range(at.LAG):
        put(b, column + i, get(earlier, i))
    for i in range(at.LAG, end):
        put(b, column + i, get(values, start + i - at.LAG))
    for i in range(at.LAG):
        put(earlier, i, get(b, column + end - at.LAG + i))


@compiled
def _count_run(b: Array, end: int) -> float:
    """Whole bars in a row up to each place, from the first place on; returns the fewest in the block."""
    n, fewest = 0.0, float(at.WIDTH)
    for i in range(end):
        total = get(b, i + at.OPEN) + get(b, i + at.HIGH) + get(b, i + at.LOW) + get(b, i + at.CLOSE)
        n = n + 1.0 if total == total else 0.0  # NaN is not itself
        put(b, at.RUN + i, n)
        if i >= at.LAG:
            fewest = min(n, fewest)
    return fewest


@compiled
def _hand_over(b: Array, end: int, fewest: float, out: Array) -> None:
    """Copy the patterns' columns to the rows of `out`; NaN where the run of bars is too short."""
    for p in range(at.N_PATTERNS):
        row, column = out[p], p * at.WIDTH
        if fewest > _LOOKBACKS[p]:
            for i in range(at.LAG, end):
                put(row, i - at.LAG, get(b, column + i))
        else:
            for i in range(at.LAG, end):
                value = get(b, column + i) if get(b, at.RUN + i) > _LOOKBACKS[p] else np.nan
                put(row, i - at.LAG, value)
