"""Features of a market: every enabled group and plug-in, in registry order, null inside the warm-up."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from candlelock.contracts.errors import InputError, Problem, nearest, raise_if
from candlelock.contracts.tables import TIME
from candlelock.features.catalogue import GROUPS, declare
from candlelock.features.engine import compute_in_parts
from candlelock.features.market import first_bars
from candlelock.features.plugins import build_plugins
from candlelock.features.program import lower

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from candlelock.contracts.registry import Feature
    from candlelock.features.market import Array, Market
    from candlelock.features.plugins import Plugin
    from candlelock.features.program import Program


def build_features(
    market: Market, entries: Sequence[Feature], plugins: Sequence[Plugin] = (), n_threads: int = 1
) -> dict[str, Array]:
    """The features of `entries`, each float64 of shape (n_symbols, n_bars), NaN where unknown.

    A value at a bar uses that bar and the `warmup` bars before it, nothing else. `plugins`: those whose features
    `entries` names. Symbols are shared out to `n_threads`; the bytes do not depend on it.

    Raises InputError for a market without bars, an entry that nothing computes, and what `build_plugin` refuses.
    """
    return next(build_in_parts(market, entries, max(len(market.open_time_ms), 1), plugins, n_threads))


def build_in_parts(
    market: Market, entries: Sequence[Feature], n_bars: int, plugins: Sequence[Plugin] = (), n_threads: int = 1
) -> Iterator[dict[str, Array]]:
    """The same in consecutive parts of `n_bars` bars, for markets whose features do not fit in memory together."""
    if not len(market.open_time_ms):
        raise InputError(Problem("market-empty", "market", "no bars", "at least one", "hand over candles"))
    program, of_plugins = program_of(entries, market.bar_ms), build_plugins(plugins, market)
    refuse_missing([entry.name for entry in entries], [*program.facts, *of_plugins])
    begins = first_bars(market)
    at = 0
    for part in compute_in_parts(program, market, n_bars, n_threads):
        end = at + part.shape[2]
        built = dict(zip(program.facts, np.moveaxis(part, 1, 0), strict=True))
        built |= {name: values[:, at:end] for name, values in of_plugins.items()}
        for entry in entries:
            for row, begin in enumerate(begins):
                built[entry.name][row, : max(begin + entry.warmup(market.bar_ms) - at, 0)] = np.nan
        yield {entry.name: built[entry.name] for entry in entries}
        at = end


def build_tables(
    market: Market, entries: Sequence[Feature], plugins: Sequence[Plugin] = (), n_threads: int = 1
) -> dict[str, pa.Table]:
    """Symbol -> feature table: a row for each of its candles, null where a feature is unknown."""
    features = build_features(market, entries, plugins, n_threads)
    return {symbol: _table(market, features, row) for row, symbol in enumerate(market.symbols)}


def program_of(entries: Sequence[Feature], bar_ms: int) -> Program:
    """The program of the built-in features among `entries`, in their order; what no group declares is left out."""
    return _program(tuple((entry.group, entry.name) for entry in entries if entry.group in GROUPS), bar_ms)


@functools.lru_cache(maxsize=64)  # a program knows no candles
def _program(names: tuple[tuple[str, str], ...], bar_ms: int) -> Program:
    declared = {group: declare(group, bar_ms) for group in dict.fromkeys(group for group, _ in names)}
    return lower({name: declared[group][name] for group, name in names if name in declared[group]})


def _table(market: Market, features: dict[str, Array], row: int) -> pa.Table:
    has_bar = market.has_bar[row]
    times = pa.array(market.open_time_ms[has_bar]).cast(TIME)
    columns = {name: pa.array(values[row][has_bar], from_pandas=True) for name, values in features.items()}
    return pa.table({"open_time_utc": times, **columns})


def refuse_missing(registered: list[str], built: list[str]) -> None:
    """Raise InputError with every registered feature that nothing computes."""
    raise_if(
        [
            Problem(
                "feature-without-function",
                f"features.yml {name}",
                "no group computes it",
                "a function for every entry",
                nearest(name, built),
            )
            for name in registered
            if name not in built
        ]
    )
