"""Laws of selection and scaling: fitted on training rows alone, blind to the order of columns, no friend of noise."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom, chi2
from sklearn.metrics import roc_auc_score

from candlelock.artifacts import documents
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.artifacts.user_files import read_params
from candlelock.contracts.select_documents import Selection
from candlelock.contracts.select_params import SelectParams
from candlelock.contracts.stage_params import SplitParams
from candlelock.select.fit import fit_selection, fit_selections
from candlelock.select.train_rows import train_rows
from candlelock.select.transform import compile_report, compile_selection
from candlelock.split.segments import assign, fold_masks
from candlelock.train.importance import find_gains
from candlelock.train.learner import Sample
from candlelock.train.members import Task, train_member
from tests.learner_settings import QUICK
from tests.pipeline.project import ROOT
from tests.select_params import KEEP_ALL

if TYPE_CHECKING:
    from candlelock.contracts.select_documents import SelectionReport

BAR_MS = 3_600_000
EMBARGO_MS = 6 * BAR_MS
LOOSE: dict[str, Any] = KEEP_ALL | {"max_rows": 400, "min_variance_frac": 0.9}
RECIPES: dict[str, dict[str, Any]] = {
    "drops": {"steps": ["sparse", "correlation", "stability", "importance"], "scaling": "robust"}
    | {"min_stable_frac": 0.25, "min_gain_frac": 0.0},  # noise in the other fits must leave something
    "scores": {"steps": ["correlation", "count"], "rank_by": "mutual_information"}
    | {"max_features": 5, "scaling": "standard"},
    "tests": {"steps": ["f_test"], "max_p_value": 0.9, "scaling": "minmax"},
    "components": {"steps": ["sparse", "pca"], "scaling": "standard"},
}
gains = functools.partial(find_gains, seed=1, threads=1)


def params(**changes: Any) -> SelectParams:
    return SelectParams(**{**LOOSE, **changes})


def split_rows(n_rows: int = 900) -> pd.DataFrame:
    """Rows of three symbols with three folds; labels look three bars ahead, each twentieth is unknown."""
    random = np.random.default_rng(5)
    opens = 1_704_067_200_000 + BAR_MS * np.tile(np.arange(n_rows // 3), 3)
    is_up = random.integers(0, 2, n_rows).astype(float)
    is_up[random.permutation(n_rows)[: n_rows // 20]] = np.nan
    frame = pd.DataFrame(
        {
            "symbol": pd.Series(np.repeat(["ADA/USD", "BTC/USD", "ETH/USD"], n_rows // 3), dtype="str"),
            "open_time_ms": opens,
            "decision_time_ms": opens + BAR_MS,
            "label_end_ms": opens + 4 * BAR_MS,
            "is_up": is_up,
            "future_return": is_up - 0.5,
        }
    )
    fractions = {"calibrate_frac": 0.1, "decide_frac": 0.1, "test_frac": 0.25}
    bars = {"min_history_bars": 0, "embargo_bars": 6, "n_folds": 3}
    return assign(frame, SplitParams.model_validate(fractions | bars), BAR_MS)


ROWS = split_rows()
MASKS = [*(fold_masks(ROWS, fold, EMBARGO_MS)[0] for fold in (1, 2, 3))]
MASKS.append(((ROWS["segment"] == "train") & ROWS["is_up"].notna()).to_numpy())


def draw(seed: int = 3, n_features: int = 10) -> np.ndarray:
    """Features that share three sources, some of their values unknown, the first two of signal."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(len(ROWS), 3)) @ random.normal(size=(3, n_features))
    x += 0.8 * random.normal(size=x.shape)
    x[:, :2] += np.nan_to_num(ROWS["is_up"].to_numpy(), nan=0.5)[:, None]
    x[random.random(x.shape) < 0.02] = np.nan
    return x


def fit(x: np.ndarray, recipe: str, rows: pd.DataFrame = ROWS) -> SelectionReport:
    return fit_selections(
        rows, x, [f"f{i}" for i in range(x.shape[1])], params(**RECIPES[recipe]), EMBARGO_MS, gains, FitLedger()
    )


@functools.cache
def fitted(recipe: str) -> SelectionReport:
    return fit(draw(), recipe)


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
@pytest.mark.parametrize("recipe", RECIPES)
def test_rows_that_a_fit_does_not_train_on_change_nothing_in_it(recipe: str, seed: int) -> None:
    """For every fit in turn: features, labels, unknown or not, of every other row are replaced by something else."""
    random = np.random.default_rng(seed)
    for number, trains in enumerate(MASKS):
        x, rows = draw(), ROWS.copy()
        x[~trains] = random.normal(size=x[~trains].shape) * 10.0 ** random.integers(-3, 4)
        x[~trains & (random.random(len(x)) < 0.3)] = np.nan
        is_later = rows["segment"].ne("train").to_numpy() | (rows["fold"] > number + 1).to_numpy(bool, na_value=False)
        is_later &= ~trains
        rows.loc[is_later, "is_up"] = random.integers(0, 2, is_later.sum()).astype(float)
        before, after = ([*report.folds, report.final][number] for report in (fitted(recipe), fit(x, recipe, rows)))
        assert after == before


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_row_that_a_fit_trains_on_is_on_its_record(recipe: str) -> None:
    for number, trains in enumerate(MASKS):
        x = draw()
        row = np.flatnonzero(trains)[-1]
        x[row, 0] = np.nextafter(x[row, 0], 99)
        again = [*(report := fit(x, recipe)).folds, report.final][number]
        before = [*fitted(recipe).folds, fitted(recipe).final][number]
        assert again.seen.keys_sha256 == before.seen.keys_sha256
        assert again.seen.values_sha256 != before.seen.values_sha256


@settings(max_examples=12, deadline=None)
@given(order=st.permutations(range(10)))
@pytest.mark.parametrize("recipe", ["drops", "scores", "tests"])
def test_the_order_of_columns_changes_no_verdict(recipe: str, order: list[int]) -> None:
    """Gains aside: LightGBM draws columns by their place, so the judge here is the AUC alone."""
    steps = [step for step in RECIPES[recipe]["steps"] if step != "importance"]
    wanted, names = params(**{**RECIPES[recipe], "steps": steps}), [f"f{i}" for i in order]
    x, y, trains = draw(), ROWS["is_up"].to_numpy(), MASKS[-1]

    def verdicts(columns: list[int]) -> dict[str, Any]:
        named = [f"f{i}" for i in columns]
        rows = train_rows(x[np.ix_(trains, columns)], y[trains], named, ROWS[trains])
        selection = fit_selection(rows, wanted, gains, FitLedger(), "final")
        drops = [step for step in selection.steps if step.kind == "drop"]
        assert selection.outputs == [name for name in named if name in selection.outputs]
        return {
            "kept": set(selection.outputs),
            "dropped": {each.name: each for step in drops for each in step.dropped},
            "scores": [step.scores for step in drops],
            "scaled": dict(zip(selection.steps[-1].outputs, selection.steps[-1].centre, strict=True)),
        }

    assert verdicts(order) == verdicts(sorted(order)), names


@settings(max_examples=30, deadline=None)
@given(
    x=arrays(
        np.float64,
        (len(ROWS), 4),
        elements=st.floats(-1e100, 1e100) | st.just(np.nan) | st.sampled_from([0.0, -0.0, 1.0]),
        fill=st.floats(-1e3, 1e3),
    ),
    recipe=st.sampled_from(["scaled", "components"]),
    scaling=st.sampled_from(["standard", "minmax", "robust"]),
)
def test_any_finite_numbers_give_a_selection_that_survives_json_to_the_bit(
    x: np.ndarray, recipe: str, scaling: str
) -> None:
    steps = ["pca"] if recipe == "components" else []
    rows = train_rows(x, np.arange(len(x)) % 2.0, ["a", "b", "c", "d"], ROWS)
    selection = fit_selection(rows, params(steps=steps, scaling=scaling), gains, FitLedger(), "final")
    again = Selection.model_validate(json.loads(documents.to_bytes(selection)))
    found, expected = (compile_selection(each).apply(x) for each in (again, selection))
    np.testing.assert_array_equal(found.view(np.int64), expected.view(np.int64))
    assert not np.isinf(found).any()


@settings(max_examples=15, deadline=None)
@given(
    slope=st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6),
    twin_of=st.integers(0, 9),
    rank_by=st.sampled_from(["auc", "mutual_information", "f_test"]),
)
def test_a_copy_of_a_column_never_stays_beside_it(slope: float, twin_of: int, rank_by: str) -> None:
    x = draw()
    x = np.column_stack([x, slope * x[:, twin_of]])
    wanted = params(steps=["correlation"], rank_by=rank_by, max_correlation=0.999)
    names = [f"f{i}" for i in range(11)]
    report = fit_selections(ROWS, x, names, wanted, EMBARGO_MS, gains, FitLedger())
    for selection in (*report.folds, report.final):
        gone = [each for each in selection.steps[0].dropped if {each.name, each.twin} == {f"f{twin_of}", "f10"}]
        assert [each.score for each in gone] == [1.0]


def noise(seed: int, n_features: int, n_rows: int = 4000) -> tuple[Any, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(n_rows, n_features)), random.integers(0, 2, n_rows).astype(float)
    opens = 1_704_067_200_000 + BAR_MS * np.arange(n_rows)
    keys = pd.DataFrame({"symbol": "BTC/USD", "open_time_ms": opens, "label_end_ms": opens + BAR_MS})
    return keys, x, y


@pytest.mark.parametrize("step", ["mutual_information", "f_test", "stability"])
def test_noise_stays_as_often_as_chance_has_it(step: str) -> None:
    """Rates of the null distributions: chi-square of the estimate, uniform p-values, a coin's side in every period."""
    n, n_features, least = 4000, 500, 0.001
    keys, x, y = noise(1, n_features, n)
    wanted = params(
        steps=[step], max_rows=n, min_mutual_information=least, max_p_value=0.1, n_periods=5, min_stable_frac=1.0
    )
    rows = train_rows(x, y, [f"f{i}" for i in range(n_features)], keys)
    n_kept = len(fit_selection(rows, wanted, gains, FitLedger(), "final").outputs)
    rate = {"mutual_information": chi2.sf(2 * n * least + 7, 7), "f_test": 0.1, "stability": 2**-4}[step]
    low, high = binom.ppf([0.0005, 0.9995], n_features, rate)
    assert low <= n_kept <= high


@pytest.mark.parametrize("kind", ["quick", "slow"])
def test_importance_keeps_noise_no_more_often_than_chance(kind: str) -> None:
    """Beyond chance is as often below zero as above, for noise that remembers times with runs of one label as well."""
    n, n_features = 4000, 60
    keys, x, y = noise(2, n_features, n)
    if kind == "slow":
        x = np.cumsum(x, axis=0)
        y = (np.convolve(y - 0.5, np.ones(48), mode="same") > 0).astype(float)
    rows = train_rows(x, y, [f"f{i}" for i in range(n_features)], keys)
    n_kept = len(fit_selection(rows, params(steps=["importance"], max_rows=n), gains, FitLedger(), "final").outputs)
    assert n_kept <= binom.ppf(0.9995, n_features, 0.5)


def test_importance_finds_signal_among_slow_noise() -> None:
    """Where the plain gain of slow noise may be above that of the weaker signal."""
    keys, x, y = noise(3, 40)
    x[:, 4:] = np.cumsum(x[:, 4:], axis=0)
    strength = np.array([0.6, 0.4, -0.4, 0.3])
    y = (np.random.default_rng(4).random(len(y)) < 1 / (1 + np.exp(-x[:, :4] @ strength))).astype(float)
    rows = train_rows(x, y, [f"f{i}" for i in range(40)], keys)
    best = params(steps=["count"], rank_by="importance", max_features=4, max_rows=len(y))
    assert fit_selection(rows, best, gains, FitLedger(), "final").outputs == ["f0", "f1", "f2", "f3"]


def out_of_fold_auc(x: np.ndarray, y: np.ndarray, report: SelectionReport) -> float:
    """As the stages train: each fold's model sees the fold's selection, and answers the rows it may."""
    rows = ROWS.assign(is_up=np.where(ROWS["is_up"].isna(), np.nan, y))
    names = [f"f{i}" for i in range(x.shape[1])]
    task = Task("logistic", "direction", read_params(ROOT).train, QUICK["logistic"], EMBARGO_MS, seed=1, threads=1)
    sample = Sample(x, rows["is_up"].to_numpy(), rows.index.to_numpy())
    p = train_member(task, sample, rows, compile_report(report, names, 3), FitLedger()).out_of_fold
    known = ~np.isnan(p)
    return float(roc_auc_score(rows["is_up"][known], p[known]))


def test_out_of_fold_answers_to_noise_are_noise_and_a_selection_on_all_rows_would_hide_it() -> None:
    """Ten of 300 features of noise, chosen by their labels: fold by fold, and on all rows as is often done."""
    honest, inflated, n_seeds = [], [], 6
    wanted = params(steps=["count"], max_features=10, max_rows=10**6)
    names = [f"f{i}" for i in range(300)]
    for seed in range(n_seeds):
        random = np.random.default_rng(seed)
        x, y = random.normal(size=(len(ROWS), 300)), random.integers(0, 2, len(ROWS)).astype(float)
        rows = ROWS.assign(is_up=np.where(ROWS["is_up"].isna(), np.nan, y))
        report = fit_selections(rows, x, names, wanted, EMBARGO_MS, gains, FitLedger())
        honest.append(out_of_fold_auc(x, y, report))
        on_all = fit_selection(
            train_rows(x[MASKS[-1]], y[MASKS[-1]], names, ROWS[MASKS[-1]]), wanted, gains, FitLedger(), "final"
        )
        inflated.append(out_of_fold_auc(x, y, report.model_copy(update={"folds": [on_all] * 3, "final": on_all})))
    n_out = int(sum(fold_masks(ROWS, fold, EMBARGO_MS)[1].sum() for fold in (1, 2, 3)))
    error = np.sqrt((n_out + 1) / (12 * (n_out / 2) ** 2) / n_seeds)  # of a mean of AUCs without skill
    assert abs(np.mean(honest) - 0.5) < 4 * error
    assert np.mean(inflated) > 0.5 + 8 * error
