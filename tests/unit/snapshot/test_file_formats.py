from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from candlelock.contracts.errors import InputError, Problem
from candlelock.snapshot import file_formats
from candlelock.snapshot.file_formats import parse

PATH = Path("in/BTCUSDT-1m-2023-02.zip")


def archive(*names: str, text: str = "date,open\n1,2\n") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as writer:
        for name in names:
            writer.writestr(name, text)
    return target.getvalue()


def refused(content: bytes, path: Path = PATH) -> Problem:
    with pytest.raises(InputError) as caught:
        parse(content, path)
    (problem,) = caught.value.problems
    return problem


def test_a_row_of_a_zip_is_named_by_archive_member_and_line() -> None:
    assert parse(archive("BTC.csv"), PATH).place_of(0) == f"{PATH}!BTC.csv:2"


@pytest.mark.parametrize(("names", "found"), [((), "no CSV file"), (("a.csv", "b/c.CSV"), "a.csv, b/c.CSV")])
def test_a_zip_has_one_csv_file(names: tuple[str, ...], found: str) -> None:
    problem = refused(archive("README.txt", *names))
    assert (problem.code, problem.place, problem.found) == ("files-zip", str(PATH), found)


def test_a_damaged_zip_is_unreadable_wherever_the_damage_is() -> None:
    sound = archive("a.csv", text="date,open\n" + "".join(f"{n},{n * n}\n" for n in range(50)))
    codes = set()
    for at in range(len(sound)):
        damaged = sound[:at] + bytes([sound[at] ^ 0x21]) + sound[at + 1 :]
        try:
            parse(damaged, PATH)
        except InputError as error:
            codes |= {problem.code for problem in error.problems}
        try:
            parse(sound[:at], PATH)
        except InputError as error:
            codes |= {problem.code for problem in error.problems}
    assert {"files-unreadable", "files-zip"} >= codes > set()


def test_an_encrypted_zip_is_unreadable() -> None:
    content = bytearray(archive("a.csv"))
    content[6] |= 1  # general purpose flag of the member, here and in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    problem = refused(bytes(content))
    assert problem.code == "files-unreadable"
    assert "encrypted" in problem.found


def test_what_pandas_adds_to_parquet_does_not_travel_on() -> None:
    target = io.BytesIO()
    table = pa.table({"open": [1.5]}).replace_schema_metadata({"pandas": "{}"})
    pq.write_table(table, target)
    assert parse(target.getvalue(), Path("BTC-USD.parquet")).table.schema.metadata is None


def test_a_file_that_unpacks_to_more_than_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_formats, "MAX_UNPACKED_BYTES", 1000)
    text = "date\n" * 500
    assert refused(gzip.compress(text.encode()), Path("BTC-USD.csv.gz")).code == "files-too-large"
    assert refused(archive("x.csv", text=text)).code == "files-too-large"
