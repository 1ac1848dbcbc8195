"""The proof of a card holds the reports on trading and luck, and the ledger of trials, to what is derived again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.audit.test_card_proof import BACKTEST, HASHES, LUCK, build_again, edit_json, failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("file", "change", "step", "named"),
    [
        (
            "reports/direction/trading.json",
            lambda report: report["months"][0].update(n_trades=-1),
            BACKTEST,
            "months.0.n_trades: -1 stored",
        ),
        (
            "reports/direction/significance.json",
            lambda report: report["p_no_better"].update(accuracy=0.5),
            LUCK,
            "p_no_better.accuracy: 0.5 stored",
        ),
    ],
    ids=["trading", "significance"],
)
def test_an_edited_report_fails_where_it_is_derived(
    file: str, change: Callable[[dict[str, Any]], object], step: str, named: str, project_copy: Path
) -> None:
    edit_json(project_copy / file, change)
    build_again(project_copy)
    found, detail = failure(project_copy)
    assert found == step
    assert named in detail


def test_a_trial_that_is_taken_from_the_ledger_or_put_into_it_shows(project_copy: Path) -> None:
    """A trial less makes the Sharpe ratio look better: the batches are named by the card, and counted again."""
    (batch,) = (project_copy / "ledger/direction/trials").glob("*.json")
    edit_json(batch, lambda found: found["records"].pop(0))
    step, detail = failure(project_copy)
    assert step == HASHES
    assert batch.name in detail
    build_again(project_copy)
    step, detail = failure(project_copy)
    assert step == LUCK
    assert "sharpe.deflated" in detail
