"""What hyperopt would try next: its TPE, asked for one trial at a time. The package is optional.

Nothing is kept between two draws. Each is made from the trials so far and a seed of its own, so that a search that was
killed draws the same as one that was not. Source: Bergstra, Bardenet, Bengio and Kégl 2011, Algorithms for
hyper-parameter optimization.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from optuna.distributions import IntDistribution

from candlelock.train.extras import missing_package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candlelock.contracts.study_documents import Trial
    from candlelock.train.trials import Distributions


def library() -> Any:  # noqa: ANN401
    """The package. Raises EnvironmentFaultError where it is not installed."""
    try:
        import hyperopt
    except ModuleNotFoundError as error:
        raise missing_package("hyperopt", "params.yaml tune.sampler") from error
    return hyperopt


def draw(trials: Sequence[Trial], distributions: Distributions, n_startup: int, seed: int) -> dict[str, Any]:
    """The values of the next trial, by key; at random while there are fewer than `n_startup` trials.

    A pruned trial counts as worse than every one that ended: its loss is that of other folds. Raises
    EnvironmentFaultError without the package.
    """
    hyperopt = library()
    space = {key: _range(hyperopt, key, limits) for key, limits in distributions.items()}
    domain = hyperopt.base.Domain(lambda _: 0.0, space)
    history = hyperopt.trials_from_docs([_document(hyperopt, trial) for trial in trials])
    (drawn,) = hyperopt.tpe.suggest([len(trials)], domain, history, seed, n_startup_jobs=n_startup, verbose=False)
    values = {key: float(value) for key, (value,) in drawn["misc"]["vals"].items()}
    return {key: _within(values[key], limits) for key, limits in distributions.items()}


def _range(hyperopt: Any, key: str, limits: Any) -> Any:  # noqa: ANN401
    """A range as hyperopt has it; the ends of whole numbers are as wide as those between."""
    is_int = isinstance(limits, IntDistribution)
    low, high = (limits.low - 0.5, limits.high + 0.5) if is_int else (limits.low, limits.high)
    if limits.log:
        low, high = math.log(low), math.log(high)
    name = ("qloguniform" if limits.log else "quniform") if is_int else ("loguniform" if limits.log else "uniform")
    return getattr(hyperopt.hp, name)(key, low, high, *([1] if is_int else []))


def _within(value: float, limits: Any) -> float | int:  # noqa: ANN401
    """The value in its limits, which rounding may leave."""
    inside = min(max(value, limits.low), limits.high)
    return int(inside) if isinstance(limits, IntDistribution) else inside


def _document(hyperopt: Any, trial: Trial) -> dict[str, Any]:  # noqa: ANN401
    """A trial as hyperopt would have it, had it just run it."""
    result = {"status": "fail"} if trial.state == "pruned" else {"status": "ok", "loss": trial.loss}
    places = {"idxs": {key: [trial.number] for key in trial.parameters}, "cmd": None, "workdir": None}
    values = {"vals": {key: [value] for key, value in trial.parameters.items()}}
    return {
        "tid": trial.number,
        "state": hyperopt.JOB_STATE_DONE,
        "result": result,
        "misc": {"tid": trial.number, **places, **values},
        "version": 0,
        **dict.fromkeys(("spec", "exp_key", "owner", "book_time", "refresh_time")),
    }
