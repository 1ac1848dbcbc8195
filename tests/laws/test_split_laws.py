"""Laws of labels, segments and folds on markets with gaps and late starts, against row-by-row references."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from candlelock.contracts.documents import SEGMENTS
from candlelock.contracts.stage_params import SplitParams
from candlelock.features.market import Market
from candlelock.split.labels import label
from candlelock.split.rows import from_table, to_table
from candlelock.split.segments import assign, fold_masks
from tests.heads import direction

if TYPE_CHECKING:
    from candlelock.contracts.head_params import HeadParams

BAR_MS = 1_800_000
FIRST_MS = 850_000 * BAR_MS
N_BARS = 640
SYMBOLS = ("BTC/USD", "ETH/USD", "ADA/USD")


@dataclass(frozen=True)
class Case:
    candles: Market
    head: HeadParams
    params: SplitParams

    def label(self) -> pd.DataFrame:
        return label(self.candles, self.head, self.params.min_history_bars)

    def assign(self) -> pd.DataFrame:
        return assign(self.label(), self.params, BAR_MS)

    @property
    def embargo_ms(self) -> int:
        return self.params.embargo_bars * BAR_MS


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Walks in whole ticks, so that some moves are zero; up to four gaps of up to twelve bars a symbol."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    close = 100.0 + random.integers(-2, 3, (len(SYMBOLS), N_BARS)).cumsum(axis=1) % 41
    for row in close:
        row[: draw(st.integers(0, 60))] = np.nan
        row[N_BARS - draw(st.integers(0, 20)) :] = np.nan
        for first, length in draw(st.lists(st.tuples(st.integers(0, N_BARS), st.integers(1, 12)), max_size=4)):
            row[first : first + length] = np.nan
    params = SplitParams(
        calibrate_frac=draw(st.floats(0.08, 0.12)),
        decide_frac=draw(st.floats(0.08, 0.12)),
        test_frac=draw(st.sampled_from([0.25, 0.2, 0.15])),
        min_history_bars=draw(st.integers(0, 30)),
        embargo_bars=draw(st.integers(0, 12)),
        n_folds=draw(st.integers(2, 4)),
    )
    opens = FIRST_MS + BAR_MS * np.arange(N_BARS, dtype=np.int64)
    market = Market(SYMBOLS, BAR_MS, opens, close, close, close, close, np.ones_like(close))
    return Case(market, direction(draw(st.integers(1, 9))), params)


def label_slowly(case: Case) -> pd.DataFrame:
    """The rows of a plain direction, one after another from a dictionary of closes."""
    rows = []
    for symbol, closes in sorted(zip(case.candles.symbols, case.candles.close, strict=True)):
        at = {bar: close for bar, close in enumerate(closes.tolist()) if not math.isnan(close)}
        for bar, close in at.items():
            if bar - min(at) < case.params.min_history_bars:
                continue
            ahead = [at.get(bar + step) for step in range(1, case.head.horizon_bars + 1)]
            later, earlier = ahead[-1], at.get(bar - case.head.horizon_bars)
            move = math.nan if later is None or None in ahead else math.log(later) - math.log(close)
            rows.append(
                {
                    "symbol": symbol,
                    "open_time_ms": FIRST_MS + bar * BAR_MS,
                    "decision_time_ms": FIRST_MS + (bar + 1) * BAR_MS,
                    "label_end_ms": FIRST_MS + (bar + case.head.horizon_bars + 1) * BAR_MS,
                    "is_up": math.nan if math.isnan(move) or later == close else float(move > 0),
                    "share_above": math.nan,
                    "value": math.nan,
                    "past_value": math.nan,
                    "past_return": math.nan if earlier is None else math.log(close) - math.log(earlier),
                    "future_return": move,
                }
            )
    return pd.DataFrame(rows).astype({"symbol": "str"})


@settings(deadline=None, max_examples=25)
@given(cases())
def test_every_label_is_that_of_a_row_by_row_loop(case: Case) -> None:
    made, expected = case.label(), label_slowly(case)
    exact = ["symbol", "open_time_ms", "decision_time_ms", "label_end_ms", "is_up"]
    pd.testing.assert_frame_equal(made[exact], expected[exact], check_exact=True)
    pd.testing.assert_frame_equal(made, expected, rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(cases())
def test_no_label_of_an_earlier_segment_is_open_when_a_later_one_first_decides(case: Case) -> None:
    rows = case.assign()
    parts = [rows[rows["segment"] == name] for name in SEGMENTS]
    for earlier, later in itertools.combinations(parts, 2):
        assert earlier["label_end_ms"].max() + case.embargo_ms < later["decision_time_ms"].min()


@settings(deadline=None, max_examples=40)
@given(cases())
def test_cuts_are_times_and_only_rows_that_reach_over_one_are_dropped(case: Case) -> None:
    rows, fractions = case.assign(), case.params
    later = np.array([fractions.calibrate_frac, fractions.decide_frac, fractions.test_frac])[::-1].cumsum()[::-1]
    times = sorted(rows.loc[rows["is_up"].notna(), "open_time_ms"])
    cuts = [times[int(len(times) * (1 - share))] for share in later]
    for row in rows.to_dict("records"):
        number = sum(row["open_time_ms"] >= cut for cut in cuts)
        reaches_over = number < 3 and row["label_end_ms"] + case.embargo_ms >= cuts[min(number, 2)] + BAR_MS
        assert pd.isna(row["segment"]) is reaches_over
        assert (row["segment"] == SEGMENTS[number]) is not reaches_over


@settings(deadline=None, max_examples=25)
@given(cases())
def test_the_test_rows_are_the_labelled_ones_from_the_time_at_their_share_on(case: Case) -> None:
    rows, frac = case.assign(), 1 - case.params.test_frac
    labelled = rows[rows["is_up"].notna()]
    start = sorted(labelled["open_time_ms"])[int(frac * len(labelled))]
    assert ((labelled["segment"] == "test") == (labelled["open_time_ms"] >= start)).all()


@settings(deadline=None, max_examples=40)
@given(cases())
def test_a_fold_trains_on_all_that_was_known_before_it_and_nothing_else(case: Case) -> None:
    rows = case.assign()
    is_train = (rows["is_up"].notna() & (rows["segment"] == "train")).to_numpy(bool)
    fold_of = rows["fold"].fillna(-1).to_numpy(int)
    assert ((fold_of >= 0) == (rows["segment"] == "train")).all()
    for fold in range(1, case.params.n_folds + 1):
        trains, validates = fold_masks(rows, fold, case.embargo_ms)
        first = rows["decision_time_ms"].to_numpy()[validates].min()
        is_known = (rows["label_end_ms"] + case.embargo_ms < first).to_numpy()
        assert (trains == (is_train & is_known)).all()
        assert (validates == (is_train & (fold_of == fold))).all()
        assert rows["open_time_ms"][validates].min() > rows["open_time_ms"][is_train & (fold_of < fold)].max()


@settings(deadline=None, max_examples=25)
@given(cases())
def test_folds_are_near_equal_shares_of_the_train_rows(case: Case) -> None:
    rows = case.assign()
    counts = rows["fold"][rows["is_up"].notna() & (rows["segment"] == "train")].value_counts()
    assert sorted(counts.index) == list(range(case.params.n_folds + 1))
    assert counts.max() - counts.min() <= 2 * len(SYMBOLS)


@settings(deadline=None, max_examples=25)
@given(cases())
def test_the_split_survives_the_table_it_is_stored_in(case: Case) -> None:
    rows = case.assign()
    pd.testing.assert_frame_equal(from_table(to_table(rows)), rows, check_exact=True)
