"""Everything between member probabilities and signals, each part fitted on rows the part before has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from candlelock.calibrate.calibrator import time_blocks
from candlelock.calibrate.comparison import ENSEMBLE, compare
from candlelock.calibrate.conformal import fit_conformal, run_forward
from candlelock.calibrate.ensemble import disagreement, is_fitted, make_ensemble, spread
from candlelock.calibrate.report import (
    describe_calibrator,
    describe_conformal,
    describe_ensemble,
    describe_threshold,
    predictions_table,
)
from candlelock.calibrate.threshold import Trading, optimize_threshold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from candlelock.artifacts.fit_ledger import FitLedger
    from candlelock.calibrate.calibrator import Array, Choice
    from candlelock.calibrate.conformal import Conformal, Mask
    from candlelock.calibrate.ensemble import Ensemble
    from candlelock.contracts import documents
    from candlelock.contracts.documents import Compared
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
    """How long a trade is held, what a round trip costs in basis points, and the seed of the drawn days."""

    hold_ms: int
    cost_bps: float
    seed: int


def calibrate_members(
    rows: pd.DataFrame, members: Sequence[str], params: CalibrateParams, terms: Terms, fits: FitLedger
) -> Calibrated:
    """Combine on labelled train rows (out of fold), compare and calibrate on calibrate, sets and threshold on decide.

    `rows`: the split joined with `p_up_<member>`, as `split.joined.read_member_predictions` gives it.
    """
    known, train = rows["is_up"].notna(), rows["segment"] == "train"
    seen, decide = (rows["segment"] == name for name in ("calibrate", "decide"))
    raw = {name: rows[f"p_up_{name}"].to_numpy() for name in members}
    ensemble = _fit_ensemble(rows[known & train], members, params, fits)
    raw[ENSEMBLE] = ensemble.apply(raw)
    used, choice, comparison = _compare(rows[known & seen], raw, (known & seen).to_numpy(), params, fits)
    p_up = choice.calibration.apply(raw[used])
    rows = rows.assign(**_apart(raw), p_up_raw=raw[used], p_up=p_up)
    conformal = _fit_sets(rows[known & decide], params, fits)
    rows = _run_sets(rows, conformal, fits)
    trading = Trading(terms.hold_ms, terms.cost_bps, params.threshold_goal, params.min_trades)
    tried = _tradable(rows, terms.hold_ms)
    fits.note("threshold", "choose", tried["row"].to_numpy())
    optimum = optimize_threshold(tried, trading, params.n_bootstrap, terms.seed)
    fits.note("calibrator", "predict", rows["row"][~train].to_numpy())
    fitted = is_fitted(params.ensemble, params.weights)
    return Calibrated(
        describe_ensemble(ensemble, used, comparison, rows[known & train] if fitted else rows[:0]),
        describe_calibrator(choice, rows[known & seen]),
        describe_conformal(conformal, rows[known & decide]),
        describe_threshold(optimum, trading, tried),
        predictions_table(rows[~train], optimum.p_up, params.abstain),
    )


def _fit_ensemble(train: pd.DataFrame, members: Sequence[str], params: CalibrateParams, fits: FitLedger) -> Ensemble:
    """On labelled out-of-fold rows, noted where labels have a say."""
    if is_fitted(params.ensemble, params.weights):
        fits.note("stack", "fit", train["row"].to_numpy())
    own = {name: train[f"p_up_{name}"].to_numpy() for name in members}
    return make_ensemble(params.ensemble, params.weights, own, train["is_up"].to_numpy(), params.stack_l2)


def _compare(
    seen: pd.DataFrame, raw: Mapping[str, Array], is_seen: Mask, params: CalibrateParams, fits: FitLedger
) -> tuple[str, Choice, list[Compared]]:
    """Who is used and its calibration, by labelled calibrate rows."""
    fits.note("ensemble", "choose", seen["row"].to_numpy())
    fits.note("calibrator", "fit", seen["row"].to_numpy())
    fits.note("calibrator", "choose", seen["row"].to_numpy())
    own = {name: p[is_seen] for name, p in raw.items()}
    return compare(params.methods, own, seen["is_up"].to_numpy(), time_blocks(seen["open_time_ms"].to_numpy()))


def _apart(raw: Mapping[str, Array]) -> dict[str, Array]:
    """How far the members are apart, as columns of PREDICTIONS."""
    members = {name: p for name, p in raw.items() if name != ENSEMBLE}
    return {"member_spread": spread(members), "disagreement": disagreement(members)}


def _fit_sets(decide: pd.DataFrame, params: CalibrateParams, fits: FitLedger) -> Conformal:
    """On labelled decide rows."""
    fits.note("conformal", "fit", decide["row"].to_numpy())
    p_up, is_up = decide["p_up"].to_numpy(), decide["is_up"].to_numpy()
    return fit_conformal(p_up, is_up, params.miscoverage_frac, params.adaptation)


def _tradable(rows: pd.DataFrame, hold_ms: int) -> pd.DataFrame:
    """The decide rows whose trade is over before test first decides; their label may have ended sooner."""
    begin_ms = rows.loc[rows["segment"] == "test", "decision_time_ms"].min()
    tried: pd.DataFrame = rows[(rows["segment"] == "decide") & (rows["decision_time_ms"] + hold_ms < begin_ms)]
    return tried


def _run_sets(rows: pd.DataFrame, conformal: Conformal, fits: FitLedger) -> pd.DataFrame:
    """`rows` with the conformal sets of test, each made with labels known at its decision; null before test."""
    test = rows[rows["segment"] == "test"]
    fits.note("conformal", "predict", test["row"].to_numpy())
    fits.note("conformal", "follow", test["row"].to_numpy())
    names = ("p_up", "is_up", "decision_time_ms", "label_end_ms")
    up, down, _ = run_forward(conformal, *(test[name].to_numpy() for name in names))
    sets = pd.DataFrame({"may_be_up": up, "may_be_down": down}, index=test.index, dtype="boolean")
    return rows.join(sets)
