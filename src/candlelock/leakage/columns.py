"""Somebody's training table as an AuditTable, or everything that is wrong with its columns at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.contracts.errors import InputError, Problem, nearest, raise_if
from candlelock.leakage.rows import LEFT_OUT, LabelledRows, when
from candlelock.leakage.table import AuditTable
from candlelock.leakage.table_file import read_table
from candlelock.leakage.table_times import read_times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from candlelock.leakage.rows import Times
    from candlelock.leakage.table_times import ColumnTimes

    Floats = npt.NDArray[np.float64]
    Numbers = npt.NDArray[np.int64]

PARTS = ("train", "validation", "calibrate", "decide", "test")  # in the order of time that they claim
PART_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("calibrate", "calibration"), "calibrate"),
    "decide": "decide",
    **dict.fromkeys(("test", "testing", "holdout", "oos"), "test"),
}
NO_PART = ("", "purged", "embargo", "none", "unused")
INDEX = "__index_level_"  # how a file names a pandas index without a name
END_WORDS = ("end", "exit", "until", "known", "touch", "close_time", "t1")


@dataclass(frozen=True)
class ColumnNames:
    """What the columns of a table are called. `symbol` None: one symbol. `features` None: all other numeric columns."""

    time: str
    label: str
    label_end: str | None
    split: str
    symbol: str | None = None
    features: tuple[str, ...] | None = None

    @property
    def roles(self) -> dict[str, str]:
        """Option -> column, of those that are no features."""
        named = {"--time": self.time, "--label": self.label, "--label-end": self.label_end, "--split": self.split}
        return {option: name for option, name in (named | {"--symbol": self.symbol}).items() if name is not None}


def read_audit_table(path: Path, names: ColumnNames) -> AuditTable:
    """The table of a file. Raises InputError with all problems: of the column names, then of what the columns hold,
    then of the rows' order.
    """
    table = read_table(path, {name for option, name in names.roles.items() if option != "--label"})
    raise_if(list(_wrong_names(table, names)))
    times, ends, (symbols, symbol), part, label, (features, values) = _all(
        lambda: _decisions(table[names.time], names.time),
        lambda: read_times(table[names.label_end], str(names.label_end)),
        lambda: _symbols(table, names.symbol),
        lambda: _parts(table[names.split], names.split),
        lambda: _label(table[names.label], names.label),
        lambda: _features(table, names),
    )
    raise_if(
        [
            *_odd_zones(times, ends, names),
            *_disorder(times.ms, symbol, symbols, names),
            *_too_little(label, part, names),
        ]
    )
    used = np.unique(part[part != LEFT_OUT])
    number = np.full(len(PARTS) + 1, LEFT_OUT)  # the last is that of rows left out
    number[used] = np.arange(len(used))
    is_known = ~np.isnan(label) & ends.is_there
    part_names = tuple(PARTS[each] for each in used)
    rows = LabelledRows(symbols, symbol, times.ms, ends.ms, is_known, part_names, number[part])
    return AuditTable(rows, label, features, values, tuple(_notes(times, ends, names)))


def _all(*readers: Callable[[], Any]) -> list[Any]:
    """What each of them returns; InputError with the problems of all."""
    results, problems = [], list[Problem]()
    for read in readers:
        try:
            results.append(read())
        except InputError as error:
            problems += error.problems
    raise_if(problems)
    return results


def _wrong_names(table: pa.Table, names: ColumnNames) -> Iterator[Problem]:
    known, named = table.column_names, list(names.roles.values())
    if names.label_end is None:
        close = [name for name in known if any(word in name.lower() for word in END_WORDS) and name != names.time]
        help_line = (
            f"it may be {' or '.join(close[:5])}" if close else "write when the last price of each label is known"
        )
        yield Problem("audit-table-column", "--label-end", "no column named", "when each label is known", help_line)
    wanted = [*names.roles.items(), *(("--features", name) for name in names.features or ())]
    for option, name in wanted:
        if name not in known:
            yield Problem("audit-table-column", option, repr(name), "a column of the table", nearest(name, known))
    for name in sorted({name for name in named if named.count(name) > 1} | (set(named) & set(names.features or ()))):
        options = ", ".join(option for option, each in wanted if each == name)
        expected = "each column in one place"
        yield Problem("audit-table-column", options, repr(name), expected, "name another column for one of them")


def _decisions(column: pa.ChunkedArray, name: str) -> ColumnTimes:
    times = read_times(column, name)
    if not times.is_there.all():
        missing = np.flatnonzero(~times.is_there)
        found = f"none in {len(missing):,} rows, first in row {missing[0]}"
        raise InputError(Problem("audit-table-time", name, found, "a time in every row", "leave such rows out"))
    return times


def _odd_zones(times: ColumnTimes, ends: ColumnTimes, names: ColumnNames) -> Iterator[Problem]:
    if {times.kind, ends.kind} == {"zoned", "naive"} and ends.is_there.any():
        found = f"{times.kind} and {ends.kind} times"
        place, help_line = f"{names.time}, {names.label_end}", "give both a zone, or neither: then both are UTC"
        yield Problem("audit-table-zones", place, found, "both with a zone, or both without", help_line)


def _notes(times: ColumnTimes, ends: ColumnTimes, names: ColumnNames) -> Iterator[str]:
    for name, each in ((names.time, times), (names.label_end, ends)):
        if each.kind != "zoned" and each.is_there.any():
            how = "has no zone and is taken as UTC" if each.kind == "naive" else f"is taken as {each.kind} since 1970"
            yield f"{name} {how}"


def _symbols(table: pa.Table, name: str | None) -> tuple[tuple[str, ...], Numbers]:
    if name is None:
        return ("",), np.zeros(table.num_rows, np.int64)
    column = table[name]
    if column.null_count:
        row = int(np.argmax(np.asarray(pc.is_null(column).to_numpy())))
        found = f"none in {column.null_count:,} rows, first in row {row}"
        raise InputError(Problem("audit-table-symbol", name, found, "a symbol in every row", "leave such rows out"))
    values, numbers = _encoded(column)
    return tuple(values), numbers


def _encoded(column: pa.ChunkedArray) -> tuple[list[str], Numbers]:
    """Different texts of a column, sorted, and each row's number among them; missing is the empty text."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    texts = pc.fill_null(column.cast(kind).cast(pa.string()), "").combine_chunks().dictionary_encode()
    values = texts.dictionary.to_pylist()
    order = np.argsort(np.array(values, dtype=object), kind="stable")
    rank = np.empty(len(values), np.int64)
    rank[order] = np.arange(len(values))
    return [values[each] for each in order], rank[texts.indices.to_numpy()]


def _parts(column: pa.ChunkedArray, name: str) -> Numbers:
    """Number of each row's part in PARTS; LEFT_OUT in none."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_null(kind) or "string" in str(kind)):
        help_line = "write the parts' names: train, validation, calibrate, decide, test; null for rows left out"
        raise InputError(Problem("audit-table-split", name, f"values of type {kind}", "names of parts", help_line))
    values, numbers = _encoded(column)
    known = {value: value.strip().lower() for value in values}
    counts = np.bincount(numbers, minlength=len(values))
    raise_if(
        [
            Problem(
                "audit-table-split",
                name,
                f"{value!r} in {counts[at]:,} rows, first in row {int(np.argmax(numbers == at))}",
                "train, validation, calibrate, decide, test, or none for rows left out",
                nearest(known[value], [*PART_NAMES, *NO_PART[1:]]),
            )
            for at, value in enumerate(values)
            if known[value] not in (*PART_NAMES, *NO_PART)
        ]
    )
    part_of = [PARTS.index(PART_NAMES[known[each]]) if known[each] in PART_NAMES else LEFT_OUT for each in values]
    return np.array(part_of, np.int64)[numbers]


def _label(column: pa.ChunkedArray, name: str) -> Floats:
    if not _is_number(column.type):
        expected, help_line = "numbers or truth values", "write classes as numbers, such as -1, 0, 1"
        raise InputError(Problem("audit-table-label", name, f"values of type {column.type}", expected, help_line))
    label = _floats(column)
    if np.isinf(label).any():
        found = f"{int(np.isinf(label).sum()):,} infinite values, first in row {int(np.argmax(np.isinf(label)))}"
        raise InputError(Problem("audit-table-label", name, found, "finite values", "mend them, or leave them null"))
    return label


def _features(table: pa.Table, names: ColumnNames) -> tuple[tuple[str, ...], Floats]:
    """Names of the features and their values, (n_rows, n_features), NaN for null."""
    roles, kinds = set(names.roles.values()), dict(zip(table.column_names, table.schema.types, strict=True))
    chosen = names.features
    if chosen is None:
        chosen = tuple(each for each in kinds if _is_number(kinds[each]) and each not in roles and INDEX not in each)
    help_line = "name the columns of numbers with --features"
    problems = [
        Problem("audit-table-feature", each, f"values of type {kinds[each]}", "numbers", help_line)
        for each in chosen
        if not _is_number(kinds[each])
    ]
    if not chosen:
        problems.append(Problem("audit-table-feature", "--features", "no column of numbers", "one or more", help_line))
    raise_if(problems)
    values = np.empty((table.num_rows, len(chosen)), order="F")
    for at, name in enumerate(chosen):
        values[:, at] = _floats(table[name])
        is_infinite = np.isinf(values[:, at])
        if is_infinite.any():
            found = f"{int(is_infinite.sum()):,} infinite values, first in row {int(np.argmax(is_infinite))}"
            expected = "finite numbers, or null where there is none"
            problems.append(Problem("audit-table-feature", name, found, expected, "mend its formula: most often a / 0"))
    raise_if(problems)
    return chosen, values


def _disorder(times: Times, symbol: Numbers, symbols: Sequence[str], names: ColumnNames) -> Iterator[Problem]:
    place = names.time if names.symbol is None else f"{names.symbol}, {names.time}"
    order = np.argsort(symbol, kind="stable")
    is_same, steps = np.diff(symbol[order]) == 0, np.diff(times[order])
    back = np.flatnonzero(is_same & (steps < 0))
    if len(back):
        at = back[np.argmin(order[back + 1])]
        row, before = order[at + 1], order[at]
        found = f"row {row} {symbols[symbol[row]]} of {when(times[row])} after row {before} of {when(times[before])}"
        help_line = "sort the table by symbol and time, so that row numbers say something"
        yield Problem("audit-table-unsorted", place, found, "each symbol's rows in the order of time", help_line)
    order = np.lexsort((times, symbol))
    twice = np.flatnonzero((np.diff(symbol[order]) == 0) & (np.diff(times[order]) == 0))
    if len(twice):
        at = twice[np.argmin(order[twice + 1])]
        row, before = order[at + 1], order[at]
        key = f"{symbols[symbol[row]]} {when(times[row])}".strip()
        found = f"row {row} has the key of row {before}, {key}; {len(twice):,} such rows"
        help_line = "keep one row of each key; where rows of several symbols are mixed, name --symbol"
        yield Problem("audit-table-duplicate", place, found, "each symbol and time once", help_line)


def _too_little(label: Floats, part: Numbers, names: ColumnNames) -> Iterator[Problem]:
    parts = [PARTS[each] for each in np.unique(part[part != LEFT_OUT])]
    if len(parts) < 2:
        found = f"only {parts[0]}" if parts else "no part"
        yield Problem("audit-table-split", names.split, found, "two parts or more", "give the rows of all parts")
    values = np.unique(label[(part != LEFT_OUT) & ~np.isnan(label)])
    if len(values) < 2:
        found = f"{values[0]:g} in every row of a part" if len(values) else "no known label in any part"
        yield Problem("audit-table-label", names.label, found, "two values or more", "name the column of the labels")
        return
    for number in np.unique(part[part != LEFT_OUT]).tolist():
        if np.isnan(label[part == number]).all():
            found = f"no known label in {PARTS[number]}, of {int((part == number).sum()):,} rows"
            help_line = "give the labels of every part, or leave its rows out: nothing in the column of the split"
            yield Problem("audit-table-label", names.label, found, "labels in every part", help_line)


def _is_number(kind: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return any(test(kind) for test in tests)


def _floats(column: pa.ChunkedArray) -> Floats:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), np.nan).to_numpy(), dtype=np.float64)
