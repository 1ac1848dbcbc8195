"""The command line in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.command_line import make_call

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def candlelock(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run `candlelock …`: exit code, standard output, standard error; never a traceback."""
    return make_call(monkeypatch, capsys)
