from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from candlelock.artifacts import yaml_document
from candlelock.contracts.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """# a comment
a: 1

b:          # one more
  c: {d: 2, e: [3, 4]}
  list:
    - f: 5
    - 6
"""


def write(folder: Path, text: str) -> Path:
    (folder / "x.yaml").write_text(text, encoding="utf-8")
    return folder / "x.yaml"


@pytest.mark.parametrize(
    ("loc", "line"),
    [
        (("a",), 2),
        (("b",), 4),
        (("b", "c"), 5),
        (("b", "c", "e", 1), 5),
        (("b", "list"), 6),
        (("b", "list", 0), 7),
        (("b", "list", 0, "f"), 7),
        (("b", "list", 1), 8),
        (("b", "list", 2), 6),
        (("b", "nothing"), 4),
        (("a", "nothing", "deeper"), 2),
        (("nothing",), 1),
        ((), 1),
    ],
)
def test_every_key_has_its_line_and_a_missing_one_its_parents(
    loc: tuple[str | int, ...], line: int, tmp_path: Path
) -> None:
    assert yaml_document.read(write(tmp_path, TEXT)).line_of(loc) == line


def test_values_are_plain_python(tmp_path: Path) -> None:
    text = "a: 1e-4\nb: 0x10\nc: true\nd: ~\ne: 'text'\nf: 1_000\ng: .5\n"
    values = yaml_document.read(write(tmp_path, text)).values
    assert values == {"a": 1e-4, "b": 16, "c": True, "d": None, "e": "text", "f": 1000, "g": 0.5}
    assert [type(value) for value in values.values()] == [float, int, bool, type(None), str, int, float]


def test_a_duplicate_key_is_named_by_its_line_at_any_depth(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        yaml_document.read(write(tmp_path, TEXT + "  list: 7\n"))
    (problem,) = caught.value.problems
    assert (problem.code, problem.place) == ("yaml-duplicate-key", f"{tmp_path}/x.yaml:9")
    assert '"list"' in problem.found
    assert "\n" not in problem.found


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a: no\nb: on\nc: 1:30\nd: 010\ne: 0o17\nf: -.inf\ng: +1_0.5e3\nh: 'null'\ni: !!str 5\nj:\n",
         {"a": "no", "b": "on", "c": "1:30", "d": 10, "e": 15, "f": -math.inf, "g": 10500.0, "h": "null", "i": "5",
          "j": None}),
        ("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\nc: *x\n",
         {"a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 3}, "c": {"p": 1, "q": 2}}),
    ],
    ids=["YAML 1.2", "anchors"],
)  # fmt: skip
def test_plain_words_have_the_types_that_dvc_reads(text: str, values: dict[str, object], tmp_path: Path) -> None:
    file = write(tmp_path, text)
    assert yaml_document.read(file).values == values
    assert YAML(typ="safe", pure=True).load(text) == values


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: !!python/object:os.system x\n", "tag"),
        ("? [1]\n: 2\n", "a key that is no word"),
        ("a: &a [*a]\n", "recursion"),
        ("a: 2025-13-01\n", "month"),
        ("a: " + "[" * 200_000 + "]" * 200_000, "nested more than 100 deep"),
        ("- " * 200_000, "nested more than 100 deep"),
    ],
)
def test_what_is_no_plain_data_is_refused(text: str, found: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        yaml_document.read(write(tmp_path, text))
    (problem,) = caught.value.problems
    assert problem.code == "yaml-syntax"
    assert found in problem.found
