"""One function of somebody else's feature file, called with candles: its columns, and what is wrong with them."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from candlelock.contracts.errors import InputError, Problem
from candlelock.features.plugin_columns import to_columns
from candlelock.features.plugins import frame_of
from candlelock.leakage.module.guard import RefusedError
from candlelock.leakage.module.report import subject_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from candlelock.contracts.registry import Feature
    from candlelock.features.market import Array, Market

    Function = Callable[[pd.DataFrame], Any]
    Announce = Callable[[str], None]

HELP = "mend the function; it gets any candles, with gaps (NaN), and returns a number for each row"


@dataclass(frozen=True)
class Answer:
    """The columns a function returned for one symbol, float64 of length n_bars, and what is wrong with others.

    A column with infinity is in both: as NaN there. `is_frame_changed`: the function changed what it was given.
    """

    columns: dict[str, Array] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    is_frame_changed: bool = False


@dataclass(frozen=True)
class ModuleFunction:
    """A public function of the file. `announce` is called before every call with the function's name."""

    path: Path
    name: str
    function: Function
    announce: Announce
    columns: Mapping[str, str] = field(default_factory=dict)  # name of an examined feature -> the column it is

    @property
    def place(self) -> str:
        """File, line and name."""
        code = getattr(self.function, "__code__", None)
        return f"{self.path.name}:{code.co_firstlineno if code else 1} {self.name}"

    def subject(self, column: str) -> str:
        """What findings call a column."""
        return subject_of(self.name, column)

    def takes_a_frame(self) -> bool:
        """Whether it can be called with one argument and nothing else."""
        try:
            inspect.signature(self.function).bind(None)
        except TypeError:
            return False
        return True

    def ask(self, market: Market, row: int) -> Answer:
        """Call it with one symbol's candles. InputError when it raises, with the line, or names no column."""
        self.announce(self.name)
        frame = frame_of(market, row)
        given = frame.columns
        try:
            with np.errstate(all="ignore"):
                returned = self.function(frame)
                pairs = _named(returned, self.name, given)
        except BaseException as error:
            raise self._failed(error, market.symbols[row]) from error
        answer = Answer(is_frame_changed=not frame.equals(frame_of(market, row)))
        index = frame_of(market, row).index
        for name, values in pairs:
            _add(answer, name, values, index, self.place)
        return answer

    def __call__(self, market: Market, entries: Sequence[Feature]) -> Mapping[str, Array]:
        """The columns of `entries` for every symbol, (n_symbols, n_bars); InputError where one is missing."""
        answers = [self.ask(market, row).columns for row in range(len(market.symbols))]
        wanted = {entry.name: self.columns[entry.name] for entry in entries}
        lost = [column for column in wanted.values() if any(column not in each for each in answers)]
        if lost:
            found = f"no usable column {lost[0]} on {len(market.open_time_ms):,} bars"
            raise InputError(Problem("plugin-output", self.place, found, "the same columns of any candles", HELP))
        return {name: np.stack([each[column] for each in answers]) for name, column in wanted.items()}

    def _failed(self, error: BaseException, symbol: str) -> InputError:
        lines = [each.lineno for each in traceback.extract_tb(error.__traceback__) if each.filename == str(self.path)]
        place = f"{self.path.name}:{lines[-1]} {self.name}" if lines else self.place
        found = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}, for {symbol}"
        return InputError(Problem("plugin-failed", place, found, "columns of numbers for any candles", HELP))


def is_refusal(error: BaseException | None) -> bool:
    """Whether an error came of what the guard refused."""
    while error is not None:
        if isinstance(error, RefusedError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _named(returned: Any, function: str, given: pd.Index) -> list[tuple[str, Any]]:  # noqa: ANN401
    """Columns with their names; a single one without a name has the function's."""
    if isinstance(returned, pd.DataFrame):
        return [(str(name), returned.iloc[:, at]) for at, name in enumerate(returned.columns)]
    if isinstance(returned, Mapping):
        return [(str(name), values) for name, values in returned.items()]
    if isinstance(returned, pd.Series):  # what is computed from one column of the frame keeps that column's name
        is_own = returned.name is not None and returned.name not in given
        return [(str(returned.name) if is_own else function, returned)]
    if isinstance(returned, np.ndarray | list):
        return [(function, returned)]
    raise TypeError(f"returned a {type(returned).__name__}, not columns")


def _add(answer: Answer, name: str, values: Any, index: pd.Index, place: str) -> None:  # noqa: ANN401
    if name in answer.columns or name in answer.faults:
        answer.faults[name] = f"the column {name!r} again"
        return
    try:
        answer.columns.update(to_columns({name: values}, index, place))
    except InputError as error:
        answer.faults[name] = error.problems[0].found
        finite = _finite(values)
        if finite is not None and finite.shape == (len(index),):
            answer.columns[name] = finite


def _finite(values: Any) -> Array | None:  # noqa: ANN401
    """Numbers with NaN in place of infinity; None where they are no numbers, or all finite and wrong otherwise."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    is_infinite = np.isinf(array)
    return np.where(is_infinite, np.nan, array) if is_infinite.any() else None
