"""Whether another CPU, other cores, folder, locale, time zone and hash seed give the same bytes.

    python benchmarks/envelope.py --qemu qemu-x86_64-static     # from Debian's package qemu-user-static
    python benchmarks/envelope.py --bars 4000 --groups returns momentum volatility volume trend

The flow from candles to the back-test runs on a small market with a planted edge, every learner a member, in folders of
their own: as it is; on one core, with another hash seed, time zone, locale and thread counts; and on another CPU, all
of whose instructions are emulated (`-cpu`, Haswell unless told: no AVX-512, which current machines have and NumPy, BLAS
and torch would use). To compile numba's kernels takes an emulated CPU long, so that a run without emulation compiles
them for that CPU before; numba's cache has those of each CPU apart. Every file that the flow writes is compared.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from candlelock.artifacts import user_files
from candlelock.artifacts.hashing import sha256_file
from candlelock.audit.control_markets import make_martingale
from candlelock.audit.controls import BAR_MS, SYMBOLS, _make_project
from candlelock.contracts import files
from candlelock.contracts.params import Params

ROOT = Path(__file__).resolve().parent.parent
HEAD = "direction"
STAGES = ("snapshot,features,split", "select,tune,train,calibrate,evaluate,backtest")
OTHER = {
    "PYTHONHASHSEED": "4711", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "OMP_NUM_THREADS": "7",
    "OPENBLAS_NUM_THREADS": "3", "MKL_NUM_THREADS": "3",
}  # fmt: skip
MEMBERS = ["lightgbm", "xgboost", "mlp", "random_forest", "hist_gradient_boosting", "svm"]
SMALL = {
    "lightgbm": {"max_rounds": 40}, "xgboost": {"max_rounds": 40}, "mlp": {"max_epochs": 3},
    "random_forest": {"n_estimators": 20}, "hist_gradient_boosting": {"max_rounds": 40}, "svm": {"n_landmarks": 64},
}  # fmt: skip


START = """
from candlelock.artifacts import numeric_environment
numeric_environment.lock()
import runpy, lightgbm, sklearn.ensemble, torch, xgboost  # qemu breaks down where a thread loads them
runpy.run_module("stages", run_name="__main__")
"""


def make_project(folder: Path, n_bars: int, groups: list[str], members: list[str]) -> None:
    """The project's parameters with small learners, on a market with a planted edge."""
    changed = user_files.read_params(ROOT).model_dump(mode="json")
    changed["features"] |= {"groups": groups, "exclude": []}
    changed["train"]["members"] = members
    for name, settings in SMALL.items():
        changed["train"][name] |= settings
    params = Params.model_validate(changed)
    horizon = params.heads[HEAD].horizon_bars
    _make_project(ROOT, folder, params, HEAD, make_martingale(SYMBOLS, n_bars, BAR_MS, params.seed, horizon))


def run_flow(folder: Path, prefix: list[str], extra: dict[str, str]) -> tuple[dict[str, str], float]:
    """Path -> hash of every file that the flow writes; seconds it took."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")} | extra
    began = time.monotonic()
    for stages in STAGES:
        head = [HEAD] if stages.startswith("select") else []
        subprocess.run(
            [*prefix, sys.executable, "-c", START, stages, *head],
            cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    paths = [path for name in ("data", "models", "reports") for path in (folder / name).rglob("*") if path.is_file()]
    made = [path for path in sorted(paths) if files.ORDER_BOOKS.name not in path.parts and "candles" not in path.parts]
    return {str(path.relative_to(folder)): sha256_file(path) for path in made}, time.monotonic() - began


def kernels_for(emulator: list[str]) -> dict[str, str]:
    """Variables that make numba compile for the CPU which it finds under the emulator."""
    ask = "from numba.core import codegen; import llvmlite.binding as llvm; "
    ask += "print(llvm.get_host_cpu_name(), codegen.get_host_cpu_features())"
    command = [*emulator, sys.executable, "-c", ask]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return dict(zip(("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"), told, strict=True))


def main() -> None:
    """Run each, and print which files differ."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--qemu", help="qemu-x86_64-static; without it no other CPU is tried")
    ask.add_argument("--cpu", default="Haswell", help="that qemu emulates")
    ask.add_argument("--bars", type=int, default=2400, help="hourly candles of each of five symbols")
    ask.add_argument("--groups", nargs="+", default=["returns", "momentum", "volatility", "volume"])
    ask.add_argument("--members", nargs="+", default=MEMBERS)
    got = ask.parse_args()
    one_core = ["taskset", "-c", "0"] if shutil.which("taskset") else []
    runs: dict[str, tuple[list[str], dict[str, str]]] = {
        "as it is": ([], {}),
        "one core, other hash seed, time zone, locale, threads": (one_core, OTHER),
    }
    if got.qemu:
        emulator = [*one_core, got.qemu, "-cpu", got.cpu]
        runs[f"kernels for {got.cpu}"] = ([], kernels_for(emulator))
        runs[f"emulated {got.cpu}"] = (emulator, {})
    first: dict[str, str] | None = None
    n_different = 0
    for name, (prefix, extra) in runs.items():
        with tempfile.TemporaryDirectory() as folder:
            make_project(Path(folder), got.bars, got.groups, got.members)
            found, seconds = run_flow(Path(folder), prefix, extra)
        first = first or found
        different = sorted(path for path in first.keys() | found.keys() if first.get(path) != found.get(path))
        n_different += len(different)
        print(
            f"{name}: {len(found)} files, {len(different)} differ, {seconds:.0f} s", *different, sep="\n  ", flush=True
        )
    sys.exit(min(n_different, 1))


if __name__ == "__main__":
    main()
