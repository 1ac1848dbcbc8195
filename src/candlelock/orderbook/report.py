"""The report of an import: sources, counts, clocks, breaks in the ids, the check of one stream by another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from candlelock.contracts import book_documents as parts
from candlelock.contracts.documents import utc_text
from candlelock.orderbook.book_bars import table_name
from candlelock.orderbook.messages import NS_PER_MS, Depth, Snapshot, Ticker, Trade
from candlelock.orderbook.recording import MAX_EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candlelock.orderbook.recording import Break, Recording


def describe(
    recording: Recording,
    table: pa.Table,
    symbol: str,
    timeframe: str,
    files: list[parts.RecordingFile],
    table_sha256: str,
) -> parts.BookReport:
    """The report of a finished recording of at least one message with a time, and of the `table` made of it."""
    bars, counts = recording.bars, recording.n_messages
    opens = np.asarray(table["open_time_utc"].cast(pa.int64()), dtype=np.int64)
    contradictions = recording.comparison.contradictions
    return parts.BookReport(
        symbol=symbol,
        timeframe=timeframe,
        levels=list(bars.levels),
        table=table_name(symbol),
        table_sha256=table_sha256,
        files=files,
        messages=parts.MessageCounts(
            depth=counts[Depth], ticker=counts[Ticker], trade=counts[Trade], snapshot=counts[Snapshot]
        ),
        first_event_ms=bars.first_ms or 0,
        last_event_ms=bars.now_ms,
        clock_skew=_skew(recording.skews_ns),
        sequence_breaks=[_described(each, bars.bar_ms) for each in recording.breaks],
        ticker_check=parts.TickerCheck(
            n_compared=recording.comparison.n_compared,
            n_contradictions=len(contradictions),
            first_contradictions=contradictions[:MAX_EXAMPLES],
        ),
        n_bars=len(opens),
        n_whole_bars=table["is_whole"].to_pylist().count(True),
        n_missing_bars=int((opens[-1] - opens[0]) // bars.bar_ms) + 1 - len(opens),
        n_bars_with_depth={str(n): table[f"imbalance_{n}"].is_valid().to_pylist().count(True) for n in bars.levels},
        first_open_utc=utc_text(opens[0]),
        last_open_utc=utc_text(opens[-1]),
    )


def _skew(skews_ns: Sequence[int]) -> parts.ClockSkew:
    skews_ms = np.asarray(skews_ns, dtype=np.int64) / NS_PER_MS
    low, median, high = (round(float(value), 3) for value in np.quantile(skews_ms, (0.0, 0.5, 1.0)))
    return parts.ClockSkew(n_messages=len(skews_ms), min_ms=low, median_ms=median, max_ms=high)


def _described(found: Break, bar_ms: int) -> parts.SequenceBreak:
    first, last = (utc_text(time // bar_ms * bar_ms) for time in (found.from_ms, found.to_ms))
    return parts.SequenceBreak(
        stream=found.stream,
        place=found.place,
        expected_id=found.expected_id,
        found_id=found.found_id,
        first_open_utc=first,
        last_open_utc=last,
    )
