"""Paths: every group judged by models that were trained apart from it, by the settings and the rows of the search."""

from __future__ import annotations

import itertools
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.artifacts.side_by_side import run_all, run_in_turn
from candlelock.contracts.errors import InputError
from candlelock.contracts.study_documents import Paths, Trial
from candlelock.contracts.train_params import WeightsParams
from candlelock.leakage.fit_scope import read_hand_overs
from candlelock.train.learner import LEARNERS, Sample
from candlelock.train.members import log_loss
from candlelock.train.paths import N_WALKED, choose_walked, cut_paths, refuse_splits, walk_paths
from candlelock.train.screening import scale_rows, spread_blocks
from candlelock.train.weights import weigh
from tests.unit.train.search_runs import BAR_MS, STARTS, make_rows, make_task, run_search

if TYPE_CHECKING:
    from pathlib import Path

    from candlelock.train.paths import PathRows

N_BARS, LABEL_BARS, EMBARGO_BARS = 600, 3, 2
EMBARGO_MS = EMBARGO_BARS * BAR_MS
EVEN = WeightsParams(uniqueness=False, half_life_days=None, balance_classes=False)
RECENT = EVEN.model_copy(update={"half_life_days": 5.0})


def make_table() -> tuple[pd.DataFrame, Sample]:
    """Two symbols, bar by bar, numbered otherwise; the last fifth is not of train, every 50th label is unknown."""
    random, bar = np.random.default_rng(3), np.repeat(np.arange(N_BARS), 2)
    x = random.normal(size=(2 * N_BARS, 4))
    y = (random.random(2 * N_BARS) < 1 / (1 + np.exp(-0.5 * x[:, 0]))).astype(float)
    y[::50] = np.nan
    rows = pd.DataFrame(
        {
            "symbol": np.tile(["A", "B"], N_BARS),
            "open_time_ms": BAR_MS * bar,
            "decision_time_ms": BAR_MS * (bar + 1),
            "label_end_ms": BAR_MS * (bar + 1 + LABEL_BARS),
            "is_up": y,
            "segment": np.where(bar < 0.8 * N_BARS, "train", "calibrate"),
        }
    )
    return rows, Sample(x, y, np.argsort(np.argsort(np.tile([0, 1], N_BARS), kind="stable")))


ROWS, SAMPLE = make_table()
IS_TRAIN = ((ROWS["segment"] == "train") & ROWS["is_up"].notna()).to_numpy()


def cut(n_groups: int = 4, weights: WeightsParams = EVEN, sample: Sample = SAMPLE) -> PathRows:
    found = cut_paths(ROWS, sample, n_groups, EMBARGO_MS, weights)
    assert found is not None
    return found


def trial(number: int, state: Any = "complete", **parameters: float) -> Trial:
    given = {"min_data_in_leaf": 10.0, "feature_fraction": 0.8} | parameters
    rerun_of = 0 if state == "rerun" else None
    return Trial(number=number, parameters=given, fold_losses=[0.6], loss=0.6, state=state, rerun_of=rerun_of)


TRIALS = [trial(0), trial(3, "pruned", min_data_in_leaf=100.0)]


def walk(rows: PathRows, fits: FitLedger | None = None, **changes: Any) -> Paths:
    task = make_task(n_path_groups=rows.paths.shape[1], **changes)
    return walk_paths(task, rows, "log_loss", TRIALS, fits or FitLedger(), run_in_turn)


@pytest.mark.parametrize("n_groups", [3, 4, 6])
def test_groups_are_stretches_of_labelled_train_rows_and_what_is_judged_is_known_to_no_model(n_groups: int) -> None:
    rows = cut(n_groups)
    group = rows.group[SAMPLE.rows]  # in the order of the table
    assert ((group >= 0) == IS_TRAIN).all()
    assert (np.diff(group[IS_TRAIN]) >= 0).all()
    assert group.max() == n_groups - 1
    start, end = (ROWS[name].to_numpy() for name in ("decision_time_ms", "label_end_ms"))
    for tested, (trains, validates) in zip(combinations(range(n_groups), 2), rows.splits, strict=True):
        assert validates.tolist() == np.flatnonzero(np.isin(group, tested)).tolist()
        for one in tested:
            own = np.flatnonzero(group == one)
            begin, over = start[own].min(), end[own].max()
            assert ((end[trains] + EMBARGO_MS < begin) | (start[trains] - EMBARGO_MS > over)).all()


def test_nothing_is_cut_where_no_groups_are_asked_for() -> None:
    assert cut_paths(ROWS, SAMPLE, None, EMBARGO_MS, EVEN) is None


TURNED = replace(SAMPLE, soft=1.0 - SAMPLE.y)  # what is learned is the opposite of what judges


@pytest.mark.parametrize("sample", [SAMPLE, TURNED], ids=["labels", "shares"])
@pytest.mark.parametrize("frac", [1.0, 0.25])
@pytest.mark.parametrize("weights", [EVEN, RECENT], ids=["even", "recent"])
def test_losses_are_those_of_models_fitted_by_hand(frac: float, weights: WeightsParams, sample: Sample) -> None:
    rows = cut(weights=weights, sample=sample)
    found, seed = walk(rows, screen_frac=frac), make_task().seed
    assert (found.n_groups, found.n_test_groups, found.trials) == (4, 2, [0, 3])
    assert np.shape(found.losses) == (2, 3, 4)
    opened = ROWS["open_time_ms"].to_numpy()

    def side(places: np.ndarray, share: float) -> Sample:
        weighed = weigh(ROWS.iloc[places], weights)
        some = spread_blocks(opened[places], share) if share < 1 else np.ones(len(places), dtype=bool)
        kept = None if weighed is None else weighed[some] / weighed[some].mean()
        return replace(sample.take(places[some]), weights=kept)

    for path, splits in enumerate(rows.paths):
        for group, split in enumerate(splits):
            trains, stops = (side(places, frac) for places in rows.splits[split])
            validates = side(rows.splits[split][1], 1.0)
            for number, one in enumerate(TRIALS):
                own = {key: type(getattr(STARTS["lightgbm"], key))(value) for key, value in one.parameters.items()}
                settings = scale_rows(STARTS["lightgbm"].model_copy(update=own), frac)
                model = LEARNERS["lightgbm"].fit(trains, stops, settings, seed, 1)
                asked = validates.take(rows.group[validates.rows] == group)
                weighed = None if asked.weights is None else asked.weights / asked.weights.mean()
                expected = log_loss(asked.y, model.predict(asked.x), weighed)
                assert found.losses[number][path][group] == pytest.approx(expected, rel=1e-12)


def test_paths_of_splits_side_by_side_are_the_same() -> None:
    rows, task = cut(), make_task(n_path_groups=4)
    assert walk_paths(task, rows, "log_loss", TRIALS, FitLedger(), run_all) == walk(rows)


@pytest.mark.parametrize("frac", [1.0, 0.25])
def test_the_ledger_knows_the_rows_of_every_split(frac: float) -> None:
    rows, fits, opened = cut(), FitLedger(), ROWS["open_time_ms"].to_numpy()
    walk(rows, fits, screen_frac=frac)
    noted = {key: hand_over.rows.tolist() for key, hand_over in read_hand_overs(fits.table()).items()}
    expected = {}
    for number, (trains, validates) in enumerate(rows.splits, 1):
        for use, places, share in (("fit", trains, frac), ("stop", validates, frac), ("choose", validates, 1.0)):
            some = places[spread_blocks(opened[places], share)] if share < 1 else places
            expected[f"lightgbm/path split {number}", use] = sorted(SAMPLE.rows[some].tolist())
    assert noted == expected


def test_what_was_tried_is_walked_spread_over_the_search_and_no_rerun() -> None:
    tried = [trial(number, "pruned" if number % 2 else "screened") for number in range(40)]
    walked = [one.number for one in choose_walked([*tried, trial(40, "rerun")])]
    assert (walked[0], walked[-1], len(walked)) == (0, 39, N_WALKED)
    assert {number % 2 for number in walked} == {0, 1}
    assert np.ptp(np.diff(walked)) <= 1
    assert [one.number for one in choose_walked(tried[:3])] == [0, 1, 2]
    best = tried[13].model_copy(update={"state": "screened", "loss": 0.5})
    with_best = choose_walked([*tried[:13], best, *tried[14:]])
    assert [one.number for one in with_best] == sorted({*walked, 13}), "the winner is among them"


def test_a_search_walks_its_trials_where_it_is_asked_to(tmp_path: Path) -> None:
    folds = replace(make_rows(), paths=cut())
    study, said = run_search(tmp_path / "one", make_task(n_path_groups=4), folds)
    assert study.paths is not None
    assert said[-1] == f"judges {len(study.paths.trials)} trials along 3 paths"
    assert study.paths.trials == [one.number for one in choose_walked(study.trials)]
    plain, _ = run_search(tmp_path / "two", make_task())
    assert study.model_copy(update={"paths": None}) == plain, "nothing else changes"
    single, _ = run_search(tmp_path / "three", make_task(n_path_groups=4, n_trials=1), folds)
    assert single.paths is None, "one trial has no other to be ranked with"


def test_a_split_of_one_class_is_refused_by_head_learner_and_split() -> None:
    is_later = cut().group[SAMPLE.rows] >= 2  # which split 1 trains on
    one_class = replace(SAMPLE, y=np.where(is_later, 1.0, SAMPLE.y))
    with pytest.raises(InputError) as caught:
        refuse_splits(make_task(n_path_groups=4), cut(sample=one_class))
    assert caught.value.problems[0].code == "train-one-class"
    assert caught.value.problems[0].place == "head direction, lightgbm, path split 1, rows it trains on"


def test_a_stretch_of_one_class_is_refused_before_anything_is_searched(tmp_path: Path) -> None:
    rows = cut(sample=replace(SAMPLE, y=np.where(cut().group[SAMPLE.rows] == 1, 0.0, SAMPLE.y)))
    fits = FitLedger()
    with pytest.raises(InputError) as caught:
        run_search(tmp_path, make_task(n_path_groups=4), replace(make_rows(), paths=rows), fits)
    assert caught.value.problems[0].place == "head direction, lightgbm, path split 1, stretch 2"
    assert caught.value.problems[0].help == "set tune.n_path_groups lower, or to null"
    assert fits.table().num_rows == 0


@pytest.mark.parametrize("n_groups", [3, 6])
def test_splits_that_can_be_walked_are_not_refused(n_groups: int) -> None:
    refuse_splits(make_task(n_path_groups=n_groups, screen_frac=0.25), cut(n_groups, RECENT))


def test_every_stretch_is_judged_however_few_rows_train() -> None:
    assert np.isfinite(walk(cut(12), screen_frac=0.25).losses).all()


def test_a_search_that_time_ended_walks_what_it_has(tmp_path: Path) -> None:
    ticks = itertools.count(step=10)
    folds, task = replace(make_rows(), paths=cut()), make_task(n_path_groups=4, timeout_s=1.0)
    study, _ = run_search(tmp_path, task, folds, clock=lambda: float(next(ticks)))
    assert study.paths is not None
    assert (study.ended_by, study.paths.trials) == ("time", [0])


def test_too_few_times_to_cut_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        cut_paths(ROWS[:4], SAMPLE.take(np.arange(4)), 6, EMBARGO_MS, EVEN)
    assert caught.value.problems[0].code == "splitter"
    assert "tune.n_path_groups" in caught.value.problems[0].help
