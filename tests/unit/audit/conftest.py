"""Card proofs without the one step that takes longer than all others together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from candlelock.artifacts import documents
from candlelock.audit import card_proof
from candlelock.contracts import files
from candlelock.contracts.leakage_documents import ControlsReport

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def controls_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Controls cost more than all other steps together: they are run by the test of the command alone."""

    def stored(root: Path, _: object) -> ControlsReport:
        return documents.read(root / files.CONTROLS_REPORT, ControlsReport)

    monkeypatch.setattr(card_proof, "make_controls", stored)
