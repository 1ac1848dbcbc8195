"""Is one answer better than another, or than all of them? Tests over the draws of a bootstrap of blocks of time.

Losses: lower is better. Every p-value counts the sample itself among its replicates, so that it is never 0.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.contracts.significance_documents import PairedTest, SuperiorAbility

if TYPE_CHECKING:
    from collections.abc import Mapping

    from candlelock.contracts.significance_documents import LossName, ScoreName
    from candlelock.evaluate.bootstrap import Blocks
    from candlelock.evaluate.scores import Scored

Array = npt.NDArray[np.float64]
SIGNS: dict[ScoreName, float] = {"accuracy": 1.0, "auc_roc": 1.0, "log_loss": -1.0, "brier": -1.0}


def compare_paired(against: str, score: ScoreName, own: Scored, other: Scored, blocks: Blocks) -> PairedTest:
    """The model's score against another's, both over the draws of `blocks`.

    The p-value asks how often the gain drawn lies as far above the gain found as that lies above 0.
    """
    gain, drawn = SIGNS[score] * (own[0] - other[0]), SIGNS[score] * (own[1] - other[1])
    interval = blocks.interval(gain, drawn)
    return PairedTest(against=against, score=score, gain=interval, p_value=p_value(gain, drawn - gain))


def p_value(found: float, under_null: Array) -> float:
    """Share of replicates at least as high as what was found; those that are NaN are left out."""
    known = under_null[~np.isnan(under_null)]
    return float((1 + np.count_nonzero(known >= found)) / (1 + len(known)))


def examine_superiority(
    loss: LossName, benchmark: tuple[str, Array], alternatives: Mapping[str, Array], blocks: Blocks, n_periods: int
) -> SuperiorAbility:
    """Is some alternative better than the benchmark? Hansen 2005, A Test for Superior Predictive Ability.

    `benchmark`: its name and loss on every row (n_rows,); `alternatives`: name -> losses on the same rows.
    `n_periods`: how many times the rows stand for, in the bound √(2 log log n) by which an alternative must lag to
    count as bad. Each lead is studentised by its standard deviation over the draws; one that never varies counts for
    nothing. White's 2000 reality check takes leads as they are. Where none leads in the sample, every p-value is 1.
    """
    names = list(alternatives)
    leads = benchmark[1][:, None] - np.column_stack([alternatives[name] for name in names])
    total, drawn = blocks.sums(np.column_stack([leads, np.ones(len(leads))]))
    mean, replicates = total[:-1] / total[-1], drawn[:, :-1] / drawn[:, -1:]
    error = replicates.std(axis=0)
    error = np.where(error > 0, error, np.inf)
    bound = -error * math.sqrt(2 * math.log(max(math.log(max(n_periods, 3)), 1.0)))
    centres = {"p_lower": np.maximum(mean, 0), "p_consistent": np.where(mean >= bound, mean, 0), "p_upper": mean}
    found = {name: _max_test(mean, replicates - centre, error) for name, centre in centres.items()}
    best = int(np.argmax(mean / error))
    return SuperiorAbility(
        loss=loss,
        benchmark=benchmark[0],
        n_alternatives=len(names),
        best_alternative=names[best],
        gain=float(mean[best]),
        p_reality_check=_max_test(mean, replicates - mean, np.ones_like(mean)),
        **found,
    )


def _max_test(mean: Array, under_null: Array, scale: Array) -> float:
    """How often the highest lead under the null, none below 0, reaches the highest one found."""
    return p_value(max(float((mean / scale).max()), 0.0), np.maximum((under_null / scale).max(axis=1), 0.0))
