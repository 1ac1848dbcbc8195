"""From files to a folder: order, damage, what is written and what is not, and the way back."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from candlelock.artifacts import documents
from candlelock.contracts.book_documents import BookReport
from candlelock.contracts.errors import InputError
from candlelock.orderbook import book_bars
from candlelock.orderbook.importer import import_recording
from tests.unit.orderbook.streams import START_MS, depth, line, trade

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def imported(paths: Sequence[Path], out: Path) -> BookReport:
    return import_recording(paths, "BTC/USDT", "1m", (1, 2), out, lambda n_done, n_total: None)


def refusal(paths: Sequence[Path], out: Path) -> list[tuple[str, str]]:
    """Code and place, without the folder, of every problem; nothing was written."""
    before = sorted(out.rglob("*")) if out.exists() else None
    with pytest.raises(InputError) as caught:
        imported(paths, out)
    assert (sorted(out.rglob("*")) if out.exists() else None) == before
    assert all(problem.found and problem.expected and problem.help for problem in caught.value.problems)
    return [(each.code, each.place.replace(f"{out.parent}/", "")) for each in caught.value.problems]


def test_the_report_says_what_was_imported(parts: list[Path], tmp_path: Path) -> None:
    report = imported(parts, tmp_path / "out")
    start = START_MS
    assert report.model_dump() == {
        "version": "1",
        "symbol": "BTC/USDT",
        "timeframe": "1m",
        "levels": [1, 2],
        "table": "BTC-USDT.parquet",
        "table_sha256": hashlib.sha256((tmp_path / "out/BTC-USDT.parquet").read_bytes()).hexdigest(),
        "files": [
            {
                "name": path.name,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "n_lines": n_lines,
                "first_local_ms": first,
                "last_local_ms": last,
            }
            for path, n_lines, first, last in zip(
                parts, (4, 3), (start, start + 4_000), (start + 3_000, start + 6_000), strict=True
            )
        ],
        "messages": {"depth": 3, "ticker": 1, "trade": 2, "snapshot": 1},
        "first_event_ms": start,
        "last_event_ms": start + 121_000,
        "clock_skew": {"n_messages": 5, "min_ms": 0.0, "median_ms": 57_000.0, "max_ms": 115_000.0},
        "sequence_breaks": [],
        "ticker_check": {"n_compared": 1, "n_contradictions": 0, "first_contradictions": []},
        "n_bars": 3,
        "n_whole_bars": 1,
        "n_missing_bars": 0,
        "n_bars_with_depth": {"1": 3, "2": 3},
        "first_open_utc": "2024-08-09T00:00:00Z",
        "last_open_utc": "2024-08-09T00:02:00Z",
    }
    assert documents.read(tmp_path / "out/book.json", BookReport) == report


def test_the_order_of_the_arguments_does_not_matter(parts: list[Path], tmp_path: Path) -> None:
    imported(parts, tmp_path / "one")
    imported(parts[::-1], tmp_path / "two")
    for name in ("book.json", "BTC-USDT.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_an_import_is_read_back_and_a_changed_one_refused(parts: list[Path], tmp_path: Path) -> None:
    report = imported(parts, tmp_path / "out")
    read_report, table = book_bars.read(tmp_path / "out")
    assert read_report == report
    assert table["n_trades"].to_pylist() == [1, 1, 0]
    document = json.loads((tmp_path / "out/book.json").read_text())
    (tmp_path / "out/book.json").write_text(json.dumps(document | {"table_sha256": "0" * 64}))
    with pytest.raises(InputError) as caught:
        book_bars.read(tmp_path / "out")
    assert [problem.code for problem in caught.value.problems] == ["book-changed"]


def test_a_break_names_its_bars(lines: list[bytes], tmp_path: Path) -> None:
    (path := tmp_path / "a.txt").write_bytes(b"".join(lines[:4] + lines[5:]))
    report = imported([path], tmp_path / "out")
    assert [each.model_dump() for each in report.sequence_breaks] == [
        {
            "stream": "depth",
            "place": "a.txt:6",
            "expected_id": 11,
            "found_id": 12,
            "first_open_utc": "2024-08-09T00:00:00Z",
            "last_open_utc": "2024-08-09T00:02:00Z",
        }
    ]


def test_all_damage_is_told_at_once_with_a_few_examples_each(lines: list[bytes], tmp_path: Path) -> None:
    (one := tmp_path / "a.txt").write_bytes(b"".join([lines[0], *[b"what?\n"] * 5, lines[3].replace(b'"2"', b'"-2"')]))
    (two := tmp_path / "b.txt").write_bytes(lines[4].replace(b"BTCUSDT", b"ETHUSDT"))
    told = refusal([one, two], tmp_path / "out")
    assert told == [
        ("book-line", "a.txt:2"),
        ("book-line", "a.txt:3"),
        ("book-line", "a.txt:4"),
        ("book-amount", "a.txt:7 q"),
        ("book-symbol", "b.txt:1 s"),
    ]
    with pytest.raises(InputError, match="and 2 more like it"):
        imported([one, two], tmp_path / "out")


def test_files_that_overlap_are_refused(lines: list[bytes], tmp_path: Path) -> None:
    (one := tmp_path / "a.txt").write_bytes(b"".join(lines[:5]))
    (two := tmp_path / "b.txt").write_bytes(b"".join(lines[3:]))
    assert refusal([one, two], tmp_path / "out") == [("book-overlap", "b.txt local time")]
    assert ("book-overlap", "a.txt local time") in refusal([one, one], tmp_path / "out")


@pytest.mark.parametrize("n_cut", [1, 8, 20])
def test_a_file_cut_short_is_refused(parts: list[Path], tmp_path: Path, n_cut: int) -> None:
    parts[0].write_bytes(parts[0].read_bytes()[:-n_cut])
    assert refusal(parts, tmp_path / "out") == [("book-unreadable", "a.gz")]


def test_a_damaged_archive_is_refused(parts: list[Path], tmp_path: Path) -> None:
    content = bytearray(parts[0].read_bytes())
    content[len(content) // 2] ^= 1
    parts[0].write_bytes(content)
    assert {code for code, _ in refusal(parts, tmp_path / "out")} >= {"book-unreadable"}


def test_missing_empty_and_endless_files_are_refused(parts: list[Path], tmp_path: Path) -> None:
    (empty := tmp_path / "empty.txt").write_bytes(b"")
    (endless := tmp_path / "endless.gz").write_bytes(gzip.compress(b"1" * 5_000_000))
    assert refusal([tmp_path / "none.gz", empty, endless, parts[0]], tmp_path / "out") == [
        ("book-unreadable", "none.gz"),
        ("book-unreadable", "endless.gz line 1"),
        ("book-empty", "empty.txt"),
    ]


def test_a_recording_without_a_time_is_refused(lines: list[bytes], tmp_path: Path) -> None:
    (path := tmp_path / "a.txt").write_bytes(lines[1] + lines[2])
    assert refusal([path], tmp_path / "out") == [("book-empty", "a.txt")]


def test_only_an_earlier_import_is_replaced(parts: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    imported(parts, out)
    imported(parts, out)
    (out / "notes.txt").write_text("mine")
    assert refusal(parts, out) == [("book-out", "out")]
    assert refusal(parts, parts[1]) == [("book-out", "b.txt")]


def test_a_book_that_crosses_is_placed(lines: list[bytes], tmp_path: Path) -> None:
    crossing = [line(depth(61_000, 11, 11, bids=[("103", "1")]), 4_000), line(trade(62_000, 2, "99", "1"), 5_000)]
    (path := tmp_path / "a.txt").write_bytes(b"".join(lines[:4] + crossing))
    assert refusal([path], tmp_path / "out") == [("book-crossed", "a.txt:5")]


def test_progress_reaches_the_total(parts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("candlelock.orderbook.source_files.LINES_PER_STEP", 1)
    shown: list[tuple[int, int]] = []
    import_recording(parts, "BTC/USDT", "1m", (1,), tmp_path / "out", lambda *each: shown.append(each))
    size = sum(path.stat().st_size for path in parts)
    assert [n_done for n_done, _ in shown] == sorted(n_done for n_done, _ in shown)
    assert shown[-1] == (size, size)
