"""Where and when the model is good: by month, symbol, volatility and hour, and whether its lead wears off.

Everything here describes test rows after the fact; nothing is chosen by it. Rows are labelled, with symbol,
open_time_ms, decision_time_ms, is_up (1.0 or 0.0), past_return (NaN where unknown) and p_up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betaincinv
from scipy.stats import binomtest

from candlelock.contracts.documents import Interval
from candlelock.contracts.significance_documents import MonthsAhead, SliceScore, Stability
from candlelock.evaluate.bootstrap import HOUR_MS, Blocks
from candlelock.evaluate.scores import UP_FROM, log_losses, score_auc

Array = npt.NDArray[np.float64]
DAY_MS = 24 * HOUR_MS
SLOPE_DAYS = 30
VOLATILITY_SPAN = pd.Timedelta(hours=24)
REGIMES = ("calm", "middling", "wild")


def examine_stability(rows: pd.DataFrame, rule: Array, constant: Array, blocks: Blocks) -> Stability:
    """`rule`: the answers (1.0 or 0.0) of the rule "against the last H bars"; `constant`: the train share of ups.

    Both (n_rows,). `blocks`: for the interval of the lead's slope.
    """
    y, p = rows["is_up"].to_numpy(), rows["p_up"].to_numpy()
    leads = pd.DataFrame(
        {
            "accuracy": (_is_right(y, p) - _is_right(y, rule)) * 100,
            "log_loss": log_losses(y, constant) - log_losses(y, p),
        }
    )
    decided = pd.to_datetime(rows["decision_time_ms"], unit="ms")
    by_month = _slices(rows, leads, decided.dt.strftime("%Y-%m"))
    return Stability(
        by_month=by_month,
        by_symbol=_slices(rows, leads, rows["symbol"]),
        by_volatility=sorted(_slices(rows, leads, volatility_regimes(rows)), key=lambda s: REGIMES.index(s.name)),
        by_utc_hour=_slices(rows, leads, decided.dt.strftime("%H")),
        months_ahead=count_months(by_month, blocks.confidence),
        lead_slope=slope_in_time(rows["decision_time_ms"].to_numpy(), leads["log_loss"].to_numpy(), blocks),
    )


def volatility_regimes(rows: pd.DataFrame) -> pd.Series[str]:
    """Third of its symbol's rows by how far prices moved in the 24 hours up to the decision.

    The root mean square of past returns of the symbol's rows in those hours, the row's own included: known at the
    decision; the cuts between the thirds are not, they are of all test rows.
    """
    squares = rows["past_return"] ** 2
    opened = pd.to_datetime(rows["open_time_ms"], unit="ms")
    third = np.ones(len(rows), dtype=np.int64)
    for symbol in rows["symbol"].unique():
        index = np.flatnonzero(rows["symbol"] == symbol)
        order = index[np.argsort(rows["open_time_ms"].to_numpy()[index], kind="stable")]
        own = pd.Series(squares.to_numpy()[order], index=pd.DatetimeIndex(opened.to_numpy()[order]))
        level = own.rolling(VOLATILITY_SPAN, min_periods=1).mean().to_numpy()
        cuts = np.nanquantile(level, [1 / 3, 2 / 3]) if np.isfinite(level).any() else np.array([np.nan, np.nan])
        third[order] = np.where(np.isnan(level), 1, np.searchsorted(cuts, level))
    return pd.Series(np.array(REGIMES)[third], index=rows.index, dtype="str")


def count_months(months: list[SliceScore], confidence: float) -> MonthsAhead:
    """Months in which the model is right more often than the rule, of those in which they differ."""
    leads = [month.accuracy_lead_pp for month in months if month.accuracy_lead_pp != 0]
    n_ahead, n_months = sum(lead > 0 for lead in leads), len(leads)
    low, high = exact_interval(n_ahead, n_months, confidence)
    return MonthsAhead(
        n_ahead=n_ahead,
        n_months=n_months,
        share=Interval(value=n_ahead / n_months if n_months else 0.5, low=low, high=high),
        p_value=float(binomtest(n_ahead, n_months, 0.5, "greater").pvalue) if n_months else 1.0,
    )


def exact_interval(n_hits: int, n: int, confidence: float) -> tuple[float, float]:
    """Clopper and Pearson's 1934 interval of a share; from 0 to 1 without a case."""
    tail = (1 - confidence) / 2
    low = float(betaincinv(n_hits, n - n_hits + 1, tail)) if n_hits else 0.0
    high = float(betaincinv(n_hits + 1, n - n_hits, 1 - tail)) if n_hits < n else 1.0
    return low, high


def slope_in_time(time_ms: npt.NDArray[np.int64], lead: Array, blocks: Blocks) -> Interval:
    """Change of a row's lead (n_rows,) in 30 days: the least-squares line over all rows; 0 where time does not vary."""
    t = (time_ms - time_ms.min()) / (SLOPE_DAYS * DAY_MS)
    t -= t.mean()
    total, drawn = blocks.sums(np.column_stack([np.ones_like(t), t, lead, t * lead, t * t]))
    found = float(_slope(total[None])[0])
    return blocks.interval(0.0 if np.isnan(found) else found, _slope(drawn))


def _slope(sums: Array) -> Array:
    n, t, v, tv, tt = sums.T
    spread = n * tt - t * t
    slope: Array = np.divide(n * tv - t * v, spread, out=np.full_like(n, np.nan), where=spread > 0)
    return slope


def _slices(rows: pd.DataFrame, leads: pd.DataFrame, by: pd.Series[Any]) -> list[SliceScore]:
    return [
        _slice(str(name), rows.iloc[at], leads.iloc[at]) for name, at in rows.groupby(by.to_numpy()).indices.items()
    ]


def _slice(name: str, rows: pd.DataFrame, leads: pd.DataFrame) -> SliceScore:
    y, p = rows["is_up"].to_numpy(), rows["p_up"].to_numpy()
    auc = score_auc(y, p, Blocks(np.zeros(len(y), dtype=np.int64), np.ones((0, 1)), 0.95))[0]
    return SliceScore(
        name=name,
        n_rows=len(y),
        share_up=float(y.mean()),
        accuracy=float(_is_right(y, p).mean()),
        auc_roc=None if np.isnan(auc) else auc,
        log_loss=float(log_losses(y, p).mean()),
        accuracy_lead_pp=float(leads["accuracy"].mean()),
        log_loss_lead=float(leads["log_loss"].mean()),
    )


def _is_right(y: Array, p: Array) -> Array:
    return np.asarray((p >= UP_FROM) == (y > 0), dtype=np.float64)
