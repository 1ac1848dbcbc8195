"""The append-only ledger of trials: what was tried, counted once, whoever tried it and however often.

A trial is named by its outcome, not by the code and data it came from: the same parameters with the same loss on every
fold, or the same predictions on the same test rows traded by the same rules, are the same look, and a change of code
that changes neither is no new one. What a fill costs is no rule: nobody chooses it. Records only ever join: two ledgers
become one by union, in any order, as often as one likes.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from candlelock.artifacts import documents
from candlelock.artifacts.documents import to_bytes
from candlelock.artifacts.hashing import canonical_json, sha256_json
from candlelock.contracts.errors import InputError
from candlelock.contracts.trial_documents import TrialBatch, TrialCount, TrialRecord
from candlelock.evaluate.sharpe_significance import measure_returns

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from candlelock.contracts.backtest_params import BacktestParams
    from candlelock.contracts.leakage_documents import TestRead
    from candlelock.contracts.study_documents import Study, StudyReport, Trial
    from candlelock.evaluate.sharpe_significance import Array

COSTS = {
    "capital",
    "fee_bps",
    "maker_fee_bps",
    "slippage_bps",
    "slippage",
    "carry",
    "cost_multiples",
}  # not what is tried


def read_ledger(folder: Path) -> list[TrialRecord]:
    """Every record of the batches in a folder; none without the folder. Raises InputError for a broken one."""
    try:
        batches = [documents.read(path, TrialBatch) for path in sorted(folder.glob("*.json"))]
    except InputError as error:
        help_line = "restore the file with git; one that was never committed comes again with `dvc repro`"
        raise InputError([replace(problem, help=help_line) for problem in error.problems]) from None
    return join(*(batch.records for batch in batches))


def find_records(
    head: str,
    known: Iterable[TrialRecord],
    report: StudyReport,
    reads: Iterable[TestRead],
    now: TestRead,
    rules: BacktestParams,
    loss: float,
    daily_returns: Array,
) -> list[TrialRecord]:
    """What a run of the flow has to tell: the trials of its searches, and the reads of test.

    `now`: the read that lies there, with the rules it is traded by, its log loss and the back-test's returns (n_days,).
    Of `reads` before it those are told, without figures, that nothing is known of: they were there before this ledger.
    """
    shape = measure_returns(daily_returns)
    current = record_of_read(head, now, rules, loss, None if shape is None else shape.sharpe, len(daily_returns))
    told = {current.read_sha256, *(each.read_sha256 for each in known)}
    earlier = [record_of_read(head, read, None, None, None, None) for read in reads]
    return [*records_of_search(head, report), *(each for each in earlier if each.read_sha256 not in told), current]


def records_of_search(head: str, report: StudyReport) -> list[TrialRecord]:
    """A record for every trial of every learner's search, the pruned ones included.

    A rerun tries the parameters of an earlier trial once more and is none of its own.
    """
    return [
        TrialRecord(
            kind="search",
            head=head,
            subject_sha256=sha256_json(_search_subject(head, learner, study, trial)),
            read_sha256=None,
            learner=learner,
            loss=trial.loss,
            daily_sharpe=None,
            n_days=None,
        )
        for learner, study in sorted(report.studies.items())
        for trial in study.trials
        if trial.state != "rerun"
    ]


def record_of_read(
    head: str,
    read: TestRead,
    rules: BacktestParams | None,
    loss: float | None,
    daily_sharpe: float | None,
    n_days: int | None,
) -> TrialRecord:
    """The record of predictions that test was read for, traded by these rules: log loss, and the Sharpe ratio per day.

    Rules and figures are None for a line of the ledger of reads whose reports are gone: it counts all the same.
    """
    own = sha256_json([head, read.test_rows_sha256, read.predictions_sha256])
    traded = None if rules is None else _tried(rules)
    return TrialRecord(
        kind="experiment",
        head=head,
        subject_sha256=own if traded is None else sha256_json([own, traded]),
        read_sha256=own,
        learner=None,
        loss=loss,
        daily_sharpe=daily_sharpe,
        n_days=n_days,
    )


def _tried(rules: BacktestParams) -> dict[str, object]:
    """The rules that decide what is traded: costs do not, nor does the longest gap, which refuses all or nothing."""
    traded = rules.model_dump(mode="json", exclude=COSTS)
    return traded | {"risk": traded["risk"] | {"max_gap_bars": None}}


def join(*ledgers: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Every record of all ledgers once, in the order of their canonical text."""
    known = {_text(each): each for ledger in ledgers for each in ledger}
    return [known[text] for text in sorted(known)]


def new_batch(known: Iterable[TrialRecord], found: Iterable[TrialRecord]) -> TrialBatch | None:
    """What of `found` is not yet known; None where all of it is, so that a rebuild writes nothing."""
    before = {_text(each) for each in known}
    fresh = [each for each in join(found) if _text(each) not in before]
    return TrialBatch(records=fresh) if fresh else None


def batch_file(batch: TrialBatch) -> str:
    """The file's name, by its content."""
    return f"{hashlib.sha256(to_bytes(batch)).hexdigest()}.json"


def count_trials(records: Iterable[TrialRecord], n_days: int) -> TrialCount:
    """Count the subjects; `n_days`: of the back-test that is judged.

    A subject with several Sharpe ratios, as after a change of costs, counts with the highest. A read without figures is
    no trial beside the same read with some.
    """
    listed = list(records)
    judged = {each.read_sha256 for each in listed if each.n_days is not None}
    subjects: set[tuple[str, str]] = set()
    sharpes: dict[tuple[str, str], float] = {}
    for each in listed:
        if each.kind == "experiment" and each.n_days is None and each.read_sha256 in judged:
            continue
        subject = each.kind, each.subject_sha256
        subjects.add(subject)
        if each.daily_sharpe is not None:
            sharpes[subject] = max(each.daily_sharpe, sharpes.get(subject, each.daily_sharpe))
    n_search = sum(kind == "search" for kind, _ in subjects)
    own = float(np.var(sorted(sharpes.values()), ddof=1)) if len(sharpes) > 1 else 0.0
    of_luck = 1 / max(n_days - 1, 1)
    return TrialCount(
        n_trials=len(subjects),
        n_search=n_search,
        n_experiments=len(subjects) - n_search,
        n_with_sharpe=len(sharpes),
        daily_sharpe_variance=max(own, of_luck),
        variance_from="trials" if own > of_luck else "sampling",
    )


def _search_subject(head: str, learner: str, study: Study, trial: Trial) -> list[object]:
    return [head, learner, study.metric, study.n_rows, trial.state, trial.parameters, trial.fold_losses]


def _text(record: TrialRecord) -> str:
    return canonical_json(record.model_dump(mode="json"))
