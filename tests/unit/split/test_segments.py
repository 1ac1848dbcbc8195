"""Segments and folds with literal dates, and the refusal of what is too thin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from candlelock.contracts.errors import InputError
from candlelock.split.labels import label
from candlelock.split.segments import assign, fold_masks, n_folds, segment_ranges
from tests.heads import direction

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.stage_params import SplitParams
    from candlelock.features.market import Market

    Params = Callable[..., SplitParams]

HOUR_MS = 3_600_000


def hourly(n_rows: int, horizon_bars: int = 2) -> pd.DataFrame:
    """One symbol's labelled rows, hour after hour from 2024-01-01 on, up and down in turn."""
    opens = pd.Timestamp("2024-01-01").value // 10**6 + HOUR_MS * np.arange(n_rows)
    times = {
        "open_time_ms": opens,
        "decision_time_ms": opens + HOUR_MS,
        "label_end_ms": opens + (horizon_bars + 1) * HOUR_MS,
    }
    is_up = opens / HOUR_MS % 2
    symbol = pd.Series(["BTC/USD"] * n_rows, dtype="str")
    return pd.DataFrame({"symbol": symbol, **times, "is_up": is_up, "future_return": is_up - 0.5})


def opened(text: str) -> int:
    return pd.Timestamp(text).value // 10**6


def segment_at(rows: pd.DataFrame, text: str) -> str:
    return str(rows.set_index("open_time_ms")["segment"][opened(text)])


def test_a_label_that_ends_just_at_the_embargo_of_the_next_decision_is_out(params: Params) -> None:
    # 800 rows: row 600 opens 2024-01-26T00:00, decides 01:00; three hours of embargo leave labels known before 22:00
    rows = assign(hourly(800), params(embargo_bars=3), HOUR_MS)
    assert segment_at(rows, "2024-01-26T00:00") == "test"
    assert segment_at(rows, "2024-01-25T18:00") == "decide"  # its label ends 21:00
    assert segment_at(rows, "2024-01-25T19:00") == "nan"  # its label ends 22:00
    assert segment_at(rows, "2024-01-25T23:00") == "nan"


def test_without_embargo_a_label_known_at_the_next_decision_itself_is_out(params: Params) -> None:
    rows = assign(hourly(800), params(embargo_bars=0), HOUR_MS)
    assert segment_at(rows, "2024-01-25T21:00") == "decide"  # its label ends 2024-01-26T00:00
    assert segment_at(rows, "2024-01-25T22:00") == "nan"  # its label ends 01:00, with the first decision of test


def test_segments_take_their_shares_of_the_labelled_rows(params: Params) -> None:
    rows = assign(hourly(1000, 1), params(embargo_bars=0), HOUR_MS)
    sizes = rows["segment"].value_counts()
    assert sizes.to_dict() == {"train": 549, "calibrate": 99, "decide": 99, "test": 250}


def test_fractions_that_round_badly_leave_the_test_rows_where_they_are(params: Params) -> None:
    rows = assign(hourly(1000), params(calibrate_frac=0.06, decide_frac=0.08), HOUR_MS)
    assert (rows["segment"] == "test").sum() == 250


def test_a_fold_is_purged_and_embargoed_at_its_own_first_decision(params: Params) -> None:
    rows = assign(hourly(800), params(embargo_bars=3), HOUR_MS)
    trains, validates = fold_masks(rows, 2, 3 * HOUR_MS)
    first, last = rows["decision_time_ms"][validates].min(), rows["label_end_ms"][trains].max()
    assert first - last == 4 * HOUR_MS
    assert trains[0]


def test_unlabelled_rows_keep_their_segment_but_neither_train_nor_validate(params: Params) -> None:
    raw = hourly(800)
    raw.loc[[5, 250], "is_up"] = np.nan
    rows = assign(raw, params(), HOUR_MS)
    assert rows["segment"][[5, 250]].tolist() == ["train", "train"]
    assert rows["fold"][[5, 250]].tolist() == [0, 2]
    for fold in range(1, n_folds(rows) + 1):
        trains, validates = fold_masks(rows, fold, 0)
        assert not (trains | validates)[[5, 250]].any()


def test_ranges_are_first_decisions_and_last_label_ends(params: Params) -> None:
    ranges = segment_ranges(assign(hourly(800), params(embargo_bars=3), HOUR_MS))
    assert (ranges["train"].start, ranges["decide"].end) == ("2024-01-01T01:00:00Z", "2024-01-25T21:00:00Z")
    assert (ranges["test"].start, ranges["test"].end) == ("2024-01-26T01:00:00Z", "2024-02-03T10:00:00Z")


def refusal(rows: pd.DataFrame, params: SplitParams) -> list[str]:
    with pytest.raises(InputError) as caught:
        assign(rows, params, HOUR_MS)
    assert {problem.code for problem in caught.value.problems} == {"split-empty"}
    return [problem.place.removeprefix("params.yaml split, ") for problem in caught.value.problems]


def test_every_thin_segment_is_named_at_once(params: Params) -> None:
    assert refusal(hourly(400), params(embargo_bars=0)) == ["calibrate", "decide"]


def test_a_segment_of_one_class_is_refused(params: Params) -> None:
    rows = hourly(1000)
    rows.loc[rows["open_time_ms"] >= opened("2024-01-30T00:00"), "is_up"] = 1.0
    assert refusal(rows, params()) == ["test"]


def test_thin_folds_are_refused(params: Params) -> None:
    assert refusal(hourly(800), params(n_folds=9)) == [f"fold {number}" for number in range(1, 10)]


def test_a_fold_whose_train_rows_an_embargo_eats_is_refused(params: Params) -> None:
    assert refusal(hourly(2000), params(n_folds=9, embargo_bars=80)) == ["train rows of fold 1"]


def test_a_constant_price_or_a_handful_of_candles_is_refused(params: Params, walk: Callable[..., Market]) -> None:
    flat = hourly(800).assign(is_up=np.nan, future_return=0.0)
    assert refusal(flat, params()) == ["train"]
    assert refusal(label(walk(14), direction(4), 10), params()) == ["train"]


def test_one_symbol_is_enough(params: Params, walk: Callable[..., Market]) -> None:
    market = walk(1000, starts=(0,))
    rows = assign(label(market, direction(4), 96), params(), market.bar_ms)
    assert set(rows["segment"].dropna()) == {"train", "calibrate", "decide", "test"}
