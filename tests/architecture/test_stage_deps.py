"""DVC does not follow imports: each stage's `deps` are held to what its code imports and to the artifacts it names.

A dep too few and a change is missed; one too many and stages run for nothing.
"""

from __future__ import annotations

import ast
from pathlib import PurePosixPath

import pytest

from candlelock.contracts import files
from tests.architecture.code_tree import ROOT, closure, modules, own_module
from tests.architecture.file_use import files_used, names_not_followed
from tests.architecture.flow_file import HEAD, covers, read_yaml, stages

ALWAYS = {"requirements.lock", "stages/__main__.py"}
STAGES = stages()
OWN = files.HeadFiles(HEAD)
ELSEWHERE = {  # what a stage writes and reads in temporary projects of its own
    "controls": {
        *(str(path) for path in (files.PARAMS, files.ORDER_BOOKS, OWN.models / "threshold.json")),
        *(str(OWN.report(name)) for name in ("evaluation.json", "backtest.json", "*.json")),
        *(str(path) for path in (OWN.models, OWN.predictions)),
    }
}


def _code(stage: str) -> set[str]:
    """Files with code that the stage runs; package files hold a docstring only and count for nothing."""
    loaded = closure(["stages.__main__", f"stages.{stage}"])
    return {modules()[name].place for name in loaded if modules()[name].path.name != "__init__.py"}


def _package_data(stage: str) -> set[str]:
    """Folders of packages that the stage's code names in text, as those do who read files shipped inside a package."""
    texts = {
        node.value
        for name in closure(["stages.__main__", f"stages.{stage}"])
        for node in ast.walk(modules()[name].tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    packages = {text for text in texts if "." in text and own_module(text) == text}
    return {modules()[name].path.parent.relative_to(ROOT).as_posix() for name in packages}


def _is_code(path: str) -> bool:
    return path.startswith(("src/", "stages/"))


def _meet(used: str, declared: str) -> bool:
    """Whether a path that code names, with `*` in it or not, and one of dvc.yaml have a file in common."""
    return covers(declared, used) or covers(used, declared) or PurePosixPath(declared).match(used)


@pytest.mark.parametrize("stage", STAGES)
def test_code_that_runs_is_a_dep(stage: str) -> None:
    needed = _code(stage) | _package_data(stage) | ALWAYS
    missing = sorted(path for path in needed if not any(covers(dep, path) for dep in STAGES[stage].deps))
    assert not missing, f"add to the deps of {stage} in dvc.yaml: {missing}"


@pytest.mark.parametrize("stage", STAGES)
def test_a_dep_on_code_is_code_that_runs(stage: str) -> None:
    code = _code(stage) | _package_data(stage)
    idle = [dep for dep in STAGES[stage].deps if _is_code(dep) and not any(covers(dep, path) for path in code)]
    assert not idle, f"take from the deps of {stage} in dvc.yaml: {idle}"


@pytest.mark.parametrize("stage", STAGES)
def test_an_artifact_that_code_names_is_a_dep_or_an_out(stage: str) -> None:
    declared = [*STAGES[stage].deps, *STAGES[stage].outs]
    used = files_used(stage) - {str(files.DOWNLOADS)}  # what was fetched is checked against a hash in the code
    used -= {str(files.SEARCHES / "*")}  # a killed run's trials are continued under a hash of all they follow from
    used -= ELSEWHERE.get(stage, set())
    missing = sorted(
        path for path in used if not any(covers(one, path) or PurePosixPath(one).match(path) for one in declared)
    )
    assert not missing, f"add to the deps or outs of {stage} in dvc.yaml: {missing}"


@pytest.mark.parametrize("stage", STAGES)
def test_a_dep_or_out_is_an_artifact_that_code_names(stage: str) -> None:
    given = {read_yaml("params.yaml")["snapshot"]["files"]["path"]}  # a place the user chooses, read by `snapshot`
    used = files_used(stage) | (given if stage == "snapshot" else set())
    declared = [*STAGES[stage].outs, *(dep for dep in STAGES[stage].deps if dep not in ALWAYS and not _is_code(dep))]
    idle = [one for one in declared if not any(_meet(path, one) for path in used)]
    assert not idle, f"the code of {stage} names none of these of dvc.yaml: {idle}"


@pytest.mark.parametrize("stage", STAGES)
def test_deps_stand_once(stage: str) -> None:
    assert len(set(STAGES[stage].deps)) == len(STAGES[stage].deps)


def test_artifacts_are_named_as_these_tests_follow_them() -> None:
    assert names_not_followed() == [], "call it `own`"
