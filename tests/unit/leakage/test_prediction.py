"""The label among the features: copies and functions of it are found, honest features of any strength are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from candlelock.leakage.prediction import check_prediction
from tests.unit.leakage import training_tables as made

if TYPE_CHECKING:
    from candlelock.contracts.leakage_documents import LeakCheck


def check(rows: pd.DataFrame) -> LeakCheck:
    table = made.audit_table(rows)
    return check_prediction(table.rows, table.label, table.names, table.values)


def accused(rows: pd.DataFrame) -> list[str]:
    return [found.subject for found in check(rows).findings]


@pytest.fixture(scope="module")
def honest() -> pd.DataFrame:
    return made.table(11)


def test_a_table_without_one_label_end_has_nothing_to_compare(honest: pd.DataFrame) -> None:
    found = check(honest.assign(label_end=np.nan))
    assert (found.passed, found.n_compared) == (True, 0)


def test_honest_features_are_silent_whatever_is_asked(honest: pd.DataFrame) -> None:
    assert accused(honest) == []
    assert accused(honest.assign(label=honest["outcome"])) == []
    assert accused(honest.assign(label=np.sign(honest["outcome"].round(2)))) == []


@pytest.mark.parametrize("way", ["itself", "turned", "return", "noisy", "missing", "outer", "copy of a return"])
def test_the_label_and_functions_of_it_are_found(honest: pd.DataFrame, way: str) -> None:
    rng = np.random.default_rng(0)
    label, outcome, chance = honest["label"], honest["outcome"], pd.Series(rng.random(len(honest)))
    leak = {
        "itself": label,
        "turned": 1 - 2 * label,
        "return": outcome * (1 + 1e-12),
        "noisy": outcome + 0.3 * outcome.std() * rng.normal(size=len(honest)),
        "missing": chance.where(label == 1),
        "outer": chance.where(label == 1, chance + rng.choice([-1, 1], len(honest))),  # neither rises nor falls
        "copy of a return": np.exp(-outcome),
    }[way]
    rows = honest.assign(leak=leak)
    if way == "copy of a return":
        rows["label"] = outcome
    assert accused(rows) == ["leak"]


def test_a_leak_in_one_part_only_is_found(honest: pd.DataFrame) -> None:
    chance = np.random.default_rng(1).normal(size=len(honest))
    rows = honest.assign(leak=honest["outcome"].where(honest["split"] == "test", chance))
    (found,) = check(rows).findings
    assert (found.code, found.subject) == ("label-in-feature", "leak")
    assert " in test" in found.detail
    assert honest["split"][found.row] == "test"


def test_a_mean_by_category_with_the_rows_own_label_is_found(honest: pd.DataFrame) -> None:
    category = np.random.default_rng(2).integers(0, 1200, len(honest))
    in_train = (honest["split"] == "train") & honest["label"].notna()
    means = honest["label"][in_train].groupby(category[in_train]).mean()
    rows = honest.assign(encoded=pd.Series(category).map(means).fillna(0.5).to_numpy())
    (found,) = check(rows).findings
    assert found.subject == "encoded"
    assert "later parts" in found.detail
    without_own = honest["label"].fillna(0.5).groupby(category).transform(lambda each: each.expanding().mean().shift(1))
    assert accused(honest.assign(encoded=without_own)) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_strong_honest_feature_is_silent(seed: int) -> None:
    rows = made.table(seed)
    strength = 0.55  # an AUC of 0.65
    rows["strong"] = strength * rows["label"] + np.random.default_rng(seed).normal(size=len(rows))
    result = check(rows)
    assert result.passed
    assert 0.6 < result.evidence["strongest"]["strong"] < 0.7


@pytest.mark.parametrize("seed", range(5))
def test_slow_features_of_small_parts_are_silent(seed: int) -> None:
    assert accused(made.table(seed, 1, 700, 48)) == []
    assert accused(made.table(seed, 5, 400, 24).assign(clock=lambda rows: rows["time"])) == []


def test_volatility_may_be_told_from_volatility() -> None:
    rows = made.table(3, 1, 4000, gap_share=0.0, flat=False)
    size = np.exp(np.random.default_rng(3).normal(0, 0.05, len(rows)).cumsum() * 0.3)
    rows["past"] = size
    rows["label"] = size * np.exp(np.random.default_rng(4).normal(0, 0.6 * np.log(size).std(), len(rows)))
    assert accused(rows) == []


@pytest.mark.parametrize("way", ["label", "outcome"])
def test_the_label_of_the_row_before_is_found_while_it_is_not_known(honest: pd.DataFrame, way: str) -> None:
    """Labels look eight bars ahead: that of eight rows before is known at a row's decision."""
    by_symbol = honest.groupby("symbol")[way]
    rows = honest if way == "label" else honest.assign(label=honest["outcome"])
    (found,) = check(rows.assign(leak=by_symbol.shift(1))).findings
    assert found.subject == "leak"
    assert "of the row before" in found.detail
    assert accused(rows.assign(old=by_symbol.shift(8))) == []


@pytest.mark.parametrize("bars", [1, 8])
def test_the_label_of_a_later_row_is_found(honest: pd.DataFrame, bars: int) -> None:
    """Of the next row, and of the first whose label, eight bars ahead, begins where the row's own ends."""
    (found,) = check(honest.assign(leak=honest.groupby("symbol")["label"].shift(-bars))).findings
    assert found.subject == "leak"
    assert ("of the row after its label" if bars == 8 else "of the row after is") in found.detail


def categories(rows: pd.DataFrame, seed: int, n_categories: int = 400) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, n_categories, len(rows))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("parts", [("train",), ("train", "validation"), made.PARTS])
def test_mean_labels_by_category_are_found_where_they_lead_by_little(
    honest: pd.DataFrame, parts: tuple[str, ...], seed: int
) -> None:
    """About 20 rows a category: an AUC of 0.6."""
    seen = honest["label"].where(honest["split"].isin(parts))
    (found,) = check(honest.assign(mean=seen.groupby(categories(honest, seed)).transform("mean"))).findings
    assert (found.code, found.subject) == ("label-in-feature", "mean")
    assert "nearer to the value" in found.detail


@pytest.mark.parametrize("seed", range(10))
def test_values_that_many_rows_share_are_silent(honest: pd.DataFrame, seed: int) -> None:
    """Drawn by category, told by the truth, the means of the weeks before, or the same all day."""
    rng, kinds = np.random.default_rng(seed), categories(honest, seed)
    chances = rng.uniform(0.3, 0.7, 400)
    rows = honest.assign(
        label=(rng.random(len(honest)) < chances[kinds]).astype(float),
        drawn=rng.normal(size=400)[kinds],
        truth=chances[kinds],
        rounded=honest["return_4"].round(3),
        day=rng.normal(size=200)[(honest["time"] // (24 * made.HOUR) % 200).to_numpy()],
    )
    rows["before"] = rows["label"].groupby(kinds).transform(lambda own: own.shift(1).expanding().mean())
    assert accused(rows) == []


@pytest.mark.parametrize("seed", range(20))
def test_labels_that_take_turns_are_silent(seed: int) -> None:
    """Every other label is 1, so that the means of a few long stretches are all but the same."""
    rows = made.table(3, 1, gap_share=0.0, flat=False)
    rows["label"] = (rows["time"] // made.HOUR % 2).astype(float)
    stretch = np.arange(len(rows)) // 401
    rows["regime"] = np.random.default_rng(seed).normal(size=stretch.max() + 1)[stretch]
    assert check(rows[[*made.KEYS, "outcome", "regime"]]).findings == []


def test_a_label_that_is_known_by_the_next_row_is_silent() -> None:
    for horizon in (1, 2):
        rows = made.table(6, horizon=horizon)
        assert accused(rows.assign(old=rows.groupby("symbol")["label"].shift(1))) == []


def test_rounding_residues_of_a_market_that_stands_still_are_silent(honest: pd.DataFrame) -> None:
    """There all labels are 0, whatever tiny number a rolling deviation has left."""
    rng = np.random.default_rng(2)
    at = (honest["time"] - honest["time"].min()) // made.HOUR
    still = at.between(1000, 1500).to_numpy()
    usual = np.where(rng.random(len(honest)) < 0.02, rng.integers(10, 15, len(honest)) / 1000, rng.random(len(honest)))
    deviation = np.where(still, 1e-10 * (at // 3), usual)
    rows = honest.assign(label=honest["label"].where(~still, 0.0), residue=deviation)
    assert accused(rows) == []
