"""FreqAI and qlib's Alpha158 beside the whole flow's ensemble, on the same test rows of four sets of candles.

    python -m benchmarks.peers                              # all four sets, both peers
    python -m benchmarks.peers --sets sample_4 minutes_1 --peers qlib
    python -m benchmarks.peers --no-ours                    # the peers alone, in some minutes of processor time
    python -m benchmarks.peers --ours FOLDER --set 'train.members=[lightgbm]' tune.n_trials=1    # ours, with less

Each peer is installed in a virtual environment of its own below --work that is made once.

FreqAI runs offline: freqtrade back-tests against the loopback exchange of `candlelock exchange-sim`. It trains one
LGBMClassifier for each pair, set as its documentation sets it: the last quarter of the training candles held out,
LightGBM's own trees, no calibration. Its features are those of freqtrade's example strategy, over 10 and 20 candles on
three timeframes with two shifts, of the pair and of BTC and ETH; its label is ours, the sign of
log(close[t + H] / close[t]). It learns from the candles before the test rows.

qlib computes the features of its Alpha158 handler, less VWAP0, from candles in its own binary layout. One LightGBM of
all symbols learns from them, with the rows, labels and trees of `reference.py`, not with qlib's settings for daily
returns of shares; `alpha158.py` says more.

Ours is the project below --ours that `python -m benchmarks.ensemble` builds; it runs here where it is not there yet.
The test rows and the scores are those of `reference.py` and `scoring.py` of --reference.

A Markdown table for each set: AUC, log loss and ECE (15 bins of equal width) on the rows that all of them answer; AUC
and log loss of ours less the other's, with the interval of 1,000 paired bootstraps of whole UTC days, all symbols
together; CPU seconds of the features and of all that learns, of the set and, in parentheses, divided by its pairs; and
below it those of training what ours serves once, without the search, the folds and what tells when to stop.
Tables go to standard output, all else to standard error; a peer's rows are kept in --work/PEER/SET.parquet.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.ensemble import HEAD, compare_losses, make_project, read_ours, run_flow, run_reference
from benchmarks.peers import alpha158, freqai
from benchmarks.peers.peer import environment
from benchmarks.peers.served_fits import fit_seconds
from benchmarks.skill import CANDLES, ROOT, SETS, read_market
from candlelock.contracts.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from benchmarks.peers.peer import Answer
    from candlelock.features.market import Market

PEERS: dict[str, Any] = {"freqai": freqai, "qlib": alpha158}  # modules with NAME, REQUIREMENT and predict
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


def compare(rows: pd.DataFrame, scoring: Any, peer: str) -> tuple[str, str]:  # noqa: ANN401
    """Ours less the peer's, AUC and log loss, each with its interval; dashes where ours is left out."""
    if "ours" not in rows:
        return "–", "–"
    area, loss = scoring.auc_difference(rows, "ours", peer), compare_losses(rows, scoring, peer)
    low, high = area["ci"]
    return f"{area['difference']:+.4f} [{low:+.4f}, {high:+.4f}]", f"{loss[0]:+.4f} [{loss[1]:+.4f}, {loss[2]:+.4f}]"


def ask_peer(peer: str, python: Path, name: str, market: Market, cut: pd.Timestamp, work: Path) -> Answer:
    """Run a peer on one set; its rows are kept beside its folder."""
    tell(f"{name}: {PEERS[peer].NAME}")
    answer: Answer = PEERS[peer].predict(python, work / peer / name, SETS[name], market, cut)
    answer.rows.to_parquet(work / peer / f"{name}.parquet", index=False)
    return answer


def measure(name: str, pythons: dict[str, Path], got: argparse.Namespace, scoring: Any) -> str:  # noqa: ANN401
    """Run one set; its table."""
    wanted = SETS[name]
    market = read_market(wanted, got.work)
    rows, _ = run_reference(got.reference, got.work / f"{name}-{ROWS_FROM}.parquet", wanted, ROWS_FROM)
    n_asked, cut, times = len(rows), rows["time"].min(), {"time": rows["time"].dtype}
    rows, seconds = rows.drop(columns="p_up"), {}
    for peer, python in pythons.items():
        answer = ask_peer(peer, python, name, market, cut, got.work)
        rows = rows.merge(answer.rows.rename(columns={"p_up": peer}).astype(times), on=["symbol", "time"])
        seconds[peer] = answer.seconds
    if not got.no_ours:
        tell(f"{name}: ours")
        project = got.ours / name
        seconds["ours"] = run_flow(project, make_project(project, wanted, got.set), stdout=sys.stderr)
        rows = rows.merge(read_ours(project).astype(times), on=["symbol", "time"])
    lines = [f"### {name}: {len(rows):,} rows of {n_asked:,}\n", HEADER]
    for model, spent in seconds.items():
        title = "ours" if model == "ours" else f"{PEERS[model].NAME}, {PEERS[model].REQUIREMENT}"
        differences = ("–", "–") if model == "ours" else compare(rows, scoring, model)
        scores = scoring.score(rows.assign(p_up=rows[model]), replicates=2)
        lines.append(row(title, scores, differences, spent, len(wanted.symbols)))
    if not got.no_ours:
        again = fit_seconds(got.ours / name, HEAD)
        lines.append(f"\nOf ours, what it serves trained once: {again:.1f} ({again / len(wanted.symbols):.1f}) CPU s.")
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
    ask.add_argument("--peers", nargs="+", choices=list(PEERS), default=list(PEERS))
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
    pythons = {}
    for peer in dict.fromkeys(got.peers):
        tell(f"{PEERS[peer].REQUIREMENT} in {got.work / peer / 'venv'}")
        pythons[peer] = environment(got.work / peer / "venv", PEERS[peer].REQUIREMENT)
    for name in got.sets:
        try:
            print(measure(name, pythons, got, scoring), flush=True)
        except InputError as error:
            raise SystemExit(f"{name}: {error}") from error


if __name__ == "__main__":
    main()
