"""How an exchange prints a candle: which value of a row is what. ccxt's own parsing keeps six of them, as floats.

Sources: Binance "Kline/Candlestick data", Kraken "Get OHLC Data". Any other exchange: the six values of ccxt, as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from candlelock.snapshot.exchange.faults import BadAnswerError
from candlelock.snapshot.raw_candles import AMOUNTS, TIME

if TYPE_CHECKING:
    import numpy.typing as npt

MS_PER_SECOND = 1_000


@dataclass(frozen=True)
class Dialect:
    """`columns`: contract names by position, "" for what is dropped, None for rows as ccxt parses them."""

    columns: tuple[str, ...] | None
    unit_ms: int
    has_until: bool  # answers end where asked; a later row is then wrong
    close_time_at: int | None
    max_history_rows: int | None  # how far back the exchange answers at all
    options: tuple[tuple[str, Any], ...]  # settings of the ccxt client


BINANCE = Dialect(
    (TIME, *AMOUNTS, "", "quote_volume", "n_trades", "taker_buy_volume", "taker_buy_quote_volume", ""),
    1,
    True,
    6,
    None,
    # its limit is a budget of a minute, not a pace: 6,000 units, two for a page
    (
        ("rateLimiterAlgorithm", "rollingWindow"),
        ("rollingWindowSize", 60_000.0),
        ("options", {"fetchMarkets": {"types": ["spot"]}}),
    ),
)
KRAKEN = Dialect(
    (TIME, "open", "high", "low", "close", "vwap", "volume", "n_trades"), MS_PER_SECOND, False, None, 720, ()
)
OTHER = Dialect(None, 1, False, None, None, ())
DIALECTS = {"binance": BINANCE, "binanceus": BINANCE, "kraken": KRAKEN}


def to_table(rows: Any, dialect: Dialect, bar_ms: int) -> pa.Table:  # noqa: ANN401
    """Rows of an answer as a table: `open_time_utc` int64 milliseconds, all else text as it was printed.

    Raises BadAnswerError for anything but a list of equally long rows of text and whole numbers.
    """
    columns = dialect.columns or (TIME, *AMOUNTS)
    if not isinstance(rows, list):
        raise BadAnswerError(f"no list of candles but {_shown(rows)}")
    for number, row in enumerate(rows, start=1):
        if type(row) is not list or len(row) != len(columns):
            raise BadAnswerError(f"row {number} is {_shown(row)}, not {len(columns)} values")
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    times_ms = _whole_numbers("open time", values[0]) * dialect.unit_ms
    if dialect.close_time_at is not None:
        _require_close_times(times_ms, _whole_numbers("close time", values[dialect.close_time_at]), bar_ms)
    kept = {name: _texts(name, values[at]) for at, name in enumerate(columns) if name and at}
    return pa.table({TIME: pa.array(times_ms, pa.int64()), **kept})


def _whole_numbers(name: str, values: tuple[Any, ...]) -> npt.NDArray[np.int64]:
    _require_types(name, values, {int})
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        raise BadAnswerError(f"{name} is beyond 64 bits") from None


def _texts(name: str, values: tuple[Any, ...]) -> pa.Array:
    _require_types(name, values, {str, int})
    is_text = all(type(value) is str for value in values[:1])
    try:
        return pa.array(values, pa.string()) if is_text else pa.array(map(str, values), pa.string())
    except (UnicodeEncodeError, pa.ArrowException, TypeError):  # half a surrogate pair; text and numbers mixed
        raise BadAnswerError(f"{name} is not printed one way throughout") from None


def _require_types(name: str, values: tuple[Any, ...], types: set[type]) -> None:
    if not set(map(type, values)) <= types:
        wrong = next(value for value in values if type(value) not in types)
        raise BadAnswerError(f"{name} is {_shown(wrong)}")


def _require_close_times(opened_ms: npt.NDArray[np.int64], closed_ms: npt.NDArray[np.int64], bar_ms: int) -> None:
    wrong = np.flatnonzero(closed_ms - opened_ms != bar_ms - 1)
    if len(wrong):
        first = wrong[0]
        raise BadAnswerError(f"the bar that opens at {opened_ms[first]} ms closes at {closed_ms[first]} ms")


def _shown(value: Any) -> str:  # noqa: ANN401
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
