"""Why a bundle answers as it does for one row: what its members say, and what each feature adds to that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from candlelock.train.contributions import EXPLAINED, find_contributions

if TYPE_CHECKING:
    from candlelock.serve.bundle import Array, Bundle
    from candlelock.train.averaging import Averaged


@dataclass(frozen=True)
class Contribution:
    """What a feature adds, in log-odds or the unit of the head's value, and its own value; None where that is unknown.

    `name`: of the feature, or of the component that the selection makes of some.
    """

    name: str
    value: float | None
    adds: float


@dataclass(frozen=True)
class Answer:
    """A member's raw answer, its weight in the ensemble, and the parts it is made of: base + contributions.

    `answer`: a probability, whose log-odds the parts add up to, or a value, which they add up to themselves. `weight`
    None: the member is used alone. `base` and `contributions`, largest first, are None for a learner that has no parts
    by its nature.
    """

    answer: float
    weight: float | None
    base: float | None
    contributions: tuple[Contribution, ...] | None


@dataclass(frozen=True)
class Explanation:
    """The members' answers and what they become: a head's `value`, `p_up_raw` before calibration, `p_up` after it."""

    members: dict[str, Answer]
    value: float | None
    p_up_raw: float
    p_up: float


def explain_row(bundle: Bundle, x: Array) -> Explanation:
    """Explain the answer for one row of features in registry order, shape (1, n_features), NaN where unknown."""
    seen = bundle.selection.apply(x)
    raw = bundle.ask_members(seen)
    combined = bundle.combine(raw)
    p_raw = bundle.chance_up(combined)
    return Explanation(
        {name: _answer(bundle, name, model, seen, float(raw[name][0])) for name, model in bundle.members.items()},
        None if bundle.line is None else float(bundle.line.foretell(combined)[0]),
        float(p_raw[0]),
        float(bundle.calibration.apply(p_raw)[0]),
    )


def _answer(bundle: Bundle, name: str, model: Averaged, seen: Array, answer: float) -> Answer:
    weight = None if bundle.ensemble is None else bundle.ensemble.weights[name]
    if name not in EXPLAINED:
        return Answer(answer, weight, None, None)
    *parts, base = find_contributions(name, model, seen)[0].tolist()
    values = [None if np.isnan(value) else value for value in seen[0].tolist()]
    each = [Contribution(*one) for one in zip(bundle.selection.outputs, values, parts, strict=True)]
    return Answer(answer, weight, base, tuple(sorted(each, key=lambda one: (-abs(one.adds), one.name))))
