"""What a model has to beat: constants, one-line rules and a logistic regression, on the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]
CONSTANTS = ("always_up", "always_down")
RULES = ("persistence", "reversal")
PROBABILITIES = ("majority", "logistic")  # the latter but in heads of values


def predict_baselines(rows: pd.DataFrame, train_up_share: float) -> dict[str, Array]:
    """Each baseline's answer as p_up, shape (n_rows,): 1.0 or 0.0 from constants and rules, else a probability.

    `rows`: past_return (over the last horizon; NaN or 0 counts as down for both rules) and p_up_logistic; of a head of
    values past_value in its place, and value_logistic, a linear regression whose answer is 1.0 above zero, else 0.0.
    `majority` always answers the train segment's share of ups.
    """
    are_values = "value_logistic" in rows
    past = rows["past_value" if are_values else "past_return"].to_numpy()
    answers: Array = rows["value_logistic" if are_values else "p_up_logistic"].to_numpy()
    ones = np.ones(len(rows))
    return {
        "always_up": ones,
        "always_down": 0 * ones,
        "majority": train_up_share * ones,
        "persistence": (past > 0).astype(np.float64),
        "reversal": (past < 0).astype(np.float64),
        "logistic": (answers > 0).astype(np.float64) if are_values else answers,
    }
