"""What is asked of an exchange, settled before the first page: which symbols, which bars, as explicit instants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from candlelock.contracts.documents import utc_ms, utc_text
from candlelock.contracts.errors import Problem, nearest, raise_if
from candlelock.contracts.params import bar_seconds
from candlelock.snapshot.exchange.span import Span, ceil_to, floor_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candlelock.contracts.snapshot_documents import AskedRange
    from candlelock.contracts.stage_params import ExchangeParams, SnapshotParams
    from candlelock.snapshot.exchange.dialect import Dialect

MS_PER_DAY = 86_400_000
SETTLING_MS = 5_000  # an exchange may print the last candle a moment after its close
FORMAT = 1  # of the answers kept on disk
PLACE = "snapshot.exchange"


def describe(wanted: SnapshotParams) -> dict[str, Any]:
    """What tells one request from another: everything that decides which answers belong to it, symbols aside."""
    return {
        "format": FORMAT,
        "exchange": wanted.exchange.name,
        "timeframe": wanted.timeframe,
        **wanted.exchange.model_dump(mode="json"),
    }


def settle_span(wanted: SnapshotParams, now_ms: int, kept: AskedRange | None, dialect: Dialect) -> Span:
    """The bars to take, all closed by the exchange's clock `now_ms`; what a killed run settled on, up to a day old.

    Without an end, the last bar is one that closed some seconds ago.

    Raises InputError for a range that is empty, not over yet or further back than the exchange answers.
    """
    bar_ms = bar_seconds(wanted.timeframe) * 1_000
    closed_ms = floor_to(now_ms - SETTLING_MS, bar_ms)
    if kept and 0 <= closed_ms - utc_ms(kept.end_utc) <= MS_PER_DAY and utc_ms(kept.end_utc) % bar_ms == 0:
        closed_ms = utc_ms(kept.end_utc)
    asked = wanted.exchange
    end_ms = ceil_to(utc_ms(asked.end), bar_ms) if asked.end else closed_ms
    start_ms = ceil_to(utc_ms(asked.start), bar_ms) if asked.start else end_ms - (asked.days or 0) * MS_PER_DAY
    span = Span(ceil_to(start_ms, bar_ms), end_ms, bar_ms)
    raise_if(
        [
            *_few_problems(wanted, span),
            *_range_problems(asked, span, floor_to(now_ms, bar_ms)),
            *_history_problems(span, now_ms, dialect),
        ]
    )
    return span


def refuse_lost_history(span: Span, now_ms: int, dialect: Dialect) -> None:
    """InputError when the exchange no longer answers as far back as the span starts."""
    raise_if(_history_problems(span, now_ms, dialect))


def refuse_unknown(wanted: SnapshotParams, symbols: Sequence[str], timeframes: Sequence[str]) -> None:
    """InputError with every symbol the exchange does not list, and a timeframe it does not have."""
    name = wanted.exchange.name
    problems = [
        Problem("exchange-symbol", "snapshot.symbols", symbol, f"a symbol of {name}", nearest(symbol, symbols)[:400])
        for symbol in wanted.symbols
        if symbol not in symbols
    ]
    if wanted.timeframe not in timeframes:
        expected, help_line = f"a timeframe of {name}", f"known: {', '.join(timeframes)}"
        problems.append(Problem("exchange-timeframe", "snapshot.timeframe", wanted.timeframe, expected, help_line))
    raise_if(problems)


def _range_problems(asked: ExchangeParams, span: Span, closed_ms: int) -> list[Problem]:
    problems = []
    if span.end_ms > closed_ms:
        found = f"bars up to {utc_text(span.end_ms)}"
        expected = f"closed bars: by the exchange's clock up to {utc_text(closed_ms)}"
        problems.append(Problem("exchange-range", f"{PLACE}.end", found, expected, "take an earlier end, or null"))
    if span.n_bars < 2:
        found = f"{utc_text(span.start_ms)} to {utc_text(span.end_ms)}"
        key = "days" if asked.start is None else "start"
        problems.append(Problem("exchange-range", f"{PLACE}.{key}", found, "two bars at least", "take a longer range"))
    return problems


def _few_problems(wanted: SnapshotParams, span: Span) -> list[Problem]:
    if span.n_bars >= wanted.min_rows or span.n_bars < 2:
        return []
    found, expected = f"a range of {span.n_bars} bars", f"at least {wanted.min_rows} candles (snapshot.min_rows)"
    return [Problem("exchange-range", PLACE, found, expected, "take a longer range, or lower min_rows")]


def _history_problems(span: Span, now_ms: int, dialect: Dialect) -> list[Problem]:
    if dialect.max_history_rows is None:
        return []
    # the open bar is one of the rows
    first_ms = floor_to(now_ms, span.bar_ms) - (dialect.max_history_rows - 1) * span.bar_ms
    if span.start_ms >= first_ms:
        return []
    expected = (
        f"{utc_text(first_ms)} or later: the exchange answers with its last {dialect.max_history_rows} candles only"
    )
    help_line = "take fewer days or a longer timeframe, or older candles from files"
    return [Problem("exchange-history", f"{PLACE}.start", utc_text(span.start_ms), expected, help_line)]
