"""dvc.yaml as a whole: one place for each output, in the order of the flow, safe to kill, safe to publish."""

from __future__ import annotations

import ast
import configparser
import itertools
import re
import subprocess

import pytest

from tests.architecture.code_tree import ROOT, modules
from tests.architecture.flow_file import HEAD, covers, read_yaml, stages

STAGES = stages()
FLOW = read_yaml("dvc.yaml")
BODIES = FLOW["stages"]
SECRET = re.compile(r"password|passphrase|secret|token|access_key|account_key|connection_string|sas|credential")


def _git(*arguments: str) -> set[str]:
    command = ["git", *arguments]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines())


def _named_in_entry_point(name: str) -> list[str]:
    """A tuple of stages/__main__.py."""
    assigned = [node for node in modules()["stages.__main__"].tree.body if isinstance(node, ast.Assign)]
    values = [node.value for node in assigned if ast.unparse(node.targets[0]) == name]
    return list(ast.literal_eval(values[0])) if values else []


def test_each_output_has_a_place_of_its_own() -> None:
    """Of one head and of two."""
    templated = [stage for name, stage in stages("another").items() if "do" in BODIES[name]]
    outs = [out for stage in (*STAGES.values(), *templated) for out in stage.outs]
    shared = [(one, two) for one, two in itertools.combinations(outs, 2) if covers(one, two) or covers(two, one)]
    assert not shared


def test_every_stage_is_described() -> None:
    wrong = [name for name, stage in STAGES.items() if not stage.desc]
    assert not wrong


def test_stages_are_those_of_the_entry_point_and_of_the_folder() -> None:
    per_head = [name for name in STAGES if "do" in BODIES[name]]
    whole = [name for name in STAGES if name not in per_head]
    files = {name.removeprefix("stages.") for name in modules() if name.startswith("stages.")} - {"__main__"}
    assert _named_in_entry_point("WHOLE") == whole
    assert _named_in_entry_point("PER_HEAD") == per_head
    assert files == set(STAGES)


def test_a_dep_is_in_git_or_comes_from_an_earlier_stage() -> None:
    there, wrong = _git("ls-files", "--cached", "--others", "--exclude-standard"), []
    for name, stage in STAGES.items():
        wrong += [(name, dep) for dep in stage.deps if not any(covers(dep, p) or covers(p, dep) for p in there)]
        there |= set(stage.outs)
    assert not wrong


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_runs_the_stage_itself(stage: str) -> None:
    """Without `exec` a shell stands between, and the stage would outlive a killed dvc."""
    head = f" {HEAD}" if "do" in BODIES[stage] else ""
    assert STAGES[stage].cmd == f"exec python -m stages {stage}{head}"


@pytest.mark.parametrize("stage", STAGES)
def test_the_last_good_output_stays_until_there_is_a_new_one(stage: str) -> None:
    wrong = [out for out, options in STAGES[stage].outs.items() if options.get("persist") is not True]
    assert not wrong, f"add {{persist: true}} to {wrong}"


def test_git_ignores_what_dvc_keeps_and_nothing_else() -> None:
    outs = {out: options.get("cache", True) for stage in STAGES.values() for out, options in stage.outs.items()}
    ignored = _git("check-ignore", *outs)
    assert ignored == {out for out, is_cached in outs.items() if is_cached}


def test_no_stage_is_kept_from_being_checked() -> None:
    assert not [name for name, body in BODIES.items() if {"frozen", "always_changed"} & set(body.get("do", body))]


def test_plots_show_outputs() -> None:
    outs = {out for stage in STAGES.values() for out in stage.outs}
    plots = [plot for entry in FLOW["plots"] for plot in entry.values()]
    shown = {path for plot in plots for axis in ("x", "y") for path in plot[axis]}
    assert shown
    assert shown <= outs


def test_dvc_settings_hold_no_secrets_and_report_to_nobody() -> None:
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / ".dvc" / "config", encoding="utf-8")
    settings = [(section, key, value) for section in config.sections() for key, value in config[section].items()]
    assert config["core"]["analytics"] == "false"
    assert not [(section, key) for section, key, value in settings if SECRET.search(key) or "@" in value]
    assert _git("check-ignore", ".dvc/config.local"), "git would take credentials"
