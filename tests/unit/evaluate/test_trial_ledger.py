"""The ledger of trials: each try once, nothing lost, the spread of Sharpe ratios said where it comes from."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from candlelock.artifacts.documents import to_bytes
from candlelock.contracts.leakage_documents import TestRead
from candlelock.contracts.study_documents import Study, StudyReport, Trial
from candlelock.contracts.trial_documents import TrialBatch, TrialRecord
from candlelock.evaluate.trial_ledger import (
    batch_file,
    count_trials,
    join,
    new_batch,
    record_of_read,
    records_of_search,
)


def trial(number: int, x: float, losses: list[float], state: Any = "complete") -> Trial:
    return Trial(
        number=number,
        parameters={"x": x},
        fold_losses=losses,
        loss=float(np.mean(losses)),
        state=state,
        rerun_of=0 if state == "rerun" else None,
    )


def study(*trials: Trial, **changes: Any) -> Study:
    values = {"sampler": "tpe", "seed": 1, "metric": "log_loss", "n_rows": 100, "n_asked": len(trials)}
    rest = {"screen_frac": 1.0, "ended_by": "trials", "best_trial": 0, "best_parameters": {}, "best_losses": [0.6]}
    return Study.model_validate(values | rest | {"trials": list(trials), "importance": {}} | changes)


TRIALS = (trial(0, 1.0, [0.6, 0.7]), trial(1, 2.0, [0.69], "pruned"), trial(2, 1.0, [0.6, 0.65], "rerun"))


def searched(*trials: Trial, learner: str = "lightgbm", head: str = "direction", **changes: Any) -> list[TrialRecord]:
    return records_of_search(head, StudyReport(studies={learner: study(*trials, **changes)}))


def read(predictions: str = "a", rows: str = "b") -> TestRead:
    return TestRead(
        test_rows_sha256=rows * 64,
        predictions_sha256=predictions * 64,
        n_rows=10,
        first_decision_utc="2024-01-01T00:00:00Z",
        last_label_end_utc="2024-02-01T00:00:00Z",
    )


def experiment(predictions: str, sharpe: float | None = None) -> TrialRecord:
    return record_of_read("direction", read(predictions), 0.69, sharpe, None if sharpe is None else 182)


def n_trials(*records: TrialRecord) -> int:
    return count_trials(records, 182).n_trials


def test_every_trial_counts_the_pruned_too_and_a_rerun_none() -> None:
    assert n_trials(*searched(*TRIALS)) == 2


def test_the_same_search_again_is_no_new_look_whatever_its_numbers_and_seed() -> None:
    again = (trial(7, 2.0, [0.69], "pruned"), trial(3, 1.0, [0.6, 0.7]))
    assert n_trials(*searched(*TRIALS), *searched(*again, seed=9, sampler="random")) == 2


@pytest.mark.parametrize(
    "other",
    [
        searched(trial(0, 1.5, [0.6, 0.7])),
        searched(trial(0, 1.0, [0.6, 0.70001])),
        searched(trial(0, 1.0, [0.6, 0.7]), learner="xgboost"),
        searched(trial(0, 1.0, [0.6, 0.7]), n_rows=101),
        searched(trial(0, 1.0, [0.6, 0.7]), metric="brier"),
        searched(trial(0, 1.0, [0.6, 0.7]), head="volatility"),
    ],
)
def test_other_parameters_losses_learners_rows_metrics_and_heads_are_other_looks(other: list[TrialRecord]) -> None:
    assert n_trials(*searched(TRIALS[0]), *other) == 2


def test_the_same_predictions_on_the_same_rows_are_one_experiment_whatever_their_figures() -> None:
    found = count_trials([experiment("a"), experiment("a", 0.1), experiment("a", 0.3), experiment("c")], 182)
    assert (found.n_trials, found.n_experiments, found.n_search, found.n_with_sharpe) == (2, 2, 0, 1)
    other_rows = record_of_read("direction", read("a", "d"), None, None, None)
    assert n_trials(experiment("a"), other_rows) == 2


def test_a_search_and_an_experiment_are_two_whatever_their_digests() -> None:
    one = experiment("a", 0.1)
    assert n_trials(one, one.model_copy(update={"kind": "search"})) == 2


def test_the_spread_is_that_of_the_trials_where_ten_have_a_ratio() -> None:
    sharpes = np.random.default_rng(1).normal(0, 0.05, 10)
    records = [experiment(f"{at:x}", sharpe) for at, sharpe in enumerate(sharpes)]
    found = count_trials([*records, *searched(*TRIALS)], 182)
    assert found.variance_from == "trials"
    assert found.daily_sharpe_variance == pytest.approx(sharpes.var(ddof=1))
    assert (found.n_trials, found.n_with_sharpe) == (12, 10)


def test_with_fewer_it_is_that_of_independent_tries_or_theirs_where_that_is_wider() -> None:
    close, apart = ([experiment("a", low), experiment("c", high)] for low, high in ((0.1, 0.101), (-1.0, 1.0)))
    found = count_trials(close, 182)
    assert found.variance_from == "sampling"
    assert found.daily_sharpe_variance == 1 / 181
    assert count_trials(apart, 182).daily_sharpe_variance == 2.0
    assert count_trials([], 182).n_trials == 0


def test_the_highest_ratio_of_a_trial_counts() -> None:
    records = [experiment(f"{at:x}", 0.01 * at) for at in range(10)]
    wider = count_trials([*records, experiment("9", 0.5)], 182).daily_sharpe_variance
    assert wider > count_trials([*records, experiment("9", -0.5)], 182).daily_sharpe_variance


def test_a_batch_holds_what_is_new_and_a_rebuild_writes_none() -> None:
    known, found = searched(*TRIALS), [experiment("a", 0.1)]
    batch = new_batch(known, [*found, *known, *found])
    assert batch == TrialBatch(records=found)
    assert new_batch(join(known, batch.records), [*known, *found]) is None


def test_a_batch_is_named_by_its_bytes() -> None:
    batch = TrialBatch(records=[experiment("a", 0.1)])
    assert batch_file(batch) == f"{hashlib.sha256(to_bytes(batch)).hexdigest()}.json"
    assert batch_file(batch) != batch_file(TrialBatch(records=[experiment("a", 0.2)]))
