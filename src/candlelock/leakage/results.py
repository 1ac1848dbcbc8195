"""What results alone can tell: a score better than anyone's, a test that was read too often, controls that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.metrics import roc_auc_score

from candlelock.contracts.leakage_documents import Leak, LeakCheck
from candlelock.leakage.rows import leak_check

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from candlelock.contracts.leakage_documents import ControlsReport, TestRead
    from candlelock.contracts.policy import Policy, TooGood
    from candlelock.contracts.trial_documents import TrialRecord

    Array = npt.NDArray[np.float64]


def check_score(is_up: Array, p_up: Array, horizon_bars: int | None, policy: Policy) -> LeakCheck:
    """The AUC on test is at most what the policy believes at this horizon; labels 1.0 and 0.0, shape (n_rows,).

    `horizon_bars` None: of a question that is not about the direction of prices, whose answers may be well known.
    """
    auc, bound = float(roc_auc_score(is_up, p_up)), None if horizon_bars is None else _bound(policy, horizon_bars)
    findings = []
    if bound is not None and auc > bound.max_auc_roc:
        detail = (
            f"AUC {auc:.4f} on test, horizon {horizon_bars} bars; up to {bound.max_auc_roc} is believed: {bound.why}"
        )
        help_line = "look for the leak: the label in a feature, rows on both sides, fills; or raise the policy's bound"
        findings.append(Leak(code="too-good", subject="p_up", detail=detail, help=help_line))
    what = "AUC on test against the policy's bound for the horizon"
    most = None if bound is None else bound.max_auc_roc
    evidence = {"auc_roc": round(auc, 6), "max_auc_roc": most, "horizon_bars": horizon_bars}
    return leak_check("score", what, len(is_up), findings, evidence)


def check_test_reads(reads: Sequence[TestRead], now: TestRead, policy: Policy) -> LeakCheck:
    """Test has not been read for more models than the policy allows.

    `reads`: the ledger; `now`: the line of what lies there. Lines count that are of the same rows and labels. Those of
    other rows or labels at the same time, as newer candles or another horizon have, are told beside them.
    """
    n_models = len({each.predictions_sha256 for each in reads if each.test_rows_sha256 == now.test_rows_sha256})
    n_beside = sum(
        each.test_rows_sha256 != now.test_rows_sha256
        and each.first_decision_utc <= now.last_label_end_utc
        and now.first_decision_utc <= each.last_label_end_utc
        for each in reads
    )
    findings = []
    if n_models > policy.max_test_models:
        detail = f"{n_models} models were judged on these test rows, {policy.max_test_models} are allowed"
        help_line = "take newer candles for test, and settle on a model before you look"
        findings.append(Leak(code="test-worn-out", subject="test", detail=detail, help=help_line))
    what = "models judged on these test rows and labels, by the ledger of reads, experiments included"
    most = policy.max_test_models
    evidence = {"n_models": n_models, "max_models": most, "n_reads": len(reads), "n_beside": n_beside}
    return leak_check("test reads", what, len(reads), findings, evidence)


def check_trials(head: str, ledger: Sequence[TrialRecord], lost: Sequence[TrialRecord]) -> LeakCheck:
    """Every trial that git remembers is in the ledger that luck is counted from; `lost`: those that are not in it."""
    findings = []
    if lost:
        detail = f"{len(lost)} records of trials lie in git alone, and the card does not count them"
        help_line = "add them with `candlelock trials --join`, then run `dvc repro`"
        findings.append(Leak(code="trial-uncounted", subject=f"ledger/{head}/trials", detail=detail, help=help_line))
    what = "trials that any reference of git knows of, against the ledger of trials"
    evidence = {"n_records": len(ledger), "n_lost": len(lost)}
    return leak_check("trials", what, len(ledger) + len(lost), findings, evidence)


def check_controls(report: ControlsReport) -> LeakCheck:
    """Markets without anything to know got no GO, the one with a planted edge did, and nothing fitted knew of test."""
    findings = []
    for control in report.controls:
        if control.has_edge != (control.verdict == "GO"):
            code, help_line = (
                ("control-missed", "the flow misses what is there: look at the folds, the labels and the threshold")
                if control.has_edge
                else ("control-go", "the flow finds what is not there: it sees the future, or its gates are too weak")
            )
            detail = f"verdict {control.verdict}: {', '.join(control.gates_failed) or 'every gate passed'}"
            findings.append(Leak(code=code, subject=control.name, detail=detail, help=help_line))
    if report.blind.differing:
        detail = f"what is fitted changes when only the candles from {report.blind.test_begin_utc} on, test, are others"
        help_line = f"find what reads test before it is judged; it shows first in {report.blind.differing[0]}"
        used = report.blind.test_begin_utc
        findings.append(
            Leak(code="control-peeks", subject=report.blind.differing[0], used_utc=used, detail=detail, help=help_line)
        )
    what = "the flow on markets of which it is known what there is to know, and on two that differ in test alone"
    evidence = {str(each.name): each.model_dump(mode="json", exclude={"name"}) for each in report.controls}
    evidence["blind"] = report.blind.model_dump(mode="json")
    return leak_check("controls", what, len(report.controls) + report.blind.n_compared, findings, evidence)


def _bound(policy: Policy, horizon_bars: int) -> TooGood:
    """The first bound, from the shortest horizon on, that covers this one."""
    fitting = (b for b in policy.too_good if b.max_horizon_bars is None or horizon_bars <= b.max_horizon_bars)
    return next(fitting)
