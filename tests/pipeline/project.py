"""A small project in a folder of its own, built by the real dvc from this tree's files, on planted candles."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
SYMBOLS = ("AAA/USD", "BBB/USD", "CCC/USD")
QUICK: dict[str, Any] = {
    "snapshot": {"source": "files", "timeframe": "1h", "symbols": list(SYMBOLS)},
    "features": {"groups": ["returns", "momentum", "volatility", "volume"], "exclude": []},
    "causality": {
        "n_cuts": 6,
        "n_futures": 2,
        "n_replay_rows": 50,
        "min_replay_rows": 20,
        "n_gap_rows": 10,
        "n_live_bars": 50,
        "n_unfinished_bars": 10,
    },
    "controls": {"n_bars": 3000},
    "tune": {"n_trials": 2},
    "evaluate": {"n_bootstrap": 100},
    "bench": {"n_rows": 100, "n_warmup_rows": 10},
}
QUICK_LEARNERS = {
    "lightgbm": {"max_rounds": 40, "patience_rounds": 10},
    "xgboost": {"max_rounds": 40, "patience_rounds": 10},
    "mlp": {"max_epochs": 2},
}


@dataclass(frozen=True)
class Project:
    """A git and DVC project below `root`."""

    root: Path

    def run(self, *command: str, expect: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run a command in the project; its exit code has to be `expect` unless that is None."""
        answer = subprocess.run(
            command, cwd=self.root, env=environment(self.root), capture_output=True, text=True, check=False
        )
        if expect is not None and answer.returncode != expect:
            raise AssertionError(f"{command} gave {answer.returncode}:\n{answer.stdout}\n{answer.stderr}")
        return answer

    def dvc(self, *arguments: str, expect: int | None = 0) -> str:
        """Run dvc; its standard output."""
        return self.run(sys.executable, "-m", "dvc", *arguments, expect=expect).stdout

    def git(self, *arguments: str) -> str:
        """Run git; its standard output, trimmed."""
        return self.run("git", *arguments).stdout.strip()

    def commit(self, message: str) -> str:
        """Commit everything; the revision."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def lock(self) -> dict[str, str]:
        """Output path -> hash, as dvc.lock has it."""
        stages = YAML(typ="safe").load((self.root / "dvc.lock").read_text())["stages"]
        return {out["path"]: out["md5"] for stage in stages.values() for out in stage["outs"]}


def environment(root: Path) -> dict[str, str]:
    """This process's environment, with this interpreter first and the project's own code."""
    identity = {
        f"GIT_{who}_{what}": "tester@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | identity | {"PATH": path, "PYTHONPATH": str(root / "src"), "GIT_CONFIG_GLOBAL": os.devnull}


def create(root: Path) -> Project:
    """Copy this tree's files into `root`, make the run quick, plant candles, commit. Nothing is built yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        source = ROOT / name
        if source.is_file() and not name.startswith(("tests/", "docs/", "reports/", "ledger/")) and name != "dvc.lock":
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, root / name)
    change_params(root, QUICK | {"train": QUICK_LEARNERS})
    for number, symbol in enumerate(SYMBOLS):
        write_candles(root, symbol, seed=number)
    project = Project(root)
    project.git("init", "--quiet", "--initial-branch", "main")
    project.commit("Start")
    return project


def change_params(root: Path, changes: dict[str, Any]) -> None:
    """Set keys of params.yaml; nested mappings are merged."""
    yaml, file = YAML(), root / "params.yaml"
    params = yaml.load(file.read_text())
    _merge(params, changes)
    with file.open("w") as handle:
        yaml.dump(params, handle)


def _merge(into: Any, changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, dict) and key in into:
            _merge(into[key], value)
        else:
            into[key] = value


def write_candles(root: Path, symbol: str, seed: int, n_bars: int = 2400) -> Path:
    """Hourly candles as CSV whose moves lean against the last one: an edge that a model can find."""
    random = np.random.default_rng(seed)
    moves = random.normal(0, 0.01, n_bars)
    for bar in range(1, n_bars):
        moves[bar] -= 0.5 * moves[bar - 1]
    close = np.round(100 * np.exp(np.cumsum(moves)), 2)
    opened = np.concatenate([[100.0], close[:-1]]) + random.normal(0, 0.05, n_bars).round(2)
    above, below = np.abs(random.normal(0, 0.2, (2, n_bars))).round(2)
    frame = pd.DataFrame(
        {
            "date": pd.date_range("2024-01-01", periods=n_bars, freq="h", tz="UTC").strftime("%Y-%m-%d %H:%M:%S"),
            "open": opened,
            "high": np.maximum(opened, close) + above,
            "low": np.minimum(opened, close) - below,
            "close": close,
            "volume": random.lognormal(3, 1, n_bars).round(3),
        }
    )
    path = root / "data/candles" / f"{symbol.replace('/', '-')}-1h.csv"
    frame.round(3).to_csv(path, index=False)
    return path
