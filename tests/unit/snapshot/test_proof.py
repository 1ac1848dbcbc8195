"""A candle's proof: what it shows, and that nothing in it can be changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from candlelock.artifacts import documents
from candlelock.artifacts.hashing import sha256_json
from candlelock.contracts.documents import utc_ms
from candlelock.contracts.errors import InputError
from candlelock.contracts.snapshot_documents import Gap
from candlelock.contracts.version_documents import CandleProof
from candlelock.snapshot import candles, files, proof
from candlelock.snapshot.publication import publish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from candlelock.contracts.stage_params import SnapshotParams

N_ROWS = 200
MISSING = range(70, 73)


@pytest.fixture
def folder(
    tmp_path: Path,
    write_candles: Callable[..., None],
    printed: Callable[..., dict[str, list[str]]],
    params: Callable[..., SnapshotParams],
) -> Path:
    """A snapshot of two symbols, 200 half hours from 2024-01-01 on, of which BTC/USD lacks three."""
    for seed, symbol in enumerate(("BTC/USD", "ETH/USD")):
        columns = printed(N_ROWS, seed)
        if symbol == "BTC/USD":
            columns = {
                name: [value for row, value in enumerate(values) if row not in MISSING]
                for name, values in columns.items()
            }
        write_candles(tmp_path / f"in/{symbol.replace('/', '_')}-30m.csv", columns)
    wanted = params("BTC/USD", "ETH/USD")
    publish(tmp_path / "out", *files.read(wanted.symbols, "30m", tmp_path / "in"), wanted)
    return tmp_path / "out"


def prove(folder: Path, symbol: str = "ETH/USD", time: str = "2024-01-02T12:30Z") -> CandleProof | Gap:
    return proof.prove(*candles.read_exact(folder), symbol, utc_ms(time))


def make(folder: Path, time: str = "2024-01-02T12:30Z") -> CandleProof:
    made = prove(folder, time=time)
    assert isinstance(made, CandleProof)
    return made


def codes(made: CandleProof) -> list[str]:
    return [problem.code for problem in proof.faults(made)]


def change(made: CandleProof, **fields: Any) -> CandleProof:
    return CandleProof.model_validate({**made.model_dump(), **fields})


def test_the_proof_shows_the_candle_as_it_was_printed(
    folder: Path, printed: Callable[..., dict[str, list[str]]], tmp_path: Path
) -> None:
    made = make(folder)
    columns = printed(N_ROWS, 1)
    row = columns["date"].index("2024-01-02 12:30:00")
    assert proof.candle(made) == {
        "open_time_utc": "2024-01-02T12:30:00Z",
        **{name: columns[name][row] for name in ("open", "high", "low", "close", "volume")},
    }
    assert (made.block, len(made.rows)) == (1, 64)
    assert sha256_json(made.identity.model_dump(mode="json")) == candles.read_exact(folder)[0].snapshot_id
    documents.write(tmp_path / "proof.json", made)
    assert codes(documents.read(tmp_path / "proof.json", CandleProof)) == []


@pytest.mark.parametrize("row", [0, 63, 64, 191, 192, 199])
def test_the_first_and_last_candle_of_every_kind_of_block_is_proved(folder: Path, row: int) -> None:
    time = candles.read_exact(folder)[1]["ETH/USD"]["open_time_utc"][row].as_py()
    made = make(folder, time.isoformat())
    assert (made.block, len(made.rows)) == (row // 64, 64 if row < 192 else 8)
    assert codes(made) == []


def test_a_missing_bar_is_its_gap(folder: Path) -> None:
    found = prove(folder, "BTC/USD", "2024-01-02T12:00Z")
    assert isinstance(found, Gap)
    assert (found.first_open_utc, found.last_open_utc, found.n_bars) == (
        "2024-01-02T11:00:00Z",
        "2024-01-02T12:00:00Z",
        3,
    )
    assert isinstance(prove(folder, "BTC/USD", "2024-01-02T12:30Z"), CandleProof)


@pytest.mark.parametrize(
    ("symbol", "time", "code"),
    [
        ("ETH/USD", "2024-01-02T12:31Z", "proof-time"),
        ("ETH/USD", "2023-12-31T23:30Z", "proof-time"),
        ("ETH/USD", "2024-01-05T04:00Z", "proof-time"),
        ("ETH/EUR", "2024-01-02T12:30Z", "proof-symbol"),
    ],
)
def test_what_is_not_there_is_said(folder: Path, symbol: str, time: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        prove(folder, symbol, time)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_no_digit_of_a_row_can_be_changed(folder: Path) -> None:
    made = make(folder)
    for row in (0, 31, 63):
        for column in range(1, 6):
            rows = [list(each) for each in made.rows]
            digits = rows[row][column]
            rows[row][column] = digits[:-1] + str((int(digits[-1]) + 1) % 10)
            assert codes(change(made, rows=rows)) == ["proof-leaf", "proof-root"]


@pytest.mark.parametrize(
    ("text", "code"), [("{0}0", "proof-rows"), ("1{0}", "proof-leaf"), ("+{0}", "proof-rows"), ("x", "proof-rows")]
)
def test_values_are_written_in_one_way(folder: Path, text: str, code: str) -> None:
    made = make(folder)
    rows = [list(each) for each in made.rows]
    rows[5][2] = text.format(rows[5][2])
    assert codes(change(made, rows=rows))[0] == code


def test_a_point_cannot_be_shifted(folder: Path) -> None:
    made = make(folder)
    rows = [list(each) for each in made.rows]
    rows[5][2] = rows[5][2].replace(".", "")[:1] + "." + rows[5][2].replace(".", "")[1:]
    assert codes(change(made, rows=rows)) == ["proof-rows"]


def test_prices_cannot_be_shown_under_each_others_names(folder: Path) -> None:
    made = make(folder)
    identity = made.identity.model_dump()
    columns = identity["symbols"]["ETH/USD"]["columns"]
    columns[1], columns[2] = columns[2], columns[1]
    assert codes(change(made, identity=identity)) == ["proof-identity"]


def test_another_block_candle_path_or_id_does_not_fit(folder: Path) -> None:
    made, other = make(folder), make(folder, "2024-01-01T00:00Z")
    assert codes(change(made, block=2)) == ["proof-root"]
    assert codes(change(made, block=3)) == ["proof-rows"]
    assert codes(change(made, block=10**30)) == ["proof-rows"]
    assert codes(change(made, path=other.path)) == ["proof-root"]
    assert codes(change(made, path=made.path[:-1])) == ["proof-root"]
    assert codes(change(made, path=[])) == ["proof-root"]
    assert codes(change(made, rows=other.rows)) == ["proof-rows"]
    assert codes(change(made, rows=made.rows[:-1])) == ["proof-rows"]
    assert codes(change(made, rows=[])) == ["proof-rows"]
    assert codes(change(made, leaf=other.leaf)) == ["proof-leaf"]
    assert codes(change(made, open_time_utc="2024-01-01T00:00:00Z")) == ["proof-rows"]
    assert codes(change(made, symbol="BTC/USD"))[0] in ("proof-rows", "proof-root")
    assert codes(change(made, symbol="BTC/EUR")) == ["proof-symbol"]
    assert codes(change(made, snapshot_id="0" * 64)) == ["proof-identity"]


@pytest.mark.parametrize("scale", [38, None, 0])
def test_a_forged_identity_is_another_snapshot(folder: Path, scale: int | None) -> None:
    made = make(folder)
    identity = json.loads(made.identity.model_dump_json())
    identity["symbols"]["ETH/USD"]["columns"][1][1] = scale
    identity["symbols"]["ETH/USD"]["n_rows"] += 1
    assert "proof-identity" in codes(change(made, identity=identity))
