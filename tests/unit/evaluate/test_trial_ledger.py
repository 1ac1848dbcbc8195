"""The ledger of trials: each try once, nothing lost, the spread of Sharpe ratios said where it comes from."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from candlelock.artifacts.documents import to_bytes, write
from candlelock.contracts.errors import InputError
from candlelock.contracts.leakage_documents import TestRead
from candlelock.contracts.study_documents import Study, StudyReport, Trial
from candlelock.contracts.trial_documents import TrialBatch, TrialRecord
from candlelock.evaluate.trial_ledger import (
    batch_file,
    count_trials,
    find_records,
    join,
    new_batch,
    read_ledger,
    record_of_read,
    records_of_search,
)
from tests.trading_runs import trading_params

if TYPE_CHECKING:
    from pathlib import Path


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
    return Study.model_validate(values | rest | {"trials": list(trials), "importance": {}, "paths": None} | changes)


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


RULES = trading_params()


def experiment(predictions: str, sharpe: float | None = None, **rules: Any) -> TrialRecord:
    if sharpe is None:
        return record_of_read("direction", read(predictions), None, None, None, None)
    return record_of_read("direction", read(predictions), trading_params(**rules), 0.69, sharpe, 182)


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


def test_the_same_predictions_on_the_same_rows_are_one_experiment_whatever_a_fill_costs() -> None:
    found = count_trials(
        [experiment("a"), experiment("a", 0.1), experiment("a", 0.3, fee_bps=3.0), experiment("c")], 182
    )
    assert (found.n_trials, found.n_experiments, found.n_search, found.n_with_sharpe) == (2, 2, 0, 1)
    other_rows = record_of_read("direction", read("a", "d"), None, None, None, None)
    assert n_trials(experiment("a"), other_rows) == 2


def test_a_search_and_an_experiment_are_two_whatever_their_digests() -> None:
    one = experiment("a", 0.1)
    assert n_trials(one, one.model_copy(update={"kind": "search"})) == 2


@pytest.mark.parametrize("rules", [{"short_p_up": 0.4}, {"exit": {"stop_bps": 50.0}}, {"sizing": {"max_frac": 0.5}}])
def test_the_same_predictions_traded_otherwise_are_another_try(rules: dict[str, Any]) -> None:
    assert n_trials(experiment("a", 0.1), experiment("a", 0.1, **rules)) == 2


def test_a_limit_on_gaps_and_other_costs_are_no_other_try() -> None:
    other = experiment("a", 0.1, fee_bps=3.0, risk={"max_gap_bars": 5})
    assert n_trials(experiment("a", 0.1), other) == 1
    assert n_trials(experiment("a", 0.1), experiment("a", 0.1, risk={"daily_loss_frac": 0.05})) == 2


def test_the_spread_is_that_of_the_trials_where_it_is_wider_than_luck_s() -> None:
    sharpes = np.random.default_rng(1).normal(0, 0.2, 10)
    records = [experiment(f"{at:x}", sharpe) for at, sharpe in enumerate(sharpes)]
    found = count_trials([*records, *searched(*TRIALS)], 182)
    assert found.variance_from == "trials"
    assert found.daily_sharpe_variance == pytest.approx(sharpes.var(ddof=1))
    assert (found.n_trials, found.n_with_sharpe) == (12, 10)


def test_tries_that_resemble_each_other_do_not_make_luck_small() -> None:
    alike = count_trials([experiment(f"{at:x}", 0.1 + 1e-6 * at) for at in range(12)], 182)
    assert (alike.variance_from, alike.daily_sharpe_variance) == ("sampling", 1 / 181)


def test_with_few_it_is_that_of_independent_tries_or_theirs_where_that_is_wider() -> None:
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


def found_of(known: list[TrialRecord], reads: list[TestRead], now: TestRead) -> list[TrialRecord]:
    returns = np.random.default_rng(2).normal(0.001, 0.01, 60)
    return find_records("direction", known, StudyReport(studies={}), reads, now, RULES, 0.68, returns)


def test_reads_from_before_the_ledger_are_told_once_without_figures_and_the_one_that_lies_there_with_its_own() -> None:
    now, earlier = read("a"), read("c")
    first = found_of([], [earlier, now], now)
    assert [(each.loss, each.n_days) for each in first] == [(None, None), (0.68, 60)]
    assert new_batch(first, found_of(first, [earlier, now], now)) is None
    assert n_trials(*first) == 2
    then = found_of(first, [earlier, now, read("e")], read("e"))
    assert len(then) == 1, "those that are known are not told again"
    assert n_trials(*first, *then) == 3


def test_a_read_that_was_told_without_figures_is_no_trial_beside_itself() -> None:
    assert n_trials(experiment("a"), experiment("a", 0.1), experiment("a", 0.1, short_p_up=0.3)) == 2


def test_batches_of_a_folder_are_one_ledger_and_no_folder_is_none(tmp_path: Path) -> None:
    assert read_ledger(tmp_path / "none") == []
    for records in ([experiment("a", 0.1)], [experiment("a", 0.1), experiment("c", 0.2)]):
        batch = TrialBatch(records=records)
        write(tmp_path / batch_file(batch), batch)
    assert read_ledger(tmp_path) == join([experiment("a", 0.1), experiment("c", 0.2)])
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(InputError, match=r"(?s)broken\.json.*restore the file with git"):
        read_ledger(tmp_path)
