"""An explanation is the bundle's own answer, taken apart: names, values and sums hold."""

from __future__ import annotations

import numpy as np
import pytest

from candlelock.calibrate.calibrator import Calibration
from candlelock.calibrate.ensemble import Ensemble
from candlelock.select.transform import Affine, Transform
from candlelock.serve.bundle import Bundle
from candlelock.serve.explanation import explain_row
from candlelock.train.averaging import Averaged
from candlelock.train.contributions import EXPLAINED, log_odds
from candlelock.train.learner import LEARNERS, Sample
from tests.learner_settings import QUICK

MEMBERS = ("lightgbm", "logistic", "mlp", "xgboost")
NAMES = ("gone", "b", "a", "c")
KEPT = Transform(4, NAMES[1:], NAMES[1:], np.array([1, 2, 3]), ())
ROW = np.array([[9.0, 1.5, np.nan, -0.5]])


def make_bundle(selection: Transform, members: tuple[str, ...] = MEMBERS, weight: float = 0.25) -> Bundle:
    random = np.random.default_rng(1)
    x = random.normal(size=(500, 4))
    y = (x[:, 1] - 0.5 * x[:, 3] + random.normal(size=500) > 0).astype(float)
    sample = Sample(selection.apply(x), y, np.arange(500))
    models = {name: Averaged((LEARNERS[name].fit(sample, None, QUICK[name], 1, 1),)) for name in members}
    ensemble = Ensemble("average", dict.fromkeys(members, weight)) if len(members) > 1 else None
    return Bundle(selection, models, ensemble, Calibration("platt", slope=0.8, intercept=0.1), 0.6)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return make_bundle(KEPT)


def test_the_probabilities_are_those_that_the_bundle_gives(bundle: Bundle) -> None:
    found = explain_row(bundle, ROW)
    assert found.p_up == bundle.predict(ROW)[0]
    seen = KEPT.apply(ROW)
    assert {name: each.answer for name, each in found.members.items()} == {
        name: model.predict(seen)[0] for name, model in bundle.members.items()
    }
    assert found.p_up_raw == pytest.approx(np.mean([each.answer for each in found.members.values()]))
    assert {each.weight for each in found.members.values()} == {0.25}


@pytest.mark.parametrize("name", sorted(set(MEMBERS) & set(EXPLAINED)))
def test_each_member_s_parts_have_names_and_values_and_sum_to_its_answer(bundle: Bundle, name: str) -> None:
    answer = explain_row(bundle, ROW).members[name]
    assert answer.contributions is not None
    assert answer.base is not None
    total = answer.base + sum(one.adds for one in answer.contributions)
    assert total == pytest.approx(log_odds(np.array([answer.answer]))[0], abs=2e-6)
    assert {one.name: one.value for one in answer.contributions} == {"b": 1.5, "a": None, "c": -0.5}
    sizes = [abs(one.adds) for one in answer.contributions]
    assert sizes == sorted(sizes, reverse=True)
    assert answer.contributions[0].name == "b"


def test_a_member_without_parts_has_its_probability_alone(bundle: Bundle) -> None:
    answer = explain_row(bundle, ROW).members["mlp"]
    assert (answer.base, answer.contributions) == (None, None)
    assert 0 < answer.answer < 1


def test_a_single_member_has_no_weight() -> None:
    found = explain_row(make_bundle(KEPT, ("logistic",)), ROW)
    assert found.members["logistic"].weight is None
    assert found.p_up_raw == found.members["logistic"].answer


def test_components_go_by_their_own_names() -> None:
    loadings = np.array([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    selection = Transform(
        4, NAMES[1:], ("component_1", "component_2"), KEPT.take, (Affine(np.zeros(3), np.ones(3), loadings),)
    )
    answer = explain_row(make_bundle(selection, ("logistic",)), ROW).members["logistic"]
    assert answer.contributions is not None
    assert {one.name: one.value for one in answer.contributions} == pytest.approx(
        {"component_1": 0.9, "component_2": -0.5}
    )
