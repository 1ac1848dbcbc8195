"""Labelled rows of anybody's table, as plain arrays: what every check of time and rows looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from candlelock.contracts.documents import utc_text
from candlelock.contracts.leakage_documents import LeakCheck

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from candlelock.contracts.leakage_documents import Leak

Times = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
MAX_FINDINGS = 50  # of a check that are listed
LEFT_OUT = -1


@dataclass(frozen=True)
class LabelledRows:
    """A line per row, in any order; times in milliseconds since 1970 UTC.

    `symbol`: number in `symbols`. `label_end_ms` counts only where `is_known`, that is, where there is a label. `part`:
    number in `parts`, which stand in the order of time that they claim (train first, test last); LEFT_OUT in none.
    """

    symbols: tuple[str, ...]
    symbol: npt.NDArray[np.int64]
    decision_ms: Times
    label_end_ms: Times
    is_known: Mask
    parts: tuple[str, ...]
    part: npt.NDArray[np.int64]

    def of_part(self, number: int) -> Mask:
        """Rows of a part that have a label."""
        mask: Mask = self.is_known & (self.part == number)
        return mask

    def symbol_at(self, row: int) -> str:
        """Name of a row's symbol."""
        return self.symbols[int(self.symbol[row])]


def leak_check(
    name: str, what: str, n_compared: int, findings: Sequence[Leak], evidence: Mapping[Any, object] | None = None
) -> LeakCheck:
    """A check with all its findings; passed when there is none."""
    return LeakCheck(
        name=name,
        what=what,
        passed=not findings,
        n_compared=n_compared,
        n_findings=len(findings),
        evidence=dict(evidence or {}),
        findings=list(findings[:MAX_FINDINGS]),
    )


def when(time_ms: float | np.integer) -> str:
    """RFC 3339 text of a time, to the second."""
    return utc_text(int(time_ms))
