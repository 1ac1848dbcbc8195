"""A selection at work: the right columns, the same bits after a round trip, gains given back, strangers refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.artifacts import documents
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.contracts.errors import InputError
from candlelock.contracts.select_documents import Selection
from candlelock.select.fit import fit_selection
from candlelock.select.transform import compile_selection
from tests.unit.select.conftest import first_is_best, to_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from candlelock.contracts.select_params import SelectParams

    Make = Callable[..., SelectParams]


def draw(n_rows: int = 500, seed: int = 1) -> np.ndarray:
    """Six features: the second repeats the first, the fourth is constant, some values are unknown."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n_rows, 6)) * [1, 1, 50, 1, 1e-4, 1]
    x[:, 1], x[:, 3] = 2 * x[:, 0], 8.0
    x[random.random(n_rows) < 0.1, 4] = np.nan
    return x


def fit(make: Make, **changes: object) -> Selection:
    return fit_selection(to_rows(draw()), make(**changes), first_is_best, FitLedger(), "final")


CASES: dict[str, dict[str, object]] = {
    "nothing": {},
    "drops": {"steps": ["sparse", "correlation"]},
    "scaling": {"scaling": "standard"},
    "drops and scaling": {"steps": ["sparse", "correlation", "count"], "max_features": 3, "scaling": "robust"},
    "components": {"steps": ["sparse", "pca"]},
    "all kinds": {"steps": ["sparse", "pca"], "scaling": "minmax"},
}


@pytest.mark.parametrize("case", CASES)
def test_a_round_trip_through_the_file_gives_the_same_bits(case: str, params: Make, tmp_path: Path) -> None:
    selection = fit(params, **CASES[case])
    documents.write(tmp_path / "selection.json", selection)
    again = documents.read(tmp_path / "selection.json", Selection)
    assert again == selection
    later = draw(200, seed=2)
    before, after = (compile_selection(each).apply(later) for each in (selection, again))
    np.testing.assert_array_equal(after.view(np.int64), before.view(np.int64))
    assert before.shape == (200, len(selection.outputs))


def test_without_steps_the_matrix_passes_untouched(params: Make) -> None:
    x = draw()
    assert compile_selection(fit(params)).apply(x) is x


def test_the_columns_that_stay_are_those_named(params: Make) -> None:
    selection = fit(params, steps=["sparse", "correlation"])
    assert selection.outputs == ["f0", "f2", "f4", "f5"]
    np.testing.assert_array_equal(compile_selection(selection).apply(draw()), draw()[:, [0, 2, 4, 5]])
    assert compile_selection(selection).apply(draw()).flags.c_contiguous


def test_scaling_is_of_what_is_left_and_comes_last(params: Make) -> None:
    selection = fit(params, steps=["sparse", "correlation"], scaling="minmax")
    scaled = compile_selection(selection).apply(draw())
    assert np.nanmin(scaled, axis=0).tolist() == [0.0] * 4
    assert np.nanmax(scaled, axis=0).tolist() == [1.0] * 4
    np.testing.assert_array_equal(np.isnan(scaled), np.isnan(draw()[:, [0, 2, 4, 5]]))


def test_components_know_no_unknown_values(params: Make) -> None:
    x = draw()
    x[3] = np.nan
    components = compile_selection(fit(params, steps=["sparse", "pca"])).apply(x)
    assert np.isfinite(components).all()
    assert not components[3].any(), "the mean of everything"


def test_a_row_is_transformed_the_same_alone(params: Make) -> None:
    own = compile_selection(fit(params, steps=["sparse", "correlation"], scaling="robust"))
    one_by_one = np.concatenate([own.apply(row[None]) for row in draw()])
    np.testing.assert_array_equal(one_by_one, own.apply(draw()))


@pytest.mark.parametrize("x", [np.zeros((4, 5)), np.zeros((4, 7)), np.zeros(6)], ids=["five", "seven", "no matrix"])
@pytest.mark.parametrize("case", ["nothing", "drops", "components"])
def test_another_number_of_columns_is_refused(case: str, x: np.ndarray, params: Make) -> None:
    with pytest.raises(InputError) as caught:
        compile_selection(fit(params, **CASES[case])).apply(x)
    assert caught.value.problems[0].code == "selection-columns"
    assert str(x.shape) in caught.value.problems[0].found


def test_gains_go_back_to_the_features_that_stayed(params: Make) -> None:
    own = compile_selection(fit(params, steps=["sparse", "correlation"], scaling="standard"))
    assert own.attribute(np.array([4.0, 3.0, 2.0, 1.0])) == {"f0": 4.0, "f2": 3.0, "f4": 2.0, "f5": 1.0}


def test_a_component_s_gain_goes_back_by_squared_loadings(params: Make) -> None:
    selection = fit(params, steps=["sparse", "pca"], scaling="minmax", min_variance_frac=0.5)
    pca = selection.steps[1]
    gains = np.arange(1.0, 1 + len(pca.outputs))
    found = compile_selection(selection).attribute(gains)
    assert list(found) == ["f0", "f1", "f2", "f4", "f5"]
    expected = [sum(gain * row[i] ** 2 for gain, row in zip(gains, pca.components, strict=True)) for i in range(5)]
    np.testing.assert_allclose(list(found.values()), expected, rtol=1e-12)
    assert sum(found.values()) == pytest.approx(gains.sum(), rel=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_each_feature_that_stays_knows_its_column(case: str, params: Make) -> None:
    selection = fit(params, **CASES[case])
    columns = compile_selection(selection).columns
    assert {selection.inputs[column]: column for column in columns.values()} == columns
    assert set(columns) == set(compile_selection(selection).attribute(np.ones(len(selection.outputs))))
