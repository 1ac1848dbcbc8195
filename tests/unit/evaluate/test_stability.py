"""Parts of test against scikit-learn on the same rows, months counted exactly, a lead that wears off."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn import metrics

from candlelock.contracts.significance_documents import SliceScore
from candlelock.contracts.stage_params import EvaluateParams
from candlelock.evaluate.bootstrap import HOUR_MS, Blocks
from candlelock.evaluate.circular_blocks import cut_steps, draw_circular
from candlelock.evaluate.stability import (
    DAY_MS,
    count_months,
    exact_interval,
    examine_stability,
    slope_in_time,
    volatility_regimes,
)

PARAMS = EvaluateParams(n_bootstrap=400, block_hours=24, confidence=0.95, n_calibration_bins=10)
START_MS = 1_706_659_200_000  # 2024-01-31T00:00:00Z


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Two symbols, shuffled, over 900 hours from the last day of January into March; B moves ten times as far as A."""
    random = np.random.default_rng(1)
    opens = np.tile(START_MS + HOUR_MS * np.arange(900), 2)
    symbol = np.repeat(["A/USD", "B/USD"], 900)
    z = random.normal(0, 0.5, 1800)
    frame = pd.DataFrame(
        {
            "symbol": symbol,
            "open_time_ms": opens,
            "decision_time_ms": opens + HOUR_MS,
            "is_up": (random.random(1800) < 1 / (1 + np.exp(-z))).astype(float),
            "past_return": random.normal(0, np.where(symbol == "A/USD", 0.01, 0.1)),
            "p_up": 1 / (1 + np.exp(-z)),
        }
    )
    return frame.sample(frac=1, random_state=2).reset_index(drop=True)


def test_parts_are_scored_as_by_scikit_learn_and_make_up_the_whole(rows: pd.DataFrame) -> None:
    blocks = draw_circular(cut_steps(rows["open_time_ms"].to_numpy()), 24, PARAMS, 1)
    rule, constant = (rows["past_return"] < 0).to_numpy(float), np.full(1800, 0.55)
    found = examine_stability(rows, rule, constant, blocks)
    decided = pd.to_datetime(rows["decision_time_ms"], unit="ms")
    parts = {
        "by_month": decided.dt.strftime("%Y-%m"),
        "by_symbol": rows["symbol"],
        "by_utc_hour": decided.dt.strftime("%H"),
        "by_volatility": volatility_regimes(rows),
    }
    for name, labels in parts.items():
        slices = getattr(found, name)
        assert {each.name for each in slices} == set(labels)
        for each in slices:
            own = (labels == each.name).to_numpy()
            y, p = rows["is_up"][own], rows["p_up"][own]
            assert each.n_rows == own.sum()
            assert each.accuracy == pytest.approx(metrics.accuracy_score(y, p >= 0.5))
            assert each.auc_roc == pytest.approx(metrics.roc_auc_score(y, p))
            assert each.log_loss == pytest.approx(metrics.log_loss(y, p))
            lead = metrics.accuracy_score(y, p >= 0.5) - metrics.accuracy_score(y, rule[own] > 0)
            assert each.accuracy_lead_pp == pytest.approx(100 * lead)
            assert each.log_loss_lead == pytest.approx(metrics.log_loss(y, constant[own]) - metrics.log_loss(y, p))
    assert [each.name for each in found.by_month] == ["2024-01", "2024-02", "2024-03"]
    assert [each.name for each in found.by_volatility] == ["calm", "middling", "wild"]


def test_a_row_decided_at_midnight_belongs_to_the_day_that_begins(rows: pd.DataFrame) -> None:
    """The bar of January's last hour is decided on in February."""
    blocks = draw_circular(cut_steps(rows["open_time_ms"].to_numpy()), 24, PARAMS, 1)
    found = examine_stability(rows, np.zeros(1800), np.full(1800, 0.5), blocks)
    assert found.by_month[0].n_rows == 2 * 23


def test_a_regime_is_of_the_symbols_own_past(rows: pd.DataFrame) -> None:
    regimes = volatility_regimes(rows)
    for symbol in ("A/USD", "B/USD"):
        shares = regimes[rows["symbol"] == symbol].value_counts(normalize=True)
        assert shares.to_numpy() == pytest.approx([1 / 3] * 3, abs=0.01)
    later = rows["open_time_ms"] > START_MS + 500 * HOUR_MS
    changed = rows.assign(past_return=np.where(later, rows["past_return"].to_numpy()[::-1] / 1e3, rows["past_return"]))
    first = rows["symbol"].eq("A/USD") & ~later
    level = regimes[first] == "wild"
    again = volatility_regimes(changed)[first]
    assert (again[level] == "wild").all()  # the cuts fell, the order did not change


def test_moves_of_the_last_day_make_a_regime_and_unknown_ones_do_not() -> None:
    opens = START_MS + HOUR_MS * np.arange(300)
    past = np.full(300, 0.01)
    past[100] = 1.0
    past[:3] = np.nan
    rows = pd.DataFrame({"symbol": "A/USD", "open_time_ms": opens, "past_return": past})
    regimes = volatility_regimes(rows)
    assert np.flatnonzero(regimes == "wild").tolist() == list(range(100, 124))
    assert (regimes[:3] == "middling").all()
    assert (regimes[3:100] == "calm").all()  # from the first known move on


def month(lead: float) -> SliceScore:
    return SliceScore(
        name="2024-01",
        n_rows=9,
        share_up=0.5,
        accuracy=0.5,
        auc_roc=None,
        log_loss=0.7,
        accuracy_lead_pp=lead,
        log_loss_lead=0.0,
    )


def test_months_ahead_are_a_sign_test() -> None:
    found = count_months([month(lead) for lead in (1, 2, 0.1, -1, 3, 0)], 0.95)
    assert (found.n_ahead, found.n_months) == (4, 5)
    assert found.p_value == pytest.approx(6 / 32)  # 5 + 1 of 32 outcomes are as good
    assert found.share.value == 0.8
    assert count_months([], 0.95).share.model_dump() == {"value": 0.5, "low": 0.0, "high": 1.0}


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (5, 5), (4, 6), (11, 24)])
def test_the_interval_of_a_share_is_the_exact_one(hits: int, n: int) -> None:
    expected = binomtest(hits, n).proportion_ci(0.9, method="exact")
    assert exact_interval(hits, n, 0.9) == pytest.approx((expected.low, expected.high))


def test_a_lead_that_wears_off_has_its_slope_in_thirty_days() -> None:
    random = np.random.default_rng(3)
    time_ms = START_MS + HOUR_MS * np.arange(4000)
    blocks = draw_circular(cut_steps(time_ms), 48, PARAMS, 2)
    lead = 0.02 - 0.004 * (time_ms - START_MS) / (30 * DAY_MS) + random.normal(0, 0.01, 4000)
    found = slope_in_time(time_ms, lead, blocks)
    months = (time_ms - START_MS) / (30 * DAY_MS)
    assert found.value == pytest.approx(np.polyfit(months, lead, 1)[0])
    assert found.low < -0.004 < found.high < 0
    steady = slope_in_time(time_ms, random.normal(0.01, 0.01, 4000), blocks)
    assert steady.low < 0 < steady.high


def test_a_drawn_slope_is_that_of_the_drawn_rows() -> None:
    random = np.random.default_rng(5)
    time_ms, lead = START_MS + HOUR_MS * np.arange(50), random.normal(size=50)
    counts = random.multinomial(50, np.full(50, 1 / 50))
    found = slope_in_time(time_ms, lead, Blocks(np.arange(50), counts[None].astype(float), 0.95))
    rows = np.repeat(np.arange(50), counts)
    assert found.low == pytest.approx(np.polyfit(rows / 720, lead[rows], 1)[0])


def test_without_time_there_is_no_slope() -> None:
    blocks = draw_circular(cut_steps(np.full(5, START_MS)), 1, PARAMS, 1)
    assert slope_in_time(np.full(5, START_MS), np.arange(5.0), blocks).value == 0.0
