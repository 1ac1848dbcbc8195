"""What a search costs, beside the plain Optuna loop over scikit-learn wrappers, and how good what it finds is.

    python benchmarks/search.py                                   # 50 trials, 40,000 rows of 80 features, 4 folds
    python benchmarks/search.py --trials 12 --rows 8000 --features 40 --seeds 1
    python benchmarks/search.py --project .                       # the rows and features of a project that was built

The plain loop is what tutorials show: for every trial and fold a new `LGBMClassifier`, default bins, early stopping on
the fold, TPE with its defaults, no pruning. Both search the same three keys from the same fixed settings, on the same
walk-forward folds, a gap of 50 rows before each, on one thread. CPU is the process's own time over all its threads.
Both winners are then judged in one way: their settings are fitted on all rows of every fold, with three seeds that
neither search has used; the difference has its standard error, over blocks of time. `generated` features carry a faint
signal in six of them; the best AUC lies near 0.56.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from candlelock.artifacts import numeric_environment

numeric_environment.lock()

import lightgbm  # noqa: E402
import numpy as np  # noqa: E402
import optuna  # noqa: E402

from candlelock.artifacts.fit_ledger import FitLedger  # noqa: E402
from candlelock.artifacts.user_files import read_params  # noqa: E402
from candlelock.contracts.stage_params import TuneParams  # noqa: E402
from candlelock.split.joined import read_matrix  # noqa: E402
from candlelock.train.learner import LEARNERS, Sample  # noqa: E402
from candlelock.train.members import FoldSamples, log_loss, row_losses  # noqa: E402
from candlelock.train.search import SearchRows, SearchTask, search  # noqa: E402
from candlelock.train.study_file import study_files  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
GAP = 50  # rows between what a fold trains on and what it is judged on
SPACE: dict[str, dict[str, Any]] = {
    "min_data_in_leaf": {"low": 50, "high": 3000, "log": True},
    "feature_fraction": {"low": 0.1, "high": 1.0, "log": False},
    "lambda_l2": {"low": 0.1, "high": 100.0, "log": True},
}
NAMES = {"min_data_in_leaf": "min_child_samples", "feature_fraction": "colsample_bytree", "lambda_l2": "reg_lambda"}
START = read_params(ROOT).train.lightgbm
JUDGES = (101, 102, 103)
N_BLOCKS = 40  # for the standard error of a difference


def generate(n_rows: int, n_features: int, seed: int) -> Sample:
    """Features that persist as indicators do; six of them know a little, two only together."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n_rows, n_features))
    for at in range(1, n_rows):
        x[at] = 0.9 * x[at - 1] + np.sqrt(1 - 0.81) * x[at]
    z = 0.1 * (x[:, 0] - x[:, 1] + np.abs(x[:, 2]) - np.abs(x[:, 3])) + 0.1 * x[:, 4] * x[:, 5]
    return Sample(x, (random.random(n_rows) < 1 / (1 + np.exp(-z))).astype(float), np.arange(n_rows))


def read_project(project: Path, n_rows: int, n_features: int) -> Sample:
    """The latest labelled train rows of a built project, and its first features."""
    params = read_params(project)
    rows, x, _ = read_matrix(project, next(iter(params.heads)), params.features)
    known = rows["is_up"].notna() & (rows["segment"] == "train")
    by_time = rows[known].sort_values(["open_time_ms", "symbol"]).index.to_numpy()[-n_rows:]
    return Sample(x[by_time][:, :n_features], rows["is_up"].to_numpy()[by_time], np.arange(len(by_time)))


def cut(sample: Sample, n_folds: int) -> list[FoldSamples]:
    """Walk-forward folds of equal size."""
    ends = np.linspace(0, len(sample.y), n_folds + 2).astype(int)
    pairs = itertools.pairwise(ends[1:])
    return [FoldSamples(sample.take(np.arange(a - GAP)), sample.take(np.arange(a, b))) for a, b in pairs]


def search_plainly(folds: list[FoldSamples], n_trials: int, seed: int) -> dict[str, float]:
    """The settings that the plain loop finds."""
    fixed = {
        "num_leaves": START.num_leaves, "learning_rate": START.learning_rate, "n_estimators": START.max_rounds,
        "subsample": START.bagging_fraction, "subsample_freq": 1, "random_state": seed, "n_jobs": 1, "verbosity": -1,
    }  # fmt: skip

    def objective(trial: optuna.Trial) -> float:
        found = {
            key: (trial.suggest_int if isinstance(getattr(START, key), int) else trial.suggest_float)(key, **limits)
            for key, limits in SPACE.items()
        }
        losses = []
        for fold in folds:
            model = lightgbm.LGBMClassifier(**fixed, **{NAMES[key]: value for key, value in found.items()})
            early = lightgbm.early_stopping(START.patience_rounds, verbose=False)
            judged = {"eval_X": fold.validates.x, "eval_y": fold.validates.y}
            model.fit(fold.trains.x, fold.trains.y, **judged, callbacks=[early])
            losses.append(log_loss(fold.validates.y, model.predict_proba(fold.validates.x)[:, 1]))
        return float(np.mean(losses))

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(objective, n_trials=n_trials)
    return dict(study.best_params)


def search_ours(folds: list[FoldSamples], got: argparse.Namespace, seed: int) -> dict[str, float]:
    """The settings that `candlelock.train.search` finds."""
    given = {
        "n_trials": got.trials,
        "metric": "log_loss",
        "value_metric": "rmse",
        "screen_frac": got.screen_frac,
        "n_rerun": got.rerun,
    }
    more = {"sampler": "tpe", "n_path_groups": None, "timeout_s": None, "space": {"lightgbm": SPACE}}
    params = TuneParams.model_validate(given | more)
    task = SearchTask("benchmark", "lightgbm", START, params.space["lightgbm"], params, seed, 1)
    rows = SearchRows(folds, np.arange(max(fold.validates.rows[-1] for fold in folds) + 1))
    with tempfile.TemporaryDirectory() as folder, study_files(Path(folder) / "work") as open_file:
        study = search(task, rows, FitLedger(), open_file, lambda *_: None, time.monotonic)
    return study.best_parameters


def judge(folds: list[FoldSamples], found: dict[str, float]) -> np.ndarray:
    """Loss of each row that a fold judges with these settings, mean over the seeds, fitted on all rows."""
    settings = START.model_copy(update={key: type(getattr(START, key))(value) for key, value in found.items()})
    losses = []
    for fold in folds:
        for seed in JUDGES:
            model = LEARNERS["lightgbm"].fit(fold.trains, fold.validates, settings, seed, 1)
            losses.append(row_losses(fold.validates.y, model.predict(fold.validates.x)))
    by_seed = [np.concatenate(losses[at :: len(JUDGES)]) for at in range(len(JUDGES))]
    return np.asarray(np.mean(by_seed, axis=0))


def lead(ours: np.ndarray, plain: np.ndarray) -> str:
    """Ours less the plain one's mean loss, and its standard error over blocks of rows in the order of time."""
    gaps = np.array([block.mean() for block in np.array_split(ours - plain, N_BLOCKS)])
    return f"{gaps.mean():+.6f} ± {gaps.std(ddof=1) / np.sqrt(N_BLOCKS):.6f}"


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--trials", type=int, default=50)
    ask.add_argument("--rows", type=int, default=40_000)
    ask.add_argument("--features", type=int, default=80)
    ask.add_argument("--folds", type=int, default=4)
    ask.add_argument("--screen-frac", type=float, default=0.25)
    ask.add_argument("--rerun", type=int, default=3)
    ask.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    ask.add_argument("--project", type=Path, help="folder of a project whose features and split are built")
    got = ask.parse_args()
    warnings.filterwarnings("ignore", message="X does not have valid feature names")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    what = "features of a project" if got.project else "generated features"
    print(f"{got.trials} trials, {got.rows:,} rows, {got.features} {what}, {got.folds} folds\n", flush=True)
    print(
        "| seed | plain, CPU s | ours, CPU s | ratio | loss of plain | ours less it |\n|---|---|---|---|---|---|",
        flush=True,
    )
    for seed in got.seeds:
        sample = (
            read_project(got.project, got.rows, got.features) if got.project else generate(got.rows, got.features, seed)
        )
        folds = cut(sample, got.folds)
        began = time.process_time()
        ours = search_ours(folds, got, seed)
        between = time.process_time()
        plain = search_plainly(folds, got.trials, seed)
        s_ours, s_plain = between - began, time.process_time() - between
        judged = judge(folds, plain)
        losses = f"{judged.mean():.6f} | {lead(judge(folds, ours), judged)}"
        print(f"| {seed} | {s_plain:.1f} | {s_ours:.1f} | {s_plain / s_ours:.1f} | {losses} |", flush=True)


if __name__ == "__main__":
    main()
