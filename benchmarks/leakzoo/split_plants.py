"""The area "splits": parts that meet, in the wrong order, with rows or series in two of them, or of survivors alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.leakzoo.label_plants import by_rows
from benchmarks.leakzoo.plants import Plant, area_of, leak, split_by
from benchmarks.leakzoo.split_look_alikes import CLEAN
from benchmarks.leakzoo.training_tables import (
    HORIZON,
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
    hide,
    make_table,
    mortal,
    staggered,
    take_symbols,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.leakzoo.plants import Make
    from benchmarks.leakzoo.training_tables import Array

OVERLAP, ORDER, TWICE, SERIES = "label-overlap", "split-order", "row-twice", "series-twice"
REFUSED = "audit-table-duplicate"  # one key in two rows: the reader refuses it
LATER = 150  # bars, of a series that comes again


def _renamed(**names: str) -> Make:
    return split_by(lambda rows, world: np.array([names.get(each, each) for each in cut(rows)], dtype=object))


def _random(rows: pd.DataFrame, world: World) -> Array:
    return world.random.choice(np.array(PARTS, dtype=object), len(rows), p=[0.7, 0.15, 0.15])


def _by_symbol(rows: pd.DataFrame, world: World) -> Array:
    return np.where(rows["symbol"] == world.market.symbols[-1], "test", "train").astype(object)


def _weeks(rows: pd.DataFrame, world: World) -> Array:
    weeks = (rows["time"] - rows["time"].min()) // (168 * world.bar_ms)
    drawn = world.random.choice(np.array(PARTS, dtype=object), int(weeks.max()) + 1, p=[0.6, 0.2, 0.2])
    drawn[:3] = PARTS
    return drawn[weeks]


def _middle(is_purged: bool) -> Callable[[pd.DataFrame, World], Array]:
    """Validation in the middle of train; with the purge on both sides."""

    def parts(rows: pd.DataFrame, world: World) -> Array:
        names = ("train", "validation", "train", "test")
        return cut(rows, (0.4, 0.55, 0.85), names, is_purged=is_purged)

    return parts


def _calibrate_at_random(rows: pd.DataFrame, world: World) -> Array:
    parts = cut(rows)
    is_drawn = (parts == "train") & (world.random.random(len(rows)) < 0.1)
    parts[is_drawn] = "calibrate"
    return parts


def _purged_in_pooled_rows(rows: pd.DataFrame, world: World) -> Array:
    """As TimeSeriesSplit(gap=8) on rows of all symbols in order of time: eight rows are fewer bars."""
    order = np.lexsort((rows["symbol"], rows["time"]))
    parts, cuts = np.empty(len(rows), dtype=object), (np.array(SHARES) * len(rows)).astype(int)
    parts[order] = np.repeat(np.array(PARTS, dtype=object), np.diff([0, *cuts, len(rows)]))
    for at in cuts:
        parts[order[at - HORIZON : at]] = None
    return parts


def _purged_in_each_symbol(world: World) -> Case:
    """Each symbol is purged before its own next row; one has no event for a while after the cut."""
    rows = world.table().rows
    begin = int(np.quantile(rows["time"], SHARES[0], method="lower"))
    is_quiet = (rows["symbol"] == world.market.symbols[-1]) & rows["time"].between(begin, begin + 60 * world.bar_ms)
    rows = rows[~is_quiet].reset_index(drop=True)
    parts = np.where(rows["time"] < begin, "train", "test").astype(object)
    for _, own in rows.groupby("symbol"):
        first = own["time"][parts[own.index] == "test"].min()
        parts[own.index[(parts[own.index] == "train") & (own["label_end"] >= first)]] = None
    return Case(rows.assign(split=parts))


def _cuts_by_symbol(world: World) -> Case:
    """Each symbol is cut at shares of its own rows, and purged there; they begin at different times."""
    rows = staggered(world)
    parts = np.empty(len(rows), dtype=object)
    for _, own in rows.groupby("symbol"):
        parts[own.index] = cut(own)
    return Case(rows.assign(split=parts))


def _across_gap(world: World) -> Case:
    """Labels eight candles ahead, purged by eight bars, with a gap before the cut."""
    market = world.market
    is_hidden, at = np.zeros(market.close.shape, dtype=bool), int(SHARES[0] * market.close.shape[1])
    is_hidden[:, at - 14 : at - 3] = True
    rows = make_table(hide(market, is_hidden), by_rows).rows
    nominal = rows.assign(label_end=rows["time"] + HORIZON * world.bar_ms)
    begin = int(market.open_time_ms[at]) + world.bar_ms
    parts = np.where(rows["time"] >= begin, "test", "train").astype(object)
    parts[(parts == "train") & (nominal["label_end"] >= begin).to_numpy()] = None
    return Case(rows.assign(split=parts))


def _nominal(rows: pd.DataFrame, world: World) -> Array:
    """Purged as if each label ended after eight bars; barriers wait for 24."""
    return cut(rows.assign(label_end=rows["time"] + HORIZON * world.bar_ms))


def _to_the_bar(rows: pd.DataFrame, world: World) -> Array:
    """Labels that end, embargo included, exactly where the next part begins are kept."""
    return cut(rows, embargo_ms=24 * world.bar_ms - 1)


def _twin(later: int = 0, noise: float = 0.0, scale: float = 1.0, is_by_symbol: bool = False) -> Make:
    """The first symbol again under another name, so many bars later."""

    def make(world: World) -> Case:
        market = world.market
        factor = scale * np.exp(noise * world.random.normal(size=len(market.open_time_ms)))
        case = make_table(add_symbol(market, "TWIN", fields_of(market, 0, factor, later)), direction())
        if is_by_symbol:
            parts = np.where(case.rows["symbol"] == "TWIN", "test", "train").astype(object)
            case = replace(case, rows=case.rows.assign(split=parts))
        return case

    return make


def _again(noise: float, is_same_key: bool = False, is_mixed: bool = False) -> Make:
    """A tenth of train once more in test: same key, or at times of its own; noise in standard deviations."""

    def make(world: World) -> Case:
        rows, random = world.table().rows, world.random
        train = rows[(rows["split"] == "train") & rows["label"].notna()]
        copies = train.sample(frac=0.1, random_state=int(random.integers(1 << 31))).sort_index().reset_index(drop=True)
        names = features_of(rows)
        if is_mixed:
            partners = train[names].sample(len(copies), random_state=3).to_numpy()
            copies[names] += random.random((len(copies), 1)) * (partners - copies[names].to_numpy())
        copies[names] += noise * train[names].std().to_numpy() * random.normal(size=copies[names].shape)
        copies["split"] = "test"
        if not is_same_key:
            copies["symbol"] = "MORE"
            copies["time"] = rows["time"].max() + world.bar_ms * np.arange(1, len(copies) + 1)
            copies["label_end"] = copies["time"] + HORIZON * world.bar_ms
        both = pd.concat([rows, copies], ignore_index=True)
        return Case(both.sort_values(["symbol", "time"], kind="stable", ignore_index=True))

    return make


def _cut_row_twice(world: World) -> Case:
    """`rows[:cut]` and `rows[cut:]` by labels, both with their ends: the row at the cut stands twice."""
    rows = world.table().rows
    first = rows[rows["split"] == "test"].groupby("symbol").head(1).assign(split="train")
    both = pd.concat([rows, first], ignore_index=True)
    return Case(both.sort_values(["symbol", "time"], kind="stable", ignore_index=True))


def _survivors(world: World) -> Case:
    market, spans = mortal(world)
    lives = [row for row, name in enumerate(market.symbols) if name not in ("M0", "M1", "M2")]
    return replace(make_table(take_symbols(market, lives), direction()), known=spans)


LEAKS = (
    leak("random_split", "each row's part is drawn", split_by(_random), OVERLAP, is_core=True),
    leak("random_weeks", "each week's part is drawn", split_by(_weeks), OVERLAP, ORDER),
    leak("split_by_symbol", "one symbol tests, the others train, at the same times", split_by(_by_symbol), OVERLAP),
    leak("no_purge", "parts follow each other, labels reach across", split_by(
        lambda rows, world: cut(rows, is_purged=False)), OVERLAP, is_core=True),
    leak("no_embargo", "purged, without the embargo of 24 bars", split_by(
        lambda rows, world: cut(rows), embargo_bars=24), OVERLAP, is_core=True),
    leak("embargo_a_bar_short", "an embargo of 23 bars where 24 are asked", split_by(
        lambda rows, world: cut(rows, embargo_ms=23 * world.bar_ms), embargo_bars=24), OVERLAP),
    leak("purge_to_the_bar", "labels that end exactly where the embargo does are kept", split_by(
        _to_the_bar, embargo_bars=24), OVERLAP),
    leak("purge_in_pooled_rows", "eight rows of all symbols are left out, not eight bars", split_by(
        _purged_in_pooled_rows), OVERLAP, is_core=True),
    leak("purge_across_gap", "labels eight candles ahead, purged by eight bars, a gap before the cut", _across_gap,
         OVERLAP, is_core=True),
    leak("purge_in_each_symbol", "each symbol is purged before its own next row", _purged_in_each_symbol, OVERLAP),
    leak("barriers_purged_nominally", "barriers of up to 24 bars, purged as if they ended after eight", split_by(
        _nominal, barriers(4.0, of_class=True)), OVERLAP, is_core=True),
    leak("fold_in_the_middle", "validation amid train, no purge", split_by(_middle(is_purged=False)), OVERLAP,
         is_core=True),
    leak("train_after_validation", "the same, purged", split_by(_middle(is_purged=True)), ORDER),
    leak("calibration_at_random", "a tenth of train, drawn, calibrates", split_by(_calibrate_at_random), OVERLAP,
         is_core=True),
    leak("test_before_train", "test is the past", _renamed(train="test", test="train"), ORDER, is_core=True),
    leak("validation_last", "validation lies after test", _renamed(validation="test", test="validation"), ORDER),
    leak("cuts_by_symbol", "each symbol is cut at shares of its own rows", _cuts_by_symbol, OVERLAP, is_core=True),
    leak("cut_row_in_both", "the row at the cut stands in train and in test", _cut_row_twice, REFUSED, TWICE),
    leak("rows_again", "a tenth of train stands in test too", _again(0, is_same_key=True), REFUSED, TWICE,
         is_core=True),
    leak("rows_again_later", "the same, as another symbol, at later times", _again(0), TWICE, is_core=True),
    leak("rows_jittered", "copies of train rows in test, with noise of a thousandth", _again(0.001), TWICE,
         is_core=True),
    leak("rows_jittered_much", "the same, with noise of three hundredths", _again(0.03), TWICE),
    leak("rows_mixed", "SMOTE before the split: points between train rows, in test", _again(0, is_mixed=True), TWICE),
    leak("symbol_twice", "one series under two names, one trains and one tests", _twin(is_by_symbol=True),
         SERIES, TWICE, is_core=True),
    leak("symbol_twice_scaled", "the same in another currency", _twin(scale=83.1, is_by_symbol=True), SERIES, TWICE),
    leak("symbol_twice_noisy", "the same, prices apart by a hundredth of a per cent", _twin(
        noise=1e-5, is_by_symbol=True), SERIES, TWICE),
    leak("symbol_twice_later", "one series again 150 bars later: test knows train", _twin(LATER), SERIES, TWICE,
         is_core=True),
    leak("symbol_twice_later_noisy", "the same with noise", _twin(LATER, noise=1e-5), SERIES, TWICE),
    leak("symbol_twice_much_later", "one series again 700 bars later", _twin(700), SERIES, TWICE),
    leak("survivors", "only symbols that live to the end; three died", _survivors, "universe-survivors", is_core=True),
)  # fmt: skip

PLANTS: tuple[Plant, ...] = LEAKS + CLEAN
SPLIT_AREA = area_of("splits", PLANTS)
