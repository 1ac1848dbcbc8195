"""A program at work: the interpreter's memory for some symbols, advanced by chunks of history or single live bars."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np

from candlelock.features.kernels.interpreter import SCRATCH, advance, advance_across, advance_market

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from candlelock.features.market import Array, Market
    from candlelock.features.program import Program

CHUNK = 512  # bars; what a symbol's series take of one chunk should fit the processor's second cache


class Engine:
    """Runs a program over consecutive bars of `symbols`; remembers what the next bar needs.

    Feed chunks in order and without a hole: missing candles are NaN.
    """

    def __init__(self, program: Program, symbols: Sequence[str], bar_ms: int, chunk: int = CHUNK) -> None:
        self.program, self.symbols, self.bar_ms, self.chunk = program, tuple(symbols), bar_ms, chunk
        self.state = np.zeros((len(symbols), program.state_size))  # zeros: nothing has begun
        self._slots = np.full((len(symbols), program.n_slots, chunk), np.nan)
        for slot, value in program.constants.items():
            self._slots[:, slot] = value
        self._scratch = np.empty((len(symbols), SCRATCH))
        self._peers = _groups(symbols)

    def forget(self) -> None:
        """Begin anew, as if no bar had come yet."""
        self.state[:] = 0.0

    def run(
        self, columns: Mapping[str, Array], start: int, out: Array, at: int = 0, pool: ThreadPoolExecutor | None = None
    ) -> None:
        """Advance by the bars of `columns`, the first of them number `start`; write `out` from its bar `at` on.

        `columns`: name -> (n_symbols, n_bars) of at most a chunk; a column that is not there is NaN. `out`: one
        C-ordered block, (n_symbols, n_features, …). With a `pool`, symbols are worked on side by side.
        """
        n = columns["close"].shape[1]
        for name, slot in self.program.sources.items():
            if name == "open_time":
                self._slots[:, slot, :n] = np.arange(start, start + n, dtype=np.float64) * self.bar_ms
            elif name in columns:
                self._slots[:, slot, :n] = columns[name]
        if pool is None:
            code = self.program
            advance_market(
                code.code,
                code.reals,
                code.phases,
                self._peers,
                self._slots,
                self.state,
                start,
                n,
                out,
                at,
                self._scratch,
            )
        else:
            self._advance_in(pool, start, n, out, at)

    def _advance_in(self, pool: ThreadPoolExecutor, start: int, n: int, out: Array, at: int) -> None:
        code, reals, slots, state = self.program.code, self.program.reals, self._slots, self.state
        for low, high, is_across in self.program.phases.tolist():
            if is_across:
                advance_across(code[low:high], self._slots, self._peers, n)
            else:
                jobs = [
                    pool.submit(
                        advance,
                        code[low:high],
                        reals[low:high],
                        slots[row],
                        state[row],
                        start,
                        n,
                        out[row],
                        at,
                        self._scratch[row],
                    )
                    for row in range(len(self.symbols))
                ]
                for job in jobs:
                    job.result()


def compute_in_parts(program: Program, market: Market, n_bars: int, n_threads: int = 1) -> Iterator[Array]:
    """Every feature in consecutive parts of `n_bars` bars, (n_symbols, n_features, n_bars), NaN where unknown.

    Symbols are shared out to `n_threads` threads; the bytes depend on neither. Warm-up is not masked here.
    """
    engine, columns = Engine(program, market.symbols, market.bar_ms), market.columns()
    first, n_all = int(market.open_time_ms[0]) // market.bar_ms, len(market.open_time_ms)
    with ThreadPoolExecutor(n_threads) if n_threads > 1 else nullcontext() as pool:
        for begin in range(0, n_all, n_bars):
            end = min(begin + n_bars, n_all)
            out = np.empty((len(market.symbols), len(program.facts), end - begin))
            for at in range(begin, end, engine.chunk):
                part = {name: values[:, at : min(at + engine.chunk, end)] for name, values in columns.items()}
                engine.run(part, first + at, out, at - begin, pool)
            yield out


def _groups(symbols: Sequence[str]) -> npt.NDArray[np.int64]:
    """A number for each base currency, the same for the venues and contracts of one."""
    bases = [symbol.split("/")[0] for symbol in symbols]
    return np.array([bases.index(base) for base in bases], np.int64)
