"""Runs a compiled list of instructions over one chunk of bars, be it a thousand bars of history or the one just closed.

An instruction is a row of integers (columns below) and one real number. It reads and writes rows of `slots`, one row
a series, and keeps what it must remember in its part of `state`. A series on a higher clock fills the first entries of
its row: one for each higher bar that ends in the chunk. `scratch`: SCRATCH numbers a symbol, to work on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.artifacts.compiled import compiled
from candlelock.features.kernels import elementwise, patterns
from candlelock.features.kernels.across import across
from candlelock.features.kernels.clocks import higher_bars, hold, same_time_mean
from candlelock.features.kernels.decay import window_decay
from candlelock.features.kernels.elementwise import WHERE_KNOWN, combine, transform
from candlelock.features.kernels.pairs import window_pairs
from candlelock.features.kernels.paths import window_path
from candlelock.features.kernels.patterns import write_patterns
from candlelock.features.kernels.recounts import mean_deviation, rank, volume_profile
from candlelock.features.kernels.recursions import parabolic_sar, run_length
from candlelock.features.kernels.windows import (
    COLUMNS,
    TILE,
    lag,
    window_age,
    window_max,
    window_moments,
    window_powers,
    window_sum,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from candlelock.features.market import Array

CODE, CLOCK, OUT, A, B, C, D, E, WINDOW, ENOUGH, EXTRA, STATE_FROM, STATE_TO = range(13)
N_COLUMNS = 13

UNARY, WINDOWS = elementwise.LOG, elementwise.N_CODES
LAG, SUM, MAX, AGE, MOMENTS, POWERS, DECAY, PAIRS, PATH = range(WINDOWS, WINDOWS + 9)
OTHERS = WINDOWS + 9
DEVIATION, RANK, PROFILE, RUN, SAR, HIGHER, HOLD, SAME_TIME, PATTERNS = range(OTHERS, OTHERS + 9)
EMIT = OTHERS + 9
ACROSS = OTHERS + 10  # and the codes of `across` on top
SCRATCH = max(patterns.SCRATCH, COLUMNS * TILE)  # numbers a symbol needs to work on


@compiled
def run_window(
    code: int, p: npt.NDArray[np.int64], real: float, slots: Array, m: int, first: int, state: Array, scratch: Array
) -> None:
    """One instruction over a trailing window; `m` bars, the first of them number `first` of its clock."""
    x, out, window, enough = slots[p[A], :m], slots[p[OUT], :m], p[WINDOW], p[ENOUGH]
    tile = scratch[: COLUMNS * TILE].reshape((COLUMNS, TILE))
    if code == LAG:
        lag(x, out, window, first, state)
    elif code == SUM:
        window_sum(x, out, slots[p[OUT] + 1, :m], window, enough, first, state)
    elif code == MAX:
        window_max(x, out, window, enough, first, state)
    elif code == AGE:
        window_age(x, out, window, enough, first, state)
    elif code == MOMENTS:
        window_moments(x, out, slots[p[OUT] + 1, :m], window, enough, first, state, tile)
    elif code == POWERS:
        window_powers(x, out, slots[p[OUT] + 1, :m], window, enough, first, state, tile)
    elif code == DECAY:
        window_decay(x, out, slots[p[OUT] + 1, :m], window, real, first, state)
    elif code == PATH:
        window_path(x, out, window, enough, first, state, tile)
    elif code == PAIRS:
        y, x_var, y_var = slots[p[B], :m], slots[p[OUT] + 1, :m], slots[p[OUT] + 2, :m]
        window_pairs(x, y, out, x_var, y_var, window, enough, first, state, tile)


@compiled
def run_other(
    code: int, p: npt.NDArray[np.int64], real: float, slots: Array, n: int, m: int, start: int, first: int,
    state: Array, scratch: Array,
) -> None:  # fmt: skip
    """One instruction of another kind; `n` bars from number `start` on, `m` of its clock from number `first` on."""
    x, out, window, enough = slots[p[A], :m], slots[p[OUT], :m], p[WINDOW], p[ENOUGH]
    tile = scratch[: COLUMNS * TILE].reshape((COLUMNS, TILE))
    if code == DEVIATION:
        mean_deviation(x, out, window, enough, state, tile)
    elif code == RANK:
        rank(x, out, window, enough, state, tile)
    elif code == PROFILE:
        volume_profile(x, slots[p[B], :m], out, slots[p[OUT] + 1, :m], window, enough, p[EXTRA], state, tile)
    elif code == RUN:
        run_length(x, out, window, state)
    elif code == SAR:
        parabolic_sar(x, slots[p[B], :m], out, window, first, state)
    elif code == HIGHER:
        o, h, low, c, v = slots[p[A], :n], slots[p[B], :n], slots[p[C], :n], slots[p[D], :n], slots[p[E], :n]
        higher_bars(o, h, low, c, v, slots[p[OUT] : p[OUT] + 5], window, enough, start, state)
    elif code == HOLD:
        hold(x, slots[p[OUT], :n], window, start, state)
    elif code == SAME_TIME:
        same_time_mean(x, out, window, p[EXTRA], enough, real, first, state)
    elif code == PATTERNS:
        b, c, d = slots[p[B], :m], slots[p[C], :m], slots[p[D], :m]
        write_patterns(x, b, c, d, state, scratch, slots[p[OUT] : p[OUT] + patterns.N_PATTERNS, :m])


@compiled
def advance(
    program: npt.NDArray[np.int64], reals: Array, slots: Array, state: Array, start: int, n: int, out: Array, at: int,
    scratch: Array,
) -> None:  # fmt: skip
    """Run the instructions of one symbol over `n` bars, the first of them number `start` since 1970.

    Finished features go to `out`, shape (n_features, n_bars), from column `at` on; NaN where the candle is missing.
    """
    for i in range(program.shape[0]):
        p = program[i]
        code, clock = p[CODE], p[CLOCK]
        first = start // clock
        m = (start + n) // clock - first
        if code < UNARY:
            combine(code, slots[p[A], :m], slots[p[B], :m], slots[p[OUT], :m])
        elif code < WINDOWS:
            transform(code, slots[p[A], :m], reals[i], slots[p[OUT], :m])
        elif code < OTHERS:
            run_window(code, p, reals[i], slots, m, first, state[p[STATE_FROM] : p[STATE_TO]], scratch)
        elif code == EMIT:
            combine(WHERE_KNOWN, slots[p[A], :n], slots[p[B], :n], out[p[EXTRA], at : at + n])
        else:
            run_other(code, p, reals[i], slots, n, m, start, first, state[p[STATE_FROM] : p[STATE_TO]], scratch)


@compiled
def advance_across(program: npt.NDArray[np.int64], slots: Array, peers: npt.NDArray[np.int64], n: int) -> None:
    """Run instructions over all symbols; `slots` of shape (n_symbols, n_slots, chunk)."""
    for i in range(program.shape[0]):
        p = program[i]
        across(p[CODE] - ACROSS, slots[:, p[A], :n], peers, slots[:, p[OUT], :n])


@compiled
def advance_market(
    program: npt.NDArray[np.int64], reals: Array, phases: npt.NDArray[np.int64], peers: npt.NDArray[np.int64],
    slots: Array, state: Array, start: int, n: int, out: Array, at: int, scratch: Array,
) -> None:  # fmt: skip
    """Run everything over one chunk: each phase is (first instruction, end, whether it looks across symbols)."""
    for k in range(phases.shape[0]):
        low, high = phases[k, 0], phases[k, 1]
        if phases[k, 2]:
            advance_across(program[low:high], slots, peers, n)
        else:
            for s in range(slots.shape[0]):
                advance(program[low:high], reals[low:high], slots[s], state[s], start, n, out[s], at, scratch[s])
