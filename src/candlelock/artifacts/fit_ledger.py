"""Which rows of the split each fit was handed, noted at the hand-over: what the leakage guard holds to the segments."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from candlelock.contracts.tables import FITS

if TYPE_CHECKING:
    from collections.abc import Iterator

Use = Literal["fit", "stop", "choose", "predict", "follow", "judge"]
Rows = npt.NDArray[np.integer]
N_DIGESTED = 512  # rows of a hand-over whose values are digested, spread evenly


class FitLedger:
    """What was fitted, stopped, chosen, predicted or judged on which rows; `follow`: labels used once they are past.

    Row numbers travel with the values, so that what is noted is what was handed over, and not what was meant to be.
    """

    def __init__(self) -> None:
        self._noted: dict[tuple[str, Use], tuple[Rows, str | None]] = {}

    def note(self, fit: str, use: Use, rows: Rows, *values: npt.NDArray[np.float64]) -> None:
        """Rows of the split table by number, in any order, and what was handed over with them: arrays (n_rows, …).

        The same hand-over again adds nothing; another one under the same name is noted beside the first.
        """
        order = np.argsort(rows, kind="stable")
        some = order[spread(len(order))]
        noted = (rows[order], digest_values(*(each[some] for each in values)) if values else None)
        name, number = fit, 1
        while (name, use) in self._noted and not _is_same(self._noted[name, use], noted):
            number += 1
            name = f"{fit} #{number}"
        self._noted[name, use] = noted

    def table(self) -> pa.Table:
        """A FITS table: each hand-over as runs of consecutive rows."""
        lines = [line for key in sorted(self._noted) for line in self._runs(*key)]
        return pa.table(
            {
                column.name: pa.array([line[place] for line in lines], column.dtype)
                for place, column in enumerate(FITS.columns)
            }
        )

    def _runs(self, fit: str, use: Use) -> Iterator[tuple[str, Use, int, int, str | None]]:
        rows, digest = self._noted[fit, use]
        starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
        lengths = np.diff(starts, append=len(rows))
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
            yield fit, use, int(rows[start]), length, digest


def spread(n_rows: int) -> Rows:
    """Places of those among `n_rows` rows, sorted by number, whose values are digested."""
    return np.unique(np.linspace(0, max(n_rows - 1, 0), min(N_DIGESTED, n_rows)).astype(np.int64))


def digest_values(*values: npt.NDArray[np.float64]) -> str:
    """SHA-256 of arrays as little-endian float64 in C order, every NaN written the same."""
    sha = hashlib.sha256()
    for each in values:
        part = np.asarray(each, dtype="<f8")
        sha.update(np.ascontiguousarray(np.where(np.isnan(part), np.nan, part)).tobytes())
    return sha.hexdigest()


def _is_same(one: tuple[Rows, str | None], other: tuple[Rows, str | None]) -> bool:
    return one[1] == other[1] and np.array_equal(one[0], other[0])
