"""The whole flow on markets of which it is known what there is to know, and on two that differ in test alone.

Each control is a project of its own in a temporary folder: the project's parameters, features and code, other candles,
hourly and fewer, and one trial per learner. Its stages run in a process of their own, as `dvc repro` runs them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather

from candlelock.artifacts import documents, tables, user_files
from candlelock.artifacts.hashing import sha256_file
from candlelock.audit.control_markets import change_future, make_martingale, shuffle_bars
from candlelock.card.build import skill_figures
from candlelock.card.evidence import read_policy
from candlelock.card.gates import asked_of, decide, judge
from candlelock.contracts import files
from candlelock.contracts.documents import BacktestReport, EvaluationReport, Threshold, utc_text
from candlelock.contracts.errors import InputError, Problem
from candlelock.contracts.head_params import DirectionParams
from candlelock.contracts.leakage_documents import BlindControl, Control, ControlsReport
from candlelock.contracts.tables import PREDICTIONS
from candlelock.features.market import align
from candlelock.split.labels import label
from candlelock.split.segments import assign

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from candlelock.contracts.head_params import HeadParams
    from candlelock.contracts.params import Params

    Frames = Mapping[str, pd.DataFrame]
    Prints = dict[str, object]

Name = Literal["martingale", "shuffled", "planted"]
NAMES: tuple[Name, ...] = ("martingale", "shuffled", "planted")
TIMEFRAME, BAR_MS = "1h", 3_600_000
SYMBOLS = ("AAA/USD", "BBB/USD", "CCC/USD", "DDD/USD", "EEE/USD")
STAGES = "snapshot,features,split,select,tune,train,calibrate,evaluate,backtest"
N_AT_ONCE = 2
TELLING = ("returns", "volume")  # groups of features that the planted edge is told by
PLAIN = {  # how the planted edge is traded, and what it is made to pay: not the project's own ways to trade
    "fee_bps": 10.0,
    "slippage_bps": 2.0,
    "maker_fee_bps": None,
    "short_p_up": None,
    "one_direction": False,
}
PLAIN_PARTS = {
    "entry": {"kind": "market"},
    "exit": {"stop_bps": None, "target_bps": None},
    "slippage": {"model": "bps"},
    "carry": {"funding_bps": 0.0, "borrow_bps": 0.0},
    "sizing": {"kind": "fixed", "max_frac": 1.0},
    "risk": {"gross_frac": 1.0, "daily_loss_frac": None, "drawdown_frac": None, "max_gap_bars": None},
}


def run_controls(
    root: Path, params: Params, candles: Frames, bar_ms: int, seed: int, progress: Callable[[int, int], None] | None
) -> ControlsReport:
    """Run every control; `candles` are the project's own, to be shuffled. `progress(n_done, n_total)`.

    Raises InputError with what a stage said when it fails.
    """
    params = ask_once(params)
    markets = {name: make_market(name, params, candles, bar_ms, seed) for name in NAMES}
    begin_ms = _test_begin(params, markets["planted"])
    flows = [*markets.items(), ("planted", change_future(markets["planted"], begin_ms, seed + 1))]
    done: list[tuple[Control, Prints]] = []
    with ThreadPoolExecutor(N_AT_ONCE) as pool:
        for job in [pool.submit(run_control, root, params, name, market) for name, market in flows]:
            done.append(job.result())
            if progress is not None:
                progress(len(done), len(flows))
    (_, one), (_, other) = done[-2:]
    differing = [name for name in one if one[name] != other.get(name)]
    head = min(params.heads)
    blind = BlindControl(test_begin_utc=utc_text(begin_ms), n_compared=len(one), differing=differing)
    return ControlsReport(seed=seed, head=head, controls=[control for control, _ in done[:-1]], blind=blind)


def ask_once(params: Params) -> Params:
    """The parameters with the one head that controls are asked, whose rows are those of all symbols.

    The first by name of those that are traded. Where none is, the first asks for the direction instead: that is what an
    edge is planted in.
    """
    traded = [name for name, head in params.heads.items() if head.is_traded]
    name = min(traded or params.heads)
    question = params.heads[name].model_copy(update={"symbols": None})
    if not traded:
        kept = question.model_dump(include={"symbols", "horizon_bars", "volatility_bars"})
        question = DirectionParams(kind="direction", dead_zone_sigmas=0.0, learns="end", **kept)
    return params.model_copy(update={"heads": {name: question}})


def make_market(name: Name, params: Params, candles: Frames, bar_ms: int, seed: int) -> dict[str, pd.DataFrame]:
    """The candles of a control; parameters as `ask_once` gives them."""
    n_bars = params.controls.n_bars
    if name == "shuffled":
        return shuffle_bars(candles, bar_ms, n_bars, BAR_MS, seed)
    horizon_bars = params.heads[min(params.heads)].horizon_bars
    return make_martingale(SYMBOLS, n_bars, BAR_MS, seed, horizon_bars if name == "planted" else None)


def run_control(root: Path, params: Params, name: Name, market: Frames) -> tuple[Control, Prints]:
    """The flow of the project below `root` on a market, judged by its gates on skill; and what it fitted, by name.

    Parameters are those of `ask_once`.
    """
    head = min(params.heads)
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        _make_project(root, project, params, head, market)
        _run(project, head, name)
        return _judge(project, head, name, params.heads[head]), _fitted(project, head)


def _judge(project: Path, head: str, name: Name, question: HeadParams) -> Control:
    own = files.HeadFiles(head)
    evaluation = documents.read(project / own.report("evaluation.json"), EvaluationReport)
    backtest = documents.read(project / own.report("backtest.json"), BacktestReport)
    threshold = documents.read(project / own.models / "threshold.json", Threshold)
    figures, policy = skill_figures(evaluation, backtest, threshold), asked_of(read_policy(), question)
    rules = [rule for rule in policy.gates if rule.figure in figures]
    gates = judge(policy.model_copy(update={"gates": rules}), figures)
    return Control(
        name=name,
        has_edge=name == "planted",
        verdict=decide(gates),
        gates_failed=[gate.name for gate in gates if gate.status != "PASS"],
        auc_roc=evaluation.metrics["auc_roc"].value,
        lift_over_best_rule_pp_low=evaluation.lift_over_best_rule_pp.low,
        sharpe=backtest.sharpe,
        n_trades=backtest.n_trades,
        n_rows=evaluation.n_rows,
    )


def _fitted(project: Path, head: str) -> Prints:
    """Everything that is fitted or chosen, and what is predicted before test: name -> hash, or values."""
    own = files.HeadFiles(head)
    paths = sorted(path for path in (project / own.models).rglob("*") if path.is_file())
    paths += [project / own.report(f"{name}.json") for name in ("selection", "study", "training")]
    predictions = tables.read(project / own.predictions, PREDICTIONS)
    before = predictions.filter(pc.not_equal(predictions["segment"], "test"))
    prints: Prints = {str(path.relative_to(project)): sha256_file(path) for path in paths}
    return prints | {f"{own.predictions}, {name}": before[name].to_pylist() for name in ("p_up_raw", "p_up")}


def _test_begin(params: Params, market: Frames) -> int:
    """Open time of the first test row."""
    rows = label(align(market, BAR_MS), params.heads[min(params.heads)], params.split.min_history_bars)
    split = assign(rows, params.split, BAR_MS)
    return int(split.loc[split["segment"] == "test", "open_time_ms"].min())


def _make_project(root: Path, project: Path, params: Params, head: str, market: Frames) -> None:
    """Parameters, features, code and candles; what is only read is linked."""
    folder = project / "data/candles"
    folder.mkdir(parents=True)
    (project / files.ORDER_BOOKS).mkdir()
    for path in (Path("stages"), files.PLUGINS, files.REGISTRY):
        (project / path).symlink_to((root / path).absolute())
    changed = params.model_dump(mode="json")
    changed["snapshot"] |= {"source": "files", "timeframe": TIMEFRAME, "symbols": list(market), "min_rows": 1}
    changed["snapshot"]["files"]["path"] = "data/candles"
    changed["features"]["groups"] = sorted({*changed["features"]["groups"], *TELLING})
    changed["tune"]["n_trials"] = 1
    changed["backtest"] |= PLAIN | {part: changed["backtest"][part] | own for part, own in PLAIN_PARTS.items()}
    changed["evaluate"]["block_hours"] = max(params.evaluate.block_hours, params.heads[head].horizon_bars)
    changed["heads"] = {head: changed["heads"][head]}
    user_files.write_params(project, changed)
    for symbol, frame in market.items():
        times = pa.array(frame["open_time_ms"]).cast(pa.timestamp("ms", tz="UTC"))
        columns = {name: pa.array(frame[name]) for name in ("open", "high", "low", "close", "volume")}
        path = folder / f"{symbol.replace('/', '_')}-{TIMEFRAME}.feather"
        pyarrow.feather.write_feather(pa.table({"date": times, **columns}), path)


def _run(project: Path, head: str, name: Name) -> None:
    command = [sys.executable, "-m", "stages", STAGES, head]
    ended = subprocess.run(command, cwd=project, capture_output=True, text=True, errors="replace", check=False)
    if ended.returncode:
        said = " ".join(ended.stderr.split())[-600:]
        help_line = "raise controls.n_bars where features look back farther; else mend what the stage names"
        raise InputError(Problem("control-failed", f"control {name}", said, "a flow that runs to its end", help_line))
