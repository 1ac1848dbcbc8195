"""What each feature adds to a member's answer for a row, in log-odds or value, where its learner has such parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.contracts.errors import InputError, Problem
from candlelock.train.learner import LEARNERS

if TYPE_CHECKING:
    from candlelock.train.averaging import Averaged
    from candlelock.train.learner import Array

EXPLAINED = tuple(name for name, learner in LEARNERS.items() if learner.contributions is not None)
EDGE = 1e-15  # a probability of 0 or 1 has no log-odds


def find_contributions(name: str, model: Averaged, x: Array) -> Array:
    """Shape (n_rows, n_features + 1): of each feature, and last the base they start from.

    Rows sum to the `log_odds` of the answer, or to the answer that is a value. `x`: (n_rows, n_features), as the member
    sees them, NaN where unknown. Of a member of several seeds the mean; as their probabilities are averaged and not
    their log-odds, the base takes up what that changes.
    Raises InputError for a learner that has no contributions of its own.
    """
    find = LEARNERS[name].contributions
    if find is None:
        help_line = "permutation importance in training.json is there for every member"
        expected = f"a learner with contributions of its own: {', '.join(EXPLAINED)}"
        raise InputError(Problem("explain-member", name, "answers without parts", expected, help_line))
    parts = np.mean([find(each, x) for each in model.models], axis=0)
    if len(model.models) > 1 and not model.is_value:
        parts[:, -1] += log_odds(model.predict(x)) - parts.sum(axis=1)
    return np.asarray(parts)


def log_odds(p: Array) -> Array:
    """ln(p / (1 - p)). Same shape."""
    q = np.clip(p, EDGE, 1 - EDGE)
    return np.asarray(np.log(q) - np.log1p(-q))
