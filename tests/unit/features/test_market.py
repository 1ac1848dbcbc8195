from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from candlelock.features.market import CANDLE_FIELDS, Market, align

NAN = float("nan")
MINUTE_MS = 60_000


def frame(*bars: int) -> pd.DataFrame:
    """Candles at these minutes; every field says which bar and field it is."""
    times = np.array(bars, dtype=np.int64) * MINUTE_MS
    return pd.DataFrame(
        {"open_time_ms": times} | {name: [10.0 * bar + i for bar in bars] for i, name in enumerate(CANDLE_FIELDS)}
    )


def test_symbols_share_one_grid_and_gaps_are_nan() -> None:
    market = align({"B/Q": frame(7, 8, 10), "A/Q": frame(5, 8)}, MINUTE_MS)
    assert market.symbols == ("B/Q", "A/Q")
    assert (market.open_time_ms // MINUTE_MS).tolist() == [5, 6, 7, 8, 9, 10]
    np.testing.assert_array_equal(market.close[0], [NAN, NAN, 73.0, 83.0, NAN, 103.0])
    np.testing.assert_array_equal(market.volume[1], [54.0, NAN, NAN, 84.0, NAN, NAN])
    assert market.has_bar[1].tolist() == [True, False, False, True, False, False]
    for i, name in enumerate(CANDLE_FIELDS):
        assert getattr(market, name)[0, 2] == 70.0 + i


@pytest.mark.parametrize(("bar", "n_bars"), [(4, 0), (5, 1), (6, 2), (9, 5), (10, 6), (11, 6)])
def test_until_keeps_the_bar_that_opens_then_and_forgets_every_later_one(bar: int, n_bars: int) -> None:
    market = align({"B/Q": frame(7, 8, 10), "A/Q": frame(5, 8)}, MINUTE_MS)
    past = market.until(bar * MINUTE_MS)
    assert past.open_time_ms.tolist() == market.open_time_ms[:n_bars].tolist()
    for name in CANDLE_FIELDS:
        np.testing.assert_array_equal(getattr(past, name), getattr(market, name)[:, :n_bars])
        assert not np.shares_memory(getattr(past, name), getattr(market, name))


def test_one_symbol_with_one_bar_is_a_market() -> None:
    market = align({"A/Q": frame(3)}, MINUTE_MS)
    assert isinstance(market, Market)
    assert market.close.shape == (1, 1)


def test_extras_of_any_symbol_are_there_and_nan_where_one_lacks_them() -> None:
    added = frame(7, 8, 10).assign(n_trades=[1.0, 2.0, 3.0])
    market = align({"B/Q": added, "A/Q": frame(5, 8)}, MINUTE_MS)
    assert [*market.extras] == ["n_trades"]
    np.testing.assert_array_equal(market.extras["n_trades"][0], [NAN, NAN, 1.0, 2.0, NAN, 3.0])
    assert np.isnan(market.extras["n_trades"][1]).all()
    past = market.until(8 * MINUTE_MS)
    np.testing.assert_array_equal(past.extras["n_trades"][0], [NAN, NAN, 1.0, 2.0])
    assert not np.shares_memory(past.extras["n_trades"], market.extras["n_trades"])
    assert align({"A/Q": frame(5)}, MINUTE_MS).extras == {}
