"""Runs expressions over plain arrays through the real engine, in any chunks and from any bar of absolute time."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from candlelock.features.engine import Engine
from candlelock.features.program import lower

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from candlelock.features.expression import Node
    from candlelock.features.market import Array

HOUR_MS = 3_600_000
FIRST = 420_007  # bars since 1970, a multiple of none of the windows tested
CHUNK = 512


def values(
    nodes: Mapping[str, Node],
    columns: Mapping[str, Array],
    first: int = FIRST,
    ends: Sequence[int] = (),
    n_threads: int = 1,
    symbols: Sequence[str] = (),
) -> dict[str, Array]:
    """Each expression over the columns, all of one shape, (n_bars,) or (n_symbols, n_bars), which the answers have too.

    `first`: number of the first bar. `ends`: where chunks end, besides every `CHUNK` bars. Every bar has a candle
    unless the columns name a close.
    """
    given = {name: np.atleast_2d(x) for name, x in columns.items()}
    shape = next(iter(given.values())).shape
    given.setdefault("close", np.ones(shape))
    names = symbols or [f"S{row}" for row in range(shape[0])]
    engine = Engine(lower(nodes), names, HOUR_MS, chunk=CHUNK)
    out = np.full((shape[0], len(nodes), shape[1]), np.inf)
    cuts = sorted({0, shape[1], *range(CHUNK, shape[1], CHUNK), *ends})
    with ThreadPoolExecutor(n_threads) as pool:
        for at, end in itertools.pairwise(cuts):
            part = {name: x[:, at:end] for name, x in given.items()}
            engine.run(part, first + at, out, at, pool if n_threads > 1 else None)
    flat = next(iter(columns.values())).ndim == 1
    return {name: out[0, i] if flat else out[:, i] for i, name in enumerate(nodes)}
