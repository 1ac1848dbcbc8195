"""Whether trades could have been had: after their signal, at a price the bar offered, the worse of two exits first.

Works on any back-test's list of long trades. A signal is known at its bar's close; what a bar's prices say is known at
its end, so that an order goes out with the next open. Trades that say their side, how they were entered and why they
were left are held to the rules of `fill_rules`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.contracts.leakage_documents import Leak, LeakCheck
from candlelock.leakage.fill_rules import ROOM, find_breaches
from candlelock.leakage.rows import leak_check, when
from candlelock.leakage.stays import COLUMNS, NEVER, Heard, Stays

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt
    import pandas as pd

    from candlelock.contracts.leakage_documents import FillCode
    from candlelock.leakage.rows import Times
    from candlelock.leakage.stays import Orders

    Array = npt.NDArray[np.float64]

WHAT = "each trade against its signal and the candles: entry after the signal, prices the bar had, the worse exit first"
HELPS: Mapping[FillCode, str] = {
    "fill-early": "a signal is known at its bar's close: fill at the next open or later",
    "fill-price": "fill at the open of the bar, and slippage worse; a close is known when it is over",
    "fill-order": "where stop and target lie in one bar, nothing says which came first: take the stop",
}


def check_fills(
    trades: pd.DataFrame,
    signals: Mapping[str, Times],
    candles: Mapping[str, pd.DataFrame],
    bar_ms: int,
    *,
    shorts: Mapping[str, Times] | None = None,
    orders: Orders | None = None,
) -> LeakCheck:
    """Findings on trades that could not have been had, one for each kind and side.

    `trades`: symbol, entry_ms, exit_ms, entry_price, exit_price of long trades, filled at opens, and, where they have
    them, stop_price and target_price, NaN where there is none; of each symbol in order of time. Its last trade may end
    at the close of the last bar. `signals`: symbol -> decision times to buy, rising. `candles`: symbol -> open_time_ms,
    open, high, low, close, in order of time.

    With the columns side, entered and left, as TRADE_LIST has them, the rules of docs/backtest.md hold instead, and
    stop_price and target_price are not read. `shorts`: as `signals`, to sell short. `orders`: what stood; None: not
    known, so that stops, targets, limits and the time are held to what any could have done. At the end is the end of
    the symbol's candles.
    """
    findings: list[Leak] = []
    for symbol, own in trades.groupby("symbol", sort=True):
        bars, known = candles[str(symbol)], _times_of(signals, str(symbol))
        if set(COLUMNS) <= set(own.columns):
            heard = Heard(known, _times_of(shorts or {}, str(symbol)))
            findings += _listed(str(symbol), own, Stays.of(own, bars, bar_ms), heard, orders)
            continue
        findings += _early(str(symbol), own, known)
        findings += _entries(str(symbol), own, bars)
        findings += _exits(str(symbol), own, bars, bar_ms)
        if {"stop_price", "target_price"} <= set(own.columns):
            findings += _orders(str(symbol), own, bars, bar_ms)
    return leak_check("fills", WHAT, len(trades), findings, {"n_trades": len(trades)})


def _times_of(signals: Mapping[str, Times], symbol: str) -> Times:
    return np.asarray(signals.get(symbol, np.empty(0, np.int64)))


def _listed(symbol: str, trades: pd.DataFrame, stays: Stays, heard: Heard, orders: Orders | None) -> Iterator[Leak]:
    """One finding for each rule that is broken, at its first trade."""
    for breach in find_breaches(stays, heard, orders):
        wrong = np.flatnonzero(breach.is_wrong)
        if len(wrong):
            at = int(wrong[0])
            known, used = int(breach.known_ms[at]), int(breach.used_ms[at])
            detail = f"{len(wrong):,} {breach.words(at)}"
            row = trades.index[at]
            yield _leak(breach.code, symbol, row, None if known == NEVER else known, used, detail, breach.help)


def _early(symbol: str, trades: pd.DataFrame, known: Times) -> Iterator[Leak]:
    """Entries before the first signal after the trade before: nothing had told to buy."""
    entries, exits = trades["entry_ms"].to_numpy(), trades["exit_ms"].to_numpy()
    free = np.append(np.iinfo(np.int64).min, exits[:-1])
    never = np.iinfo(np.int64).max
    decided = np.append(known, never)[np.searchsorted(known, free, side="left")]
    early = np.flatnonzero(entries < decided)
    if len(early):
        at = int(early[0])
        told = int(decided[at])
        is_none = told == never
        words = "without any signal since" if is_none else f"before the signal of {when(told)}, the first since"
        detail = f"{len(early):,} entries, this one at {when(entries[at])} {words} the trade before"
        yield _leak("fill-early", symbol, trades.index[at], None if is_none else told, int(entries[at]), detail)


def _entries(symbol: str, trades: pd.DataFrame, bars: pd.DataFrame) -> Iterator[Leak]:
    """Entries below the open of their bar: a price that was gone, or not there yet."""
    times, price = trades["entry_ms"].to_numpy(), trades["entry_price"].to_numpy(float)
    at, is_there = _find(bars, times)
    first = bars["open"].to_numpy(float)[at]
    wrong = np.flatnonzero(~is_there | (price < first * (1 - ROOM)))
    if len(wrong):
        one = int(wrong[0])
        offer = f"the bar opened at {first[one]:.10g}" if is_there[one] else "there is no candle"
        detail = f"{len(wrong):,} entries, this one at {when(times[one])} for {price[one]:.10g}, where {offer}"
        yield _leak("fill-price", symbol, trades.index[one], None, int(times[one]), detail)


def _exits(symbol: str, trades: pd.DataFrame, bars: pd.DataFrame, bar_ms: int) -> Iterator[Leak]:
    """Exits above the open of their bar, but for a target that the bar reached and a close at the end of all."""
    times, price = trades["exit_ms"].to_numpy(), trades["exit_price"].to_numpy(float)
    at, is_there = _find(bars, times)
    best = np.where(is_there, bars["open"].to_numpy(float)[at], -np.inf)
    if "target_price" in trades.columns:
        target = trades["target_price"].to_numpy(float)
        is_reached = is_there & (bars["high"].to_numpy(float)[at] >= target)
        best = np.where(is_reached, np.fmax(best, target), best)
    before, is_over = _find(bars, times[-1:] - bar_ms)
    if is_over[0]:
        best[-1] = max(best[-1], float(bars["close"].iloc[before[0]]))
    wrong = np.flatnonzero(price > best * (1 + ROOM))
    if len(wrong):
        one = int(wrong[0])
        offer = f"{best[one]:.10g} was to be had" if np.isfinite(best[one]) else "there is no candle"
        detail = f"{len(wrong):,} exits, this one at {when(times[one])} for {price[one]:.10g}, where {offer}"
        yield _leak("fill-price", symbol, trades.index[one], None, int(times[one]), detail)


def _find(bars: pd.DataFrame, times: Times) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Place of the candle that opens at each time, and whether there is one."""
    opened = bars["open_time_ms"].to_numpy()
    at = np.minimum(np.searchsorted(opened, times), len(opened) - 1)
    return at, opened[at] == times


def _orders(symbol: str, trades: pd.DataFrame, bars: pd.DataFrame, bar_ms: int) -> Iterator[Leak]:
    """Exits above the stop although a bar of the trade, that of a target reached included, fell to the stop."""
    opened, first, low, high = (bars[name].to_numpy() for name in ("open_time_ms", "open", "low", "high"))
    begin = np.searchsorted(opened, trades["entry_ms"].to_numpy())
    end = np.minimum(np.searchsorted(opened, trades["exit_ms"].to_numpy()), len(opened) - 1)
    stop, target, exit_price = (trades[name].to_numpy(float) for name in ("stop_price", "target_price", "exit_price"))
    is_inside = (exit_price >= target * (1 - ROOM)) & (first[end] < target)  # at the target, within its bar
    wrong = []
    for number in np.flatnonzero(exit_price > stop * (1 + ROOM)).tolist():
        fallen = np.flatnonzero(low[begin[number] : end[number] + is_inside[number]] <= stop[number])
        if len(fallen):
            wrong.append((number, int(begin[number] + fallen[0])))
    if wrong:
        at, bar = wrong[0]
        detail = (
            f"{len(wrong):,} exits above the stop, this one for {exit_price[at]:.10g}, though the bar of "
            f"{when(opened[bar])} went from {low[bar]:.10g} to {high[bar]:.10g}, and the stop stood at {stop[at]:.10g}"
        )
        yield _leak("fill-order", symbol, trades.index[at], int(opened[bar]) + bar_ms, int(opened[bar]), detail)


def _leak(
    code: FillCode,
    symbol: str,
    row: int,
    known_ms: int | None,
    used_ms: int,
    detail: str,
    help_line: str | None = None,
) -> Leak:
    return Leak(
        code=code,
        subject="trades",
        symbol=symbol,
        row=int(row),
        known_utc=None if known_ms is None else when(known_ms),
        used_utc=when(used_ms),
        detail=detail,
        help=help_line or HELPS[code],
    )
