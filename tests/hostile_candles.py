"""Strategies for candles as nobody should send them: any column names, types and values, and spoilt files."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
from hypothesis import strategies as st

from candlelock.snapshot.column_names import INDEX_NAMES, MEANING
from candlelock.snapshot.raw_candles import RawCandles

FIRST = 1_704_067_200
NAMES = [*MEANING, *INDEX_NAMES, "Volume BTC", "Open time", "ignore", "note"]
LONG = 2**63 - 1

odd_text = st.one_of(
    st.text(max_size=8),
    st.text(alphabet="0123456789.+-eE_ xnaif,:TZ", max_size=40),
    st.sampled_from(["", " ", "NaN", "inf", "-1e400", "1e37", "0x1p3", "１", "\x00", "2024-01-01", "1704067200"]),
)
floats = st.floats() | st.sampled_from([0.1 + 0.2, 1e-18, 5e-324, 2.0**53 + 2, -0.0, 1.7040672e12, 1e300])
moments = st.integers(-LONG, LONG) | st.integers(FIRST, FIRST + 600)
decimal_type = st.sampled_from([pa.decimal128(38, 10), pa.decimal256(76, 38), pa.decimal128(5, -3), pa.decimal32(7, 2)])

# Type -> values of it.
TYPED: dict[pa.DataType, st.SearchStrategy[object]] = {
    pa.string(): odd_text,
    pa.large_string(): odd_text,
    pa.string_view(): odd_text,
    pa.binary(): st.binary(max_size=12),
    pa.binary(2): st.binary(min_size=2, max_size=2),
    pa.float64(): floats,
    pa.float32(): st.floats(width=32),
    pa.float16(): st.floats(width=16).map(np.float16),
    pa.int64(): st.integers(-LONG, LONG) | moments,
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.int8(): st.integers(-128, 127),
    pa.bool_(): st.booleans(),
    pa.null(): st.none(),
    pa.date32(): st.integers(-(2**31), 2**31 - 1),
    pa.date64(): st.integers(-(10**11), 10**11).map(lambda day: day * 86_400_000),
    pa.time64("ns"): st.integers(0, 86_399_999_999_999),
    pa.duration("ms"): moments,
    pa.month_day_nano_interval(): st.tuples(*[st.integers(-100, 100)] * 3),
    pa.list_(pa.float64()): st.lists(floats, max_size=2),
    pa.struct([("a", pa.string())]): st.fixed_dictionaries({"a": odd_text}),
    pa.map_(pa.string(), pa.int64()): st.lists(st.tuples(odd_text, st.integers(0, 9)), max_size=2),
    pa.dictionary(pa.int32(), pa.string()): odd_text,
} | {pa.timestamp(unit, zone): moments for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "no/where")}


@st.composite
def columns(draw: st.DrawFn, n_rows: int) -> pa.ChunkedArray:
    """A column of any type, in any chunks."""
    dtype = draw(st.sampled_from(sorted(TYPED, key=str)) | decimal_type)
    value = TYPED.get(dtype, st.integers(-9_999, 9_999).map(lambda n: Decimal(n * 1_000)))
    values = draw(st.lists(st.none() | value, min_size=n_rows, max_size=n_rows))
    if pa.types.is_decimal32(dtype):
        values = [None if value is None else value / 1_000 for value in values]
    whole = pa.array(values, dtype)
    cut = draw(st.integers(0, n_rows))
    return pa.chunked_array([whole[:cut], whole[cut:]], dtype)


def sound(n_rows: int) -> dict[str, list[str]]:
    """Columns of minute bars."""
    times = [str((FIRST + 60 * row) * 1_000) for row in range(n_rows)]
    return {"open_time": times, **dict.fromkeys(("open", "high", "low", "close", "volume"), ["1.5"] * n_rows)}


@st.composite
def tables(draw: st.DrawFn) -> RawCandles:
    """Sound candles with columns spoilt, renamed, repeated or added."""
    n_rows = draw(st.sampled_from([1, 2, 3, 4, 5, 0]))
    named = [(name, pa.chunked_array([values], pa.string())) for name, values in sound(n_rows).items()]
    for _ in range(draw(st.integers(0, 4))):
        at, spoilt = draw(st.integers(0, len(named) - 1)), draw(columns(n_rows))
        if draw(st.booleans()):
            named[at] = (named[at][0], spoilt)
        else:
            name = draw(st.sampled_from(NAMES) | st.text(max_size=6))
            named[at : at + draw(st.integers(0, 1))] = [(name, spoilt)]
    table = pa.Table.from_arrays([values for _, values in named], names=[name for name, _ in named])
    return RawCandles("a.csv", has_lines=draw(st.booleans()), table=table)


def _file(suffix: str) -> bytes:
    table = pa.table(sound(4))
    target = io.BytesIO()
    text = "\n".join([",".join(table.column_names), *map(",".join, zip(*table.to_pydict().values(), strict=True))])
    if suffix == ".csv":
        return text.encode()
    if suffix == ".csv.gz":
        return gzip.compress(text.encode(), mtime=0)
    if suffix == ".zip":
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr(zipfile.ZipInfo("a.csv", datetime(2024, 1, 1, tzinfo=UTC).timetuple()[:6]), text)
    elif suffix == ".parquet":
        pq.write_table(table, target)
    else:
        feather.write_feather(table, target, compression="uncompressed")
    return target.getvalue()


FILES = {suffix: _file(suffix) for suffix in (".csv", ".csv.gz", ".zip", ".parquet", ".feather")}


@st.composite
def files(draw: st.DrawFn) -> tuple[Path, bytes]:
    """A candle file with bytes cut out, put in or replaced, or one of noise."""
    suffix = draw(st.just(".csv") | st.sampled_from(sorted(FILES)))
    content = FILES[suffix] if draw(st.integers(0, 9)) else draw(st.binary(max_size=300))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + draw(st.sampled_from([0, 1, 4, 1_000])))))
        noise = draw(st.binary(max_size=4) | st.sampled_from([b",", b"\n", b'"', b"#", b"\xff", b"1e999", b"://"]))
        content = content[:start] + noise + content[end:]
    return Path(f"a{suffix}"), content
