"""Small searches: rows with a little to find, settings that fit in milliseconds, a child process that is killed."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from candlelock.artifacts import documents
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.contracts.stage_params import TuneParams
from candlelock.contracts.train_params import LightgbmParams, XgboostParams
from candlelock.train import fold_fits
from candlelock.train.learner import Sample
from candlelock.train.members import FoldSamples
from candlelock.train.search import SearchRows, SearchTask, search
from candlelock.train.study_file import study_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.stage_params import Frozen
    from candlelock.contracts.study_documents import Study
    from candlelock.train.learner import Model

BAR_MS = 3_600_000
SPACES: dict[str, dict[str, Any]] = {
    "lightgbm": {
        "min_data_in_leaf": {"low": 5, "high": 200, "log": True},
        "feature_fraction": {"low": 0.3, "high": 0.9, "log": False},
    },
    "xgboost": {
        "max_depth": {"low": 1, "high": 5, "log": False},
        "min_child_weight": {"low": 0.5, "high": 50.0, "log": True},
    },
}
STARTS: dict[str, Frozen] = {
    "lightgbm": LightgbmParams(
        num_leaves=5,
        learning_rate=0.2,
        min_data_in_leaf=10,
        feature_fraction=0.8,
        bagging_fraction=0.8,
        lambda_l2=1.0,
        max_bin=31,
        max_rounds=20,
        patience_rounds=4,
    ),
    "xgboost": XgboostParams(
        max_depth=2,
        learning_rate=0.2,
        min_child_weight=2.0,
        colsample_bytree=0.8,
        subsample=0.8,
        reg_lambda=1.0,
        max_bin=32,
        max_rounds=20,
        patience_rounds=4,
    ),
}


def make_rows(n_folds: int = 3, n_bars: int = 400) -> SearchRows:
    """Two symbols, bar by bar; the first of four features knows a little; folds walk forward."""
    random = np.random.default_rng(3)
    x = random.normal(size=(2 * n_bars, 4))
    y = (random.random(2 * n_bars) < 1 / (1 + np.exp(-0.5 * x[:, 0]))).astype(float)
    sample, opened = Sample(x, y, np.arange(2 * n_bars)), BAR_MS * np.repeat(np.arange(n_bars), 2)
    cuts = np.linspace(0, 2 * n_bars, n_folds + 2).astype(int)
    folds = [
        FoldSamples(sample.take(np.arange(a)), sample.take(np.arange(a, b))) for a, b in itertools.pairwise(cuts[1:])
    ]
    return SearchRows(folds, opened)


def make_task(name: str = "lightgbm", seed: int = 1, threads: int = 1, **changes: Any) -> SearchTask:
    """Twelve trials on all rows, unless changed; `space` is that of the learner."""
    given = {
        "n_trials": 12,
        "metric": "log_loss",
        "value_metric": "rmse",
        "screen_frac": 1.0,
        "n_rerun": 2,
        "timeout_s": None,
    }
    given |= {"sampler": "tpe", "n_path_groups": None} | changes
    space = {name: given.pop("space", SPACES[name])}
    params = TuneParams.model_validate({**given, "space": space})
    return SearchTask("direction", name, STARTS[name], params.space[name], params, seed, threads)


def run_search(
    folder: Path,
    task: SearchTask,
    rows: SearchRows | None = None,
    fits: FitLedger | None = None,
    clock: Callable[[], float] = float,
) -> tuple[Study, list[str]]:
    """The study, and what was told of its trials. The clock stands still unless there is another."""
    said: list[str] = []
    with study_files(folder) as open_file:
        study = search(
            task,
            rows or make_rows(),
            fits or FitLedger(),
            open_file,
            lambda done, total, line: said.append(line),
            clock,
        )
    return study, said


def stop_at(n_fits: int) -> None:
    """Let this process be killed in the middle of that fit."""
    fit, n_done = fold_fits.FoldFits.fit, 0

    def fit_or_die(self: fold_fits.FoldFits, settings: Frozen) -> Model:
        nonlocal n_done
        n_done += 1
        if n_done == n_fits:
            os.kill(os.getpid(), signal.SIGKILL)
        return fit(self, settings)

    fold_fits.FoldFits.fit = fit_or_die  # type: ignore[method-assign]


def main(folder: Path, threads: int, n_fits: int, sampler: str) -> None:
    """Search below `folder`; with `n_fits`, die on the way."""
    if n_fits:
        stop_at(n_fits)
    fits = FitLedger()
    study, said = run_search(folder / "work", make_task(threads=threads, screen_frac=0.25, sampler=sampler), fits=fits)
    documents.write(folder / "study.json", study)
    (folder / "fits.txt").write_text(fits.table().to_pandas().to_csv())
    print(sum("interrupted" in line for line in said))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
