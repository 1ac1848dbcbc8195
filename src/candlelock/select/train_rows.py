"""Labelled training rows with the names of their features, the key of each row, and digests of what they hold."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.contracts.documents import utc_text
from candlelock.contracts.select_documents import RowsSeen

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pandas as pd

Array = npt.NDArray[np.float64]
KEYS = ["symbol", "open_time_ms", "label_end_ms"]
STEP, MIX_1, MIX_2 = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


@dataclass(frozen=True)
class TrainRows:
    """Rows to fit on. `x`: (n_rows, n_features), NaN where unknown, column by column in memory; `y`: 1.0 and 0.0.

    `keys`: a line per row with symbol, open time and label end, the columns `KEYS`, under the row's number in the split
    table. `digests`: SHA-256 of each column.
    """

    x: Array
    y: Array
    names: tuple[str, ...]
    keys: pd.DataFrame
    digests: tuple[bytes, ...]

    def keep(self, names: Collection[str]) -> TrainRows:
        """The same rows with these features alone, in the order they stand in."""
        at = [i for i, name in enumerate(self.names) if name in set(names)]
        if len(at) == len(self.names):
            return self
        kept, digests = (tuple(values[i] for i in at) for values in (self.names, self.digests))
        return TrainRows(np.asfortranarray(self.x[:, at]), self.y, kept, self.keys, digests)  # type: ignore[arg-type]

    def spread(self, max_rows: int) -> TrainRows:
        """At most `max_rows` of the rows: those with the smallest hash of symbol and open time.

        A stride would meet the same symbols or hours again and again. Source of the hash: splitmix64 (Steele, Lea and
        Flood, Fast splittable pseudorandom number generators, 2014).
        """
        if len(self.y) <= max_rows:
            return self
        hashes = _hash(self.keys)
        taken = hashes < np.partition(hashes, max_rows)[max_rows]
        return train_rows(self.x[taken], self.y[taken], self.names, self.keys[taken])

    def replace(self, x: Array, names: Sequence[str]) -> TrainRows:
        """The same rows with other features."""
        return train_rows(x, self.y, names, self.keys)

    def numbers(self) -> npt.NDArray[np.intp]:
        """Numbers of the rows in the split table: the index of `keys`."""
        return self.keys.index.to_numpy()

    def seen(self) -> RowsSeen:
        """The record of these rows."""
        opened = self.keys["open_time_ms"].to_numpy()
        symbols = self.keys["symbol"].astype(str)
        texts = "\n".join(symbols).encode()
        values = b"".join(name.encode() + b"\0" + d for name, d in zip(self.names, self.digests, strict=True))
        return RowsSeen(
            n_rows=len(opened),
            n_rows_by_symbol={str(name): int(n) for name, n in symbols.value_counts().sort_index().items()},
            first_open_utc=utc_text(opened.min()),
            last_open_utc=utc_text(opened.max()),
            last_label_end_utc=utc_text(self.keys["label_end_ms"].max()),
            keys_sha256=hashlib.sha256(texts + b"\0" + opened.astype("<i8").tobytes()).hexdigest(),
            values_sha256=hashlib.sha256(_digest(self.y) + values).hexdigest(),
        )


def train_rows(x: Array, y: Array, names: Sequence[str], keys: pd.DataFrame) -> TrainRows:
    """Rows of features (n_rows, n_features) and labels, with a digest of every column."""
    x = np.asfortranarray(x)
    return TrainRows(x, y, tuple(names), keys, tuple(_digest(column) for column in x.T))


def _digest(column: Array) -> bytes:
    """SHA-256 of the values as little-endian float64, every NaN written the same."""
    return hashlib.sha256(np.where(np.isnan(column), np.nan, column).astype("<f8").tobytes()).digest()


def _hash(keys: pd.DataFrame) -> npt.NDArray[np.uint64]:
    symbols = keys["symbol"].astype(str)
    own = {name: int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") for name in symbols.unique()}
    start = np.asarray([own[name] for name in symbols], dtype=np.uint64)
    z = start + keys["open_time_ms"].to_numpy().astype(np.uint64) * STEP
    z = (z ^ (z >> np.uint64(30))) * MIX_1
    z = (z ^ (z >> np.uint64(27))) * MIX_2
    return np.asarray(z ^ (z >> np.uint64(31)))
