"""FreqAI beside the whole flow's calibrated ensemble, on the same test rows of four sets of candles.

    python -m benchmarks.peers                              # all four sets
    python -m benchmarks.peers --sets sample_4 minutes_1
    python -m benchmarks.peers --no-ours                    # FreqAI alone, in a few minutes of processor time
    python -m benchmarks.peers --ours FOLDER --set 'train.members=[lightgbm]' tune.n_trials=1    # ours, with less

FreqAI runs offline: freqtrade, in a virtual environment below --work that is made once, back-tests against the loopback
exchange of `candlelock exchange-sim`. It trains one LGBMClassifier for each pair, set as its documentation sets it: the
last quarter of the training candles held out, LightGBM's own trees, no calibration. Its features are those of
freqtrade's example strategy, over 10 and 20 candles on three timeframes with two shifts, of the pair and of BTC and
ETH; its label is ours, the sign of log(close[t + H] / close[t]). It learns from the candles before the test rows.

Ours is the project below --ours that `python -m benchmarks.ensemble` builds; it runs here where it is not there yet.
The test rows and the scores are those of `reference.py` and `scoring.py` of --reference.

A Markdown table for each set: AUC, log loss and ECE (15 bins of equal width) on the rows that both answer; AUC and
log loss of ours less the other's, with the interval of 1,000 paired bootstraps of whole UTC days, all symbols
together; CPU seconds of the features and of all that learns, of the set and, in parentheses, divided by its pairs.
Tables go to standard output, all else to standard error.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.ensemble import compare_losses, make_project, read_ours, run_flow, run_reference
from benchmarks.peers import freqai
from benchmarks.skill import CANDLES, ROOT, SETS, read_market
from candlelock.contracts.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

PEER = "FreqAI"
ROWS_FROM = "logistic"  # of the references the quickest; all of them answer the same rows
HEADER = (
    "| model | AUC | log loss | ECE | ours less its AUC | ours less its log loss | features, CPU s (a pair) "
    "| training, CPU s (a pair) |\n|---|---|---|---|---|---|---|---|"
)


def tell(words: str) -> None:
    """Progress, apart from the tables."""
    print(words, file=sys.stderr, flush=True)


def row(name: str, scores: dict[str, Any], differences: tuple[str, str], seconds: list[float], n_pairs: int) -> str:
    """A line of the table."""
    cells = [name, f"{scores['auc']:.4f}", f"{scores['log_loss']:.4f}", f"{scores['ece']:.4f}", *differences]
    return "| " + " | ".join([*cells, *(f"{each:.1f} ({each / n_pairs:.1f})" for each in seconds)]) + " |"


def compare(rows: pd.DataFrame, scoring: Any) -> tuple[str, str]:  # noqa: ANN401
    """Ours less the peer's, AUC and log loss, each with its interval."""
    area, loss = scoring.auc_difference(rows, "ours", PEER), compare_losses(rows, scoring, PEER)
    low, high = area["ci"]
    return f"{area['difference']:+.4f} [{low:+.4f}, {high:+.4f}]", f"{loss[0]:+.4f} [{loss[1]:+.4f}, {loss[2]:+.4f}]"


def measure(name: str, python: Path, got: argparse.Namespace, scoring: Any) -> str:  # noqa: ANN401
    """Run one set; its table."""
    wanted, n_pairs = SETS[name], len(SETS[name].symbols)
    market = read_market(wanted, got.work)
    rows, _ = run_reference(got.reference, got.work / f"{name}-{ROWS_FROM}.parquet", wanted, ROWS_FROM)
    n_asked = len(rows)
    tell(f"{name}: FreqAI")
    answer = freqai.predict(python, got.work / name, wanted, market, rows["time"].min())
    theirs = answer.rows.rename(columns={"p_up": PEER}).astype({"time": rows["time"].dtype})
    rows = rows.drop(columns="p_up").merge(theirs, on=["symbol", "time"])
    if not got.no_ours:
        tell(f"{name}: ours")
        project = got.ours / name
        ours_seconds = run_flow(project, make_project(project, wanted, got.set), stdout=sys.stderr)
        rows = rows.merge(read_ours(project).astype({"time": rows["time"].dtype}), on=["symbol", "time"])
    scores = {
        each: scoring.score(rows.assign(p_up=rows[each]), replicates=2) for each in (PEER, "ours") if each in rows
    }
    seconds = [sum(answer.seconds[phase].values()) for phase in ("features", "training")]
    differences = ("–", "–") if got.no_ours else compare(rows, scoring)
    lines = [f"### {name}: {len(rows):,} rows of {n_asked:,}\n", HEADER]
    lines += [row(f"{PEER}, {freqai.REQUIREMENT}", scores[PEER], differences, seconds, n_pairs)]
    if not got.no_ours:
        lines += [row("ours", scores["ours"], ("–", "–"), ours_seconds, n_pairs)]
    return "\n".join([*lines, ""])


def check(got: argparse.Namespace) -> None:
    """Stop where something is not there, before anything runs."""
    if not (got.reference / "scoring.py").is_file():
        raise SystemExit(f"{got.reference}: no reference.py and scoring.py there; name their folder with --reference")
    for source in {SETS[name].source for name in got.sets} - {"sample"}:
        if not (CANDLES / source).is_dir():
            raise SystemExit(f"{CANDLES / source}: no candles there; choose other sets with --sets")


def main() -> None:
    """Measure the sets, one after the other."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    ask.add_argument("--reference", type=Path, default=ROOT.parent / "shared" / "tools" / "reference")
    ask.add_argument("--ours", type=Path, default=ROOT / ".benchmarks" / "ensemble")
    ask.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="parameters of ours to change")
    ask.add_argument("--no-ours", action="store_true", help="leave ours out")
    ask.add_argument("--work", type=Path, default=ROOT / ".benchmarks" / "peers")
    got = ask.parse_args()
    check(got)
    sys.path.insert(0, str(got.reference))
    import scoring  # type: ignore[import-not-found]

    got.work = got.work.absolute()
    got.work.mkdir(parents=True, exist_ok=True)
    tell(f"{freqai.REQUIREMENT} in {got.work / 'venv'}")
    python = freqai.environment(got.work / "venv")
    for name in got.sets:
        try:
            print(measure(name, python, got, scoring), flush=True)
        except InputError as error:
            raise SystemExit(f"{name}: {error}") from error


if __name__ == "__main__":
    main()
