"""Times of a source as UTC nanoseconds since 1970."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.snapshot.text_values import cast_or_null, to_text, trim

if TYPE_CHECKING:
    import numpy.typing as npt

FIRST_SECOND = 1_230_768_000  # 2009-01-01: no coin is older
END_SECOND = 4_102_444_800  # 2100-01-01
NS_PER_SECOND = 1_000_000_000
NS_PER_MS = 1_000_000
END_NS = END_SECOND * NS_PER_SECOND
PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": NS_PER_SECOND}
UNKNOWN = -1
NUMBER = r"^[0-9]+(\.[0-9]*)?([eE]\+?[0-9]+)?$"
INT64_END = 2.0**63


def parse(values: pa.Array) -> npt.NDArray[np.int64]:
    """Nanoseconds since 1970 UTC, int64; UNKNOWN where a value is no time from 2009 to 2099.

    Timestamps and dates without a zone are UTC. Numbers, whole ones only, are epochs in the one unit (s, ms, us or ns)
    in which most of them are such times: the ranges do not meet. Anything else is read as ISO 8601 text.
    """
    if pa.types.is_timestamp(values.type):
        return _nanoseconds(_integers(values), PER_SECOND[values.type.unit])
    if pa.types.is_integer(values.type):
        return _parse_epochs(_integers(values))
    if pa.types.is_floating(values.type):
        return _parse_epochs(_whole(values))
    return _parse_text(trim(to_text(values)))


def _parse_text(texts: pa.Array) -> npt.NDArray[np.int64]:
    is_number = pc.fill_null(pc.match_substring_regex(texts, NUMBER), False)
    if 2 * pc.sum(is_number, min_count=0).as_py() >= len(texts):
        return _parse_numbers(pc.if_else(is_number, texts, pa.scalar(None, pa.string())))
    has_zone = pc.any(pc.match_substring_regex(texts, r"[T ].*(Z|[+-]\d\d(:?\d\d)?)$")).as_py()
    moments = cast_or_null(texts, pa.timestamp("ns", "UTC") if has_zone else pa.timestamp("ns"))
    return _nanoseconds(_integers(moments), NS_PER_SECOND)


def _parse_numbers(texts: pa.Array) -> npt.NDArray[np.int64]:
    if pc.any(pc.match_substring_regex(texts, "[^0-9]")).as_py():
        return _parse_epochs(_whole(cast_or_null(texts, pa.float64())))
    return _parse_epochs(_integers(cast_or_null(texts, pa.int64())))


def _parse_epochs(epochs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    candidates = [_nanoseconds(epochs, per_second) for per_second in PER_SECOND.values()]
    return max(candidates, key=lambda times: np.count_nonzero(times != UNKNOWN))


def _whole(values: pa.Array) -> npt.NDArray[np.int64]:
    """Floats that are whole numbers as such; UNKNOWN for others."""
    floats = np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)
    is_whole = (np.abs(floats) < INT64_END) & (np.trunc(floats) == floats)
    return np.where(is_whole, np.where(is_whole, floats, 0).astype(np.int64), UNKNOWN)


def _integers(values: pa.Array) -> npt.NDArray[np.int64]:
    return np.asarray(pc.fill_null(values.cast(pa.int64(), safe=False), UNKNOWN), dtype=np.int64)


def _nanoseconds(values: npt.NDArray[np.int64], per_second: int) -> npt.NDArray[np.int64]:
    is_plausible = (values >= FIRST_SECOND * per_second) & (values < END_SECOND * per_second)
    if np.all(is_plausible):
        return values * (NS_PER_SECOND // per_second)
    return np.where(is_plausible, np.where(is_plausible, values, 0) * (NS_PER_SECOND // per_second), UNKNOWN)
