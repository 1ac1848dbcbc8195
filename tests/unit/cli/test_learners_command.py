"""`candlelock learners`: every learner there is, and nothing made up."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from candlelock.contracts.train_params import SETTINGS, TREES, TrainParams
from candlelock.train.learner import LEARNERS
from tests.learner_settings import is_installed

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def test_learners_are_those_of_params_yaml() -> None:
    assert set(LEARNERS) == set(SETTINGS)
    assert {name: TrainParams.model_fields[name].annotation for name in SETTINGS} == SETTINGS
    assert set(TREES) < set(LEARNERS)
    for name, learner in LEARNERS.items():
        assert learner.rounds_key is None or learner.rounds_key in SETTINGS[name].model_fields


def test_the_list_names_every_learner_its_settings_and_its_package(
    candlelock: Callable[..., tuple[int, str, str]],
) -> None:
    code, text, _ = candlelock("learners", "--json")
    listed = {entry["name"]: entry for entry in json.loads(text)}
    assert (code, set(listed)) == (0, set(LEARNERS))
    for name, entry in listed.items():
        assert set(entry["settings"]) == set(SETTINGS[name].model_fields)
        assert entry["stops_early"] == (LEARNERS[name].rounds_key is not None)
    assert listed["svm"]["version"] == version("scikit-learn")
    assert listed["mlp"]["devices"] == ["cpu", "cuda"]
    assert all(bool(entry["version"]) == is_installed(name) for name, entry in listed.items())
    code, text, _ = candlelock("learners")
    assert code == 0
    assert all(name in text for name in LEARNERS)


def test_a_learner_whose_package_is_missing_is_listed_with_the_line_that_installs_it(
    candlelock: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_catboost(name: str) -> str:
        if name.startswith("catboost"):
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr("importlib.metadata.version", without_catboost)
    listed = {entry["name"]: entry for entry in json.loads(candlelock("learners", "--json")[1])}
    assert [name for name, entry in listed.items() if entry["version"] is None] == ["catboost"]
    code, text, _ = candlelock("learners")
    assert code == 0
    assert "not installed:" in text
    assert '"candlelock[catboost]"' in text
