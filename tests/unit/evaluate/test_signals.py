from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from candlelock.contracts.errors import InputError
from candlelock.contracts.tables import PREDICTIONS, TIME
from candlelock.evaluate.market import Signals
from candlelock.evaluate.signals import hear_model, hear_reversal, size_positions, take_test_rows
from tests.trading_runs import trading_params

BAR_MS = 3_600_000
CLOSES = np.rint(10_000 * np.exp(np.cumsum(np.random.default_rng(5).normal(0, 0.01, 60)))).astype(int)


def candles(closes: np.ndarray = CLOSES) -> pa.Table:
    prices = pa.array([Decimal(int(v)).scaleb(-2) for v in closes], pa.decimal128(18, 2))
    return pa.table({"open_time_utc": pa.array(np.arange(len(closes)) * BAR_MS).cast(TIME), "close": prices})


def rows(p_up: list[float], buys: list[bool], may: list[tuple[Any, Any]], first_bar: int = 50) -> pa.Table:
    n = len(p_up)
    times = (first_bar + np.arange(n)) * BAR_MS
    up, down = zip(*may, strict=True)
    columns = [["A/Q"] * n, times, ["test"] * n, *[p_up] * 5, up, down, *[[None] * n] * 3, buys]
    arrays = [pa.array(v).cast(c.dtype) for v, c in zip(columns, PREDICTIONS.columns, strict=True)]
    return pa.table(arrays, names=[c.name for c in PREDICTIONS.columns])


def hear(table: pa.Table, **changed: Any) -> list[tuple[int, int, float]]:
    """(bar, side, weight) of each signal."""
    heard = hear_model(table, {"A/Q": candles()}, trading_params(**changed), 3, BAR_MS)["A/Q"]
    return list(zip((heard.at_ms // BAR_MS).tolist(), heard.side.tolist(), heard.weight.tolist(), strict=True))


NO_SETS = [(None, None)] * 4
TABLE = rows([0.7, 0.5, 0.3, 0.2], [True, False, False, False], NO_SETS)


def test_long_only_buys_what_the_model_says() -> None:
    assert hear(TABLE) == [(50, 1, 1.0)]


def test_a_low_p_up_sells_short_and_the_bound_counts() -> None:
    assert hear(TABLE, short_p_up=0.3, sizing={"max_frac": 0.5}) == [(50, 1, 0.5), (52, -1, 0.5), (53, -1, 0.5)]


def test_a_row_that_buys_and_sells_is_refused() -> None:
    with pytest.raises(InputError, match=r"p_up 0.7 both buys and sells short") as raised:
        hear(TABLE, short_p_up=0.8)
    assert raised.value.problems[0].code == "backtest-sides"


def test_only_the_set_of_one_direction_trades() -> None:
    sets = [(True, True), (True, False), (False, True), (False, False)]
    table = rows([0.7, 0.7, 0.2, 0.2], [True, True, False, False], sets)
    assert hear(table, short_p_up=0.3, one_direction=True) == [(51, 1, 1.0), (52, -1, 1.0)]


def test_a_signal_without_a_set_is_refused() -> None:
    with pytest.raises(InputError) as raised:
        hear(TABLE, one_direction=True)
    assert raised.value.problems[0].code == "backtest-no-set"


def sizes(at: list[int], p_win: list[float], **sizing: Any) -> list[float]:
    options = sizing.pop("options", {})
    params = trading_params(sizing=sizing, **options)
    times = np.array(at, dtype=np.int64) * BAR_MS
    return size_positions(times, np.array(p_win), candles(), params, 3, BAR_MS).tolist()


def test_volatility_sizes_are_those_of_pandas() -> None:
    annual = pd.Series(CLOSES / 100).pct_change().rolling(20).std() * np.sqrt(365 * 24)
    at = [20, 33, 59]
    given = sizes(at, [0.5] * 3, kind="volatility", volatility_frac=0.4, window_bars=20)
    assert given == pytest.approx([0.4 / annual[bar] for bar in at])
    assert max(given) < 1
    assert sizes(at, [0.5] * 3, kind="volatility", volatility_frac=40.0, max_frac=0.7, window_bars=20) == [0.7] * 3


def test_too_few_candles_give_no_size() -> None:
    assert sizes([19], [0.5], kind="volatility", window_bars=20) == [0.0]
    assert sizes([21, 22], [0.99, 0.99], kind="kelly", window_bars=20) == [0.0, 1.0]


def test_sizes_see_nothing_later() -> None:
    params = trading_params(sizing={"kind": "volatility", "volatility_frac": 0.4, "window_bars": 20})
    times, p_win = np.array([33]) * BAR_MS, np.array([0.6])
    known = size_positions(times, p_win, candles(CLOSES[:34]), params, 3, BAR_MS)
    assert known == size_positions(times, p_win, candles(), params, 3, BAR_MS)


def test_kelly_by_hand() -> None:
    # Wins 4 %, loses 2 %, no costs: f = p / 0.02 - (1 - p) / 0.04; with p = 0.34 it is 0.5, of which half is taken.
    levels = {"exit": {"stop_bps": 200.0, "target_bps": 400.0}}
    half = {"kind": "kelly", "kelly_frac": 0.5, "window_bars": 5}
    assert sizes([40], [0.34], options=levels, **half) == pytest.approx([0.25])
    assert sizes([40, 40], [0.30, 0.5], options=levels, **half) == [0.0, 1.0]
    # Costs of 0.1 % a fill: wins 3.8 %, loses 2.2 %.
    dear = {**levels, "fee_bps": 8.0, "slippage_bps": 2.0}
    assert sizes([40], [0.38], options=dear, **half) == pytest.approx([0.5 * (0.38 / 0.022 - 0.62 / 0.038)])


def test_kelly_without_levels_takes_the_usual_move() -> None:
    moves = pd.Series(CLOSES / 100).pct_change(3).abs().rolling(10).mean()
    given = sizes([45], [0.501], kind="kelly", kelly_frac=1.0, window_bars=10)
    assert given == pytest.approx([0.002 / moves[45]])


def test_the_reversal_rule_buys_after_a_fall_and_needs_the_earlier_candle() -> None:
    table = candles()
    with_gap = table.filter(pa.array([bar != 49 for bar in range(60)]))
    test = take_test_rows(rows([0.5] * 8, [False] * 8, [(None, None)] * 8))
    heard = hear_reversal(test, {"A/Q": with_gap}, 0.5, 3, BAR_MS)["A/Q"]
    fallen = [bar for bar in range(50, 58) if bar != 52 and CLOSES[bar] < CLOSES[bar - 3]]
    assert (heard.at_ms // BAR_MS).tolist() == fallen
    assert isinstance(heard, Signals)
    assert set(heard.weight.tolist()) == {0.5}
