"""From predictions and the trade list to the check of fills: silent on the back-test's own trades, with any options."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from candlelock.audit.leakage import _in_ms, _signals, _traded
from candlelock.contracts.tables import PREDICTIONS, TIME
from candlelock.evaluate.backtest import backtest
from candlelock.evaluate.trading import trade_list
from candlelock.leakage.fills import check_fills
from candlelock.leakage.stays import Orders
from candlelock.snapshot.candles import to_frame
from tests.trading_runs import trading_params

if TYPE_CHECKING:
    import pandas as pd

    from candlelock.contracts.backtest_params import BacktestParams
    from candlelock.contracts.leakage_documents import LeakCheck

BAR_MS = 6 * 3_600_000
N_BARS, FIRST_TEST, LAST_TEST, HORIZON_BARS = 400, 40, 300, 3  # test ends long before the candles
OPTIONS: dict[str, dict[str, Any]] = {
    "long only": {},
    "both sides": {"short_p_up": 0.45},
    "one direction": {"short_p_up": 0.45, "one_direction": True},
    "stop and target": {"short_p_up": 0.45, "exit": {"stop_bps": 150.0, "target_bps": 250.0}},
    "limits": {"short_p_up": 0.45, "entry": {"kind": "limit", "limit_bps": 20.0}, "exit": {"stop_bps": 90.0}},
    "volatility": {"short_p_up": 0.45, "sizing": {"kind": "volatility", "window_bars": 60}},
    "kelly": {"short_p_up": 0.45, "sizing": {"kind": "kelly", "window_bars": 60}},
    "limits of the whole": {"short_p_up": 0.45, "risk": {"daily_loss_frac": 0.01, "drawdown_frac": 0.3}},
}


def draw_candles(seed: int) -> pa.Table:
    """A walk in cents that opens a little off its last close, two bars in a hundred missing."""
    random = np.random.default_rng(seed)
    close = np.rint(10_000 * np.exp(np.cumsum(random.normal(0, 0.01, N_BARS)))).astype(int)
    opened = np.append(10_000, close[:-1]) + random.integers(-30, 31, N_BARS)
    prices = {"open": opened, "high": np.maximum(opened, close) + 40, "low": np.minimum(opened, close) - 40}
    columns = {
        name: pa.array([Decimal(int(v)).scaleb(-2) for v in values], pa.decimal128(18, 2))
        for name, values in {**prices, "close": close, "volume": random.integers(1, 10**6, N_BARS)}.items()
    }
    table = pa.table({"open_time_utc": pa.array(np.arange(N_BARS) * BAR_MS).cast(TIME), **columns})
    return table.filter(pa.array(random.random(N_BARS) > 0.02))


CANDLES = {"A/Q": draw_candles(1), "B/Q": draw_candles(2)}


def predictions() -> pa.Table:
    """Rows of test from FIRST_TEST to LAST_TEST, a third of them with a set of both directions."""
    random, parts = np.random.default_rng(5), []
    for symbol, table in CANDLES.items():
        opens = table["open_time_utc"].cast("int64").to_numpy()
        opens = opens[(opens >= FIRST_TEST * BAR_MS) & (opens <= LAST_TEST * BAR_MS)]
        p_up = random.normal(0.5, 0.08, len(opens)).clip(0, 1)
        is_both = random.random(len(opens)) < 1 / 3
        given = {
            "symbol": [symbol] * len(opens),
            "open_time_utc": opens,
            "segment": ["test"] * len(opens),
            "p_up": p_up,
            "may_be_up": (p_up > 0.5) | is_both,
            "may_be_down": (p_up <= 0.5) | is_both,
            "has_signal": p_up > 0.55,
        }
        empty = {column.name: [None if column.nullable else 0] * len(opens) for column in PREDICTIONS.columns}
        parts.append(
            pa.table({c.name: pa.array(given.get(c.name, empty[c.name])).cast(c.dtype) for c in PREDICTIONS.columns})
        )
    return pa.concat_tables(parts)


def traded(params: BacktestParams) -> pa.Table:
    return trade_list(backtest(predictions(), CANDLES, params, HORIZON_BARS, BAR_MS)[1])


def check(trades: pa.Table, params: BacktestParams, frames: dict[str, pd.DataFrame] | None = None) -> LeakCheck:
    longs, shorts = _signals(predictions(), BAR_MS, params)
    whole = {name: to_frame(table) for name, table in CANDLES.items()}
    bars = frames or _traded(whole, predictions(), HORIZON_BARS, BAR_MS)
    return check_fills(_in_ms(trades), longs, bars, BAR_MS, shorts=shorts, orders=Orders.of(params, HORIZON_BARS))


@pytest.mark.parametrize("name", OPTIONS)
def test_the_back_test_s_own_trades_raise_nothing(name: str) -> None:
    params = trading_params(**{"capital": 10_000, "slippage_bps": 5.0, **OPTIONS[name]})
    trades = traded(params)
    found = check(trades, params)
    assert found.findings == []
    assert found.n_compared == trades.num_rows > 20


def test_shorts_are_told_by_the_parameter_alone() -> None:
    both = trading_params(**OPTIONS["both sides"])
    lower = trading_params(short_p_up=0.4)
    assert {leak.code for leak in check(traded(both), lower).findings} >= {"fill-early"}
    assert _signals(predictions(), BAR_MS, trading_params())[1] == {}


def test_trades_on_sets_of_two_directions_are_found() -> None:
    loose, strict = trading_params(**OPTIONS["both sides"]), trading_params(**OPTIONS["one direction"])
    assert {leak.code for leak in check(traded(loose), strict).findings} >= {"fill-early"}


def test_the_end_is_that_of_the_span_and_not_of_the_candles() -> None:
    params = trading_params(**OPTIONS["stop and target"])
    trades = traded(params)
    assert "end" in trades["left"].to_pylist()
    whole = {name: to_frame(table) for name, table in CANDLES.items()}
    assert {leak.code for leak in check(trades, params, whole).findings} == {"fill-price"}


def test_all_candles_are_the_span_where_nothing_was_tested() -> None:
    whole = {name: to_frame(table) for name, table in CANDLES.items()}
    assert _traded(whole, predictions().slice(0, 0), HORIZON_BARS, BAR_MS) == whole
