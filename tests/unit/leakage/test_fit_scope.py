"""Fits that saw what they may raise no finding; one row too many does, with its own code, row and times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.contracts.documents import utc_text
from candlelock.contracts.stage_params import SplitParams
from candlelock.leakage.fit_scope import check_fits
from candlelock.split.segments import assign, fold_masks
from candlelock.split.splitters import CombinatorialPurged

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.leakage_documents import LeakCheck

BAR_MS, EMBARGO_BARS, N_BARS = 3_600_000, 6, 800
EMBARGO_MS = EMBARGO_BARS * BAR_MS
Hand = dict[tuple[str, str, str], np.ndarray]


def make_rows() -> pd.DataFrame:
    """Two symbols; labels look three bars ahead, each twentieth is unknown."""
    random = np.random.default_rng(5)
    opened = 1_704_067_200_000 + BAR_MS * np.tile(np.arange(N_BARS), 2)
    is_up = random.integers(0, 2, 2 * N_BARS).astype(float)
    is_up[random.permutation(2 * N_BARS)[: N_BARS // 10]] = np.nan
    frame = pd.DataFrame(
        {
            "symbol": np.repeat(["A", "B"], N_BARS),
            "open_time_ms": opened,
            "decision_time_ms": opened + BAR_MS,
            "label_end_ms": opened + 4 * BAR_MS,
            "is_up": is_up,
            "future_return": is_up - 0.5,
        }
    )
    shares = {"calibrate_frac": 0.1, "decide_frac": 0.1, "test_frac": 0.25}
    return assign(frame, SplitParams(**shares, min_history_bars=0, embargo_bars=EMBARGO_BARS, n_folds=3), BAR_MS)


ROWS = make_rows()
KNOWN = ROWS["is_up"].notna().to_numpy()
SEGMENT = ROWS["segment"].to_numpy(dtype=object)


def of(segment: str) -> np.ndarray:
    """Labelled rows of a segment."""
    return np.flatnonzero(KNOWN & (segment == SEGMENT))


def honest() -> Hand:
    """(stage, fit, use) -> rows, of a flow that does everything right."""
    hand: Hand = {}
    for fold in (1, 2, 3):
        trains, validates = (np.flatnonzero(mask) for mask in fold_masks(ROWS, fold, EMBARGO_MS))
        opened = ROWS["open_time_ms"].to_numpy()
        early = trains[opened[trains] < np.quantile(opened[trains], 0.7)]
        late = trains[opened[trains] > np.quantile(opened[trains], 0.8)]
        hand["select", f"fold {fold}", "fit"] = hand["select", f"fold {fold}/sparse", "fit"] = trains
        for use, rows in (("fit", trains), ("stop", validates), ("choose", validates)):
            hand["tune", f"lightgbm/fold {fold}", use] = rows
            hand["tune", f"lightgbm/fold {fold}/screen", use] = rows[::4] if use == "fit" else rows
        hand["train", f"lightgbm/fold {fold}/rounds", "fit"] = early
        hand["train", f"lightgbm/fold {fold}/rounds", "stop"] = late
        hand["train", f"lightgbm/fold {fold}", "fit"] = trains
        hand["train", f"lightgbm/fold {fold}", "predict"] = validates
    train = of("train")
    splitter = CombinatorialPurged(
        *(ROWS[name].to_numpy()[train] for name in ("decision_time_ms", "label_end_ms")), embargo=EMBARGO_MS
    )
    for number, (trains, validates) in enumerate(splitter.split(train), 1):
        hand["tune", f"lightgbm/path split {number}", "fit"] = train[trains]
        for use in ("stop", "choose"):
            hand["tune", f"lightgbm/path split {number}", use] = train[validates]
    folded = ROWS["fold"].fillna(-1).to_numpy() > 0
    hand["select", "final", "fit"] = hand["train", "lightgbm/final", "fit"] = of("train")
    hand["train", "lightgbm/refit", "fit"] = np.concatenate([of(each) for each in ("train", "calibrate", "decide")])
    hand["train", "lightgbm/refit", "predict"] = of("test")
    hand["train", "lightgbm/final", "predict"] = np.flatnonzero(np.isin(SEGMENT, ["calibrate", "decide", "test"]))
    hand["train", "lightgbm/importance", "judge"] = np.flatnonzero(np.isin(SEGMENT, ["calibrate", "decide"]))
    hand["calibrate", "stack", "fit"] = np.flatnonzero(KNOWN & (SEGMENT == "train") & folded)
    hand["calibrate", "calibrator", "fit"] = hand["calibrate", "calibrator", "choose"] = of("calibrate")
    hand["calibrate", "ensemble", "choose"] = of("calibrate")
    hand["calibrate", "conformal", "fit"] = hand["calibrate", "threshold", "choose"] = of("decide")
    hand["calibrate", "conformal", "predict"] = hand["calibrate", "conformal", "follow"] = of("test")
    hand["evaluate", "evaluation", "judge"] = of("test")
    return hand


def check(hand: Hand, expected: tuple[str, ...] = ()) -> LeakCheck:
    ledgers = {stage: FitLedger() for stage, *_ in hand}
    for (stage, fit, use), rows in hand.items():
        ledgers[stage].note(fit, use, rows)  # type: ignore[arg-type]
    return check_fits(ROWS, {stage: ledger.table() for stage, ledger in ledgers.items()}, expected, EMBARGO_MS)


def test_an_honest_flow_raises_nothing_and_every_row_is_counted() -> None:
    hand = honest()
    found = check(hand, tuple(f"{stage}/{fit}" for stage, fit, _ in hand))
    assert found.findings == []
    assert found.passed
    assert found.n_compared == sum(len(rows) for rows in hand.values())


FIRST_TEST = of("test")[:1]
BEFORE_FOLD_2 = np.flatnonzero(fold_masks(ROWS, 2, 0)[0])
TRAINS_1, VALIDATES_1 = (np.flatnonzero(mask) for mask in fold_masks(ROWS, 1, EMBARGO_MS))


@pytest.mark.parametrize(
    ("key", "more", "code"),
    [
        (("select", "final", "fit"), FIRST_TEST, "fit-on-test"),
        (("select", "fold 1/sparse", "fit"), of("train")[-1:], "fit-outside"),
        (("select", "fold 2", "fit"), VALIDATES_1[:0], None),
        (("select", "fold 1", "fit"), VALIDATES_1[:1], "fit-outside"),
        (("tune", "lightgbm/fold 1", "choose"), FIRST_TEST, "fit-on-test"),
        (("tune", "lightgbm/fold 1", "stop"), of("calibrate")[:1], "fit-outside"),
        (("tune", "lightgbm/fold 1", "choose"), TRAINS_1[-1:], "fit-outside"),
        (("tune", "lightgbm/fold 1/screen", "fit"), VALIDATES_1[:1], "fit-outside"),
        (("tune", "lightgbm/path split 1", "fit"), of("train")[:1], "in-sample"),
        (("tune", "lightgbm/path split 1", "choose"), of("calibrate")[:1], "fit-outside"),
        (("train", "lightgbm/fold 1/rounds", "stop"), VALIDATES_1[:1], "fit-outside"),
        (("train", "lightgbm/fold 2", "fit"), BEFORE_FOLD_2, "in-sample"),
        (("select", "fold 2", "fit"), BEFORE_FOLD_2, "fit-outside"),
        (("train", "lightgbm/final", "fit"), of("decide")[:1], "fit-outside"),
        (("train", "lightgbm/refit", "fit"), FIRST_TEST, "fit-on-test"),
        (("train", "lightgbm/refit", "predict"), of("decide")[:1], "fit-outside"),
        (("train", "lightgbm/fold 1", "predict"), TRAINS_1[:1], "fit-outside"),
        (("train", "lightgbm/importance", "judge"), FIRST_TEST, "fit-outside"),
        (("train", "lightgbm/importance", "judge"), of("train")[-1:], "fit-outside"),
        (("calibrate", "stack", "fit"), TRAINS_1[:1], "fit-outside"),
        (("calibrate", "calibrator", "fit"), of("decide")[:1], "fit-outside"),
        (("calibrate", "calibrator", "choose"), FIRST_TEST, "fit-on-test"),
        (("calibrate", "ensemble", "choose"), FIRST_TEST, "fit-on-test"),
        (("calibrate", "ensemble", "choose"), of("train")[-1:], "fit-outside"),
        (("calibrate", "conformal", "fit"), FIRST_TEST, "fit-on-test"),
        (("calibrate", "conformal", "fit"), of("calibrate")[-1:], "fit-outside"),
        (("calibrate", "conformal", "predict"), of("decide")[-1:], "in-sample"),
        (("calibrate", "conformal", "follow"), of("decide")[-1:], "fit-outside"),
        (("calibrate", "threshold", "choose"), FIRST_TEST, "fit-on-test"),
        (("calibrate", "threshold", "choose"), of("calibrate")[-1:], "fit-outside"),
        (("evaluate", "evaluation", "judge"), of("decide")[-1:], "fit-outside"),
        (("train", "lightgbm/final", "fit"), np.flatnonzero(~KNOWN & (SEGMENT == "train"))[:1], "fit-outside"),
    ],
)
def test_a_row_too_many_is_found_with_its_row_and_times(
    key: tuple[str, str, str], more: np.ndarray, code: str | None
) -> None:
    hand = honest()
    hand[key] = np.union1d(hand[key], more)
    found = check(hand).findings
    if code is None:
        assert found == []
        return
    stage, fit, _ = key
    leak = next(each for each in found if each.code == code)
    assert leak.subject.startswith(f"{stage}/{fit}, ")
    assert leak.help
    assert leak.row is not None
    assert leak.known_utc == utc_text(ROWS["label_end_ms"].iloc[leak.row])
    assert leak.symbol == ROWS["symbol"].iloc[leak.row]
    if code == "fit-on-test":
        assert leak.used_utc == utc_text(ROWS["decision_time_ms"][SEGMENT == "test"].min())


def test_labels_that_only_reach_into_test_are_on_test_too() -> None:
    """Purged rows belong to no segment; their labels end in the next one."""
    first_test = ROWS["decision_time_ms"][SEGMENT == "test"].min()
    reaching = (ROWS["decision_time_ms"] < first_test) & (ROWS["label_end_ms"] + EMBARGO_MS >= first_test)
    hand = honest()
    hand["calibrate", "threshold", "choose"] = np.union1d(of("decide"), np.flatnonzero(KNOWN & reaching))
    assert [leak.code for leak in check(hand).findings] == ["fit-on-test"]


def test_a_fit_without_a_record_is_found() -> None:
    hand = honest()
    del hand["calibrate", "threshold", "choose"]
    found = check(hand, ("calibrate/threshold", "calibrate/stack"))
    assert [(leak.code, leak.subject) for leak in found.findings] == [("fit-unrecorded", "calibrate/threshold")]


@pytest.mark.parametrize(
    ("stage", "fit", "use"),
    [
        ("select", "everything", "fit"),
        ("calibrate", "stack", "stop"),
        ("evaluate", "evaluation", "predict"),
        ("train", "lightgbm/importance", "predict"),
        ("train", "lightgbm/final", "judge"),
    ],
)
def test_a_fit_without_a_rule_does_not_pass(stage: str, fit: str, use: str) -> None:
    hand = honest()
    hand[stage, fit, use] = of("decide")
    assert [leak.code for leak in check(hand).findings] == ["fit-unrecorded"]


@pytest.mark.parametrize("shift", [lambda rows: rows[::-1], lambda rows: rows])
def test_another_hand_over_under_the_same_name_is_held_to_the_same_rule(
    shift: Callable[[np.ndarray], np.ndarray],
) -> None:
    ledger = FitLedger()
    ledger.note("threshold", "choose", of("decide"))
    ledger.note("threshold", "choose", shift(of("test")))
    found = check_fits(ROWS, {"calibrate": ledger.table()}, (), EMBARGO_MS)
    assert [(leak.code, leak.subject) for leak in found.findings] == [("fit-on-test", "calibrate/threshold #2, choose")]
