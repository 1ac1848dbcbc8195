"""Scores, reads of test and controls against the policy's bounds."""

from __future__ import annotations

import numpy as np
import pytest

from candlelock.card.evidence import read_policy
from candlelock.contracts.leakage_documents import BlindControl, Control, ControlsReport, TestRead
from candlelock.leakage.results import check_controls, check_score, check_test_reads, check_trials
from tests.trial_batches import TRIALS, batch

POLICY = read_policy()


def scores(correlation: float) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    is_up = random.integers(0, 2, 20_000).astype(float)
    noise = random.normal(size=20_000)
    return is_up, 1 / (1 + np.exp(-(correlation * (2 * is_up - 1) + noise)))


@pytest.mark.parametrize(
    ("correlation", "horizon_bars", "codes"),
    [(0.0, 4, []), (0.2, 1, []), (0.2, 48, []), (0.6, 1, ["too-good"]), (0.33, 1, []), (0.33, 48, ["too-good"])],
)
def test_a_score_is_believed_up_to_the_bound_of_its_horizon(
    correlation: float, horizon_bars: int, codes: list[str]
) -> None:
    found = check_score(*scores(correlation), horizon_bars, POLICY)
    assert [leak.code for leak in found.findings] == codes
    assert found.passed == (not codes)


def test_bounds_fall_with_the_horizon_and_the_last_covers_all() -> None:
    horizons = [bound.max_horizon_bars for bound in POLICY.too_good]
    assert horizons == [*sorted(each for each in horizons if each), None]
    bounds = [bound.max_auc_roc for bound in POLICY.too_good]
    assert bounds == sorted(bounds, reverse=True)
    assert all(0.6 < bound < 0.75 for bound in bounds)


def read(
    number: int, rows: int = 0, start: str = "2024-03-01T00:00:00Z", end: str = "2024-06-01T00:00:00Z"
) -> TestRead:
    return TestRead(
        test_rows_sha256=f"{rows:064x}",
        predictions_sha256=f"{number:064x}",
        n_rows=9,
        first_decision_utc=start,
        last_label_end_utc=end,
    )


def test_as_many_models_as_allowed_pass_and_one_more_does_not() -> None:
    most = [read(number) for number in range(POLICY.max_test_models)]
    assert check_test_reads(most, most[-1], POLICY).passed
    (leak,) = check_test_reads([*most, read(999)], read(999), POLICY).findings
    assert leak.code == "test-worn-out"


def test_reads_of_other_rows_are_told_beside_and_the_same_model_counts_once() -> None:
    earlier = [read(number, rows=7, start="2023-01-01T00:00:00Z", end="2023-02-01T00:00:00Z") for number in range(50)]
    newer = [read(number, rows=8, start="2024-03-05T00:00:00Z", end="2024-06-05T00:00:00Z") for number in range(50)]
    found = check_test_reads([*earlier, *newer, read(1), read(1), read(2)], read(2), POLICY)
    assert found.passed
    assert (found.evidence["n_models"], found.evidence["n_beside"]) == (2, 50)


def test_trials_that_the_ledger_lacks_are_a_finding_with_the_way_to_mend_it() -> None:
    assert check_trials("direction", batch(1, 2).records, []).passed
    found = check_trials("direction", batch(1, 2).records, batch(3, 4, 5).records)
    (leak,) = found.findings
    assert (leak.code, leak.subject) == ("trial-uncounted", TRIALS)
    assert "3 records" in leak.detail
    assert "candlelock trials --join" in leak.help
    assert (found.n_compared, found.evidence) == (5, {"n_records": 2, "n_lost": 3})


BLIND = BlindControl(test_begin_utc="2024-03-01T00:00:00Z", n_compared=9, differing=[])


def control(name: str, verdict: str) -> Control:
    return Control(
        name=name,
        has_edge=name == "planted",
        verdict=verdict,
        gates_failed=[],
        auc_roc=0.5,
        lift_over_best_rule_pp_low=0.0,
        sharpe=None,
        n_trades=0,
        n_rows=9,
    )


@pytest.mark.parametrize(
    ("null", "planted", "codes"),
    [
        ("NO-GO", "GO", []),
        ("INSUFFICIENT EVIDENCE", "GO", []),
        ("GO", "GO", ["control-go"]),
        ("NO-GO", "NO-GO", ["control-missed"]),
        ("NO-GO", "INSUFFICIENT EVIDENCE", ["control-missed"]),
    ],
)
def test_controls_have_to_come_out_as_they_were_made(null: str, planted: str, codes: list[str]) -> None:
    report = ControlsReport(
        seed=1, head="direction", controls=[control("shuffled", null), control("planted", planted)], blind=BLIND
    )
    assert [leak.code for leak in check_controls(report).findings] == codes


def test_what_is_fitted_may_not_change_with_test_alone() -> None:
    peeking = BLIND.model_copy(update={"differing": ["models/direction/threshold.json"]})
    report = ControlsReport(seed=1, head="direction", controls=[control("planted", "GO")], blind=peeking)
    (leak,) = check_controls(report).findings
    assert (leak.code, leak.subject) == ("control-peeks", "models/direction/threshold.json")
