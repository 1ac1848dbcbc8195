"""From the state of a book in time to one row per bar. Which message changes what is told in `recording`.

A bar's book columns are the state before the first message at or after its close; a state carries over into later
bars. Means over the bar weigh each state by the milliseconds for which it stood. Nothing is filled: a state that is
not known gives null, and a bar without any message has no row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from candlelock.contracts.book_tables import book_bars
from candlelock.orderbook.messages import DECIMALS, SCALE

if TYPE_CHECKING:
    from candlelock.orderbook.book import Book, Quote
    from candlelock.orderbook.messages import Trade

EXACT = Context(prec=38, traps=[Inexact])


@dataclass
class Trades:
    """Sums over the trades of one bar, in units of 1e-8 (`notional`, `paid`: 1e-16).

    `quoted_volume`: the amount traded while best bid and ask were known. `paid`: twice what takers of that amount paid
    beyond the mid, less what they gained on it.
    """

    n: int = 0
    volume: int = 0
    buy_volume: int = 0
    notional: int = 0
    quoted_volume: int = 0
    paid: int = 0

    def add(self, trade: Trade, quote: Quote | None) -> None:
        """Count one more; `quote`: the best bid and ask when it was told."""
        self.n += 1
        self.volume += trade.size
        self.buy_volume += 0 if trade.is_sell else trade.size
        self.notional += trade.size * trade.price
        if quote is not None:
            beyond = 2 * trade.price - (quote.bid + quote.ask)
            self.quoted_volume += trade.size
            self.paid += trade.size * (-beyond if trade.is_sell else beyond)

    def row(self) -> dict[str, Any]:
        """Their columns."""
        return {
            "n_trades": self.n,
            "volume": _exact(self.volume),
            "buy_volume": _exact(self.buy_volume),
            "signed_volume": _exact(2 * self.buy_volume - self.volume),
            "vwap": self.notional / (self.volume * SCALE) if self.n else None,
            "effective_spread": self.paid / (self.quoted_volume * SCALE) if self.quoted_volume else None,
        }


@dataclass
class Means:
    """Sums over the time of one bar, and the counts of its messages."""

    quote_ms: int = 0
    spread_ms: int = 0
    imbalance_ms: float = 0.0
    book_ms: int = 0
    n_book_updates: int = 0
    n_ticker_updates: int = 0

    def add_quote(self, quote: Quote, n_ms: int) -> None:
        """A quote that stood for `n_ms`."""
        self.quote_ms += n_ms
        self.spread_ms += (quote.ask - quote.bid) * n_ms
        self.imbalance_ms += _imbalance(quote.bid_size, quote.ask_size) * n_ms

    def row(self, bar_ms: int) -> dict[str, Any]:
        """Their columns."""
        return {
            "mean_spread": self.spread_ms / (self.quote_ms * SCALE) if self.quote_ms else None,
            "mean_imbalance": self.imbalance_ms / self.quote_ms if self.quote_ms else None,
            "n_book_updates": self.n_book_updates,
            "n_ticker_updates": self.n_ticker_updates,
            "book_known_frac": self.book_ms / bar_ms,
        }


@dataclass
class BarBuilder:
    """The bars so far. Times are milliseconds since 1970 UTC and never go back, but for those of trades."""

    bar_ms: int
    levels: tuple[int, ...]
    book: Book
    quote: Quote | None = None
    first_ms: int | None = None
    now_ms: int = 0
    means: Means = field(default_factory=Means)
    _bar: int = 0
    _quote_since_ms: int = 0
    _book_since_ms: int = 0
    _rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    _trades: dict[int, Trades] = field(default_factory=dict)

    def advance(self, time_ms: int) -> None:
        """Let time pass to `time_ms`, before the message of that time changes anything."""
        bar = time_ms // self.bar_ms
        if self.first_ms is None:
            self.first_ms = self._quote_since_ms = self._book_since_ms = time_ms
            self._bar = bar
        elif bar > self._bar:
            self._close((self._bar + 1) * self.bar_ms)
            self._bar, self.means = bar, Means()
            self._quote_since_ms = self._book_since_ms = bar * self.bar_ms
        self.now_ms = time_ms

    def change_quote(self, quote: Quote | None) -> None:
        """From now on this is the best bid and ask; None: not known."""
        self._weigh_quote(self.now_ms)
        self.quote = quote

    def weigh_book(self) -> None:
        """To be called before the book becomes known or unknown."""
        self._weigh_book(self.now_ms)

    def add_trade(self, trade: Trade) -> None:
        """Count a trade in the bar of its own time; where that has closed, the quote of now is not the trade's."""
        bar = trade.trade_ms // self.bar_ms
        self._trades.setdefault(bar, Trades()).add(trade, self.quote if bar >= self._bar else None)

    def finish(self, flagged: set[int]) -> pa.Table:
        """Every bar with a message as a table of `contracts.book_tables`; `flagged`: numbers of bars with a gap."""
        first_ms = self.now_ms if self.first_ms is None else self.first_ms
        if self.first_ms is not None:
            self._close(self.now_ms)
        rows = [
            {
                "open_time_utc": bar * self.bar_ms,
                **Means().row(self.bar_ms),
                **self._rows.get(bar, {}),
                **self._trades.get(bar, Trades()).row(),
                "has_sequence_gap": bar in flagged,
                "is_whole": first_ms < bar * self.bar_ms and (bar + 1) * self.bar_ms <= self.now_ms,
            }
            for bar in sorted({*self._rows, *self._trades})
        ]
        schema = book_bars(self.levels)
        fields = [(column.name, column.dtype) for column in schema.columns]
        return pa.table({name: pa.array([row.get(name) for row in rows], dtype) for name, dtype in fields})

    def _close(self, time_ms: int) -> None:
        """Write the row of the bar at hand, as of `time_ms`."""
        self._weigh_quote(time_ms)
        self._weigh_book(time_ms)
        self._rows[self._bar] = self._quote_row() | self._depth_row() | self.means.row(self.bar_ms)

    def _weigh_quote(self, until_ms: int) -> None:
        if self.quote is not None and until_ms > self._quote_since_ms:
            self.means.add_quote(self.quote, until_ms - self._quote_since_ms)
        self._quote_since_ms = until_ms

    def _weigh_book(self, until_ms: int) -> None:
        if self.book.update_id is not None:
            self.means.book_ms += until_ms - self._book_since_ms
        self._book_since_ms = until_ms

    def _quote_row(self) -> dict[str, Any]:
        if self.quote is None:
            return {}
        _, bid, bid_size, ask, ask_size = self.quote
        return {
            "best_bid": _exact(bid),
            "bid_size": _exact(bid_size),
            "best_ask": _exact(ask),
            "ask_size": _exact(ask_size),
            "mid": _exact((bid + ask) * 5, DECIMALS + 1),
            "spread": _exact(ask - bid),
            "microprice": (bid * ask_size + ask * bid_size) / ((bid_size + ask_size) * SCALE),
        }

    def _depth_row(self) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for n_levels in self.levels:
            bids, asks = self.book.depth(n_levels)
            row[f"bid_depth_{n_levels}"] = None if bids is None else _exact(bids)
            row[f"ask_depth_{n_levels}"] = None if asks is None else _exact(asks)
            row[f"imbalance_{n_levels}"] = None if bids is None or asks is None else _imbalance(bids, asks)
        return row


def _exact(value: int, decimals: int = DECIMALS) -> Decimal:
    """The integer in units of 10 ** -decimals as a decimal, digit by digit."""
    return Decimal(value).scaleb(-decimals, EXACT)


def _imbalance(bids: int, asks: int) -> float:
    return (bids - asks) / (bids + asks)
