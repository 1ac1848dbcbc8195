"""Label intervals of the parts of a split, on rows written out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from candlelock.leakage.intervals import check_intervals
from candlelock.leakage.rows import LEFT_OUT, LabelledRows
from tests.unit.leakage import training_tables as made


def rows(*lines: tuple[int, int, int], symbols: tuple[int, ...] | None = None) -> LabelledRows:
    """Lines of decision, label end (0: unknown) and part."""
    start, end, part = np.array(lines, np.int64).T
    symbol = np.array(symbols or [0] * len(lines), np.int64)
    return LabelledRows(("A", "B"), symbol, start, end, end > 0, ("train", "test"), part)


def codes(table: LabelledRows, embargo_ms: int = 0) -> list[str]:
    return [found.code for found in check_intervals(table, embargo_ms).findings]


@pytest.mark.parametrize(
    ("end", "embargo_ms", "is_apart"), [(49, 0, True), (50, 0, False), (49, 1, False), (48, 1, True)]
)
def test_an_interval_is_closed_and_the_embargo_is_kept_whole(end: int, embargo_ms: int, is_apart: bool) -> None:
    assert codes(rows((10, end, 0), (50, 60, 1)), embargo_ms) == ([] if is_apart else ["label-overlap"])


def test_symbols_are_looked_at_together() -> None:
    check = check_intervals(rows((10, 55, 0), (50, 60, 1), symbols=(0, 1)), 0)
    (found,) = check.findings
    assert (found.symbol, found.row, found.subject) == ("A", 0, "train before test")
    assert "row 1 of B" in found.detail


def test_rows_without_a_label_or_a_part_do_not_count() -> None:
    assert not codes(rows((10, 0, 0), (20, 55, LEFT_OUT), (30, 40, 0), (50, 60, 1)))


def test_the_wrong_order_is_found_without_any_overlap() -> None:
    assert codes(rows((70, 80, 0), (50, 60, 1))) == ["split-order"]


def test_an_end_that_is_not_after_its_decision() -> None:
    assert codes(rows((10, 10, 0), (50, 60, 1))) == ["label-end-early"]


def test_margins_are_seconds_between_last_end_and_first_decision() -> None:
    check = check_intervals(rows((1000, 3000, 0), (10_000, 12_000, 1)), 0)
    assert check.evidence["margin_seconds"] == {"train before test": 7.0}


def test_a_purge_by_rows_of_all_symbols_is_too_short() -> None:
    table = made.table(3).sort_values("time", kind="stable").reset_index(drop=True)
    cut = table["time"].quantile(0.7)
    table["split"] = np.where(table["time"] < cut, "train", "test").astype(object)
    last = np.flatnonzero(table["time"] < cut)
    table.loc[last[-8:], "split"] = None  # 8 rows of three symbols are not 8 bars
    assert codes(made.audit_table(table).rows) == ["label-overlap"]
    table.loc[last[-24:], "split"] = None
    assert not codes(made.audit_table(table).rows)


def test_barriers_purged_by_their_nominal_end_are_found_by_the_actual_one() -> None:
    table = made.table(4, n_symbols=2)
    table["split"] = made.split(table["time"], table["label_end"] - 5 * made.HOUR)
    assert set(codes(made.audit_table(table).rows)) == {"label-overlap"}


@pytest.mark.parametrize("seed", range(4))
def test_random_splits_are_found_and_purged_ones_are_not(seed: int) -> None:
    table = made.table(seed, embargo=5)
    assert not codes(made.audit_table(table).rows, 5 * made.HOUR)
    assert codes(made.audit_table(table).rows, 6 * made.HOUR)
    table["split"] = np.random.default_rng(seed).choice(made.PARTS, len(table))
    assert {"label-overlap", "split-order"} == set(codes(made.audit_table(table).rows))
