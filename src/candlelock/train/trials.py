"""A trial as the report has it and as Optuna has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.trial import FrozenTrial

    from candlelock.contracts.stage_params import Frozen, SearchRange
    from candlelock.contracts.study_documents import Trial

Distributions = dict[str, IntDistribution | FloatDistribution]


def distributions_of(space: Mapping[str, SearchRange], start: Frozen) -> Distributions:
    """What Optuna draws from: whole numbers for a key whose start is one. Sorted: a file's order changes nothing."""
    found: Distributions = {}
    for key, limits in sorted(space.items()):
        if isinstance(getattr(start, key), int):
            found[key] = IntDistribution(int(limits.low), int(limits.high), log=limits.log)
        else:
            found[key] = FloatDistribution(limits.low, limits.high, log=limits.log)
    return found


def typed(parameters: Mapping[str, float], distributions: Distributions) -> dict[str, Any]:
    """Values as the learner takes them: the report has all as floats."""
    return {key: distributions[key].to_external_repr(value) for key, value in parameters.items()}


def running_loss(losses: Sequence[float], weights: Sequence[int]) -> float:
    """Mean of the losses so far, weighted by the rows of their folds."""
    return float(np.average(losses, weights=weights[: len(losses)]))


def freeze(trial: Trial, distributions: Distributions, weights: Sequence[int]) -> FrozenTrial:
    """The trial as Optuna would have it, had it just run it."""
    n_done = len(trial.fold_losses)
    return create_trial(
        state=TrialState.PRUNED if trial.state == "pruned" else TrialState.COMPLETE,
        value=trial.loss,
        params=typed(trial.parameters, distributions),
        distributions=dict(distributions),
        intermediate_values={step: running_loss(trial.fold_losses[: step + 1], weights) for step in range(n_done)},
    )
