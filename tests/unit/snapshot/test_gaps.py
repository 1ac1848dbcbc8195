from __future__ import annotations

import numpy as np

from candlelock.contracts.snapshot_documents import AskedRange, Gap
from candlelock.snapshot.gaps import list_gaps

HOUR_MS = 3_600_000
START_MS = 1_704_067_200_000  # 2024-01-01 00:00 UTC


def test_gaps_are_the_missing_bars_with_both_ends() -> None:
    hours = np.array([0, 1, 3, 4, 8])
    assert list_gaps(START_MS + hours * HOUR_MS, HOUR_MS, None) == [
        Gap(first_open_utc="2024-01-01T02:00:00Z", last_open_utc="2024-01-01T02:00:00Z", n_bars=1, is_confirmed=False),
        Gap(first_open_utc="2024-01-01T05:00:00Z", last_open_utc="2024-01-01T07:00:00Z", n_bars=3, is_confirmed=False),
    ]


def test_no_gap_in_full_or_single_candles() -> None:
    assert list_gaps(START_MS + np.arange(5) * HOUR_MS, HOUR_MS, None) == []
    assert list_gaps(np.array([START_MS]), HOUR_MS, None) == []


def test_what_was_asked_of_an_exchange_and_is_not_there_is_a_confirmed_gap_at_the_ends_too() -> None:
    asked = AskedRange(start_utc="2023-12-31T23:00:00Z", end_utc="2024-01-01T06:00:00Z")
    found = list_gaps(START_MS + np.array([0, 1, 3]) * HOUR_MS, HOUR_MS, asked)
    assert [(gap.first_open_utc[8:13], gap.last_open_utc[8:13], gap.n_bars) for gap in found] == [
        ("31T23", "31T23", 1),
        ("01T02", "01T02", 1),
        ("01T04", "01T05", 2),
    ]
    assert all(gap.is_confirmed for gap in found)
    assert list_gaps(START_MS + np.arange(-1, 6) * HOUR_MS, HOUR_MS, asked) == []
