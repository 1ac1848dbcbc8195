"""Schemas of the tables: column, type, unit, meaning, null rule, key, sort order. Checked on writing and reading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.contracts.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

TIME = pa.timestamp("ms", tz="UTC")


@dataclass(frozen=True)
class Column:
    """A column's contract. `dtype` None: an exact decimal of any scale."""

    name: str
    dtype: pa.DataType | None
    unit: str
    description: str
    nullable: bool = False

    def field(self, actual: pa.DataType) -> pa.Field:
        """The arrow field, with unit and description in the file itself."""
        return pa.field(self.name, actual, self.nullable, {"unit": self.unit, "description": self.description})


@dataclass(frozen=True)
class TableSchema:
    """A table's contract. Rows are unique in `key` and sorted by it.

    `is_series`: neighbouring rows are close to each other in every column, and the file is packed for that.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    is_series: bool = False

    def problems(self, table: pa.Table, place: str) -> list[Problem]:
        """Everything in which `table` breaks the contract."""
        expected = [column.name for column in self.columns]
        if table.column_names != expected:
            missing, extra = (
                [n for n in expected if n not in table.column_names],
                [n for n in table.column_names if n not in expected],
            )
            found = f"missing {missing}, unknown {extra}" if missing or extra else f"the order {table.column_names}"
            return [self._problem("columns", place, found, f"columns {expected}")]
        found_problems = [
            p for column in self.columns for p in self._column_problems(column, table[column.name], place)
        ]
        return found_problems or self._order_problems(table, place)

    def table(self, columns: Sequence[Any]) -> pa.Table:
        """Columns of values, in the schema's order and types; every type is given."""
        fields = [column.field(column.dtype) for column in self.columns]
        arrays = [pa.array(values, field.type) for field, values in zip(fields, columns, strict=True)]
        return pa.Table.from_arrays(arrays, schema=pa.schema(fields))

    def _column_problems(self, column: Column, values: pa.ChunkedArray, place: str) -> list[Problem]:
        at = f"{place} column {column.name}"
        is_right = pa.types.is_decimal(values.type) if column.dtype is None else values.type == column.dtype
        if not is_right:
            return [self._problem("type", at, str(values.type), str(column.dtype or "an exact decimal"))]
        out = []
        if values.null_count and not column.nullable:
            row = int(np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False))[0])
            out.append(self._problem("null", at, f"{values.null_count} nulls, the first in row {row}", "no nulls"))
        if (
            pa.types.is_floating(values.type)
            and not pc.all(pc.is_finite(values.drop_null())).as_py()
            and len(values.drop_null())
        ):
            out.append(self._problem("not-finite", at, "NaN or infinity", "finite numbers or null"))
        return out

    def _order_problems(self, table: pa.Table, place: str) -> list[Problem]:
        if table.num_rows < 2:
            return []
        ascending = np.zeros(table.num_rows - 1, dtype=bool)
        tied = np.ones(table.num_rows - 1, dtype=bool)
        for name in self.key:
            codes = _sortable(table[name])
            ascending |= tied & (codes[1:] > codes[:-1])
            tied &= codes[1:] == codes[:-1]
        if ascending.all():
            return []
        row = int(np.flatnonzero(~ascending)[0]) + 1
        return [
            self._problem(
                "order",
                f"{place} row {row}",
                "a key equal to or before the row above",
                f"rows unique in and sorted by {', '.join(self.key)}",
            )
        ]

    def _problem(self, kind: str, place: str, found: str, expected: str) -> Problem:
        return Problem(f"table-{kind}", place, found, f"{self.name}: {expected}", "rebuild the table with `dvc repro`")


def _sortable(values: pa.ChunkedArray) -> np.ndarray:
    """Values as an array that compares in the key's order."""
    if pa.types.is_timestamp(values.type) or pa.types.is_integer(values.type):
        return np.asarray(values.cast(pa.int64()).to_numpy())
    coded = values.combine_chunks().dictionary_encode()
    rank = np.argsort(np.argsort(np.asarray(coded.dictionary.to_numpy(zero_copy_only=False)).astype(str)))
    return np.asarray(rank[coded.indices.to_numpy()])


OPEN_TIME = Column("open_time_utc", TIME, "UTC time", "when the bar opens; it is known from its close on")
SYMBOL = Column("symbol", pa.string(), "BASE/QUOTE", "what is traded")

CANDLES = TableSchema(
    "candles",
    (
        OPEN_TIME,
        Column("open", None, "quote currency", "first price of the bar, exactly as printed"),
        Column("high", None, "quote currency", "highest price of the bar"),
        Column("low", None, "quote currency", "lowest price of the bar"),
        Column("close", None, "quote currency", "last price of the bar"),
        Column("volume", None, "base currency", "amount traded in the bar"),
    ),
    key=("open_time_utc",),
    is_series=True,
)

# Kept where the source has them.
EXTRA_COLUMNS = (
    Column("quote_volume", None, "quote currency", "optional: money traded in the bar"),
    Column("n_trades", pa.int64(), "trades", "optional: number of trades in the bar"),
    Column("taker_buy_volume", None, "base currency", "optional: part of volume that takers bought"),
    Column("taker_buy_quote_volume", None, "quote currency", "optional: part of quote_volume that takers paid"),
    Column("vwap", None, "quote currency", "optional: mean price of the bar's trades by volume; 0 where there is none"),
)


def candles_schema(names: Collection[str]) -> TableSchema:
    """CANDLES with those extra columns that are among `names`, in the order of EXTRA_COLUMNS."""
    extras = tuple(column for column in EXTRA_COLUMNS if column.name in names)
    return replace(CANDLES, columns=(*CANDLES.columns, *extras))


ROWS = TableSchema(
    "rows",
    (
        SYMBOL,
        OPEN_TIME,
        Column("decision_time_utc", TIME, "UTC time", "the bar's close: when a prediction can be made"),
        Column("label_end_utc", TIME, "UTC time", "close of the last bar the label looks at: when it becomes known"),
        Column(
            "is_up",
            pa.bool_(),
            "1",
            "label, by the kind of the head (docs/labels.md): up, or down; null if unknown",
            nullable=True,
        ),
        Column(
            "share_above",
            pa.float64(),
            "fraction",
            "of the closes up to the label's, how many are above this one, equal ones half: what models learn of the "
            "label where the head learns the path; null if the label is unknown, and for other heads",
            nullable=True,
        ),
        Column(
            "value",
            pa.float64(),
            "by the kind of the head",
            "label of a head of values (docs/labels.md), above zero where is_up; null if unknown, and for other heads",
            nullable=True,
        ),
        Column(
            "past_value",
            pa.float64(),
            "by the kind of the head",
            "the same of the horizon behind; null if unknown, and for other heads",
            nullable=True,
        ),
        Column("past_return", pa.float64(), "log return", "close against the close one horizon earlier", nullable=True),
        Column(
            "future_return", pa.float64(), "log return", "close after the horizon against this close", nullable=True
        ),
        Column(
            "segment",
            pa.string(),
            "1",
            "train, calibrate, decide or test; null where purged or embargoed",
            nullable=True,
        ),
        Column(
            "fold",
            pa.int32(),
            "1",
            "walk-forward fold that validates the row (1…); 0 in train before the first; null elsewhere",
            nullable=True,
        ),
    ),
    key=("symbol", "open_time_utc"),
)

PREDICTIONS = TableSchema(
    "predictions",
    (
        SYMBOL,
        OPEN_TIME,
        Column("segment", pa.string(), "1", "calibrate, decide or test"),
        Column("p_up_raw", pa.float64(), "probability", "of the ensemble or the member used, before calibration"),
        Column("p_up", pa.float64(), "probability", "calibrated"),
        Column("confidence", pa.float64(), "probability", "of the likelier direction: the larger of p_up and 1 - p_up"),
        Column("member_spread", pa.float64(), "probability", "standard deviation over the members' raw probabilities"),
        Column("disagreement", pa.float64(), "fraction", "share of the members on the side of the fewer, at p 0.5"),
        Column(
            "may_be_up",
            pa.bool_(),
            "1",
            "test rows: up is in the conformal set; null elsewhere",
            nullable=True,
        ),
        Column(
            "may_be_down", pa.bool_(), "1", "test rows: down is in the conformal set; null elsewhere", nullable=True
        ),
        *(
            Column(
                name, pa.float64(), "by the kind of the head", f"heads of values: {what}; null elsewhere", nullable=True
            )
            for name, what in (
                ("predicted_value", "the value foretold"),
                ("value_low", "test rows: lower end of the conformal interval; null where it has none"),
                ("value_high", "test rows: upper end of it"),
            )
        ),
        Column(
            "has_signal", pa.bool_(), "1", "p_up reaches the trading threshold, and no abstention; the head is traded"
        ),
    ),
    key=("symbol", "open_time_utc"),
)


FITS = TableSchema(
    "fits",
    (
        Column("fit", pa.string(), "1", "what was fitted, and on which part: a step, a member, the stack …"),
        Column("use", pa.string(), "1", "what the rows were for: fit, stop, choose, predict, follow or judge"),
        Column("first_row", pa.int32(), "row", "number in the split table, from 0, of the first of some rows in a run"),
        Column("n_rows", pa.int32(), "rows", "how many consecutive rows of the split table"),
        Column(
            "values_sha256",
            pa.string(),
            "1",
            "digest of what was handed over in 512 of the fit's rows; null where that is proven otherwise",
            nullable=True,
        ),
    ),
    key=("fit", "use", "first_row"),
)

BASELINES = ("logistic",)  # trained whether members or not


def with_baselines(members: Sequence[str]) -> list[str]:
    """Every learner that is trained: the members in their order, then the baselines that are none."""
    return [*members, *(name for name in BASELINES if name not in members)]


def member_predictions(learners: Sequence[str], *, are_values: bool = False) -> TableSchema:
    """Probabilities of each learner, members or baselines, `p_up_<learner>`; of a head of values `value_<learner>`."""
    unit, what = ("by the kind of the head", "value") if are_values else ("probability", "probability")
    start = "value" if are_values else "p_up"
    columns = [Column(f"{start}_{name}", pa.float64(), unit, f"raw {what} of {name}") for name in learners]
    segment = Column("segment", pa.string(), "1", "segment of the row; train rows are predicted out of fold")
    return TableSchema("member predictions", (SYMBOL, OPEN_TIME, segment, *columns), key=("symbol", "open_time_utc"))


MONEY = pa.decimal128(38, 8)
PRICE = pa.decimal128(38, 18)
