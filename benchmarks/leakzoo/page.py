"""The page of the zoo: counts, a table of leaks, a table of clean look-alikes, as Markdown."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.leakzoo.notes import NOTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.leakzoo.specimen import Area, Specimen

PEER = Path(__file__).with_name("freqtrade.json")
INTRODUCTION = """# The leak zoo

Each specimen is one leak planted in otherwise sound code, or a clean look-alike. A leak counts as caught when the audit
names the right reason, such as the future, availability, or what a process kept; a finding of another kind does not
count. Anything untrue that is said of a clean one is a false alarm. What is made of all history is rightly said to look
back longer than declared; that is listed and no alarm. Leaks in bold are those that anybody would list. A
change of the flow that no ledger is told of has to show as in the control `blind`: on a market with a planted edge,
drawn anew for each run, and on one that differs from it in test alone.
"""


@dataclass(frozen=True)
class Run:
    """What the examination of one area found on one market: name -> codes, none where nothing was found."""

    area: str
    market: str
    seed: int
    found: Mapping[str, frozenset[str]]


def write_page(areas: Sequence[Area], runs: Sequence[Run], command: str) -> str:
    """The whole page."""
    peer = json.loads(PEER.read_text()) if PEER.is_file() else {"specimens": {}, "not_written": {}}
    markets = list(dict.fromkeys(f"{run.market} {run.seed}" for run in runs))
    lines = [INTRODUCTION, "```console", f"$ {command}", "```", "", f"Markets and seeds: {', '.join(markets)}.", ""]
    lines += [*_summary(areas, runs, peer), ""]
    for area in areas:
        mine = [run for run in runs if run.area == area.name]
        lines += [f"## Leaks: {area.name}", *_leaks(area, mine, peer), ""]
    for area in areas:
        mine = [run for run in runs if run.area == area.name]
        lines += [f"## Clean: {area.name}", *_clean(area, mine, peer), ""]
    return "\n".join(lines)


def _codes(each: Specimen, runs: Sequence[Run]) -> list[frozenset[str]]:
    return [run.found.get(each.name, frozenset()) for run in runs]


def _n_caught(each: Specimen, runs: Sequence[Run]) -> int:
    return sum(each.is_caught(set(codes)) for codes in _codes(each, runs))


def _n_alarms(each: Specimen, runs: Sequence[Run]) -> int:
    return sum(each.is_false_alarm(set(codes)) for codes in _codes(each, runs))


def _summary(areas: Sequence[Area], runs: Sequence[Run], peer: Mapping[str, Any]) -> list[str]:
    rows = ["| area | leaks | always caught | of the core ones | sometimes | never | clean | silent | alarms |"]
    rows += ["|---|" + "---:|" * 8]
    for area in areas:
        mine = [run for run in runs if run.area == area.name]
        leaks = [each for each in area.specimens if each.is_leak]
        clean = [each for each in area.specimens if not each.is_leak]
        caught = {each.name: _n_caught(each, mine) for each in leaks}
        core = [each for each in leaks if each.is_core]
        always = sum(n == len(mine) for n in caught.values())
        never = sum(n == 0 for n in caught.values())
        silent = sum(not _n_alarms(each, mine) for each in clean)
        rows.append(
            f"| {area.name} | {len(leaks)} | {always} | {sum(caught[each.name] == len(mine) for each in core)} of "
            f"{len(core)} | {len(leaks) - always - never} | {never} | {len(clean)} | {silent} | "
            f"{sum(_n_alarms(each, mine) for each in clean)} |"
        )
    return [*rows, "", *_peer_summary(areas, peer)]


def _peer_summary(areas: Sequence[Area], peer: Mapping[str, Any]) -> list[str]:
    if not peer["specimens"]:
        return []
    tried = [each for area in areas for each in area.specimens if each.name in peer["specimens"]]
    ways = Counter[str]()
    for each in tried:
        said = peer["specimens"][each.name]
        kind = "leak" if each.is_leak else "clean"
        ways[kind] += 1
        ways[f"{kind}/any"] += bool(_ways(said))
        for way in _ways(said):
            ways[f"{kind}/{way}"] += 1
    parts = [
        f"{what}: {ways[f'{kind}/any']} of {ways[kind]} flagged (lookahead-analysis {ways[f'{kind}/lookahead']}, "
        f"recursive-analysis {ways[f'{kind}/recursive']}, its deviations with the strategy's own startup "
        f"{ways[f'{kind}/deviation']})"
        for kind, what in (("leak", "leaks"), ("clean", "clean ones"))
    ]
    return [
        f"freqtrade {peer['freqtrade']} (`{peer['command']}`; {peer['candles']}): {'; '.join(parts)}. "
        f"{len(peer['not_written'])} leaks cannot be written as a strategy. lookahead-analysis checks 20 trades of a "
        "strategy that trades on the column; recursive-analysis one row.",
    ]


def _ways(said: Mapping[str, Any]) -> list[str]:
    """How freqtrade flags a specimen."""
    ways = {
        "lookahead": said.get("lookahead"),
        "recursive": said["recursive_lookahead"],
        "deviation": said["recursive_deviation"],
    }
    return [name for name, is_found in ways.items() if is_found]


def _peer_cell(name: str, peer: Mapping[str, Any]) -> str:
    if name in peer["not_written"]:
        return "cannot be written"
    if name not in peer["specimens"]:
        return ""
    said = peer["specimens"][name]
    if ways := _ways(said):
        return ", ".join(ways)
    return "nothing" if said["lookahead"] is not None else f"nothing ({said['why']})"


def _leaks(area: Area, runs: Sequence[Run], peer: Mapping[str, Any]) -> list[str]:
    rows = ["| leak | what | caught | by | freqtrade |", "|---|---|---:|---|---|"]
    for each in area.specimens:
        if each.is_leak:
            all_codes = frozenset().union(*_codes(each, runs))
            star = "**" if each.is_core else ""
            by = ", ".join(sorted(each.codes & all_codes)) or "–"
            caught = f"{_n_caught(each, runs)}/{len(runs)}"
            name = f"{star}{each.name}{star}{_mark(each)}"
            rows.append(f"| {name} | {each.what} | {caught} | {by} | {_peer_cell(each.name, peer)} |")
    return [*rows, *_notes(area, is_leak=True)]


def _clean(area: Area, runs: Sequence[Run], peer: Mapping[str, Any]) -> list[str]:
    rows = ["| clean | what | alarms | said | freqtrade |", "|---|---|---:|---|---|"]
    for each in area.specimens:
        if not each.is_leak:
            said = ", ".join(sorted(frozenset().union(*_codes(each, runs))))
            alarms = f"{_n_alarms(each, runs)}/{len(runs)}"
            cell = _peer_cell(each.name, peer)
            rows.append(f"| {each.name}{_mark(each)} | {each.what} | {alarms} | {said or 'nothing'} | {cell} |")
    return [*rows, *_notes(area, is_leak=False)]


def _mark(each: Specimen) -> str:
    return " †" if each.name in NOTES else ""


def _notes(area: Area, is_leak: bool) -> list[str]:
    named: dict[str, list[str]] = {}
    for each in area.specimens:
        if each.is_leak == is_leak and each.name in NOTES:
            named.setdefault(NOTES[each.name], []).append(each.name)
    return [line for note, names in named.items() for line in ("", f"† {', '.join(names)}: {note}.")]
