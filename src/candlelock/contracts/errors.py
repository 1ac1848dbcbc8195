"""Errors a user can act on: a stable code, the place, what was found, what was expected, how to mend it."""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EXIT_CHECK_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_ENVIRONMENT = 3


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the input. `place` names a file and, where known, the line, row, column or key."""

    code: str
    place: str
    found: str
    expected: str
    help: str

    def __str__(self) -> str:
        return (
            f"error[{self.code}] {self.place}\n  found     {self.found}\n"
            f"  expected  {self.expected}\n  help      {self.help}"
        )

    def as_dict(self) -> dict[str, str]:
        """The same as a JSON object."""
        return asdict(self)


class CandlelockError(Exception):
    """Base of all errors meant for a user: carries every problem found at once and the exit code."""

    exit_code = EXIT_BAD_INPUT

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InputError(CandlelockError):
    """The input is wrong: a file, a parameter, an argument. Nothing was written."""


class EnvironmentFaultError(CandlelockError):
    """The machine lacks something: a package, a tool, the network."""

    exit_code = EXIT_ENVIRONMENT


def nearest(name: str, known: Sequence[str]) -> str:
    """A help line that names the known word closest to `name`, or all of them when none is close."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(known))}"


def raise_if(problems: Sequence[Problem]) -> None:
    """Raise one InputError with all problems, if there are any."""
    if problems:
        raise InputError(problems)
