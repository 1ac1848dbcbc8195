"""Markets that differ from the real one differ where they should, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from candlelock.causality import other_candles as other
from candlelock.features.market import first_bars
from tests.markets import walk

MARKET = walk(7, 3, 200, gap_share=0.05, latest_start=30)
WITH_EXTRAS = replace(MARKET, extras={"quote_volume": MARKET.close * MARKET.volume})


def same(one: np.ndarray, two: np.ndarray) -> bool:
    return one.tobytes() == two.tobytes()


@pytest.mark.parametrize(("size", "gap_share"), [(1.0, 0.0), (1e6, 0.3), (1e-6, 0.3)])
def test_only_the_asked_bars_and_symbols_are_replaced(size: float, gap_share: float) -> None:
    drawn = other.replaced(WITH_EXTRAS, 60, 150, 3, [0, 2], size, gap_share)
    for name, values in WITH_EXTRAS.columns().items():
        now = drawn.columns()[name]
        assert same(now[1], values[1])
        assert same(now[:, :60], values[:, :60])
        assert same(now[:, 150:], values[:, 150:])
        changed = now[[0, 2], 60:150]
        assert np.isnan(changed).mean() == pytest.approx(gap_share, abs=0.12)
        assert not (changed == values[[0, 2], 60:150]).any()


def test_drawn_candles_are_sound_and_as_large_as_asked() -> None:
    drawn = other.replaced(MARKET, 100, 200, 3, size=10.0)
    part = other.between(drawn, 100, 200)
    assert (part.low <= np.minimum(part.open, part.close)).all()
    assert (part.high >= np.maximum(part.open, part.close)).all()
    assert (part.low > 0).all()
    assert (part.volume > 0).all()
    last = np.array([row[~np.isnan(row)][-1] for row in MARKET.close[:, :100]])
    assert np.abs(np.log(part.close[:, 0] / last / 10)).max() < 0.1


def test_the_seed_decides_what_is_drawn() -> None:
    one, again, two = (other.replaced(MARKET, 50, 90, seed).close for seed in (1, 1, 2))
    assert same(one, again)
    assert not same(one, two)


def test_deleted_bars_are_missing_in_every_column() -> None:
    gone = other.deleted(WITH_EXTRAS, 40, 80, [1])
    for name, values in WITH_EXTRAS.columns().items():
        now = gone.columns()[name]
        assert np.isnan(now[1, 40:80]).all()
        assert same(np.delete(now, np.s_[40:80], axis=1), np.delete(values, np.s_[40:80], axis=1))
        assert same(now[[0, 2]], values[[0, 2]])


def test_scrambling_leaves_gaps_and_other_columns_alone() -> None:
    drawn = other.scrambled(WITH_EXTRAS, ["high", "volume", "quote_volume"], [0, 1], 5)
    for name, values in WITH_EXTRAS.columns().items():
        now = drawn.columns()[name]
        assert same(now[2], values[2])
        assert (np.isnan(now) == np.isnan(values)).all()
        is_same = (now[:2] == values[:2])[~np.isnan(values[:2])]
        assert is_same.all() if name in ("open", "low", "close") else not is_same.any()


def test_a_stretch_stands_for_itself_and_a_shift_moves_time_alone() -> None:
    part = other.between(WITH_EXTRAS, 20, 50)
    assert part.open_time_ms.tolist() == MARKET.open_time_ms[20:50].tolist()
    assert same(part.extras["quote_volume"], np.ascontiguousarray(WITH_EXTRAS.extras["quote_volume"][:, 20:50]))
    late = other.shifted(MARKET, 7)
    assert (late.open_time_ms - MARKET.open_time_ms == 7 * MARKET.bar_ms).all()
    assert same(late.close, MARKET.close)


def test_first_bars_of_symbols_with_and_without_candles() -> None:
    empty = other.deleted(MARKET, 0, 200, [1])
    found = first_bars(empty).tolist()
    assert found[1] == 200
    assert found[0] == np.flatnonzero(~np.isnan(MARKET.close[0]))[0]
