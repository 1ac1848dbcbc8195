"""The bars a feature group is written over: the columns of one clock, and what many groups need of them."""

from __future__ import annotations

from dataclasses import dataclass

from candlelock.features.expression import Node, source
from candlelock.features.kernels.elementwise import DAY_MS
from candlelock.features.market import CANDLE_FIELDS
from candlelock.features.operators import lag, log, min_present


@dataclass(frozen=True)
class Bars:
    """Columns of bars of `bar_ms` milliseconds each."""

    bar_ms: int
    open: Node
    high: Node
    low: Node
    close: Node
    volume: Node

    def column(self, name: str) -> Node:
        """Any further column of the candles or of the order book, by its name; NaN where there is none."""
        return source(name)

    @property
    def day_bars(self) -> float:
        """Bars in a day."""
        return DAY_MS / self.bar_ms

    def days(self, n_days: int) -> int:
        """Bars in so many days, rounded up."""
        return -(-n_days * DAY_MS // self.bar_ms)

    def log_return(self, n_bars: int = 1) -> Node:
        """log(close / close `n_bars` earlier)."""
        log_close = log(self.close)
        return log_close - lag(log_close, n_bars)

    def typical_price(self) -> Node:
        """(high + low + close) / 3."""
        return (self.high + self.low + self.close) / 3.0

    def higher(self, n_bars: int) -> Bars:
        """Bars of `n_bars` of these, cut at multiples since 1970, each known once its last bar has closed."""
        inputs = (self.open, self.high, self.low, self.close, self.volume)
        columns = [
            Node("higher", inputs, window=n_bars, extra=min_present(n_bars), output=i, clock=n_bars) for i in range(5)
        ]
        return Bars(n_bars * self.bar_ms, *columns)


def bars_of(bar_ms: int) -> Bars:
    """The candles themselves."""
    return Bars(bar_ms, *(source(name) for name in CANDLE_FIELDS))


def hold(x: Node) -> Node:
    """A value of a higher clock, from the close of its bar until the next one closes."""
    return Node("hold", (x,), window=x.clock)
