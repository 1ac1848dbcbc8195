"""Features of a user's own: a file of plain functions, from one symbol's bars to columns, held to its registry.

A plug-in is code that runs with the user's rights; what stands here guards against mistakes, not against malice.
Every file is run twice and every function called in both, over the symbols there and back: what differs is refused.
Not here: reading its registry (artifacts.user_files), masking its warm-up (build), looking for the future (causality).
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import inspect
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from candlelock.artifacts.user_files import read_plugin_registry
from candlelock.contracts import files
from candlelock.contracts.errors import InputError, Problem, nearest, raise_if
from candlelock.features.plugin_columns import differing, open_time, to_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

    from candlelock.contracts.registry import Feature
    from candlelock.contracts.stage_params import FeaturesParams
    from candlelock.features.market import Array, Market

    Function = Callable[[pd.DataFrame], Any]

HELP = "see docs/plugins.md"


@dataclass(frozen=True)
class Plugin:
    """A plug-in's file, its registry, and its public functions by name, from two runs of the file."""

    path: Path
    entries: tuple[Feature, ...]
    functions: Mapping[str, Function]
    functions_again: Mapping[str, Function]

    @property
    def group(self) -> str:
        """The group of its features: the file's name without suffix."""
        return self.path.stem

    def place(self, function: str) -> str:
        """File, line and name of a function."""
        code = getattr(self.functions[function], "__code__", None)
        return f"{self.path}:{code.co_firstlineno if code else 1} {function}"


def load_plugins(root: Path, features: FeaturesParams) -> tuple[Plugin, ...]:
    """The plug-ins that `features.plugins` names, from the folder plugins below `root`, in that order.

    Raises InputError for a file or a registry that is missing or broken.
    """
    return tuple(load_plugin(root / files.PLUGINS / name) for name in features.plugins)


def load_plugin(path: Path, others: Iterable[Feature] = ()) -> Plugin:
    """A plug-in from its file and the registry beside it; none of its features may have the name of one of `others`.

    Raises InputError when either is missing or broken, the file raises, or has no public function.
    """
    return Plugin(path, read_plugin_registry(path, others), *load_functions(path))


def load_functions(path: Path) -> tuple[dict[str, Function], dict[str, Function]]:
    """The public functions of a plug-in's file by name, from two runs of it.

    Raises InputError when it raises, or has none.
    """
    first, again = (_functions(_run_file(path)) for _ in range(2))
    if not first:
        found = "no public function"
        raise InputError(Problem("plugin-empty", str(path), found, "a function without a leading underscore", HELP))
    return first, again


def build_plugins(plugins: Iterable[Plugin], market: Market) -> dict[str, Array]:
    """Every feature of every plug-in: see `build_plugin`."""
    return {name: values for plugin in plugins for name, values in build_plugin(plugin, market).items()}


def build_plugin(plugin: Plugin, market: Market) -> dict[str, Array]:
    """The plug-in's features, float64 of shape (n_symbols, n_bars), NaN where the function has no value.

    A function gets a frame of its own for each symbol: the candles' columns and the optional ones, float64, on the
    regular grid of open times, NaN in rows where the exchange has no candle. The warm-up is not masked here.

    Raises InputError with every problem: what `call_functions` refuses, a feature without entry and the reverse.
    """
    built = call_functions(plugin, market)
    raise_if(disagreement(plugin.path, [entry.name for entry in plugin.entries], list(built)))
    return built


def call_functions(plugin: Plugin, market: Market) -> dict[str, Array]:
    """The columns of every function, whether its registry names them or not, as `build_plugin` gives them.

    Raises InputError with every problem: a function that raises, changes its frame, answers differently when asked
    again, returns columns of another length, of no numbers or with infinity, or one that another returned.
    """
    problems: list[Problem] = []
    built: dict[str, Array] = {}
    for function in plugin.functions:
        try:
            columns = _build(plugin, function, market)
            problems += [_twice(plugin, function, name) for name in columns if name in built]
            built |= columns
        except InputError as error:
            problems += error.problems
    raise_if(problems)
    return built


def frame_of(market: Market, row: int) -> pd.DataFrame:
    """One symbol's bars as a plug-in sees them; a copy."""
    times = pd.DatetimeIndex(market.open_time_ms.astype("datetime64[ms]"), name="open_time").tz_localize("UTC")
    return pd.DataFrame({name: values[row].copy() for name, values in market.columns().items()}, index=times)


def _build(plugin: Plugin, function: str, market: Market) -> dict[str, Array]:
    """A function's columns over all symbols, asked twice."""
    rows = range(len(market.symbols))
    first = [_ask(plugin, plugin.functions, function, market, row) for row in rows]
    again = [_ask(plugin, plugin.functions_again, function, market, row) for row in reversed(rows)][::-1]
    for row, symbol in enumerate(market.symbols):
        if first[row].keys() != first[0].keys():
            found = f"the columns {list(first[row])} for {symbol}, {list(first[0])} for {market.symbols[0]}"
            raise InputError(Problem("plugin-output", plugin.place(function), found, "the same of every symbol", HELP))
        name, at = differing(first[row], again[row])
        if name:
            found = f"{name} of {symbol} at {open_time(market, at)} had other bits when asked again"
            help_line = "draw no random numbers without a seed, read no clock, keep nothing between calls"
            raise InputError(
                Problem("plugin-unsteady", plugin.place(function), found, "one answer for one frame", help_line)
            )
    return {name: np.stack([columns[name] for columns in first]) for name in first[0]}


def _ask(
    plugin: Plugin, functions: Mapping[str, Function], function: str, market: Market, row: int
) -> dict[str, Array]:
    """Call a function with one symbol's frame; its columns, float64 of length n_bars."""
    frame, place, symbol = frame_of(market, row), plugin.place(function), market.symbols[row]
    if function not in functions:
        raise InputError(Problem("plugin-unsteady", place, "gone when the file was run again", "a function", HELP))
    try:
        with np.errstate(all="ignore"):
            answer = functions[function](frame)
            columns = to_columns(answer, frame.index, place)
    except (KeyboardInterrupt, InputError):
        raise
    except BaseException as error:
        where = _line_in(plugin.path, error)
        at = f"{plugin.path}:{where} {function}" if where else place
        found = f"{_words(error)}, for {symbol}"
        raise InputError(Problem("plugin-failed", at, found, "a column of numbers for any candles", HELP)) from None
    if not frame.equals(frame_of(market, row)):
        help_line = "start with `frame = frame.copy()`, or assign to new names"
        raise InputError(Problem("plugin-changes-input", place, "its frame changed", "a frame left alone", help_line))
    return columns


def _twice(plugin: Plugin, function: str, name: str) -> Problem:
    return Problem("plugin-output", plugin.place(function), f"{name} again", "each column from one function", HELP)


def disagreement(path: Path, registered: Sequence[str], built: Sequence[str]) -> list[Problem]:
    """Columns of the plug-in `path` without an entry in its registry, and entries without a column."""
    registry = path.with_suffix(".yml")
    missing = [
        Problem(
            "feature-without-function",
            f"{registry} {name}",
            f"no function of {path.name} returns it",
            "a column for every entry",
            nearest(name, built),
        )
        for name in registered
        if name not in built
    ]
    extra = [
        Problem(
            "feature-without-entry",
            f"{registry} {name}",
            f"a column of {path.name}, but not registered",
            "an entry for every column",
            nearest(name, registered),
        )
        for name in built
        if name not in registered
    ]
    return [*missing, *extra]


class _Source(importlib.machinery.SourceFileLoader):
    """Runs the source as it is now: no bytecode is read, and none is left in the folder."""

    def path_stats(self, path: str) -> Mapping[str, Any]:
        raise OSError(f"no bytecode of {path}")


def _run_file(path: Path) -> ModuleType:
    """The module of a plug-in's file, run anew; it stays out of the interpreter's modules."""
    name = f"candlelock_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_Source(name, str(path)))
    if spec is None or spec.loader is None:
        raise InputError(Problem("plugin-import", str(path), "no Python file", "a plug-in's Python file", HELP))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # as classes of the file expect while it runs
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        where = _line_in(path, error)
        at = f"{path}:{where}" if where else str(path)
        raise InputError(Problem("plugin-import", at, _words(error), "a file that Python can run", HELP)) from None
    finally:
        sys.modules.pop(name, None)
    return module


def _functions(module: ModuleType) -> dict[str, Function]:
    """The functions written in the file, in its order, less those with a leading underscore; each once."""
    found: dict[str, Function] = {}
    for name, each in vars(module).items():
        is_public = inspect.isfunction(each) and each.__module__ == module.__name__ and not name.startswith("_")
        if is_public and each not in found.values():
            found[name] = each
    return found


def _line_in(path: Path, error: BaseException) -> int | None:
    """The line of the file where an error arose, or that called what raised it; None when it is elsewhere."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    lines = [each.lineno for each in traceback.extract_tb(error.__traceback__) if each.filename == str(path)]
    return lines[-1] if lines else None


def _words(error: BaseException) -> str:
    message = str(error.msg if isinstance(error, SyntaxError) else error)
    return f"{type(error).__name__}: {' '.join(message.split())[:200]}"
