"""The steps in their order, what each is shown, and the record they leave."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.contracts.errors import InputError
from candlelock.contracts.stage_params import SplitParams
from candlelock.select.fit import fit_selection, fit_selections, period_edges, score
from candlelock.select.train_rows import train_rows
from candlelock.split.segments import assign, fold_masks
from tests.unit.select.conftest import BAR_MS, first_is_best, keys_of, to_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.select_documents import Selection
    from candlelock.contracts.select_params import SelectParams

    Make = Callable[..., SelectParams]

EMBARGO_MS = 6 * BAR_MS
N_ROWS = 1200
ALL_DROPS = ["sparse", "correlation", "mutual_information", "f_test", "importance", "stability", "count"]


def draw(n_rows: int = N_ROWS) -> tuple[np.ndarray, np.ndarray]:
    """Nine features: two of signal, a twin of each, a constant, a mostly unknown one, three of noise."""
    random = np.random.default_rng(21)
    x = random.normal(size=(n_rows, 9))
    y = (random.random(n_rows) < 1 / (1 + np.exp(-x[:, 0] - x[:, 1]))).astype(float)
    x[:, 2], x[:, 3], x[:, 4] = -x[:, 0], x[:, 1] + 1, 3.0
    x[: int(0.8 * n_rows), 5] = np.nan
    return x, y


def fit(make: Make, max_rows: int = 10**6, **changes: object) -> Selection:
    return fit_selection(to_rows(*draw()), make(max_rows=max_rows, **changes), first_is_best, FitLedger(), "final")


def test_every_step_runs_on_what_the_one_before_leaves(params: Make) -> None:
    selection = fit(params, steps=ALL_DROPS, max_features=1)
    assert [step.step for step in selection.steps] == ALL_DROPS
    before = selection.inputs
    for step in selection.steps:
        assert step.inputs == before
        before = step.outputs
    assert selection.outputs == before
    assert {"f0", "f1"} > set(selection.outputs)
    gone = {drop.name: step.step for step in selection.steps for drop in step.dropped}
    assert (gone["f2"], gone["f3"], gone["f4"], gone["f5"]) == ("correlation", "correlation", "sparse", "sparse")


def test_the_order_is_that_of_the_parameters(params: Make) -> None:
    """The count first: it may keep two twins, of which the pruning then drops one."""
    counted = fit(params, steps=["count", "correlation"], max_features=2).outputs
    pruned = fit(params, steps=["correlation", "count"], max_features=2).outputs
    assert (len(counted), pruned) == (1, ["f0", "f1"])


@pytest.mark.parametrize("steps", [["mutual_information"], ["f_test"], ["importance"], ["count"]])
def test_each_step_keeps_what_its_own_score_says(params: Make, steps: list[str]) -> None:
    changes = {"min_mutual_information": 0.01, "max_p_value": 1e-6, "min_gain_frac": 0.01, "max_features": 4}
    kept = fit(params, steps=steps, **changes).outputs
    assert kept == ([f"f{i}" for i in range(6)] if steps == ["importance"] else ["f0", "f1", "f2", "f3"])


@pytest.mark.parametrize(
    ("by", "stays"), [("auc", "f1"), ("mutual_information", "f1"), ("f_test", "f1"), ("importance", "f0")]
)
def test_of_twins_the_one_with_the_higher_score_stays(params: Make, by: str, stays: str) -> None:
    """The second repeats the first where it is known, and the first is spoiled where the second is not."""
    random = np.random.default_rng(3)
    y = random.integers(0, 2, 900).astype(float)
    clean = random.normal(size=900) + y
    spoiled = clean + (random.random(900) < 0.05) * random.normal(size=900)
    rows = to_rows(np.column_stack([spoiled, clean]), y)
    assert fit_selection(
        rows, params(steps=["correlation"], rank_by=by), first_is_best, FitLedger(), "final"
    ).outputs == [stays]


def test_scores_are_taken_from_a_part_and_the_rest_from_all(params: Make) -> None:
    selection = fit(params, max_rows=300, steps=["sparse", "correlation", "stability"], scaling="standard")
    assert [step.seen.n_rows for step in selection.steps] == [N_ROWS, 300, 300, N_ROWS]
    assert selection.seen.n_rows == N_ROWS


def test_what_a_step_has_seen_are_its_own_inputs(params: Make) -> None:
    x, y = draw()
    selection = fit(params, steps=["sparse", "correlation"], scaling="minmax")
    assert selection.seen == to_rows(x, y).seen()
    sparse, correlation, scaling = selection.steps
    assert sparse.seen == selection.seen
    for step in (correlation, scaling):
        at = [int(name[1:]) for name in step.inputs]
        assert step.seen == to_rows(x[:, at], y, step.inputs).seen()


def test_the_scaling_after_components_has_seen_the_components(params: Make) -> None:
    selection = fit(params, steps=["sparse", "pca"], scaling="standard", min_variance_frac=0.8)
    pca, scaling = selection.steps[1:]
    assert scaling.inputs == pca.outputs == selection.outputs
    np.testing.assert_allclose(scaling.centre, 0.0, atol=1e-12)
    spread = np.square(scaling.scale)
    np.testing.assert_allclose(spread / spread[0], np.divide(pca.variance_frac, pca.variance_frac[0]))


def test_periods_are_consecutive_of_equal_rows_and_never_part_a_time() -> None:
    x, y = draw(1001)
    keys = keys_of(1001)
    edges = period_edges(train_rows(x[:, :2], y, ["a", "b"], keys), 4)
    opened = keys["open_time_ms"].to_numpy()
    cuts = np.sort(opened)[[250, 500, 750]]
    np.testing.assert_allclose(edges[0], [roc_auc_score(y, x[:, i]) - 0.5 for i in (0, 1)], atol=1e-14)
    for number, edge in enumerate(edges[1:]):
        own = np.searchsorted(cuts, opened, side="right") == number
        assert own.sum() == pytest.approx(250, abs=2)
        np.testing.assert_allclose(edge, [roc_auc_score(y[own], x[own, i]) - 0.5 for i in (0, 1)], atol=1e-14)


def test_shares_of_no_gain_are_nothing(params: Make) -> None:
    rows = to_rows(*draw())
    assert not score(rows, "importance", params(), lambda x, y: np.zeros(x.shape[1])).any()
    with pytest.raises(InputError):
        fit_selection(rows, params(steps=["importance"]), lambda x, y: np.zeros(x.shape[1]), FitLedger(), "final")


def split_rows() -> pd.DataFrame:
    """1,200 labelled rows of two symbols with three folds; each twentieth label is unknown."""
    keys, random = keys_of(N_ROWS), np.random.default_rng(5)
    is_up = draw()[1]
    is_up[random.permutation(N_ROWS)[:60]] = np.nan
    frame = keys.assign(decision_time_ms=keys["open_time_ms"] + BAR_MS, is_up=is_up, future_return=is_up - 0.5)
    fractions = {"calibrate_frac": 0.1, "decide_frac": 0.1, "test_frac": 0.25}
    bars = {"min_history_bars": 0, "embargo_bars": 6, "n_folds": 3}
    return assign(frame, SplitParams.model_validate(fractions | bars), BAR_MS)


def test_each_fold_is_fitted_on_its_own_training_rows_and_the_last_on_all_of_train(params: Make) -> None:
    rows, (x, _) = split_rows(), draw()
    names = [f"f{i}" for i in range(9)]
    report = fit_selections(rows, x, names, params(steps=["sparse"]), EMBARGO_MS, first_is_best, FitLedger())
    assert len(report.folds) == 3
    for fold, selection in enumerate(report.folds, start=1):
        trains, validates = fold_masks(rows, fold, EMBARGO_MS)
        assert selection.seen == to_rows_of(rows, x, trains)
        assert pd.Timestamp(selection.seen.last_label_end_utc) < pd.to_datetime(
            rows["decision_time_ms"][validates].min(), unit="ms", utc=True
        )
    is_train = ((rows["segment"] == "train") & rows["is_up"].notna()).to_numpy()
    assert report.final.seen == to_rows_of(rows, x, is_train)
    assert report.final.seen.n_rows == is_train.sum()


def to_rows_of(rows: pd.DataFrame, x: np.ndarray, mask: np.ndarray) -> object:
    keys, y = rows[["symbol", "open_time_ms", "label_end_ms"]][mask], rows["is_up"].to_numpy()[mask]
    return train_rows(x[mask], y, [f"f{i}" for i in range(9)], keys).seen()


def test_it_is_quick(params: Make) -> None:
    """A tenth of the size of real work, in a tenth of the time it may take, with room for a slow machine."""
    random = np.random.default_rng(1)
    rows = to_rows(random.normal(size=(20_000, 120)))
    started = time.perf_counter()
    fit_selection(
        rows, params(steps=["sparse", "correlation", "stability", "count"]), first_is_best, FitLedger(), "final"
    )
    assert time.perf_counter() - started < 10
