"""The area "labels": labels that nobody could know, that say the wrong end, or that stand among the features."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.signal import savgol_filter

from benchmarks.leakzoo.plants import Plant, area_of, leak
from benchmarks.leakzoo.training_tables import (
    HORIZON,
    Case,
    World,
    ahead,
    barriers,
    direction,
    labelled,
    lag,
    make_table,
    with_holes,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.leakzoo.plants import Make
    from benchmarks.leakzoo.training_tables import Array, Labeller
    from candlelock.features.market import Market

SEES, IN_FEATURE, FILLED = "label-sees-further", "label-in-feature", "label-filled"
UP = ahead(HORIZON, lambda outcome, _: outcome > 0)
RETURN = ahead(HORIZON, lambda outcome, _: outcome)
SIZE = ahead(HORIZON, lambda outcome, _: np.abs(outcome))


def _column(labeller: Labeller, value: Callable[[Case, World], Array | pd.Series]) -> Make:
    """An honest table with one more column."""

    def make(world: World) -> Case:
        case = world.table(labeller)
        return replace(case, rows=case.rows.assign(planted=np.asarray(value(case, world), dtype=float)))

    return make


def _table(labeller: Labeller) -> Make:
    return lambda world: world.table(labeller)


def _holed(labeller: Labeller) -> Make:
    return lambda world: world.table(labeller, market=with_holes(world))


def outcome_of(case: Case) -> Array:
    """The return over the horizon of each row."""
    assert case.market is not None
    keys = RETURN(case.market).rename(columns={"decision_time_ms": "time", "is_up": "outcome"})
    return case.rows.merge(keys[["symbol", "time", "outcome"]], on=["symbol", "time"], how="left")["outcome"].to_numpy()


def _noisy_rank(noise: float) -> Make:
    def value(case: Case, world: World) -> Array:
        rank = pd.Series(outcome_of(case)).rank(pct=True)
        return np.asarray(rank + noise * world.random.normal(size=len(rank)))

    return _column(direction(), value)


def _encoded(case: Case, parts: tuple[str, ...]) -> pd.Series:
    """Mean label by symbol, hour and weekday over these parts, the row's own included."""
    keys = [case.rows["symbol"], case.rows["hour"], case.rows["weekday"]]
    seen = case.rows["label"].where(case.rows["split"].isin(parts))
    return seen.groupby(keys).transform("mean")


def _encoded_until(case: Case, n_back: int) -> pd.Series:
    """The same over rows of that group so many weeks back and more."""
    keys = [case.rows["symbol"], case.rows["hour"], case.rows["weekday"]]
    return case.rows.groupby(keys)["label"].transform(lambda own: own.shift(n_back).expanding().mean())


def _by_symbol(case: Case, change: Callable[[pd.Series], pd.Series]) -> pd.Series:
    return case.rows.groupby("symbol")["label"].transform(change)


def _without_ends(world: World) -> Case:
    case = world.table(UP)
    rows = case.rows
    is_tail = rows["label"].isna().to_numpy()
    rows["label"], rows["split"] = rows["label"].fillna(0), np.where(is_tail, "test", rows["split"])
    rows["label_end"] = rows["label_end"].astype("Int64").mask(is_tail)
    return replace(case, rows=rows)


def _filled_tail(world: World) -> Case:
    rows = make_table(world.market, UP).rows
    complete = rows.groupby("symbol").tail(10 * HORIZON).index
    rows = rows.loc[rows["label"].notna() | rows.index.isin(complete)].reset_index(drop=True)
    return Case(rows.assign(label=rows["label"].fillna(0)))


def _swings(market: Market) -> pd.DataFrame:
    """Whether the next turn is a high, where turns are told by two deviations of the whole series."""
    n_symbols, n_bars = market.close.shape
    labels = np.full((n_symbols, n_bars), np.nan)
    for row in range(n_symbols):
        price = pd.Series(np.log(market.close[row])).ffill().bfill().to_numpy()
        size, last, side, turn = 2 * np.std(np.diff(price)) * np.sqrt(HORIZON), 0, 1, np.full(n_bars, np.nan)
        for bar in range(1, n_bars):
            if side * (price[bar] - price[last]) > 0:
                last = bar
            elif side * (price[last] - price[bar]) > size:
                turn[last], last, side = (side + 1) / 2, bar, -side
        labels[row] = pd.Series(turn).bfill().to_numpy()
    return labelled(market, labels, np.full(labels.shape, HORIZON))


def _smoothed(market: Market) -> pd.DataFrame:
    price = pd.DataFrame(np.log(market.close)).ffill(axis=1).bfill(axis=1).to_numpy()
    smooth = savgol_filter(price, 15, 2, axis=1) if price.shape[1] > 15 else price
    outcome = lag(smooth, -HORIZON) - smooth
    labels = np.where(np.isnan(outcome), np.nan, outcome > 0)
    return labelled(market, labels, np.full(labels.shape, HORIZON))


def _trend_scan(is_honest: bool) -> Labeller:
    """Sign of the move over that span, of 4 to 24 bars, whose move is largest for its length."""

    def label(market: Market) -> pd.DataFrame:
        price, spans = np.log(market.close), range(4, 25, 4)
        moves = np.stack([(lag(price, -span) - price) / np.sqrt(span) for span in spans])
        if is_honest:
            moves[:, np.isnan(moves).any(axis=0)] = np.nan
        is_known = ~np.isnan(moves).all(axis=0)
        best = np.argmax(np.where(np.isnan(moves), -1, np.abs(moves)), axis=0)
        move = np.take_along_axis(moves, best[None], axis=0)[0]
        labels = np.where(is_known & ~np.isnan(move), move > 0, np.nan)
        ends = np.full(best.shape, 24) if is_honest else np.array(list(spans))[best]
        return labelled(market, labels, ends)

    return label


def _terciles(outcome: Array, _: Array) -> Array:
    low, high = np.nanquantile(outcome, [1 / 3, 2 / 3], axis=1, keepdims=True)
    return np.where(outcome > high, 1.0, np.where(outcome < low, -1.0, 0.0))


def _along(n_bars: int) -> Labeller:
    """Direction over the horizon; learned of it is the share of the next `n_bars` closes above."""
    return lambda market: direction()(market).assign(share_above=direction(n_bars, "path")(market)["share_above"])


def _above(window: Callable[[pd.Series], pd.Series]) -> Labeller:
    """Return above a quantile of those known before: `window` of a column of returns."""

    def label(market: Market) -> pd.DataFrame:
        outcome = lag(market.close, -HORIZON) / market.close - 1
        past = np.stack([window(pd.Series(own).shift(HORIZON)).to_numpy() for own in outcome])
        labels = np.where(np.isnan(outcome) | np.isnan(past), np.nan, outcome > past)
        return labelled(market, labels, np.full(labels.shape, HORIZON))

    return label


def by_rows(market: Market) -> pd.DataFrame:
    """Over the next eight candles there are, holes left out; ends where the last of them closes."""
    labels, ends = np.full((2, *market.close.shape), np.nan)
    for row, close in enumerate(market.close):
        at = np.flatnonzero(~np.isnan(close))
        labels[row, at[:-HORIZON]] = close[at[HORIZON:]] > close[at[:-HORIZON]]
        ends[row, at[:-HORIZON]] = at[HORIZON:] - at[:-HORIZON]
    return labelled(market, labels, np.where(np.isnan(ends), HORIZON, ends))


def _random_lengths(market: Market) -> pd.DataFrame:
    """Horizons of 1 to 30 bars, drawn by the time alone."""
    hours = market.open_time_ms // 3_600_000
    n_bars = np.broadcast_to((hours * 2_654_435_761 >> 7) % 30 + 1, market.close.shape)
    bar = np.arange(market.close.shape[1]) + n_bars
    outside = bar >= market.close.shape[1]
    future = np.take_along_axis(market.close, np.where(outside, 0, bar), axis=1)
    is_known = ~outside & ~np.isnan(future)
    return labelled(market, np.where(is_known, future > market.close, np.nan), n_bars)


LEAKS = (
    leak("comparison_with_missing", "close ahead > close, where a missing one gives 0", _holed(
        ahead(HORIZON, lambda outcome, _: outcome > 0, is_filled=True)), FILLED, is_core=True),
    leak("returns_filled_with_zero", "unknown returns filled with 0", _holed(
        ahead(HORIZON, lambda outcome, _: np.nan_to_num(outcome), is_filled=True)), FILLED, is_core=True),
    leak("classes_filled_with_zero", "unknown barrier labels filled with the class 0", _holed(
        lambda market: barriers(of_class=True)(market).fillna({"is_up": 0})), FILLED),
    leak("lone_tail_filled", "no holes: the last eight labels alone are filled with 0", _filled_tail, FILLED),
    leak("label_among_features", "the label itself is a feature", _column(
        direction(), lambda case, _: case.rows["label"]), IN_FEATURE, is_core=True),
    leak("outcome_among_features", "the return whose sign is the label is a feature", _column(
        direction(), lambda case, _: outcome_of(case)), IN_FEATURE, is_core=True),
    leak("label_squared", "the squared return, of a label that is its size", _column(
        SIZE, lambda case, _: outcome_of(case) ** 2), IN_FEATURE),
    leak("noisy_rank_strong", "rank of the outcome with noise, AUC about 0.97", _noisy_rank(0.1), IN_FEATURE),
    leak("noisy_rank_faint", "rank of the outcome with much noise, AUC about 0.8", _noisy_rank(0.4), IN_FEATURE),
    leak("label_in_nulls", "a feature that is null where the label is 1", _column(
        direction(), lambda case, _: case.rows["return_1"].where(case.rows["label"] != 1)), IN_FEATURE),
    leak("outcome_before", "the outcome of the row before, known seven bars later", _column(
        direction(), lambda case, _: pd.Series(outcome_of(case)).groupby(case.rows["symbol"]).shift(1)), IN_FEATURE),
    leak("label_before", "the label of the row before, known seven bars later", _column(
        direction(), lambda case, _: _by_symbol(case, lambda own: own.shift(1))), IN_FEATURE, is_core=True),
    leak("label_after", "the label of the next row: y.shift(-1) among the features", _column(
        direction(), lambda case, _: _by_symbol(case, lambda own: own.shift(-1))), IN_FEATURE, is_core=True),
    leak("label_after_its_own", "the label that begins where the row's own ends: y.shift(-8)", _column(
        direction(), lambda case, _: _by_symbol(case, lambda own: own.shift(-HORIZON))), IN_FEATURE),
    leak("hit_rate", "mean of the last 24 labels, the latest not known yet", _column(
        direction(), lambda case, _: _by_symbol(case, lambda own: own.shift(1).rolling(24, 12).mean())), IN_FEATURE),
    leak("past_as_label", "the label looks back: a feature has it", lambda world: world.table(
        ahead(0, lambda outcome, close: np.where(np.isnan(lag(close, HORIZON)), np.nan, close > lag(close, HORIZON)),
              end_bars=HORIZON)), IN_FEATURE),
    leak("target_encoding_own_row", "mean label by hour and weekday over train, the row's own included", _column(
        direction(4), lambda case, _: _encoded(case, ("train",))), IN_FEATURE, is_core=True),
    leak("target_encoding_all_rows", "the same over all parts", _column(
        direction(4), lambda case, _: _encoded(case, ("train", "validation", "test"))), IN_FEATURE),
    leak("end_a_bar_later", "labels eight bars ahead that say they end after one", _table(
        ahead(HORIZON, lambda outcome, _: outcome > 0, end_bars=1)), SEES, is_core=True),
    leak("share_a_bar_further", "learned is the share of nine closes above, of a label that ends after eight",
         _holed(_along(HORIZON + 1)), SEES, is_core=True),
    leak("end_at_last_open", "the end is the open of the last bar, not its close", _table(
        ahead(HORIZON, lambda outcome, _: outcome > 0, end_bars=HORIZON - 1)), SEES, is_core=True),
    leak("end_at_decision", "the end is the decision", _table(
        ahead(HORIZON, lambda outcome, _: outcome > 0, end_bars=0)), "label-end-early", SEES),
    leak("end_before_decision", "label end and decision changed places", _table(
        ahead(HORIZON, lambda outcome, _: outcome > 0, end_bars=-HORIZON)), "label-end-early"),
    leak("barrier_end_nominal", "triple barriers of up to 24 bars that say they end after four", _table(
        barriers(stated=4)), SEES, is_core=True),
    leak("quantile_of_all", "1 above the 70 % quantile of all returns", _table(
        ahead(HORIZON, lambda outcome, _: outcome > np.nanquantile(outcome, 0.7))), SEES, is_core=True),
    leak("terciles_of_all", "three classes by the terciles of all returns", _table(ahead(HORIZON, _terciles)), SEES),
    leak("detrended_by_all", "returns less the mean of all", _table(
        ahead(HORIZON, lambda outcome, _: outcome - np.nanmean(outcome, axis=1, keepdims=True))), SEES),
    leak("barriers_by_all", "a barrier of one deviation of all returns", _table(
        ahead(HORIZON, lambda outcome, _: (np.abs(outcome) > np.nanstd(outcome)) * np.sign(outcome))), SEES),
    leak("swing_label", "the next high or low of a zigzag, said to be known after eight bars", _table(_swings), SEES),
    leak("smoothed_label", "direction of a two-sided smooth, said to be known after eight bars", _table(
        _smoothed), SEES),
    leak("best_span_label", "the strongest of several spans, said to be known after the chosen one", _table(
        _trend_scan(is_honest=False)), SEES),
    leak("unknown_without_end", "unknown labels are 0 and have no end", _without_ends, "label-end-missing",
         is_core=True),
)  # fmt: skip


def _flat(world: World) -> Case:
    """A market that stands still for 200 bars; its labels are 0 there."""
    fields = {name: values.copy() for name, values in world.market.columns().items()}
    for name in ("open", "high", "low", "close"):
        fields[name][:, 900:1100] = fields["close"][:, 899:900]
    fields["volume"][:, 900:1100] = 0
    return world.table(UP, market=replace(world.market, **fields))


def _rounded(world: World) -> Case:
    fields = world.market.columns()
    digits = 1 - int(np.floor(np.log10(np.nanmin(fields["low"]))))
    rounded = {name: np.round(fields[name], digits) for name in ("open", "high", "low", "close")}
    return world.table(direction(), market=replace(world.market, **rounded))


def _told(noise: float, is_fading: bool = False) -> Callable[[Case, World], Array]:
    """The outcome in past deviations with so much noise; only noise in the later parts if it fades."""

    def value(case: Case, world: World) -> Array:
        outcome = outcome_of(case) / (case.rows["deviation_24"].to_numpy() + 1e-9)
        outcome = np.clip(outcome, *np.nanquantile(outcome, [0.02, 0.98]))
        if is_fading:
            outcome = np.where(case.rows["split"].isin(["validation", "test"]), 0.0, outcome)
        return np.asarray(outcome + noise * np.nanstd(outcome) * world.random.normal(size=len(outcome)))

    return value


def _last_only(world: World) -> Case:
    """The market falls over its last bars, so that all labels there are 0."""
    fields = {name: values.copy() for name, values in world.market.columns().items()}
    for name in ("open", "high", "low", "close"):
        fields[name][:, -40:] *= np.exp(-0.02 * np.arange(1, 41))
    return world.table(UP, market=replace(world.market, **fields))


def _unknown_left_out(world: World) -> Case:
    case = world.table(UP, market=with_holes(world))
    return replace(case, rows=case.rows[case.rows["label"].notna()].reset_index(drop=True))


def _known_row_before(case: Case) -> pd.Series:
    return _by_symbol(case, lambda own: own.shift(HORIZON))


CLEAN = (
    Plant("clean_direction", "direction over eight bars, null where unknown", _table(direction())),
    Plant("clean_direction_holes", "the same with many holes", _holed(direction())),
    Plant("clean_forward_shift", "shift(-8) over the close, null at the tail", _holed(UP)),
    Plant("clean_return", "the return as the label", _holed(RETURN)),
    Plant("clean_size", "the size of the return, foretold by past volatility", _table(SIZE)),
    Plant("clean_share_above", "learned is the share of the label's closes above", _holed(direction(learns="path"))),
    Plant("clean_one_bar", "the next bar alone", _table(direction(1))),
    Plant("clean_one_day", "24 bars ahead", _table(direction(24))),
    Plant("clean_barriers", "triple barriers with the time they were hit", _table(barriers())),
    Plant("clean_barriers_holes", "the same with many holes", _holed(barriers())),
    Plant("clean_barrier_classes", "triple barriers with three classes", _table(barriers(1.5, of_class=True))),
    Plant("clean_random_lengths", "horizons of 1 to 30 bars", _holed(_random_lengths)),
    Plant("clean_by_rows", "eight candles ahead, whatever holes lie between; actual ends", _holed(by_rows)),
    Plant("clean_label_expanding_quantile", "above the 70 % quantile of all returns known before", _table(
        _above(lambda past: past.expanding(100).quantile(0.7)))),
    Plant("clean_label_rolling_quantile", "above the median of 200 returns known before", _table(
        _above(lambda past: past.rolling(200, 100).median()))),
    Plant("clean_rare_class", "moves of five per cent: few ones", _table(
        ahead(HORIZON, lambda outcome, _: outcome > 0.05))),
    Plant("clean_longest_span", "the strongest of several spans, known after the longest", _table(
        _trend_scan(is_honest=True))),
    Plant("clean_label_known", "the last label that was known at the decision", _column(
        direction(), lambda case, _: _known_row_before(case))),
    Plant("clean_hit_rate", "mean of the 24 last labels that were known", _column(
        direction(), lambda case, _: _by_symbol(case, lambda own: own.shift(HORIZON).rolling(24, 12).mean()))),
    Plant("clean_target_encoding", "mean label by hour and weekday of the weeks before", _column(
        direction(4), lambda case, _: _encoded_until(case, 1))),
    Plant("clean_strong_feature", "an honest feature of AUC 0.75", _column(
        direction(), _told(1.1))),
    Plant("clean_fading_feature", "one of AUC 0.61 in train that tells nothing later", _column(
        direction(), _told(2.7, is_fading=True))),
    Plant("clean_flat_market", "200 bars without a move: all labels 0", _flat),
    Plant("clean_rounded_prices", "prices of two digits; an unchanged close is null", _rounded),
    Plant("clean_falling_end", "the last labels are all 0, and known", _last_only),
    Plant("clean_unknown_left_out", "rows without a label are left out of the table", _unknown_left_out),
    Plant("clean_constant_feature", "a feature of one value", _column(
        direction(), lambda case, _: 1.0 + 0 * case.rows["hour"])),
    Plant("clean_clock_feature", "the row's number: a clock", _column(
        direction(), lambda case, _: np.arange(len(case.rows)))),
    Plant("clean_mostly_null", "a feature that is mostly null", _column(
        direction(), lambda case, _: case.rows["return_4"].where(case.rows["hour"] == 3))),
    Plant("clean_noise", "a feature of noise", _column(
        direction(), lambda case, world: world.random.normal(size=len(case.rows)))),
)  # fmt: skip

PLANTS: tuple[Plant, ...] = LEAKS + CLEAN
LABEL_AREA = area_of("labels", PLANTS)
