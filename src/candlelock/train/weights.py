"""How much each row counts in training: average uniqueness of its label, recency, balance of the classes.

Weights of a part of the rows come from that part alone, so that no fit hears of rows it may not see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

    from candlelock.contracts.train_params import WeightsParams

Array = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]
DAY_MS = 86_400_000


def weigh(rows: pd.DataFrame, params: WeightsParams) -> Array | None:
    """The product of what is asked for, with mean 1, shape (n_rows,); None where nothing is: all rows count the same.

    `rows`: symbol, decision_time_ms, label_end_ms and is_up of labelled rows, in any order. A product of zeros is left
    as it is, for the check before the fit.
    """
    factors = []
    starts, ends = (rows[name].to_numpy() for name in ("decision_time_ms", "label_end_ms"))
    if params.uniqueness:
        factors.append(average_uniqueness(rows["symbol"].to_numpy(dtype=str), starts, ends))
    if params.half_life_days is not None:
        factors.append(recency(starts, params.half_life_days))
    if params.balance_classes:
        factors.append(class_balance(rows["is_up"].to_numpy()))
    if not factors:
        return None
    product = np.prod(factors, axis=0)
    total = product.sum()
    return np.asarray(product * (len(product) / total) if total > 0 else product)


def average_uniqueness(symbols: npt.NDArray[np.str_], starts: Times, ends: Times) -> Array:
    """Mean over a label's time, (start, end], of one over the labels of its symbol that run then. Shape (n_rows,).

    1 for a label that stands alone; times in milliseconds, every end after its start.
    Source: López de Prado 2018, Advances in Financial Machine Learning, 4.3 and 4.4, in time for bars.
    """
    out = np.empty(len(starts))
    for symbol in np.unique(symbols):
        own = symbols == symbol
        out[own] = _uniqueness(starts[own], ends[own])
    return out


def _uniqueness(starts: Times, ends: Times) -> Array:
    times, place = np.unique(np.concatenate([starts, ends]), return_inverse=True)
    first, last = place[: len(starts)], place[len(starts) :]
    n_running = np.cumsum(np.bincount(first, minlength=len(times)) - np.bincount(last, minlength=len(times)))
    spans = np.diff(times) / np.maximum(n_running[:-1], 1)  # where none runs, no label asks
    shared = np.concatenate([[0.0], np.cumsum(spans)])
    return np.asarray((shared[last] - shared[first]) / (ends - starts))


def recency(starts: Times, half_life_days: float) -> Array:
    """1 for the latest decision, half as much for each half-life before it. Shape (n_rows,)."""
    return np.asarray(0.5 ** ((starts.max() - starts) / (half_life_days * DAY_MS)))


def class_balance(y: Array) -> Array:
    """Weights that give both classes the same sum: n_rows / (2 · rows of the own class). Shape (n_rows,).

    Boosters call the ratio of the two `scale_pos_weight`. One class alone keeps weight 1/2.
    """
    is_up = y == 1.0
    counts = np.where(is_up, is_up.sum(), (~is_up).sum())
    return np.asarray(len(y) / (2.0 * counts))
