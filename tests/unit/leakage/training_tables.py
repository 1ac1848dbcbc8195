"""Training tables as people make them: several symbols that move together, holes, flat markets, labels that overlap."""

from __future__ import annotations

import numpy as np
import pandas as pd

from candlelock.leakage.rows import LEFT_OUT, LabelledRows
from candlelock.leakage.table import AuditTable

HOUR = 3_600_000
BEGIN = 1_600_000_000_000 // HOUR * HOUR
NAMES = ("BTC", "ETH", "SOL", "ADA", "XRP")
KEYS = ("symbol", "time", "label", "label_end", "split")
PARTS = ("train", "validation", "test")


def walks(
    seed: int, n_symbols: int, n_bars: int, *, gap_share: float = 0.01, flat: bool = True
) -> dict[str, pd.DataFrame]:
    """Symbol -> close and volume on the bars that there are, by number of the bar; moves correlate at about 0.7."""
    rng = np.random.default_rng(seed)
    market = rng.standard_t(4, n_bars)
    frames = {}
    for symbol in NAMES[:n_symbols]:
        moves = 0.004 * (0.85 * market + 0.53 * rng.standard_t(4, n_bars))
        volume = np.exp(rng.normal(size=n_bars))
        if flat:
            at = int(rng.integers(0, n_bars - 60))
            moves[at : at + 50] = volume[at : at + 50] = 0
        frame = pd.DataFrame({"close": 100 * np.exp(np.cumsum(moves)), "volume": volume})
        frames[symbol] = frame[np.append(True, rng.random(n_bars - 1) > gap_share)]
    return frames


def features(frame: pd.DataFrame, market_move: pd.Series) -> pd.DataFrame:
    """Fast and slow ones, lags, an expanding one, the hour and one of the market; by number of the bar."""
    whole = frame.reindex(range(int(frame.index.max()) + 1))
    move = np.log(whole["close"]).diff()
    wide = pd.DataFrame(index=whole.index)
    wide["return_1"] = move
    wide["return_1_lag_1"] = move.shift(1)
    wide["return_4"] = move.rolling(4, min_periods=2).sum()
    wide["return_24"] = move.rolling(24, min_periods=12).sum()
    wide["deviation_24"] = move.rolling(24, min_periods=12).std()
    wide["mean_100"] = whole["close"].rolling(100, min_periods=20).mean()
    wide["close"] = whole["close"]
    wide["mean_so_far"] = whole["close"].expanding().mean()
    wide["highest_so_far"] = whole["close"].cummax()
    wide["volume"] = whole["volume"]
    wide["hour"] = (whole.index % 24).astype(float)
    wide["market_move"] = market_move.reindex(whole.index)
    wide["day_mean"] = whole["close"].groupby(whole.index // 24).transform("first")
    return wide.loc[frame.index]


def table(
    seed: int = 0,
    n_symbols: int = 3,
    n_bars: int = 3000,
    horizon: int = 8,
    *,
    gap_share: float = 0.01,
    flat: bool = True,
    embargo: int = 0,
) -> pd.DataFrame:
    """An honest table in purged parts: `label` is whether the close rises over `horizon` bars, NaN where one lacks."""
    frames = walks(seed, n_symbols, n_bars, gap_share=gap_share, flat=flat)
    moves = pd.concat({name: np.log(frame["close"]).diff() for name, frame in frames.items()}, axis=1)
    blocks = []
    for symbol, frame in frames.items():
        block = features(frame, moves.mean(axis=1))
        future = frame["close"].reindex(frame.index + horizon).to_numpy()
        block["outcome"] = future / frame["close"].to_numpy() - 1
        block["symbol"] = symbol
        block["time"] = BEGIN + HOUR * (frame.index.to_numpy() + 1)
        block["label_end"] = block["time"] + HOUR * horizon
        blocks.append(block)
    rows = pd.concat(blocks, ignore_index=True)
    rows["label"] = (rows["outcome"] > 0).astype(float).where(rows["outcome"].notna())
    rows["split"] = split(rows["time"], rows["label_end"], embargo * HOUR)
    return rows


def split(times: pd.Series, ends: pd.Series, embargo_ms: int = 0) -> np.ndarray:
    """Train, validation and test by time, 70, 15 and 15 %, purged by label end; None for rows left out."""
    cuts = np.quantile(times, [0.7, 0.85])
    part = np.searchsorted(cuts, times, side="right")
    begins = [times[part == number].min() for number in range(3)]
    names = np.array(PARTS, dtype=object)[part]
    for number in (0, 1):
        names[(part == number) & (ends + embargo_ms >= begins[number + 1])] = None
    return names


def audit_table(rows: pd.DataFrame) -> AuditTable:
    """The same as arrays, as the reader would give them."""
    names = [name for name in rows.columns if name not in (*KEYS, "outcome")]
    symbols, symbol = np.unique(rows["symbol"], return_inverse=True)
    parts = tuple(name for name in PARTS if (rows["split"] == name).any())
    number = {name: at for at, name in enumerate(parts)}
    part = np.array([number.get(name, LEFT_OUT) for name in rows["split"]])
    is_known = (rows["label"].notna() & rows["label_end"].notna()).to_numpy()
    ends = rows["label_end"].fillna(0).to_numpy(np.int64)
    times = rows["time"].to_numpy(np.int64)
    keyed = LabelledRows(tuple(symbols), symbol.astype(np.int64), times, ends, is_known, parts, part)
    values = np.asfortranarray(rows[names].to_numpy(float))
    return AuditTable(keyed, rows["label"].to_numpy(float), tuple(names), values)
