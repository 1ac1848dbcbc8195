from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from candlelock.contracts.errors import InputError
from candlelock.contracts.tables import TIME
from candlelock.evaluate.market import lay_out
from tests.trading_runs import long_signals, trade, trading_params

BAR_MS = 3_600_000


def candles(bars: list[int], prices: list[str], volumes: list[str] | None = None, scale: int = 2) -> pa.Table:
    """Bars that open, close and stay at a price."""
    flat = pa.array([Decimal(price) for price in prices], pa.decimal128(38, scale))
    sold = pa.array([Decimal(volume) for volume in volumes or ["1"] * len(bars)], pa.decimal128(20, 1))
    times = pa.array([bar * BAR_MS for bar in bars]).cast(TIME)
    names = ("open", "high", "low", "close")
    return pa.table({"open_time_utc": times, **dict.fromkeys(names, flat), "volume": sold})


def problems(table: pa.Table, reads_levels: bool = True) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as raised:
        lay_out({"A/Q": table}, {}, BAR_MS, reads_levels)
    return [(problem.code, problem.place) for problem in raised.value.problems]


def test_volume_is_the_mean_of_the_candles_there_were() -> None:
    market = lay_out({"A/Q": candles([0, 1, 3, 4], ["1"] * 4, ["4", "2", "9", "1.5"])}, {}, BAR_MS, False, 2)
    assert market.bars.volume[:, 0].tolist() == [4.0, 3.0, 3.0, 5.5, 5.25]


def test_prices_of_more_than_int64_stay_exact() -> None:
    long = "12345678901234567.890123456789012345"
    market = lay_out({"A/Q": candles([0, 1], [long, "1"], scale=18)}, {}, BAR_MS)
    prices = market.prices["A/Q"]
    assert prices.exact(prices.opened[0]) == Decimal(long)
    ledger = trade(
        {"A/Q": candles([0, 1, 2], ["1", long, long], scale=18)},
        long_signals({"A/Q": np.array([0])}),
        trading_params(capital=10**9),
        1,
        BAR_MS,
    )
    (made,) = ledger.trades
    assert (made.entry_price, made.exit_price) == (Decimal(long), Decimal(long))


def test_columns_of_other_decimals_share_a_tick() -> None:
    table = candles([0, 1], ["1.25", "1.5"])
    table = table.set_column(4, "close", table["close"].cast(pa.decimal128(38, 5)))
    market = lay_out({"A/Q": table}, {}, BAR_MS)
    prices = market.prices["A/Q"]
    assert [prices.exact(t) for t in (*prices.opened, *prices.closed)] == [Decimal(v) for v in ("1.25", "1.5") * 2]


def test_prices_too_long_for_levels_are_refused_only_with_levels() -> None:
    table = candles([0], ["12345678901234.567"], scale=3)
    assert problems(table)[0] == ("backtest-candle-price", "candles of A/Q column open")
    assert len(lay_out({"A/Q": table}, {}, BAR_MS).mark_time_ms) == 2


def test_a_close_outside_its_bar_is_refused() -> None:
    table = candles([0, 1], ["1", "2"])
    low = pa.array([Decimal("1.00"), Decimal("2.01")], pa.decimal128(38, 2))
    assert problems(table.set_column(3, "low", low)) == [("backtest-candle-price", "candles of A/Q row 1")]


@pytest.mark.parametrize("column", [2, 3])
def test_a_high_or_low_of_zero_is_refused(column: int) -> None:
    table = candles([0], ["1"])
    zero = pa.array([Decimal("0.00")], pa.decimal128(38, 2))
    name = table.column_names[column]
    assert ("backtest-candle-price", f"candles of A/Q column {name}") in problems(table.set_column(column, name, zero))
