"""Labels without an end, and unknown labels that were filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from candlelock.leakage.labels import check_filled, check_label_ends
from tests.unit.leakage import training_tables as made

if TYPE_CHECKING:
    from candlelock.contracts.leakage_documents import LeakCheck


def filled(rows: pd.DataFrame) -> LeakCheck:
    table = made.audit_table(rows)
    return check_filled(table.rows, table.label)


def test_a_label_without_an_end() -> None:
    rows = made.table(0)
    row = int(rows.index[(rows["split"] == "train") & rows["label"].notna()][5])
    rows["label_end"] = rows["label_end"].astype("Int64")
    rows.loc[row, "label_end"] = pd.NA
    table = made.audit_table(rows)
    (found,) = check_label_ends(table.rows, table.label).findings
    assert (found.code, found.row) == ("label-end-missing", row)


def test_unknown_labels_and_rows_left_out_need_no_end() -> None:
    rows = made.table(0)
    rows["label_end"] = rows["label_end"].astype("Int64").mask(rows["label"].isna() | rows["split"].isna())
    table = made.audit_table(rows)
    assert check_label_ends(table.rows, table.label).passed


@pytest.mark.parametrize(("n_symbols", "horizon"), [(1, 8), (3, 8), (5, 24)])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_null_that_became_a_class_is_found_where_candles_are_missing(
    n_symbols: int, horizon: int, value: float
) -> None:
    rows = made.table(1, n_symbols, 3000, horizon)
    assert filled(rows).passed
    rows["label"] = rows["label"].fillna(value)
    (found,) = filled(rows).findings
    assert found.code == "label-filled"


def test_a_return_that_became_nought_is_found_at_the_tail_alone() -> None:
    rows = made.table(2, 1, 800, gap_share=0.0, flat=False)
    rows["label"] = rows["outcome"].fillna(0.0)
    (found,) = filled(rows).findings
    assert found.row == len(rows) - 8


def test_rows_that_are_decided_at_the_open_are_found_too() -> None:
    rows = made.table(3, 3)
    rows["time"] -= made.HOUR  # a label still ends at the close of its last bar
    rows["label"] = rows["label"].fillna(0.0)
    assert not filled(rows).passed


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("n_symbols", "n_bars", "horizon"), [(1, 900, 24), (5, 1500, 24), (2, 1500, 2)])
def test_tables_that_dropped_what_is_unknown_are_silent(seed: int, n_symbols: int, n_bars: int, horizon: int) -> None:
    rows = made.table(seed, n_symbols, n_bars, horizon)
    assert filled(rows[rows["label"].notna()].reset_index(drop=True)).passed


def test_a_trend_at_the_end_is_no_filling() -> None:
    """All of the last labels of all symbols are 1, in one stretch: that happens."""
    rows = made.table(4, 3, gap_share=0.0)
    late = rows["label_end"] > rows["time"].max()
    rows.loc[late, "label"] = 1.0
    result = filled(rows)
    assert result.passed
    assert result.evidence["hole in the window"]["chance"] > 1e-3


def test_event_tables_have_no_holes() -> None:
    rng, rows = np.random.default_rng(5), made.table(5, 1, gap_share=0.0)
    rows = rows[rng.random(len(rows)) < 0.3].reset_index(drop=True)
    rows["time"] += rng.integers(0, 40 * 60_000, len(rows))
    rows["label_end"] = rows["time"] + rng.integers(1, 90, len(rows)) * 600_000
    assert filled(rows.dropna(subset=["label"]).reset_index(drop=True)).passed
