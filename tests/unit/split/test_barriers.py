"""Triple-barrier labels and dead zones whose answer can be told by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.features.market import Market
from candlelock.split.labels import label
from candlelock.split.segments import assign, fold_masks
from candlelock.split.volatility import past_volatility
from tests.heads import direction, triple_barrier
from tests.markets import of_closes, walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.stage_params import SplitParams

    Params = Callable[..., SplitParams]

HOUR_MS = 3_600_000
BEFORE = [100.0, 101.0, 100.0, 101.0, 100.0]  # every move is one of log 1.01; the last bar decides
SIGMA = 2 * math.log(1.01)  # of a move over four bars
UPPER, LOWER = 100 * 1.01**2, 100 / 1.01**2
NONE = (math.nan, math.nan)  # a missing candle
CALM = (101.0, 99.0)


def answer(
    *ahead: tuple[float, float], take_profit_sigmas: float = 1.0, stop_loss_sigmas: float = 1.0
) -> tuple[float | None, int]:
    """Label of the last bar of BEFORE, None where unknown, and bars to its end; `ahead`: high and low of each bar."""
    high, low = (np.array([[*BEFORE, *column]]) for column in zip(*ahead, strict=True))
    close = np.sqrt(high * low)
    market = Market(("A",), HOUR_MS, HOUR_MS * np.arange(close.size), close, high, low, close, close)
    first = label(market, triple_barrier(4, take_profit_sigmas, stop_loss_sigmas, volatility_bars=4), 4).iloc[0]
    is_up = float(first["is_up"])
    return None if math.isnan(is_up) else is_up, int((first["label_end_ms"] - first["decision_time_ms"]) // HOUR_MS)


def test_the_upper_barrier_first_is_up_and_ends_with_its_bar() -> None:
    assert answer(CALM, (UPPER + 0.01, 99.0), CALM, CALM) == (1.0, 2)


def test_the_lower_barrier_first_is_down_whatever_comes_after() -> None:
    assert answer((101.0, LOWER - 0.01), (UPPER + 5, 99.0), CALM, CALM) == (0.0, 1)


def test_both_in_one_bar_are_down() -> None:
    assert answer(CALM, CALM, (UPPER + 1, LOWER - 1), CALM) == (0.0, 3)


def test_neither_in_time_is_unknown_and_ends_with_the_horizon() -> None:
    assert answer(CALM, CALM, CALM, CALM, (UPPER + 5, 99.0)) == (None, 4)
    assert answer(CALM, CALM, CALM, (UPPER + 0.01, 99.0)) == (1.0, 4)


def test_a_missing_candle_leaves_unknown_what_was_not_settled_before_it() -> None:
    up = (UPPER + 0.01, 99.0)
    assert answer(CALM, NONE, up, CALM) == (None, 4)
    assert answer(CALM, up, NONE, CALM) == (1.0, 2)
    assert answer(NONE, up, CALM, CALM) == (None, 4)


def test_the_end_of_the_data_leaves_unknown_what_was_not_settled_before_it() -> None:
    assert answer(CALM, CALM) == (None, 4)
    assert answer(CALM, (UPPER + 0.01, 99.0)) == (1.0, 2)


def test_barriers_are_as_far_as_they_are_asked_to_be() -> None:
    ahead = [(UPPER + 0.01, 99.0), CALM, CALM, (101.0, 100 * math.exp(-0.5 * SIGMA) - 0.01)]
    assert answer(*ahead) == (1.0, 1)
    assert answer(*ahead, take_profit_sigmas=1.1) == (None, 4)
    assert answer(*ahead, take_profit_sigmas=1.1, stop_loss_sigmas=0.5)[0] == 0.0


def test_a_price_that_never_moved_has_no_barriers() -> None:
    market = of_closes([5.0] * 6 + [9.0] * 4)
    assert label(market, triple_barrier(2, volatility_bars=3), 0)["is_up"].isna()[:6].all()


def test_volatility_is_the_root_mean_square_of_known_moves_over_the_horizon() -> None:
    nan = math.nan
    log_close = np.cumsum([[0.0, 0.3, -0.1, 0.2, 0.5]], axis=1)
    np.testing.assert_allclose(past_volatility(log_close, 2, 9)[0, 2:], 3 * np.sqrt([0.05, 0.025, 0.145]))
    holed = np.array([[0.0, 0.3, nan, 0.2, 0.5, 0.6]])
    expected = [nan, nan, nan, nan, nan, math.sqrt((0.09 + 0.01) / 2)]
    np.testing.assert_allclose(past_volatility(holed, 1, 1)[0], [nan, 0.3, nan, nan, 0.3, 0.1])
    np.testing.assert_allclose(past_volatility(holed, 3, 1)[0], expected)


def test_half_of_the_moves_are_too_few_for_a_volatility() -> None:
    holed = np.array([[0.0, 0.3, math.nan, 0.2, 0.5, 0.6, 0.8]])
    assert np.isnan(past_volatility(holed, 4, 1)[0, :6]).all()  # two of four moves at most
    assert past_volatility(holed, 4, 1)[0, 6] == pytest.approx(math.sqrt((0.09 + 0.01 + 0.04) / 3))


def test_a_move_within_the_dead_zone_is_unknown_and_at_its_edge_known() -> None:
    moves = np.array([0.01, -0.01, 0.01, -0.01, 0.006, -0.012, 0.02, 0.001])
    market = of_closes(np.exp(np.r_[0.0, moves.cumsum()]).tolist())
    rows = label(market, direction(1, 0.7, 4), 4)
    # the volatility is 0.01 at first, then of the last four moves 0.0092, 0.0097 and 0.0130: times 0.7 the zone
    assert rows["is_up"].tolist() == pytest.approx([math.nan, 0.0, 1.0, math.nan, math.nan], nan_ok=True)
    assert rows["future_return"].tolist()[:4] == pytest.approx([0.006, -0.012, 0.02, 0.001])
    two = of_closes([1.0, 2.0, 1.0, 2.0, 1.0])  # every move is one sigma exactly
    assert label(two, direction(1, 1.0, 2), 2)["is_up"].tolist()[:2] == [1.0, 0.0]


def test_a_train_label_that_is_settled_early_is_kept_where_its_horizon_would_reach_over(params: Params) -> None:
    market = walk(3, 2, 1200)
    head, cut = triple_barrier(24, 0.6, 0.6), params(embargo_bars=2, n_folds=2)
    rows = assign(label(market, head, 30), cut, market.bar_ms)
    nominal_ms, embargo_ms = rows["decision_time_ms"] + 24 * market.bar_ms, 2 * market.bar_ms
    for earlier, later in (("train", "calibrate"), ("calibrate", "decide"), ("decide", "test")):
        begin_ms = rows.loc[rows["segment"] == later, "decision_time_ms"].min()
        own = rows["segment"] == earlier
        assert (own & (nominal_ms + embargo_ms >= begin_ms)).sum() > 5
        assert rows.loc[own, "label_end_ms"].max() + embargo_ms < begin_ms
    trains, validates = fold_masks(rows, 1, embargo_ms)
    begin_ms = rows["decision_time_ms"][validates].min()
    assert (nominal_ms[trains] + embargo_ms >= begin_ms).sum() > 5


def test_where_cuts_lie_does_not_hang_on_which_labels_are_known(params: Params) -> None:
    market = walk(3, 2, 1200)
    begins = []
    for width in (0.3, 0.9):
        rows = assign(label(market, triple_barrier(8, width, width), 30), params(), market.bar_ms)
        begins.append(rows[rows["segment"] == "test"]["open_time_ms"].min())
    assert begins[0] == begins[1]
