"""Labels of a market small enough to check by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from candlelock.features.market import align
from candlelock.split.labels import label
from tests.heads import direction

if TYPE_CHECKING:
    from candlelock.features.market import Market

HOUR_MS = 3_600_000
NEW_YEAR_MS = 1_704_067_200_000  # 2024-01-01T00:00:00Z


def market(*closes: float, **others: list[float]) -> Market:
    """Hourly candles from 2024-01-01 on; NaN where there is none."""
    candles = {}
    for symbol, prices in {"BTC": [*closes], **others}.items():
        frame = pd.DataFrame({"open_time_ms": NEW_YEAR_MS + HOUR_MS * np.arange(len(prices)), "close": prices}).dropna()
        candles[f"{symbol}/USD"] = frame.assign(open=frame["close"], high=0.0, low=0.0, volume=0.0)
    return align(candles, HOUR_MS)


def up(frame: pd.DataFrame) -> list[float | None]:
    return [None if math.isnan(value) else value for value in frame["is_up"]]


def test_a_label_compares_the_close_with_the_one_a_horizon_later_and_is_unknown_at_the_end() -> None:
    assert up(label(market(10, 11, 9, 12, 12.5, 8), direction(2), 0)) == [0, 1, 1, 0, None, None]


def test_a_head_of_some_symbols_has_their_rows_alone_as_the_pooled_head_has_them() -> None:
    traded = market(10, 11, 9, 12, 12.5, 8, ETH=[1, 2, 3, 4, 3, 2], ADA=[5, 4, 5, 4, 5, 4])
    pooled, head = label(traded, direction(2), 0), direction(2).model_copy(update={"symbols": ["ETH/USD", "ADA/USD"]})
    expected = pooled[pooled["symbol"] != "BTC/USD"].reset_index(drop=True)
    pd.testing.assert_frame_equal(label(traded, head, 0), expected)


def test_an_unchanged_close_is_unknown_and_not_down() -> None:
    frame = label(market(10, 11, 10, 12), direction(2), 0)
    assert up(frame) == [None, 1, None, None]
    assert frame["future_return"][0] == 0


def test_a_window_over_a_missing_bar_is_unknown_on_either_side_of_it_but_not_after_it() -> None:
    nan = math.nan
    frame = label(market(10, 11, 12, nan, 14, 15, 16), direction(2), 0)
    assert frame["open_time_ms"].sub(NEW_YEAR_MS).floordiv(HOUR_MS).tolist() == [0, 1, 2, 4, 5, 6]
    assert up(frame) == [1, None, None, 1, None, None]
    assert frame["future_return"].isna().tolist() == [False, True, True, False, True, True]


def test_times_say_when_the_decision_falls_and_when_the_label_is_known() -> None:
    first = label(market(10, 11, 12, 13, 14), direction(3), 0).iloc[0]
    times = [pd.Timestamp(first[name], unit="ms").isoformat() for name in ("decision_time_ms", "label_end_ms")]
    assert times == ["2024-01-01T01:00:00", "2024-01-01T04:00:00"]


def test_the_past_return_is_the_last_horizon_s_move() -> None:
    frame = label(market(10, 11, 12), direction(1), 0)
    assert frame["past_return"].tolist()[1:] == pytest.approx([math.log(1.1), math.log(12 / 11)])
    assert math.isnan(frame["past_return"][0])


def test_history_counts_from_each_symbol_s_own_first_candle() -> None:
    nan = math.nan
    frame = label(market(1, 2, 3, 4, 5, 6, ADA=[nan, nan, 1, 2, 3, 4]), direction(1), 2)
    bars = frame["open_time_ms"].sub(NEW_YEAR_MS).floordiv(HOUR_MS)
    assert list(zip(frame["symbol"], bars, strict=True)) == [
        *(("ADA/USD", bar) for bar in (4, 5)),
        *(("BTC/USD", bar) for bar in (2, 3, 4, 5)),
    ]


@pytest.mark.parametrize("horizon_bars", [4, 5, 400])
def test_a_horizon_as_long_as_the_data_leaves_every_label_unknown(horizon_bars: int) -> None:
    frame = label(market(1, 2, 3, 4), direction(horizon_bars), 0)
    assert up(frame) == [None] * 4
    assert frame["past_return"].isna().all()
