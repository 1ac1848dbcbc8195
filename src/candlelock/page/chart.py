"""A chart as paths and ticks in drawing units, by + − × ÷ alone: the same on any CPU.

`templates/parts.j2` makes SVG of it. Not a plotting library: those lay out by the fonts of the machine, and a
page has one set of bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

Item = TypeVar("Item")
STEPS = [digit * float(f"1e{power}") for power in range(-18, 25) for digit in (1, 2, 5)]
LEFT, RIGHT, TOP = 54, 30, 30


@dataclass(frozen=True)
class Scale:
    """Values `low` … `high` drawn at `start` … `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Axis:
    """A scale as it is shown."""

    scale: Scale
    title: str
    ticks: list[Tick]


@dataclass(frozen=True)
class Mark:
    """A path drawn as `kind` (a class of a style sheet), with words for the pointer."""

    kind: str
    path: str
    note: str = ""


@dataclass(frozen=True)
class Chart:
    """Everything the SVG shows. `size` is width and height; the scales span the plot area inside."""

    alt: str
    x: Axis
    y: Axis
    marks: list[Mark]
    size: tuple[int, int]


def frame(
    x: tuple[float, float], y: tuple[float, float], size: tuple[int, int], room_below: int
) -> tuple[Scale, Scale]:
    """Scales of two ranges over the plot area of a chart; y grows upwards."""
    return Scale(*x, LEFT, size[0] - RIGHT), Scale(*y, size[1] - room_below, TOP)


def widen(values: Iterable[float], by_frac: float = 0.06) -> tuple[float, float]:
    """Lowest and highest value with some air around them, also where all are the same."""
    known = list(values)
    low, high = min(known), max(known)
    air = (high - low) * by_frac or abs(low) * by_frac or by_frac
    return low - air, high + air


def axis(scale: Scale, title: str, show: Callable[[float], str], at_most: int = 6) -> Axis:
    """An axis with ticks at multiples of 1, 2 or 5 times a power of ten; `at_most` is 3 or more."""
    step = next(step for step in STEPS if (scale.high - scale.low) / step <= at_most)
    values = [i * step for i in range(math.ceil(scale.low / step), math.floor(scale.high / step) + 1)]
    return Axis(scale, title, [Tick(scale(value), show(value)) for value in values])


def day_ticks(scale: Scale, days: Sequence[date], at_most: int = 8) -> list[Tick]:
    """Dates on a scale of ordinal days: first days of months, or any days where there are hardly any."""
    firsts = [day for day in days if day.day == 1]
    shown = thin(firsts if len(firsts) > 2 else days, at_most)
    return [Tick(scale(day.toordinal()), day.isoformat()) for day in shown]


def thin(items: Sequence[Item], at_most: int) -> Sequence[Item]:
    """At most so many of the items, evenly."""
    return items[:: max(1, -(-len(items) // at_most))]


def line(points: Iterable[tuple[float, float]]) -> str:
    """A polyline to a tenth of a unit; points that fall on the one before are left out."""
    return "M" + "L".join(at for at, _ in groupby(f"{x:.1f},{y:.1f}" for x, y in points))


def dot(x: float, y: float) -> str:
    """A line of no length: its round cap is the dot."""
    return f"M{x:.1f},{y:.1f}h0"


def column(x: float, foot: float, height: float, width: float) -> str:
    """An upright box centred on x."""
    return f"M{x - width / 2:.1f},{foot:.1f}v{-height:.1f}h{width:.1f}v{height:.1f}Z"
