from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from candlelock.contracts.errors import InputError
from candlelock.evaluate.market import Prices, lay_out
from tests.trading_runs import long_signals, trade, trading_params

BAR_MS = 3_600_000
FIRST_BAR = 400_000
PLAIN = trading_params()


def candles(bars: list[int], price: str = "100") -> pa.Table:
    """Candles at the given bars: bar b opens at `price` + b and closes at `price` + b + 0.5."""
    opens = [Decimal(price) + bar for bar in bars]
    columns = {
        "open_time_utc": pa.array([(FIRST_BAR + bar) * BAR_MS for bar in bars], pa.timestamp("ms", tz="UTC")),
        "open": pa.array(opens, pa.decimal128(18, 2)),
        "close": pa.array([value + Decimal("0.5") for value in opens], pa.decimal128(18, 2)),
    }
    return pa.table(columns)


def times(bars: list[int]) -> np.ndarray:
    return (FIRST_BAR + np.array(bars, dtype=np.int64)) * BAR_MS


def stays(bars: list[int], signals: list[int], horizon_bars: int) -> list[tuple[int, int, str, str]]:
    """(entry bar, exit bar, entry price, exit price) of each stay; an exit at the last close is one bar further."""
    ledger = trade({"A/B": candles(bars)}, long_signals({"A/B": times(signals)}), PLAIN, horizon_bars, BAR_MS)
    return [
        (
            stay.entry_time_ms // BAR_MS - FIRST_BAR,
            stay.exit_time_ms // BAR_MS - FIRST_BAR,
            str(stay.entry_price),
            str(stay.exit_price),
        )
        for stay in ledger.schedule.stays["A/B"]
    ]


def test_a_signal_is_filled_at_the_next_open_and_left_a_horizon_later() -> None:
    assert stays(list(range(10)), [2], horizon_bars=3) == [(3, 6, "103.00", "106.00")]


@pytest.mark.parametrize("second", [3, 4, 5])
def test_a_signal_in_position_restarts_the_clock(second: int) -> None:
    # The one at bar 5 stands at the very close before the exit at bar 6 would be filled.
    assert [stay[:2] for stay in stays(list(range(12)), [2, second], horizon_bars=3)] == [(3, second + 4)]


def test_a_signal_at_the_exit_bar_is_a_new_entry() -> None:
    assert [stay[:2] for stay in stays(list(range(12)), [2, 6], horizon_bars=3)] == [(3, 6), (7, 10)]


def test_an_entry_whose_bar_is_missing_is_dropped() -> None:
    assert stays([0, 1, 2, 4, 5, 6, 7, 8], [2], horizon_bars=3) == []


def test_a_dropped_entry_leaves_no_clock_behind() -> None:
    # Bar 3 is missing, so the signal at 2 buys nothing; the one at 4 does, and holds its full horizon.
    assert [stay[:2] for stay in stays([0, 1, 2, 4, 5, 6, 7, 8], [2, 4], horizon_bars=3)] == [(5, 8)]


def test_holding_on_needs_no_bar() -> None:
    # In position since bar 1; bar 3 is missing, yet the signal at 2 restarts the clock from there.
    assert [stay[:2] for stay in stays([0, 1, 2, 4, 5, 6, 7], [0, 2], horizon_bars=3)] == [(1, 6)]


def test_a_missing_exit_bar_means_the_first_later_open() -> None:
    assert stays([0, 1, 2, 3, 7, 8, 9], [0], horizon_bars=3) == [(1, 7, "101.00", "107.00")]


def test_a_signal_at_the_last_bar_is_dropped() -> None:
    assert stays([0, 1, 2, 3], [3], horizon_bars=1) == []


@pytest.mark.parametrize("horizon_bars", [2, 5])
def test_a_position_left_over_is_closed_at_the_last_close(horizon_bars: int) -> None:
    assert stays([0, 1, 2, 3], [1], horizon_bars) == [(2, 4, "102.00", "103.50")]


def marked(prices: Prices) -> list[str]:
    return [str(prices.exact(ticks)) for ticks in prices.marked(np.arange(len(prices.at_mark)))]


def test_marks_cover_all_symbols_with_the_last_known_close() -> None:
    both = {"Y/B": candles([2, 4], "200"), "A/B": candles([0, 1, 2])}
    market = lay_out(both, {}, BAR_MS)
    assert list(market.prices) == ["A/B", "Y/B"]
    assert (market.mark_time_ms // BAR_MS - FIRST_BAR).tolist() == [0, 1, 2, 3, 4, 5]
    assert marked(market.prices["A/B"]) == ["100.00", "100.50", "101.50", "102.50", "102.50", "102.50"]
    assert marked(market.prices["Y/B"]) == ["202.00", "202.00", "202.00", "202.50", "202.50", "204.50"]


def test_all_problems_are_named_at_once() -> None:
    broken = {
        "A/B": candles([0, 1, 1, 2]),
        "C/B": candles([0, 1, 2], price="-1"),
        "D/B": candles([0, 2, 1]),
        "E/B": candles([0, 1, 2]),
    }
    off_grid = broken["E/B"].set_column(
        0, "open_time_utc", pa.array(times([0, 1, 2]) + 1).cast(pa.timestamp("ms", "UTC"))
    )
    signals = {"A/B": times([0]), "C/B": times([5]), "F/B": times([0]), "G/B": times([])}
    with pytest.raises(InputError) as raised:
        lay_out({**broken, "E/B": off_grid}, long_signals(signals), BAR_MS)
    assert [(p.code, p.place) for p in raised.value.problems] == [
        ("backtest-candle-time", "candles of A/B row 2"),
        ("backtest-candle-price", "candles of C/B column open"),
        ("backtest-candle-price", "candles of C/B column close"),
        ("backtest-candle-time", "candles of D/B row 2"),
        ("backtest-candle-time", "candles of E/B row 0"),
        ("backtest-signal", "signals of C/B"),
        ("backtest-signal", "signals of F/B"),
        ("backtest-signal", "signals of G/B"),
    ]


def test_a_price_of_zero_is_refused() -> None:
    with pytest.raises(InputError, match="found     price 0"):
        lay_out({"A/B": candles([0, 1], price="0")}, {}, BAR_MS)


def test_a_symbol_without_rows_is_refused() -> None:
    with pytest.raises(InputError) as raised:
        lay_out({"A/B": candles([0, 1]), "C/B": candles([])}, {}, BAR_MS)
    assert [p.place for p in raised.value.problems] == ["candles of C/B"]


def test_a_signal_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match="3 signals at 2 bars") as raised:
        lay_out({"A/B": candles([0, 1, 2])}, long_signals({"A/B": times([0, 1, 1])}), BAR_MS)
    assert [p.code for p in raised.value.problems] == ["backtest-signal"]
