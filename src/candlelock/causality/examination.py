"""What is examined, and the reference every check compares with: the features of all candles, built once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from candlelock.causality.comparison import PLUGIN_RTOL, differences, spread
from candlelock.contracts.errors import CandlelockError
from candlelock.features.market import first_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from candlelock.causality.comparison import Mask
    from candlelock.contracts.causality_documents import Code
    from candlelock.contracts.registry import Feature
    from candlelock.features.market import Array, Market

Numbers = npt.NDArray[np.int64]
MAX_AT_ONCE = 2_000_000  # values compared in one go, so that a whole history needs no second copy


FAILURES: Mapping[str, Code] = {"plugin-unsteady": "not-deterministic", "plugin-changes-input": "candles-changed"}


class Build(Protocol):
    """Builds features of any market: name -> float64 array (n_symbols, n_bars), NaN where unknown."""

    def __call__(self, market: Market, entries: Sequence[Feature]) -> Mapping[str, Array]: ...


class Row(Protocol):
    """What a stream yields for a bar of a symbol: values float64 (n_features,) in the order of the entries."""

    @property
    def symbol(self) -> str: ...
    @property
    def open_time_ms(self) -> int: ...
    @property
    def values(self) -> Array: ...


class Stream(Protocol):
    """Takes one closed bar of one symbol at a time."""

    def push(self, symbol: str, open_time_ms: int, bar: Mapping[str, float]) -> Sequence[Row]: ...
    def save(self, path: Path) -> None: ...


class Streams(Protocol):
    """Opens streams of some features, and loads saved ones."""

    def open(self, symbols: Sequence[str], bar_ms: int, entries: Sequence[Feature]) -> Stream: ...
    def load(self, path: Path, entries: Sequence[Feature]) -> Stream: ...


@dataclass(frozen=True)
class Origin:
    """Where a piece of a plug-in's code comes from."""

    path: Path
    functions: tuple[str, ...]


@dataclass(frozen=True)
class Subject:
    """Features and the ways to build them.

    `units`: feature -> the piece of a plug-in's code that builds it, by any name; the library's features are not in it.
    `origins`: where a process of its own finds each piece.
    """

    entries: tuple[Feature, ...]
    build: Build
    streams: Streams | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def by_unit(self) -> list[tuple[Feature, ...]]:
        """The features, those that one piece of code builds together."""
        units = dict.fromkeys(self.units.get(entry.name, "") for entry in self.entries)
        return [tuple(entry for entry in self.entries if self.units.get(entry.name, "") == unit) for unit in units]


@dataclass(frozen=True)
class Built:
    """Features that could be built, by their numbers; each value array has the shape (n_symbols, n_bars)."""

    which: Numbers
    values: list[Array]

    def until(self, n_bars: int) -> Built:
        """The first `n_bars` bars."""
        return Built(self.which, [each[:, :n_bars] for each in self.values])

    def shared_with(self, other: Built) -> Built:
        """Only the features that `other` has, too."""
        kept = [at for at, number in enumerate(self.which) if number in other.which]
        return Built(self.which[kept], [self.values[at] for at in kept])


@dataclass(frozen=True)
class Examination:
    """Features with their values on all candles: `values` (n_features, n_symbols, n_bars).

    `warmup`: look-back in bars. `tolerance`: what counts as no difference; 0 for the same bits.
    """

    subject: Subject
    market: Market
    entries: tuple[Feature, ...]
    values: Array
    warmup: Numbers
    tolerance: Array
    seed: int

    @classmethod
    def of(cls, subject: Subject, market: Market, values: Array, seed: int) -> Examination:
        """Warm-ups and tolerances of the subject's features in this market."""
        entries = subject.entries
        is_own = [entry.name in subject.units for entry in entries]
        room = [PLUGIN_RTOL * spread(each) if own else 0.0 for own, each in zip(is_own, values, strict=True)]
        warmup = np.array([entry.warmup(market.bar_ms) for entry in entries], dtype=np.int64)
        return cls(subject, market, entries, values, warmup, np.array(room, dtype=np.float64), seed)

    @property
    def n_bars(self) -> int:
        """Bars of the market."""
        return len(self.market.open_time_ms)

    @property
    def everything(self) -> Numbers:
        """Numbers of all features."""
        return np.arange(len(self.entries))

    @property
    def longest(self) -> int:
        """The longest look-back, in bars."""
        return int(self.warmup.max(initial=0))

    def without(self, numbers: Sequence[int]) -> Examination:
        """The examination of what is left when the features `numbers` are out."""
        which = np.setdiff1d(self.everything, np.array(numbers, dtype=np.int64))
        if len(which) == len(self.entries):
            return self
        return replace(
            self,
            entries=tuple(self.entries[number] for number in which),
            values=self.values[which],
            warmup=self.warmup[which],
            tolerance=self.tolerance[which],
        )

    def units(self, which: Sequence[int] | Numbers) -> dict[str, Numbers]:
        """Numbers of features by the code that builds them: "" for the library's, else a unit of a plug-in."""
        found: dict[str, list[int]] = {}
        for number in which:
            found.setdefault(self.subject.units.get(self.entries[number].name, ""), []).append(int(number))
        return {unit: np.array(numbers, dtype=np.int64) for unit, numbers in found.items()}

    def known_from(self, market: Market, which: Numbers) -> Numbers:
        """First bar at which each feature may have a value in `market`: (n_features, n_symbols)."""
        return np.asarray(first_bars(market)[None, :] + self.warmup[which][:, None])

    def differ(self, number: int, now: Array, before: Array) -> bool:
        """Whether two arrays of values of one feature differ."""
        shape = (1, 1, -1)
        return differences(now.reshape(shape), before.reshape(shape), self.tolerance[[number]]) is not None


@dataclass(frozen=True)
class Violation:
    """A row at which a feature broke a rule; `symbol` and `bar` are numbers in the market, None for no single row."""

    code: Code
    symbol: int | None
    bar: int | None
    detail: str


class Probe:
    """One check while it runs: it builds, compares, counts, and keeps each feature's first violation."""

    def __init__(self, exam: Examination, progress: Callable[[float], None]) -> None:
        self.exam = exam
        self.progress = progress
        self.n_compared = np.zeros(len(exam.entries), dtype=np.int64)
        self.violations: dict[int, Violation] = {}

    def build(self, market: Market, which: Numbers) -> Built:
        """Features of a market. A plug-in that raises is a violation of its features, which are then left out."""
        done: list[int] = []
        values: list[Array] = []
        for unit, numbers in self.exam.units(which).items():
            wanted = tuple(self.exam.entries[number] for number in numbers)
            try:
                values += build_values(self.exam.subject, market, wanted)
                done += numbers.tolist()
            except Exception as error:
                if not unit:
                    raise
                found = failure(error, market)
                for number in numbers.tolist():
                    self.violate(number, found)
        return Built(np.array(done, dtype=np.int64), values)

    def compare(
        self,
        now: Built,
        first: int,
        code: Code,
        note: str,
        usable: Mask | None = None,
        against: Built | None = None,
        tolerance: Array | None = None,
    ) -> None:
        """Compare a build, whose first bar is the market's bar `first`, with the reference or with another build.

        `usable` (n_features, n_symbols, n_bars): what counts; everything if None. `tolerance` of every feature of the
        examination, if not its own.
        """
        room = self.exam.tolerance if tolerance is None else tolerance
        end = first + (now.values[0].shape[1] if now.values else 0)
        for part in _parts(now):
            numbers, later = now.which[part], np.stack(now.values[part])
            before = self.exam.values[numbers, :, first:end] if against is None else np.stack(against.values[part])
            counts = ~np.isnan(before) if usable is None else usable[part] & ~np.isnan(before)
            self.n_compared[numbers] += counts.sum(axis=(1, 2))
            is_other = differences(later, before, room[numbers])
            if is_other is not None and usable is not None:
                is_other &= usable[part]
            if is_other is not None and is_other.any():
                self._record(numbers, is_other, (before, later), first, code, note)

    def _record(
        self, numbers: Numbers, is_other: Mask, values: tuple[Array, Array], first: int, code: Code, note: str
    ) -> None:
        for at in np.flatnonzero(is_other.any(axis=(1, 2))).tolist():
            bar = int(is_other[at].any(axis=0).argmax())
            symbol = int(is_other[at, :, bar].argmax())
            before, now = (as_text(each[at, symbol, bar]) for each in values)
            self.violate(int(numbers[at]), Violation(code, symbol, first + bar, f"{note}: {before} became {now}"))

    def violate(self, number: int, found: Violation) -> None:
        """Keep a feature's violation unless an earlier row, or an error, is known already."""
        known = self.violations.get(number)
        if known is None or (_when(found), found.symbol or 0) < (_when(known), known.symbol or 0):
            self.violations[number] = found


def _when(found: Violation) -> int:
    return -1 if found.bar is None else found.bar


def _parts(built: Built) -> Iterator[slice]:
    size = built.values[0].size if built.values else 1
    step = max(1, MAX_AT_ONCE // max(size, 1))
    for start in range(0, len(built.values), step):
        yield slice(start, start + step)


def build_values(subject: Subject, market: Market, entries: Sequence[Feature]) -> list[Array]:
    """The values of some features, in their order; ValueError where they do not fit the market."""
    built = subject.build(market, entries)
    values = [built[entry.name] for entry in entries]
    wrong = [each for each in values if each.shape != market.close.shape or each.dtype != np.float64]
    if wrong:
        raise ValueError(f"{wrong[0].dtype} values of shape {wrong[0].shape}, not float64 of {market.close.shape}")
    return values


def failure(error: Exception, market: Market) -> Violation:
    """What a plug-in did instead of an answer."""
    n_bars = f"(on {len(market.open_time_ms):,} bars)"
    if not isinstance(error, CandlelockError):
        words = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return Violation("plugin-error", None, None, f"{words[:400]} {n_bars}")
    words = "; ".join(f"{problem.place}: {problem.found}" for problem in error.problems)
    code = FAILURES.get(error.problems[0].code, "plugin-error")
    return Violation(code, None, None, f"{words[:400]} {n_bars}")


def as_text(value: float) -> str:
    """A value in all its digits; `null` for NaN."""
    return "null" if np.isnan(value) else repr(float(value))
