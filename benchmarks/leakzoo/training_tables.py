"""Training tables as people make them of a market: features, labels with their ends, parts in order of time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd

from candlelock.causality.other_candles import with_columns
from candlelock.contracts.head_params import DirectionParams
from candlelock.features.market import CANDLE_FIELDS, Market
from candlelock.split.labels import label as make_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HORIZON = 8
WARMUP = 60
PARTS = ("train", "validation", "test")
SHARES = (0.7, 0.85)
KEYS = ("symbol", "time", "label", "label_end", "split")

Array: TypeAlias = np.ndarray
Labeller: TypeAlias = Callable[[Market], pd.DataFrame]
Known: TypeAlias = "Mapping[str, tuple[int, int]]"


@dataclass(frozen=True)
class Case:
    """A table for the audit: its rows, the embargo that is asked for, and what else is known of how it was made.

    `labeller` makes the labels of `market` again, for the check of their ends; `known`: spans of all symbols there are.
    """

    rows: pd.DataFrame
    embargo_bars: int = 0
    market: Market | None = None
    labeller: Labeller | None = None
    known: Known = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """What a case is made from."""

    market: Market
    seed: int

    @property
    def random(self) -> np.random.Generator:
        return np.random.default_rng([self.seed, 17])

    @property
    def bar_ms(self) -> int:
        return self.market.bar_ms

    def table(self, labeller: Labeller | None = None, embargo_bars: int = 0, market: Market | None = None) -> Case:
        """An honest table: labels of `labeller`, parts by time, purged and with the embargo."""
        return make_table(market or self.market, labeller or direction(), embargo_bars)


def make_table(market: Market, labeller: Labeller, embargo_bars: int = 0) -> Case:
    labels = labeller(market)
    rows = labels.merge(feature_table(market), on=["symbol", "open_time_ms"], validate="one_to_one")
    names = {"decision_time_ms": "time", "label_end_ms": "label_end", "is_up": "label"}
    told = ["open_time_ms", "past_return", "future_return", "share_above"]
    rows = rows.drop(columns=told, errors="ignore").rename(columns=names)
    rows["split"] = cut(rows, embargo_ms=embargo_bars * market.bar_ms)
    return Case(rows, embargo_bars, market, labeller)


def features_of(rows: pd.DataFrame) -> list[str]:
    return [name for name in rows.columns if name not in KEYS]


def cut(
    rows: pd.DataFrame,
    shares: Sequence[float] = SHARES,
    names: Sequence[str] = PARTS,
    embargo_ms: int = 0,
    is_purged: bool = True,
) -> Array:
    """Name of each row's part, by quantiles of the decisions; None where its label reaches into the next part."""
    times, ends = rows["time"].to_numpy(), rows["label_end"].to_numpy()
    cuts = np.quantile(times, shares, method="lower")
    part = np.searchsorted(cuts, times, side="right")
    found = np.array(names, dtype=object)[part]
    if is_purged:
        begins = np.append(cuts, np.iinfo(np.int64).max)
        begins = np.array([times[times >= begin].min(initial=np.iinfo(np.int64).max) for begin in begins])
        found[ends + embargo_ms >= begins[part]] = None
    return found


def feature_table(market: Market) -> pd.DataFrame:
    """Lags, rolling figures, the hour and the market's mean move; one row per candle."""
    move = np.log(market.close) - lag(np.log(market.close), 1)
    mean_move = np.nanmean(np.where(np.isnan(move).all(axis=0), 0.0, move), axis=0)
    blocks = [_features(market, row, move[row], mean_move) for row in range(len(market.symbols))]
    return pd.concat(blocks, ignore_index=True)


def _features(market: Market, row: int, move: Array, mean_move: Array) -> pd.DataFrame:
    opened, high, low, close, volume = (pd.Series(getattr(market, name)[row]) for name in CANDLE_FIELDS)
    step, hours = pd.Series(move), market.open_time_ms // 3_600_000
    wide = pd.DataFrame({"symbol": market.symbols[row], "open_time_ms": market.open_time_ms})
    wide["return_1"] = step
    wide["return_1_lag_1"] = step.shift(1)
    wide["return_4"] = np.log(close / close.shift(4))
    wide["return_8"] = np.log(close / close.shift(8))
    wide["deviation_24"] = step.rolling(24, min_periods=12).std()
    wide["distance_48"] = close / close.rolling(48, min_periods=24).mean() - 1
    wide["volume_ratio"] = volume / (volume.rolling(24, min_periods=12).mean() + 1e-9)
    wide["range"] = (high - low) / close
    wide["body"] = (close - opened) / close
    wide["market_move"] = mean_move
    wide["hour"] = (hours % 24).astype(float)
    wide["weekday"] = (hours // 24 % 7).astype(float)
    return wide[close.notna()]


def lag(values: Array, n: int) -> Array:
    """Values so many bars earlier, later ones for less than 0, NaN beyond the ends; (n_symbols, n_bars)."""
    columns = np.arange(values.shape[1]) - n
    inside = (columns >= 0) & (columns < values.shape[1])
    return np.where(inside, values[:, np.where(inside, columns, 0)], np.nan)


def direction(horizon: int = HORIZON, learns: Literal["end", "path"] = "end") -> Labeller:
    """The project's own labels."""
    question = DirectionParams(
        kind="direction", symbols=None, horizon_bars=horizon, dead_zone_sigmas=0, volatility_bars=WARMUP, learns=learns
    )
    return lambda market: make_labels(market, question, WARMUP)


def ahead(
    horizon: int, value: Callable[[Array, Array], Array], end_bars: int | None = None, is_filled: bool = False
) -> Labeller:
    """Labels `value(outcome, close)` of the return over `horizon` bars, both (n_symbols, n_bars), NaN where unknown.

    They say that they are known after `end_bars`. `is_filled`: what `value` makes of unknown outcomes is kept.
    """

    def label(market: Market) -> pd.DataFrame:
        outcome = lag(market.close, -horizon) / market.close - 1
        labels = value(outcome, market.close)
        kept = labels if is_filled else np.where(np.isnan(outcome), np.nan, labels)
        return labelled(market, kept, np.full(outcome.shape, horizon if end_bars is None else end_bars))

    return label


def labelled(market: Market, labels: Array, n_bars: Array) -> pd.DataFrame:
    """A row per candle after the warm-up, as the project's own are; labels end `n_bars` after their decision."""
    age = np.arange(market.close.shape[1]) - np.argmax(market.has_bar, axis=1)[:, None]
    row, bar = np.nonzero(market.has_bar & (age >= WARMUP))
    decided = market.open_time_ms[bar] + market.bar_ms
    return pd.DataFrame(
        {
            "symbol": np.array(market.symbols)[row],
            "open_time_ms": market.open_time_ms[bar],
            "decision_time_ms": decided,
            "label_end_ms": decided + n_bars[row, bar].astype(np.int64) * market.bar_ms,
            "is_up": labels[row, bar].astype(float),
        }
    )


def barriers(width: float = 2.0, wait: int = 24, stated: int | None = None, of_class: bool = False) -> Labeller:
    """Triple barriers in past deviations; unknown when a candle is missing before one is hit. `stated`: a nominal end.

    1.0 for the upper one and 0.0 for the lower; neither is unknown, or with `of_class` the middle of -1, 0, 1.
    """

    def label(market: Market) -> pd.DataFrame:
        close = market.close
        move = np.log(close) - lag(np.log(close), 1)
        spread = np.stack([pd.Series(own).rolling(48, min_periods=24).std().to_numpy() for own in move])
        hit, after = np.full(close.shape, np.nan), np.full(close.shape, wait)
        is_open = ~np.isnan(spread)
        for step in range(1, wait + 1):
            moved = np.log(lag(close, -step)) - np.log(close)
            is_open &= ~np.isnan(moved)
            is_hit = is_open & (np.abs(moved) >= width * spread)
            hit[is_hit], after[is_hit] = np.sign(moved[is_hit]), step
            is_open &= ~is_hit
        hit[is_open] = 0.0  # nothing was hit, and all was seen
        labels = hit if of_class else np.where(hit == 0, np.nan, (hit + 1) / 2)
        return labelled(market, labels, after if stated is None else np.full(after.shape, stated))

    return label


def hide(market: Market, is_hidden: Array) -> Market:
    """The market without these candles, (n_symbols, n_bars)."""
    return with_columns(
        market, {name: np.where(is_hidden, np.nan, values) for name, values in market.columns().items()}
    )


def with_holes(world: World, share: float = 0.01) -> Market:
    """Holes of one to six bars."""
    random, market = world.random, world.market
    is_hidden = np.zeros(market.close.shape, dtype=bool)
    for row, bar in np.argwhere(random.random(is_hidden.shape) < share).tolist():
        is_hidden[row, bar : bar + int(random.integers(1, 7))] = True
    return hide(market, is_hidden)


def add_symbol(market: Market, name: str, fields: Mapping[str, Array]) -> Market:
    """The market and one more symbol, its fields (n_bars,)."""
    columns = {each: np.vstack([getattr(market, each), fields[each]]) for each in CANDLE_FIELDS}
    return replace(market, symbols=(*market.symbols, name), **columns)


def take_symbols(market: Market, rows: Sequence[int]) -> Market:
    columns = {name: getattr(market, name)[list(rows)] for name in CANDLE_FIELDS}
    return replace(market, symbols=tuple(market.symbols[row] for row in rows), **columns)


def fields_of(market: Market, row: int, factor: Array | float = 1.0, later: int = 0) -> dict[str, Array]:
    """Candles of a symbol, prices times `factor`, so many bars later."""
    fields = {}
    for name in CANDLE_FIELDS:
        values = getattr(market, name)[row : row + 1]
        values = values if name == "volume" else values * factor
        fields[name] = lag(values, later)[0] if later else values[0]
    return fields


def walk_fields(market: Market, random: np.random.Generator) -> dict[str, Array]:
    """Candles of a walk of its own on the market's bars."""
    close = 50 * np.exp(np.cumsum(0.006 * random.standard_t(5, len(market.open_time_ms))))
    opened = close * np.exp(0.001 * random.normal(size=len(close)))
    around = np.exp(0.004 * np.abs(random.normal(size=(2, len(close)))))
    high, low = np.maximum(opened, close) * around[0], np.minimum(opened, close) / around[1]
    return {"open": opened, "high": high, "low": low, "close": close, "volume": random.lognormal(3, 0.8, len(close))}


def staggered(world: World, n_bars: int = 300) -> pd.DataFrame:
    """A table whose symbols begin so many bars after each other, and end before each other."""
    market = world.market
    is_hidden = np.zeros(market.close.shape, dtype=bool)
    for row in range(len(is_hidden)):
        is_hidden[row, : n_bars * row] = True
        is_hidden[row, is_hidden.shape[1] - 120 * (len(is_hidden) - 1 - row) :] = row < len(is_hidden) - 1
    return make_table(hide(market, is_hidden), direction()).rows


def mortal(world: World) -> tuple[Market, dict[str, tuple[int, int]]]:
    """Five more symbols, three of which end early, and the spans of all."""
    market, random = world.market, world.random
    for number in range(5):
        fields = walk_fields(market, random)
        if number < 3:
            end = int((0.3 + 0.15 * number) * len(market.open_time_ms))
            fields = {name: np.where(np.arange(len(values)) < end, values, np.nan) for name, values in fields.items()}
        market = add_symbol(market, f"M{number}", fields)
    times, has_bar = market.open_time_ms, market.has_bar
    spans = {name: (int(times[own][0]), int(times[own][-1])) for name, own in zip(market.symbols, has_bar, strict=True)}
    return market, spans
