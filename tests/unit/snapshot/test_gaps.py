from __future__ import annotations

import numpy as np

from candlelock.contracts.snapshot_documents import Gap
from candlelock.snapshot.gaps import list_gaps

HOUR_MS = 3_600_000
START_MS = 1_704_067_200_000  # 2024-01-01 00:00 UTC


def test_gaps_are_the_missing_bars_with_both_ends() -> None:
    hours = np.array([0, 1, 3, 4, 8])
    assert list_gaps(START_MS + hours * HOUR_MS, HOUR_MS) == [
        Gap(first_open_utc="2024-01-01T02:00:00Z", last_open_utc="2024-01-01T02:00:00Z", n_bars=1),
        Gap(first_open_utc="2024-01-01T05:00:00Z", last_open_utc="2024-01-01T07:00:00Z", n_bars=3),
    ]


def test_no_gap_in_full_or_single_candles() -> None:
    assert list_gaps(START_MS + np.arange(5) * HOUR_MS, HOUR_MS) == []
    assert list_gaps(np.array([START_MS]), HOUR_MS) == []
