"""Every kind of fault of the loopback exchange, struck at random over whole snapshots, with a count of what went wrong.

    python benchmarks/exchange_faults.py [--kinds a,b] [--seeds 20] [--processes 2] [--write docs/exchange.md]

Two symbols of 3,000 minutes with holes, so a run is some sixteen requests. For each kind and seed a run in which each
request is struck with probability 0.2 has to end with the fault-free bytes, or refused with nothing published; after a
refusal the same again without the fault has to give the fault-free bytes. Then, for what the user sees, a run in which
the fault passes (the second and third request it can strike) and one in which it stays (every answer with candles). A
run that takes longer than 60 seconds is a hang. Prints JSON; exit code 1 after any silent loss, wrong row, crash or
hang.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

if TYPE_CHECKING:
    from candlelock.contracts.stage_params import SnapshotParams
    from candlelock.simulator.running import Simulator

N_BARS = 3_000
SHARE, DEADLINE_S = 0.2, 60.0
ARGUMENTS = {"refused": 0.05}
TWO_READINGS = {"changed_row"}
BEGIN, END = "<!-- faults: written by benchmarks/exchange_faults.py -->\n", "<!-- end of faults -->\n"
WRONG = ("n_lost", "n_wrong", "n_half", "n_crashed", "n_hung", "n_not_recovered")
MAX_TEXT = 150


def attempt(params: SnapshotParams, folder: Path) -> tuple[str, str, float]:
    """`complete`, an error's code, `crash` or `hang`; what the user reads; and the seconds it took."""
    from candlelock.contracts.errors import CandlelockError
    from tests.exchange_runs import take

    ends: list[tuple[str, str]] = []

    def run() -> None:
        try:
            take(params, folder)
            ends.append(("complete", ""))
        except CandlelockError as error:
            ends.append((error.problems[0].code, error.problems[0].found))
        except BaseException as error:
            ends.append(("crash", f"{type(error).__name__}: {error}"))

    started = time.monotonic()
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(DEADLINE_S)
    return *(ends[0] if ends else ("hang", "")), time.monotonic() - started


def judge(end: str, folder: Path, sound: Path) -> str:
    """What a run counts as: `n_complete`, `n_refused`, or one of WRONG."""
    from tests.exchange_runs import content

    published = content(folder)
    if end in ("crash", "hang"):
        return "n_crashed" if end == "crash" else "n_hung"
    if end != "complete":
        return "n_half" if published else "n_refused"
    if published == content(sound):
        return "n_complete"
    names = [name for name in content(sound) if name.endswith(".parquet")]
    if set(published) != set(content(sound)):
        return "n_half"
    times = [[pq.read_table(each / "out" / name)["open_time_utc"] for name in names] for each in (folder, sound)]
    return "n_wrong" if times[0] == times[1] else "n_lost"


def strike(sim: Simulator, kind: str, seed: int, sound: Path) -> Counter[str]:
    """One run with each request struck by chance."""
    from tests.exchange_runs import content

    params = make_params(sim, kind)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        n_before = len(sim.requests)
        sim.set_faults([{"kind": kind, "share": SHARE, "seed": seed, "argument": ARGUMENTS.get(kind)}])
        end, _, seconds = attempt(params, folder)
        sim.set_faults([])
        n_struck = sum(request["fault"] is not None for request in sim.requests[n_before:])
        found = Counter({judge(end, folder, sound): 1, "n_runs": 1, "n_requests_struck": n_struck})
        found["slowest_ms"] = int(seconds * 1_000)
        if end != "complete":
            again, _, _ = attempt(params, folder)
            found["n_not_recovered"] += again != "complete" or content(folder) != content(sound)
    return found


def see(sim: Simulator, kind: str, sound: Path, rule: dict[str, Any]) -> tuple[str, str]:
    """What the user sees of a fault that strikes by this rule."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        sim.set_faults([{"kind": kind, "argument": ARGUMENTS.get(kind)} | rule])
        end, said, _ = attempt(make_params(sim, kind), Path(name))
        sim.set_faults([])
        verdict = judge(end, Path(name), sound)
    if verdict in WRONG:
        return verdict, said
    return ("", "") if end == "complete" else (end, said.replace(sim.base_url, "http://…"))


def make_params(sim: Simulator, kind: str) -> SnapshotParams:
    """A range that is the same whatever the exchange's clock says."""
    from tests import exchange_runs

    asked = {"start": "2024-01-01T00:00Z", "end": "2024-01-03T02:00Z"}
    return exchange_runs.make_params(sim, **asked, n_readings=2 if kind in TWO_READINGS else 1)


def try_kind(task: tuple[str, int]) -> dict[str, Any]:
    """All seeds of a kind, and what the user sees of it."""
    from candlelock.simulator.fault_kinds import KINDS
    from candlelock.simulator.running import running
    from tests.exchange_runs import START_MS, make_market, take

    kind, n_seeds = task
    markets = [make_market("BTC/USDT", 1, N_BARS, [range(700, 703)])]
    markets += [make_market("ETH/USDT", 2, N_BARS, [range(1300, 1320), range(2990, 3000)])]
    with tempfile.TemporaryDirectory() as name, running("binance", markets, weight_limit=10**9) as sim:
        sim.set_clock(START_MS + N_BARS * 60_000)
        sound = Path(name)
        take(make_params(sim, kind), sound)
        counts = Counter(dict.fromkeys(("n_complete", "n_refused", *WRONG), 0))
        slowest_ms = 0
        for seed in range(n_seeds):
            found = strike(sim, kind, seed, sound)
            slowest_ms = max(slowest_ms, found.pop("slowest_ms", 0))
            counts += found
        symbol = "BTC/USDT" if KINDS[kind].layer == "rows" else None
        endpoint = None if KINDS[kind].layer == "exchange" else "klines"
        passing = see(sim, kind, sound, {"first": 2, "times": 2})
        staying = see(sim, kind, sound, {"symbol": symbol, "endpoint": endpoint})
    totals = {key: counts[key] for key in ("n_runs", "n_requests_struck", "n_complete", "n_refused", *WRONG)}
    seen = {"passing": passing, "staying": staying}
    return {"kind": kind, **totals, "slowest_s": slowest_ms / 1_000, **seen}


def shown(text: str) -> str:
    """A text as a cell of a table."""
    text = re.sub(r"\s+", " ", text).replace("|", "¦").replace("<", "‹").replace(">", "›").replace("`", "'")
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def cell(seen: tuple[str, str], otherwise: str) -> str:
    """What the user sees, or that there is nothing to see."""
    return f"`{seen[0]}`: {shown(seen[1])}" if seen[0] else otherwise


def write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    """Replace the block between the markers by the table."""
    from candlelock.simulator.fault_kinds import KINDS

    lines = ["| kind | what the server does | when it passes | when it stays | struck | complete | refused | wrong |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for row in rows:
        passing, staying = cell(row["passing"], "same bytes"), cell(row["staying"], "same bytes")
        n_wrong = sum(row[key] for key in WRONG)
        figures = f"{row['n_requests_struck']} | {row['n_complete']} | {row['n_refused']} | {n_wrong}"
        lines += [f"| `{row['kind']}` | {shown(KINDS[row['kind']].meaning)} | {passing} | {staying} | {figures} |"]
    totals = [sum(row[key] for row in rows) for key in ("n_runs", "n_complete", "n_refused", "n_requests_struck")]
    n_wrong = sum(row[key] for row in rows for key in WRONG)
    said = (
        f"{len(rows)} kinds, {totals[0]:,} runs, {totals[3]:,} requests struck: {totals[1]:,} snapshots complete and "
    )
    said += f"identical, {totals[2]:,} refused with nothing published, {n_wrong} wrong, lost, half-published or hung."
    lines += ["", said]
    page = path.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    path.write_text(before + BEGIN + "\n".join(lines) + "\n" + END + rest.split(END)[1], encoding="utf-8")


def main() -> int:
    """0 when nothing went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", help="with commas; all when left out")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--write", type=Path, help="a page with the markers of the table")
    asked = parser.parse_args()
    from candlelock.simulator.fault_kinds import KINDS

    kinds = asked.kinds.split(",") if asked.kinds else list(KINDS)
    rows = []
    with multiprocessing.get_context("spawn").Pool(asked.processes) as pool:
        for row in pool.imap(try_kind, [(kind, asked.seeds) for kind in kinds]):
            rows.append(row)
            print(json.dumps(row, ensure_ascii=False), flush=True)
    if asked.write:
        write_table(asked.write, rows)
    totals = {key: sum(row[key] for row in rows) for key in ("n_runs", "n_complete", "n_refused", *WRONG)}
    print(json.dumps(totals))
    return 1 if any(totals[key] for key in WRONG) or any(row["staying"][0] in WRONG for row in rows) else 0


sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
if __name__ == "__main__":
    sys.exit(main())
