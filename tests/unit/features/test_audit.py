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
    Feature.model_validate({"name": name, "warmup_bars": warmup, "inputs": ["close"], **FIELDS})
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
    assert disagreements({"A": table(gaps), "B": table()}, ENTRIES, HOUR_MS) == []


@pytest.mark.parametrize(("gaps", "row"), [((), 4), ((1,), 3), ((2, 3), 2), ((20,), 4)])
def test_a_value_one_bar_inside_the_warm_up_is_found_also_behind_gaps(gaps: tuple[int, ...], row: int) -> None:
    found = disagreements({"A": table(), "B": table(gaps, first_known=WARMUP - 1)}, ENTRIES, HOUR_MS)
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
    (found,) = disagreements({"A": table(), "B": change(table())}, ENTRIES, HOUR_MS)
    assert found.startswith("B")
    assert said in found


def test_a_feature_without_any_value_is_found() -> None:
    found = disagreements({"A": table(first_known=N_BARS)}, ENTRIES, HOUR_MS)
    assert found == ["A past_5: no value in any row"]


def test_features_without_any_value_are_one_line_a_symbol() -> None:
    names = [f"none_{i}" for i in range(8)]
    entries = tuple(ENTRIES[0].model_copy(update={"name": name}) for name in names)
    times = table().column("open_time_utc")
    nothing = pa.table({"open_time_utc": times, **{name: pa.nulls(N_BARS, pa.float64()) for name in names}})
    found = disagreements({"A": nothing, "B": nothing}, entries, HOUR_MS)
    said = "none_0, none_1, none_2, none_3, none_4 and 3 more: no value in any row"
    assert found == [f"A {said}", f"B {said}"]


def ranged(low: float | None, high: float | None) -> tuple[Feature, ...]:
    """The entries, the first one with a range."""
    return (ENTRIES[0].model_copy(update={"range": [low, high]}), ENTRIES[1])


@pytest.mark.parametrize("ends", [(0.0, 29.0), (None, 29.0), (0.0, None), (0.0, 29.0 - 20e-9), (None, 29.0 - 20e-9)])
def test_values_within_their_range_agree_and_so_does_rounding(ends: tuple[float | None, float | None]) -> None:
    assert disagreements({"A": table()}, ranged(*ends), HOUR_MS) == []


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((0.0, 27.0), "28.0 at 1970-01-02T04:00:00Z, outside its range [0, 27] (2 such rows)"),
        ((1.0, None), "0.0 at 1970-01-01T00:00:00Z, outside its range [1, open] (1 such rows)"),
        ((None, -1.0), "0.0 at 1970-01-01T00:00:00Z, outside its range [open, -1] (30 such rows)"),
        ((0.0, 29.0 - 40e-9), "29.0 at 1970-01-02T05:00:00Z, outside its range [0, 29] (1 such rows)"),
        ((1e-12, None), "0.0 at 1970-01-01T00:00:00Z, outside its range [1e-12, open] (1 such rows)"),
    ],
)
def test_the_first_value_outside_its_range_is_named(ends: tuple[float | None, float | None], said: str) -> None:
    found = disagreements({"A": table(), "B": table(gaps=(0, 28, 29))}, ranged(*ends), HOUR_MS)
    assert found[0] == f"A now_1: {said}"


def test_a_warm_up_in_days_counts() -> None:
    entry = ENTRIES[1].model_copy(update={"warmup_bars": 2, "warmup_days": 1})
    late = [float(bar) if bar >= 26 else None for bar in range(N_BARS)]
    times = pa.array([bar * HOUR_MS for bar in range(N_BARS)], TIME)
    good = pa.table({"open_time_utc": times, "past_5": pa.array(late)})
    early = pa.table({"open_time_utc": times, "past_5": pa.array([*late[:25], 1.0, *late[26:]])})
    assert disagreements({"A": good}, (entry,), HOUR_MS) == []
    assert disagreements({"A": early}, (entry,), HOUR_MS) == [
        "A past_5: a value in row 25, inside its warm-up of 26 bars"
    ]
    (summary,) = summarise({"A": good}, (entry,), HOUR_MS)
    assert (summary.warmup_bars, summary.n_null_after_warmup) == (26, 0)


def test_tables_that_disagree_are_refused_with_everything_that_disagrees() -> None:
    refuse_disagreement({"A": table()}, ENTRIES, HOUR_MS)
    with pytest.raises(InputError) as caught:
        refuse_disagreement({"A": table(first_known=N_BARS), "B": table(first_known=4)}, ENTRIES, HOUR_MS)
    assert [(p.code, p.found[:8]) for p in caught.value.problems] == [
        ("features-disagree", "A past_5"),
        ("features-disagree", "B past_5"),
    ]


def test_the_summary_counts_nulls_past_the_warm_up_only() -> None:
    tables = {"A": table(first_known=8), "B": table(gaps=(1, 2), first_known=7)}
    now, past = summarise(tables, ENTRIES, HOUR_MS)
    assert (now.name, now.warmup_bars, now.n_null_after_warmup) == ("now_1", 0, 0)
    assert (past.group, past.unit, past.n_null_after_warmup) == ("trend", "1", 3 + 2)
