"""`candlelock learners`: every learner there is, and nothing made up."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING

from candlelock.contracts.train_params import SETTINGS, TREES, TrainParams
from candlelock.train.learner import LEARNERS

if TYPE_CHECKING:
    from collections.abc import Callable


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
    assert all(entry["version"] for entry in listed.values())
    code, text, _ = candlelock("learners")
    assert code == 0
    assert all(name in text for name in LEARNERS)
