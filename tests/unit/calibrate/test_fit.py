"""The whole of calibration on drawn members: who sees which rows, and that nothing hangs on test labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.calibrate.fit import Calibrated, Terms, calibrate_members
from candlelock.contracts.stage_params import CalibrateParams
from candlelock.contracts.tables import PREDICTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR_MS, N_BARS, HORIZON = 3_600_000, 1200, 4
START_MS = 1_704_067_200_000
SEGMENT = np.repeat(["train", "calibrate", "decide", "test"], [600, 200, 200, 200])
MEMBERS = ("one", "other")
PARAMS: dict[str, Any] = {
    "ensemble": "stack",
    "weights": None,
    "stack_l2": 1.0,
    "methods": ["identity", "temperature", "platt"],
    "miscoverage_frac": 0.2,
    "adaptation": 0.05,
    "abstain": False,
    "threshold_goal": "profit",
    "min_trades": 5,
    "n_bootstrap": 100,
}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Two symbols; each member knows a part of the truth; a label in twenty is unknown."""
    random = np.random.default_rng(3)
    n = 2 * N_BARS
    one, other = random.normal(0, 0.7, (2, n))
    is_up = (random.random(n) < expit(one + other)).astype(float)
    is_up[random.random(n) < 0.05] = np.nan
    opened = START_MS + HOUR_MS * np.tile(np.arange(N_BARS), 2)
    return pd.DataFrame(
        {
            "row": np.arange(n),
            "symbol": np.repeat(["A/Q", "B/Q"], N_BARS),
            "open_time_ms": opened,
            "decision_time_ms": opened + HOUR_MS,
            "label_end_ms": opened + (1 + HORIZON) * HOUR_MS,
            "segment": np.tile(SEGMENT, 2),
            "is_up": is_up,
            "future_return": np.where(is_up > 0, 0.01, -0.01) * random.random(n),
            "p_up_one": expit(one),
            "p_up_other": expit(other),
        }
    )


def fit(rows: pd.DataFrame, **changed: Any) -> tuple[Calibrated, FitLedger]:
    ledger = FitLedger()
    params = CalibrateParams.model_validate(PARAMS | changed)
    return calibrate_members(rows, MEMBERS, params, Terms(HORIZON * HOUR_MS, 10.0, 1), ledger), ledger


def seen(ledger: FitLedger) -> dict[tuple[str, str], int]:
    table = ledger.table().to_pandas()
    return {(str(fit), str(use)): int(own["n_rows"].sum()) for (fit, use), own in table.groupby(["fit", "use"])}


def test_each_part_is_handed_its_own_rows_and_the_table_fits_its_schema(rows: pd.DataFrame) -> None:
    found, ledger = fit(rows)
    known = rows[rows["is_up"].notna()].groupby("segment").size()
    assert seen(ledger) == {
        ("stack", "fit"): known["train"],
        ("ensemble", "choose"): known["calibrate"],
        ("calibrator", "fit"): known["calibrate"],
        ("calibrator", "choose"): known["calibrate"],
        ("calibrator", "predict"): 1200,
        ("conformal", "fit"): known["decide"],
        ("conformal", "predict"): 400,
        ("conformal", "follow"): 400,
        ("threshold", "choose"): 400 - 2 * HORIZON,  # those that are held into test have no say
    }
    assert (found.stack.n_rows, found.conformal.n_rows) == (known["train"], known["decide"])
    assert not PREDICTIONS.problems(found.predictions, "predictions")
    table = found.predictions.to_pandas()
    assert table["may_be_up"].notna().tolist() == (table["segment"] == "test").tolist()
    later = rows[rows["segment"] != "train"]
    np.testing.assert_allclose(table["member_spread"], later[["p_up_one", "p_up_other"]].std(axis=1, ddof=0))


@pytest.mark.parametrize("kind", ["average", "vote"])
def test_weights_that_no_label_decided_have_no_fit(rows: pd.DataFrame, kind: str) -> None:
    weights = {"one": 1.0, "other": 0.8} if kind == "average" else None
    found, ledger = fit(rows, ensemble=kind, weights=weights)
    assert ("stack", "fit") not in seen(ledger)
    assert found.stack.n_rows == 0


def test_together_they_are_used_and_next_to_noise_the_one_that_knows_alone(rows: pd.DataFrame) -> None:
    assert fit(rows)[0].stack.used == "ensemble"
    noise = rows.assign(p_up_other=np.random.default_rng(1).uniform(0.1, 0.9, len(rows)))
    found = fit(noise, ensemble="average", weights={"one": 1.0, "other": 1.0})[0]
    assert found.stack.used == "one"
    raw = noise["p_up_one"][noise["segment"] != "train"]
    np.testing.assert_array_equal(found.predictions["p_up_raw"].to_numpy(), raw)


def test_turned_test_labels_change_nothing_but_sets_after_they_are_known(rows: pd.DataFrame) -> None:
    at = START_MS + HOUR_MS * 1100
    turned = rows.assign(is_up=np.where(rows["open_time_ms"] >= at, 1 - rows["is_up"], rows["is_up"]))
    before, after = fit(rows)[0], fit(turned)[0]
    assert (before.stack, before.calibrator, before.conformal, before.threshold) == (
        after.stack,
        after.calibrator,
        after.conformal,
        after.threshold,
    )
    one, other = before.predictions.to_pandas(), after.predictions.to_pandas()
    sets = ["may_be_up", "may_be_down"]
    pd.testing.assert_frame_equal(one.drop(columns=sets), other.drop(columns=sets))
    differs = (one[sets].fillna(False) != other[sets].fillna(False)).any(axis=1)
    first = one.loc[differs, "open_time_utc"].min()
    assert first.timestamp() * 1000 >= at + HORIZON * HOUR_MS


@pytest.mark.parametrize("segment", ["calibrate", "decide"])
def test_labels_of_a_segment_do_change_what_is_fitted_there(rows: pd.DataFrame, segment: str) -> None:
    turned = rows.assign(is_up=np.where(rows["segment"] == segment, 1 - rows["is_up"], rows["is_up"]))
    before, after = fit(rows)[0], fit(turned)[0]
    assert before.stack.weights == after.stack.weights
    assert (before.stack.comparison != after.stack.comparison) == (segment == "calibrate")
    assert before.conformal.quantiles != after.conformal.quantiles


def test_who_abstains_has_signals_only_where_the_set_is_up_alone(rows: pd.DataFrame) -> None:
    plain, abstains = (
        fit(rows, abstain=value, miscoverage_frac=0.02)[0].predictions.to_pandas() for value in (False, True)
    )
    is_test = plain["segment"] == "test"
    up_alone = plain["may_be_up"].fillna(False).astype(bool) & ~plain["may_be_down"].fillna(False).astype(bool)
    expected = plain["has_signal"] & (up_alone | ~is_test)
    assert abstains["has_signal"].tolist() == expected.tolist()
    assert abstains["has_signal"].sum() < plain["has_signal"].sum()


@pytest.mark.parametrize("reorder", [lambda rows: rows, lambda rows: rows.assign(p_up_stranger=0.1)])
def test_the_same_rows_give_the_same_bytes(rows: pd.DataFrame, reorder: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    one, other = fit(rows)[0], fit(reorder(rows))[0]
    assert one.predictions.equals(other.predictions)
    assert one.threshold == other.threshold


def test_no_trade_that_ends_in_test_has_a_say_in_the_threshold(rows: pd.DataFrame) -> None:
    """Labels that are settled within the hour do not shorten the trade: it is held on, into test."""
    early = rows.assign(label_end_ms=rows["decision_time_ms"] + HOUR_MS)
    begin_ms = rows.loc[rows["segment"] == "test", "decision_time_ms"].min()
    late = (rows["segment"] == "decide") & (rows["decision_time_ms"] + HORIZON * HOUR_MS >= begin_ms)
    found, ledger = fit(early)
    told, _ = fit(early.assign(future_return=rows["future_return"].mask(late, 5.0)))
    assert late.sum() == 2 * HORIZON
    assert told.threshold == found.threshold
    assert seen(ledger)["threshold", "choose"] == found.threshold.n_rows
