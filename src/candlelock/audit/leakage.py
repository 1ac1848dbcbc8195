"""The leakage report of a head: every check of the artifacts it rests on, made from what lies on disk.

Certificate and controls take their time and come from their own reports; all else is told from tables here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from candlelock.artifacts import documents, tables, user_files
from candlelock.audit.fit_values import check_fit_values
from candlelock.calibrate.ensemble import is_fitted
from candlelock.card.evidence import read_policy
from candlelock.causality.other_candles import between
from candlelock.contracts import files
from candlelock.contracts.backtest_tables import TRADE_LIST
from candlelock.contracts.documents import SEGMENTS
from candlelock.contracts.errors import InputError, Problem
from candlelock.contracts.leakage_documents import LeakageReport
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.select_documents import SelectionReport
from candlelock.contracts.tables import FITS, PREDICTIONS, with_baselines
from candlelock.evaluate.test_reads import describe_read
from candlelock.features.audit import disagreements
from candlelock.features.market import align
from candlelock.leakage.features import check_certificate, check_registry
from candlelock.leakage.fills import check_fills
from candlelock.leakage.fit_scope import check_fits
from candlelock.leakage.known_labels import check_known_labels
from candlelock.leakage.results import check_controls, check_score, check_test_reads
from candlelock.leakage.rows import LEFT_OUT, LabelledRows
from candlelock.leakage.stays import COLUMNS, Orders
from candlelock.leakage.table import AuditTable, audit_rows
from candlelock.select.transform import compile_report
from candlelock.snapshot import candles
from candlelock.split.joined import read_feature_tables, read_rows, symbol_columns
from candlelock.split.labels import label
from candlelock.split.rows import feature_matrix
from candlelock.split.segments import n_folds
from candlelock.train.learner import LEARNERS
from candlelock.train.paths import N_TESTED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from candlelock.contracts.backtest_params import BacktestParams
    from candlelock.contracts.causality_documents import CausalityReport
    from candlelock.contracts.head_params import HeadParams
    from candlelock.contracts.leakage_documents import ControlsReport, LeakCheck, TestRead
    from candlelock.contracts.params import Params
    from candlelock.contracts.select_params import SelectParams
    from candlelock.contracts.stage_params import CalibrateParams, FeaturesParams, SplitParams, TuneParams
    from candlelock.features.market import Market
    from candlelock.leakage.rows import Times


@dataclass(frozen=True)
class Given:
    """What a head was made with, and what others have found out: certificate, controls, the ledger of reads of test.

    `tune`: of the members, those with a space were searched. `backtest`: as it is for this head.
    """

    features: FeaturesParams
    split: SplitParams
    select: SelectParams
    calibrate: CalibrateParams
    members: Sequence[str]
    is_refit: bool
    tune: TuneParams
    question: HeadParams
    certificate: CausalityReport
    controls: ControlsReport
    reads: Sequence[TestRead]
    backtest: BacktestParams


STAGES = ("select", "tune", "train", "calibrate", "evaluate")  # that note the rows they hand over


def given_of(
    params: Params,
    question: HeadParams,
    certificate: CausalityReport,
    controls: ControlsReport,
    reads: Sequence[TestRead],
) -> Given:
    """What a head was made with, of all parameters."""
    return Given(
        features=params.features,
        split=params.split,
        select=params.select,
        calibrate=params.calibrate,
        members=params.train.members,
        is_refit=params.train.refit,
        tune=params.tune,
        question=question,
        certificate=certificate,
        controls=controls,
        reads=reads,
        backtest=params.backtest.of(question),
    )


def examine_head(root: Path, head: str, given: Given) -> LeakageReport:
    """Every check of a head of the project below `root`. Raises InputError for what is missing or broken."""
    own, folder = files.HeadFiles(head), root / files.SNAPSHOT
    manifest, frames = candles.read(folder)
    market = align(frames, 1000 * bar_seconds(manifest.timeframe))
    entries, built = user_files.read_registry(root, given.features), read_feature_tables(root, given.features)
    rows = read_rows(root, head)
    x, names = feature_matrix(rows, built)
    ledgers = {stage: tables.read(root / own.fits(stage), FITS) for stage in STAGES}
    selections = documents.read(root / own.report("selection.json"), SelectionReport)
    predictions = tables.read(root / own.predictions, PREDICTIONS)
    _refuse_stale(rows, ledgers, predictions)
    symbols = symbol_columns(built, given.features)
    inputs, input_names = feature_matrix(rows, built, symbols) if symbols else (x, names)
    transforms = compile_report(selections, input_names, n_folds(rows))
    embargo_ms = given.split.embargo_bars * market.bar_ms
    return LeakageReport(
        checks=[
            check_certificate(given.certificate, manifest.snapshot_id, [each.name for each in entries], market.bar_ms),
            check_registry(disagreements(built, entries, market.bar_ms), x, names),
            check_known_labels(_labels(market, given), market.open_time_ms, market.bar_ms, rows),
            *audit_rows(_table(rows, names, x), embargo_ms),
            check_fits(rows, ledgers, expected_fits(given, n_folds(rows)), embargo_ms),
            check_fit_values(transforms, rows, inputs, ledgers),
            *_results(root, head, given, rows, predictions, frames, market.bar_ms),
            check_controls(given.controls),
        ]
    )


def _refuse_stale(rows: pd.DataFrame, ledgers: Mapping[str, pa.Table], predictions: pa.Table) -> None:
    """InputError where fits or predictions are of another split than the one that lies there."""
    ends = [pc.max(pc.add(table["first_row"], table["n_rows"])).as_py() or 0 for table in ledgers.values()]
    n_later = int((rows["segment"].notna() & (rows["segment"] != "train")).sum())
    if max(ends) > len(rows) or predictions.num_rows != n_later:
        found = f"rows up to {max(ends):,} and {predictions.num_rows:,} predictions, where there are {len(rows):,} rows"
        expected, help_line = "fits and predictions of the split that lies there", "run `dvc repro`"
        raise InputError(Problem("audit-stale", "data/fits, data/predictions", found, expected, help_line))


def _labels(market: Market, given: Given) -> Callable[[int], pd.DataFrame]:
    """Labels of the market's first so many bars."""
    return lambda n_bars: label(between(market, 0, n_bars), given.question, given.split.min_history_bars)


def _results(
    root: Path,
    head: str,
    given: Given,
    rows: pd.DataFrame,
    predictions: pa.Table,
    frames: Mapping[str, pd.DataFrame],
    bar_ms: int,
) -> list[LeakCheck]:
    """What the ledger of reads, the trades and the score on test say."""
    own, policy = files.HeadFiles(head), read_policy()
    test = _judged(predictions, rows[(rows["segment"] == "test") & rows["is_up"].notna()])
    is_up, p_up = test["is_up"].to_numpy(), test["p_up"].to_numpy()
    trades, horizon_bars = tables.read(root / own.report("trades.parquet"), TRADE_LIST), given.question.horizon_bars
    longs, shorts = _signals(predictions, bar_ms, given.backtest)
    return [
        check_test_reads(given.reads, describe_read(test), policy),
        check_fills(
            *(_in_ms(trades), longs, _traded(frames, predictions, horizon_bars, bar_ms), bar_ms),
            shorts=shorts,
            orders=Orders.of(given.backtest, horizon_bars),
        ),
        check_score(is_up, p_up, horizon_bars if given.question.is_traded else None, policy),
    ]


def _table(rows: pd.DataFrame, names: Sequence[str], x: np.ndarray) -> AuditTable:
    """The split and its features as any training table; its parts are the segments."""
    symbols, symbol = np.unique(rows["symbol"].to_numpy(dtype=str), return_inverse=True)
    place = {name: number for number, name in enumerate(SEGMENTS)}
    part = [place.get(name, LEFT_OUT) for name in rows["segment"].to_numpy(dtype=object)]
    labelled = LabelledRows(
        symbols=tuple(symbols.tolist()),
        symbol=symbol,
        decision_ms=rows["decision_time_ms"].to_numpy(),
        label_end_ms=rows["label_end_ms"].to_numpy(),
        is_known=rows["is_up"].notna().to_numpy(),
        parts=SEGMENTS,
        part=np.asarray(part),
    )
    return AuditTable(labelled, rows["is_up"].to_numpy(), tuple(names), np.asfortranarray(x))


def expected_fits(given: Given, folds: int) -> list[str]:
    """Every fit that the flow makes with these parameters, as `stage/fit`."""
    parts = [*(f"fold {number}" for number in range(1, folds + 1)), "final"]
    steps = [*given.select.steps, *(["scaling"] if given.select.scaling != "none" else [])]
    names = [f"select/{part}{step}" for part in parts for step in ("", *(f"/{step}" for step in steps))]
    for name, space in given.tune.spaces(given.members).items():
        endings = ("", "/screen") if given.tune.screens(space) else ("",)
        names += [f"tune/{name}/{part}{ending}" for part in parts[:-1] for ending in endings]
        n_splits = comb(given.tune.n_path_groups or 0, N_TESTED) if given.tune.walks_paths(space) else 0
        names += [f"tune/{name}/path split {number}" for number in range(1, n_splits + 1)]
    for name in with_baselines(given.members):
        endings = ("", "/rounds") if LEARNERS[name].rounds_key else ("",)
        names += [f"train/{name}/{part}{ending}" for part in parts for ending in endings]
        names += [f"train/{name}/refit"] if given.is_refit else []
        names.append(f"train/{name}/importance")
    calibrated = ("ensemble", "calibrator", "conformal", "threshold")
    stack = ["calibrate/stack"] if is_fitted(given.calibrate.ensemble, given.calibrate.weights) else []
    return [*names, *stack, *(f"calibrate/{name}" for name in calibrated), "evaluate/evaluation"]


def _judged(predictions: pa.Table, test: pd.DataFrame) -> pd.DataFrame:
    """Test rows with their probability and signal."""
    frame = predictions.select(["symbol", "p_up", "has_signal"]).to_pandas()
    frame["open_time_ms"] = predictions["open_time_utc"].cast("int64").to_numpy()
    return test.merge(frame, on=["symbol", "open_time_ms"], validate="one_to_one")


def _in_ms(trades: pa.Table) -> pd.DataFrame:
    """Symbol, side, kinds of entry and exit, prices and times in milliseconds of each trade."""
    frame: pd.DataFrame = trades.select(["symbol", "entry_price", "exit_price", *COLUMNS]).to_pandas()
    for name in ("entry", "exit"):
        frame[f"{name}_ms"] = trades[f"{name}_time_utc"].cast("int64").to_numpy()
    return frame


def _signals(predictions: pa.Table, bar_ms: int, backtest: BacktestParams) -> tuple[dict[str, Times], dict[str, Times]]:
    """Symbol -> decision times of its signals on test, rising: to buy, and to sell short."""
    test = predictions.filter(pc.equal(predictions["segment"], "test"))
    is_long = test["has_signal"].to_numpy()
    is_short = np.zeros(len(is_long), dtype=np.bool_)
    if backtest.short_p_up is not None:
        is_short = ~is_long & (test["p_up"].to_numpy() <= backtest.short_p_up)
    if backtest.one_direction:
        up, down = (test[name].fill_null(False).to_numpy() for name in ("may_be_up", "may_be_down"))
        is_long, is_short = is_long & up & ~down, is_short & down & ~up
    decision_ms = test["open_time_utc"].cast("int64").to_numpy() + bar_ms
    told = pd.DataFrame({"symbol": test["symbol"].to_numpy(), "decision_ms": decision_ms})
    longs, shorts = (
        {str(name): own["decision_ms"].to_numpy() for name, own in told[chosen].groupby("symbol")}
        for chosen in (is_long, is_short)
    )
    return longs, shorts


def _traded(
    frames: Mapping[str, pd.DataFrame], predictions: pa.Table, horizon_bars: int, bar_ms: int
) -> dict[str, pd.DataFrame]:
    """The candles that the back-test goes over: from the first test row to a horizon after the last."""
    test = predictions.filter(pc.equal(predictions["segment"], "test"))
    ends = pc.min_max(test["open_time_utc"].cast("int64")).as_py()
    if ends["min"] is None:
        return dict(frames)
    first, last = ends["min"], ends["max"] + horizon_bars * bar_ms
    return {name: frame[frame["open_time_ms"].between(first, last)] for name, frame in frames.items()}
