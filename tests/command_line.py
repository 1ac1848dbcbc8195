"""The command line in this process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from candlelock.cli import main as cli

if TYPE_CHECKING:
    from collections.abc import Callable


def make_call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *before: str
) -> Callable[..., tuple[int, str, str]]:
    """What runs `candlelock [before] …`: exit code, standard output, standard error; never a traceback."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["candlelock", *before, *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out
        code = ended.value.code
        return (code if isinstance(code, int) else 0 if code is None else 1), said.out, said.err

    return call
