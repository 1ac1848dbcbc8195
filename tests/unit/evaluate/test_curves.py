"""Curves for the plots against scikit-learn and against the score they draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn import metrics

from candlelock.contracts.stage_params import EvaluateParams
from candlelock.evaluate import scores
from candlelock.evaluate.bootstrap import HOUR_MS, draw_blocks
from candlelock.evaluate.curves import N_POINTS, reliability_curve, roc_curve

if TYPE_CHECKING:
    from candlelock.evaluate.bootstrap import Array, Blocks


def draw(n_rows: int, decimals: int = 9) -> tuple[Array, Array, Blocks]:
    random = np.random.default_rng(2)
    p = random.beta(4, 4, n_rows).round(decimals)
    y = (random.random(n_rows) < p).astype(float)
    params = EvaluateParams(n_bootstrap=200, block_hours=24, confidence=0.9, n_calibration_bins=8)
    return y, p, draw_blocks(np.arange(n_rows) * HOUR_MS, params, 1)


@pytest.mark.parametrize(("n_rows", "decimals"), [(60, 9), (500, 1), (180, 2)])
def test_few_points_are_all_of_scikit_learns(n_rows: int, decimals: int) -> None:
    y, p, _ = draw(n_rows, decimals)
    fpr, tpr, _ = metrics.roc_curve(y, p, drop_intermediate=False)
    curve = roc_curve(y, p)
    np.testing.assert_allclose(curve["fpr"], fpr, atol=1e-12)
    np.testing.assert_allclose(curve["tpr"], tpr, atol=1e-12)


def test_many_points_are_thinned_without_losing_ends_or_area() -> None:
    y, p, _ = draw(5000)
    curve = roc_curve(y, p)
    assert len(curve) == N_POINTS
    assert curve.iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, 1]]
    assert (curve.diff().dropna() >= 0).all().all()
    assert metrics.auc(curve["fpr"], curve["tpr"]) == pytest.approx(metrics.roc_auc_score(y, p), abs=0.003)


def test_reliability_points_draw_the_calibration_error() -> None:
    y, p, blocks = draw(3000)
    curve = reliability_curve(y, p, blocks, 8)
    assert curve["n_rows"].sum() == 3000
    drawn = ((curve["p_mean"] - curve["up_share"]).abs() * curve["n_rows"]).sum() / 3000
    assert drawn == pytest.approx(scores.score_ece(y, p, blocks, scores.bin_of(p, 8))[0])


def test_each_point_has_its_bins_means_and_an_interval_around_its_share() -> None:
    y, p, blocks = draw(3000)
    p = np.where((p >= 0.25) & (p < 0.375), 0.4, p)  # an empty bin is left out
    curve = reliability_curve(y, p, blocks, 8)
    own = (p >= 0.5) & (p < 0.625)
    point = curve[curve["p_mean"].between(0.5, 0.625)].iloc[0]
    assert (point["p_mean"], point["up_share"]) == pytest.approx((p[own].mean(), y[own].mean()))
    assert len(curve) == np.unique(np.minimum((p * 8).astype(int), 7)).size < 8
    busy = curve[curve["n_rows"] > 50]
    assert ((busy["low"] < busy["up_share"]) & (busy["up_share"] < busy["high"])).all()
