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
