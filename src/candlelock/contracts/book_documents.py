"""The report of an imported order book, as frozen models: what it was made of and what was found in it."""

from __future__ import annotations

from typing import Literal

from candlelock.contracts.documents import Document, Sha256, UtcTime
from candlelock.contracts.stage_params import Symbol, Timeframe  # noqa: TC001  (pydantic reads annotations)

StreamKind = Literal["depth", "bookTicker", "trade"]


class RecordingFile(Document):
    """One file of a recording, in the order of their first local times. Times are milliseconds since 1970 UTC."""

    name: str
    sha256: Sha256
    n_lines: int
    first_local_ms: int
    last_local_ms: int


class MessageCounts(Document):
    """Messages by kind."""

    depth: int
    ticker: int
    trade: int
    snapshot: int


class ClockSkew(Document):
    """The exchange's event time less the local time of arrival, of every message that has one, in milliseconds."""

    n_messages: int
    min_ms: float
    median_ms: float
    max_ms: float


class SequenceBreak(Document):
    """Ids that do not continue: messages were lost, or came twice. `place` is file:line of the message that shows it.

    The bars touched are those that open at the two times or between.
    """

    stream: StreamKind
    place: str
    expected_id: int
    found_id: int
    first_open_utc: UtcTime
    last_open_utc: UtcTime


class TickerCheck(Document):
    """Best bids and asks of the book against those of the bookTicker stream, wherever both are at one update id."""

    n_compared: int
    n_contradictions: int
    first_contradictions: list[str]


class BookReport(Document):
    """book.json: the table beside it, what it was made of, and every break in the ids.

    `n_bars_with_depth`: how many bars know their depth, by number of levels.
    """

    version: Literal["1"] = "1"
    symbol: Symbol
    timeframe: Timeframe
    levels: list[int]
    table: str
    table_sha256: Sha256
    files: list[RecordingFile]
    messages: MessageCounts
    first_event_ms: int
    last_event_ms: int
    clock_skew: ClockSkew
    sequence_breaks: list[SequenceBreak]
    ticker_check: TickerCheck
    n_bars: int
    n_whole_bars: int
    n_missing_bars: int
    n_bars_with_depth: dict[str, int]
    first_open_utc: UtcTime
    last_open_utc: UtcTime
