"""Which fits have to be there follows from the parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from candlelock.artifacts.user_files import read_params
from candlelock.audit.leakage import expected_fits, given_of

NONE: Any = None


@pytest.mark.parametrize(
    ("changed", "is_stacked"),
    [
        ({"ensemble": "stack"}, True),
        ({"ensemble": "average"}, True),
        ({"ensemble": "average", "weights": {"lightgbm": 1.0, "xgboost": 0.9, "mlp": 0.8}}, False),
        ({"ensemble": "vote"}, False),
    ],
)
def test_an_ensemble_has_a_fit_where_labels_weigh_its_members(changed: dict[str, Any], is_stacked: bool) -> None:
    params = read_params(Path(__file__).parents[3])
    params = params.model_copy(update={"calibrate": params.calibrate.model_copy(update=changed)})
    names = expected_fits(given_of(params, params.heads["direction"], NONE, NONE, []), 3)
    assert ("calibrate/stack" in names) is is_stacked
    assert {f"calibrate/{name}" for name in ("ensemble", "calibrator", "conformal", "threshold")} < set(names)


@pytest.mark.parametrize("frac", [0.25, 1.0])
def test_a_search_on_fewer_rows_has_fits_on_those_too(frac: float) -> None:
    params = read_params(Path(__file__).parents[3])
    params = params.model_copy(
        update={"tune": params.tune.model_copy(update={"screen_frac": frac, "n_path_groups": None})}
    )
    names = [
        name
        for name in expected_fits(given_of(params, params.heads["direction"], NONE, NONE, []), 3)
        if name.startswith("tune/lightgbm")
    ]
    endings = ("", "/screen") if frac < 1 else ("",)
    assert names == [f"tune/lightgbm/fold {n}{ending}" for n in (1, 2, 3) for ending in endings]


@pytest.mark.parametrize(("changed", "n_splits"), [({}, 6), ({"n_path_groups": 6}, 15), ({"n_trials": 1}, 0)])
def test_a_search_along_paths_has_a_fit_for_every_split(changed: dict[str, Any], n_splits: int) -> None:
    params = read_params(Path(__file__).parents[3])
    params = params.model_copy(update={"tune": params.tune.model_copy(update=changed)})
    names = expected_fits(given_of(params, params.heads["direction"], NONE, NONE, []), 3)
    expected = {f"tune/{name}/path split {n}" for name in ("lightgbm", "xgboost") for n in range(1, n_splits + 1)}
    assert {name for name in names if "path" in name} == expected


@pytest.mark.parametrize("is_refit", [True, False])
def test_a_refit_is_expected_where_there_is_one(is_refit: bool) -> None:
    params = read_params(Path(__file__).parents[3])
    params = params.model_copy(update={"train": params.train.model_copy(update={"refit": is_refit})})
    names = expected_fits(given_of(params, params.heads["direction"], NONE, NONE, []), 3)
    expected = {f"train/{name}/refit" for name in (*params.train.members, "logistic")} if is_refit else set()
    assert {name for name in names if "refit" in name} == expected


def test_every_member_has_its_fits_the_baseline_too_and_those_that_are_searched_more() -> None:
    params = read_params(Path(__file__).parents[3])
    params = params.model_copy(update={"train": params.train.model_copy(update={"members": ["lightgbm", "svm"]})})
    names = expected_fits(given_of(params, params.heads["direction"], NONE, NONE, []), 3)
    trained = {name.split("/")[1] for name in names if name.startswith("train/")}
    searched = {name.split("/")[1] for name in names if name.startswith("tune/")}
    judged = {name.split("/")[1] for name in names if name.endswith("/importance")}
    assert judged == trained, "every final model is judged by what its features are worth"
    assert (trained, searched) == ({"lightgbm", "svm", "logistic"}, {"lightgbm"})
