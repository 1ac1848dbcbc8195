"""What the features add out of time: LightGBM alone on ours, against 25 plain features, on the same rows.

    python benchmarks/skill.py                            # all four sets, the default groups and selection
    python benchmarks/skill.py --sets sample_4 --each     # each group on top of the 25, one by one, nothing dropped
    python benchmarks/skill.py --sets minutes_1 --groups relative cross_asset --seeds 6
    python benchmarks/skill.py --sets venues_1 --each --groups venues     # spot, with its perpetuals beside it
    python benchmarks/skill.py --sets taker_1 --each --groups taker       # one symbol with the taker's side

Row t is a closed candle; the label is the sign of log(close[t + H] / close[t]); zero returns and labels across a
missing candle are dropped. The cut is the time at 75 % of the pooled rows; train is before it less H bars, test from
it on. A model is the mean of --seeds LightGBM models that differ in their seed. The difference of two AUCs is paired:
1,000 bootstraps of whole UTC days, all symbols together. The 25: returns over 1 to 96 bars, three volatilities,
z-scores of close and volume, the bar's range, body and close, hour and weekday, and BTC's last returns.
`--until 0.75` judges on the quarter before instead.

    python benchmarks/skill.py --refit --until 0.75      # what the months nearest to those judged are worth

trains the default features and selection on the first 73 % of the rows before the judged ones, as a flow without
`train.refit` does with a test of a quarter, and on all of them; the selection is that of the first in both.

    python benchmarks/skill.py --path --sets sample_4 five_minutes_6 minutes_5 --until 0.75    # and --until 0.5

trains them towards the share of the horizon's closes above the row's own, as `learns: path` does, and towards the
label; both are judged by the label.
"""

from __future__ import annotations

import argparse
import functools
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np
import pandas as pd

from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.artifacts.user_files import read_catalogue, read_params
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.registry import select
from candlelock.contracts.stage_params import SnapshotParams
from candlelock.features.build import build_features
from candlelock.features.market import CANDLE_FIELDS, Market, align
from candlelock.select.fit import fit_selection
from candlelock.select.train_rows import train_rows
from candlelock.snapshot import candles as snapshot_candles
from candlelock.snapshot.publication import publish
from candlelock.snapshot.sources import reading
from candlelock.train.importance import find_gains

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
CANDLES = ROOT.parent / "shared" / "data" / "candles"
REFERENCE = {
    "num_leaves": 31, "learning_rate": 0.03, "min_data_in_leaf": 200, "feature_fraction": 0.6, "bagging_fraction": 0.7,
    "bagging_freq": 1, "lambda_l2": 10.0,
}  # fmt: skip
WIDE = REFERENCE | {
    "num_leaves": 15, "learning_rate": 0.06, "min_data_in_leaf": 1000, "feature_fraction": 0.3, "max_bin": 63,
}  # fmt: skip
EARLY = 0.55 / 0.75  # of the rows before test, the share that train has
TREES = {"reference": (REFERENCE, 250), "wide": (WIDE, 200)}
COMMON = {"objective": "binary", "verbose": -1, "num_threads": 1, "deterministic": True, "force_row_wise": True}


@dataclass(frozen=True)
class CandleSet:
    """Candles and a horizon."""

    source: str
    timeframe: str
    symbols: tuple[str, ...]
    horizon: int
    beside: CandleSet | None = None  # other venues, whose rows are not judged


SPOT = ("BTC/USDT", "ETH/USDT")
SETS = {
    "sample_4": CandleSet("sample", "30m", ("BTC/USD", "ETH/USD", "XRP/USD", "LTC/USD", "EOS/USD"), 4),
    "five_minutes_6": CandleSet(
        "binance_spot_5m_2024", "5m", (*SPOT, "SOL/USDT", "XRP/USDT", "LTC/USDT", "LINK/USDT"), 6
    ),
    "minutes_1": CandleSet("binance_spot_1m_2025", "1m", SPOT, 1),
    "minutes_5": CandleSet("binance_spot_1m_2025", "1m", SPOT, 5),
}
PERPETUALS = CandleSet("binance_usdm_1m_2025", "1m", SPOT, 1)
MORE_SETS = {
    "venues_1": CandleSet("binance_spot_1m_2025", "1m", SPOT, 1, PERPETUALS),
    "taker_1": CandleSet("binance_usdm_klines12_1m_2023", "1m", ("LINK/USDT",), 1),
}


def read_market(wanted: CandleSet, folder: Path) -> Market:
    """The candles as the pipeline takes them: checked, exact, on one grid."""
    target = folder / wanted.source
    if not target.is_dir():
        own: dict[str, Any] = {"timeframe": wanted.timeframe, "symbols": list(wanted.symbols)}
        own["source"] = "sample" if wanted.source == "sample" else "files"
        given = read_params(ROOT).snapshot.model_dump()
        if wanted.source != "sample":
            given["files"]["path"] = str(CANDLES / wanted.source)
        params = SnapshotParams.model_validate(given | own)
        with reading(params, ROOT, ROOT / "data" / "download", lambda *_: None) as (raw, source):
            publish(target, raw, source, params)
    _, frames = snapshot_candles.read(target)
    market = align({symbol: frames[symbol] for symbol in wanted.symbols}, 1000 * bar_seconds(wanted.timeframe))
    return market if wanted.beside is None else beside(market, read_market(wanted.beside, folder))


def beside(market: Market, other: Market) -> Market:
    """Both over the bars that both have."""
    _, mine, theirs = np.intersect1d(market.open_time_ms, other.open_time_ms, return_indices=True)
    columns = {
        name: np.concatenate([getattr(market, name)[:, mine], getattr(other, name)[:, theirs]])
        for name in CANDLE_FIELDS
    }
    symbols = market.symbols + tuple(f"{symbol}:USDT" for symbol in other.symbols)
    return Market(symbols, market.bar_ms, market.open_time_ms[mine], **columns)


def plain_features(market: Market) -> dict[str, np.ndarray]:
    """The 25, by name; rolling windows over the candles there are, as a data frame has them."""
    columns: dict[str, list[np.ndarray]] = {}
    n_bars = len(market.open_time_ms)
    lead: dict[str, np.ndarray] = {}
    for row, symbol in enumerate(market.symbols):
        at = np.flatnonzero(market.has_bar[row])
        c = pd.DataFrame({name: getattr(market, name)[row, at] for name in ("open", "high", "low", "close", "volume")})
        log, span = np.log(c["close"]), c["high"] - c["low"]
        own = {f"ret{k}": log.diff(k) for k in (1, 2, 3, 6, 12, 24, 48, 96)}
        for k in (6, 24, 96):
            own[f"vol{k}"] = log.diff().rolling(k).std()
            own[f"z{k}"] = (c["close"] - c["close"].rolling(k).mean()) / c["close"].rolling(k).std()
            own[f"vz{k}"] = (c["volume"] - c["volume"].rolling(k).mean()) / c["volume"].rolling(k).std()
        own |= {"hl": span / c["close"], "pos": (c["close"] - c["low"]) / (span + 1e-9)}
        own["oc"] = (c["close"] - c["open"]) / c["close"]
        when = pd.to_datetime(market.open_time_ms[at], unit="ms", utc=True)
        own |= {"hour": pd.Series(when.hour), "dow": pd.Series(when.day_of_week)}
        for name, values in own.items():
            full = np.full(n_bars, np.nan)
            full[at] = values.to_numpy(float)
            columns.setdefault(name, []).append(full)
            if symbol.startswith("BTC/") and name in ("ret1", "ret3", "ret12"):
                lead[f"btc_{name}"] = full
    plain = {name: np.stack(values) for name, values in columns.items()}
    return plain | {name: np.broadcast_to(values, market.close.shape) for name, values in lead.items()}


@dataclass(frozen=True)
class Rows:
    """Labelled rows: where each lies in the market, its label, and masks of train and test."""

    symbol: np.ndarray
    bar: np.ndarray
    is_up: np.ndarray
    train: np.ndarray
    test: np.ndarray
    day: np.ndarray

    def take(self, features: dict[str, np.ndarray]) -> np.ndarray:
        """Matrix (n_rows, n_features), float32."""
        return np.stack([values[self.symbol, self.bar].astype(np.float32) for values in features.values()], axis=1)


def label(market: Market, plain: dict[str, np.ndarray], horizon: int, until: float, n_judged: int) -> Rows:
    """Rows of the first symbols on which every plain feature and the label are known; the last quarter is test."""
    ahead = np.full_like(market.close, np.nan)
    ahead[:, :-horizon] = np.log(market.close[:, horizon:] / market.close[:, :-horizon])
    whole = np.lib.stride_tricks.sliding_window_view(market.has_bar, horizon + 1, axis=1).all(axis=2)
    known = np.isfinite(ahead) & (ahead != 0)
    known[:, : whole.shape[1]] &= whole
    known &= np.all([np.isfinite(values) for values in plain.values()], axis=0)
    known[n_judged:] = False
    bar, symbol = np.nonzero(known.T)
    end = bar[min(int(len(bar) * until), len(bar) - 1)] + (until == 1.0)
    cut = bar[int(len(bar) * (until - 0.25))]
    is_test = (bar >= cut) & (bar < end)
    day = market.open_time_ms[bar] // 86_400_000
    return Rows(symbol, bar, ahead[symbol, bar] > 0, bar < cut - horizon, is_test, day)


def share_above(market: Market, rows: Rows, horizon: int) -> np.ndarray:
    """Of the closes of each row's horizon, how many are above its own, equal ones half; shape (n_rows,)."""
    own = market.close[rows.symbol, rows.bar]
    later = [market.close[rows.symbol, rows.bar + step] for step in range(1, horizon + 1)]
    return np.asarray(sum((each > own) + 0.5 * (each == own) for each in later) / horizon)


def fit_predict(x: np.ndarray, rows: Rows, settings: str, seeds: int, towards: np.ndarray | None = None) -> np.ndarray:
    """Mean probability of up on the test rows over models that differ in their seed.

    `towards`: what they learn in place of the labels, from 0 to 1.
    """
    parameters, n_trees = TREES[settings]
    options = COMMON | parameters | ({} if towards is None else {"objective": "cross_entropy"})
    learned = rows.is_up if towards is None else towards
    data = lightgbm.Dataset(x[rows.train], learned[rows.train].astype(float), params=options)
    answers = []
    for seed in range(1, seeds + 1):
        model = lightgbm.train(options | {"seed": seed}, data, n_trees)
        answers.append(model.predict(x[rows.test], num_threads=1))
    return np.mean(answers, axis=0)


def weighted_auc(y: np.ndarray, p: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve for each column of weights, ties half; y and p of shape (n_rows,)."""
    order = np.argsort(p, kind="stable")
    y, p, weights = y[order], p[order], weights[order]
    starts = np.flatnonzero(np.r_[True, p[1:] != p[:-1]])
    ups = np.add.reduceat(weights * y[:, None], starts, axis=0)
    downs = np.add.reduceat(weights * ~y[:, None], starts, axis=0)
    below = np.cumsum(downs, axis=0) - downs
    return (ups * (below + downs / 2)).sum(axis=0) / (ups.sum(axis=0) * downs.sum(axis=0))


def compare(rows: Rows, ours: np.ndarray, theirs: np.ndarray, n_replicates: int = 1000) -> tuple[float, float, float]:
    """AUC of ours less that of theirs, and its interval over whole days."""
    y = rows.is_up[rows.test]
    day = np.unique(rows.day[rows.test], return_inverse=True)[1]
    n_days = int(day.max()) + 1
    random = np.random.default_rng(7)
    replicates = []
    for _ in range(n_replicates // 50):
        draws = random.multinomial(n_days, np.full(n_days, 1 / n_days), size=50)
        weights = draws[:, day].T.astype(np.float32)
        replicates.append(weighted_auc(y, ours, weights) - weighted_auc(y, theirs, weights))
    ones = np.ones((len(y), 1))
    low, high = np.percentile(np.concatenate(replicates), [2.5, 97.5])
    return float((weighted_auc(y, ours, ones) - weighted_auc(y, theirs, ones))[0]), float(low), float(high)


def selected(built: dict[str, np.ndarray], market: Market, rows: Rows, wanted: CandleSet) -> dict[str, np.ndarray]:
    """The features that the default selection keeps, fitted on the training rows."""
    params, at = read_params(ROOT), np.flatnonzero(rows.train)
    opened = market.open_time_ms[rows.bar[at]]
    keys = pd.DataFrame({"symbol": np.array(market.symbols)[rows.symbol[at]], "open_time_ms": opened})
    keys["label_end_ms"] = opened + (wanted.horizon + 1) * market.bar_ms
    x = np.stack([values[rows.symbol[at], rows.bar[at]] for values in built.values()], axis=1)
    gains = functools.partial(find_gains, seed=params.seed, threads=1)
    kept = fit_selection(
        train_rows(x, rows.is_up[at].astype(float), list(built), keys), params.select, gains, FitLedger(), "final"
    )
    return {name: built[name] for name in kept.outputs}


def measure(name: str, groups: Sequence[str], got: argparse.Namespace) -> None:
    """Print the references' and our AUC on one set, with the paired difference."""
    wanted = (SETS | MORE_SETS)[name]
    market = read_market(wanted, got.work)
    plain = plain_features(market)
    rows = label(market, plain, wanted.horizon, got.until, len(wanted.symbols))
    x = rows.take(plain)
    y, ones = rows.is_up[rows.test], np.ones((int(rows.test.sum()), 1))
    reference = fit_predict(x, rows, "reference", got.seeds)
    auc = weighted_auc(y, reference, ones)[0]
    print(f"{name}: {rows.train.sum():,} train and {rows.test.sum():,} test rows; 25 plain features AUC {auc:.4f}")
    sets = [[group] for group in groups] if got.each else [list(groups)]
    for chosen in sets:
        entries = [entry for entry in select(read_catalogue(ROOT), chosen) if entry.name not in got.exclude]
        built = build_features(market, entries, n_threads=2)
        own = rows.take(built if got.each else selected(built, market, rows, wanted))
        began = time.process_time()
        answer = fit_predict(
            np.concatenate([x, own], axis=1) if got.on_top or got.each else own, rows, got.settings, got.seeds
        )
        more, low, high = compare(rows, answer, reference)
        auc = weighted_auc(y, answer, ones)[0]
        what = "+".join(chosen) if got.each else f"{len(chosen)} groups"
        seconds = time.process_time() - began
        print(
            f"  {what} ({own.shape[1]}): AUC {auc:.4f}, {more:+.4f} [{low:+.4f}, {high:+.4f}], {seconds:.0f} s",
            flush=True,
        )


def read_rows(name: str, got: argparse.Namespace) -> tuple[Market, Rows]:
    """The market of a set, and its labelled rows."""
    wanted = (SETS | MORE_SETS)[name]
    market = read_market(wanted, got.work)
    return market, label(market, plain_features(market), wanted.horizon, got.until, len(wanted.symbols))


def take_selected(name: str, market: Market, rows: Rows, groups: Sequence[str], got: argparse.Namespace) -> np.ndarray:
    """Matrix (n_rows, n_features) of the groups' features that the default selection keeps."""
    entries = [entry for entry in select(read_catalogue(ROOT), groups) if entry.name not in got.exclude]
    built = build_features(market, entries, n_threads=2)
    return rows.take(selected(built, market, rows, (SETS | MORE_SETS)[name]))


def measure_refit(name: str, groups: Sequence[str], got: argparse.Namespace) -> None:
    """Print what models gain that are trained on all rows before the judged ones, not on the first of them alone."""
    market, rows = read_rows(name, got)
    train = np.flatnonzero(rows.train)
    early = replace(rows, train=rows.train & (rows.bar < rows.bar[train[int(len(train) * EARLY)]]))
    x = take_selected(name, market, early, groups, got)
    before, after = (fit_predict(x, each, got.settings, got.seeds) for each in (early, rows))
    more, low, high = compare(rows, after, before)
    print(
        f"{name}: {early.train.sum():,} rows, then {rows.train.sum():,}: {more:+.4f} [{low:+.4f}, {high:+.4f}]",
        flush=True,
    )


def mean_log_loss(rows: Rows, p: np.ndarray) -> float:
    """Of the test rows."""
    y = rows.is_up[rows.test]
    return float(-np.mean(np.log(np.where(y, p, 1 - p))))


def measure_path(name: str, groups: Sequence[str], got: argparse.Namespace) -> None:
    """Print what models gain that are trained towards the way to the label, not the label itself."""
    market, rows = read_rows(name, got)
    x = take_selected(name, market, rows, groups, got)
    shares = share_above(market, rows, (SETS | MORE_SETS)[name].horizon)
    end, path = (fit_predict(x, rows, got.settings, got.seeds, towards) for towards in (None, shares))
    more, low, high = compare(rows, path, end)
    losses = " ".join(f"{mean_log_loss(rows, p):.5f}" for p in (end, path))
    print(f"{name}: {more:+.4f} [{low:+.4f}, {high:+.4f}], log loss {losses}", flush=True)


def main() -> None:
    default = read_params(ROOT).features
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--sets", nargs="+", choices=[*SETS, *MORE_SETS], default=list(SETS))
    ask.add_argument("--groups", nargs="+", default=default.groups)
    ask.add_argument("--exclude", nargs="*", default=default.exclude, help="features to leave out")
    what = ask.add_mutually_exclusive_group()
    what.add_argument("--each", action="store_true", help="each group on top of the 25, one by one")
    what.add_argument("--refit", action="store_true", help="what the rows nearest to the judged ones are worth")
    what.add_argument("--path", action="store_true", help="what labels of the way to the horizon are worth")
    ask.add_argument("--on-top", action="store_true", help="add the groups to the 25 instead of replacing them")
    ask.add_argument("--settings", choices=list(TREES), default="wide")
    ask.add_argument("--seeds", type=int, default=3)
    ask.add_argument("--until", type=float, default=1.0, help="end of the rows looked at, as a share of all")
    ask.add_argument(
        "--work", type=Path, default=ROOT / ".benchmarks" / "skill", help="folder for snapshots made on the way"
    )
    got = ask.parse_args()
    got.work.mkdir(parents=True, exist_ok=True)
    for name in got.sets:
        (measure_refit if got.refit else measure_path if got.path else measure)(name, got.groups, got)


if __name__ == "__main__":
    main()
