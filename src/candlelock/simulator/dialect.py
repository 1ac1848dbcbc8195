"""What the exchanges have in common: a question, a page of candles, an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from candlelock.simulator.market import Market, Rows

JSON = "application/json;charset=UTF-8"
Row = list[Any]
Markets = Mapping[tuple[str, str], "Market"]  # by symbol and timeframe


@dataclass(frozen=True)
class RowShape:
    """Where a row keeps what. `unit_ms`: milliseconds in one unit of its times; `close_time` None: it has none."""

    unit_ms: int
    volume: int
    close_time: int | None
    time: int = 0
    open: int = 1
    high: int = 2
    low: int = 3
    close: int = 4

    @property
    def amounts(self) -> tuple[int, ...]:
        """Places of the prices and the volume."""
        return (self.open, self.high, self.low, self.close, self.volume)


@dataclass(frozen=True)
class Question:
    """A request as the exchange sees it. `lie`: a fault of the exchange's books (fault_kinds, layer "exchange"), or
    None, for `liar` (a symbol; None: all of them)."""

    endpoint: str
    query: Mapping[str, str]
    now_ms: int
    lie: str | None = None
    liar: str | None = None

    def lies(self, kind: str, symbol: str) -> bool:
        """Whether the exchange answers with this fault for the symbol."""
        return self.lie == kind and self.liar in (None, symbol)


@dataclass(frozen=True)
class Page:
    """Rows `first` up to `stop` of a market; `has_open`: the last of them is of a bar that has not closed."""

    market: Market
    first: int
    stop: int
    has_open: bool


@dataclass(frozen=True)
class Answer:
    """What goes over the wire when nothing is done to it."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON
    page: Page | None = None


class Dialect(Protocol):
    """An exchange: `endpoints` gives the name of each path it knows, `shape` that of its candle rows."""

    endpoints: Mapping[str, str]
    shape: RowShape
    markets: Markets

    def symbol_of(self, query: Mapping[str, str]) -> str | None:
        """The symbol that a query asks for, in the form BTC/USDT; None when it names none that is known."""

    def weight_of(self, endpoint: str) -> int:
        """What a request costs of the limit per minute."""

    def answer(self, question: Question) -> Answer:
        """The answer of a sound exchange, or of one that lies as the question says."""

    def rows(self, page: Page) -> bytes:
        """The rows of a page, joined by commas."""

    def answer_page(self, page: Page, rows: bytes) -> Answer:
        """A page with other rows than its own."""

    def answer_unknown(self, path: str) -> Answer:
        """The answer to a path that is none of `endpoints`."""

    def answer_failure(self) -> bytes:
        """The body in which this exchange says that there were too many requests."""


def to_json(value: Any) -> bytes:  # noqa: ANN401
    """Compact JSON; NaN and infinity as Python prints them."""
    return json.dumps(value, separators=(",", ":")).encode()


def page_rows(rendered: Rows, page: Page, shape: RowShape) -> bytes:
    """The rows of a page, joined by commas; one whose bar has not closed as it is when the bar begins."""
    if not page.has_open:
        return rendered.page(page.first, page.stop)
    last = to_json(partial_row(json.loads(rendered.page(page.stop - 1, page.stop)), shape))
    return b",".join(part for part in (rendered.page(page.first, page.stop - 1), last) if part)


def partial_row(row: Row, shape: RowShape) -> Row:
    """The candle of a bar that has just begun: all prices at its open, nothing traded."""
    begun = list(row)
    begun[shape.high] = begun[shape.low] = begun[shape.close] = row[shape.open]
    for place in range(shape.close + 1, len(row)):
        if place != shape.close_time:
            begun[place] = 0 if isinstance(row[place], int) else "0.00000000"
    return begun
