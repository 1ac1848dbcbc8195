"""How fast the back-test is: bars a second and milliseconds for the report, beside vectorbt where it is installed.

    python benchmarks/backtest.py                            # 5 symbols of 35,000 half-hour bars, 7 repeats
    python benchmarks/backtest.py --symbols 10 --bars 100000 --repeats 3
    python benchmarks/backtest.py --vectorbt FOLDER          # where `pip install --target FOLDER vectorbt` put it

Candles are drawn: a walk of half-hour returns with a deviation of 0.5 %, prices with five decimals, one bar in 200
missing. One bar in 25 has a signal, held for four bars. `backtest` is trades, equity, the
headline, and the costs at four multiples; `full report` adds the rest of what the stage computes, the document and the
tables of `evaluate.trading`. vectorbt
gets the same fills as arrays and gives return, Sharpe ratio and drawdown, in float64, once for each of the same four
costs and the headline. Times are medians; one call before the clock starts, so that nothing is compiled in them. Bars a
second are of the process's own time (CPU): other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from candlelock.artifacts import numeric_environment

numeric_environment.lock()

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import pyarrow as pa  # noqa: E402

from candlelock.artifacts.user_files import read_params  # noqa: E402
from candlelock.contracts.tables import PREDICTIONS, TIME  # noqa: E402
from candlelock.evaluate.backtest import backtest  # noqa: E402
from candlelock.evaluate.trading import draw_curves, report_trading, trade_list, trading_curve  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
BAR_MS = 1_800_000
FIRST_MS = 1_704_067_200_000  # 2024-01-01
HORIZON_BARS = 4
DEVIATION, MISSING_FRAC, SIGNAL_FRAC = 0.005, 0.005, 0.04
PLACES = 5


@dataclass(frozen=True)
class Market:
    """Candles by symbol, predictions whose every row is a test row, and the same closes and opens as frames."""

    candles: dict[str, pa.Table]
    predictions: pa.Table
    opened: pd.DataFrame
    closed: pd.DataFrame


def draw_market(n_symbols: int, n_bars: int, seed: int) -> Market:
    """A market of `n_symbols` walks; the first and the last bar are always there."""
    random = np.random.default_rng(seed)
    candles, rows, opened, closed = {}, [], {}, {}
    for number in range(n_symbols):
        symbol = f"S{number:02d}/USD"
        close = np.exp(np.cumsum(random.normal(0, DEVIATION, n_bars))) * 100
        first = np.append(100.0, close[:-1])
        spread = np.exp(np.abs(random.normal(0, DEVIATION / 2, (2, n_bars))))
        high, low = np.maximum(first, close) * spread[0], np.minimum(first, close) / spread[1]
        is_there = random.random(n_bars) >= MISSING_FRAC
        is_there[[0, -1]] = True
        times = (FIRST_MS + np.arange(n_bars) * BAR_MS)[is_there]
        values = {"open": first, "high": high, "low": low, "close": close, "volume": random.gamma(2.0, 500.0, n_bars)}
        exact = {name: _decimals(column[is_there]) for name, column in values.items()}
        candles[symbol] = pa.table({"open_time_utc": pa.array(times).cast(TIME), **exact})
        rows.append(_rows(symbol, times, random))
        index = pd.to_datetime(times, unit="ms")
        opened[symbol] = pd.Series(exact["open"].cast(pa.float64()).to_numpy(), index)
        closed[symbol] = pd.Series(exact["close"].cast(pa.float64()).to_numpy(), index)
    return Market(candles, pa.concat_tables(rows), pd.DataFrame(opened), pd.DataFrame(closed))


def _decimals(values: np.ndarray) -> pa.Array:
    """Rounded to PLACES, exactly."""
    units = np.rint(values * 10**PLACES).astype(np.int64)
    words = np.zeros((len(units), 2), dtype=np.int64)
    words[:, 0] = units
    return pa.Array.from_buffers(pa.decimal128(24, PLACES), len(units), [None, pa.py_buffer(words.tobytes())])


def _rows(symbol: str, times: np.ndarray, random: np.random.Generator) -> pa.Table:
    n = len(times)
    has_signal = random.random(n) < SIGNAL_FRAC
    p_up = np.where(has_signal, random.uniform(0.6, 0.8, n), random.uniform(0.3, 0.6, n))
    given: dict[str, Any] = {"symbol": [symbol] * n, "open_time_utc": times, "segment": ["test"] * n}
    given |= {"p_up": p_up, "has_signal": has_signal}
    blank = {column.name: [None] * n if column.nullable else np.zeros(n) for column in PREDICTIONS.columns}
    columns = {column.name: pa.array((blank | given)[column.name]).cast(column.dtype) for column in PREDICTIONS.columns}
    return pa.table(columns)


def measure(work: Callable[[], object], repeats: int) -> tuple[float, float, float]:
    """Medians of the wall's and the process's own milliseconds of a call, and the least of the latter."""
    work()
    wall, own = [], []
    for _ in range(repeats):
        begin, begin_own = time.perf_counter(), time.process_time()
        work()
        wall.append(1000 * (time.perf_counter() - begin))
        own.append(1000 * (time.process_time() - begin_own))
    return statistics.median(wall), statistics.median(own), min(own)


def trade_ours(market: Market) -> int:
    """The headline and the list of trades; the number of these."""
    report, ledger = backtest(market.predictions, market.candles, read_params(ROOT).backtest, HORIZON_BARS, BAR_MS)
    trade_list(ledger)
    return report.n_trades


def report_ours(market: Market) -> int:
    """The same, and the whole report: curves, months, exposure, 25 costs, break-even, five sizes, both tables."""
    params = read_params(ROOT).backtest
    _, ledger = backtest(market.predictions, market.candles, params, HORIZON_BARS, BAR_MS)
    curves = draw_curves(ledger, market.predictions, market.candles, params, HORIZON_BARS)
    report_trading(ledger, curves, params, HORIZON_BARS)
    trade_list(ledger)
    trading_curve(ledger, curves)
    return len(ledger.trades)


def fills_of(market: Market) -> tuple[pd.DataFrame, pd.DataFrame]:
    """At which rows our engine buys and sells, as frames of booleans."""
    _, ledger = backtest(market.predictions, market.candles, read_params(ROOT).backtest, HORIZON_BARS, BAR_MS)
    trades = trade_list(ledger).to_pandas()
    buys, sells = (pd.DataFrame(False, market.closed.index, market.closed.columns) for _ in range(2))
    for symbol, own in trades.groupby("symbol"):
        buys.loc[own["entry_time_utc"].dt.tz_localize(None), symbol] = True
        leave = own["exit_time_utc"].dt.tz_localize(None)
        sells.loc[leave[leave <= sells.index[-1]], symbol] = True
    return buys, sells


def trade_vectorbt(market: Market, buys: pd.DataFrame, sells: pd.DataFrame) -> int:
    """The same fills through vectorbt: five accounts, five costs, three figures each; the number of trades."""
    import vectorbt as vbt

    params = read_params(ROOT).backtest
    n_trades = 0
    for multiple in (1.0, *params.cost_multiples):
        portfolio = vbt.Portfolio.from_signals(
            market.closed.ffill(),
            buys,
            sells,
            price=market.opened.ffill(),
            fees=params.fee_bps * multiple / 1e4,
            slippage=params.slippage_bps * multiple / 1e4,
            init_cash=params.capital / len(market.candles),
            freq=pd.Timedelta(milliseconds=BAR_MS),
        )
        equity = portfolio.value().sum(axis=1)
        daily = equity.resample("1D").last().pct_change().dropna()
        _ = (equity.iloc[-1], daily.mean() / daily.std(), (1 - equity / equity.cummax()).max())
        n_trades = int(portfolio.trades.count().sum())
    return n_trades


def say(name: str, n_bars: int, taken: tuple[float, float, float], n_trades: int) -> None:
    """One line: bars a second go by the process's own median."""
    wall, own, low = taken
    speed = f"{n_bars / own / 1000:7.2f} M bars/s"
    print(f"{name:<12} wall {wall:8.1f} ms  CPU {own:8.1f} ms (least {low:.1f})  {speed}  {n_trades} trades")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--symbols", type=int, default=5)
    parser.add_argument("--bars", type=int, default=35_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vectorbt", type=Path, help="folder that vectorbt was installed in")
    given = parser.parse_args()
    market = draw_market(given.symbols, given.bars, given.seed)
    n_bars = sum(table.num_rows for table in market.candles.values())
    say("backtest", n_bars, measure(lambda: trade_ours(market), given.repeats), trade_ours(market))
    say("full report", n_bars, measure(lambda: report_ours(market), given.repeats), report_ours(market))
    if given.vectorbt:
        sys.path.append(str(given.vectorbt))
    warnings.simplefilter("ignore")
    try:
        import vectorbt  # noqa: F401
    except ImportError:
        print("vectorbt     not installed")
        return
    buys, sells = fills_of(market)
    taken = measure(lambda: trade_vectorbt(market, buys, sells), given.repeats)
    say("vectorbt", n_bars, taken, trade_vectorbt(market, buys, sells))


if __name__ == "__main__":
    main()
