"""docs/commands.md names every command and option, docs/errors.md every error code, and neither names anything else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from candlelock.cli.main import app
from tests.architecture.code_tree import ROOT
from tests.architecture.error_codes import error_codes

if TYPE_CHECKING:
    from collections.abc import Iterator


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command with its path, groups among them."""
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, f"{path} {name}")


def _sections() -> dict[str, str]:
    """Heading of docs/commands.md that is a command, without the backticks -> the text below it."""
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    parts = re.split(r"^## `(.+)`$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


COMMANDS = dict(_commands(typer.main.get_command(app), "candlelock"))


@pytest.mark.parametrize("path", [path for path, command in COMMANDS.items() if not getattr(command, "commands", {})])
def test_every_command_has_a_section_with_its_options(path: str) -> None:
    section = _sections().get(path, "")
    assert section, f"docs/commands.md has no section ## `{path}`"
    for parameter in COMMANDS[path].params:
        for name in parameter.opts:
            shown = f"`{name}`" if name.startswith("-") else f"`{name.upper()}`"
            assert shown in section, f"docs/commands.md says nothing of {shown} of {path}"
    assert "Exit code" in section


def test_options_before_the_command_have_a_section() -> None:
    for parameter in COMMANDS["candlelock"].params:
        assert f"`{parameter.opts[0]}`" in _sections()["candlelock"]


@pytest.mark.parametrize("path", _sections())
def test_no_section_is_left_over(path: str) -> None:
    assert path in COMMANDS
    known = {name for parameter in COMMANDS[path].params for name in parameter.opts} | {"--help"}
    named = set(re.findall(r"^- `(--[a-z-]+)`", _sections()[path], flags=re.MULTILINE))
    assert named <= known


def test_every_code_can_be_followed() -> None:
    lost = [place for place, codes in error_codes().items() if not codes]
    assert not lost, f"give the code as text, so that it can be documented: {lost}"


def test_error_codes_are_those_of_the_page() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z0-9-]+)` \|", page, flags=re.MULTILINE)
    made = set().union(*error_codes().values())
    assert len(listed) == len(set(listed))
    assert made - set(listed) == set(), "add to docs/errors.md"
    assert set(listed) - made == set(), "take from docs/errors.md"
