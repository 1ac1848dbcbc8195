from __future__ import annotations

import numpy as np
import pytest

from candlelock.features.momentum import build_momentum
from tests.markets import changed, of_closes

NAN = float("nan")


def of_moves(*moves: float) -> list[float]:
    """Closes whose one-bar log returns are these hundredths."""
    return [100.0 * np.exp(total / 100) for total in np.cumsum([0.0, *moves])]


@pytest.mark.parametrize(
    ("moves", "rsi"),
    [
        # rises 5 + 1 + 2 = 8 of 8 + 2 = 10 moved
        ([5.0, -1.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0], 80.0),
        ([1.0] * 14, 100.0),
        ([-1.0] * 14, 0.0),
        ([1.0, -1.0] * 7, 50.0),
        # 13 of 14 moves are enough, and the 15th bar back has left: 9 up of 9 + 3
        ([-99.0, *[3.0, -1.0] * 3, *[0.0] * 8], 75.0),
    ],
)
def test_rsi_is_cutlers_by_hand(moves: list[float], rsi: float) -> None:
    assert build_momentum(of_closes(of_moves(*moves)))["rsi_14"][0, -1] == pytest.approx(rsi, rel=1e-11, abs=1e-11)


def test_rsi_is_unknown_without_a_move_and_with_two_moves_missing() -> None:
    assert np.isnan(build_momentum(of_closes([7.0] * 20))["rsi_14"]).all()
    closes = of_moves(*[1.0, -1.0] * 10)
    closes[-1 - 5] = NAN  # one missing bar takes two of the moves
    assert np.isnan(build_momentum(of_closes(closes))["rsi_14"][0, -1])


def test_stochastic_by_hand() -> None:
    close = [10.0] * 20
    market = of_closes(close)
    high, low = market.high.copy(), market.low.copy()
    high[0, 7], low[0, 6] = 14.0, 8.0  # bars 6 to 19 are the last 14
    low[0, 5] = 1.0
    stochastic = build_momentum(changed(market, high=high, low=low))["stochastic_k_14"][0]
    assert stochastic[19] == pytest.approx(100 * (10 - 8) / (14 - 8), rel=1e-14)
    assert stochastic[18] == pytest.approx(100 * (10 - 1) / (14 - 1), rel=1e-14)
    assert np.isnan(stochastic[12])


def test_price_z_scores_have_their_windows() -> None:
    closes = [1.0] * 94 + [2.0, 4.0]
    features = build_momentum(of_closes(closes))
    for window in (6, 24, 96):
        own = np.array(closes[-window:])
        assert features[f"price_zscore_{window}"][0, -1] == pytest.approx((4 - own.mean()) / own.std(), rel=1e-12)
    assert sorted(features) == ["price_zscore_24", "price_zscore_6", "price_zscore_96", "rsi_14", "stochastic_k_14"]
