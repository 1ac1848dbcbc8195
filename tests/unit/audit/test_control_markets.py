"""Control markets are sound candles; the martingale's moves cannot be foretold, the planted ones can, shuffled not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from candlelock.audit.control_markets import FIRST_MS, N_NORMAL, change_future, make_martingale, shuffle_bars
from candlelock.contracts.errors import InputError

HOUR = 3_600_000
SYMBOLS = ("A", "B", "C")


def told(frame: pd.DataFrame) -> np.ndarray:
    """What the planted edge is told by."""
    usual = frame["volume"].rolling(N_NORMAL, min_periods=1).median()
    move = np.sign(np.log(frame["close"]).diff().to_numpy())
    return move * np.where(frame["volume"] > usual, 1.0, -1.0)


def correlation(market: dict[str, pd.DataFrame], horizon_bars: int) -> float:
    """Of what is told with the move over the horizon, all symbols."""
    pairs = []
    for frame in market.values():
        log_close = np.log(frame["close"].to_numpy())
        ahead = log_close[horizon_bars:] - log_close[:-horizon_bars]
        pairs.append(np.column_stack([told(frame)[1:-horizon_bars], ahead[1:]]))
    return float(np.corrcoef(np.concatenate(pairs).T)[0, 1])


@pytest.mark.parametrize("horizon_bars", [None, 1, 4])
def test_candles_are_sound(horizon_bars: int | None) -> None:
    for frame in make_martingale(SYMBOLS, 800, HOUR, 1, horizon_bars).values():
        assert (frame["low"] <= frame[["open", "close"]].min(axis=1)).all()
        assert (frame["high"] >= frame[["open", "close"]].max(axis=1)).all()
        assert (frame["low"] > 0).all()
        assert (np.diff(frame["open_time_ms"]) == HOUR).all()


@pytest.mark.parametrize("horizon_bars", [1, 4, 12])
def test_the_edge_is_there_and_only_where_it_was_planted(horizon_bars: int) -> None:
    assert correlation(make_martingale(SYMBOLS, 4_000, HOUR, 2, horizon_bars), horizon_bars) > 0.15
    assert abs(correlation(make_martingale(SYMBOLS, 4_000, HOUR, 2), horizon_bars)) < 0.06


def test_moves_of_a_martingale_and_of_shuffled_bars_do_not_follow_each_other() -> None:
    """The shuffled market leaned back before: the next move was against the last one."""
    random = np.random.default_rng(3)
    moves = random.normal(0, 0.01, 3_000)
    for bar in range(1, 3_000):
        moves[bar] -= 0.4 * moves[bar - 1]
    close = 100 * np.exp(np.cumsum(moves))
    frame = pd.DataFrame({"open_time_ms": FIRST_MS + HOUR * np.arange(3_000), "close": close, "volume": 1.0})
    for name in ("open", "high", "low"):
        frame[name] = np.r_[100.0, close[:-1]]
    frame["high"], frame["low"] = frame[["open", "close"]].max(axis=1), frame[["open", "close"]].min(axis=1)
    shuffled = shuffle_bars({"A": frame}, HOUR, 2_500, HOUR, 5)["A"]
    for each, bound in ((frame, None), (shuffled, 0.06), (make_martingale(("A",), 3_000, HOUR, 4)["A"], 0.08)):
        move = np.diff(np.log(each["close"]))
        found = float(np.corrcoef(move[1:], move[:-1])[0, 1])
        assert found < -0.3 if bound is None else abs(found) < bound


def test_shuffled_bars_are_the_real_ones_and_symbols_stay_together() -> None:
    market = make_martingale(("A", "B"), 500, HOUR, 6)
    shuffled = shuffle_bars(market, HOUR, 499, 2 * HOUR, 7)
    bars = {name: np.diff(np.log(frame["close"])) for name, frame in market.items()}
    mixed = {name: np.diff(np.log(frame["close"])) for name, frame in shuffled.items()}
    assert np.allclose(np.sort(np.append(bars["A"], 0))[-400:], np.sort(np.append(mixed["A"], 0))[-400:], atol=2e-3)
    assert np.corrcoef(mixed["A"], mixed["B"])[0, 1] == pytest.approx(np.corrcoef(bars["A"], bars["B"])[0, 1], abs=0.02)
    assert set(np.diff(shuffled["A"]["open_time_ms"])) == {2 * HOUR}


def test_too_few_bars_are_drawn_again_and_none_is_an_error() -> None:
    market = make_martingale(("A", "B"), 60, HOUR, 6)
    assert len(shuffle_bars(market, HOUR, 200, HOUR, 7)["A"]) == 200
    market["B"]["open_time_ms"] += 10_000 * HOUR
    with pytest.raises(InputError, match="control-candles"):
        shuffle_bars(market, HOUR, 200, HOUR, 7)


def test_another_future_begins_where_it_should_and_joins_without_a_jump() -> None:
    market = make_martingale(("A", "B"), 400, HOUR, 8, 4)
    from_ms = FIRST_MS + 300 * HOUR
    changed = change_future(market, from_ms, 9)
    for name, frame in changed.items():
        pd.testing.assert_frame_equal(frame[:300], market[name][:300])
        assert (frame["open_time_ms"] == market[name]["open_time_ms"]).all()
        assert (frame["close"][300:] != market[name]["close"][300:]).mean() > 0.99
        assert frame["open"][300] == pytest.approx(frame["close"][299], rel=1e-6)
