"""The ledger of reads: a line for each set of predictions, none for the same again, none ever lost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from candlelock.contracts.leakage_documents import TestReads
from candlelock.evaluate.test_reads import add_read

EMPTY = TestReads(reads=[])


@pytest.fixture
def rows() -> pd.DataFrame:
    random, opened = np.random.default_rng(0), 1_704_067_200_000 + 3_600_000 * np.arange(50)
    return pd.DataFrame(
        {
            "symbol": ["A"] * 50,
            "open_time_ms": opened,
            "decision_time_ms": opened + 3_600_000,
            "label_end_ms": opened + 5 * 3_600_000,
            "is_up": random.integers(0, 2, 50).astype(float),
            "p_up": random.random(50),
            "has_signal": random.random(50) > 0.9,
        }
    )


def test_the_same_predictions_again_add_nothing(rows: pd.DataFrame) -> None:
    once = add_read(EMPTY, rows)
    assert len(once.reads) == 1
    assert add_read(once, rows) == once
    assert once.reads[0].first_decision_utc == "2024-01-01T01:00:00Z"


@pytest.mark.parametrize("change", ["probability", "signal", "label", "symbol", "rows"])
def test_other_predictions_or_rows_add_a_line_and_keep_the_others(change: str, rows: pd.DataFrame) -> None:
    before = add_read(EMPTY, rows)
    other = rows.copy()
    if change == "probability":
        other.loc[7, "p_up"] += 1e-12
    elif change == "signal":
        other.loc[7, "has_signal"] = ~other.loc[7, "has_signal"]
    elif change == "label":
        other.loc[7, "is_up"] = 1 - other.loc[7, "is_up"]
    elif change == "symbol":
        other["symbol"] = "B"
    else:
        other = other.iloc[:-1]
    after = add_read(before, other)
    assert after.reads[:1] == before.reads
    assert len(after.reads) == 2
    assert add_read(after, rows) == after
