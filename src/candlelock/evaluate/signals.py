"""What is wanted: the model's signals, or the reversal rule's, each with a side and a share of its account.

Sizes are taken from the candles up to the signal's close alone.

Does not belong here: fills, costs, limits of the whole.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.artifacts.compiled import compiled
from candlelock.contracts.errors import InputError, Problem
from candlelock.evaluate.costs import costs_of
from candlelock.evaluate.market import Signals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from candlelock.contracts.backtest_params import BacktestParams
    from candlelock.evaluate.market import Floats, Times

YEAR_MS = 365 * 86_400_000


def take_test_rows(predictions: pa.Table) -> pa.Table:
    """Those of the test segment. Raises InputError where there are none."""
    test = predictions.filter(pc.equal(predictions["segment"], "test"))
    if test.num_rows == 0:
        help_line = "rebuild the predictions with `dvc repro`"
        raise InputError(Problem("backtest-no-test-rows", "predictions", "no test row", "at least one", help_line))
    return test


def hear_model(
    test: pa.Table, candles: Mapping[str, pa.Table], params: BacktestParams, horizon_bars: int, bar_ms: int
) -> dict[str, Signals]:
    """Signals of each symbol with test rows: `has_signal` buys, p_up at or below `short_p_up` sells short.

    `test`: rows of a PREDICTIONS table. Raises InputError where a row does both, or a conformal set is asked for that
    the row does not have.
    """
    side = test["has_signal"].to_numpy().astype(np.int64)
    p_up = test["p_up"].to_numpy()
    if params.short_p_up is not None:
        side = side - _shorts(side, p_up, params.short_p_up)
    if params.one_direction:
        side = np.where(_alone(test, side), side, 0)
    opens = test["open_time_utc"].cast(pa.int64()).to_numpy()
    out = {}
    for symbol, rows in _rows_by_symbol(test).items():
        own = rows[side[rows] != 0]
        p_win = np.where(side[own] > 0, p_up[own], 1 - p_up[own])
        weight = size_positions(opens[own], p_win, candles.get(symbol), params, horizon_bars, bar_ms)
        out[symbol] = Signals(opens[own], side[own], weight)
    return out


def _rows_by_symbol(test: pa.Table) -> dict[str, Times]:
    """Symbol -> its rows; the table is sorted by symbol."""
    counts = test["symbol"].value_counts()
    n_rows = counts.field("counts").to_numpy()
    ends = np.cumsum(n_rows)
    spans = zip(counts.field("values").to_pylist(), ends - n_rows, ends, strict=True)
    return {symbol: np.arange(begin, end) for symbol, begin, end in spans}


def _shorts(longs: Times, p_up: Floats, short_p_up: float) -> Times:
    is_short = p_up <= short_p_up
    if (is_short & (longs == 1)).any():
        highest = p_up[is_short & (longs == 1)].max()
        found, expected = f"p_up {highest:g} both buys and sells short", "a value below the threshold that buys"
        raise InputError(Problem("backtest-sides", "backtest.short_p_up", found, expected, "lower it in params.yaml"))
    return is_short.astype(np.int64)


def _alone(test: pa.Table, side: Times) -> npt.NDArray[np.bool_]:
    """Where the conformal set holds the signal's direction and no other."""
    lost = pc.or_(test["may_be_up"].is_null(), test["may_be_down"].is_null()).to_numpy()
    if (lost & (side != 0)).any():
        found, expected = "a signal without a conformal set", "may_be_up and may_be_down in every test row"
        help_line = "predict again with `dvc repro`, or set backtest.one_direction to false"
        raise InputError(Problem("backtest-no-set", "predictions", found, expected, help_line))
    up, down = (test[name].fill_null(False).to_numpy() for name in ("may_be_up", "may_be_down"))
    return np.asarray(np.where(side > 0, up & ~down, down & ~up))


def size_positions(
    at_ms: Times, p_win: Floats, candles: pa.Table | None, params: BacktestParams, horizon_bars: int, bar_ms: int
) -> Floats:
    """Share of the account of each signal, shape (n_signals,); 0 where the candles up to it are too few to tell.

    `volatility`: volatility_frac over the annual deviation (ddof 1) of the last `window_bars` returns from candle to
    candle. `kelly`: kelly_frac of p / loss - (1 - p) / gain (Kelly 1956, for a bet that wins `gain` or loses `loss` of
    the stake), from the stop and target where they are set, else the mean size of a move over the horizon in the last
    `window_bars` candles; the costs of both fills make the loss larger and the gain smaller. None is above max_frac.
    """
    sizing = params.sizing
    if sizing.kind == "fixed" or candles is None:
        return np.full(len(at_ms), sizing.max_frac)
    closed = candles["close"].cast(pa.float64()).to_numpy()
    known = np.searchsorted(candles["open_time_utc"].cast(pa.int64()).to_numpy(), at_ms)
    is_volatility = sizing.kind == "volatility"
    spread = np.full(len(at_ms), np.nan)
    _spread_moves(closed, known, sizing.window_bars, 1 if is_volatility else horizon_bars, is_volatility, spread)
    if is_volatility:
        annual = spread * math.sqrt(YEAR_MS / bar_ms)
        wish = np.divide(sizing.volatility_frac, annual, out=np.full(len(annual), np.inf), where=annual != 0)
    else:
        wish = sizing.kelly_frac * _kelly(p_win, spread, params)
    return np.where(np.isnan(wish), 0.0, np.clip(wish, 0.0, sizing.max_frac))


def _kelly(p_win: Floats, move: Floats, params: BacktestParams) -> Floats:
    paid = costs_of(params)
    cost = 2 * float(paid.fee_frac + paid.slippage_frac)
    stop, target = params.exit.stop_bps, params.exit.target_bps
    loss = (move if stop is None else stop / 1e4) + cost + np.zeros_like(move)
    gain = (move if target is None else target / 1e4) - cost + np.zeros_like(move)
    share = np.divide(p_win, loss, out=np.zeros_like(move), where=loss > 0)
    less = np.divide(1 - p_win, gain, out=np.full_like(move, np.inf), where=gain > 0)
    return np.where(np.isnan(move), np.nan, share - less)


@compiled
def _spread_moves(closed: Floats, known: Times, window: int, step: int, is_deviation: bool, out: Floats) -> None:
    """Deviation, or mean size, of the last `window` returns over `step` candles; `out` stays where there are fewer."""
    for number in range(len(known)):
        last = known[number]
        if last + 1 < window + step or last >= len(closed):
            continue
        mean = total = 0.0
        for at in range(last + 1 - window, last + 1):
            move = closed[at] / closed[at - step] - 1
            mean += move
            total += abs(move)
        if is_deviation:
            mean, total = mean / window, 0.0
            for at in range(last + 1 - window, last + 1):
                total += (closed[at] / closed[at - step] - 1 - mean) ** 2
            out[number] = np.sqrt(total / (window - 1))
        else:
            out[number] = total / window


def hear_reversal(
    test: pa.Table, candles: Mapping[str, pa.Table], weight: float, horizon_bars: int, bar_ms: int
) -> dict[str, Signals]:
    """The rule to beat: buy, with `weight` of the account, after every test row that closes below a horizon earlier.

    A row without a candle a horizon earlier has no signal.
    """
    opens = test["open_time_utc"].cast(pa.int64()).to_numpy()
    out = {}
    for symbol, rows in _rows_by_symbol(test).items():
        own, table = opens[rows], candles[symbol]
        times = table["open_time_utc"].cast(pa.int64()).to_numpy()
        closed = table["close"].cast(pa.float64()).to_numpy()
        then = own - horizon_bars * bar_ms
        now, before = (np.minimum(np.searchsorted(times, at), len(times) - 1) for at in (own, then))
        at_ms = own[(times[before] == then) & (times[now] == own) & (closed[now] < closed[before])]
        out[symbol] = Signals(at_ms, np.ones(len(at_ms), dtype=np.int64), np.full(len(at_ms), weight))
    return out
