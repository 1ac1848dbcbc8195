"""Whether what each fit was handed is what the feature tables and the recorded selections give for its rows.

A scaler, an imputer or an encoder that somebody fitted on the way, on whatever rows, changes the values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from candlelock.artifacts.fit_ledger import digest_values, spread
from candlelock.contracts.leakage_documents import Leak, LeakCheck
from candlelock.leakage.fit_scope import read_hand_overs
from candlelock.leakage.rows import leak_check
from candlelock.train.members import sample_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    from candlelock.select.transform import Transforms

WHAT = "values handed to selections and learners, in some rows of each, against feature tables, selections and labels"
HELP = "change features in features.yml, a plug-in or a step of select, nowhere else; labels in the split alone"


def check_fit_values(
    transforms: Transforms, rows: pd.DataFrame, x: npt.NDArray[np.float64], ledgers: Mapping[str, pa.Table]
) -> LeakCheck:
    """Digest the values of some rows of every hand-over again. `x`: all features of `rows`, NaN where unknown."""
    findings, n_compared, signs, labels = [], 0, (rows["is_up"].to_numpy(),), sample_of(rows, x).labels
    for stage, table in sorted(ledgers.items()):
        told = signs if stage == "select" else labels  # a selection hears of up and down alone
        for (fit, use), hand_over in read_hand_overs(table).items():
            if hand_over.values_sha256 is None:
                continue
            some = hand_over.rows[spread(len(hand_over.rows))]
            values = [_seen(stage, fit, transforms, x[some]), *([] if use == "predict" else [y[some] for y in told])]
            n_compared += len(some)
            if digest_values(*values) != hand_over.values_sha256:
                detail = "other values than the feature tables, the selection and the labels give for its rows"
                findings.append(Leak(code="fit-values", subject=f"{stage}/{fit}, {use}", detail=detail, help=HELP))
    return leak_check("fit values", WHAT, n_compared, findings)


def _seen(stage: str, fit: str, transforms: Transforms, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Features as that fit sees them: all of them for a selection and along paths, else through that of its part."""
    if stage == "select" or "/path split " in fit:
        return x
    fold = re.search(r"/fold (\d+)", fit)
    own = transforms.folds[int(fold.group(1)) - 1] if fold else transforms.final
    return own.apply(x)
