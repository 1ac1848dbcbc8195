from __future__ import annotations

import pytest

from candlelock.contracts.errors import InputError
from candlelock.snapshot import csv_text


def test_values_stay_the_text_that_was_printed() -> None:
    raw = csv_text.parse(b"Date,open,note\n2024-01-01,1.50,\n1704067200,007,NA\n", "a.csv")
    assert raw.table.to_pydict() == {"Date": ["2024-01-01", "1704067200"], "open": ["1.50", "007"], "note": ["", "NA"]}


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
@pytest.mark.parametrize("tail", [b"", b"\n", b"\r\n\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_endings_blank_tail_and_byte_order_mark_do_not_matter(mark: bytes, ending: bytes, tail: bytes) -> None:
    raw = csv_text.parse(mark + ending.join([b"a,b", b"1,2", b"3,4"]) + tail, "a.csv")
    assert raw.table.to_pydict() == {"a": ["1", "3"], "b": ["2", "4"]}


def test_a_row_is_named_by_the_line_an_editor_shows() -> None:
    lines = ["a,b", *(f"{n},x{n}" for n in range(200_000))]  # beyond the first block Arrow reads
    raw = csv_text.parse("\n".join(lines).encode(), "a.csv")
    line = int(raw.place_of(150_000).removeprefix("a.csv:"))
    assert lines[line - 1] == "150000,x150000"


def test_ragged_lines_are_all_named() -> None:
    lines = ["a,b", *(f"{n},x{n}" for n in range(200_000))]
    lines[2], lines[5], lines[190_000] = "1", "", "1,2,3"
    with pytest.raises(InputError) as caught:
        csv_text.parse("\n".join(lines).encode(), "a.csv")
    assert [problem.place for problem in caught.value.problems] == ["a.csv:3", "a.csv:190001"]
    assert caught.value.problems[1].found == "3 values: '1,2,3'"


def test_a_blank_line_counts_as_a_row_of_nothing() -> None:
    raw = csv_text.parse(b"a,b\n1,2\n\n3,4\n", "a.csv")
    assert raw.table.to_pydict() == {"a": ["1", "", "3"], "b": ["2", "", "4"]}


def test_at_most_five_ragged_lines_are_shown() -> None:
    with pytest.raises(InputError) as caught:
        csv_text.parse(b"a,b\n" + b"1\n" * 100, "a.csv")
    assert len(caught.value.problems) == 5


@pytest.mark.parametrize(
    ("content", "place", "found"),
    [
        (b"a,b\n1,2\n3,\xff\n", "a.csv:3", "byte 0xff"),
        (b"a,\x9a\n1,2\n", "a.csv:1", "byte 0x9a"),
        (b"a,b\n1,2,\x80\n", "a.csv:2", "byte 0x80"),
    ],
)
def test_what_is_not_utf8_is_refused(content: bytes, place: str, found: str) -> None:
    with pytest.raises(InputError) as caught:
        csv_text.parse(content, "a.csv")
    (problem,) = caught.value.problems
    assert (problem.code, problem.place, problem.found) == ("csv-not-utf8", place, found)


def test_a_file_that_starts_with_a_blank_line_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        csv_text.parse(b"\na,b\n1,2\n", "a.csv")
    assert caught.value.problems[0].code == "csv-unreadable"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"a,b", b"a,b\n"])
def test_an_empty_file_has_no_rows(content: bytes) -> None:
    assert csv_text.parse(content, "a.csv").table.num_rows == 0


KLINE = b"1675209600000,6.949,6.959,6.947,6.957,30020.25,1675209659999,208718.48852,471,10610.28,73780.89351,0"


@pytest.mark.parametrize("first", [KLINE, KLINE.replace(b"9600000,", b"9600000000,"), b'"1675209600000"' + KLINE[13:]])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_twelve_columns_that_start_with_an_epoch_have_no_header(mark: bytes, first: bytes) -> None:
    raw = csv_text.parse(mark + first + b"\n" + KLINE + b"\n", "a.csv")
    assert raw.table.num_rows == 2
    assert raw.table["quote_volume"].to_pylist() == ["208718.48852"] * 2
    assert [raw.place_of(0), raw.place_of(1)] == ["a.csv:1", "a.csv:2"]
    with pytest.raises(InputError) as caught:
        csv_text.parse(KLINE + b"\n1,2\n", "a.csv")
    assert caught.value.problems[0].place == "a.csv:2"


@pytest.mark.parametrize("line", [KLINE + b",1", KLINE.removesuffix(b",0"), b"x" + KLINE, b"167520" + KLINE[13:]])
def test_any_other_first_line_is_a_header(line: bytes) -> None:
    assert csv_text.parse(line + b"\n", "a.csv").table.num_rows == 0


@pytest.mark.parametrize(
    "comment",
    [b"https://www.CryptoDataDownload.com\n", b"# a note, with a comma\n# another\n", b"UTC,https://a.example\r\n"],
)
def test_lines_before_the_header_are_passed_over_and_counted(comment: bytes) -> None:
    n_comments = comment.count(b"\n")
    raw = csv_text.parse(comment + b"a,b\n1,2\n3,4\n", "a.csv")
    assert raw.table.to_pydict() == {"a": ["1", "3"], "b": ["2", "4"]}
    assert raw.place_of(1) == f"a.csv:{n_comments + 3}"
    with pytest.raises(InputError) as caught:
        csv_text.parse(comment + b"a,b\n1,2\n3\n", "a.csv")
    assert caught.value.problems[0].place == f"a.csv:{n_comments + 3}"


def test_comments_alone_have_no_rows() -> None:
    assert csv_text.parse(b"# nothing\n# at all", "a.csv").table.num_rows == 0


def test_a_header_that_starts_with_a_hash_is_the_header() -> None:
    raw = csv_text.parse(b"# from somewhere\n#date,o,h,l,c,volume\n2024-01-01,1,2,3,4,5\n", "x.csv")
    assert raw.table.column_names == ["date", "o", "h", "l", "c", "volume"]
    assert raw.table.num_rows == 1
    assert raw.place_of(0) == "x.csv:3"
