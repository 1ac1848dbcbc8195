from __future__ import annotations

import pytest

from candlelock.contracts import errors
from candlelock.contracts.errors import InputError, Problem, nearest, raise_if

FIRST = Problem("params-bad-value", "params.yaml:6 seed", "'4'", "a number", "see docs/params.md")
SECOND = Problem("head-unknown", "params.yaml:93 heads", "'x'", "a head", "known: direction")


def test_an_error_shows_every_problem_with_all_its_parts() -> None:
    assert str(InputError([FIRST, SECOND])) == (
        "error[params-bad-value] params.yaml:6 seed\n"
        "  found     '4'\n"
        "  expected  a number\n"
        "  help      see docs/params.md\n"
        "error[head-unknown] params.yaml:93 heads\n"
        "  found     'x'\n"
        "  expected  a head\n"
        "  help      known: direction"
    )
    assert InputError(FIRST).problems == (FIRST,)
    assert InputError(problem for problem in (FIRST, SECOND)).problems == (FIRST, SECOND)


def test_a_problem_as_json_has_the_same_parts() -> None:
    assert FIRST.as_dict() == {
        "code": "params-bad-value",
        "place": "params.yaml:6 seed",
        "found": "'4'",
        "expected": "a number",
        "help": "see docs/params.md",
    }


def test_exit_codes_are_those_the_command_line_documents() -> None:
    kinds = (errors.InputError, errors.EnvironmentFaultError)
    assert [errors.EXIT_CHECK_FAILED, *(kind.exit_code for kind in kinds)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "help_line"),
    [
        ("min_row", "did you mean 'min_rows'?"),
        ("MIN_ROWS", "known: files, min_rows, source"),
        ("embargo", "known: files, min_rows, source"),
        ("", "known: files, min_rows, source"),
    ],
)
def test_nearest_names_a_close_word_or_all(name: str, help_line: str) -> None:
    assert nearest(name, ["source", "min_rows", "files"]) == help_line


def test_no_problem_raises_nothing_and_several_raise_once() -> None:
    raise_if([])
    with pytest.raises(InputError) as caught:
        raise_if([FIRST, SECOND])
    assert caught.value.problems == (FIRST, SECOND)
