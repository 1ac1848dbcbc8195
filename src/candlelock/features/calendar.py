"""Group `time`: when the bar opened, UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0


def build_time(market: Market) -> dict[str, Array]:
    """Time of day as a point on the circle, and the weekday; the same for every symbol."""
    angle = 2 * np.pi * (market.open_time_ms % DAY_MS) / DAY_MS
    weekday = (market.open_time_ms // DAY_MS + EPOCH_WEEKDAY) % 7
    columns = {"hour_sin": np.sin(angle), "hour_cos": np.cos(angle), "weekday": weekday.astype(np.float64)}
    return {name: np.where(market.has_bar, values, np.nan) for name, values in columns.items()}
