"""Group `time`: when the bar opened, UTC; the same for every symbol."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from candlelock.features.kernels.elementwise import DAY_MS
from candlelock.features.operators import cosine, floor_ratio, is_above, month, remainder, sine

if TYPE_CHECKING:
    from candlelock.features.bars import Bars
    from candlelock.features.expression import Node

HOUR_MS = 3_600_000
EPOCH_WEEKDAY = 3.0  # 1970-01-01 was a Thursday; Monday is 0


def declare_time(bars: Bars) -> dict[str, Node]:
    """Time of day and of week as numbers and as points on the circle, and the month."""
    opened = bars.column("open_time")
    of_day = remainder(opened, DAY_MS)
    weekday = remainder(floor_ratio(opened, DAY_MS) + EPOCH_WEEKDAY, 7.0)
    day_angle, week_angle = of_day * (2 * math.pi / DAY_MS), weekday * (2 * math.pi / 7)
    return {
        "hour": floor_ratio(of_day, HOUR_MS),
        "minute_of_hour": remainder(of_day, HOUR_MS) / 60_000.0,
        "minute_of_quarter": remainder(of_day, 15 * 60_000.0) / 60_000.0,
        "minutes_to_funding": 480.0 - remainder(of_day, 8 * HOUR_MS) / 60_000.0,
        "hour_sin": sine(day_angle),
        "hour_cos": cosine(day_angle),
        "weekday": weekday,
        "weekday_sin": sine(week_angle),
        "weekday_cos": cosine(week_angle),
        "is_weekend": is_above(weekday, 4.5),
        "month": month(opened),
    }
