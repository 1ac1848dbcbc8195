"""Laws of the snapshot: no digit is lost, no row is invented, no broken source gets in."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from candlelock.artifacts import merkle, tables
from candlelock.artifacts.user_files import read_params
from candlelock.contracts.errors import InputError
from candlelock.contracts.snapshot_documents import Source
from candlelock.contracts.stage_params import SnapshotParams
from candlelock.contracts.tables import CANDLES, Column, TableSchema, candles_schema
from candlelock.snapshot import candles, csv_text, decimals, file_formats, parts
from candlelock.snapshot.gaps import list_gaps
from candlelock.snapshot.publication import publish
from candlelock.snapshot.validation import candle_table
from tests import hostile_candles

if TYPE_CHECKING:
    from random import Random

    from candlelock.snapshot.raw_candles import RawCandles

MINUTE_MS = 60_000
AMOUNTS = ("open", "high", "low", "close", "volume")
HEADER = "date,open,high,low,close,volume"
START = datetime(2024, 1, 1, tzinfo=UTC)
SOURCE = Source(kind="files", name="x", address=None, asked=None, files={})
COMMITTED = read_params(Path(__file__).parents[2]).snapshot.model_dump()

digits = st.integers(0, 10**18 - 1)
texts = st.one_of(
    st.builds("{}.{:018d}".format, digits, digits),
    st.builds("{}.{}".format, digits, digits),
    st.builds("{}e{}".format, st.integers(-(10**17), 10**17), st.integers(-18, 2)),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15).map(repr),
)


odd_texts = st.one_of(
    st.text(alphabet="0123456789.+-eE_ xnaif,", max_size=60),
    st.builds("{}e{}".format, st.integers(0, 10**40), st.integers(-500, 500)),
    st.builds("{}.{}e{}".format, digits, digits, st.integers(-500, 500)),
    st.floats().map(repr),
)
ADVERSARIAL = [
    *(
        "1.10",
        "-0.0",
        "1e5",
        " 1.5 ",
        "+1.5",
        "++1",
        "0e400",
        "1e-400",
        "1.0812105066122693e-259",
        "0.1234567890123456",
    ),
    *("9007199254740993", "999999999999999", "1000000000000000", "12345678901234567", "0.00000000000000000001"),
    *(
        "9" * 45,
        "1e45",
        "1." + "0" * 90,
        "1" + "0" * 300 + "e-300",
        "0." + "0" * 300 + "1e300",
        "1e22",
        "1e-22",
        "1e-23",
    ),
]
ODD_FLOATS = [0.1 + 0.2, 1e-18, 5e-324, 2.0**53 + 2, -0.0, 1e22, 1e-22, 123456789012345.67, 999999999999999.9, 1e300]


def exact(numbers: decimals.Numbers) -> list[Decimal | None]:
    with localcontext(prec=400):
        return [
            Decimal(mantissa).scaleb(-numbers.scale) if is_known else None
            for mantissa, is_known in zip(numbers.mantissas.tolist(), numbers.is_known.tolist(), strict=True)
        ]


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
        assert not parsed.is_known.all() or narrow is None
    else:
        assert narrow is not None
        assert narrow[0].to_pylist() == expected
        assert narrow[0].type == pa.decimal128(18 if n_digits <= 18 else 38, scale)


@given(st.lists(odd_texts | st.none(), max_size=12))
@example(ADVERSARIAL)
@settings(deadline=None)
def test_a_text_is_read_as_what_it_says_or_not_at_all(printed: list[str | None]) -> None:
    for text, value in zip(printed, exact(decimals.parse(pa.array(printed, pa.string()))), strict=True):
        assert value is None or value == Decimal(text or "nothing")


@given(st.lists(odd_texts | texts | st.none(), max_size=12))
@example(ADVERSARIAL)
@settings(deadline=None, max_examples=300)
def test_the_fast_way_reads_texts_as_the_slow_one(printed: list[str | None]) -> None:
    values = pa.array(printed, pa.string())
    assert exact(decimals.parse(values)) == decimals.parse_printed(values).to_pylist()


short_floats = st.builds(lambda n, places: n / 10**places, st.integers(-(10**15), 10**15), st.integers(0, 22))


@given(st.lists(short_floats | st.floats() | st.none(), max_size=12))
@example(ODD_FLOATS)
@example([number * (1 + 2**-52) for number in ODD_FLOATS])
@settings(deadline=None, max_examples=300)
def test_the_fast_way_reads_floats_as_the_slow_one(floats: list[float | None]) -> None:
    values = pa.array(floats, pa.float64())
    assert exact(decimals.parse(values)) == decimals.parse_printed(values).to_pylist()


@given(st.lists(texts, min_size=1, max_size=30))
@example(["0.10", "007.5", "1e-3", "+2.50", "-0.0"])
@settings(deadline=None, max_examples=50)
def test_text_through_parquet_is_the_same_text_but_for_zeros_and_spelling(printed: list[str]) -> None:
    """Zeros before and after the digits, plus signs, exponents and the sign of zero are not kept; each digit is."""
    parsed = decimals.parse(pa.array(printed))
    narrow = decimals.narrow([parsed])
    if narrow is None or not parsed.is_known.all():
        return
    columns = (Column("row", pa.int64(), "1", "a row"), Column("x", None, "1", "a number"))
    schema = TableSchema("numbers", columns, key=("row",), is_series=True)
    table = pa.table({"row": range(len(printed)), "x": narrow[0]})
    with tempfile.TemporaryDirectory() as folder:
        tables.write(Path(folder) / "x.parquet", table, schema)
        read = tables.read(Path(folder) / "x.parquet", schema)["x"].cast(pa.string()).to_pylist()
    assert [plain(text) for text in read] == [plain(text) for text in printed]


def plain(text: str) -> str:
    """The digits as they are printed, without exponent and without zeros that say nothing."""
    with localcontext(prec=400):
        digits = f"{Decimal(text):f}"
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits).replace("-0", "0") or "0"


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
        hashes.add(merkle.root(pa.table({"x": narrow[0]})))
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
    for gap in list_gaps(open_time_ms, bar_ms, None):
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
    assume(len({tuple(each) for each in lines.values()}) == len(lines))  # twins are refused
    order = list(lines)
    shuffle.shuffle(order)
    raw = {symbol: csv_text.parse("\n".join([HEADER, *lines[symbol]]).encode(), symbol) for symbol in order}
    quality = COMMITTED["quality"] | {"max_missing_frac": 1.0, "max_zero_volume_frac": 1.0}
    values = COMMITTED | {"source": "files", "timeframe": "1m", "min_rows": 1, "symbols": order, "quality": quality}
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


@given(hostile_candles.tables())
@settings(deadline=None, max_examples=200)
def test_any_table_is_candles_or_refused(raw: RawCandles) -> None:
    check_table_or_refusal(raw)


@given(hostile_candles.files())
@settings(deadline=None, max_examples=200)
def test_any_file_is_candles_or_refused(file: tuple[Path, bytes]) -> None:
    check_file_or_refusal(*file)


@pytest.mark.heavy
@given(hostile_candles.tables())
@settings(deadline=None, max_examples=10_000, suppress_health_check=[*HealthCheck])
def test_any_of_ten_thousand_tables_is_candles_or_refused(raw: RawCandles) -> None:
    check_table_or_refusal(raw)


@pytest.mark.heavy
@given(hostile_candles.files())
@settings(deadline=None, max_examples=10_000, suppress_health_check=[*HealthCheck])
def test_any_of_ten_thousand_files_is_candles_or_refused(file: tuple[Path, bytes]) -> None:
    check_file_or_refusal(*file)


def check_file_or_refusal(path: Path, content: bytes) -> None:
    try:
        raw = file_formats.parse(content, path)
    except InputError as error:
        assert error.problems
        return
    check_table_or_refusal(raw)


def check_table_or_refusal(raw: RawCandles) -> None:
    """Alone and joined with itself: a table that fits its schema, or words for a user."""
    for source in (lambda: raw, lambda: parts.join([raw, raw], raw.place)):
        try:
            table = candle_table(source(), MINUTE_MS, 1)
        except InputError as error:
            assert error.problems
            assert all(problem.place.startswith(raw.place) and problem.help for problem in error.problems)
        else:
            assert candles_schema(table.column_names).problems(table, "a") == []
            assert table.num_rows == raw.table.num_rows


def is_refused(content: bytes) -> bool:
    """Whether the candles are refused, and if so in words for a user."""
    try:
        candle_table(csv_text.parse(content, "a.csv"), MINUTE_MS, 1)
    except InputError as error:
        assert error.problems
        assert all(problem.place.startswith("a.csv") and problem.help for problem in error.problems)
        return True
    return False
