"""Baselines on moves small enough to check by eye."""

from __future__ import annotations

import math

import pandas as pd

from candlelock.evaluate.baselines import CONSTANTS, PROBABILITIES, RULES, predict_baselines


def test_every_baseline_answers_as_its_name_says() -> None:
    rows = pd.DataFrame({"past_return": [0.1, -0.1, 0.0, math.nan], "p_up_logistic": [0.4, 0.5, 0.6, 0.7]})
    answers = {name: answer.tolist() for name, answer in predict_baselines(rows, 0.47).items()}
    assert answers == {
        "always_up": [1, 1, 1, 1],
        "always_down": [0, 0, 0, 0],
        "majority": [0.47] * 4,
        "persistence": [1, 0, 0, 0],
        "reversal": [0, 1, 0, 0],
        "logistic": [0.4, 0.5, 0.6, 0.7],
    }
    assert set(answers) == {*CONSTANTS, *RULES, *PROBABILITIES}
