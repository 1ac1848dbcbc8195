"""CatBoost answers as the library's classifier does, from bytes that hold nothing but trees; or is missed by name."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.contracts.errors import EXIT_ENVIRONMENT, EnvironmentFaultError
from candlelock.train.checks import optional_libraries
from candlelock.train.learner import Sample
from candlelock.train.learners import catboost
from candlelock.train.members import Task, train_members
from candlelock.train.study_file import find_key
from tests.learner_settings import QUICK, needs_package
from tests.unit.train.search_runs import make_rows, make_task, run_search

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from candlelock.contracts.train_params import TrainParams
    from candlelock.select.transform import Transforms
    from candlelock.train.learner import Array
    from tests.unit.train.conftest import Spy

SETTINGS = QUICK["catboost"]
installed = needs_package("catboost")


def draw(seed: int, n_rows: int = 700) -> Sample:
    """Three features; the first is unknown in every fourth row, and those rows are mostly up."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n_rows, 3))
    is_unknown = np.arange(n_rows) % 4 == 0
    score = np.where(is_unknown, 3.0, 2.0 * x[:, 0])
    y = (random.random(n_rows) < 1 / (1 + np.exp(-score))).astype(float)
    x[is_unknown, 0] = np.nan
    return Sample(x, y, np.arange(n_rows))


def fit(sample: Sample, stop: Sample | None = None) -> catboost.CatboostModel:
    return catboost.fit(sample, stop, SETTINGS, 4, 1)  # type: ignore[arg-type]


@installed
@pytest.mark.parametrize("weights", [None, np.linspace(0.5, 1.5, 700)])
def test_it_answers_as_the_library_s_classifier(weights: Array | None) -> None:
    sample, x = replace(draw(1), weights=weights), draw(2).x
    own = SETTINGS.model_dump(exclude={"max_rounds", "patience_rounds"})
    more = {"bootstrap_type": "Bernoulli", "boosting_type": "Plain", "verbose": False, "allow_writing_files": False}
    theirs = catboost.library().CatBoostClassifier(**own, **more, iterations=60, random_seed=4)
    theirs.fit(sample.x, sample.y, sample_weight=weights)
    model = fit(sample)
    np.testing.assert_allclose(model.predict(x), theirs.predict_proba(x)[:, 1], rtol=1e-12)
    np.testing.assert_allclose(100 * model.gains() / model.gains().sum(), theirs.feature_importances_, rtol=1e-9)


@installed
def test_of_values_it_answers_as_the_library_s_regressor() -> None:
    sample, x = replace(draw(1), y=np.nan_to_num(draw(1).x[:, 1]) + 3, is_value=True), draw(2).x
    own = SETTINGS.model_dump(exclude={"max_rounds", "patience_rounds"})
    more = {"bootstrap_type": "Bernoulli", "boosting_type": "Plain", "verbose": False, "allow_writing_files": False}
    theirs = catboost.library().CatBoostRegressor(**own, **more, iterations=60, random_seed=4).fit(sample.x, sample.y)
    np.testing.assert_allclose(fit(sample).predict(x), theirs.predict(x), rtol=1e-12)


@installed
def test_the_file_holds_no_clock_no_identity_and_nothing_of_the_machine() -> None:
    content = fit(draw(1), draw(2)).to_bytes()
    of_values = fit(*(replace(draw(seed), is_value=True) for seed in (1, 2))).to_bytes()
    for word in (b"guid", b"time", b"thread", b"params", b"version", b"catboost_info"):
        assert word not in content + of_values
    assert b"is_value" in of_values
    assert b"is_value" not in content


@installed
def test_nothing_is_written_beside_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fit(draw(1), draw(2))
    assert list(tmp_path.iterdir()) == []


@installed
def test_an_unknown_value_lies_below_every_known_one() -> None:
    """A threshold may part it from the least one; where none was seen in training, none does."""
    low, unknown = np.array([[-9.0, 0.0, 0.0]]), np.array([[np.nan, 0.0, 0.0]])
    seen, sample = fit(draw(1)), draw(1)
    assert seen.predict(unknown) > 0.8 > 0.3 > seen.predict(low)
    unseen = fit(sample.take(~np.isnan(sample.x[:, 0])))
    assert unseen.predict(unknown) == unseen.predict(low) < 0.2


@installed
def test_the_layout_of_the_rows_in_memory_does_not_matter() -> None:
    sample = draw(1)
    turned = replace(sample, x=np.asfortranarray(sample.x))
    assert fit(turned).to_bytes() == fit(sample).to_bytes()
    np.testing.assert_array_equal(fit(sample).predict(turned.x), fit(sample).predict(sample.x))


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the package, whether it is there or not."""
    monkeypatch.setitem(sys.modules, "catboost", None)


@pytest.mark.usefixtures("absent")
@pytest.mark.parametrize("use", [lambda: fit(draw(1)), lambda: catboost.load(b"CBM1")], ids=["fit", "load"])
def test_without_the_package_the_error_names_the_line_that_installs_it(use: Callable[[], object]) -> None:
    with pytest.raises(EnvironmentFaultError) as caught:
        use()
    (problem,) = caught.value.problems
    assert (problem.code, caught.value.exit_code) == ("package-missing", EXIT_ENVIRONMENT)
    assert problem.help == 'pip install "candlelock[catboost]"'


@pytest.mark.usefixtures("absent")
def test_without_the_package_no_other_member_is_trained_in_vain(
    rows: pd.DataFrame, numbered: Array, train_params: TrainParams, selections: Transforms, spy: Spy
) -> None:
    names = ("lightgbm", "catboost")
    tasks = {name: Task(name, "up", train_params, getattr(train_params, name), 0, 3, 1) for name in names}
    sample = Sample(numbered, rows["is_up"].to_numpy(), rows.index.to_numpy())
    with pytest.raises(EnvironmentFaultError):
        train_members(tasks, sample, rows, selections, FitLedger())
    assert spy.calls == []


@pytest.mark.usefixtures("absent")
def test_the_others_are_searched_and_trained_without_the_package(tmp_path: Path) -> None:
    assert optional_libraries("lightgbm", "xgboost", "mlp") == []
    assert run_search(tmp_path, make_task(n_trials=2))[0].n_asked == 2


@installed
def test_the_version_of_the_package_is_part_of_the_key_of_its_own_searches_alone() -> None:
    library = catboost.library()
    assert optional_libraries("lightgbm", "catboost") == [library]
    arrays = [make_rows().opened_ms]
    assert find_key({}, arrays, [library]) != find_key({}, arrays) == find_key({}, arrays, [])


@installed
def test_it_is_searched_on_the_folds(tmp_path: Path) -> None:
    space = {"depth": {"low": 1, "high": 4, "log": False}, "l2_leaf_reg": {"low": 0.1, "high": 100.0, "log": True}}
    task = replace(make_task(space=space, n_trials=3), name="catboost", start=SETTINGS)
    one, again = (run_search(tmp_path, task)[0] for _ in range(2))
    assert one == again
    assert len({trial.loss for trial in one.trials}) == 3
