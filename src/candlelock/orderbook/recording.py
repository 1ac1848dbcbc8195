"""What a recording's messages, taken in order, do to the book, the best quote and the bars; and what breaks in them.

The clock is the exchange's: the latest event time `E` so far. Depth messages run up to some 20 ms behind it; bookTicker
and REST snapshots have no time and belong to the clock as it stands. Only trades have a time of their own, `T`. The
local clock decides nothing.

The best quote is the bookTicker's or the book's, whichever has the later update id: the first comes with every change,
the second every 100 ms. Where ids break off, book and quote are unknown from the message that shows it, not before:
what a bar says was known when it closed.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from candlelock.contracts.errors import InputError, Problem
from candlelock.orderbook.bars import BarBuilder
from candlelock.orderbook.book import Book, Quote
from candlelock.orderbook.messages import HELP, SCALE, Depth, Message, Snapshot, Ticker, Trade

if TYPE_CHECKING:
    import pyarrow as pa

MAX_BACK_MS = 60_000  # an event time further behind the clock is damage, not delay
MAX_EXAMPLES = 10


class Break(NamedTuple):
    """Ids that do not continue, between two times in ms."""

    stream: Literal["depth", "bookTicker", "trade"]
    place: str
    expected_id: int
    found_id: int
    from_ms: int
    to_ms: int


@dataclass
class TickerComparison:
    """Quotes of the book against those of the bookTicker at the same update id."""

    n_compared: int = 0
    contradictions: list[str] = field(default_factory=list)

    def compare(self, ticker: Quote | None, book: Quote | None, place: str) -> None:
        """Compare if both stand at one update id."""
        if ticker is None or book is None or ticker.update_id != book.update_id:
            return
        self.n_compared += 1
        if ticker != book:
            self.contradictions.append(f"{place}: bookTicker {_printed(ticker)}, book {_printed(book)}")


class Recording:
    """All that is known after the messages so far."""

    def __init__(self, bar_ms: int, levels: tuple[int, ...]) -> None:
        self.breaks: list[Break] = []
        self.comparison = TickerComparison()
        self.skews_ns = array("q")  # event time less local time
        self.n_messages = {Depth: 0, Ticker: 0, Trade: 0, Snapshot: 0}
        self.bars = BarBuilder(bar_ms, levels, book := Book())
        self._book = book
        self._ticker: Quote | None = None
        self._last_trade: Trade | None = None
        self._depth_ms = self._ticker_ms = 0  # the clock at the last message of the stream

    def add(self, message: Message, place: str) -> None:
        """Take the next message; `place` names it in the report.

        Raises InputError when it cannot be true: an event time far behind the clock, or a book that crosses.
        """
        self.n_messages[type(message)] += 1
        if isinstance(message, Ticker):
            self._add_ticker(Quote(*message[1:]), place)
        elif isinstance(message, Snapshot):
            self._change_book(message, place)
        else:
            self._tick(message)
            if isinstance(message, Trade):
                self._add_trade(message, place)
            else:
                self.bars.means.n_book_updates += 1
                self._change_book(message, place)
                self._depth_ms = self.bars.now_ms

    def finish(self) -> pa.Table:
        """The bars as a table of `contracts.book_tables`. To be called once, after the last message."""
        bar_ms, first_ms = self.bars.bar_ms, self.bars.first_ms or 0
        self.breaks = [  # what came before the first time belongs to the first bar
            each._replace(from_ms=each.from_ms or first_ms, to_ms=each.to_ms or first_ms) for each in self.breaks
        ]
        spans = (range(each.from_ms // bar_ms, each.to_ms // bar_ms + 1) for each in self.breaks)
        return self.bars.finish(set().union(*spans))

    def _tick(self, message: Depth | Trade) -> None:
        now_ms, event_ms = self.bars.now_ms, message.event_ms
        if event_ms < now_ms - MAX_BACK_MS:
            expected = f"at most {MAX_BACK_MS} ms behind an earlier event, which was at {now_ms}"
            raise InputError(Problem("book-time", "E", str(event_ms), expected, HELP))
        self.skews_ns.append(event_ms * 1_000_000 - message.local_ns)
        self.bars.advance(max(now_ms, event_ms))

    def _add_trade(self, trade: Trade, place: str) -> None:
        before = self._last_trade
        if before is not None and trade.trade_id != before.trade_id + 1:
            from_ms, to_ms = sorted((before.trade_ms, trade.trade_ms))
            self.breaks.append(Break("trade", place, before.trade_id + 1, trade.trade_id, from_ms, to_ms))
            if trade.trade_id <= before.trade_id:
                return  # told before
        self._last_trade = trade
        self.bars.add_trade(trade)

    def _add_ticker(self, ticker: Quote, place: str) -> None:
        bars, before = self.bars, self._ticker
        bars.means.n_ticker_updates += 1
        from_ms, self._ticker_ms = self._ticker_ms, bars.now_ms
        if before is not None and ticker.update_id < before.update_id:
            found = Break("bookTicker", place, before.update_id, ticker.update_id, from_ms, bars.now_ms)
            self.breaks.append(found)
            return
        self._ticker = ticker
        if self._book.update_id == ticker.update_id:
            self.comparison.compare(ticker, self._book.quote(), place)
        self._take_later(ticker)

    def _change_book(self, message: Depth | Snapshot, place: str) -> None:
        book, was_id = self._book, self._book.update_id
        self.bars.weigh_book()
        wanted = book.apply(message) if isinstance(message, Depth) else book.restart(message)
        if wanted is not None:
            found_id = message.first_id if isinstance(message, Depth) else message.last_id
            self.breaks.append(Break("depth", place, wanted, found_id, self._depth_ms, self.bars.now_ms))
            if book.update_id is None:
                self.bars.change_quote(None)
        elif book.update_id != was_id and (quote := book.quote()) is not None:
            if quote.bid >= quote.ask:
                found = f"bid {quote.bid / SCALE}, ask {quote.ask / SCALE}"
                raise InputError(Problem("book-crossed", "", found, "a best bid below the best ask", HELP))
            self.comparison.compare(self._ticker, quote, place)
            self._take_later(quote)

    def _take_later(self, quote: Quote) -> None:
        if self.bars.quote is None or quote.update_id > self.bars.quote.update_id:
            self.bars.change_quote(quote)


def _printed(quote: Quote) -> str:
    bid, bid_size, ask, ask_size = (f"{value / SCALE:.8f}" for value in quote[1:])
    return f"{bid_size} @ {bid} | {ask_size} @ {ask}"
