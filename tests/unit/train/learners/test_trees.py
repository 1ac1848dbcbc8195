"""Trees as arrays answer as scikit-learn's own do."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from candlelock.train.learner import Sample
from candlelock.train.learners import hist_gradient_boosting, random_forest
from candlelock.train.learners.trees import join
from tests.learner_settings import QUICK


def draw(seed: int, n_rows: int = 700, unknown: float = 0.1) -> Sample:
    random = np.random.default_rng(seed)
    x = random.normal(size=(n_rows, 5))
    y = (x[:, 0] + x[:, 1] * x[:, 2] + random.normal(size=n_rows) > 0).astype(float)
    x[random.random(x.shape) < unknown] = np.nan
    return Sample(x, y, np.arange(n_rows))


@pytest.mark.parametrize("unknown", [0.0, 0.1])
def test_a_forest_answers_as_scikit_learn_s_to_the_last_bit(unknown: float) -> None:
    sample, x, settings = draw(1, unknown=unknown), draw(2).x, QUICK["random_forest"]
    theirs = RandomForestClassifier(**settings.model_dump(), random_state=4, n_jobs=1).fit(sample.x, sample.y)
    own = random_forest.fit(sample, None, settings, 4, 2)  # type: ignore[arg-type]
    np.testing.assert_array_equal(own.predict(x), theirs.predict_proba(x)[:, 1])
    shares = own.gains() / own.gains().sum()
    np.testing.assert_allclose(shares, theirs.feature_importances_, atol=0.02)


@pytest.mark.parametrize("weights", [None, np.linspace(0.5, 1.5, 700)])
def test_boosting_answers_as_scikit_learn_s(weights: np.ndarray | None) -> None:
    sample, x, settings = draw(1), draw(2).x, QUICK["hist_gradient_boosting"]
    names = settings.model_dump(exclude={"max_rounds", "patience_rounds"})
    theirs = HistGradientBoostingClassifier(**names, max_iter=60, early_stopping=False, random_state=4)
    theirs.fit(sample.x, sample.y, weights)
    weighed = Sample(sample.x, sample.y, sample.rows, weights)
    own = hist_gradient_boosting.fit(weighed, None, settings, 4, 1)  # type: ignore[arg-type]
    np.testing.assert_allclose(own.predict(x), theirs.predict_proba(x)[:, 1], rtol=0, atol=1e-14)


def draw_values(seed: int, weights: np.ndarray | None = None) -> Sample:
    sample, random = draw(seed), np.random.default_rng(seed + 100)
    y = np.nan_to_num(sample.x[:, 0] + np.abs(sample.x[:, 1])) + random.exponential(size=700) + 3
    return Sample(sample.x, y, sample.rows, weights, is_value=True)


@pytest.mark.parametrize("weights", [None, np.linspace(0.5, 1.5, 700)])
def test_of_values_trees_answer_as_scikit_learn_s_regressors(weights: np.ndarray | None) -> None:
    sample, x = draw_values(1, weights), draw(2).x
    forest, boosting = QUICK["random_forest"], QUICK["hist_gradient_boosting"]
    own = random_forest.fit(sample, None, forest, 4, 2).predict(x)  # type: ignore[arg-type]
    theirs = RandomForestRegressor(**forest.model_dump(), random_state=4).fit(sample.x, sample.y, weights)
    np.testing.assert_allclose(own, theirs.predict(x), rtol=1e-9)
    own = hist_gradient_boosting.fit(sample, None, boosting, 4, 1).predict(x)  # type: ignore[arg-type]
    names = boosting.model_dump(exclude={"max_rounds", "patience_rounds"})
    theirs = HistGradientBoostingRegressor(**names, max_iter=60, early_stopping=False, random_state=4)
    np.testing.assert_allclose(own, theirs.fit(sample.x, sample.y, weights).predict(x), rtol=0, atol=1e-13)


def test_a_tree_by_hand() -> None:
    """x0 <= 1 ? (x1 <= 2 ? 10 : 20) : 30, unknown to the right, then to the left; and a tree that is a leaf."""
    split = {
        "feature": np.array([0, 1, -1, -1, -1]),
        "threshold": np.array([1.0, 2.0, 0.0, 0.0, 0.0]),
        "left": np.array([1, 2, -1, -1, -1]),
        "right": np.array([4, 3, -1, -1, -1]),
        "unknown_left": np.array([0, 1, 0, 0, 0]),
        "value": np.array([0.0, 0.0, 10.0, 20.0, 30.0]),
    }
    leaf = {name: np.array([value]) for name, value in zip(split, (-1, 0.0, -1, -1, 0, 0.5), strict=True)}
    x = np.array([[1.0, 2.0], [1.0, 2.1], [1.1, 0.0], [np.nan, 0.0], [0.0, np.nan]])
    expected = [10.5, 20.5, 30.5, 30.5, 10.5]
    assert join([split, leaf]).sums(x).tolist() == expected
    assert join([leaf, split]).sums(x).tolist() == expected
    assert join([leaf, split]).sums(np.asfortranarray(x)).tolist() == expected
