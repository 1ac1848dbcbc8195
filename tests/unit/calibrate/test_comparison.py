"""The ensemble has to beat each of its members where it is judged; otherwise the best of them is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import log_loss

from candlelock.calibrate.calibrator import choose_calibration, lead, time_blocks
from candlelock.calibrate.comparison import ENSEMBLE, compare

if TYPE_CHECKING:
    from candlelock.calibrate.calibrator import Array, Method

METHODS: tuple[Method, ...] = ("identity", "temperature")
BLOCK = time_blocks(np.arange(3000))


def draw() -> tuple[dict[str, Array], Array]:
    """Two members that each know a part; their sum knows all."""
    random = np.random.default_rng(1)
    one, other = random.normal(0, 1, (2, 3000))
    y = (random.random(3000) < expit(one + 0.6 * other)).astype(float)
    return {"one": expit(one), "other": expit(0.6 * other), ENSEMBLE: expit(one + 0.6 * other)}, y


def test_an_ensemble_that_beats_each_member_is_used() -> None:
    raw, y = draw()
    used, choice, table = compare(METHODS, raw, y, BLOCK)
    assert used == ENSEMBLE
    assert [one.name for one in table] == ["one", "other", ENSEMBLE]
    assert choice.calibration == choose_calibration(METHODS, raw[ENSEMBLE], y, BLOCK).calibration
    assert table[-1].loss == pytest.approx(log_loss(y, raw[ENSEMBLE]))
    assert (table[-1].lead, table[-1].error) == (0, 0)
    assert table[0].lead > 3 * table[0].error > 0


def test_an_ensemble_that_one_member_beats_is_not_used() -> None:
    raw, y = draw()
    used, choice, table = compare(METHODS, raw | {ENSEMBLE: raw["other"], "other": raw[ENSEMBLE]}, y, BLOCK)
    assert used == "other"
    assert choice.row_losses.mean() == min(one.loss for one in table)
    assert table[1].lead < 0


def test_of_two_alike_the_ensemble_is_used() -> None:
    raw, y = draw()
    assert compare(METHODS, raw | {ENSEMBLE: raw["one"]}, y, BLOCK)[0] == ENSEMBLE


def test_everyone_is_judged_calibrated_so_that_confidence_alone_loses_nothing() -> None:
    """A member whose logits are three times too large ranks as the ensemble does, and is all it is when calibrated."""
    raw, y = draw()
    loud = expit(3 * np.log(raw[ENSEMBLE] / (1 - raw[ENSEMBLE])))
    table = compare(METHODS, {"loud": loud, ENSEMBLE: raw["one"]}, y, BLOCK)
    assert (table[0], table[2][0].method) == ("loud", "temperature")


def test_a_lead_is_that_of_the_ensemble_row_by_row() -> None:
    raw, y = draw()
    table = compare(METHODS, raw, y, BLOCK)[2]
    losses = {name: choose_calibration(METHODS, p, y, BLOCK).row_losses for name, p in raw.items()}
    for one in table:
        assert (one.lead, one.error) == lead(losses[one.name], losses[ENSEMBLE], BLOCK)
