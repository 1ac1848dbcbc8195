"""Run the whole flow on a set of candles in a clean clone and print what it reached and how long it took.

    python benchmarks/flow.py sample
    python benchmarks/flow.py binance_spot_5m_2024 binance_spot_1m_2025 --candles ../shared/data/candles

Each set gets a clone of HEAD of its own, below --work (a temporary folder by default), and a `dvc repro` from nothing.
The bounds are what a plain LightGBM on 25 simple features reaches on the same rows when trained on the same 55 %.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
SETS = {
    "sample": {"timeframe": "30m", "symbols": ["BTC/USD", "ETH/USD", "XRP/USD", "LTC/USD", "EOS/USD"], "horizon": 4},
    "binance_spot_5m_2024": {
        "timeframe": "5m",
        "symbols": [f"{base}/USDT" for base in ("BTC", "ETH", "SOL", "XRP", "LTC", "LINK")],
        "horizon": 6,
    },
    "binance_spot_1m_2025": {"timeframe": "1m", "symbols": ["BTC/USDT", "ETH/USDT"], "horizon": 1},
}
BOUNDS = {
    "sample": (0.585, 5.0),
    "binance_spot_5m_2024": (0.531, 1.5),
    "binance_spot_1m_2025": (0.540, 2.0),
}
MAX_ECE = 0.03
HEADER = """| set, horizon | AUC [95 %] | accuracy | over constant | over best rule [95 %] | ECE | verdict | s | met |
|---|---|---|---|---|---|---|---|---|"""


def clone(name: str, work: Path, candles: Path) -> Path:
    """A clone of HEAD whose parameters name the set."""
    project = work / name
    subprocess.run(["git", "clone", "-q", str(ROOT), str(project)], check=True)
    yaml, file = YAML(), project / "params.yaml"
    params = yaml.load(file.read_text())
    chosen = SETS[name]
    params["snapshot"].update({"timeframe": chosen["timeframe"], "symbols": chosen["symbols"]})
    if name != "sample":
        params["snapshot"]["source"] = "files"
        params["snapshot"]["files"]["path"] = str((candles / name).resolve())
    params["heads"]["direction"]["horizon_bars"] = chosen["horizon"]
    with file.open("w") as handle:
        yaml.dump(params, handle)
    return project


def rebuild(project: Path) -> float:
    """Wall seconds of `dvc repro` from nothing, with this interpreter's environment."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(project / "src"),
    }
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "dvc", "repro"], cwd=project, env=environment, check=True)
    return time.perf_counter() - start


def line(name: str, project: Path, seconds: float) -> str:
    """One row of the table."""
    card = json.loads((project / "reports/direction/model_card.json").read_text())
    figures, lifts = card["metrics"], card["intervals"]
    auc, constant, rule = figures["auc_roc"], lifts["lift_over_best_constant_pp"], lifts["lift_over_best_rule_pp"]
    least_auc, least_lift = BOUNDS[name]
    reached = auc >= least_auc and constant["value"] >= least_lift and figures["calibration_ece"] <= MAX_ECE
    low, high = lifts["auc_roc"]["low"], lifts["auc_roc"]["high"]
    return (
        f"| {name}, {SETS[name]['horizon']} | {auc:.4f} [{low:.3f}, {high:.3f}] (≥ {least_auc}) "
        f"| {100 * figures['accuracy']:.2f} | {constant['value']:+.2f} (≥ {least_lift:+}) "
        f"| {card['best_rule']} {rule['value']:+.2f} [{rule['low']:+.2f}, {rule['high']:+.2f}] "
        f"| {figures['calibration_ece']:.4f} (≤ {MAX_ECE}) | {card['verdict']} | {seconds:.0f} "
        f"| {'reached' if reached else 'MISSED'} |"
    )


def main() -> None:
    """Run the sets asked for."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("sets", nargs="+", choices=sorted(SETS))
    ask.add_argument("--candles", type=Path, default=ROOT.parent / "shared/data/candles")
    ask.add_argument("--work", type=Path)
    got = ask.parse_args()
    work = got.work or Path(tempfile.mkdtemp(prefix="candlelock-flow-"))
    lines = []
    for name in got.sets:
        project = clone(name, work, got.candles)
        lines.append(line(name, project, rebuild(project)))
    print(HEADER, *lines, sep="\n")


if __name__ == "__main__":
    main()
