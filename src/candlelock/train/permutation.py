"""Permutation importance: by how much a member loses more on later rows when one feature's values are of other days.

Whole days change places: a row gets the value that its symbol had at the same time of another day, so that it stays a
value of this symbol and of this hour. A shuffle of single rows would give a quiet night the volume of a crash at noon;
and as neighbouring rows are all but equal, it would claim more evidence than there are days. The other day is the same
for all symbols, which move together: days are what the standard error is taken over. No day keeps its own values.

The rows are those of calibrate and decide: the models have not seen them, and test is read once. Nothing is chosen by
it. Two features that say the same stand in for each other: to permute one of them costs little, though together they
matter.

Source: Breiman 2001, Random forests; Fisher, Rudin and Dominici 2019, All models are wrong, but many are useful.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.artifacts import seeds, side_by_side
from candlelock.contracts.training_documents import PermutationImportance, Permuted
from candlelock.train.members import row_losses
from candlelock.train.stability import share_gains

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from candlelock.artifacts.fit_ledger import FitLedger
    from candlelock.contracts.documents import Segment
    from candlelock.select.transform import Transform
    from candlelock.train.averaging import Averaged
    from candlelock.train.learner import Array, Sample
    from candlelock.train.members import Task, Trained

Places = npt.NDArray[np.intp]

SEGMENTS: tuple[Segment, ...] = ("calibrate", "decide")
N_FEATURES = 30  # of the largest share of gain; others are not permuted
N_ROWS = 5_000  # labelled rows that are judged, spread evenly
N_REPEATS = 2
DAY_MS = 86_400_000


@dataclass(frozen=True)
class LaterRows:
    """Rows of calibrate and decide, labelled or not; `x`: every feature, (n_rows, n_features), NaN where unknown.

    `symbol` and `day` by number; `judged`: places of the labelled rows that losses are taken of. `are_values`: whether
    `y` holds values.
    """

    x: Array
    y: Array
    symbol: npt.NDArray[np.int64]
    open_time_ms: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    judged: Places
    are_values: bool = False


def judge_members(
    tasks: Mapping[str, Task],
    trained: Mapping[str, Trained],
    sample: Sample,
    rows: pd.DataFrame,
    selection: Transform,
    fits: FitLedger,
) -> dict[str, PermutationImportance]:
    """`judge_member` of every member, by name, as many at once as there are cores; figures do not depend on how many.

    `sample`: every feature of `rows`, in their order; `selection`: what leads from them to the final models' columns.
    """
    places = np.flatnonzero(rows["segment"].isin(SEGMENTS).to_numpy(dtype=bool))
    handed = sample.take(places)
    later, seen = take_later(handed, rows.iloc[places]), selection.apply(handed.x)
    for name in trained:
        fits.note(f"{name}/importance", "judge", handed.rows, seen, *handed.labels)
    jobs = [
        functools.partial(judge_member, own.model, selection, later, tasks[name].seed) for name, own in trained.items()
    ]
    return dict(zip(trained, side_by_side.run_all(jobs), strict=True))


def take_later(sample: Sample, rows: pd.DataFrame) -> LaterRows:
    """The rows of a sample, with the symbol and open time that `rows` has for each."""
    opened = rows["open_time_ms"].to_numpy(dtype=np.int64)
    symbol = np.unique(rows["symbol"].to_numpy(dtype=str), return_inverse=True)[1].astype(np.int64)
    known = np.flatnonzero(~np.isnan(sample.y))
    some = np.unique(np.linspace(0, len(known) - 1, min(N_ROWS, len(known))).astype(np.intp))
    return LaterRows(sample.x, sample.y, symbol, opened, opened // DAY_MS, known[some], sample.is_value)


def judge_member(model: Averaged, selection: Transform, later: LaterRows, seed: int) -> PermutationImportance:
    """Permute the features that the model leans on most, one at a time; the same seed gives the same figures."""
    shares = share_gains(model, selection)
    names = sorted(shares, key=lambda name: (-shares[name], name))[:N_FEATURES]
    columns = [selection.columns[name] for name in names]
    answers = model.predict(selection.apply(later.x[later.judged]))
    losses = row_losses(later.y[later.judged], answers, are_values=later.are_values)
    drawn = [find_donors(later, seeds.derive(seed, f"permutation {number}")) for number in range(1, N_REPEATS + 1)]
    rises = [permuted_losses(model, selection, later, donors, columns) - losses for donors in drawn]
    day = np.tile(later.day[later.judged], N_REPEATS)
    found = [mean_over_days(each.ravel(), day) for each in np.moveaxis(np.asarray(rises), 1, 0)]
    features = [Permuted(name=name, rise=rise, error=error) for name, (rise, error) in zip(names, found, strict=True)]
    return PermutationImportance(
        segments=list(SEGMENTS),
        n_rows=len(losses),
        n_days=len(np.unique(later.day[later.judged])),
        n_repeats=N_REPEATS,
        loss=float(losses.mean()),
        features=sorted(features, key=lambda one: (one.rise is None, -(one.rise or 0.0), one.name)),
    )


def find_donors(later: LaterRows, seed: int) -> Places:
    """Place of the row whose value each judged row gets, (n_judged,); -1 where its symbol has no bar then.

    A drawn cycle through all days says which day gives to which, the same for every symbol.
    """
    days = np.unique(later.day)
    cycle = np.random.default_rng(seed).permutation(len(days))
    giver = np.empty_like(cycle)
    giver[cycle] = np.roll(cycle, 1)
    number = np.searchsorted(days, later.day[later.judged])
    wanted = later.open_time_ms[later.judged] + DAY_MS * (days[giver] - days)[number]
    place = {pair: at for at, pair in enumerate(zip(later.symbol.tolist(), later.open_time_ms.tolist(), strict=True))}
    asked = zip(later.symbol[later.judged].tolist(), wanted.tolist(), strict=True)
    donors = np.asarray([place.get(pair, -1) for pair in asked], dtype=np.intp)
    return np.where(donors == later.judged, -1, donors)  # a single day has no other


def permuted_losses(
    model: Averaged, selection: Transform, later: LaterRows, donors: Places, columns: Sequence[int]
) -> Array:
    """Loss of each judged row with each feature from its donor, (n_columns, n_judged).

    NaN where there is no donor, and for a feature of which all donors have the same value as the row itself.
    """
    out = np.full((len(columns), len(donors)), np.nan)
    has = donors >= 0
    x, y = later.x[later.judged[has]], later.y[later.judged[has]]
    for number, column in enumerate(columns):
        own, others = x[:, column].copy(), later.x[donors[has], column]
        if np.array_equal(own, others, equal_nan=True):
            continue
        x[:, column] = others
        out[number, has] = row_losses(y, model.predict(selection.apply(x)), are_values=later.are_values)
        x[:, column] = own
    return out


def mean_over_days(values: Array, day: npt.NDArray[np.int64]) -> tuple[float | None, float | None]:
    """Mean of the known values, (n,), and its standard error with days as units; None where there are too few.

    Source: Cochran 1977, Sampling techniques, 6.4: the mean of clusters of unequal size.
    """
    known = ~np.isnan(values)
    if not known.any():
        return None, None
    number = np.unique(day[known], return_inverse=True)[1]
    sums, counts, mean = np.bincount(number, values[known]), np.bincount(number), float(values[known].mean())
    if len(sums) == 1:
        return mean, None
    scatter = ((sums - mean * counts) ** 2).sum() * len(sums) / (len(sums) - 1)
    return mean, float(np.sqrt(scatter) / counts.sum())
