"""Group `time` by Python's own calendar."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def expected_time(market: Market) -> dict[str, Array]:
    moments = [EPOCH + timedelta(milliseconds=int(ms)) for ms in market.open_time_ms]
    day_angle = [2 * math.pi * (moment.hour * 60 + moment.minute) / 1440 for moment in moments]
    week_angle = [2 * math.pi * moment.weekday() / 7 for moment in moments]
    columns = {
        "hour": [moment.hour for moment in moments],
        "minute_of_hour": [moment.minute for moment in moments],
        "minute_of_quarter": [moment.minute % 15 for moment in moments],
        "minutes_to_funding": [480 - (moment.hour % 8) * 60 - moment.minute for moment in moments],
        "hour_sin": np.sin(day_angle),
        "hour_cos": np.cos(day_angle),
        "weekday": [moment.weekday() for moment in moments],
        "weekday_sin": np.sin(week_angle),
        "weekday_cos": np.cos(week_angle),
        "is_weekend": [moment.weekday() >= 5 for moment in moments],
        "month": [moment.month for moment in moments],
    }
    return {name: np.tile(np.array(x, dtype=float), (len(market.symbols), 1)) for name, x in columns.items()}
