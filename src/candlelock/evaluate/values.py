"""How well the values of a head are foretold: scores with intervals, beside baselines, on labelled test rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.contracts.documents import ValueBaseline, Values

if TYPE_CHECKING:
    import pandas as pd

    from candlelock.contracts.documents import Interval
    from candlelock.evaluate.bootstrap import Blocks

Array = npt.NDArray[np.float64]


def score_values(rows: pd.DataFrame, train_mean: float, unit: str, blocks: Blocks) -> Values:
    """Score labelled test rows.

    `rows`: value (no NaN), past_value (NaN where unknown), predicted_value, value_low and value_high (NaN where an
    interval has no ends), value_logistic; `train_mean`: of the labels of train.
    """
    y, foretold = rows["value"].to_numpy(), rows["predicted_value"].to_numpy()
    answers = predict_baselines(rows, train_mean)
    squared = {name: _means((y - answer) ** 2, blocks) for name, answer in answers.items()}
    best = min(squared, key=lambda name: squared[name][0])
    lowest = squared[best][0], np.min([draws for _, draws in squared.values()], axis=0)
    own, off = _means((y - foretold) ** 2, blocks), _means(np.abs(y - foretold), blocks)
    scored = {
        "rmse": (np.sqrt(own[0]), np.sqrt(own[1])),
        "mae": off,
        "r2": _gain(own, _variances(y, blocks)),
        "rank_correlation": score_rank_correlation(y, foretold, blocks),
        "skill": _gain(own, lowest),
    }
    low, high = (rows[name].fillna(end).to_numpy() for name, end in (("value_low", -np.inf), ("value_high", np.inf)))
    width = rows["value_high"] - rows["value_low"]
    return Values(
        unit=unit,
        n_rows=len(rows),
        metrics={name: _interval(score, blocks) for name, score in scored.items()},
        baselines={
            name: ValueBaseline(rmse=float(np.sqrt(squared[name][0])), mae=float(np.abs(y - answer).mean()))
            for name, answer in answers.items()
        },
        best_baseline=best,
        coverage_frac=float(((low <= y) & (y <= high)).mean()),
        mean_width=float(width.mean()) if width.notna().any() else None,
    )


def predict_baselines(rows: pd.DataFrame, train_mean: float) -> dict[str, Array]:
    """Each baseline's value, (n_rows,). An unknown horizon behind counts as zero."""
    past = rows["past_value"].fillna(0.0).to_numpy()
    return {
        "zero": np.zeros(len(rows)),
        "train_mean": np.full(len(rows), train_mean),
        "persistence": past,
        "reversal": -past,
        "linear": rows["value_logistic"].to_numpy(),
    }


def score_rank_correlation(y: Array, foretold: Array, blocks: Blocks) -> tuple[float, Array]:
    """Spearman's: the correlation of ranks, ties at their mean; NaN where one of the two does not vary.

    In a draw the ranks are those of all rows, which a draw of many rows hardly moves.
    """
    from scipy.stats import rankdata

    a, b = (rankdata(values) - (len(y) + 1) / 2 for values in (y, foretold))
    total, draws = blocks.sums(np.column_stack([a, b, a * b, a * a, b * b, np.ones_like(a)]))
    return float(_correlation(total[None])[0]), _correlation(draws)


def _correlation(sums: Array) -> Array:
    a, b, ab, aa, bb, n = sums.T
    scale = np.sqrt(np.maximum(aa - a * a / n, 0) * np.maximum(bb - b * b / n, 0))
    return np.asarray(np.divide(ab - a * b / n, scale, out=np.full_like(scale, np.nan), where=scale > 0))


def _means(values: Array, blocks: Blocks) -> tuple[float, Array]:
    total, draws = blocks.sums(np.column_stack([values, np.ones_like(values)]))
    return float(total[0] / total[1]), draws[:, 0] / draws[:, 1]


def _variances(y: Array, blocks: Blocks) -> tuple[float, Array]:
    square, mean = _means(y * y, blocks), _means(y, blocks)
    return square[0] - mean[0] ** 2, square[1] - mean[1] ** 2


def _gain(own: tuple[float, Array], other: tuple[float, Array]) -> tuple[float, Array]:
    """Share of the other's squared error that is saved; NaN where that is none."""
    value = 1 - own[0] / other[0] if other[0] > 0 else float("nan")
    return value, 1 - np.divide(own[1], other[1], out=np.full_like(own[1], np.nan), where=other[1] > 0)


def _interval(score: tuple[float, Array], blocks: Blocks) -> Interval:
    """With 0 for a score that does not exist."""
    return blocks.interval(0.0 if np.isnan(score[0]) else score[0], score[1])
