"""The regression behind stack and calibrators where its two callers do not reach."""

from __future__ import annotations

import numpy as np
import pytest

from candlelock.calibrate.logistic import fit_logistic, logit, sigmoid


def test_certain_probabilities_stay_finite() -> None:
    assert logit(np.array([0.0, 1.0])).tolist() == pytest.approx([-13.8155, 13.8155], abs=1e-4)
    p = np.linspace(0.001, 0.999, 99)
    np.testing.assert_allclose(sigmoid(logit(p)), p, rtol=1e-12)


def test_without_an_intercept_it_is_exactly_zero() -> None:
    z = np.random.default_rng(0).normal(1, 1, (200, 1))
    y = (z[:, 0] > 0.5).astype(float)
    assert fit_logistic(z, y, 1.0, has_intercept=False)[1] == 0.0
    assert fit_logistic(z, y, 1.0, has_intercept=True)[1] != 0.0
