"""Numbers and names as words on a page. A figure that does not exist is a dash; nothing here decides anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.documents import Interval

DASH = "–"
SYMBOLS = {"PASS": "✓", "GO": "✓", "FAIL": "✗", "NO-GO": "✗", "INSUFFICIENT EVIDENCE": "?"}


def number(value: float | None) -> str:
    """Four significant digits, thousands separated."""
    return DASH if value is None else _signed(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}")


def count(value: int) -> str:
    """1,234."""
    return f"{value:,d}"


def percent(fraction: float | None) -> str:
    """A fraction as 56.30%."""
    return DASH if fraction is None else _signed(f"{100 * fraction:.2f}%")


def change(fraction: float | None) -> str:
    """A fraction as +5.63%: a return, never without its sign."""
    return DASH if fraction is None else _signed(f"{100 * fraction:+.2f}%")


def points(value: float | None) -> str:
    """Percentage points as +1.90 pp."""
    return DASH if value is None else _signed(f"{value:+.2f} pp")


def score(value: float | None) -> str:
    """A score of four decimals."""
    return DASH if value is None else _signed(f"{value:.4f}")


def ratio(value: float | None) -> str:
    """A Sharpe ratio, a cost multiple: two decimals."""
    return DASH if value is None else _signed(f"{value:.2f}")


def money(value: float) -> str:
    """10,123.45, in the quote currency."""
    return _signed(f"{value:,.2f}")


def latency(milliseconds: float) -> str:
    """Microseconds below one millisecond."""
    return f"{1000 * milliseconds:.1f} µs" if milliseconds < 1 else f"{milliseconds:.2f} ms"


def between(interval: Interval | None, show: Callable[[float], str]) -> str:
    """[low, high], each as `show` writes it."""
    return DASH if interval is None else f"[{show(interval.low)}, {show(interval.high)}]"


def day(time: str) -> str:
    """The date of an RFC 3339 time."""
    return time[:10]


def minute(time: str) -> str:
    """2019-10-01 00:30 of an RFC 3339 time."""
    return time[:16].replace("T", " ")


def short(sha256: str) -> str:
    """The first twelve digits of a hash."""
    return sha256[:12]


def words(name: str) -> str:
    """always_up as words."""
    return name.replace("_", " ")


def _signed(text: str) -> str:
    """The text with a true minus sign."""
    return f"−{text[1:]}" if text.startswith("-") else text


FILTERS: dict[str, Callable[..., str]] = {
    f.__name__: f
    for f in (number, count, percent, change, points, score, ratio, money, latency, day, minute, short, words)
}
