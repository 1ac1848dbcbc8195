"""Small projects for the changed flows, which run in a process of their own: the stages read the working directory."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.feather

from benchmarks.leakzoo.fill_plants import frames_of
from benchmarks.leakzoo.specimen import Area, Specimen
from candlelock.artifacts import user_files, yaml_document
from candlelock.audit import controls
from candlelock.audit.control_markets import make_martingale
from candlelock.contracts import files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from benchmarks.leakzoo.flow_mutations import Mutation
    from candlelock.features.market import Market

ROOT = Path(__file__).resolve().parent.parent.parent
HEAD = "direction"
TREES = {"max_rounds": 25, "patience_rounds": 8}
QUICK: dict[str, Any] = {
    "features": {"groups": ["returns", "volume"], "exclude": [], "plugins": [], "symbol_columns": False},
    "snapshot": {"source": "files", "timeframe": "1h", "min_rows": 1, "files": {"path": "data/candles"}},
    "split": {"n_folds": 2},
    "select": {"steps": ["sparse", "correlation"], "max_rows": 2000},
    "tune": {"n_trials": 2},
    "train": {
        "lightgbm": {**TREES, "min_data_in_leaf": 200},
        "xgboost": {**TREES, "min_child_weight": 20.0},
        "mlp": {"max_epochs": 2},
    },
    "calibrate": {"methods": ["platt", "isotonic"], "min_trades": 10},
    "evaluate": {"n_bootstrap": 100},
    "heads": {HEAD: {"kind": "direction", "horizon_bars": 4}},
}
N_PLANTED = 3, 2400  # symbols and bars of the market with a planted edge


def make_project(project: Path, frames: Mapping[str, pd.DataFrame]) -> None:
    """Candles and quick parameters; code, registry and plug-ins are linked."""
    folder = project / "data/candles"
    folder.mkdir(parents=True)
    (project / files.ORDER_BOOKS).mkdir()
    for path in (files.PLUGINS, files.REGISTRY):
        (project / path).symlink_to(ROOT / path)
    symbols = {name: name if "/" in name else f"{name}/USD" for name in frames}
    params = merged(yaml_document.read(ROOT / files.PARAMS).values, QUICK)
    user_files.write_params(project, merged(params, {"snapshot": {"symbols": list(symbols.values())}}))
    for name, frame in frames.items():
        times = pa.array(frame["open_time_ms"]).cast(pa.timestamp("ms", tz="UTC"))
        columns = {each: pa.array(frame[each]) for each in ("open", "high", "low", "close", "volume")}
        path = folder / f"{symbols[name].replace('/', '_')}-1h.feather"
        pyarrow.feather.write_feather(pa.table({"date": times, **columns}), path)


def merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the changes in place, mappings merged key by key."""
    both = {
        key: merged(values[key], change) if isinstance(change, dict) and isinstance(values.get(key), dict) else change
        for key, change in changes.items()
    }
    return {**values, **both}


def printed(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Prices of nine digits, as an exchange prints them."""
    out = {}
    for name, frame in frames.items():
        prices = ["open", "high", "low", "close"]
        digits = 8 - int(np.floor(np.log10(frame["low"].min())))
        rounded = {each: frame[each].round(digits) for each in prices}
        out[name] = frame.assign(**rounded, volume=frame["volume"].round(6))
    return out


def examine_flows(
    mutations: Sequence[Mutation], market: Market, seed: int, only: Sequence[str] | None = None
) -> dict[str, set[str]]:
    """Name -> codes that the audit finds of each changed flow; of `only` these, all if None."""
    names = [each.name for each in mutations if only is None or each.name in only]
    seed += int(market.open_time_ms[0]) // market.bar_ms  # another edge beside each market
    (n_symbols, n_bars), horizon_bars = N_PLANTED, QUICK["heads"][HEAD]["horizon_bars"]
    with tempfile.TemporaryDirectory() as folder:
        make_project(Path(folder) / "one", printed(frames_of(market)))
        planted = make_martingale(controls.SYMBOLS[:n_symbols], n_bars, controls.BAR_MS, seed, horizon_bars)
        make_project(Path(folder) / "planted", planted)
        (Path(folder) / "asked.json").write_text(json.dumps({"names": names, "seed": seed}))
        command = [sys.executable, "-m", "benchmarks.leakzoo.flow_child", folder]
        environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
        ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise RuntimeError(f"the changed flows ended with {ended.returncode}:\n{ended.stderr[-4000:]}")
        found = json.loads((Path(folder) / "found.json").read_text())
    return {name: set(codes) for name, codes in found.items()}


def area_of(name: str, mutations: Sequence[Mutation]) -> Area:
    specimens = tuple(
        Specimen(each.name, name, bool(each.codes), each.is_core, each.codes, each.what) for each in mutations
    )
    return Area(name, specimens, functools.partial(examine_flows, mutations))
