"""Where things lie in the scratch array of the candlestick patterns: one long row cut into columns of `WIDTH` bars.

In each column, places 0 … LAG - 1 hold the bars before the block and places LAG … LAG + BLOCK - 1 the block itself.
Sizes are constants and what is worked out later lies before what it is made of, so that the compiler sees that a loop
never reads what it has written, and works on several bars at once.
"""

LAG = 14  # earlier bars the patterns look at: the longest look-back
BLOCK = 64  # bars worked on together: the columns of a block stay in the fastest cache
WIDTH = 80  # LAG + BLOCK, and some room

# One column per pattern, in the order of patterns.PATTERN_NAMES.
N_PATTERNS = 61
# fmt: off
(
    ABANDONED_BABY, ADVANCE_BLOCK, BELT_HOLD, BREAKAWAY, CLOSING_MARUBOZU, CONCEALING_BABY_SWALLOW,
    COUNTERATTACK, DARK_CLOUD_COVER, DOJI, DOJI_STAR, DRAGONFLY_DOJI, ENGULFING, EVENING_DOJI_STAR,
    EVENING_STAR, GAP_SIDE_BY_SIDE_WHITE, GAP_THREE_METHODS, GRAVESTONE_DOJI, HAMMER, HANGING_MAN, HARAMI,
    HARAMI_CROSS, HIGH_WAVE, HIKKAKE, HIKKAKE_MOD, HOMING_PIGEON, IDENTICAL_THREE_CROWS, IN_NECK,
    INVERTED_HAMMER, KICKING, KICKING_BY_LENGTH, LADDER_BOTTOM, LONG_LEGGED_DOJI, LONG_LINE, MARUBOZU, MAT_HOLD,
    MATCHING_LOW, MORNING_DOJI_STAR, MORNING_STAR, ON_NECK, PIERCING, RICKSHAW_MAN, RISE_FALL_THREE_METHODS,
    SEPARATING_LINES, SHOOTING_STAR, SHORT_LINE, SPINNING_TOP, STALLED_PATTERN, STICK_SANDWICH, TAKURI,
    TASUKI_GAP, THREE_BLACK_CROWS, THREE_INSIDE, THREE_LINE_STRIKE, THREE_OUTSIDE, THREE_STARS_IN_SOUTH,
    THREE_WHITE_SOLDIERS, THRUSTING, TRISTAR, TWO_CROWS, UNIQUE_THREE_RIVER, UPSIDE_GAP_TWO_CROWS,
) = range(0, N_PATTERNS * WIDTH, WIDTH)
# fmt: on

_REST = range(N_PATTERNS * WIDTH, (N_PATTERNS + 24) * WIDTH, WIDTH)
SIZE = _REST.stop
# Hikkakes before their confirmation.
TRAP, MOD_TRAP = _REST[:2]
# What the averages of ten and of five earlier bars give, and the sums of five.
USUAL, TINY, SHADE, NEAR, FAR, EQUAL, BODY_5, RANGE_5, SHADOWS_5 = _REST[2:11]
# Worked out of one candle.
COLOUR, BODY, TOP, BOTTOM, UPPER, LOWER, RANGE, SHADOWS = _REST[11:19]
# The candles.
OPEN, HIGH, LOW, CLOSE = _REST[19:23]
# Whole bars in a row up to each one; counted bar by bar, so it may lie behind them.
RUN = _REST[23]
