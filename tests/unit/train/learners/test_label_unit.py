"""Labels in standard units and back."""

from __future__ import annotations

import numpy as np
import pytest

from candlelock.train.learners import label_unit

Y = np.array([1.0, 3.0, 5.0, 100.0])


def test_mean_and_deviation_are_those_of_the_labels_by_their_weights() -> None:
    assert label_unit.fit(Y[:3]) == label_unit.LabelUnit(3.0, pytest.approx(np.sqrt(8 / 3)))
    weighed = label_unit.fit(Y, np.array([2.0, 1.0, 1.0, 0.0]))
    assert weighed == label_unit.LabelUnit(2.5, pytest.approx(np.sqrt(2.75)))


def test_labels_come_back_and_none_is_cut() -> None:
    far = np.array([0.0, 1e9])
    unit = label_unit.fit(Y)
    np.testing.assert_allclose(unit.restore(unit.apply(far)), far, rtol=1e-15, atol=1e-12)
    assert unit.apply(Y).mean() == pytest.approx(0, abs=1e-15)
    assert unit.apply(Y).std() == pytest.approx(1)


def test_parts_of_an_answer_sum_to_it_in_the_unit_of_the_labels() -> None:
    unit, parts = label_unit.fit(Y), np.array([[0.5, -1.0, 2.0], [0.0, 0.25, 2.0]])
    np.testing.assert_allclose(unit.restore_parts(parts).sum(axis=1), unit.restore(parts.sum(axis=1)), rtol=1e-14)
    np.testing.assert_allclose(unit.restore_parts(parts)[:, :2], unit.scale * parts[:, :2])
    assert parts[0, 2] == 2.0, "what was handed in stays as it was"


@pytest.mark.parametrize("value", [0.0, 0.1, -1e6])
def test_equal_labels_keep_their_unit(value: float) -> None:
    unit = label_unit.fit(np.full(7, value))
    assert unit.scale == 1.0
    assert unit.mean == pytest.approx(value)
