"""One series under two names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from candlelock.leakage.series import check_series
from tests.unit.leakage import training_tables as made

if TYPE_CHECKING:
    from candlelock.contracts.leakage_documents import LeakCheck


def check(rows: pd.DataFrame) -> LeakCheck:
    table = made.audit_table(rows)
    return check_series(table.rows, table.label, table.names, table.values)


def with_twin(rows: pd.DataFrame, shift: int = 0, noise: float = 0.0) -> pd.DataFrame:
    """BTC once more as XBT, so many bars later, with noise in every feature."""
    twin = rows[rows["symbol"] == "BTC"].assign(symbol="XBT")
    names = [name for name in rows.columns if name not in (*made.KEYS, "outcome")]
    rng = np.random.default_rng(0)
    twin[names] += noise * rng.normal(size=twin[names].shape) * twin[names].std().to_numpy()
    twin[["time", "label_end"]] += shift * made.HOUR
    return pd.concat([rows, twin], ignore_index=True)


@pytest.mark.parametrize("shift", [0, 1, -3, 150, 900])
@pytest.mark.parametrize("n_symbols", [1, 3])
def test_a_twin_is_found_at_any_shift(shift: int, n_symbols: int) -> None:
    (found,) = check(with_twin(made.table(1, n_symbols), shift, 1e-3)).findings
    assert (found.code, found.subject) == ("series-twice", "BTC and XBT")
    assert found.known_utc is not None
    hours = (pd.Timestamp(found.used_utc) - pd.Timestamp(found.known_utc)) / pd.Timedelta("1h")
    assert hours == shift


@pytest.mark.parametrize("n_symbols", [2, 5])
def test_markets_that_move_together_are_silent(n_symbols: int) -> None:
    assert check(made.table(2, n_symbols)).passed


def test_columns_of_the_market_make_no_twins() -> None:
    rows = made.table(3, 3)
    for number in range(8):
        rows[f"market_{number}"] = rows["market_move"] * (number + 1) + np.sin(rows["time"] / made.HOUR / (number + 2))
    result = check(rows)
    assert result.passed
    assert {"hour", "market_move", "market_0"} <= set(result.evidence["of_market"])
    assert check(rows[rows["symbol"] != "SOL"]).passed  # two symbols, most columns the market's


def test_symbols_with_few_common_rows_are_left_out() -> None:
    rows = made.table(4, 1)
    assert check(with_twin(rows).groupby("symbol").head(90)).n_compared == 0
