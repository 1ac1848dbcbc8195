"""Labels that are values, of closes small enough to check by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.contracts.tables import ROWS
from candlelock.split.labels import label
from candlelock.split.rows import from_table, learns_values, targets, to_table
from candlelock.split.segments import assign
from candlelock.split.values import change_volatility, scale_returns
from tests.heads import direction, future_return, future_volatility

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.head_params import HeadParams
    from candlelock.contracts.stage_params import SplitParams
    from candlelock.features.market import Market

UP, DOWN = 0.02, -0.01
# Moves of one bar: 2 %, -1 %, 2 %, -1 %, 4 %, -2 %, in log returns.
CLOSES = np.exp(np.cumsum([[0.0, UP, DOWN, UP, DOWN, 2 * UP, 2 * DOWN]], axis=1))


def test_returns_are_measured_in_past_volatilities_of_such_a_move() -> None:
    log_close = np.log(CLOSES)
    past, future = (np.full(CLOSES.shape, np.nan) for _ in range(2))
    future[0, :-2], past[0, 2:] = log_close[0, 2:] - log_close[0, :-2], log_close[0, 2:] - log_close[0, :-2]
    ahead, behind = scale_returns(log_close, past, future, 2, 2)
    sigma = math.sqrt(2) * math.sqrt((UP**2 + DOWN**2) / 2)
    assert ahead[0, 3] == pytest.approx((2 * UP + DOWN) / sigma)
    assert behind[0, 3] == pytest.approx((UP + DOWN) / sigma)


def test_volatility_to_come_is_a_log_ratio_to_the_past_one() -> None:
    """After bar 4 the moves are twice as large as those before it."""
    ahead, behind = change_volatility(np.log(CLOSES), 2, 4)
    assert ahead[0, 4] == pytest.approx(math.log(2))
    assert behind[0, 4] == pytest.approx(0.0, abs=1e-12)
    assert np.isnan(ahead[0, 5:]).all(), "the data end before the horizon does"


def test_a_horizon_that_stands_still_or_misses_a_bar_has_no_volatility() -> None:
    still, missing = CLOSES.copy(), CLOSES.copy()
    still[0, 4:] = still[0, 4]
    missing[0, 5] = np.nan
    assert np.isnan(change_volatility(np.log(still), 2, 4)[0][0, 4])
    assert np.isnan(change_volatility(np.log(missing), 2, 4)[0][0, [3, 4]]).all()
    assert not np.isnan(change_volatility(np.log(missing), 2, 2)[0][0, 2])


@pytest.mark.parametrize("head", [future_return(4), future_volatility(6)])
def test_a_split_table_of_values_comes_back_from_its_file(
    walk: Callable[..., Market], params: Callable[..., SplitParams], head: HeadParams
) -> None:
    market = walk(missing=(300,))
    rows = assign(label(market, head, 10), params(), market.bar_ms)
    table = to_table(rows)
    assert not ROWS.problems(table, "rows")
    again = from_table(table)
    assert learns_values(again)
    np.testing.assert_array_equal(targets(again), rows["value"].where(rows["is_up"].notna()))
    known = rows["is_up"].notna()
    assert ((rows["value"] > 0) == (rows["is_up"] > 0))[known].all()


def test_other_heads_learn_up_and_down(walk: Callable[..., Market], params: Callable[..., SplitParams]) -> None:
    market = walk()
    rows = assign(label(market, direction(4), 10), params(), market.bar_ms)
    assert not learns_values(rows)
    np.testing.assert_array_equal(targets(rows), rows["is_up"])


def test_a_value_of_zero_is_neither_up_nor_down_and_is_not_learnt() -> None:
    from candlelock.features.market import Market

    closes = np.array([[1.0, 1.1, 1.2, 1.3, 1.2, 1.3, 1.4]])
    opens = np.arange(7, dtype=np.int64) * 3_600_000
    market = Market(("A/B",), 3_600_000, opens, closes, closes, closes, closes, np.ones_like(closes))
    rows = label(market, future_return(2, 2), 0)
    assert rows["value"][3] == 0
    assert np.isnan(rows["is_up"][3])
    assert np.isnan(targets(rows)[3])
