"""The rules of docs/backtest.md, held against trades that say their side, how they were entered and why they were left.

A second reading of the rules, from what lies on disk: nothing of the back-test's own code is used. Prices are compared
by side: `side * price`, so that more is always better at an exit and worse at an entry.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from candlelock.leakage.rows import when
from candlelock.leakage.stays import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from candlelock.contracts.leakage_documents import FillCode
    from candlelock.leakage.rows import Mask, Times
    from candlelock.leakage.stays import Array, Heard, Orders, Stays


ROOM = 1e-9  # of the price, for rounding
HELPS = {
    "heard": "a signal stands at its bar's close and is filled at the next bar, or never",
    "order": "leave no earlier than entered",
    "market": "fill at the open of the bar, and slippage worse; a close is known when it is over",
    "limit": "fill at the limit, only where the bar trades through it, as a maker if it opened on the near side",
    "stood": "put the limit where the signal's close tells, before the bar begins",
    "exit": "leave at the open, at the stop or the open where that is worse, or at a target that was traded through",
    "levels": "stop and target are counted from the entry's printed price and stand until the end",
    "told": "leave when the time is over or a signal of the other side has come, not before",
    "overdue": "leave at the first open after the time is over or a signal of the other side",
    "own-bar": "nothing says whether the bar went to the target before or after the limit was filled: wait a bar",
    "held": "take the stop in the first bar that touches it, before a target in it; a target where traded through",
}


@dataclass(frozen=True)
class Breach:
    """Trades that break one rule, `is_wrong` of shape (n_trades,), and what is said of one of them.

    `used_ms`, `known_ms`: when a trade used what, and when that was known, NEVER where it never was.
    """

    code: FillCode
    is_wrong: Mask
    used_ms: Times
    known_ms: Times
    words: Callable[[int], str]
    help: str


def find_breaches(stays: Stays, heard: Heard, orders: Orders | None) -> Iterator[Breach]:
    """Every rule, broken or not. Without `orders` levels and times are held to what any orders could have done."""
    told = _told(stays, heard)
    yield _unheard(stays, told)
    yield _backwards(stays)
    yield _market_entries(stays)
    yield _limit_entries(stays)
    yield _limits(stays, orders)
    yield _exits(stays)
    yield _own_bars(stays)
    yield from _times(stays, heard, told == stays.entry_ms, orders)
    if orders is not None:
        yield _levels(stays, orders)
        yield _held(stays, orders)


def _told(stays: Stays, heard: Heard) -> Times:
    """The first signal of the side at or after each entry, and after the trade before."""
    over = stays.exit_ms + stays.bar_ms * stays.is_within
    begin = np.maximum(stays.entry_ms, np.append(np.iinfo(np.int64).min, over[:-1]))
    return heard.by_side(stays, lambda own, _: _first(own, begin))


def _unheard(stays: Stays, told: Times) -> Breach:
    def words(at: int) -> str:
        side = "long" if stays.side[at] > 0 else "short"
        then = "never" if told[at] == NEVER else f"on {when(told[at])}"
        return f"entries, this one at {when(stays.entry_ms[at])}, where the next signal for a {side} comes {then}"

    return Breach("fill-early", told != stays.entry_ms, stays.entry_ms, told, words, HELPS["heard"])


def _backwards(stays: Stays) -> Breach:
    wrong = np.where(stays.is_within, stays.exit_ms < stays.entry_ms, stays.exit_ms <= stays.entry_ms)
    return Breach(
        *("fill-order", wrong, stays.exit_ms, stays.entry_ms),
        lambda at: f"exits, this one at {when(stays.exit_ms[at])}, where the entry is at {when(stays.entry_ms[at])}",
        HELPS["order"],
    )


def _market_entries(stays: Stays) -> Breach:
    opened = stays.first[stays.into]
    is_better = stays.side * (stays.paid - opened) < -ROOM * opened
    wrong = stays.is_market & (~stays.has_entry | is_better)
    offer = np.where(stays.has_entry, opened, np.nan)
    return _price_breach(wrong, "entries", stays.entry_ms, stays.paid, offer, "market")


def _limit_entries(stays: Stays) -> Breach:
    """Limits in a bar that did not trade through, or opened on the other side than the kind of entry says."""
    is_through = stays.side * stays.worst(stays.into) < stays.side * stays.paid
    is_near = stays.side * stays.first[stays.into] > stays.side * stays.paid
    is_kind = is_near == (stays.entered == "limit")
    wrong = ~stays.is_market & ~(stays.has_entry & is_through & is_kind)

    def words(at: int) -> str:
        kind = "a limit" if stays.entered[at] == "limit" else "a limit that the open had passed"
        bar = stays.bar_text(int(stays.into[at])) if stays.has_entry[at] else "there is no candle"
        opened = f" after an open of {stays.first[stays.into[at]]:.10g}" if stays.has_entry[at] else ""
        return (
            f"entries, this one at {when(stays.entry_ms[at])} by {kind} of {stays.paid[at]:.10g}, where {bar}{opened}"
        )

    return Breach("fill-price", wrong, stays.entry_ms, _ends(stays, stays.entry_ms), words, HELPS["limit"])


def _limits(stays: Stays, orders: Orders | None) -> Breach:
    """Limits that did not stand: on the wrong side of the signal's close, or not where the orders put them."""
    before, has_close = stays.find(stays.entry_ms - stays.bar_ms)
    room, close = ROOM * stays.paid, stays.close[before]
    if orders is None:
        wrong = ~stays.is_market & ~(has_close & (stays.side * (stays.paid - close) <= room))
    elif math.isnan(orders.limit_frac):
        wrong = ~stays.is_market
    else:
        off = stays.side * (stays.paid - close * (1 - stays.side * orders.limit_frac))
        wrong = stays.is_market | ~(has_close & (off <= room) & (off >= -stays.tick - room))
    return _price_breach(wrong, "entries", stays.entry_ms, stays.paid, np.where(has_close, close, np.nan), "stood")


def _exits(stays: Stays) -> Breach:
    """Exits better than the open, the stop's or the last close, targets that were not traded through or no gain."""
    opened = stays.side * stays.first[stays.out]
    offer = np.where(stays.is_end, stays.side * stays.close[stays.out], opened)
    offer = np.where(stays.is_stop, np.minimum(opened, stays.side * stays.printed), offer)
    got, room, best = stays.side * stays.got, ROOM * stays.got, stays.side * stays.best(stays.out)
    is_target_had = (got < best) & (got >= stays.side * stays.printed - room)
    is_had = stays.has_exit & np.where(stays.is_target, is_target_had, got <= offer + room)
    best_had = stays.side * np.where(stays.is_target, best, offer)
    shown = np.where(stays.has_exit, best_had, np.nan)
    return _price_breach(~is_had, "exits", stays.exit_ms, stays.got, shown, "exit")


def _own_bars(stays: Stays) -> Breach:
    wrong = stays.is_target & ~stays.is_market & (stays.exit_ms == stays.entry_ms)
    return Breach(
        *("fill-order", wrong, stays.exit_ms, _ends(stays, stays.exit_ms)),
        lambda at: f"targets in the bar of a limit entry, this one at {when(stays.exit_ms[at])}",
        HELPS["own-bar"],
    )


def _times(stays: Stays, heard: Heard, is_heard: Mask, orders: Orders | None) -> Iterator[Breach]:
    """Exits before, or after, the time or a signal of the other side closed the position."""
    turned = stays.next_open(heard.by_side(stays, lambda _, other: _first(other, stays.entry_ms)))
    is_reversal = stays.left == "reversal"
    over, is_time = np.full(len(turned), NEVER), np.zeros(len(turned), dtype=np.bool_)
    if orders is not None:
        over = heard.by_side(stays, lambda own, _: _deadlines(stays, own, orders.horizon_bars))
        is_halt = (stays.left == "halt") & orders.may_halt
        is_time = ~(is_reversal | is_halt | stays.is_within | stays.is_end)
    due = np.where(is_reversal, turned, over)
    is_early = is_heard & (is_reversal | is_time) & (stays.exit_ms < due)
    last = np.minimum(turned, over)
    is_late = is_heard & ((stays.exit_ms > last) | (stays.is_within & (stays.exit_ms == last)))

    def words(at: int, limit: Times) -> str:
        then = (
            "nothing closed the position" if limit[at] == NEVER else f"the position was to close at {when(limit[at])}"
        )
        return f"exits, this one at {when(stays.exit_ms[at])}, where {then}"

    yield Breach("fill-early", is_early, stays.exit_ms, due, lambda at: words(at, due), HELPS["told"])
    yield Breach("fill-order", is_late, stays.exit_ms, last, lambda at: words(at, last), HELPS["overdue"])


def _first(times: Times, moments: Times) -> Times:
    """The first of `times` at or after each moment; NEVER where there is none."""
    return np.append(times, NEVER)[np.searchsorted(times, moments)]


def _deadlines(stays: Stays, own: Times, horizon_bars: int) -> Times:
    """When the time of each trade is over, its clock restarted by signals of its side; NEVER without such a signal."""
    ends = stays.next_open(own + horizon_bars * stays.bar_ms)
    stops = np.flatnonzero(np.append(own[1:] > ends[:-1], np.ones(min(len(own), 1), dtype=np.bool_)))
    at = np.searchsorted(stops, np.searchsorted(own, stays.entry_ms))
    return np.append(ends[stops], NEVER)[at]


def _levels(stays: Stays, orders: Orders) -> Breach:
    """Exits at another stop or target than stood, or at a stop that the bar did not touch."""
    stop, target = _stop(stays, orders), _target(stays, orders)
    got, room = stays.side * stays.got, ROOM * stays.got
    most = stop + stays.tick + room
    is_stop_right = (got <= most) & (stays.side * stays.worst(stays.out) <= most)
    is_target_right = (got >= target - room) & (got <= target + stays.tick + room)
    wrong = (stays.is_stop & ~is_stop_right) | (stays.is_target & ~is_target_right)
    stood = stays.side * np.where(stays.is_stop, stop, target)
    return _price_breach(wrong, "exits", stays.exit_ms, stays.got, stood, "levels")


def _held(stays: Stays, orders: Orders) -> Breach:
    """Trades that went on after a bar that touched the stop, or traded through the target; to a tick."""
    stop, target = _stop(stays, orders), _target(stays, orders) + stays.tick + ROOM * stays.printed
    is_gap = stays.side * stays.first[stays.out] > stays.side * stays.got
    end = stays.out + stays.is_end
    stop_end, target_begin = end + (stays.is_target & ~is_gap), stays.into + ~stays.is_market
    met = np.full(len(stop), -1)
    for number, side in enumerate(stays.side.tolist()):
        worst, best = (stays.low, stays.high) if side > 0 else (-stays.high, -stays.low)
        fallen = np.flatnonzero(worst[stays.into[number] : stop_end[number]] <= stop[number])
        risen = np.flatnonzero(best[target_begin[number] : end[number]] > target[number])
        bars = [*(stays.into[number] + fallen[:1]), *(target_begin[number] + risen[:1])]
        met[number] = min(bars, default=-1)
    used = stays.opened[met]
    return Breach(
        *("fill-order", met >= 0, used, used + stays.bar_ms),
        lambda at: (
            f"trades beyond stop or target, this one left at {when(stays.exit_ms[at])} for {stays.got[at]:.10g}, "
            f"though {stays.bar_text(int(met[at]))}, stop and target at {_shown(stays, stop, at)} "
            f"and {_shown(stays, target, at)}"
        ),
        HELPS["held"],
    )


def _shown(stays: Stays, level: Array, at: int) -> str:
    return f"{stays.side[at] * level[at]:.10g}"


def _stop(stays: Stays, orders: Orders) -> Array:
    """By side and before it is put on a tick, which moves it up by less than one."""
    return stays.side * stays.printed * (1 - stays.side * orders.stop_frac)


def _target(stays: Stays, orders: Orders) -> Array:
    return stays.side * stays.printed * (1 + stays.side * orders.target_frac)


def _ends(stays: Stays, times: Times) -> Times:
    """When the bars that open then are known."""
    return times + stays.bar_ms


def _price_breach(wrong: Mask, what: str, used_ms: Times, price: Array, offer: Array, rule: str) -> Breach:
    told = {"market": "the bar opened at", "stood": "the signal's close was", "levels": "stop or target stood at"}

    def words(at: int) -> str:
        had = "there is no candle, or none is meant" if np.isnan(offer[at]) else ""
        had = had or f"{told.get(rule, 'the best to be had was')} {offer[at]:.10g}"
        return f"{what}, this one at {when(used_ms[at])} for {price[at]:.10g}, where {had}"

    return Breach("fill-price", wrong, used_ms, np.full(len(used_ms), NEVER), words, HELPS[rule])
