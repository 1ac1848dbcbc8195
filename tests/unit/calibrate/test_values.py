"""Values combined, mapped and turned into chances: answers of scikit-learn and SciPy, and what noise may not do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.optimize import lsq_linear
from scipy.stats import logistic
from sklearn.linear_model import LinearRegression

from candlelock.calibrate.comparison import ENSEMBLE
from candlelock.calibrate.ensemble import make_linear
from candlelock.calibrate.values import ValueLine, compare_values, fit_line

if TYPE_CHECKING:
    from candlelock.calibrate.ensemble import Array

N_ROWS = 3000
BLOCKS = np.arange(N_ROWS) * 5 // N_ROWS


def draw(seed: int = 1) -> tuple[dict[str, Array], Array]:
    """Two members that each know a part of a value, and one that knows nothing."""
    random = np.random.default_rng(seed)
    one, other, noise, rest = random.normal(0, 1, (4, N_ROWS))
    return {"one": one, "other": 0.6 * other, "noise": noise}, one + 0.6 * other + rest


def test_a_stack_of_values_is_bounded_least_squares_drawn_to_the_even_average() -> None:
    """SciPy's solver on the rows themselves, with the penalty as rows of its own."""
    members, y = draw()
    values, l2 = np.column_stack(list(members.values())), 500.0
    fitted = make_linear("stack", None, members, y, l2)
    spread = np.sqrt(np.mean((y - values.mean(axis=1)) ** 2))
    rows = np.vstack([values / spread, np.sqrt(l2) * np.eye(3)])
    wanted = np.concatenate([y / spread, np.sqrt(l2) * np.full(3, 1 / 3)])
    oracle = lsq_linear(rows, wanted, bounds=(0, np.inf), tol=1e-14).x
    np.testing.assert_allclose(list(fitted.weights.values()), oracle, rtol=1e-7, atol=1e-9)
    assert fitted.kind == "linear"


def test_a_member_that_points_the_wrong_way_gets_no_weight() -> None:
    members, y = draw()
    assert make_linear("stack", None, members | {"against": -members["one"]}, y, 1e-6).weights["against"] == 0


def test_with_a_heavy_penalty_the_stack_is_the_average_and_with_none_it_is_least_squares() -> None:
    members, y = draw()
    heavy, light = (make_linear("stack", None, members, y, l2).weights for l2 in (1e12, 1e-9))
    assert list(heavy.values()) == pytest.approx([1 / 3] * 3, rel=1e-6)
    assert light["one"] == pytest.approx(1.0, abs=0.06)
    assert light["other"] == pytest.approx(1.0, abs=0.06)


def test_the_fitted_average_of_values_has_the_least_squared_error_on_the_simplex() -> None:
    members, y = draw()
    fitted = make_linear("average", None, members, y, 1.0)
    loss = float(np.mean((y - fitted.apply(members)) ** 2))
    grid = np.linspace(0, 1, 41)
    tried = [
        np.mean((y - a * members["one"] - b * members["other"] - (1 - a - b) * members["noise"]) ** 2)
        for a in grid
        for b in grid[grid <= 1 - a + 1e-9]
    ]
    assert loss <= min(tried) + 1e-9
    assert sum(fitted.weights.values()) == pytest.approx(1.0)


def test_given_weights_are_taken_as_they_are() -> None:
    members, y = draw()
    given = make_linear("average", {"one": 2.0, "other": 1.0, "noise": 1.0}, members, y, 1.0)
    assert given.weights == {"one": 0.5, "other": 0.25, "noise": 0.25}
    expected = 0.5 * members["one"] + 0.25 * members["other"] + 0.25 * members["noise"]
    np.testing.assert_allclose(given.apply(members), expected, rtol=1e-12)


def test_a_line_that_pays_is_least_squares_and_one_that_does_not_is_left_out() -> None:
    members, y = draw()
    wrong = 0.3 * y + 2.0 + 0.1 * members["noise"]  # says too little and too much at once
    line = fit_line(wrong, y, BLOCKS)
    oracle = LinearRegression().fit(wrong[:, None], y)
    assert (line.slope, line.intercept) == pytest.approx((oracle.coef_[0], oracle.intercept_))
    assert line.spread == pytest.approx(np.sqrt(np.mean((y - oracle.predict(wrong[:, None])) ** 2)))
    right = members["one"]
    plain = fit_line(right, right + members["noise"], BLOCKS)
    assert (plain.slope, plain.intercept) == (1.0, 0.0)


def test_a_line_never_turns_an_answer_around() -> None:
    y = draw()[1]
    line = fit_line(-y + 5, y, BLOCKS)
    assert line.slope == 0
    assert line.intercept == pytest.approx(y.mean())


def test_the_chance_of_a_rise_is_that_of_logistic_errors() -> None:
    line, values = ValueLine(1.0, 0.0, 1.7), np.array([-4.0, -0.3, 0.0, 1.0, 6.0])
    scale = 1.7 * np.sqrt(3) / np.pi
    np.testing.assert_allclose(line.chance_up(values), logistic.sf(0, loc=values, scale=scale), rtol=1e-12)


def test_the_ensemble_is_used_where_it_loses_less_than_every_member_and_else_the_best_of_them() -> None:
    members, y = draw()
    used, table = compare_values(members | {ENSEMBLE: members["one"] + members["other"]}, y, BLOCKS)
    assert used == ENSEMBLE
    assert [one.name for one in table] == ["one", "other", "noise", ENSEMBLE]
    assert table[0].loss == pytest.approx(np.mean((y - members["one"]) ** 2))
    assert table[0].lead > 3 * table[0].error > 0
    assert (table[-1].lead, table[-1].error) == (0.0, 0.0)
    assert compare_values(members | {ENSEMBLE: members["noise"]}, y, BLOCKS)[0] == "one"
    assert compare_values(members | {ENSEMBLE: members["one"]}, y, BLOCKS)[0] == ENSEMBLE, "on a tie the ensemble"
