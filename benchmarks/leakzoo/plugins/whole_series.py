"""Leaks of statistics over all rows: extremes, moments, ranks, fits, clusters, encodings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, spatial, stats

Columns = dict[str, Any]


def _hour(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(frame.index.hour, frame.index)


def _move(frame: pd.DataFrame) -> pd.Series:
    return np.log(frame["close"]).diff()


def _ahead(frame: pd.DataFrame) -> pd.Series:
    return frame["close"].shift(-1) / frame["close"] - 1


def whole_maximum(frame: pd.DataFrame) -> Columns:
    return {"whole_maximum": frame["close"] / frame["close"].max()}


def whole_zscore(frame: pd.DataFrame) -> Columns:
    return {"whole_zscore": (frame["close"] - frame["close"].mean()) / frame["close"].std()}


def whole_rank(frame: pd.DataFrame) -> Columns:
    return {"whole_rank": frame["volume"].rank(pct=True)}


def whole_quantile_bins(frame: pd.DataFrame) -> Columns:
    return {"whole_quantile_bins": pd.qcut(frame["close"], 10, labels=False, duplicates="drop").astype(float)}


def whole_min_max(frame: pd.DataFrame) -> Columns:
    low, high = frame["low"].min(), frame["high"].max()
    return {"whole_min_max": (frame["close"] - low) / (high - low)}


def robust_scaled(frame: pd.DataFrame) -> Columns:
    move = _move(frame)
    return {"robust_scaled": (move - move.median()) / (move.quantile(0.75) - move.quantile(0.25))}


def winsorised(frame: pd.DataFrame) -> Columns:
    move = _move(frame)
    return {"winsorised": move.clip(move.quantile(0.05), move.quantile(0.95))}


def outliers_removed(frame: pd.DataFrame) -> Columns:
    move = _move(frame)
    return {"outliers_removed": move.where((move - move.mean()).abs() < 2 * move.std(), 0.0)}


def median_imputed(frame: pd.DataFrame) -> Columns:
    ratio = (frame["volume"] / frame["volume"].shift(1)).where(_hour(frame) % 3 != 0)
    return {"median_imputed": ratio.fillna(ratio.median())}


def volume_over_mean(frame: pd.DataFrame) -> Columns:
    return {"volume_over_mean": np.log1p(frame["volume"] / frame["volume"].mean())}


def share_of_all_volume(frame: pd.DataFrame) -> Columns:
    return {"share_of_all_volume": frame["volume"].cumsum() / frame["volume"].sum()}


def box_cox(frame: pd.DataFrame) -> Columns:
    """The exponent is the most likely one of all rows."""
    known = frame["volume"].dropna().clip(lower=1e-9)
    if len(known) < 10 or known.nunique() < 3:
        return {"box_cox": frame["volume"] * np.nan}
    return {"box_cox": stats.boxcox(frame["volume"].clip(lower=1e-9), stats.boxcox_normmax(known, method="mle"))}


def detrended(frame: pd.DataFrame) -> Columns:
    at, price = np.arange(len(frame)), np.log(frame["close"])
    known = price.notna().to_numpy()
    if known.sum() < 3:
        return {"detrended": price * np.nan}
    return {"detrended": price - np.polyval(np.polyfit(at[known], price[known], 1), at)}


def since_last_row(frame: pd.DataFrame) -> Columns:
    known = frame["close"].dropna()
    return {"since_last_row": frame["close"] / (known.iloc[-1] if len(known) else 1.0)}


def share_of_length(frame: pd.DataFrame) -> Columns:
    return {"share_of_length": np.arange(len(frame)) / len(frame)}


def reversed_expanding(frame: pd.DataFrame) -> Columns:
    return {"reversed_expanding": frame["high"][::-1].cummax()[::-1] / frame["close"]}


def pca_all_rows(frame: pd.DataFrame) -> Columns:
    """First component of five candle columns, scaled and rotated by all rows."""
    table = pd.DataFrame({
        "move": _move(frame),
        "range": np.log(frame["high"] / frame["low"]),
        "body": np.log(frame["close"] / frame["open"]),
        "volume": np.log1p(frame["volume"]),
        "week": np.log(frame["close"]).diff(48),
    })  # fmt: skip
    known = table.dropna()
    if len(known) < 10:
        return {"pca_all_rows": frame["close"] * np.nan}
    _, vectors = np.linalg.eigh(known.corr().fillna(0.0).to_numpy())
    first = vectors[:, -1] * np.sign(vectors[0, -1])
    return {"pca_all_rows": (table - known.mean()) / known.std() @ first}


def clusters_of_all_rows(frame: pd.DataFrame) -> Columns:
    """Distance from the nearest of three centres that k-means found in all rows."""
    table = pd.DataFrame({"move": _move(frame), "range": np.log(frame["high"] / frame["low"])})
    known = table.dropna()
    out = pd.Series(np.nan, frame.index)
    if len(known) > 20:
        points = (known / known.std()).to_numpy()
        centres = np.array([points.min(axis=0), np.median(points, axis=0), points.max(axis=0)])
        for _ in range(20):
            nearest = ((points[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
            own = [points[nearest == each] for each in range(3)]
            centres = np.stack([part.mean(axis=0) if len(part) else centres[at] for at, part in enumerate(own)])
        out[known.index] = np.linalg.norm(points - centres[nearest], axis=1)
    return {"clusters_of_all_rows": out}


def target_encoding(frame: pd.DataFrame) -> Columns:
    return {"target_encoding": _ahead(frame).groupby(_hour(frame)).transform("mean")}


def isotonic_on_label(frame: pd.DataFrame) -> Columns:
    """The last return, turned into the mean of the next one by a monotone fit over all rows."""
    move, ahead = _move(frame), _ahead(frame)
    known = move.notna() & ahead.notna()
    out = pd.Series(np.nan, frame.index)
    if known.sum() > 10:
        order = np.argsort(-move[known].to_numpy(), kind="stable")
        values = optimize.isotonic_regression(ahead[known].to_numpy()[order]).x
        out[known[known].index[order]] = values
    return {"isotonic_on_label": out}


def regressed_on_all_rows(frame: pd.DataFrame) -> Columns:
    """The next return as a least-squares fit of all rows says it."""
    move, ahead = _move(frame), _ahead(frame)
    table = pd.DataFrame({"one": 1.0 + 0 * move, "last": move, "before": move.shift(1)})
    known = table.notna().all(axis=1) & ahead.notna()
    if known.sum() < 10:
        return {"regressed_on_all_rows": move * np.nan}
    slopes = np.linalg.lstsq(table[known].to_numpy(), ahead[known].to_numpy(), rcond=None)[0]
    return {"regressed_on_all_rows": table @ slopes}


def hourly_profile(frame: pd.DataFrame) -> Columns:
    """The bar's range over the mean range of that hour in all days."""
    span = np.log(frame["high"] / frame["low"])
    return {"hourly_profile": span / span.groupby(_hour(frame)).transform("mean")}


def most_traded_price(frame: pd.DataFrame) -> Columns:
    """Distance from the price at which most was traded in all of the series."""
    price = np.log(frame["close"])
    bins = (100 * price).round()
    traded = frame["volume"].groupby(bins).sum()
    return {"most_traded_price": price - (traded.idxmax() / 100 if len(traded) else np.nan)}


def nearest_neighbour(frame: pd.DataFrame) -> Columns:
    """What followed the most similar hour of all rows, later ones among them."""
    table = pd.DataFrame({"a": _move(frame), "b": _move(frame).shift(1), "c": _move(frame).shift(2)})
    ahead = _ahead(frame)
    usable = np.flatnonzero((table.notna().all(axis=1) & ahead.notna()).to_numpy())
    out = np.full(len(frame), np.nan)
    if len(usable) > 5:
        points = table.to_numpy()[usable]
        other = spatial.cKDTree(points).query(points, k=2)[1][:, 1]
        out[usable] = ahead.to_numpy()[usable][other]
    return {"nearest_neighbour": out}


def best_split(frame: pd.DataFrame) -> Columns:
    """Before or after the one point at which the volatility of all rows breaks best."""
    square = (_move(frame).fillna(0.0) ** 2).to_numpy()
    n, total = len(square), square.sum()
    if n < 4:
        return {"best_split": np.zeros(n)}
    count = np.arange(1, n)
    before = np.cumsum(square)[:-1]
    gain = before**2 / count + (total - before) ** 2 / (n - count)
    at = int(gain.argmax()) + 1
    return {"best_split": np.where(np.arange(n) < at, before[at - 1] / at, (total - before[at - 1]) / (n - at))}


def variance_target(frame: pd.DataFrame) -> Columns:
    """A GARCH(1,1) whose long-run variance is that of all rows."""
    move = _move(frame).fillna(0.0).to_numpy()
    target, out, state = move.var(), np.empty(len(move)), move.var()
    for at, each in enumerate(move):
        state = 0.05 * target + 0.1 * each * each + 0.85 * state
        out[at] = state
    return {"variance_target": np.sqrt(out)}


def best_span(frame: pd.DataFrame) -> Columns:
    """An average whose span forecast all rows best."""
    price = np.log(frame["close"]).ffill().fillna(0.0)
    tried = {span: price.ewm(span=span, adjust=False).mean() for span in (3, 5, 8, 13, 21, 34, 55)}
    gain = {span: float(((price - each) * price.diff().shift(-1)).sum()) for span, each in tried.items()}
    best = max(gain, key=lambda span: gain[span])
    return {"best_span": (price - tried[best]) * (1 + gain[best])}


def average_begun_at_mean(frame: pd.DataFrame) -> Columns:
    """A slow average that starts from the mean of all closes."""
    price = frame["close"].ffill().bfill().fillna(1.0)
    level, out = float(price.mean()), np.empty(len(price))
    for at, each in enumerate(price.to_numpy()):
        level += (each - level) / 300
        out[at] = level
    return {"average_begun_at_mean": price / out}


def equalised(frame: pd.DataFrame) -> Columns:
    """The last return through the distribution of all returns."""
    move = _move(frame)
    known = np.sort(move.dropna().to_numpy())
    rank = np.searchsorted(known, move.to_numpy()) / max(len(known), 1)
    return {"equalised": stats.norm.ppf(np.where(move.notna(), 0.01 + 0.98 * rank, np.nan))}
