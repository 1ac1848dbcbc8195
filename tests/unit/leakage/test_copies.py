"""Rows in two parts: planted copies are found, and nothing is in tables whose rows merely look alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from candlelock.leakage.copies import check_copies
from tests.unit.leakage import training_tables as made

if TYPE_CHECKING:
    from candlelock.contracts.leakage_documents import LeakCheck


def check(rows: pd.DataFrame) -> LeakCheck:
    table = made.audit_table(rows)
    return check_copies(table.rows, table.names, table.values)


def names(rows: pd.DataFrame) -> list[str]:
    return [name for name in rows.columns if name not in (*made.KEYS, "outcome")]


def planted(rows: pd.DataFrame, n: int, noise: float) -> tuple[pd.DataFrame, set[int]]:
    """The features of n rows of train in rows of test, with noise of so much of each column's spread; which rows."""
    rng, columns = np.random.default_rng(n), names(rows)
    whole = rows[columns].notna().all(axis=1) & rows["label"].notna()
    source = rng.choice(rows.index[whole & (rows["split"] == "train")], n, replace=False)
    target = rng.choice(rows.index[whole & (rows["split"] == "test")], n, replace=False)
    copied = rows.copy()
    blur = noise * rng.normal(size=(n, len(columns))) * rows[columns].std().to_numpy()
    copied.loc[target, columns] = rows.loc[source, columns].to_numpy() + blur
    return copied, set(target.tolist())


@pytest.mark.parametrize(("n", "noise"), [(1, 0.0), (40, 0.0), (5, 1e-4), (40, 1e-3)])
def test_copies_are_found_with_and_without_noise(n: int, noise: float) -> None:
    rows, targets = planted(made.table(1), n, noise)
    found = check(rows).findings
    assert [leak.code for leak in found] == ["row-twice"]
    assert found[0].row in targets
    assert found[0].known_utc is not None
    assert found[0].used_utc is not None
    assert found[0].known_utc < found[0].used_utc
    assert f"{n:,} rows" in found[0].detail


def test_copies_with_noise_are_all_counted() -> None:
    rows, _ = planted(made.table(2), 100, 5e-4)
    assert check(rows).evidence["n_near"] == 100


def test_a_key_that_stands_twice() -> None:
    rows = made.table(3)
    twin = rows[rows["split"] == "train"].dropna(subset=["label"]).iloc[[50]].assign(split="test")
    twin[names(rows)] = twin[names(rows)] + 5 * rows[names(rows)].std()
    (found,) = check(pd.concat([rows, twin], ignore_index=True)).findings
    assert "symbol and time" in found.detail


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_symbols", [1, 5])
def test_honest_tables_are_silent(seed: int, n_symbols: int) -> None:
    result = check(made.table(seed, n_symbols))
    assert result.passed
    assert result.evidence["n_unlike"] >= 3


def test_a_market_that_stands_still_over_a_cut_is_silent() -> None:
    rows = made.table(0, 1, gap_share=0.0, flat=False)
    for name in names(rows):  # too short to make its values common ones; the cut lies at 2100
        rows.loc[range(2086, 2104), name] = rows.loc[2086, name]
    assert check(rows).passed


def test_rows_of_common_values_are_no_copies_even_of_other_stretches() -> None:
    rows = made.table(0, 1, gap_share=0.0, flat=False)
    for begin in (500, 2500):
        rows.loc[range(begin, begin + 60), names(rows)] = 0.0
    assert check(rows).passed


def test_with_two_columns_nothing_is_said_to_be_compared() -> None:
    rows = made.table(n_bars=600)
    two = check(rows[[*made.KEYS, "return_1", "volume"]])
    assert (two.passed, two.n_compared, two.evidence["n_unlike"]) == (True, 0, 2)
    assert check(rows[[*made.KEYS, "return_1", "return_24", "volume"]]).n_compared > 0


def test_columns_of_few_values_and_clocks_tell_nothing() -> None:
    rng, rows = np.random.default_rng(0), made.table(0, 1)
    few = rows[["symbol", "time", "label", "label_end", "split"]].copy()
    for number in range(5):
        few[f"level_{number}"] = rng.integers(0, 5, len(rows))
    few["hour"], few["clock"] = rows["hour"], rows["time"]
    result = check(few)
    assert result.passed
    assert result.evidence["columns"] == []


def test_slow_columns_across_a_short_purge_are_silent() -> None:
    rows = made.table(5, 1, 4000, 2, gap_share=0.0, flat=False)
    for span in (100, 300, 900):
        rows[f"slow_{span}"] = rows["close"].ewm(span=span).mean() + 0.3 * rows["return_24"].rolling(span, 1).sum()
    chosen = [*made.KEYS, *(f"slow_{span}" for span in (100, 300, 900))]
    result = check(rows[chosen])
    assert result.passed


def test_values_of_one_bar_repeated_on_shorter_ones_are_silent() -> None:
    rows = made.table(6, 1, gap_share=0.0, flat=False)
    for name in names(rows):
        rows[name] = rows[name].groupby(np.arange(len(rows)) // 24).transform("last")
    assert check(rows).passed
