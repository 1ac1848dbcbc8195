"""Check that a stream fed one bar at a time yields what the batch builds: gaps, repeated and late bars, restarts."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from candlelock.artifacts import seeds
from candlelock.causality.cuts import densest_gaps
from candlelock.causality.examination import Built, Violation, failure
from candlelock.causality.other_candles import between, with_columns
from candlelock.contracts.documents import utc_text
from candlelock.contracts.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from candlelock.causality.comparison import Mask
    from candlelock.causality.examination import Examination, Numbers, Probe, Row, Stream
    from candlelock.contracts.registry import Feature
    from candlelock.features.market import Array, Market

LIVE = (
    "every row of a stream that is fed one closed bar at a time, in any order of the symbols, with gaps, with bars "
    "given twice, with bars given too late, and saved and loaded on the way, against the batch build of the same bars"
)
PLUGIN_BARS = 200  # live bars of a plug-in, and of one symbol: it is asked anew at every bar
LATE_FRAC = 0.01  # of the bars come after the next bar of their symbol, and count as missing
TWICE_FRAC = 0.02
RESTARTS = (1 / 3, 2 / 3)  # of the bars, after which the stream is saved and loaded


@dataclass
class _Feed:
    """What is pushed, and what came of it. `late`: bars that are pushed after the next one of their symbol."""

    market: Market
    symbols: tuple[int, ...]
    random: np.random.Generator
    late: dict[tuple[int, int], dict[str, float]]
    rows: dict[tuple[str, int], Array] = field(default_factory=dict)
    again: list[tuple[str, int]] = field(default_factory=list)

    def bars(self) -> Iterator[tuple[int, list[tuple[int, int, dict[str, float]]]]]:
        """Each bar's number, and what is pushed then: symbol, number of the bar, values."""
        columns, has_bar = self.market.columns(), self.market.has_bar
        for bar in range(has_bar.shape[1]):
            given = []
            for symbol in self.random.permutation(self.symbols).tolist():
                if has_bar[symbol, bar]:
                    values = {name: float(each[symbol, bar]) for name, each in columns.items()}
                    given += [(symbol, bar, values)] * (1 + int(self.random.random() < TWICE_FRAC))
            given += [(symbol, late, values) for (symbol, late), values in self.late.items() if late == bar - 1]
            yield bar, given

    def take(self, rows: Sequence[Row]) -> None:
        """Keep what the stream yields; a row must come once."""
        for row in rows:
            key = (row.symbol, row.open_time_ms)
            if key in self.rows:
                self.again.append(key)
            self.rows[key] = np.asarray(row.values)


def check_live(probe: Probe, n_bars: int) -> dict[str, Any]:
    """Feed one stream for the library's features and one for each piece of a plug-in. Evidence: bars of each."""
    exam = probe.exam
    fed: list[dict[str, Any]] = []
    units = exam.units(exam.everything) if exam.subject.streams else {}
    for done, (unit, which) in enumerate(units.items()):
        try:
            fed.append(_feed_unit(probe, unit, which, min(n_bars, PLUGIN_BARS) if unit else n_bars))
        except Exception as error:
            if not unit:
                raise
            for number in which.tolist():
                probe.violate(number, failure(error, exam.market))
        probe.progress((done + 1) / len(units))
    return {"streams": fed}


def _built_together(exam: Examination, unit: str) -> tuple[Feature, ...]:
    """All features of a unit, those among them that are no longer examined: a plug-in's function returns them all."""
    return tuple(entry for entry in exam.subject.entries if exam.subject.units.get(entry.name, "") == unit)


def _feed_unit(probe: Probe, unit: str, which: Numbers, n_live: int) -> dict[str, Any]:
    exam = probe.exam
    n_bars = min(exam.n_bars, int(exam.warmup[which].max()) + n_live)
    first = min(max(densest_gaps(exam.market, n_live) - (n_bars - n_live), 0), exam.n_bars - n_bars)
    market = between(exam.market, first, first + n_bars)
    symbols = [int(market.has_bar.sum(axis=1).argmax())] if unit else list(range(len(market.symbols)))
    feed = _feed(exam, market, symbols)
    batch = probe.build(feed.market, which)
    entries = _built_together(exam, unit)
    n_restarts = _run(exam, feed, entries)
    live, came = _on_grid(feed, [entries.index(exam.entries[number]) for number in which])
    _refuse_wrong_rows(probe, which, feed, came, first)
    usable = np.broadcast_to(came, (len(batch.which), *came.shape))
    probe.compare(Built(which, live).shared_with(batch), first, "live-differs", "fed bar by bar", usable, batch)
    return {
        "n_features": len(which),
        "symbols": [market.symbols[symbol] for symbol in symbols],
        "first_open_utc": utc_text(market.open_time_ms[0]),
        "n_bars": n_bars,
        "n_rows": int(came.sum()),
        "n_late": len(feed.late),
        "n_restarts": n_restarts,
    }


def _refuse_wrong_rows(probe: Probe, which: Numbers, feed: _Feed, came: Mask, first: int) -> None:
    """Every bar has a row, and has it once; the stream may still wait for bars that follow the last ones."""
    is_due = feed.market.has_bar & np.isin(np.arange(len(came)), feed.symbols)[:, None]
    is_due[:, -2:] = False
    found = [
        Violation("live-differs", symbol, first + bar, "the stream yields no such row")
        for symbol, bar in np.argwhere(is_due & ~came)[:1].tolist()
    ]
    found += [
        Violation("live-differs", None, None, f"the stream yields the row of {symbol} at {utc_text(time)} twice")
        for symbol, time in feed.again[:1]
    ]
    for number in which.tolist():
        for each in found:
            probe.violate(number, each)


def _feed(exam: Examination, market: Market, symbols: Sequence[int]) -> _Feed:
    """The bars less some that will come late: those whose symbol has the next bar, too."""
    random = np.random.default_rng(seeds.derive(exam.seed, "live"))
    has_bar = market.has_bar
    is_late = np.zeros_like(has_bar)
    is_late[:, :-1] = has_bar[:, :-1] & has_bar[:, 1:] & (random.random(has_bar[:, 1:].shape) < LATE_FRAC)
    is_late[:, 1:] &= ~is_late[:, :-1]  # the bar after a late one is there
    columns = market.columns()
    late = {
        (symbol, bar): {name: float(each[symbol, bar]) for name, each in columns.items()}
        for symbol, bar in np.argwhere(is_late).tolist()
        if symbol in symbols
    }
    in_time = {name: np.where(is_late, np.nan, each) for name, each in columns.items()}
    return _Feed(with_columns(market, in_time), tuple(symbols), random, late)


def _run(exam: Examination, feed: _Feed, entries: tuple[Feature, ...]) -> int:
    """Push every bar; the stream is replaced by its saved copy on the way. Number of restarts."""
    streams, market = exam.subject.streams, feed.market
    if streams is None:
        return 0
    stream: Stream = streams.open([market.symbols[symbol] for symbol in feed.symbols], market.bar_ms, entries)
    restarts = {int(part * len(market.open_time_ms)) for part in RESTARTS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stream"
        for bar, given in feed.bars():
            for at, (symbol, number, values) in enumerate(given):
                if bar in restarts and at == len(given) // 2:
                    stream.save(path)
                    stream = streams.load(path, entries)
                try:
                    rows = stream.push(market.symbols[symbol], int(market.open_time_ms[number]), values)
                except InputError:
                    if (symbol, number) not in feed.late:  # which may be refused, or passed over
                        raise
                    continue
                feed.take(rows)
    return len(restarts)


def _on_grid(feed: _Feed, columns: Sequence[int]) -> tuple[list[Array], Mask]:
    """What the stream yielded in `columns`, shaped like a build, and which rows came."""
    market = feed.market
    values = np.full((len(columns), *market.close.shape), np.nan)
    came = np.zeros(market.close.shape, dtype=np.bool_)
    symbols = {name: symbol for symbol, name in enumerate(market.symbols)}
    for (name, time_ms), row in feed.rows.items():
        symbol, bar = symbols[name], int((time_ms - market.open_time_ms[0]) // market.bar_ms)
        came[symbol, bar] = True
        values[:, symbol, bar] = row[list(columns)]
    return list(values), came
