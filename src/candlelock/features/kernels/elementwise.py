"""Operators that look at one bar at a time. NaN in, NaN out; a division by zero is NaN, never infinite."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from candlelock.artifacts.compiled import compiled

if TYPE_CHECKING:
    from candlelock.features.market import Array

ADD, SUBTRACT, MULTIPLY, DIVIDE, MAXIMUM, MINIMUM, GREATER, WHERE_KNOWN = range(8)
LOG, SQRT, ABSOLUTE, NEGATE, SIGN, SINE, COSINE, REMAINDER, FLOOR, MONTH = range(8, 18)
N_CODES = 18

DAY_MS = 86_400_000


@compiled
def combine(code: int, a: Array, b: Array, out: Array) -> None:
    """`out` = a (code) b, bar by bar."""
    n = out.shape[0]
    if code == ADD:
        for i in range(n):
            out[i] = a[i] + b[i]
    elif code == SUBTRACT:
        for i in range(n):
            out[i] = a[i] - b[i]
    elif code == MULTIPLY:
        for i in range(n):
            out[i] = a[i] * b[i]
    elif code == DIVIDE:
        for i in range(n):
            out[i] = a[i] / b[i] if b[i] != 0.0 else np.nan
    elif code == MAXIMUM:
        for i in range(n):
            larger = a[i] if a[i] > b[i] else b[i]
            out[i] = larger if a[i] == a[i] else np.nan
    elif code == MINIMUM:
        for i in range(n):
            smaller = a[i] if a[i] < b[i] else b[i]
            out[i] = smaller if a[i] == a[i] else np.nan
    elif code == GREATER:
        for i in range(n):
            larger = 1.0 if a[i] > b[i] else 0.0
            out[i] = larger if a[i] == a[i] and b[i] == b[i] else np.nan
    elif code == WHERE_KNOWN:
        for i in range(n):
            out[i] = a[i] if b[i] == b[i] else np.nan


@compiled
def transform(code: int, x: Array, real: float, out: Array) -> None:
    """`out` = (code) of x, bar by bar; the logarithm and the root of what has none are NaN."""
    n = out.shape[0]
    if code == LOG:
        for i in range(n):
            out[i] = math.log(x[i]) if x[i] > 0.0 else np.nan
    elif code == SQRT:
        for i in range(n):
            out[i] = math.sqrt(x[i]) if x[i] >= 0.0 else np.nan
    elif code == ABSOLUTE:
        for i in range(n):
            out[i] = abs(x[i])
    elif code == NEGATE:
        for i in range(n):
            out[i] = -x[i]
    elif code == SIGN:
        for i in range(n):
            out[i] = np.nan if x[i] != x[i] else (1.0 if x[i] > 0.0 else (-1.0 if x[i] < 0.0 else 0.0))
    else:
        _transform_time(code, x, real, out)


@compiled
def _transform_time(code: int, x: Array, real: float, out: Array) -> None:
    n = out.shape[0]
    if code == SINE:
        for i in range(n):
            out[i] = math.sin(x[i])
    elif code == COSINE:
        for i in range(n):
            out[i] = math.cos(x[i])
    elif code == REMAINDER:
        for i in range(n):
            out[i] = x[i] - real * np.floor(x[i] / real)
    elif code == FLOOR:
        for i in range(n):
            out[i] = np.floor(x[i] / real)
    elif code == MONTH:
        for i in range(n):
            out[i] = _month(x[i])


@compiled
def _month(time_ms: float) -> float:
    """Month 1 to 12 of a UTC time in milliseconds since 1970, by days of a year that begins in March."""
    if time_ms != time_ms:
        return np.nan
    day = math.floor(time_ms / DAY_MS) + 719_468
    of_era = day % 146_097
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    return float(month + 3 if month < 10 else month - 9)
