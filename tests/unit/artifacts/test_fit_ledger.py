"""Hand-overs come back as they were noted, whatever the order of the rows, and nothing is noted over."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlelock.artifacts.fit_ledger import N_DIGESTED, FitLedger, digest_values, spread
from candlelock.contracts.tables import FITS
from candlelock.leakage.fit_scope import read_hand_overs


@given(st.sets(st.integers(0, 300), min_size=1), st.randoms())
def test_rows_come_back_whatever_their_order(numbers: set[int], random: object) -> None:
    rows = np.array(sorted(numbers))
    random.shuffle(shuffled := rows.copy())  # type: ignore[attr-defined]
    ledger = FitLedger()
    ledger.note("fold 1", "fit", shuffled, shuffled.astype(float))
    table = ledger.table()
    assert FITS.problems(table, "fits") == []
    hand_over = read_hand_overs(table)["fold 1", "fit"]
    assert np.array_equal(hand_over.rows, rows)
    assert hand_over.values_sha256 == digest_values(rows[spread(len(rows))].astype(float))


def test_the_same_hand_over_again_adds_nothing_and_another_stands_beside_it() -> None:
    ledger, rows = FitLedger(), np.arange(10)
    for _ in range(3):
        ledger.note("stack", "fit", rows)
    ledger.note("stack", "fit", rows + 1)
    ledger.note("stack", "fit", rows[::-1])
    assert list(read_hand_overs(ledger.table())) == [("stack", "fit"), ("stack #2", "fit")]


@pytest.mark.parametrize("change", ["value", "label", "unknown"])
def test_other_values_have_another_digest(change: str) -> None:
    x, y = np.random.default_rng(0).normal(size=(40, 3)), np.ones(40)
    before = digest_values(x, y)
    if change == "label":
        y[3] = 0.0
    else:
        x[3, 1] = np.nan if change == "unknown" else np.nextafter(x[3, 1], 9)
    assert digest_values(x, y) != before


def test_an_unknown_value_is_like_any_other_unknown_one() -> None:
    one, other = np.array([np.nan, 1.0]), np.array([-np.float64("nan"), 1.0])
    assert digest_values(one) == digest_values(other)


@pytest.mark.parametrize("n_rows", [0, 1, 2, N_DIGESTED, 10 * N_DIGESTED + 7])
def test_a_spread_reaches_from_the_first_row_to_the_last(n_rows: int) -> None:
    places = spread(n_rows)
    assert len(places) == min(n_rows, N_DIGESTED)
    assert n_rows == 0 or (places[0], places[-1]) == (0, n_rows - 1)
