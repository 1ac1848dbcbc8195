"""Changed learners, searches and calibrations: what they are fitted, stopped, chosen and judged on."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

import stages.train
import stages.tune
from benchmarks.leakzoo.flow_mutations import changed, fold_of, of, replaced
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.calibrate import combine as combine_module
from candlelock.calibrate import fit as calibrate_fit
from candlelock.calibrate.calibrator import fit_calibration
from candlelock.train import members
from candlelock.train import search as search_module
from candlelock.train.averaging import Averaged
from candlelock.train.learner import LEARNERS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from benchmarks.leakzoo.flow_mutations import Array, Change


def fitted_on(more: Callable[[pd.DataFrame, Array], Array], is_quiet: bool = False, part: str = "") -> Change:
    """Learners are given `more(rows, trains)`; those of one `part` alone, such as final or refit, if there is one."""
    original = members.fit_member

    def fit_member(task: Any, sample: Any, rows: Any, trains: Array, n_rounds: Any, note: Any) -> Any:  # noqa: ANN401
        if part not in ("", task.part):
            return original(task, sample, rows, trains, n_rounds, note)
        wider = more(rows, trains)
        if is_quiet:
            seen = members._part(task, sample, rows, trains)
            note("fit", seen.rows, seen.x, *seen.labels)
        return original(task, sample, rows, wider, n_rounds, (lambda *_: None) if is_quiet else note)

    return replaced(members, "fit_member", fit_member)


def resampled(where: Callable[[pd.DataFrame, Array], Array], is_quiet: bool = False) -> Change:
    """A tenth more rows for each fit, drawn from `where(rows, trains)`, each twice."""
    original = members._part

    def fit_member(task: Any, sample: Any, rows: Any, trains: Array, n_rounds: Any, note: Any) -> Any:  # noqa: ANN401
        seen = original(task, sample, rows, trains)
        drawn = np.flatnonzero(where(rows, trains))[::10]
        order = np.concatenate([members.time_order(rows)[trains[members.time_order(rows)]], drawn, drawn])
        more = sample.take(order)
        noted = seen if is_quiet else sample.take(np.unique(order))  # the ledger has each row once
        note("fit", noted.rows, noted.x, *noted.labels)
        settings, key = task.settings, LEARNERS[task.name].rounds_key
        if key is not None:
            settings = settings.model_copy(update={key: n_rounds})
        return Averaged((LEARNERS[task.name].fit(more, None, settings, task.seed, task.threads),))

    return replaced(members, "fit_member", fit_member)


def balanced_by(mask_of: Callable[[pd.DataFrame, Array], Array], is_noted: bool = False) -> Change:
    """Training rows of one class are thinned by the share of the classes among other rows."""
    original, train_member = members.fit_member, members.train_member
    ledger: list[Any] = []

    def remember(task: Any, sample: Any, rows: Any, selections: Any, fits: Any, run: Any) -> Any:  # noqa: ANN401
        ledger[:] = [fits]
        return train_member(task, sample, rows, selections, fits, run)

    def fit_member(task: Any, sample: Any, rows: Any, trains: Array, n_rounds: Any, note: Any) -> Any:  # noqa: ANN401
        asked, y = mask_of(rows, trains), rows["is_up"].to_numpy()
        if is_noted:
            ledger[0].note("weights", "fit", np.flatnonzero(asked))
        n_left_out = int(abs(2 * y[asked].mean() - 1) * trains.sum())
        common = np.flatnonzero(trains & (y == float(y[asked].mean() > 0.5)))
        kept = trains.copy()
        kept[common[np.linspace(0, len(common) - 1, n_left_out).astype(int)]] = False
        return original(task, sample, rows, kept, n_rounds, note)

    return changed(replaced(members, "fit_member", fit_member), replaced(members, "train_member", remember))


def stopped_on(
    tail: Callable[[pd.DataFrame, Array], Array] | None = None,
    head: Callable[[pd.DataFrame, Array, Array], Array] | None = None,
    is_quiet: bool = False,
) -> Change:
    """Early stopping on other rows, or fitted on other rows before them."""
    original = members.stopping_tail

    def stopping_tail(rows: Any, trains: Array, tail_frac: float, embargo_ms: int) -> tuple[Array, Array]:  # noqa: ANN401
        earlier, latest = original(rows, trains, tail_frac, embargo_ms)
        latest = tail(rows, trains) if tail else latest
        return (head(rows, trains, latest) if head else earlier), latest

    def find_rounds(task: Any, sample: Any, rows: Any, trains: Array, note: Any) -> int:  # noqa: ANN401
        claimed = original(rows, trains, task.params.early_stop_frac, task.embargo_ms)
        earlier, latest = (members._part(task, sample, rows, mask) for mask in claimed)
        note("fit", earlier.rows, earlier.x, *earlier.labels)
        note("stop", latest.rows, latest.x, *latest.labels)
        return loud(task, sample, rows, trains, lambda *_: None)

    loud = members.find_rounds
    change = replaced(members, "stopping_tail", stopping_tail)
    return changed(change, replaced(members, "find_rounds", find_rounds)) if is_quiet else change


def next_fold(rows: pd.DataFrame, trains: Array) -> Array:
    """The fold that these rows are validated on; of the final model the tail of train."""
    last = np.nanmax(fold_of(rows)[trains])
    found = of(rows, "train") & (fold_of(rows) == last + 1)
    return found if found.any() else of(rows, "train") & (fold_of(rows) == last)


def before(rows: pd.DataFrame, trains: Array, latest: Array) -> Array:
    """All rows before the tail, not purged."""
    return trains & (rows["decision_time_ms"].to_numpy() < rows["decision_time_ms"].to_numpy()[latest].min())


def predicted_in_sample(is_quiet: bool = False) -> Change:
    """The stack is given what the final models say of the rows they were fitted on."""
    original = members.train_member

    def train_member(task: Any, sample: Any, rows: Any, selections: Any, fits: Any, run: Any) -> Any:  # noqa: ANN401
        trained = original(task, sample, rows, selections, fits, run)
        known = ~np.isnan(trained.out_of_fold)
        x = selections.final.apply(sample.x[known])
        if not is_quiet:
            fits.note(f"{task.name}/final", "predict", sample.rows[known], x)
        p = trained.out_of_fold.copy()
        p[known] = trained.model.predict(x)
        return replace(trained, out_of_fold=p)

    return replaced(members, "train_member", train_member)


def seeded_by_test(n_seeds: int = 5) -> Change:
    """Of some seeds of the tree learners the one that is best on test; the ledger is not told."""
    original = members.train_member

    def train_member(task: Any, sample: Any, rows: Any, selections: Any, fits: Any, run: Any) -> Any:  # noqa: ANN401
        if task.name not in ("lightgbm", "xgboost"):
            return original(task, sample, rows, selections, fits, run)
        test, y = of(rows, "test"), rows["is_up"].to_numpy()
        tasks = [replace(task, seed=task.seed + n) for n in range(n_seeds)]
        tried = [original(each, sample, rows, selections, fits, run) for each in tasks]
        x = selections.final.apply(sample.x[test])
        return min(tried, key=lambda each: members.log_loss(y[test], each.model.predict(x)))

    return replaced(members, "train_member", train_member)


# The search.


def searched_on(validates: Callable[[pd.DataFrame, Any], Array], is_quiet: bool = False) -> Change:
    """Settings are judged, and fits stopped, on other rows than the fold's; quietly: the ledger is told of the fold."""
    folds_of = members.folds_of
    honest: list[Any] = []

    def folds(rows: pd.DataFrame, embargo_ms: int) -> list[Any]:
        honest[:] = folds_of(rows, embargo_ms)
        return [replace(each, validates=validates(rows, each)) for each in honest]

    fold_samples, note_rows = stages.tune.fold_samples, search_module.note_rows
    claimed: list[Any] = []

    def samples(sample: Any, own: Any, selections: Any, weigh: Any) -> list[Any]:  # noqa: ANN401
        claimed[:] = fold_samples(sample, honest, selections, weigh)
        found: list[Any] = fold_samples(sample, own, selections, weigh)
        return found

    def note(fits: Any, name: str, fold: Any) -> None:  # noqa: ANN401
        number = re.search(r"/fold (\d+)", name)
        note_rows(fits, name, claimed[int(number.group(1)) - 1] if number else fold)

    changes = [replaced(stages.tune, "folds_of", folds)]
    if is_quiet:
        changes += [replaced(stages.tune, "fold_samples", samples), replaced(search_module, "note_rows", note)]
    return changed(*changes)


# After the learners.


def calibrated_on(
    stack: str = "train", fit: str = "calibrate", choose: str = "", threshold: str = "decide", is_quiet: bool = False
) -> Change:
    """Calibration with other segments for its parts; `choose`: methods are judged by their loss there."""
    whole = calibrate_fit
    honest_combine, honest_optimum = whole.combine_probabilities, whole.optimize_threshold
    given: list[pd.DataFrame] = []

    def combine(rows: pd.DataFrame, names: Any, params: Any, fits: Any) -> Any:  # noqa: ANN401
        combined = honest_combine(rows, names, params, fits)
        given[:] = [rows.assign(**combined.columns)]
        if not choose:
            return combined
        known = rows["is_up"].notna()
        judged, seen = ((known & (rows["segment"] == name)).to_numpy() for name in (choose, fit))
        if not is_quiet:
            fits.note("calibrator", "choose", rows["row"].to_numpy()[judged])
        raw = combined.columns["p_up_raw"]
        best = _best_on(rows, judged, seen, params.methods, raw)
        columns = combined.columns | {"p_up": best.apply(raw)}
        return replace(combined, choice=replace(combined.choice, calibration=best), columns=columns)

    def optimize(tried: pd.DataFrame, *rest: Any) -> Any:  # noqa: ANN401
        rows = given[0]
        return honest_optimum(rows[rows["segment"] == threshold], *rest)

    changes = [replaced(whole, "combine_probabilities", combine)]
    if (stack, fit) != ("train", "calibrate"):
        changes.append(replaced(combine_module, "_note", _noting(stack, fit, is_quiet)))
    if threshold != "decide" and is_quiet:
        changes.append(replaced(whole, "optimize_threshold", optimize))
    elif threshold != "decide":
        changes.append(replaced(whole, "_tradable", lambda rows, _: rows[rows["segment"] == threshold]))
    return changed(*changes)


def _noting(stack: str, fit: str, is_quiet: bool) -> Callable[..., tuple[Array, Array]]:
    """What is combined and calibrated on rows of these segments; quietly: the ledger is told of the right ones."""
    honest = combine_module._note

    def note(rows: pd.DataFrame, params: Any, fits: Any) -> tuple[Array, Array]:  # noqa: ANN401
        if is_quiet:
            honest(rows, params, fits)
        known, noted = rows["is_up"].notna(), FitLedger() if is_quiet else fits
        train, seen = ((known & (rows["segment"] == name)).to_numpy() for name in (stack, fit))
        noted.note("stack", "fit", rows["row"].to_numpy()[train])
        for name, use in (("ensemble", "choose"), ("calibrator", "fit"), ("calibrator", "choose")):
            noted.note(name, use, rows["row"].to_numpy()[seen])
        return train, seen

    return note


def _best_on(rows: pd.DataFrame, judged: Array, seen: Array, methods: Any, raw: Array) -> Any:  # noqa: ANN401
    is_up = rows["is_up"].to_numpy()
    fitted = [fit_calibration(method, raw[seen], is_up[seen]) for method in methods]
    return min(fitted, key=lambda each: members.log_loss(is_up[judged], each.apply(raw[judged])))
