"""Recursions without a window of their own, bounded so that they remember a declared number of bars and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.artifacts.compiled import compiled
from candlelock.features.kernels.decay import PRESENT_FRAC
from candlelock.features.kernels.windows import FLAT

if TYPE_CHECKING:
    from candlelock.features.market import Array

SAR_STEP, SAR_LIMIT = 0.02, 0.2
BARS, IS_LONG, STOP, EXTREME, FACTOR, HIGH, LOW, NEXT = range(
    8
)  # of one recursion; STOP holds now, NEXT at the next bar
SAR_STATE = 8


@compiled
def run_length(x: Array, out: Array, window: int, state: Array) -> None:
    """Signed length of the run of bars with the last one's sign, at most `window`; 0 for a zero; NaN breaks it.

    State: the run so far.
    """
    run = state[0]
    for i in range(x.shape[0]):
        if x[i] > 0.0:
            run = min(run + 1.0, float(window)) if run > 0.0 else 1.0
        elif x[i] < 0.0:
            run = max(run - 1.0, -float(window)) if run < 0.0 else -1.0
        else:
            run = 0.0
        out[i] = run if x[i] == x[i] else np.nan
    state[0] = run


@compiled
def parabolic_sar(high: Array, low: Array, out: Array, window: int, first: int, state: Array) -> None:
    """Wilder's stop and reverse (1978), begun anew every `window` bars of absolute time.

    Two recursions run at a time: a value is read from the one that began in the block before, so it rests on `window`
    to 2 * window - 1 earlier bars. Missing bars are passed over; the value is NaN where fewer than nine tenths of the
    bars since that beginning are present. State: two recursions (2 * SAR_STATE).
    """
    old, young = state[:SAR_STATE], state[SAR_STATE:]
    for i in range(high.shape[0]):
        at = (first + i) % window
        if at == 0:
            for k in range(SAR_STATE):
                old[k], young[k] = young[k], 0.0
        is_known = high[i] == high[i] and low[i] == low[i]
        if is_known:
            _advance_sar(old, high[i], low[i])
            _advance_sar(young, high[i], low[i])
        out[i] = old[STOP] if is_known and old[BARS] >= PRESENT_FRAC * (window + at + 1) else np.nan


@compiled
def _advance_sar(s: Array, high: float, low: float) -> None:
    """One bar further, as TA-Lib's SAR; the second bar decides the first direction."""
    if s[BARS] == 0.0:
        s[HIGH], s[LOW] = high, low
    if s[BARS] == 1.0:
        drop = (s[HIGH] + s[LOW]) - (high + low)
        is_short = s[LOW] > low and drop > FLAT * high  # the low fell by more than the high rose, not just by rounding
        s[IS_LONG] = 0.0 if is_short else 1.0
        s[NEXT], s[EXTREME], s[FACTOR] = s[HIGH] if is_short else s[LOW], low if is_short else high, SAR_STEP
        s[HIGH], s[LOW] = high, low
    if s[BARS] >= 1.0:
        _step_sar(s, high, low)
        s[HIGH], s[LOW] = high, low
    s[BARS] += 1.0


@compiled
def _step_sar(s: Array, high: float, low: float) -> None:
    """A long and a short stop are one rule, mirrored: `near` is the side of the stop, `far` the other one."""
    side = 1.0 if s[IS_LONG] == 1.0 else -1.0
    near, far, last_near = (low, high, s[LOW]) if side > 0.0 else (high, low, s[HIGH])
    if side * (near - s[NEXT]) <= 0.0:
        s[IS_LONG] = 1.0 - s[IS_LONG]
        side = -side
        near, far = far, near
        last_near = s[LOW] if side > 0.0 else s[HIGH]
        stop = _beyond(_beyond(s[EXTREME], last_near, side), near, side)
        s[STOP], s[FACTOR], s[EXTREME] = stop, SAR_STEP, far
    else:
        s[STOP] = s[NEXT]
        if side * (far - s[EXTREME]) > 0.0:
            s[EXTREME], s[FACTOR] = far, min(s[FACTOR] + SAR_STEP, SAR_LIMIT)
    ahead = s[STOP] + s[FACTOR] * (s[EXTREME] - s[STOP])
    s[NEXT] = _beyond(_beyond(ahead, last_near, side), near, side)


@compiled
def _beyond(stop: float, price: float, side: float) -> float:
    """The stop, moved so that it lies on its side of the price."""
    return price if side * (stop - price) > 0.0 else stop
