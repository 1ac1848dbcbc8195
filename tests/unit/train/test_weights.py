"""Weights of rows: the book's example, a slow oracle, and what each factor promises."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from candlelock.contracts.train_params import WeightsParams
from candlelock.train.weights import average_uniqueness, class_balance, recency, weigh

DAY_MS = 86_400_000


def slow_uniqueness(symbols: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> list[float]:
    """Bar by bar, as the book's snippets 4.1 and 4.2 count."""
    out = []
    for symbol, start, end in zip(symbols, starts, ends, strict=True):
        own = [(a, b) for s, a, b in zip(symbols, starts, ends, strict=True) if s == symbol]
        running = [sum(a < bar <= b for a, b in own) for bar in range(start + 1, end + 1)]
        out.append(float(np.mean([1 / n for n in running])))
    return out


def test_uniqueness_is_that_of_the_book_s_example() -> None:
    """López de Prado 2018, 4.5.3: labels on the returns r(0,3), r(2,5) and r(4,6)."""
    found = average_uniqueness(np.array(["A"] * 3), np.array([0, 2, 4]), np.array([3, 5, 6]))
    np.testing.assert_allclose(found, [5 / 6, 2 / 3, 3 / 4], rtol=1e-15)


@pytest.mark.parametrize("seed", range(5))
def test_uniqueness_is_that_of_counting_bar_by_bar(seed: int) -> None:
    random = np.random.default_rng(seed)
    symbols = random.choice(["A", "B"], 60)
    starts = random.integers(0, 100, 60)
    ends = starts + random.integers(1, 12, 60)
    np.testing.assert_allclose(
        average_uniqueness(symbols, starts, ends), slow_uniqueness(symbols, starts, ends), rtol=1e-12
    )


def test_a_label_alone_is_unique_and_equal_ones_share() -> None:
    found = average_uniqueness(np.array(list("AAAB")), np.array([0, 0, 9, 0]), np.array([4, 4, 10, 4]))
    np.testing.assert_array_equal(found, [0.5, 0.5, 1.0, 1.0])


def test_a_half_life_halves() -> None:
    found = recency(np.array([0, 5, 10]) * DAY_MS, 5.0)
    np.testing.assert_allclose(found, [0.25, 0.5, 1.0], rtol=1e-15)


def test_both_classes_weigh_the_same_in_sum() -> None:
    y = np.array([1.0, 0.0, 0.0, 0.0])
    found = class_balance(y)
    np.testing.assert_allclose(found, [2.0, 2 / 3, 2 / 3, 2 / 3], rtol=1e-15)
    assert found[0] / found[1] == pytest.approx((y == 0).sum() / (y == 1).sum()), "scale_pos_weight"


def some_rows(n_rows: int = 40) -> pd.DataFrame:
    random = np.random.default_rng(3)
    starts = np.sort(random.integers(0, 90, n_rows)) * DAY_MS
    ends = starts + random.integers(1, 9, n_rows) * DAY_MS
    symbol = pd.Series(random.choice(["A", "B"], n_rows), dtype="str")
    times = {"symbol": symbol, "decision_time_ms": starts, "label_end_ms": ends}
    return pd.DataFrame(times | {"is_up": (random.random(n_rows) < 0.3).astype(float)})


def test_factors_are_multiplied_and_the_mean_is_one() -> None:
    rows = some_rows()
    found = weigh(rows, WeightsParams(uniqueness=True, half_life_days=20.0, balance_classes=True))
    starts, ends = rows["decision_time_ms"].to_numpy(), rows["label_end_ms"].to_numpy()
    product = average_uniqueness(rows["symbol"].to_numpy(dtype=str), starts, ends)
    product = product * recency(starts, 20.0) * class_balance(rows["is_up"].to_numpy())
    assert found is not None
    np.testing.assert_allclose(found, product / product.mean(), rtol=1e-12)
    assert found.mean() == pytest.approx(1.0, rel=1e-12)


def test_nothing_asked_for_is_no_weights_at_all() -> None:
    assert weigh(some_rows(), WeightsParams(uniqueness=False, half_life_days=None, balance_classes=False)) is None
