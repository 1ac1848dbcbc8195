"""Small charts of features over the last bars of a symbol: a line that breaks where there is no value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.page.chart import Axis, Chart, Mark, Scale, Tick, axis, frame, line, widen
from candlelock.page.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

SMALL, WIDE = (470, 128), (940, 190)
ROOM_BELOW = 24
MAX_TICKS = 5
MINUTE_MS, DAY_MS = 60_000, 86_400_000
STEPS_MS = [
    *(n * MINUTE_MS for n in (1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720)),
    *(n * DAY_MS for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)),
]


def draw(
    name: str, times_ms: npt.NDArray[np.int64], values: npt.NDArray[np.float64], size: tuple[int, int] = SMALL
) -> Chart | None:
    """Values over their times, both of shape (n_bars,), NaN where there is none; None when there is no value at all."""
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    low, high = float(known.min()), float(known.max())
    x, y = frame((float(times_ms[0]), float(times_ms[-1] + 1)), widen((low, high)), size, ROOM_BELOW)
    path = "".join(_runs(times_ms, values, x, y))
    alt = f"{name}: from {number(low)} to {number(high)} over {len(times_ms)} bars"
    marks = [Mark("model thin", path)]
    return Chart(alt, Axis(x, "", _time_ticks(x)), axis(y, "", number, 3), marks, size)


def _runs(times_ms: npt.NDArray[np.int64], values: npt.NDArray[np.float64], x: Scale, y: Scale) -> Iterator[str]:
    """A path for each run of bars with a value; a bar alone is a dash."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], ~np.isnan(values), [False]]).astype(np.int8)))
    for first, end in edges.reshape(-1, 2).tolist():
        points = [(x(float(times_ms[at])), y(float(values[at]))) for at in range(first, end)]
        yield line(points) if end - first > 1 else f"{line(points)}h1"


def _time_ticks(x: Scale) -> list[Tick]:
    """Round UTC times: hours and minutes, or the day where the step is a day or more."""
    span = int(x.high - x.low)
    step = next((step for step in STEPS_MS if span // step <= MAX_TICKS), STEPS_MS[-1])
    first = -(-int(x.low) // step) * step
    return [Tick(x(float(at)), _time_label(at, step)) for at in range(first, int(x.high), step)]


def _time_label(at: int, step: int) -> str:
    text = str(np.datetime64(at, "ms"))
    return text[:10] if step >= DAY_MS or at % DAY_MS == 0 else text[11:16]
