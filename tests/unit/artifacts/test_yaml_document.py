from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
