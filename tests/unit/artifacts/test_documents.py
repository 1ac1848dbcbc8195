"""JSON is written in one way and read strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from candlelock.artifacts import documents
from candlelock.contracts.documents import Document
from candlelock.contracts.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from candlelock.contracts.errors import Problem


class Choice(Document):
    """A document of a fraction, a count and a figure."""

    p_up: float
    n_trades: int
    net_profit_bps: float


CHOICE = Choice(p_up=0.5, n_trades=3, net_profit_bps=-1.5)


def problems_of(folder: Path, text: str | bytes) -> list[Problem]:
    path = folder / "x.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    with pytest.raises(InputError) as caught:
        documents.read(path, Choice)
    assert all(str(path) in problem.place for problem in caught.value.problems)
    return list(caught.value.problems)


def with_values(p_up: str = "0.5", n_trades: str = "3", profit: str = "-1.5", more: str = "") -> str:
    return f'{{"p_up": {p_up}, "n_trades": {n_trades}, "net_profit_bps": {profit}{more}}}'


def test_bytes_are_sorted_indented_utf_8_and_end_with_a_newline(tmp_path: Path) -> None:
    documents.write(tmp_path / "x.json", {"b": [1.0, None, True], "a": {"ö": "≥"}})
    expected = '{\n  "a": {\n    "ö": "≥"\n  },\n  "b": [\n    1.0,\n    null,\n    true\n  ]\n}\n'
    assert (tmp_path / "x.json").read_bytes() == expected.encode()
    assert documents.to_bytes(CHOICE) == b'{\n  "n_trades": 3,\n  "net_profit_bps": -1.5,\n  "p_up": 0.5\n}\n'


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_written_and_the_old_file_stays(value: float, tmp_path: Path) -> None:
    documents.write(tmp_path / "x.json", CHOICE)
    with pytest.raises(ValueError, match="JSON compliant"):
        documents.write(tmp_path / "x.json", {"a": value})
    assert documents.read(tmp_path / "x.json", Choice) == CHOICE


def test_a_whole_number_may_stand_for_a_fraction(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(with_values(profit="2"))
    read = documents.read(tmp_path / "x.json", Choice)
    assert isinstance(read.net_profit_bps, float)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (with_values(more=', "p_up": 0.5'), "key 'p_up' stands twice"),
        (with_values(more=', "x": {"a": 1, "a": 1}'), "key 'a' stands twice"),
        (with_values(profit="NaN"), "NaN is not a JSON number"),
        (with_values(profit="Infinity"), "Infinity is not a JSON number"),
        (with_values(profit="-Infinity"), "-Infinity is not a JSON number"),
        (with_values(profit="1e999"), "1e999 is beyond float64"),
        (with_values(profit="-1e999"), "-1e999 is beyond float64"),
        (with_values(n_trades="1" + "0" * 5000), "5001 digits"),
        (with_values() + " x", "Extra data"),
        (with_values() + with_values(), "Extra data"),
        (with_values()[:-1], "Expecting"),
        (with_values(more=","), "Expecting"),
        (with_values().replace('"', "'"), "Expecting"),
        ("[" * 100_000, "recursion"),
        ("", "Expecting value"),
        (b'{"\xff": 1}', "codec can't decode"),
        (with_values().encode("utf-16"), "codec can't decode"),
    ],
)
def test_what_is_no_strict_json_is_refused(text: str | bytes, found: str, tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, text)
    assert problem.code == "document-not-json"
    assert found in problem.found


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        (with_values(more=', "note": 1'), " note", "Extra inputs are not permitted"),
        (with_values(n_trades='"3"'), " n_trades", "valid integer"),
        (with_values(n_trades="true"), " n_trades", "valid integer"),
        (with_values(n_trades="3.5"), " n_trades", "valid integer"),
        (with_values(profit='"1"'), " net_profit_bps", "valid number"),
        (with_values(profit="null"), " net_profit_bps", "valid number"),
        (with_values(profit="1" + "0" * 400), " net_profit_bps", "finite"),
        ('{"p_up": 0.5, "n_trades": 3}', " net_profit_bps", "required"),
        ("[]", " ", "an object"),
        (with_values(more=', "\\ud800": 1'), " ", "Invalid JSON"),
    ],
)
def test_what_does_not_fit_the_model_is_named_by_key(text: str, place: str, expected: str, tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, text)
    assert problem.code == "document-invalid"
    assert problem.place.endswith(f"x.json{place}")
    assert expected in problem.expected


def test_all_misfits_come_at_once(tmp_path: Path) -> None:
    found = problems_of(tmp_path, with_values(p_up="null", n_trades='"x"', more=', "y": 1'))
    assert [problem.place.rpartition(" ")[2] for problem in found] == ["p_up", "n_trades", "y"]


@pytest.mark.parametrize("name", ["none.json", "."])
def test_no_file_is_a_problem_of_its_own(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        documents.read(tmp_path / name, Choice)
    assert [problem.code for problem in caught.value.problems] == ["document-missing"]


def test_a_nested_misfit_is_named_by_its_whole_path(tmp_path: Path) -> None:
    class Shelf(Document):
        choices: list[Choice]

    (tmp_path / "x.json").write_text(f'{{"choices": [{with_values()}, {with_values(p_up="[]")}]}}')
    with pytest.raises(InputError) as caught:
        documents.read(tmp_path / "x.json", Shelf)
    assert [problem.place for problem in caught.value.problems] == [f"{tmp_path}/x.json choices.1.p_up"]
