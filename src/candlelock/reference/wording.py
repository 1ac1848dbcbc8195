"""What a registry entry says, as words: range, warm-up in bars and in time, when a value is known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from candlelock.contracts.registry import Feature

UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"))


def range_words(entry: Feature) -> str:
    """[0, 100], [0, …), (…, 1]; empty where neither end is known."""
    if entry.range is None:
        return ""
    low, high = entry.range
    first = "(…" if low is None else f"[{low:g}"
    return f"{first}, {'…)' if high is None else f'{high:g}]'}"


def warmup_words(entry: Feature) -> str:
    """The warm-up as it is declared: 14 bars, 7 days, 1 bar + 7 days."""
    bars = _counted(entry.warmup_bars, "bar") if entry.warmup_bars or not entry.warmup_days else ""
    days = _counted(entry.warmup_days, "day") if entry.warmup_days else ""
    return " + ".join(filter(None, (bars, days)))


def warmup_on(entry: Feature, bar_ms: int) -> str:
    """The warm-up on bars of one length: 337 bars, 7 d 30 min."""
    n_bars = entry.warmup(bar_ms)
    return f"{_counted(n_bars, 'bar')}, {duration(n_bars * bar_ms)}" if n_bars else "none"


def known_words(entry: Feature) -> str:
    """When a value is known."""
    if entry.available_at == "close":
        return "close of the bar"
    n_bars = entry.available_at.removeprefix("x").removesuffix("_close")
    return f"close of the last finished bar of {n_bars}"


def duration(milliseconds: int) -> str:
    """Days, hours and minutes, those that are none left out; seconds below a minute."""
    parts, left = [], milliseconds
    for size, unit in UNITS:
        if left >= size:
            parts.append(f"{left // size:,} {unit}")
            left %= size
    return " ".join(parts) or f"{left / 1000:g} s"


def minute(milliseconds: int) -> str:
    """2019-10-01 00:30 of milliseconds since 1970, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")
