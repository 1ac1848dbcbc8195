"""Laws of versions: content alone names them, a difference is exactly what was changed, a proof shows what is there."""

from __future__ import annotations

import itertools
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from candlelock.artifacts.user_files import read_params
from candlelock.contracts.snapshot_documents import Source
from candlelock.contracts.stage_params import SnapshotParams
from candlelock.contracts.version_documents import CandleProof
from candlelock.snapshot import candles, files, proof
from candlelock.snapshot.difference import compare_snapshots
from candlelock.snapshot.publication import publish
from candlelock.snapshot.raw_candles import RawCandles
from candlelock.snapshot.row_text import parse_columns, print_rows

if TYPE_CHECKING:
    from random import Random

    from candlelock.contracts.snapshot_documents import Manifest

COMMITTED = read_params(Path(__file__).parents[2]).snapshot.model_dump()
SOURCE = Source(kind="files", name="x", address=None, asked=None, files={})
FIRST_S, BAR_S = 1_700_000_100, 60
NAMES = ("date", "open", "high", "low", "close", "volume")
FORMATS = ("csv", "feather", "parquet")
Row = tuple[int, int, int]  # minute, price in cents, volume in hundredths

rows = st.dictionaries(st.integers(2, 400), st.tuples(st.integers(1, 10**6), st.integers(0, 10**6)), max_size=150).map(
    lambda found: [(minute, *found[minute]) for minute in sorted(found)]
)
symbols = st.dictionaries(st.sampled_from(["A/USD", "B/USD", "C/USD"]), rows, min_size=1)


def first_rows(symbol: str) -> list[Row]:
    """The first two minutes are always there, and no two symbols are alike."""
    return [(0, ord(symbol[0]), 5), (1, 101, 6)]


def raw_table(symbol: str, found: list[Row]) -> pa.Table:
    """Text as an exchange prints it."""
    whole = [*first_rows(symbol), *found]
    prices = [f"{Decimal(cents) / 100}" for _, cents, _ in whole]
    times = [str(FIRST_S + BAR_S * minute) for minute, _, _ in whole]
    return pa.table(dict(zip(NAMES, (times, *[prices] * 4, [f"{Decimal(v) / 100}" for _, _, v in whole]), strict=True)))


def wanted(names: list[str]) -> SnapshotParams:
    quality = COMMITTED["quality"] | {"max_missing_frac": 1.0, "max_zero_volume_frac": 1.0}
    own = {"source": "files", "timeframe": "1m", "symbols": names, "min_rows": 1, "quality": quality}
    return SnapshotParams.model_validate(COMMITTED | own)


def publish_rows(folder: Path, found: dict[str, list[Row]], cuts: tuple[int, ...] = ()) -> Manifest:
    raw = {}
    for symbol, its in found.items():
        table = raw_table(symbol, its)
        bounds = sorted({0, table.num_rows, *(cut for cut in cuts if cut < table.num_rows)})
        pages = pa.concat_tables([table[a:b] for a, b in itertools.pairwise(bounds)])
        raw[symbol] = RawCandles(symbol, has_lines=False, table=pages)
    return publish(folder, raw, SOURCE, wanted([*found]))


def write(path: Path, table: pa.Table) -> None:
    if path.suffix == ".csv":
        path.write_text("\n".join([",".join(NAMES), *(",".join(row.values()) for row in table.to_pylist())]) + "\n")
        return
    dtype = pa.float64() if path.suffix == ".feather" else pa.decimal128(20, 4)
    numbers = {name: table[name].cast(dtype) for name in NAMES[1:]}
    typed = pa.table({"date": table["date"].cast(pa.int64()), **numbers})
    if path.suffix == ".feather":
        feather.write_feather(typed, path)
    else:
        pq.write_table(typed, path, row_group_size=7)


@given(symbols, st.lists(st.integers(1, 150), max_size=5), st.sampled_from(FORMATS), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_same_candles_have_one_id_whatever_order_pages_and_format(
    found: dict[str, list[Row]], cuts: list[int], suffix: str, shuffle: Random
) -> None:
    order = list(found)
    shuffle.shuffle(order)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "in").mkdir()
        for symbol in order:
            write(root / "in" / f"{symbol.replace('/', '-')}.{suffix}", raw_table(symbol, found[symbol]))
        ids = {
            publish_rows(root / "a", found).snapshot_id,
            publish_rows(root / "b", {symbol: found[symbol] for symbol in order}, tuple(cuts)).snapshot_id,
            publish(root / "c", *files.read(order, "1m", root / "in"), wanted(order)).snapshot_id,
            publish(root / "d", *files.read(order, "1m", root / "a"), wanted(order)).snapshot_id,
        }
    assert len(ids) == 1


@given(symbols, symbols)
@settings(max_examples=25, deadline=None)
def test_a_difference_leads_from_one_snapshot_to_the_other_and_back(
    before: dict[str, list[Row]], after: dict[str, list[Row]]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        for folder, found in (("before", before), ("after", after)):
            publish_rows(Path(name) / folder, found)
        old, new = candles.read_exact(Path(name) / "before"), candles.read_exact(Path(name) / "after")
    forth, back = compare_snapshots(old, new), compare_snapshots(new, old)
    assert (forth.before == forth.after) == (forth.symbols == [])
    assert apply(by_time(old[1]), forth) == by_time(new[1])
    assert apply(by_time(new[1]), back) == by_time(old[1])
    for one, other in zip(forth.symbols, back.symbols, strict=True):
        assert (one.added, one.removed, len(one.revised)) == (other.removed, other.added, len(other.revised))
        assert one.n_unchanged + len(one.revised) + len(one.added) == len(by_time(new[1]).get(one.symbol, {}))


def by_time(tables: dict[str, pa.Table]) -> dict[str, dict[str, dict[str, Decimal]]]:
    """Symbol -> time -> column -> value."""
    return {
        symbol: {row[0]: dict(zip(NAMES[1:], map(Decimal, row[1:]), strict=True)) for row in print_rows(table)}
        for symbol, table in tables.items()
    }


def apply(found: dict[str, dict[str, dict[str, Decimal]]], difference: Any) -> Any:
    for each in difference.symbols:
        rows_of = found.setdefault(each.symbol, {})
        for candle in each.removed:
            was = rows_of.pop(candle.open_time_utc)
            assert was == {column: Decimal(text) for column, text in candle.values.items()}
        for candle in each.revised:
            row = rows_of[candle.open_time_utc]
            assert all(row[column] == Decimal(text) for column, text in candle.before.items())
            row.update({column: Decimal(text) for column, text in candle.after.items()})
        for candle in each.added:
            assert candle.open_time_utc not in rows_of
            rows_of[candle.open_time_utc] = {column: Decimal(text) for column, text in candle.values.items()}
        if not rows_of:
            del found[each.symbol]
    return found


@given(symbols, st.data())
@settings(max_examples=25, deadline=None)
def test_every_candle_is_proved_and_every_other_time_is_not_there(
    found: dict[str, list[Row]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as name:
        publish_rows(Path(name) / "out", found)
        manifest, tables = candles.read_exact(Path(name) / "out")
    symbol = data.draw(st.sampled_from(sorted(found)))
    last = max([1, *(minute for minute, _, _ in found[symbol])])
    minute = data.draw(st.integers(0, last))
    made = proof.prove(manifest, tables, symbol, (FIRST_S + BAR_S * minute) * 1_000)
    there = {at: (price, volume) for at, price, volume in [*first_rows(symbol), *found[symbol]]}
    assert isinstance(made, CandleProof) == (minute in there)
    if isinstance(made, CandleProof):
        assert proof.faults(made) == []
        shown = proof.candle(made)
        assert (Decimal(shown["close"]) * 100, Decimal(shown["volume"]) * 100) == there[minute]


@given(st.lists(st.integers(-(10**38) + 1, 10**38 - 1), min_size=1, max_size=20), st.integers(0, 38))
@settings(deadline=None)
def test_text_of_a_decimal_leads_back_to_its_integer(unscaled: list[int], scale: int) -> None:
    values = pa.array(
        [Decimal((n < 0, tuple(map(int, str(abs(n)))), -scale)) for n in unscaled], pa.decimal128(38, scale)
    )
    assert parse_columns(print_rows(pa.table({"x": values})), {"x": scale}) == [unscaled]
