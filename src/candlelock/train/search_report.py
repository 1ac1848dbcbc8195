"""What a search tells of itself: its trials, the winner, how it got there and which settings mattered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import optuna
import pandas as pd
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

from candlelock.train.metric import METRICS
from candlelock.train.trials import freeze

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from candlelock.contracts.stage_params import SearchMetric, ValueMetric
    from candlelock.contracts.study_documents import Study, Trial
    from candlelock.train.trials import Distributions

MIN_ENDED = 8  # trials, for an importance
TOP_FRAC = 0.25  # of the trials, that the others are told from


def best_of(trials: Sequence[Trial]) -> Trial:
    """The lowest loss on all rows, the earliest where two tie."""
    return _ranked(trials, "complete", "rerun")[0]


def best_screened(trials: Sequence[Trial], n_best: int) -> list[Trial]:
    """The lowest losses on a share of the rows; of trials with the same losses, which made the same models, one."""
    distinct: dict[tuple[float, ...], Trial] = {}
    for trial in _ranked(trials, "screened"):
        distinct.setdefault(tuple(trial.fold_losses), trial)
    return list(distinct.values())[:n_best]


def best_losses(trials: Sequence[Trial]) -> list[float]:
    """The lowest loss up to each trial; pruned ones lower none, reruns are left out."""
    own = [trial for trial in trials if trial.state != "rerun"]
    losses = [np.inf if trial.state == "pruned" else trial.loss for trial in own]
    return [float(loss) for loss in np.minimum.accumulate(losses)]


def find_importance(trials: Sequence[Trial], distributions: Distributions, weights: Sequence[int]) -> dict[str, float]:
    """How much each key tells the best trials from the others, as shares that sum to 1; empty for too few trials.

    Source: Watanabe, Bansal and Hutter 2023, PED-ANOVA. Pruned trials and reruns do not count.
    """
    ended = [trial for trial in trials if trial.state in ("complete", "screened")]
    if len(ended) < MIN_ENDED or not distributions:
        return {}
    study = optuna.create_study()
    study.add_trials([freeze(trial, distributions, weights) for trial in ended])
    found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(target_quantile=TOP_FRAC))
    return {key: float(share) for key, share in sorted(found.items())}


def history_table(studies: Mapping[str, Study]) -> pd.DataFrame:
    """The lowest loss of each learner up to each trial, by `trial` from 0; nothing where its search has ended."""
    columns = {name: pd.Series(study.best_losses) for name, study in sorted(studies.items())}
    return pd.DataFrame(columns).rename_axis("trial").reset_index()


def trial_text(trial: Trial, metric: SearchMetric | ValueMetric, *, is_kept: bool) -> str:
    """A line about a trial."""
    state = f"rerun of {trial.rerun_of}" if trial.state == "rerun" else trial.state
    ending = ", kept from an interrupted run" if is_kept else ""
    return f"trial {trial.number} {state}, {METRICS[metric].label} {trial.loss:.6f}{ending}"


def study_text(study: Study) -> str:
    """A line about a search that is over."""
    best, n_pruned = study.trials[study.best_trial], sum(trial.state == "pruned" for trial in study.trials)
    ending = f"; the time limit ended it before trial {study.n_asked}" if study.ended_by == "time" else ""
    found = f"best {METRICS[study.metric].label} {best.loss:.6f} in trial {best.number}"
    return f"{found} of {len(study.trials)}, {n_pruned} pruned{ending}"


def _ranked(trials: Sequence[Trial], *states: str) -> list[Trial]:
    return sorted((trial for trial in trials if trial.state in states), key=lambda trial: (trial.loss, trial.number))
