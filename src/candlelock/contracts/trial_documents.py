"""The ledger of trials: every setting that a search tried and every set of predictions that test was read for."""

from __future__ import annotations

from typing import Literal

from candlelock.contracts.documents import Document, Sha256


class TrialRecord(Document):
    """One try, and what came of it.

    `subject_sha256` says what was tried, by its outcome: of a search, the learner's parameters and their loss on every
    fold; of an experiment, the test rows, the predictions and how they are traded, costs apart. Records of one subject
    are one trial, whatever figures they carry. `read_sha256`: of an experiment, the test rows and the predictions
    alone. `loss`: of a search, its metric on the folds; of an experiment, the log loss on test; lower is better.
    `daily_sharpe`: of the back-test, per day, not annual; null for a search, and where daily returns do not vary.
    """

    kind: Literal["search", "experiment"]
    head: str
    subject_sha256: Sha256
    read_sha256: Sha256 | None
    learner: str | None
    loss: float | None
    daily_sharpe: float | None
    n_days: int | None


class TrialBatch(Document):
    """ledger/<head>/trials/<SHA-256 of these bytes>.json: what one run of the flow was the first to see.

    A batch is never changed; the ledger is the union of all of them. Records are in the order of their canonical text.
    """

    records: list[TrialRecord]


class TrialCount(Document):
    """How many tries the result is the best of, and how far their Sharpe ratios (per day) lie apart.

    `daily_sharpe_variance`: the larger of two: the sample variance of those that have a ratio (`trials`), and that of
    independent tries without skill over as many days, 1 / (days - 1) (`sampling`); `variance_from` says which. Ratios
    of tries that resemble each other lie closer than luck would have them.
    """

    n_trials: int
    n_search: int
    n_experiments: int
    n_with_sharpe: int
    daily_sharpe_variance: float
    variance_from: Literal["trials", "sampling"]
