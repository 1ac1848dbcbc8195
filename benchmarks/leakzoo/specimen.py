"""What every area of the zoo is made of: specimens, each a leak or a clean look-alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from candlelock.features.market import Market

    Examine = Callable[[Market, int], Mapping[str, set[str]]]


@dataclass(frozen=True)
class Specimen:
    """One leak, or one clean look-alike.

    `name`: unique in the zoo. `is_core`: one of the leaks that anybody would list. `codes`: any of them is the right
    reason; none for a clean one. `also`: codes that are true of it and no alarm. `what`: one short line.
    """

    name: str
    area: str
    is_leak: bool
    is_core: bool
    codes: frozenset[str]
    what: str
    also: frozenset[str] = frozenset()

    def is_caught(self, found: set[str]) -> bool:
        """Whether a leak was found for the right reason."""
        return self.is_leak and bool(self.codes & found)

    def is_false_alarm(self, found: set[str]) -> bool:
        """Whether something untrue was said of a clean one."""
        return not self.is_leak and bool(found - self.also)


@dataclass(frozen=True)
class Area:
    """Part of the zoo: its specimens, and the examination of all of them on one market with one seed.

    `examine` gives for each name the codes that were found; a name may be missing where nothing was.
    """

    name: str
    specimens: tuple[Specimen, ...]
    examine: Examine
