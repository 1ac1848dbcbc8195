"""Candles in whole ticks among which every candlestick pattern occurs: coarse walks and planted rare shapes."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from candlelock.features.market import Array

QUIET_BARS = 12  # before a planted shape: ranges of 20 ticks, so that the margins near, far and equal are 4, 12 and 1
WHITE, BLACK = (0, 42, -2, 40), (40, 42, -2, 0)

# Open, high, low, close in ticks of the candles of a shape; planted both ways up, whole and spoilt in many ways.
SHAPES = {
    "two crows": (WHITE, (60, 62, 44, 46), (55, 57, 28, 30)),
    "upside gap two crows": (WHITE, (56, 58, 48, 50), (60, 62, 44, 45)),
    "mat hold": (WHITE, (52, 54, 44, 46), (44, 46, 36, 38), (40, 42, 32, 34), (36, 62, 34, 60)),
    "mat hold, low": (WHITE, (52, 54, 44, 46), (30, 32, 22, 24), (26, 28, 20, 21), (26, 62, 24, 60)),
    "mat hold, high": (WHITE, (52, 54, 44, 46), (48, 50, 37, 39), (45, 47, 36, 39), (42, 62, 40, 60)),
    "no mat hold": (BLACK, (52, 54, 44, 46), (-2, 0, -12, -10), (-6, -4, -16, -14), (-10, 62, -12, 60)),
    "three methods": (WHITE, (38, 40, 30, 32), (34, 36, 26, 28), (30, 32, 22, 24), (26, 62, 24, 60)),
    "three methods, low": (WHITE, (38, 40, 30, 32), (34, 36, 26, 28), (-1, 0, -12, -10), (0, 62, -2, 60)),
    "no three methods": (WHITE, (8, 10, -2, 0), (-4, -3, -12, -10), (5, 6, -13, -12), (0, 62, -2, 60)),
    "three stars in south": ((40, 42, -30, 10), (25, 27, -15, 5), (8, 9, 1, 2)),
    "three stars, high": ((40, 42, -30, 10), (38, 40, 4, 24), (20, 21, 15, 16)),
    "three stars, middle": ((40, 42, -30, 10), (30, 32, -5, 8), (20, 21, 13, 14)),
    "tasuki gap": ((0, 22, -2, 20), (30, 52, 28, 50), (45, 47, 22, 24)),
    "gap three methods": ((0, 22, -2, 20), (30, 52, 28, 50), (40, 42, 8, 10)),
    "side by side": ((0, 20, 0, 18), (30, 50, 30, 48), (30, 50, 30, 48)),
    "breakaway": ((100, 102, 58, 60), (50, 52, 38, 40), (40, 46, 30, 34), (34, 40, 20, 24), (24, 58, 22, 55)),
    "no breakaway": ((100, 102, 58, 60), (50, 52, 38, 40), (40, 46, 30, 34), (24, 40, 20, 34), (58, 60, 22, 55)),
    "nor one": (
        (60, 102, 58, 100),
        (120, 122, 108, 110),
        (120, 126, 112, 124),
        (125, 130, 116, 118),
        (102, 112, 100, 110),
    ),
    "line strike": ((0, 19, -1, 18), (15, 34, 14, 33), (30, 49, 29, 48), (50, 52, -7, -5)),
    "baby swallow": ((100, 101, 69, 70), (72, 73, 49, 50), (40, 56, 28, 30), (58, 60, 20, 24)),
    "no baby swallow": ((100, 101, 69, 70), (50, 73, 49, 72), (40, 76, 28, 30), (58, 78, 20, 24)),
    "kicking, second longer": ((40, 41, -1, 0), (50, 96, 49, 95)),
    "kicking, first longer": ((40, 41, -1, 0), (50, 81, 49, 80)),
    "separating lines": (BLACK, (40, 82, 39, 80)),
    "abandoned baby": (WHITE, (50, 54, 46, 50), (40, 42, 8, 10)),
    "tristar": ((0, 8, -8, 1), (12, 20, 4, 13), (8, 14, 0, 9)),
    "soldiers": ((0, 20, 0, 20), (10, 30, 10, 30), (20, 42, 20, 42)),
    "soldiers, weaker": ((0, 20, 0, 20), (13, 21, 13, 21), (16, 40, 16, 40)),
    "advance block": ((0, 20, 0, 20), (14, 21, 14, 21), (18, 29, 18, 29)),
    "identical crows": ((58, 59, 39, 40), (40, 40, 20, 20), (20, 20, 0, 0)),
    "unique river": (BLACK, (35, 37, -10, 10), (-4, 4, -6, 2)),
    "ladder bottom": ((100, 102, 78, 80), (90, 92, 68, 70), (80, 82, 58, 60), (68, 80, 56, 58), (72, 97, 70, 95)),
    "no ladder bottom": ((100, 102, 78, 80), (66, 72, 64, 70), (62, 64, 56, 58), (60, 80, 56, 58), (72, 97, 70, 95)),
    "hikkake": ((-10, 25, -20, 10), (5, 15, -15, -11), (-3, 8, -8, 3), (0, 7, -25, -20), (-10, 15, -12, 12)),
}


def _variants(whole: Array) -> Iterator[Array]:
    """Each price of a shape about the level of every other; every colouring; each candle smaller and larger."""
    levels = np.unique(whole[..., np.newaxis] + [-4, -1, 0, 1, 4])
    for place, level in itertools.product(np.ndindex(whole.shape), levels):
        spoilt = whole.copy()
        spoilt[place] = level
        yield spoilt
    n_bars = whole.shape[1]
    for turned in itertools.product([False, True], repeat=n_bars):
        yield np.where(turned, whole[[3, 1, 2, 0]], whole)
    for candle, percent in itertools.product(range(n_bars), (25, 50, 75, 150, 250)):
        middle = (whole[0, candle] + whole[3, candle]) // 2
        stretched = whole.copy()
        stretched[:, candle] = middle + (whole[:, candle] - middle) * percent // 100
        yield stretched


def _planted(random: np.random.Generator, shape: tuple[tuple[int, ...], ...]) -> Array:
    """Each variant of the shape, both ways up, after a quiet stretch; one after the other, shape (4, n)."""
    upright = np.array(list(_variants(np.array(shape).T)))
    candles = np.concatenate([upright, -upright[:, [0, 2, 1, 3]]])
    rises = random.random((len(candles), QUIET_BARS)) < 0.5
    quiet = np.array([np.where(rises, 3, 17), np.full(rises.shape, 20), np.zeros(rises.shape), np.where(rises, 17, 3)])
    all_bars = np.concatenate([quiet.transpose(1, 0, 2), candles], axis=2).transpose(1, 0, 2).reshape(4, -1)
    all_bars[1], all_bars[2] = all_bars[[0, 1, 3]].max(axis=0), all_bars[[0, 2, 3]].min(axis=0)
    return 10_000 + all_bars


def _walk(random: np.random.Generator, n_bars: int, step: int, jump: int) -> Array:
    """Closes of a walk by up to `step` ticks, opens up to `jump` from the close before, shadows on six bars of ten."""
    close = 10_000 + np.cumsum(random.integers(-step, step + 1, n_bars))
    opened = np.roll(close, 1) + random.integers(-jump, jump + 1, n_bars)
    reach = random.integers(0, step + 1, (2, n_bars)) * (random.random((2, n_bars)) < 0.6)
    high, low = np.maximum(opened, close) + reach[0], np.minimum(opened, close) - reach[1]
    return np.array([opened, high, low, close], dtype=np.float64)


def whole_ticks() -> Iterator[tuple[str, Array]]:
    """Some 800,000 candles, whole numbers as float64, in named pieces of shape (4, n): open, high, low, close."""
    random = np.random.default_rng(61)
    for step, jump in ((2, 2), (3, 2), (6, 2), (6, 6), (12, 12), (50, 10)):
        yield f"walk {step} {jump}", _walk(random, 12_000, step, jump)
    for name, shape in SHAPES.items():
        yield name, _planted(random, shape)


def fractional(n_bars: int) -> Array:
    """A walk with prices that binary fractions cannot hold; shape (4, n_bars)."""
    return _walk(np.random.default_rng(7), n_bars, 4, 4) / 10
