"""Everything between members' answers and signals, each part fitted on rows the part before has not seen.

But for the two of a head of values that see calibrate: the line of its values, and the calibrator behind that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from candlelock.calibrate.combine import combine_probabilities, combine_values
from candlelock.calibrate.conformal import fit_conformal, fit_intervals, run_forward, scores_of, sets_of
from candlelock.calibrate.ensemble import is_fitted
from candlelock.calibrate.report import (
    describe_calibrator,
    describe_conformal,
    describe_ensemble,
    describe_threshold,
    predictions_table,
)
from candlelock.calibrate.threshold import Trading, optimize_threshold

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from candlelock.artifacts.fit_ledger import FitLedger
    from candlelock.calibrate.conformal import Conformal
    from candlelock.contracts import documents
    from candlelock.contracts.stage_params import CalibrateParams


@dataclass(frozen=True)
class Calibrated:
    """The documents of the bundle and the PREDICTIONS table of all rows after train."""

    stack: documents.Stack
    calibrator: documents.Calibrator
    conformal: documents.Conformal
    threshold: documents.Threshold
    predictions: pa.Table


@dataclass(frozen=True)
class Terms:
    """How long a trade is held, what a round trip costs in basis points, and the seed of the drawn days.

    `is_traded`: whether the head has signals at all.
    """

    hold_ms: int
    cost_bps: float
    seed: int
    is_traded: bool = True


def calibrate_members(
    rows: pd.DataFrame, members: Sequence[str], params: CalibrateParams, terms: Terms, fits: FitLedger
) -> Calibrated:
    """Combine on labelled train rows (out of fold), compare and calibrate on calibrate, sets and threshold on decide.

    `rows`: the split joined with `p_up_<member>`, or a head's `value_<member>`, as
    `split.joined.read_member_predictions` gives it.
    """
    known, train = rows["is_up"].notna(), rows["segment"] == "train"
    seen, decide = (rows["segment"] == name for name in ("calibrate", "decide"))
    combine = combine_values if f"value_{members[0]}" in rows else combine_probabilities
    combined = combine(rows, members, params, fits)
    rows = rows.assign(**combined.columns)
    conformal, intervals = _fit_sets(rows[known & decide], params, fits)
    rows = _run_sets(rows, conformal, intervals, fits)
    trading = Trading(terms.hold_ms, terms.cost_bps, params.threshold_goal, params.min_trades)
    tried = _tradable(rows, terms.hold_ms)
    fits.note("threshold", "choose", tried["row"].to_numpy())
    optimum = optimize_threshold(tried, trading, params.n_bootstrap, terms.seed)
    fits.note("calibrator", "predict", rows["row"][~train].to_numpy())
    fitted = is_fitted(params.ensemble, params.weights)
    return Calibrated(
        describe_ensemble(combined, rows[known & train] if fitted else rows[:0]),
        describe_calibrator(combined, rows[known & seen]),
        describe_conformal(conformal, intervals, rows[known & decide]),
        describe_threshold(optimum, trading, tried),
        predictions_table(rows[~train], optimum.p_up, abstains=params.abstain, is_traded=terms.is_traded),
    )


def _fit_sets(decide: pd.DataFrame, params: CalibrateParams, fits: FitLedger) -> tuple[Conformal, Conformal | None]:
    """Sets of directions and, of a head of values, intervals; on labelled decide rows."""
    fits.note("conformal", "fit", decide["row"].to_numpy())
    asked = params.miscoverage_frac, params.adaptation
    sets = fit_conformal(decide["p_up"].to_numpy(), decide["is_up"].to_numpy(), *asked)
    if "predicted_value" not in decide:
        return sets, None
    return sets, fit_intervals(decide["predicted_value"].to_numpy(), decide["value"].to_numpy(), *asked)


def _tradable(rows: pd.DataFrame, hold_ms: int) -> pd.DataFrame:
    """The decide rows whose trade is over before test first decides; their label may have ended sooner."""
    begin_ms = rows.loc[rows["segment"] == "test", "decision_time_ms"].min()
    tried: pd.DataFrame = rows[(rows["segment"] == "decide") & (rows["decision_time_ms"] + hold_ms < begin_ms)]
    return tried


def _run_sets(rows: pd.DataFrame, conformal: Conformal, intervals: Conformal | None, fits: FitLedger) -> pd.DataFrame:
    """`rows` with the sets and intervals of test, each made with labels known at its decision; null before test."""
    test = rows[rows["segment"] == "test"]
    fits.note("conformal", "predict", test["row"].to_numpy())
    fits.note("conformal", "follow", test["row"].to_numpy())
    times = test["decision_time_ms"].to_numpy(), test["label_end_ms"].to_numpy()
    p_up, is_up = test["p_up"].to_numpy(), test["is_up"].to_numpy()
    up, down = sets_of(p_up, run_forward(conformal, scores_of(p_up, is_up), *times)[0])
    sets = pd.DataFrame({"may_be_up": up, "may_be_down": down}, index=test.index, dtype="boolean")
    if intervals is not None:
        foretold = test["predicted_value"].to_numpy()
        off = np.abs(np.where(np.isnan(is_up), np.nan, test["value"].to_numpy()) - foretold)
        width = run_forward(intervals, off, *times)[0]
        width = np.where(np.isinf(width), np.nan, np.maximum(width, 0.0))
        sets = sets.assign(value_low=foretold - width, value_high=foretold + width)
    return rows.join(sets)
