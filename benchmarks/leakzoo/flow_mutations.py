"""Changes of the flow's own functions that let it see too much, and honest ones; with the stage they first touch.

A change patches what a stage calls. One that is `quiet` leaves the ledger of fits as an honest flow writes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias
from unittest.mock import patch

import numpy as np

import stages.select
import stages.train
import stages.tune
from candlelock.contracts.select_documents import SelectionReport
from candlelock.select import fit as select_fit
from candlelock.select.scaling import fit_scaling
from candlelock.select.train_rows import KEYS, TrainRows, train_rows
from candlelock.split import segments

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    import pandas as pd

    from candlelock.artifacts.fit_ledger import FitLedger
    from candlelock.contracts.select_params import SelectParams
    from candlelock.select.fit import FindGains

    Array = np.ndarray

Change: TypeAlias = "Callable[[ExitStack], None]"
ON_TEST, OUTSIDE, IN_SAMPLE, VALUES = "fit-on-test", "fit-outside", "in-sample", "fit-values"
PEEKS = "control-peeks"


@dataclass(frozen=True)
class Mutation:
    """A changed flow. `params`: changes of params.yaml; `is_quiet`: two futures have to tell."""

    name: str
    area: str
    what: str
    stage: str
    change: Change
    codes: frozenset[str] = frozenset()
    is_core: bool = False
    is_quiet: bool = False
    params: dict[str, Any] = field(default_factory=dict)


def replaced(owner: object, name: str, new: object) -> Change:
    return lambda stack: stack.enter_context(patch.object(owner, name, new))


def changed(*changes: Change) -> Change:
    """All of them."""

    def change(stack: ExitStack) -> None:
        for each in changes:
            each(stack)

    return change


def nothing(_: ExitStack) -> None:
    """The honest flow."""


def of(rows: pd.DataFrame, *names: str) -> Array:
    """Labelled rows of these segments, all if none is named."""
    known = rows["is_up"].notna().to_numpy()
    return known & rows["segment"].isin(names).to_numpy() if names else known & rows["segment"].notna().to_numpy()


# Features changed before any stage sees them.


def seen_through(view: Callable[[Array, pd.DataFrame], Array], *owners: Any) -> Change:  # noqa: ANN401
    """`view` of the feature matrix, in the stages `owners`."""

    def reader(original: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401
        rows, x, names = original(*arguments)
        with np.errstate(all="ignore"):
            return rows, view(x, rows), names

    return changed(*(replaced(owner, "read_matrix", partial(reader, owner.read_matrix)) for owner in owners))


def imputed(x: Array, _: pd.DataFrame) -> Array:
    return np.where(np.isnan(x), np.nanmean(x, axis=0), x)


def standardised(x: Array, _: pd.DataFrame) -> Array:
    return (x - np.nanmean(x, axis=0)) / (np.nanstd(x, axis=0) + 1e-12)


def rotated(x: Array, rows: pd.DataFrame) -> Array:
    """Principal components of all rows, as many as there are columns."""
    z = standardised(imputed(x, rows), rows)
    return z @ np.linalg.svd(z, full_matrices=False)[2].T


def winsorised(x: Array, _: pd.DataFrame) -> Array:
    return np.clip(x, *np.nanquantile(x, [0.01, 0.99], axis=0))


def encoded(x: Array, rows: pd.DataFrame) -> Array:
    """The first column is the mean label of its hour over all rows."""
    hour = rows["open_time_ms"] // 3_600_000 % 24
    out = x.copy()
    out[:, 0] = rows["is_up"].groupby([rows["symbol"], hour]).transform("mean")
    return out


ALL_READERS = (stages.select, stages.tune, stages.train)


# Selections.


def selected_on(
    final: Callable[[pd.DataFrame], Array], fold: Callable[..., Array] | None = None, is_quiet: bool = False
) -> Change:
    """Selections on other rows: of all of train, and of a fold's training rows."""

    def fit_selections(
        rows: pd.DataFrame,
        x: Array,
        names: list[str],
        params: SelectParams,
        embargo_ms: int,
        gains: FindGains,
        fits: FitLedger,
    ) -> SelectionReport:
        y, n = rows["is_up"].to_numpy(), segments.n_folds(rows)
        honest = [segments.fold_masks(rows, number, embargo_ms)[0] for number in range(1, n + 1)]
        masks = [fold(rows, number, mask) if fold else mask for number, mask in enumerate(honest, 1)]
        parts = [*(f"fold {number}" for number in range(1, n + 1)), "final"]
        found = []
        for part, mask, own in zip(parts, [*masks, final(rows)], [*honest, of(rows, "train")], strict=True):
            seen = train_rows(x[mask], y[mask], names, rows.loc[mask, KEYS])
            if not is_quiet:
                found.append(select_fit.fit_selection(seen, params, gains, fits, part))
                continue
            found.append(select_fit.fit_selection(seen, params, gains, _Deaf(), part))
            claimed = train_rows(x[own], y[own], names, rows.loc[own, KEYS])
            select_fit.fit_selection(claimed, params, gains, fits, part)  # what the ledger is told
        return SelectionReport(folds=found[:-1], final=found[-1])

    return replaced(stages.select, "fit_selections", fit_selections)


class _Deaf:
    """A ledger that keeps nothing."""

    def note(self, *_: Any) -> None:  # noqa: ANN401
        """Nothing."""


def scaled_on(mask_of: Callable[[pd.DataFrame], Array], is_quiet: bool = False) -> Change:
    """The scaling of every selection is fitted on other rows than the rest of it."""
    whole: list[TrainRows] = []
    fit_selections, fit_selection = stages.select.fit_selections, select_fit.fit_selection

    def remember(rows: pd.DataFrame, x: Array, names: Any, *others: Any) -> Any:  # noqa: ANN401
        mask = mask_of(rows)
        whole[:] = [train_rows(x[mask], rows["is_up"].to_numpy()[mask], names, rows.loc[mask, KEYS])]
        return fit_selections(rows, x, names, *others)

    def fit(rows: TrainRows, params: Any, gains: Any, fits: Any, part: str) -> Any:  # noqa: ANN401
        if params.scaling == "none":
            return fit_selection(rows, params, gains, fits, part)
        first = fit_selection(rows, params.model_copy(update={"scaling": "none"}), gains, fits, part)
        seen = whole[0].keep(first.outputs)
        fits.note(f"{part}/scaling", "fit", (rows if is_quiet else seen).numbers())
        return first.model_copy(update={"steps": [*first.steps, fit_scaling(seen, params.scaling)]})

    return changed(replaced(stages.select, "fit_selections", remember), replaced(select_fit, "fit_selection", fit))


def pruned_on(mask_of: Callable[[pd.DataFrame], Array], is_quiet: bool = False) -> Change:
    """Twins are looked for among other rows than the rest of the selection sees."""
    whole: list[TrainRows] = []
    ledger: list[Any] = []
    fit_selections, original = stages.select.fit_selections, select_fit._DROPS["correlation"]

    def remember(rows: pd.DataFrame, x: Array, names: Any, *others: Any) -> Any:  # noqa: ANN401
        mask = mask_of(rows)
        whole[:] = [train_rows(x[mask], rows["is_up"].to_numpy()[mask], names, rows.loc[mask, KEYS])]
        ledger[:] = [others[-1]]
        return fit_selections(rows, x, names, *others)

    def drop(rows: TrainRows, some: TrainRows, params: Any, gains: Any) -> Any:  # noqa: ANN401
        seen = whole[0].keep(some.names)
        if not is_quiet:
            ledger[0].note("final/correlation", "fit", seen.numbers())
        return original(seen, seen, params, gains).model_copy(update={"seen": rows.seen()})

    def enter(stack: ExitStack) -> None:
        stack.enter_context(patch.object(stages.select, "fit_selections", remember))
        stack.enter_context(patch.dict(select_fit._DROPS, {"correlation": drop}))

    return enter


# Folds.


def folded(trains: Callable[[pd.DataFrame, int, Array], Array], *owners: Any) -> Change:  # noqa: ANN401
    """Other training rows of a fold: `trains(rows, fold, validates)`."""

    def fold_masks(rows: pd.DataFrame, fold: int, embargo_ms: int) -> tuple[Array, Array]:
        validates = segments.fold_masks(rows, fold, embargo_ms)[1]
        return trains(rows, fold, validates), validates

    return changed(*(replaced(owner, "fold_masks", fold_masks) for owner in owners))


def fold_of(rows: pd.DataFrame) -> Array:
    return rows["fold"].to_numpy(dtype=float, na_value=np.nan)


def unpurged(rows: pd.DataFrame, fold: int, _: Array) -> Array:
    return of(rows, "train") & (fold_of(rows) < fold)


def without_embargo(rows: pd.DataFrame, fold: int, _: Array) -> Array:
    return segments.fold_masks(rows, fold, 0)[0]


def purged_in_rows(rows: pd.DataFrame, fold: int, _: Array) -> Array:
    """The last four rows before the fold are left out, of all symbols together."""
    mask = unpurged(rows, fold, _)
    order = np.lexsort((rows["symbol"].to_numpy(), rows["open_time_ms"].to_numpy()))
    mask[order[mask[order]][-4:]] = False
    return mask


def later_rows(rows: pd.DataFrame, fold: int, validates: Array) -> Array:
    """What comes after the fold; before the last one there is something."""
    end = rows["label_end_ms"].to_numpy()[validates].max()
    after = of(rows, "train") & (rows["decision_time_ms"].to_numpy() > end)
    return after if after.sum() > 500 else segments.fold_masks(rows, fold, 48 * 3_600_000)[0]


def both_sides(rows: pd.DataFrame, fold: int, validates: Array) -> Array:
    return segments.fold_masks(rows, fold, 48 * 3_600_000)[0] | later_rows(rows, fold, validates)
