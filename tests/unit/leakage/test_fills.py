"""Trades that could be had raise nothing; each kind that could not is found, with its first trade."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from candlelock.leakage.fills import check_fills

BAR = 3_600_000
BEGIN = 1_704_067_200_000
Candles = dict[str, pd.DataFrame]


@pytest.fixture
def candles() -> Candles:
    random = np.random.default_rng(3)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, 400)))
    opened = np.r_[100.0, close[:-1]] * np.exp(random.normal(0, 0.002, 400))
    return {
        "A": pd.DataFrame(
            {
                "open_time_ms": BEGIN + BAR * np.arange(400),
                "open": opened,
                "high": np.maximum(opened, close) * 1.003,
                "low": np.minimum(opened, close) * 0.997,
                "close": close,
            }
        )
    }


def trades_at(candles: Candles, entries: np.ndarray, n_bars: int = 4, slippage: float = 2e-4) -> pd.DataFrame:
    """Bought at the open of each entry bar, sold at the open some bars later, slippage worse."""
    frame = candles["A"]
    return pd.DataFrame(
        {
            "symbol": "A",
            "entry_ms": frame["open_time_ms"].to_numpy()[entries],
            "exit_ms": frame["open_time_ms"].to_numpy()[entries + n_bars],
            "entry_price": frame["open"].to_numpy()[entries] * (1 + slippage),
            "exit_price": frame["open"].to_numpy()[entries + n_bars] * (1 - slippage),
        }
    )


ENTRIES = np.arange(10, 380, 10)
SIGNALS = {"A": BEGIN + BAR * ENTRIES}  # decided at the close of the bar before


def codes(trades: pd.DataFrame, candles: Candles, signals: dict[str, np.ndarray] | None = None) -> list[str]:
    return [leak.code for leak in check_fills(trades, SIGNALS if signals is None else signals, candles, BAR).findings]


def test_trades_at_the_next_open_raise_nothing(candles: Candles) -> None:
    found = check_fills(trades_at(candles, ENTRIES), SIGNALS, candles, BAR)
    assert found.passed
    assert found.n_compared == len(ENTRIES)


def test_a_fill_at_the_close_of_the_signal_s_bar_is_found(candles: Candles) -> None:
    trades = trades_at(candles, ENTRIES)
    trades["entry_price"] = candles["A"]["close"].to_numpy()[ENTRIES - 1]
    found = check_fills(trades, SIGNALS, candles, BAR).findings
    assert [leak.code for leak in found] == ["fill-price"]
    opened = candles["A"]["open"].to_numpy()[ENTRIES]
    first = int(np.flatnonzero(trades["entry_price"].to_numpy() < opened)[0])
    assert found[0].row == first


def test_an_entry_a_bar_before_its_signal_is_found(candles: Candles) -> None:
    found = check_fills(trades_at(candles, ENTRIES - 1), SIGNALS, candles, BAR).findings
    assert [leak.code for leak in found] == ["fill-early"]
    assert (found[0].used_utc, found[0].known_utc) == ("2024-01-01T09:00:00Z", "2024-01-01T10:00:00Z")


def test_an_entry_without_any_signal_is_found(candles: Candles) -> None:
    assert codes(trades_at(candles, ENTRIES), candles, {"A": SIGNALS["A"][:5]}) == ["fill-early"]
    assert codes(trades_at(candles, ENTRIES), candles, {}) == ["fill-early"]


def test_an_entry_where_there_is_no_candle_is_found(candles: Candles) -> None:
    trades = trades_at(candles, ENTRIES)
    holed = {"A": candles["A"].drop(index=int(ENTRIES[3])).reset_index(drop=True)}
    found = check_fills(trades, SIGNALS, holed, BAR).findings
    assert [(leak.code, leak.row) for leak in found] == [("fill-price", 3)]


def with_barriers(candles: Candles, width: float, is_optimistic: bool) -> pd.DataFrame:
    """Stops and targets around the entry; where one bar has both, the stop, or the target when optimistic."""
    frame, lines = candles["A"], []
    for entry in ENTRIES:
        price = frame["open"].iloc[entry]
        stop, target = price * (1 - width), price * (1 + width)
        for bar in range(int(entry), int(entry) + 8):
            low, high = frame["low"].iloc[bar], frame["high"].iloc[bar]
            is_stopped, is_reached = low <= stop, high >= target
            if is_stopped or is_reached:
                wins = is_reached and (is_optimistic or not is_stopped)
                lines.append((entry, bar, price, target if wins else stop, stop, target))
                break
        else:
            bar = int(entry) + 8
            lines.append((entry, bar, price, frame["open"].iloc[bar], stop, target))
    table = pd.DataFrame(lines, columns=["entry", "exit", "entry_price", "exit_price", "stop_price", "target_price"])
    times = frame["open_time_ms"].to_numpy()
    return table.assign(symbol="A", entry_ms=times[table["entry"]], exit_ms=times[table["exit"]])


@pytest.mark.parametrize("width", [0.004, 0.008, 0.02])
def test_the_stop_first_raises_nothing(width: float, candles: Candles) -> None:
    assert codes(with_barriers(candles, width, is_optimistic=False), candles) == []


def test_the_target_first_in_a_bar_with_both_is_found(candles: Candles) -> None:
    honest, rosy = (with_barriers(candles, 0.004, is_optimistic=each) for each in (False, True))
    found = check_fills(rosy, SIGNALS, candles, BAR).findings
    assert [leak.code for leak in found] == ["fill-order"]
    assert found[0].row == int(np.flatnonzero(honest["exit_price"] != rosy["exit_price"])[0])


def test_holding_on_through_the_stop_is_found(candles: Candles) -> None:
    trades = with_barriers(candles, 0.004, is_optimistic=False)
    late = trades["exit"].to_numpy() + 3
    trades["exit_ms"] = candles["A"]["open_time_ms"].to_numpy()[late]
    trades["exit_price"] = candles["A"]["open"].to_numpy()[late]
    assert codes(trades, candles) == ["fill-order"]


def test_an_exit_above_the_open_is_found(candles: Candles) -> None:
    trades, frame = trades_at(candles, ENTRIES), candles["A"]
    trades.loc[7, "exit_price"] = frame["high"].iloc[ENTRIES[7] + 4]
    found = check_fills(trades, SIGNALS, candles, BAR).findings
    assert [(leak.code, leak.row) for leak in found] == [("fill-price", 7)]


def test_a_target_is_sold_at_its_price_and_not_above(candles: Candles) -> None:
    trades = with_barriers(candles, 0.008, is_optimistic=False)
    won = trades["exit_price"] == trades["target_price"]
    trades.loc[won, "exit_price"] = candles["A"]["high"].to_numpy()[trades["exit"][won]]
    assert codes(trades, candles) == ["fill-price"]


def test_a_stop_is_not_filled_above_the_open_of_a_gap(candles: Candles) -> None:
    trades = with_barriers(candles, 0.008, is_optimistic=False)
    bar = int(trades["exit"][trades["exit_price"] == trades["stop_price"]].iloc[0])
    candles["A"].loc[bar, "open"] = candles["A"]["low"].iloc[bar]
    assert codes(trades, candles) == ["fill-price"]


def test_the_last_trade_may_end_at_the_last_close_and_no_other_where_there_is_no_candle(candles: Candles) -> None:
    trades, frame = trades_at(candles, ENTRIES), candles["A"]
    trades.loc[len(trades) - 1, "exit_ms"] = frame["open_time_ms"].iloc[-1] + BAR
    trades.loc[len(trades) - 1, "exit_price"] = frame["close"].iloc[-1]
    assert codes(trades, candles) == []
    holed = {"A": frame.drop(index=int(ENTRIES[3] + 4)).reset_index(drop=True)}
    found = check_fills(trades, SIGNALS, holed, BAR).findings
    assert [(leak.code, leak.row) for leak in found] == [("fill-price", 3)]
