"""Rebuild the sample twice from nothing, in two folders, and compare every hash.

    python benchmarks/rebuild.py

The second rebuild runs on one core, with another hash seed, time zone, locale and thread count in its environment.
Every stage is forced, the latency measured anew; hashes of the latency and of what quotes it are left out, card
digests are not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
OTHER = {
    "PYTHONHASHSEED": "4711",
    "TZ": "Asia/Kathmandu",
    "LC_ALL": "C",
    "OMP_NUM_THREADS": "7",
    "OPENBLAS_NUM_THREADS": "3",
    "MKL_NUM_THREADS": "3",
}
MEASURED = ("latency.json", "model_card.json", "model_card.md", "model_card.html")


def rebuild(folder: Path, extra: dict[str, str], prefix: list[str]) -> dict[str, str]:
    """Clone HEAD into `folder`, force every stage; output path -> hash, and the digest of each card."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(folder / "src")} | extra
    command = [*prefix, sys.executable, "-m", "dvc", "repro", "--force"]
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    stages = YAML(typ="safe").load((folder / "dvc.lock").read_text())["stages"]
    outs = [out for stage in stages.values() for out in stage["outs"]]
    hashes = {out["path"]: out["md5"] for out in outs if not out["path"].endswith(MEASURED)}
    cards = {str(card.relative_to(folder)): card for card in folder.glob("reports/*/model_card.json")}
    return hashes | {f"{name} digest": json.loads(card.read_text())["digest"] for name, card in cards.items()}


def main() -> None:
    """Rebuild twice and say what differs; exit code 1 if anything does."""
    work = Path(tempfile.mkdtemp(prefix="candlelock-rebuild-"))
    first = rebuild(work / "one", {}, [])
    second = rebuild(work / "elsewhere" / "two", OTHER, ["taskset", "-c", "0"])
    differing = sorted(name for name in first | second if first.get(name) != second.get(name))
    for name in sorted(first):
        print(f"{'DIFFERS' if name in differing else 'same   '}  {first[name][:16]}  {name}")
    print(f"{len(first) - len(differing)} of {len(first)} hashes the same")
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
