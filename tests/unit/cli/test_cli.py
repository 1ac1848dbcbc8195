"""The command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.main import get_command

from candlelock.artifacts import documents
from candlelock.artifacts.user_files import read_params, read_registry
from candlelock.cli import main as cli
from candlelock.contracts.card_document import ModelCard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[3]
CARD = "reports/direction/model_card.json"


def commands(command: Any, *path: str) -> Iterator[tuple[str, ...]]:
    """Every command and group by the words that call it."""
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, *path, name)


COMMANDS = list(commands(get_command(cli.app)))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command in this process: exit code, standard output, standard error."""
    monkeypatch.delenv("CANDLELOCK_DEBUG", raising=False)

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["candlelock", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        code = ended.value.code
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out
        return (code if isinstance(code, int) else 0 if code is None else 1), said.out, said.err

    return call


def start(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a process of its own."""
    command = [str(Path(sys.executable).with_name("candlelock")), *words]
    return subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, encoding="utf-8", check=False
    )


def test_there_are_the_documented_commands() -> None:
    names = {" ".join(path) for path in COMMANDS}
    assert names >= {"", "check", "doctor", "card", "card show", "card validate", "card diff"}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...], run: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = run(*path, "--help")
    assert (code, err) == (0, "")
    command = get_command(cli.app)
    for name in path:
        command = command.commands[name]  # type: ignore[attr-defined]
    for parameter in command.params:
        if parameter.param_type_name == "option":
            assert parameter.opts[0] in out
        assert parameter.name == "help" or getattr(parameter, "help", None)
    assert command.help
    assert command.help.partition(".")[0].split("\n")[0] in " ".join(out.split())


def test_help_and_version_load_no_numeric_library(tmp_path: Path) -> None:
    code = "import sys; from candlelock.cli import main as cli\nsys.argv = ['candlelock', sys.argv[1]]\n"
    code += "try: cli.main()\nexcept SystemExit as end: assert not end.code\n"
    code += "print(sorted({'numpy', 'pandas', 'pyarrow', 'pydantic', 'rich.console', 'torch'} & set(sys.modules)))"
    for option, expected in (("--help", "Exit codes: 0 fine, 1 a check failed"), ("--version", version("candlelock"))):
        answer = subprocess.run(
            [sys.executable, "-c", code, option], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert expected in answer.stdout
        assert answer.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "words",
    [("chekc",), ("card", "shwo"), ("check", "--rot", "."), ("card", "validate"), ("card", "diff", "one.json"), ()],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(words: tuple[str, ...], run: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = run(*words)
    assert code == 2
    assert "Usage" in out + err


def test_check_says_what_it_found(run: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = run("check", "--root", str(ROOT))
    assert (code, err) == (0, "")
    n_features = len(read_registry(ROOT, read_params(ROOT).features))
    assert f"params.yaml and features.yml are fine: sample, {n_features} features, heads direction" in out
    code, out, err = run("check", "--root", str(ROOT), "--json")
    assert json.loads(out) == {"heads": ["direction"], "n_features": n_features, "source": "sample"}


def test_check_in_a_process_names_every_problem_on_standard_error(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text().replace("seed: 42", "seed: -1").replace("min_rows:", "min_rowz:")
    (tmp_path / "params.yaml").write_text(text)
    (tmp_path / "features.yml").write_bytes((ROOT / "features.yml").read_bytes())
    answer = start("check", cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.count("error[params-") == 3
    line = 1 + text.splitlines().index(next(line for line in text.splitlines() if line.startswith("seed:")))
    assert f"params.yaml:{line} seed" in answer.stderr
    assert "did you mean 'min_rows'?" in answer.stderr
    assert "Traceback" not in answer.stderr
    problems = json.loads(start("check", "--json", cwd=tmp_path).stdout)["problems"]
    assert [sorted(problem) for problem in problems] == [["code", "expected", "found", "help", "place"]] * 3


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    answer = start("--debug", "check", cwd=tmp_path)
    assert answer.returncode == 1
    assert "Traceback" in answer.stderr
    assert "yaml-missing" in answer.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("card", "show", "nothing.json"), "document-missing"),
        (("card", "show"), "document-missing"),
        (("card", "validate", "nothing.json"), "document-missing"),
        (("card", "diff", "nothing.json", "nothing.json"), "document-missing"),
        (("card", "show", "broken.json"), "document-not-json"),
        (("card", "show", "empty.json"), "document-invalid"),
        (("check",), "yaml-missing"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_bad_files_are_problems_not_tracebacks(
    command: tuple[str, ...],
    code: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: Callable[..., tuple[int, str, str]],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "empty.json").write_text("{}")
    exit_code, out, err = run(*command)
    assert (exit_code, out) == (2, "")
    assert f"error[{code}]" in err
    exit_code, out, err = run(*command, "--json")
    assert exit_code == 2
    assert {problem["code"] for problem in json.loads(out)["problems"]} == {code}


def test_show_prints_the_card_or_all_cards(
    built_project: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[..., tuple[int, str, str]]
) -> None:
    monkeypatch.chdir(built_project)
    card = ModelCard.model_validate_json(Path(CARD).read_text())
    code, out, err = run("card", "show")
    assert (code, err) == (0, "")
    assert f"digest {card.digest[:12]}" in out
    assert all(gate.name in out for gate in card.gates)
    assert run("card", "show", CARD)[1] == out
    code, out, _ = run("card", "show", "--json")
    assert json.loads(out) == [card.model_dump(mode="json")]


def test_show_can_print_where_the_locale_is_plain(built_project: Path) -> None:
    answer = start("card", "show", cwd=built_project, LC_ALL="C", PYTHONHASHSEED="3", COLUMNS="60")
    assert answer.returncode == 0
    assert "≥" in answer.stdout


def test_diff_between_cards(built_project: Path, tmp_path: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    before, after = built_project / CARD, tmp_path / "after.json"
    code, out, _ = run("card", "diff", str(before), str(before))
    assert (code, out) == (0, "no figure differs\n")
    card = json.loads(before.read_text())
    card["metrics"]["accuracy"] = 0.75
    card["notes"] = "[bold]better[/bold] :rocket:"
    card["latency_ms"]["p95"] += 1
    after.write_bytes(documents.to_bytes(card))
    code, out, _ = run("card", "diff", str(before), str(after))
    assert code == 0
    assert "metrics.accuracy" in out
    assert "[bold]better[/bold] :rocket:" in out
    assert "latency" not in out
    code, out, _ = run("card", "diff", str(before), str(after), "--json")
    changes = json.loads(out)
    assert [change["name"] for change in changes] == ["metrics.accuracy", "notes"]
    assert changes[0]["after"] == 0.75


def test_an_unexpected_error_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(typer.Typer, "__call__", fail)
    with pytest.raises(ZeroDivisionError):
        cli.main()
