"""Splits and tables that look odd and are sound: what the area "splits" must let pass."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.leakzoo.label_plants import UP
from benchmarks.leakzoo.plants import Plant, split_by
from benchmarks.leakzoo.training_tables import (
    PARTS,
    SHARES,
    Case,
    World,
    add_symbol,
    barriers,
    cut,
    direction,
    features_of,
    fields_of,
    labelled,
    make_table,
    mortal,
    staggered,
    take_symbols,
    walk_fields,
    with_holes,
)

if TYPE_CHECKING:
    from benchmarks.leakzoo.plants import Make
    from benchmarks.leakzoo.training_tables import Array, Labeller
    from candlelock.features.market import Market


def _rolling(rows: pd.DataFrame, world: World) -> Array:
    """Train of a length of its own: what lies before is left out."""
    return cut(rows, (0.3, 0.7, 0.85), ("unused", *PARTS))


def _months(rows: pd.DataFrame, world: World) -> Array:
    """Parts begin at midnight."""
    days = rows["time"] // 86_400_000
    cuts = [int(days.quantile(share)) * 86_400_000 for share in SHARES]
    part = np.searchsorted(cuts, rows["time"], side="right")
    parts = np.array(PARTS, dtype=object)[part]
    begins = np.append(cuts, np.iinfo(np.int64).max)
    parts[rows["label_end"] >= begins[part]] = "purged"
    return parts


def _alike(correlation: float) -> Make:
    """Two more symbols that move with the first."""

    def make(world: World) -> Case:
        market, random = world.market, world.random
        step = np.nan_to_num(np.diff(np.log(market.close[0]), prepend=np.nan))
        for number in range(2):
            own = random.standard_t(5, len(step)) * np.std(step) * np.sqrt(0.6 * (1 / correlation**2 - 1))
            noise = np.exp(np.cumsum(own))
            fields = fields_of(market, 0, noise)
            fields["volume"] = fields["volume"] * random.lognormal(0, 0.5, len(step))
            market = add_symbol(market, f"ALIKE{number}", fields)
        return make_table(market, direction())

    return make


def _pegged(world: World) -> Case:
    """Two coins at 1.0000, give or take a tick; most bars do not move."""
    market, random = world.market, world.random
    for number in range(2):
        ticks = 1 + 1e-4 * np.round(random.normal(0, 0.6, len(market.open_time_ms)))
        fields = dict.fromkeys(("open", "high", "low", "close"), ticks) | {"volume": random.lognormal(3, 1, len(ticks))}
        market = add_symbol(market, f"PEG{number}", fields)
    return make_table(market, UP)


def _resampled(world: World) -> Case:
    """Bars of four hours."""
    market, n = world.market, len(world.market.open_time_ms) // 4 * 4

    def parts(values: Array) -> Array:
        return values[:, :n].reshape(len(values), -1, 4)

    fields = {
        "open": parts(market.open)[:, :, 0],
        "high": parts(market.high).max(axis=2),
        "low": parts(market.low).min(axis=2),
        "close": parts(market.close)[:, :, -1],
        "volume": parts(market.volume).sum(axis=2),
    }
    longer = replace(market, bar_ms=4 * market.bar_ms, open_time_ms=market.open_time_ms[:n:4].copy(), **fields)
    return make_table(longer, direction(4))


def _still(world: World) -> Case:
    """A market that stands still across both cuts."""
    fields, n = {name: v.copy() for name, v in world.market.columns().items()}, len(world.market.open_time_ms)
    for share in SHARES:
        at = int(share * n)
        for name in ("open", "high", "low", "close"):
            fields[name][:, at - 100 : at + 100] = fields["close"][:, at - 101 : at - 100]
        fields["volume"][:, at - 100 : at + 100] = 0
    return make_table(replace(world.market, **fields), UP)


def _events(world: World) -> Case:
    """A tenth of the rows, at irregular times."""
    case = world.table(barriers())
    return replace(case, rows=case.rows[world.random.random(len(case.rows)) < 0.15].reset_index(drop=True))


def _rounded(world: World) -> Case:
    rows = world.table().rows
    return Case(rows.assign(**{name: rows[name].round(3) for name in features_of(rows)}))


def _as_text(world: World) -> Case:
    rows = world.table().rows
    for name in ("time", "label_end"):
        rows[name] = pd.to_datetime(rows[name], unit="ms", utc=True).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Case(rows)


def _slow(world: World) -> Case:
    """Features that hardly change from row to row."""
    rows = world.table().rows
    for name in ("return_24", "deviation_24", "distance_48"):
        if name in rows:
            rows[name] = rows.groupby("symbol")[name].transform(lambda own: own.rolling(200, 50).mean())
    return Case(rows)


def _short_lived(world: World) -> Case:
    """A symbol that lives in train alone, and one that begins in test."""
    market = world.market
    n = len(market.open_time_ms)
    early, late = (walk_fields(market, world.random) for _ in range(2))
    bars = np.arange(n)
    market = add_symbol(market, "EARLY", {name: np.where(bars < n // 2, v, np.nan) for name, v in early.items()})
    market = add_symbol(market, "LATE", {name: np.where(bars > 0.9 * n, v, np.nan) for name, v in late.items()})
    return make_table(market, direction())


def _drawn_lengths(market: Market) -> pd.DataFrame:
    bars = (np.arange(market.close.shape[1]) * 7919 % 31 + 1) * np.ones((len(market.symbols), 1), dtype=np.int64)
    future = np.full(market.close.shape, np.nan)
    at = np.arange(market.close.shape[1]) + bars
    inside = at < market.close.shape[1]
    future[inside] = np.take_along_axis(market.close, np.where(inside, at, 0), axis=1)[inside]
    return labelled(market, np.where(np.isnan(future), np.nan, future > market.close), bars)


def _table(labeller: Labeller, embargo_bars: int = 0) -> Make:
    return lambda world: world.table(labeller, embargo_bars)


def _listed_then(n_dead: int) -> Make:
    """So many of the dead are kept."""

    def make(world: World) -> Case:
        market, spans = mortal(world)
        gone = ("M0", "M1", "M2")[n_dead:]
        kept = [row for row, name in enumerate(market.symbols) if name not in gone]
        return replace(make_table(take_symbols(market, kept), direction()), known=spans)

    return make


CLEAN = (
    Plant("clean_anchored", "train from the first row on, purged", _table(direction())),
    Plant("clean_rolling", "train of a length of its own; earlier rows are unused", split_by(_rolling)),
    Plant("clean_embargo", "an embargo of 24 bars, exact to the bar", _table(direction(), 24)),
    Plant("clean_long_embargo", "an embargo of 200 bars", _table(direction(), 200)),
    Plant("clean_more_embargo", "more embargo than is asked for", split_by(
        lambda rows, world: cut(rows, embargo_ms=50 * world.bar_ms), embargo_bars=24)),
    Plant("clean_five_parts", "train, validation, calibrate, decide and test", split_by(lambda rows, world: cut(
        rows, (0.5, 0.65, 0.75, 0.85), ("train", "validation", "calibrate", "decide", "test")))),
    Plant("clean_two_parts", "train and test alone", split_by(
        lambda rows, world: cut(rows, (0.8,), ("train", "test")))),
    Plant("clean_midnight_cuts", "parts begin at midnight; left-out rows are called purged", split_by(_months)),
    Plant("clean_barriers_purged", "triple barriers purged by the time they were hit", _table(barriers())),
    Plant("clean_drawn_lengths", "labels of 1 to 31 bars, purged by their own ends", _table(_drawn_lengths)),
    Plant("clean_holes", "many holes", lambda world: world.table(market=with_holes(world, 0.03))),
    Plant("cleanstaggered", "symbols with different starts and ends, one cut", lambda world: Case(staggered(world))),
    Plant("clean_one_symbol", "a single symbol", lambda world: make_table(
        take_symbols(world.market, [0]), direction())),
    Plant("clean_alike", "symbols whose moves correlate at 0.9", _alike(0.9)),
    Plant("clean_very_alike", "symbols whose moves correlate at 0.99", _alike(0.99)),
    Plant("clean_pegged", "coins pegged to 1, which mostly stand still", _pegged),
    Plant("clean_resampled_bars", "bars of four hours made of hours", _resampled),
    Plant("clean_still_at_cuts", "nothing moves for 200 bars around each cut", _still),
    Plant("clean_events", "a few rows at irregular times", _events),
    Plant("clean_rounded_features", "features of three digits", _rounded),
    Plant("clean_times_as_text", "times as text with a zone", _as_text),
    Plant("clean_slow_features", "features that hardly move", _slow),
    Plant("clean_short_lived", "a symbol in train alone, another in test alone", _short_lived),
    Plant("clean_all_dead_kept", "symbols that died are kept", _listed_then(3)),
    Plant("clean_some_dead_kept", "two of three that died are kept", _listed_then(2)),
)  # fmt: skip
