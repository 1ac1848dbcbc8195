"""The ledger of reads of test: a line for every set of predictions that was judged on its labels."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from candlelock.contracts.documents import utc_text
from candlelock.contracts.leakage_documents import TestRead, TestReads

if TYPE_CHECKING:
    import pandas as pd


def add_read(before: TestReads, rows: pd.DataFrame) -> TestReads:
    """The ledger with a line for these predictions, unless it is there already.

    `rows`: as for `describe_read`.
    """
    now = describe_read(rows)
    return before if now in before.reads else TestReads(reads=[*before.reads, now])


def describe_read(rows: pd.DataFrame) -> TestRead:
    """The line of these predictions; signals belong to them.

    `rows`: labelled test rows with symbol, open_time_ms, decision_time_ms, label_end_ms, is_up, p_up and has_signal.
    """
    return TestRead(
        test_rows_sha256=_sha256(rows, ["open_time_ms", "is_up"], ["<i8", "<f8"]),
        predictions_sha256=_sha256(rows, ["p_up", "has_signal"], ["<f8", "u1"]),
        n_rows=len(rows),
        first_decision_utc=utc_text(rows["decision_time_ms"].min()),
        last_label_end_utc=utc_text(rows["label_end_ms"].max()),
    )


def _sha256(rows: pd.DataFrame, columns: list[str], types: list[str]) -> str:
    """Of the symbols and some columns."""
    sha = hashlib.sha256("\n".join(rows["symbol"].astype(str)).encode())
    for column, dtype in zip(columns, types, strict=True):
        sha.update(b"\0" + rows[column].to_numpy().astype(dtype).tobytes())
    return sha.hexdigest()
