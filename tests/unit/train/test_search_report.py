"""What a search tells of itself, from trials that are made up."""

from __future__ import annotations

import pytest

from candlelock.contracts.stage_params import SearchRange
from candlelock.contracts.study_documents import Study, Trial
from candlelock.train.search_report import (
    best_losses,
    best_of,
    best_screened,
    find_importance,
    history_table,
    study_text,
    trial_text,
)
from candlelock.train.trials import distributions_of
from tests.unit.train.search_runs import STARTS

LOSSES = [0.7, 0.5, 0.6, 0.4, 0.5]
STATES = ["screened", "screened", "screened", "pruned", "screened"]


def trial(number: int, state: str, loss: float, of: int | None = None, **parameters: float) -> Trial:
    given = {"number": number, "parameters": parameters, "fold_losses": [loss, loss], "loss": loss, "state": state}
    return Trial.model_validate({**given, "rerun_of": of})


TRIALS = [
    *(trial(number, state, loss) for number, (state, loss) in enumerate(zip(STATES, LOSSES, strict=True))),
    trial(5, "rerun", 0.65, 0),
    trial(6, "rerun", 0.55, 1),
]


def study(trials: list[Trial], **changes: object) -> Study:
    best = best_of(trials)
    given = {"sampler": "TPE", "seed": 1, "metric": "log_loss", "n_rows": 10, "n_asked": 5, "screen_frac": 0.25}
    given |= {"ended_by": "trials", "trials": trials, "best_trial": best.number, "best_parameters": {}}
    return Study.model_validate(
        {**given, "best_losses": best_losses(trials), "importance": {}, "paths": None, **changes}
    )


def test_only_what_ran_on_all_rows_wins_and_the_earlier_of_two_that_tie() -> None:
    assert best_of(TRIALS).number == 6
    assert best_of([*TRIALS, trial(7, "rerun", 0.55, 2)]).number == 6
    assert best_of([trial(0, "complete", 0.7), trial(1, "pruned", 0.1), trial(2, "complete", 0.6)]).number == 2


def test_trials_that_made_the_same_models_are_rerun_once() -> None:
    assert [each.number for each in best_screened(TRIALS, 2)] == [1, 2]
    assert [each.number for each in best_screened(TRIALS, 9)] == [1, 2, 0]


def test_pruned_trials_lower_no_best_and_reruns_are_left_out() -> None:
    assert best_losses(TRIALS) == [0.7, 0.5, 0.5, 0.5, 0.5]


def test_the_history_has_a_column_for_each_learner_and_gaps_where_one_ended() -> None:
    table = history_table({"xgboost": study([trial(0, "complete", 0.8)]), "lightgbm": study(TRIALS)})
    assert table.to_csv(index=False, lineterminator="\n") == (
        "trial,lightgbm,xgboost\n0,0.7,0.8\n1,0.5,\n2,0.5,\n3,0.5,\n4,0.5,\n"
    )


def test_the_key_that_decides_is_the_important_one() -> None:
    space = {
        "feature_fraction": SearchRange(low=0.1, high=1.0, log=False),
        "num_leaves": SearchRange(low=2, high=64, log=True),
    }
    distributions = distributions_of(space, STARTS["lightgbm"])
    trials = [
        trial(n, "complete", abs(n / 40 - 0.5), feature_fraction=0.1 + 0.9 * n / 40, num_leaves=2 + (7 * n) % 60)
        for n in range(41)
    ]
    found = find_importance(trials, distributions, [1, 1])
    assert sum(found.values()) == pytest.approx(1)
    assert found["feature_fraction"] > 0.8
    assert find_importance(trials[:7], distributions, [1, 1]) == {}
    pruned = [each.model_copy(update={"state": "pruned"}) for each in trials]
    assert find_importance([*trials[:7], *pruned[7:]], distributions, [1, 1]) == {}


def test_lines_say_what_became_of_a_trial_and_of_the_search() -> None:
    assert trial_text(TRIALS[6], "auc", is_kept=True) == (
        "trial 6 rerun of 1, 1 - AUC 0.550000, kept from an interrupted run"
    )
    assert study_text(study(TRIALS)) == "best log loss 0.550000 in trial 6 of 7, 1 pruned"
    ended = study(TRIALS, ended_by="time", n_asked=50)
    assert study_text(ended).endswith("of 7, 1 pruned; the time limit ended it before trial 50")
