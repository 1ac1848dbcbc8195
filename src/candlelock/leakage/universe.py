"""Which symbols a table has, against those that there were: a table of survivors alone knows who lived."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from candlelock.contracts.leakage_documents import Leak
from candlelock.leakage.rows import leak_check, when

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from candlelock.contracts.leakage_documents import LeakCheck

    Spans = Mapping[str, tuple[int, int]]

WHAT = "symbols that had candles when the table begins and ended before it does, against those in it"
HELP = "take every symbol that was traded when the table begins, those too that ended since"
EARLY_SHARE = 0.1  # of the table's span before its end: who ends before that has died
MAX_NAMED = 10


def check_universe(used: Spans, known: Spans) -> LeakCheck:
    """A finding when all of the dead are missing, and whoever is in the table lives to its end.

    `used`: symbol -> first and last time in the table, at least one; `known`: the same of all candles there are, under
    the same names, in milliseconds. Who starts after the table has is not counted, since it could not be chosen then.
    """
    begin = min(first for first, _ in used.values())
    end = max(last for _, last in used.values())
    early = end - EARLY_SHARE * (end - begin)
    dead = sorted(name for name, (first, last) in known.items() if first <= begin and last < early)
    missing = [name for name in dead if name not in used]
    survives = all(last >= early for _, last in used.values())
    findings = []
    if missing and len(missing) == len(dead) and survives:
        last_ms = max(known[name][1] for name in missing)
        findings.append(
            Leak(
                code="universe-survivors",
                subject=", ".join(missing[:MAX_NAMED]) + (" …" if len(missing) > MAX_NAMED else ""),
                known_utc=when(last_ms),
                used_utc=when(begin),
                detail=f"{len(missing):,} symbols were traded when the table begins and ended since; none is in it, "
                f"and all {len(used):,} that are live to its end",
                help=HELP,
            )
        )
    evidence = {"n_used": len(used), "n_known": len(known), "dead": dead[:MAX_NAMED], "n_dead": len(dead)}
    return leak_check("universe", WHAT, len(known), findings, evidence)


def match_names(symbols: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Symbol of a table -> name of the candles it goes by: `BTC_USDT`, `btcusdt` and `BTC` are BTC/USDT.

    A base alone is matched where one quote only has it. Symbols without candles are left out.
    """
    names: dict[str, set[str]] = {}
    for name in known:
        for plain in {_plain(name), _plain(name.split("/")[0])}:
            names.setdefault(plain, set()).add(name)
    found = {symbol: names.get(_plain(symbol.split(":")[0]), set()) for symbol in symbols}
    return {symbol: next(iter(each)) for symbol, each in found.items() if len(each) == 1}


def _plain(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", name.upper())
