"""The features as one HTML page that needs nothing else: formula, unit, range, warm-up, inputs, and a plot of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from candlelock.features.build import build_features
from candlelock.features.market import CANDLE_FIELDS, Market
from candlelock.page.environment import open_templates
from candlelock.reference import wording
from candlelock.reference.groups import by_group
from candlelock.reference.plots import WIDE, draw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from candlelock.contracts.registry import Feature
    from candlelock.features.plugins import Plugin
    from candlelock.page.chart import Chart


@dataclass(frozen=True)
class Plots:
    """Charts over the last bars of a symbol. `charts`: feature -> chart, None where it has no value on these bars."""

    symbol: str
    snapshot_id: str
    first_open_ms: int
    last_open_ms: int
    close: Chart | None
    charts: Mapping[str, Chart | None]


def render(entries: Sequence[Feature], switched_on: Sequence[str], bar_ms: int, plots: Plots | None) -> str:
    """The page. Entries of a group stand together; `switched_on`: names of the features that are computed."""
    template = open_templates("candlelock.reference").get_template("features.html.j2")
    on, groups = set(switched_on), by_group(entries)
    return template.render(groups=groups, n_features=len(entries), on=on, bar_ms=bar_ms, plots=plots, words=wording)


def plot(
    market: Market,
    snapshot_id: str,
    symbol: str,
    entries: Sequence[Feature],
    plugins: Sequence[Plugin],
    n_bars: int,
    tell: Callable[[int, int], None],
) -> Plots:
    """Charts of all entries over the last `n_bars` bars of a symbol, from no more candles than they look back on.

    `tell` is called with the number of features done and of all.
    """
    row, shown = market.symbols.index(symbol), slice(-n_bars, None)
    times = market.open_time_ms[shown]
    charts: dict[str, Chart | None] = {}
    for group in by_group(entries):
        past = _latest(market, n_bars + max(entry.warmup(market.bar_ms) for entry in group.entries))
        built = build_features(past, group.entries, [plugin for plugin in plugins if plugin.group == group.name])
        charts |= {name: draw(name, times, values[row][shown]) for name, values in built.items()}
        tell(len(charts), len(entries))
    close = draw("close", times, market.close[row][shown], WIDE)
    return Plots(symbol, snapshot_id, int(times[0]), int(times[-1]), close, charts)


def _latest(market: Market, n_bars: int) -> Market:
    """The last bars of a market."""
    fields = {name: getattr(market, name)[:, -n_bars:] for name in CANDLE_FIELDS}
    extras = {name: values[:, -n_bars:] for name, values in market.extras.items()}
    return Market(market.symbols, market.bar_ms, market.open_time_ms[-n_bars:], **fields, extras=extras)
