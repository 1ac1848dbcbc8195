"""The audit finds each planted disagreement between feature tables and the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from candlelock.contracts.errors import InputError
from candlelock.contracts.registry import Feature
from candlelock.features.audit import disagreements, refuse_disagreement, summarise
from tests.markets import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Callable

TIME = pa.timestamp("ms", "UTC")
N_BARS, WARMUP = 30, 5
FIELDS = {"group": "trend", "dtype": "float64", "unit": "1", "available_at": "close", "formula": "x"}
ENTRIES = tuple(
    Feature.model_validate({"name": name, "warmup_bars": warmup, **FIELDS})
    for name, warmup in (("now_1", 0), ("past_5", WARMUP))
)


def table(gaps: tuple[int, ...] = (), first_known: int = WARMUP) -> pa.Table:
    """Bars without those in `gaps`; `past_5` is known from bar `first_known` of the grid on."""
    bars = [bar for bar in range(N_BARS) if bar not in gaps]
    columns = {
        "open_time_utc": pa.array([bar * HOUR_MS for bar in bars], TIME),
        "now_1": pa.array([float(bar) for bar in bars]),
        "past_5": pa.array([float(bar) if bar >= first_known else None for bar in bars], pa.float64()),
    }
    return pa.table(columns)


@pytest.mark.parametrize("gaps", [(), (1,), (2, 3), (4,), (5,), (1, 2, 3, 4), (20,)])
def test_a_table_that_agrees_has_no_disagreement(gaps: tuple[int, ...]) -> None:
    assert disagreements({"A": table(gaps), "B": table()}, ENTRIES) == []


@pytest.mark.parametrize(("gaps", "row"), [((), 4), ((1,), 3), ((2, 3), 2), ((20,), 4)])
def test_a_value_one_bar_inside_the_warm_up_is_found_also_behind_gaps(gaps: tuple[int, ...], row: int) -> None:
    found = disagreements({"A": table(), "B": table(gaps, first_known=WARMUP - 1)}, ENTRIES)
    assert found == [f"B past_5: a value in row {row}, inside its warm-up of 5 bars"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop_columns("now_1"), "missing ['now_1']"),
        (lambda t: t.append_column("more_1", t["now_1"]), "unknown ['more_1']"),
        (lambda t: t.select(["open_time_utc", "past_5", "now_1"]), "the order"),
        (lambda t: t.set_column(1, "now_1", t["now_1"].cast("float32")), "float"),
        (lambda t: t.take([1, 0, *range(2, N_BARS)]), "a key equal to or before"),
        (lambda t: t.set_column(1, "now_1", pa.array([np.inf] * N_BARS)), "NaN or infinity"),
    ],
    ids=["missing", "extra", "order", "type", "unsorted", "infinite"],
)
def test_a_table_of_another_shape_is_found_and_named(change: Callable[[pa.Table], pa.Table], said: str) -> None:
    (found,) = disagreements({"A": table(), "B": change(table())}, ENTRIES)
    assert found.startswith("B")
    assert said in found


def test_a_feature_without_any_value_is_found() -> None:
    found = disagreements({"A": table(first_known=N_BARS)}, ENTRIES)
    assert found == ["A past_5: no value in any row"]


def test_tables_that_disagree_are_refused_with_everything_that_disagrees() -> None:
    refuse_disagreement({"A": table()}, ENTRIES)
    with pytest.raises(InputError) as caught:
        refuse_disagreement({"A": table(first_known=N_BARS), "B": table(first_known=4)}, ENTRIES)
    assert [(p.code, p.found[:8]) for p in caught.value.problems] == [
        ("features-disagree", "A past_5"),
        ("features-disagree", "B past_5"),
    ]


def test_the_summary_counts_nulls_past_the_warm_up_only() -> None:
    tables = {"A": table(first_known=8), "B": table(gaps=(1, 2), first_known=7)}
    now, past = summarise(ENTRIES, tables)
    assert (now.name, now.warmup_bars, now.n_null_after_warmup) == ("now_1", 0, 0)
    assert (past.group, past.unit, past.n_null_after_warmup) == ("trend", "1", 3 + 2)
