"""Cuts fall where they should: edges of days, months, gaps and segments, and at random."""

from __future__ import annotations

import numpy as np
import pytest

from candlelock.causality.cuts import choose_cuts, densest_gaps, gap_edges, segment_ends
from tests.markets import of_closes, walk

NAN = float("nan")
FRACS = segment_ends(0.1, 0.1, 0.25)


def test_segments_end_where_their_shares_do() -> None:
    assert segment_ends(0.1, 0.1, 0.25) == pytest.approx((0.55, 0.65, 0.75))


def test_every_kind_of_cut_is_there() -> None:
    market = walk(5, 3, 1500, gap_share=0.01)
    cuts = choose_cuts(market, 16, FRACS, 50, seed=1)
    bars = [cut.bar for cut in cuts]
    assert len(bars) == 16
    assert bars == sorted(set(bars))
    assert min(bars) >= 50
    assert max(bars) == 1498
    whys = [cut.why for cut in cuts]
    assert whys.count("at random") >= 5
    assert set(whys) == {
        "at random", "before a gap", "inside or at the end of a gap", "first bar after a gap", "end of a day",
        "end of a month", "end of a segment", "last bar but one",
    }  # fmt: skip
    assert whys.count("end of a segment") == 3


def test_cuts_are_what_they_say() -> None:
    market = walk(5, 3, 1500, gap_share=0.01)
    times = market.open_time_ms.astype("datetime64[ms]")
    for cut in choose_cuts(market, 60, FRACS, 50, seed=2):
        now, after = times[cut.bar], times[cut.bar + 1]
        if cut.why == "end of a day":
            assert now.astype("datetime64[D]") != after.astype("datetime64[D]")
        elif cut.why == "end of a month":
            assert now.astype("datetime64[M]") != after.astype("datetime64[M]")
        elif cut.why == "before a gap":
            assert (market.has_bar[:, cut.bar] & ~market.has_bar[:, cut.bar + 1]).any()
        elif cut.why == "inside or at the end of a gap":
            assert (~market.has_bar[:, cut.bar] & market.has_bar[:, cut.bar + 1]).any()
        elif cut.why == "first bar after a gap":
            assert (~market.has_bar[:, cut.bar - 1] & market.has_bar[:, cut.bar]).any()
        elif cut.why == "end of a segment":
            share = market.has_bar[:, : cut.bar + 2].sum() / market.has_bar.sum()
            assert min(abs(share - part) for part in FRACS) < 0.003


def test_the_same_seed_gives_the_same_cuts_and_another_others() -> None:
    market = walk(5, 2, 900, gap_share=0.01)
    assert choose_cuts(market, 12, FRACS, 0, 1) == choose_cuts(market, 12, FRACS, 0, 1)
    assert choose_cuts(market, 12, FRACS, 0, 1) != choose_cuts(market, 12, FRACS, 0, 2)


@pytest.mark.parametrize("n_bars", [3, 5, 20])
def test_a_short_history_gets_the_cuts_there_are(n_bars: int) -> None:
    cuts = choose_cuts(walk(1, 2, n_bars), 16, FRACS, 700, seed=1)
    assert 1 <= len(cuts) <= n_bars - 1
    assert all(0 <= cut.bar <= n_bars - 2 for cut in cuts)


def test_gap_edges_by_hand() -> None:
    market = of_closes([NAN, 1, NAN, NAN, 4, 5, 6, NAN], [1, 2, 3, 4, NAN, 6, NAN, NAN])
    before, ends = gap_edges(market)
    assert before.tolist() == [1, 3]
    assert ends.tolist() == [3, 4]


def test_the_densest_stretch_has_most_gaps_and_no_silent_end() -> None:
    closes = np.ones(100)
    closes[[10, 50, 52, 54]] = NAN
    closes[80:] = NAN
    assert 45 <= densest_gaps(of_closes(closes.tolist(), [1.0] * 100), 9) <= 49
    assert densest_gaps(of_closes(closes.tolist()), 500) == 0
