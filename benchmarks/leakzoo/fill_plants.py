"""The area "back-test": trades that could not have been had, a score that nobody has, a test read too often."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from benchmarks.leakzoo.plants import Plant, leak
from benchmarks.leakzoo.specimen import Area, Specimen
from candlelock.card.evidence import read_policy
from candlelock.contracts.documents import utc_text
from candlelock.contracts.leakage_documents import TestRead
from candlelock.features.market import CANDLE_FIELDS, align
from candlelock.leakage.fills import check_fills
from candlelock.leakage.results import check_score, check_test_reads

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from candlelock.contracts.leakage_documents import LeakCheck
    from candlelock.features.market import Market

HOLD = 6
SLIPPAGE = 5e-4
EARLY, PRICE, ORDER = "fill-early", "fill-price", "fill-order"


@dataclass(frozen=True)
class Tape:
    """Candles by symbol, when signals are decided, and the trades on them; `bar` columns number a symbol's candles."""

    candles: Mapping[str, pd.DataFrame]
    signals: Mapping[str, np.ndarray]
    trades: pd.DataFrame
    bar_ms: int
    seed: int

    def check(self) -> LeakCheck:
        return check_fills(self.trades, self.signals, self.candles, self.bar_ms)

    @property
    def random(self) -> np.random.Generator:
        return np.random.default_rng([self.seed, 23])

    def at(self, name: str, bars: str, more: int = 0) -> np.ndarray:
        """A field of the candle that each trade's bar is, or of one some candles later."""
        own = self.trades.groupby("symbol", sort=False)[bars]
        return np.concatenate(
            [self.candles[str(symbol)][name].to_numpy()[each.to_numpy() + more] for symbol, each in own]
        )

    def change(self, **columns: np.ndarray) -> Tape:
        return replace(self, trades=self.trades.assign(**columns))


Make: TypeAlias = Callable[[Tape], "Tape | LeakCheck"]


def frames_of(market: Market) -> dict[str, pd.DataFrame]:
    """Symbol -> its candles, holes left out."""
    frames = {}
    for row, name in enumerate(market.symbols):
        frame = pd.DataFrame({each: getattr(market, each)[row] for each in CANDLE_FIELDS})
        frame.insert(0, "open_time_ms", market.open_time_ms)
        frames[name] = frame[market.has_bar[row]].reset_index(drop=True)
    return frames


def record(market: Market, seed: int, hold: int = HOLD, share: float = 0.05) -> Tape:
    """Signals at some closes after a fall; bought at the next open, sold at an open so many candles later."""
    candles, signals, lines = frames_of(market), {}, []
    random = np.random.default_rng([seed, 29])
    for symbol, frame in candles.items():
        times, close = frame["open_time_ms"].to_numpy(), frame["close"].to_numpy()
        asked = (np.diff(close, prepend=close[0]) < 0) & (random.random(len(close)) < share)
        signals[symbol] = times[asked] + market.bar_ms
        free = 0
        for bar in np.flatnonzero(asked).tolist():
            entry = bar + 1
            if bar < free or entry + hold >= len(times) or times[entry] != times[bar] + market.bar_ms:
                continue
            lines.append((symbol, entry, entry + hold))
            free = entry + hold
    trades = pd.DataFrame(lines, columns=["symbol", "entry_bar", "exit_bar"])
    tape = Tape(candles, signals, trades, market.bar_ms, seed)
    return filled(tape)


def filled(tape: Tape) -> Tape:
    """Times and prices by the bars of entry and exit: opens, slippage worse."""
    return tape.change(
        entry_ms=tape.at("open_time_ms", "entry_bar"),
        exit_ms=tape.at("open_time_ms", "exit_bar"),
        entry_price=tape.at("open", "entry_bar") * (1 + SLIPPAGE),
        exit_price=tape.at("open", "exit_bar") * (1 - SLIPPAGE),
    )


def with_barriers(tape: Tape, fill: Callable[[dict[str, float]], float | None], width: float = 1.0) -> Tape:
    """Stops and targets of so many usual ranges; `fill` gives a bar's exit price, None to hold on.

    It is told the bar's prices, `stop` and `target`; after the last bar the exit is at the open.
    """
    lines = []
    for line in tape.trades.itertuples():
        frame = tape.candles[str(line.symbol)]
        price = float(line.entry_price)
        size = width * float(((frame["high"] - frame["low"]) / frame["close"]).median())
        stop, target = price * (1 - size), price * (1 + size)
        for bar in range(line.entry_bar, line.exit_bar + 1):
            prices = {name: float(frame[name].iloc[bar]) for name in ("open", "high", "low", "close")}
            exit_price = fill({**prices, "stop": stop, "target": target})
            if bar == line.exit_bar:
                exit_price = prices["open"] * (1 - SLIPPAGE)
            if exit_price is not None:
                lines.append((bar, exit_price, stop, target))
                break
    bars, prices_out, stops, targets = (np.array(column) for column in zip(*lines, strict=True))
    done = tape.change(exit_bar=bars, exit_price=prices_out, stop_price=stops, target_price=targets)
    return done.change(exit_ms=done.at("open_time_ms", "exit_bar"))


def stop_first(bar: dict[str, float]) -> float | None:
    """The honest rule: a gap is filled at the open, and of both in one bar the stop is taken."""
    if bar["low"] <= bar["stop"]:
        return min(bar["open"], bar["stop"])
    return max(bar["open"], bar["target"]) if bar["high"] >= bar["target"] else None


def _target_first(bar: dict[str, float]) -> float | None:
    if bar["high"] >= bar["target"]:
        return max(bar["open"], bar["target"])
    return min(bar["open"], bar["stop"]) if bar["low"] <= bar["stop"] else None


def _no_stop(bar: dict[str, float]) -> float | None:
    return max(bar["open"], bar["target"]) if bar["high"] >= bar["target"] else None


def _stop_through_gap(bar: dict[str, float]) -> float | None:
    """The stop's own price, even where the bar opened below it."""
    if bar["low"] <= bar["stop"]:
        return bar["stop"]
    return max(bar["open"], bar["target"]) if bar["high"] >= bar["target"] else None


def _high_of_bar(bar: dict[str, float]) -> float | None:
    if bar["low"] <= bar["stop"]:
        return min(bar["open"], bar["stop"])
    return bar["high"] if bar["high"] >= bar["target"] else None


def _stop_at_close(bar: dict[str, float]) -> float | None:
    """Stopped only where the bar closes below the stop, and then at the stop."""
    if bar["close"] <= bar["stop"]:
        return min(bar["open"], bar["stop"])
    return max(bar["open"], bar["target"]) if bar["high"] >= bar["target"] else None


def _gapped(tape: Tape) -> Tape:
    """The same after prices have dropped by two per cent between two bars, every 40 candles."""
    candles = {}
    for symbol, frame in tape.candles.items():
        drop = 0.98 ** (np.arange(len(frame)) // 40)
        candles[symbol] = frame.assign(**{name: frame[name] * drop for name in ("open", "high", "low", "close")})
    return record(align(candles, tape.bar_ms), tape.seed)


def _shifted(tape: Tape, bars: int) -> Tape:
    moved = tape.trades["entry_bar"].to_numpy() + bars
    return filled(tape.change(entry_bar=np.maximum(moved, 0)))


def _in_holes(tape: Tape) -> Tape:
    """The candles of a few entries do not exist."""
    candles = dict(tape.candles)
    for symbol, own in tape.trades.groupby("symbol"):
        gone = own["entry_bar"].iloc[::5].to_numpy()
        candles[str(symbol)] = candles[str(symbol)].drop(index=gone).reset_index(drop=True)
    return replace(tape, candles=candles)


def _exits_in_holes(tape: Tape) -> Tape:
    candles = dict(tape.candles)
    for symbol, own in tape.trades.groupby("symbol"):
        gone = own["exit_bar"].iloc[:-1:5].to_numpy()
        gone = np.setdiff1d(gone, own["entry_bar"])
        candles[str(symbol)] = candles[str(symbol)].drop(index=gone).reset_index(drop=True)
    return replace(tape, candles=candles)


def _on_the_bar(tape: Tape) -> Tape:
    """Bought at the open of the very bar at whose close the signal is known."""
    return _shifted(tape, -1)


def _score(share: float) -> Make:
    """Probabilities that know that share of the outcome's spread, judged on the direction over six bars."""

    def make(tape: Tape) -> LeakCheck:
        frame = next(iter(tape.candles.values()))
        ahead = np.log(frame["close"].shift(-HOLD) / frame["close"]).dropna().to_numpy()
        rank = pd.Series(ahead).rank(pct=True).to_numpy() - 0.5
        told = share * rank / rank.std() + np.sqrt(1 - share**2) * tape.random.normal(size=len(rank))
        return check_score((ahead > 0).astype(float), 1 / (1 + np.exp(-told)), HOLD, read_policy())

    return make


def _reads(n_models: int, moved_ms: int = 0, n_same: int = 1) -> Make:
    """So many models judged on test, each on rows so much later than the one before; `n_same` are one and the same."""

    def make(tape: Tape) -> LeakCheck:
        frame = next(iter(tape.candles.values()))
        first, last = (int(frame["open_time_ms"].iloc[at]) for at in (-300, -1))
        reads = [
            TestRead(
                test_rows_sha256=f"{number if moved_ms else 0:064x}",
                predictions_sha256=f"{number // n_same:064x}",
                n_rows=300,
                first_decision_utc=utc_text(first + number * moved_ms),
                last_label_end_utc=utc_text(last + number * moved_ms),
            )
            for number in range(n_models)
        ]
        return check_test_reads(reads, reads[-1], read_policy())

    return make


LEAKS = (
    leak("close_of_the_signal", "filled at the close that gave the signal", lambda tape: tape.change(
        entry_price=tape.at("close", "entry_bar", -1)), PRICE, is_core=True),
    leak("entry_a_bar_early", "bought at the open before the signal's close", _on_the_bar, EARLY, is_core=True),
    leak("entry_two_bars_early", "bought two candles before the signal", lambda tape: _shifted(tape, -2), EARLY),
    leak("entry_without_signal", "half of the signals were taken out afterwards", lambda tape: replace(
        tape, signals={name: own[::2] for name, own in tape.signals.items()}), EARLY),
    leak("entry_at_low", "bought at the bar's low", lambda tape: tape.change(
        entry_price=tape.at("low", "entry_bar")), PRICE, is_core=True),
    leak("exit_at_high", "sold at the bar's high", lambda tape: tape.change(
        exit_price=tape.at("high", "exit_bar")), PRICE, is_core=True),
    leak("exit_at_close", "sold at the open or close of the bar, whichever is more", lambda tape: tape.change(
        exit_price=np.maximum(tape.at("close", "exit_bar"), tape.at("open", "exit_bar"))), PRICE),
    leak("middle_of_the_bar", "bought at the mean of high and low, no slippage", lambda tape: tape.change(
        entry_price=(tape.at("high", "entry_bar") + tape.at("low", "entry_bar")) / 2), PRICE, is_core=True),
    leak("typical_price", "bought at the mean of high, low and close", lambda tape: tape.change(
        entry_price=sum(tape.at(name, "entry_bar") for name in ("high", "low", "close")) / 3), PRICE),
    leak("slippage_in_our_favour", "five hundredths of a per cent better than the open", lambda tape: tape.change(
        entry_price=tape.at("open", "entry_bar") * (1 - SLIPPAGE)), PRICE),
    leak("exit_slippage_in_our_favour", "sold for more than the open", lambda tape: tape.change(
        exit_price=tape.at("open", "exit_bar") * (1 + SLIPPAGE)), PRICE),
    leak("best_of_two_opens", "bought at the lower of two opens", lambda tape: tape.change(
        entry_price=np.minimum(tape.at("open", "entry_bar"), tape.at("open", "entry_bar", 1))), PRICE),
    leak("entry_in_a_hole", "bought on bars that do not exist", _in_holes, PRICE, is_core=True),
    leak("exit_in_a_hole", "sold on bars that do not exist", _exits_in_holes, PRICE),
    leak("target_before_stop", "stop and target in one bar: the target is taken", lambda tape: with_barriers(
        tape, _target_first), ORDER, is_core=True),
    leak("held_through_stop", "the stop is never taken", lambda tape: with_barriers(tape, _no_stop), ORDER,
           is_core=True),
    leak("stop_at_close_only", "the stop counts at closes, and is filled at its own price",
           lambda tape: with_barriers(tape, _stop_at_close), ORDER),
    leak("stop_through_gap", "a stop filled at its own price though the bar opened below", lambda tape: with_barriers(
        _gapped(tape), _stop_through_gap), PRICE),
    leak("target_at_high", "a target filled at the bar's high", lambda tape: with_barriers(
        tape, _high_of_bar), PRICE),
    leak("score_of_a_leak", "an AUC of about 0.85", _score(0.75), "too-good", is_core=True),
    leak("test_read_often", "30 models judged on one test", _reads(30), "test-worn-out", is_core=True),
    leak("test_read_often_moved", "the same, each on a test moved by an hour", _reads(30, 3_600_000),
           "test-worn-out"),
)  # fmt: skip


def _limit_at_target(bar: dict[str, float]) -> float | None:
    """A sell limit alone, far stop."""
    return max(bar["open"], bar["target"]) if bar["high"] >= bar["target"] else None


def _without_stops(tape: Tape) -> Tape:
    done = with_barriers(tape, _limit_at_target)
    return done.change(stop_price=np.full(len(done.trades), np.nan))


def _long(hold: int, share: float) -> Make:
    def make(tape: Tape) -> Tape:
        return record(align(tape.candles, tape.bar_ms), tape.seed, hold, share)

    return make


def _to_the_end(tape: Tape) -> Tape:
    """Each symbol's last position is closed at the last bar's close."""
    last = tape.trades.groupby("symbol")["exit_bar"].transform("max") == tape.trades["exit_bar"]
    names = tape.trades["symbol"]
    ends = names.map({name: int(frame["open_time_ms"].iloc[-1]) + tape.bar_ms for name, frame in tape.candles.items()})
    closes = names.map({name: float(frame["close"].iloc[-1]) for name, frame in tape.candles.items()})
    return tape.change(
        exit_ms=np.where(last, ends, tape.trades["exit_ms"]),
        exit_price=np.where(last, closes * (1 - SLIPPAGE), tape.trades["exit_price"]),
    )


CLEAN = (
    leak("clean_next_open", "the next open, slippage worse", lambda tape: tape),
    leak("clean_without_slippage", "the next open itself", lambda tape: tape.change(
        entry_price=tape.at("open", "entry_bar"), exit_price=tape.at("open", "exit_bar"))),
    leak("clean_entry_later", "two candles after the signal", lambda tape: _shifted(tape, 2)),
    leak("clean_worst_price", "bought at the high, sold at the low", lambda tape: tape.change(
        entry_price=tape.at("high", "entry_bar"), exit_price=tape.at("low", "exit_bar"))),
    leak("clean_stop_first", "stop and target in one bar: the stop is taken", lambda tape: with_barriers(
        tape, stop_first)),
    leak("clean_stop_first_narrow", "the same, narrow", lambda tape: with_barriers(tape, stop_first, 0.35)),
    leak("clean_stop_first_wide", "the same, wide", lambda tape: with_barriers(tape, stop_first, 3.0)),
    leak("clean_stop_at_gap", "prices drop between two bars: the stop is filled at the open",
           lambda tape: with_barriers(_gapped(tape), stop_first)),
    leak("clean_target_limit", "a sell limit alone, reached later", _without_stops),
    leak("clean_long_holds", "200 bars in the market", _long(200, 0.02)),
    leak("clean_one_bar_trades", "one bar in the market, many signals", _long(1, 0.5)),
    leak("clean_closed_at_the_end", "the last position is closed at the last close", _to_the_end),
    leak("clean_no_trades", "no trade at all", lambda tape: replace(tape, trades=tape.trades.iloc[:0])),
    leak("clean_good_score", "an AUC of about 0.56", _score(0.1)),
    leak("clean_few_reads", "three models judged on test", _reads(3)),
    leak("clean_rebuilt_often", "one model, judged 30 times", _reads(30, 0, 30)),
    leak("clean_newer_tests", "30 models, each judged on a test of its own", _reads(30, 40 * 86_400_000)),
)  # fmt: skip

TRICKS: tuple[Plant, ...] = LEAKS + CLEAN


def examine(
    tricks: tuple[Plant, ...], market: Market, seed: int, only: Collection[str] | None = None
) -> dict[str, set[str]]:
    """Name -> codes found; of `only` these, all if None."""
    tape = record(market, seed)
    found = {}
    for each in tricks:
        if only is None or each.name in only:
            made = each.make(tape)
            check = made.check() if isinstance(made, Tape) else made
            found[each.name] = {finding.code for finding in check.findings}
    return found


FILL_AREA = Area(
    "back-test",
    tuple(Specimen(each.name, "back-test", bool(each.codes), each.is_core, each.codes, each.what) for each in TRICKS),
    functools.partial(examine, TRICKS),
)
