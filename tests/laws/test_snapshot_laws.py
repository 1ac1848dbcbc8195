"""Laws of the snapshot: no digit is lost, no row is invented, no broken source gets in."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from candlelock.artifacts.hashing import logical_hash
from candlelock.contracts.snapshot_documents import Source
from candlelock.contracts.errors import InputError
from candlelock.contracts.stage_params import SnapshotParams
from candlelock.contracts.tables import CANDLES
from candlelock.snapshot import candles, csv_text, decimals
from candlelock.snapshot.gaps import list_gaps
from candlelock.snapshot.publication import publish
from candlelock.snapshot.validation import candle_table

if TYPE_CHECKING:
    from random import Random

MINUTE_MS = 60_000
AMOUNTS = ("open", "high", "low", "close", "volume")
HEADER = "date,open,high,low,close,volume"
START = datetime(2024, 1, 1, tzinfo=UTC)
SOURCE = Source(kind="files", name="x", files={})

digits = st.integers(0, 10**18 - 1)
texts = st.one_of(
    st.builds("{}.{:018d}".format, digits, digits),
    st.builds("{}.{}".format, digits, digits),
    st.builds("{}e{}".format, st.integers(-(10**17), 10**17), st.integers(-18, 2)),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15).map(repr),
)


@given(st.lists(texts, min_size=1, max_size=30))
@example(["0." + "0" * 37 + "1"])
@example(["123456789012345678901234567890"])
@settings(deadline=None)
def test_every_printed_number_is_kept_exactly_in_the_narrowest_decimal(printed: list[str]) -> None:
    expected = [Decimal(text) for text in printed]
    parsed = decimals.parse(pa.array(printed))
    narrow = decimals.narrow([parsed])
    with localcontext(prec=400):
        scale = max(max(0, -int(value.normalize().as_tuple().exponent)) for value in expected)
        n_digits = max(scale, *(len(str(abs(int(value.scaleb(scale))))) for value in expected))
    if n_digits > 38:
        assert parsed.null_count or narrow is None
    else:
        assert narrow is not None
        assert narrow[0].to_pylist() == expected
        assert narrow[0].type == pa.decimal128(18 if n_digits <= 18 else 38, scale)


@given(
    st.text(alphabet="0123456789.+-eE_ xnaif,", max_size=60)
    | st.builds("{}e{}".format, st.integers(0, 10**40), st.integers(-500, 500))
    | st.builds("{}.{}e{}".format, digits, digits, st.integers(-500, 500))
    | st.floats().map(repr)
)
@example("1.0812105066122693e-259")
@example("1" + "0" * 300 + "e-300")
@example("0." + "0" * 300 + "1e300")
@example("9" * 45)
@example("1e45")
@example("1." + "0" * 90)
@settings(deadline=None)
def test_a_text_is_read_as_what_it_says_or_not_at_all(text: str) -> None:
    (value,) = decimals.parse(pa.array([text])).to_pylist()
    assert value is None or value == Decimal(text)


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=20))
@settings(deadline=None)
def test_trailing_zeros_and_exponents_do_not_change_the_content(numbers: list[tuple[int, int, int]]) -> None:
    plain = [f"{Decimal(n).scaleb(-scale):f}" for n, scale, _ in numbers]
    padded = [
        f"{text}{'' if '.' in text else '.'}{'0' * zeros}" for text, (_, _, zeros) in zip(plain, numbers, strict=True)
    ]
    scientific = [f"{n}e-{scale}" for n, scale, _ in numbers]
    hashes = set()
    for spelling in (plain, padded, scientific):
        narrow = decimals.narrow([decimals.parse(pa.array(spelling))])
        assert narrow is not None
        hashes.add(logical_hash(pa.table({"x": narrow[0]})))
    assert len(hashes) == 1


@given(st.lists(st.integers(-(10**38) + 1, 10**38 - 1), min_size=1, max_size=20), st.integers(0, 38))
@example([2**53 + 1, 2**63, 10**38 - 1], 0)
@example([10**17 + 1, 3], 17)
@settings(deadline=None)
def test_a_decimal_becomes_the_nearest_float(unscaled: list[int], scale: int) -> None:
    with localcontext(prec=40):
        exact = [Decimal(n).scaleb(-scale) for n in unscaled]
    assert decimals.to_float64(pa.array(exact, pa.decimal128(38, scale))).tolist() == [n / 10**scale for n in unscaled]


@given(st.lists(st.floats(min_value=1e-9, max_value=1e15), min_size=1, max_size=30))
@settings(deadline=None)
def test_a_float_comes_back_with_its_bits(values: list[float]) -> None:
    narrow = decimals.narrow([decimals.parse(pa.array(values))])
    if narrow is not None:
        assert decimals.to_float64(narrow[0]).tolist() == values


@given(st.sets(st.integers(0, 400), min_size=1, max_size=80), st.sampled_from([1, 5, 30, 60, 1_440]))
@settings(deadline=None)
def test_candles_and_gaps_together_are_the_whole_grid(bars: set[int], bar_minutes: int) -> None:
    bar_ms = bar_minutes * MINUTE_MS
    start_ms = int(START.timestamp()) * 1_000
    open_time_ms = start_ms + np.array(sorted(bars), dtype=np.int64) * bar_ms
    missing: list[int] = []
    for gap in list_gaps(open_time_ms, bar_ms):
        first, last = (
            int(datetime.fromisoformat(text).timestamp()) * 1_000 for text in (gap.first_open_utc, gap.last_open_utc)
        )
        assert gap.n_bars == (last - first) // bar_ms + 1
        missing.extend(range(first, last + 1, bar_ms))
    grid = range(start_ms + min(bars) * bar_ms, start_ms + max(bars) * bar_ms + 1, bar_ms)
    assert sorted([*missing, *open_time_ms.tolist()]) == list(grid)


@st.composite
def bars(draw: st.DrawFn) -> list[str]:
    """CSV lines of sound minute bars with gaps; the first two are neighbours."""
    minutes = sorted(draw(st.sets(st.integers(2, 300), max_size=12)) | {0, 1})
    price, volume = st.decimals("0.000001", 10**6, places=6), st.decimals(0, 10**9, places=8)
    lines = []
    for minute in minutes:
        low, one, other, high = sorted(draw(st.tuples(price, price, price, price)))
        moment = (START + timedelta(minutes=minute)).strftime("%Y-%m-%d %H:%M:%S")
        lines.append(f"{moment},{one},{high},{low},{other},{draw(volume)}")
    return lines


@given(
    st.dictionaries(st.sampled_from(["A/USD", "B/USD", "C/USD"]), bars(), min_size=1), st.randoms(use_true_random=False)
)
@settings(max_examples=25, deadline=None)
def test_what_is_published_is_what_was_printed(lines: dict[str, list[str]], shuffle: Random) -> None:
    order = list(lines)
    shuffle.shuffle(order)
    raw = {symbol: csv_text.parse("\n".join([HEADER, *lines[symbol]]).encode(), symbol) for symbol in order}
    values = {"source": "files", "timeframe": "1m", "min_rows": 1, "symbols": order, "files": {"path": "x"}}
    with tempfile.TemporaryDirectory() as name:
        publish(Path(name) / "out", raw, SOURCE, SnapshotParams.model_validate(values))
        manifest, exact = candles.read_exact(Path(name) / "out")
        _, frames = candles.read(Path(name) / "out")
    assert list(exact) == sorted(lines)
    for entry in manifest.symbols:
        rows = [line.split(",") for line in lines[entry.symbol]]
        for position, field in enumerate(AMOUNTS, start=1):
            assert exact[entry.symbol][field].to_pylist() == [Decimal(row[position]) for row in rows]
            assert frames[entry.symbol][field].tolist() == [float(row[position]) for row in rows]
        seconds = frames[entry.symbol]["open_time_ms"].to_numpy().astype("datetime64[ms]").astype("datetime64[s]")
        assert [str(second).replace("T", " ") for second in seconds] == [row[0] for row in rows]


@given(bars(), st.data())
@settings(deadline=None)
def test_a_source_with_one_spoilt_value_is_sound_or_refused(lines: list[str], data: st.DataObject) -> None:
    """Whatever stands in one place: no traceback, and what is let in keeps every rule of candles."""
    rows = [line.split(",") for line in lines]
    row, column = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, 5))
    other = st.sampled_from([value for line in rows for value in line])
    rows[row][column] = data.draw(other | texts | st.text(max_size=8))
    if is_refused(content := "\n".join([HEADER, *map(",".join, rows)]).encode("utf-8", "replace")):
        return
    table = candle_table(csv_text.parse(content, "a.csv"), MINUTE_MS, 1)
    assert CANDLES.problems(table, "a.csv") == []
    for candle in table.to_pylist():
        assert (
            0
            < candle["low"]
            <= min(candle["open"], candle["close"])
            <= max(candle["open"], candle["close"])
            <= candle["high"]
        )
        assert candle["volume"] >= 0
        assert candle["open_time_utc"].timestamp() % 60 == 0


@given(st.binary(max_size=300) | bars().map(lambda lines: "\n".join([HEADER, *lines]).encode()), st.data())
@settings(deadline=None)
def test_no_bytes_lead_to_a_traceback(content: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(content)))
    noise = data.draw(st.binary(max_size=3))
    is_refused(content[:cut] + noise + content[cut + len(noise) :])


def is_refused(content: bytes) -> bool:
    """Whether the candles are refused, and if so in words for a user."""
    try:
        candle_table(csv_text.parse(content, "a.csv"), MINUTE_MS, 1)
    except InputError as error:
        assert error.problems
        assert all(problem.place.startswith("a.csv") and problem.help for problem in error.problems)
        return True
    return False
