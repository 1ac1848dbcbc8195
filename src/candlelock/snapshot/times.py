"""Times of a source as UTC nanoseconds since 1970, and UTC times as the documents print them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.snapshot.text_values import cast_or_null, to_text

if TYPE_CHECKING:
    import numpy.typing as npt

FIRST_SECOND = 1_230_768_000  # 2009-01-01: no coin is older
END_SECOND = 4_102_444_800  # 2100-01-01
NS_PER_SECOND = 1_000_000_000
NS_PER_MS = 1_000_000
PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": NS_PER_SECOND}
EPOCH_UNITS = ("s", "ms", "us")
UNKNOWN = -1


def parse(values: pa.Array) -> npt.NDArray[np.int64]:
    """Nanoseconds since 1970 UTC, int64; UNKNOWN where a value is no time from 2009 to 2099.

    Timestamps and dates without a zone are UTC. Whole numbers are epochs in the one unit (s, ms or us) in which most
    of them are such times: the ranges do not meet. Anything else is read as ISO 8601 text.
    """
    if pa.types.is_timestamp(values.type):
        return _nanoseconds(_integers(values), PER_SECOND[values.type.unit])
    if pa.types.is_integer(values.type):
        return _parse_epochs(values)
    return _parse_text(to_text(values))


def _parse_text(texts: pa.Array) -> npt.NDArray[np.int64]:
    is_epoch = pc.all(pc.match_substring_regex(texts, r"^[0-9]+$"), min_count=0).as_py()
    if is_epoch:
        return _parse_epochs(cast_or_null(texts, pa.int64()))
    has_zone = pc.any(pc.match_substring_regex(texts, r"[T ].*(Z|[+-]\d\d(:?\d\d)?)$")).as_py()
    moments = cast_or_null(texts, pa.timestamp("ns", "UTC") if has_zone else pa.timestamp("ns"))
    return _nanoseconds(_integers(moments), NS_PER_SECOND)


def _parse_epochs(values: pa.Array) -> npt.NDArray[np.int64]:
    epochs = _integers(values)
    candidates = [_nanoseconds(epochs, PER_SECOND[unit]) for unit in EPOCH_UNITS]
    return max(candidates, key=lambda times: np.count_nonzero(times != UNKNOWN))


def _integers(values: pa.Array) -> npt.NDArray[np.int64]:
    return np.asarray(pc.fill_null(values.cast(pa.int64(), safe=False), UNKNOWN), dtype=np.int64)


def _nanoseconds(values: npt.NDArray[np.int64], per_second: int) -> npt.NDArray[np.int64]:
    is_plausible = (values >= FIRST_SECOND * per_second) & (values < END_SECOND * per_second)
    return np.where(is_plausible, np.where(is_plausible, values, 0) * (NS_PER_SECOND // per_second), UNKNOWN)
