"""Group `timeframes` against bars grouped by pandas, and when a higher bar becomes known."""

from __future__ import annotations

import numpy as np
import pytest

from candlelock.features.market import CANDLE_FIELDS, Market
from tests.markets import HOUR_MS, changed, of_closes, walk
from tests.oracles.agreement import assert_agrees, features_of, registered
from tests.oracles.specimens import MARKETS, specimen
from tests.oracles.timeframes import expected_timeframes

HIGHER = tuple(entry.name for entry in registered() if entry.group == "timeframes" and entry.name.startswith("x"))


@pytest.mark.parametrize("market", MARKETS)
def test_every_feature_is_what_the_textbook_says_of_the_higher_bars(market: str) -> None:
    assert_agrees(market, "timeframes", expected_timeframes(specimen(market)))


@pytest.mark.parametrize("n", [4, 12, 48])
def test_a_higher_bar_is_known_at_the_close_of_its_last_bar_and_not_before(n: int) -> None:
    first = 10 * 48  # bars since 1970: higher bars of every length begin here
    closes = [100.0] * (4 * n) + [200.0] + [100.0] * (n - 1) + [400.0] * n
    features = features_of(of_closes(closes, first_ms=first * HOUR_MS), f"x{n}_return_1", f"x{n}_open_distance")
    known = features[f"x{n}_return_1"][0]
    assert known[5 * n - 1] == 0.0  # the bar that reached 200 closed at 100
    assert set(known[5 * n : 6 * n - 1]) == {0.0}  # the bar at 400 is not finished
    assert known[6 * n - 1] == pytest.approx(np.log(4))
    distance = features[f"x{n}_open_distance"][0]
    assert distance[4 * n] == 1.0
    assert distance[5 * n] == 3.0
    assert distance[6 * n - 1] == 0.0  # its own close is the last known one


@pytest.mark.parametrize("n", [4, 12, 48])
def test_the_bar_in_the_making_changes_no_higher_feature(n: int) -> None:
    market = walk(2, n_symbols=1, n_bars=900)
    last = 900 - 1
    while (int(market.open_time_ms[last]) // HOUR_MS + 1) % n != n // 2:  # in the middle of a higher bar
        last -= 1
    own = [name for name in HIGHER if name.startswith(f"x{n}_") and "open_distance" not in name]
    fields = {name: getattr(market, name).copy() for name in CANDLE_FIELDS}
    for values in fields.values():
        values[0, last - n // 2 + 1 : last + 1] *= 7.0
    before, after = features_of(market, *own), features_of(changed(market, **fields), *own)
    for name in own:
        assert before[name][0, last] == after[name][0, last], name
        assert np.isfinite(before[name][0, last]), name


@pytest.mark.parametrize(("missing", "is_known"), [(1, True), (2, False)])
def test_a_higher_bar_needs_nine_tenths_of_its_bars(missing: int, is_known: bool) -> None:
    market = walk(5, n_symbols=1, n_bars=480)
    begin = 480 - (int(market.open_time_ms[-1]) // HOUR_MS + 1) % 12 - 12  # of the last whole bar of twelve
    fields = {name: getattr(market, name).copy() for name in CANDLE_FIELDS}
    for values in fields.values():
        values[0, begin + 3 : begin + 3 + missing] = np.nan
    holed = Market(market.symbols, market.bar_ms, market.open_time_ms, **fields)
    known = features_of(holed, "x12_return_1")["x12_return_1"][0, begin + 11]
    assert np.isfinite(known) == is_known
