"""Labels that are known at their end pass; those that look further, or are filled, do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from candlelock.causality.other_candles import between
from candlelock.leakage.known_labels import check_known_labels
from candlelock.split.labels import label as label_rows
from tests.heads import direction, future_return, triple_barrier
from tests.markets import walk

if TYPE_CHECKING:
    from candlelock.contracts.head_params import HeadParams
    from candlelock.contracts.leakage_documents import LeakCheck

MARKET = walk(4, 2, 400, gap_share=0.03)


def label(n_bars: int, horizon_bars: int = 4) -> pd.DataFrame:
    return label_rows(between(MARKET, 0, n_bars), direction(horizon_bars), 0)


def check(make: object) -> LeakCheck:
    return check_known_labels(make, MARKET.open_time_ms, MARKET.bar_ms)  # type: ignore[arg-type]


@pytest.mark.parametrize("horizon_bars", [1, 4, 20])
def test_honest_labels_pass(horizon_bars: int) -> None:
    found = check(lambda n_bars: label(n_bars, horizon_bars))
    assert found.passed
    assert found.n_compared > 1_000


@pytest.mark.parametrize(
    "head",
    [triple_barrier(20), direction(4, 0.5), direction(4, learns="path"), future_return(4)],
    ids=["triple barrier", "dead zone", "path", "value"],
)
def test_labels_of_other_kinds_pass_and_barriers_end_when_they_are_settled(head: HeadParams) -> None:
    def make(n_bars: int) -> pd.DataFrame:
        return label_rows(between(MARKET, 0, n_bars), head, 0)

    whole = make(len(MARKET.open_time_ms))
    assert check_known_labels(make, MARKET.open_time_ms, MARKET.bar_ms, whole).passed
    sooner = whole.assign(label_end_ms=whole["decision_time_ms"] + MARKET.bar_ms)
    assert not check_known_labels(make, MARKET.open_time_ms, MARKET.bar_ms, sooner).passed


def test_a_label_that_looks_a_bar_further_than_it_says_is_found() -> None:
    def further(n_bars: int) -> pd.DataFrame:
        return label(n_bars, 5).assign(label_end_ms=lambda frame: frame["label_end_ms"] - MARKET.bar_ms)

    (leak,) = check(further).findings
    assert leak.code == "label-sees-further"
    assert leak.known_utc is not None
    assert leak.used_utc is not None


@pytest.mark.parametrize("column", ["share_above", "value"])
def test_what_is_learned_of_a_label_looks_no_further_than_the_label(column: str) -> None:
    head, wider = (
        (direction(4, learns="path"), direction(5, learns="path"))
        if column == "share_above"
        else (future_return(4), future_return(5))
    )

    def further(n_bars: int) -> pd.DataFrame:
        part = between(MARKET, 0, n_bars)
        return label_rows(part, head, 0).assign(**{column: label_rows(part, wider, 0)[column]})

    (leak,) = check(further).findings
    assert leak.code == "label-sees-further"


@pytest.mark.parametrize("column", ["share_above", "value"])
def test_a_table_that_teaches_what_the_candles_do_not_give_is_found(column: str) -> None:
    head = direction(4, learns="path") if column == "share_above" else future_return(4)

    def make(n_bars: int) -> pd.DataFrame:
        return label_rows(between(MARKET, 0, n_bars), head, 0)

    stored = make(len(MARKET.open_time_ms))
    row = stored[column].first_valid_index()
    stored.loc[row, column] += 0.125
    (leak,) = check_known_labels(make, MARKET.open_time_ms, MARKET.bar_ms, stored).findings
    assert leak.code == "label-differs"
    assert leak.detail.startswith(f"1 rows; {column} of this one is ")
    assert leak.symbol == stored["symbol"][row]


@pytest.mark.parametrize("spoil", ["label", "end", "lost", "added"])
def test_a_table_that_is_not_what_the_candles_give_is_found(spoil: str) -> None:
    n_bars = len(MARKET.open_time_ms)
    stored = label(n_bars).sample(frac=1, random_state=1)
    assert check_known_labels(label, MARKET.open_time_ms, MARKET.bar_ms, stored).passed
    if spoil == "label":
        stored.loc[stored["is_up"].first_valid_index(), "is_up"] = np.nan
    elif spoil == "end":
        stored["label_end_ms"] -= MARKET.bar_ms
    else:
        stored = stored.iloc[1:] if spoil == "lost" else pd.concat([stored, stored.iloc[:1].assign(open_time_ms=0)])
    (leak,) = check_known_labels(label, MARKET.open_time_ms, MARKET.bar_ms, stored).findings
    assert leak.code == "label-differs"


def test_rows_that_are_left_out_by_what_comes_later_are_found() -> None:
    """Symbols are dropped when their last close lies below their first: today's survivors."""

    def survivors(n_bars: int) -> pd.DataFrame:
        part = between(MARKET, 0, n_bars)
        known = [row[~np.isnan(row)] for row in part.close]
        alive = [name for name, row in zip(part.symbols, known, strict=True) if row[-1] > row[0]]
        frame = label(n_bars)
        return frame[frame["symbol"].isin(alive)]

    assert {leak.code for leak in check(survivors).findings} == {"label-sees-further"}


def test_unknown_labels_that_were_filled_are_found() -> None:
    (leak,) = check(lambda n_bars: label(n_bars).fillna({"is_up": 0.0})).findings
    assert "not there yet" in leak.detail


def test_a_threshold_over_all_rows_is_found() -> None:
    """A label against the median of all returns, later ones included."""

    def over_median(n_bars: int) -> pd.DataFrame:
        frame = label(n_bars)
        ahead = frame["future_return"]
        return frame.assign(is_up=np.where(ahead.isna(), np.nan, ahead > ahead.median()))

    (leak,) = check(over_median).findings
    assert "changes when candles after its end" in leak.detail
