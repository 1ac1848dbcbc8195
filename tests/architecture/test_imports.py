"""Who may import whom, what stays in which package, and how large things may grow."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.code_tree import ROOT, Import, Module, loaded_by, modules, own_module, package_of

LIBRARY = {name: module for name, module in modules().items() if name.startswith("candlelock")}
STAGE_FILES = {name: module for name, module in modules().items() if name.startswith("stages")}

BELOW = {"contracts", "artifacts"}
DATA = {"snapshot", "features", "split", "calibrate", "evaluate", "card"}  # siblings: none knows another
ALLOWED = {
    "contracts": set[str](),
    "artifacts": {"contracts"},
    "terminal": set[str](),
    "page": {"contracts"},
    **dict.fromkeys(DATA, BELOW),
    **dict.fromkeys(("snapshot", "card"), BELOW | {"page"}),
    "select": BELOW | {"split"},
    "train": BELOW | {"split", "select"},
    "causality": BELOW | {"features"},
    "leakage": BELOW | {"causality", "features", "split", "select", "train"},
    "simulator": BELOW | {"snapshot"},
    "orderbook": BELOW,
    "reference": BELOW | {"features", "page"},
    "serve": BELOW | {"features", "split", "select", "train", "calibrate"},
    **dict.fromkeys(
        ("audit", "monitor", "registry"),
        BELOW | DATA | {"causality", "leakage", "orderbook", "select", "train", "serve"},
    ),
}
ALLOWED["cli"] = ALLOWED["stages"] = set(ALLOWED)

# What -> the names it goes by, and the modules or packages that may use them.
CONFINED = {
    "the exchange client": ({"ccxt"}, {"candlelock.snapshot"}),
    "learning libraries": ({"lightgbm", "xgboost", "torch", "catboost"}, {"candlelock.train", "candlelock.serve"}),
    "the search": ({"optuna", "hyperopt"}, {"candlelock.train"}),
    "printing": ({"builtins.print", "sys.stdout", "sys.stderr"}, {"candlelock.cli"}),
    "the environment": (
        {"os.environ", "os.getenv", "os.putenv"},
        {"candlelock.cli", "candlelock.artifacts.numeric_environment"},
    ),
    "the working directory": ({"os.getcwd", "os.chdir", "pathlib.Path.cwd", "pathlib.Path.home"}, {"candlelock.cli"}),
    "params.yaml": ({"candlelock.contracts.files.PARAMS"}, {"candlelock.artifacts.user_files"}),
    "the clock": (
        {"time", "datetime.datetime.now", "datetime.datetime.today", "datetime.date.today"},
        {
            "candlelock.cli.benchmark",
            "candlelock.cli.data",
            "candlelock.evaluate.latency",
            "candlelock.leakage.module.clock",
            "candlelock.snapshot.exchange.client",
            "candlelock.terminal.progress",
        },
    ),
    "chance without a seed": ({"random", "secrets", "uuid", "os.urandom"}, set[str]()),
    "code in data": (
        {"pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal", "torch.load", "torch.save"},
        set[str](),
    ),
    "code in text": ({"builtins.eval", "builtins.exec"}, set[str]()),
    "imports these tests cannot follow": (
        {"importlib.import_module", "importlib.util", "runpy", "builtins.__import__"},
        {"candlelock.features.plugins"},
    ),
}

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FOR_DEVELOPERS = {"dev", "bench", "oracles"}
OPTIONAL = {name: lines for name, lines in PROJECT["optional-dependencies"].items() if name not in FOR_DEVELOPERS}
OTHER_NAME = {
    "sklearn": "scikit-learn",
    "ruamel": "ruamel.yaml",
    "xgboost": "xgboost-cpu",
    "pydantic_core": "pydantic",
    "yaml": "pyyaml",
}
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "core", "manager"}
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_STAGE_LINES = 400, 40, 50


def test_every_package_has_its_place() -> None:
    unplaced = {package_of(name) for name in LIBRARY} - set(ALLOWED) - {""}
    assert not unplaced, f"say in {Path(__file__).name} whom {sorted(unplaced)} may import"


def test_imports_point_downwards() -> None:
    """Type-only imports keep to the same rule: what only the type checker needs still couples packages."""
    wrong = [
        f"{module.place}:{each.line} {package_of(name)} imports {each.target}"
        for name, module in modules().items()
        for each in module.imports
        if (own := own_module(each.target))
        and package_of(own) not in ALLOWED.get(package_of(name), set()) | {package_of(name), ""}
    ]
    assert not wrong, "\n".join(wrong)


def test_stages_do_not_import_each_other() -> None:
    """But for the controls, which run the others on other candles."""
    others = {name: module for name, module in STAGE_FILES.items() if name != "stages.controls"}
    wrong = {name: found for name, module in others.items() if (found := loaded_by(module) & set(STAGE_FILES))}
    assert not wrong


def test_imports_are_absolute() -> None:
    wrong = [f"{m.place}:{each.line}" for m in modules().values() for each in m.imports if each.target.startswith(".")]
    assert not wrong


def test_no_import_goes_in_a_circle() -> None:
    graphlib.TopologicalSorter({name: loaded_by(module) for name, module in modules().items()}).prepare()


@pytest.mark.parametrize("what", CONFINED)
def test_it_stays_where_it_belongs(what: str) -> None:
    names, homes = CONFINED[what]
    wrong = sorted(
        f"{module.place}:{line} {dotted}"
        for module in LIBRARY.values()
        if not _is_within(module.name, homes)
        for dotted, line in module.names
        if _is_within(dotted, names)
    )
    assert not wrong, f"{what} belongs in {sorted(homes) or 'no module'}:\n" + "\n".join(wrong)


def _is_within(dotted: str, names: set[str]) -> bool:
    return any(dotted == name or dotted.startswith(f"{name}.") for name in names)


def test_only_the_command_line_starts_from_the_working_directory() -> None:
    wrong = [
        f"{module.place}:{node.lineno}"
        for module in LIBRARY.values()
        if package_of(module.name) != "cli"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and module.resolve(node.func) == "pathlib.Path" and not node.args
    ]
    assert not wrong, f"take a root as an argument: {wrong}"


def test_checks_survive_python_O() -> None:  # noqa: N802
    wrong = [
        f"{module.place}:{node.lineno}"
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assert)
    ]
    assert not wrong, f"`python -O` drops assert; raise an error instead: {wrong}"


def test_package_files_hold_a_docstring_only() -> None:
    inits = [module for module in modules().values() if module.path.name == "__init__.py"]
    wrong = [m.place for m in inits if len(m.tree.body) != 1 or ast.get_docstring(m.tree) is None]
    assert not wrong


def test_what_is_imported_is_asked_for() -> None:
    asked = _asked(PROJECT["dependencies"])
    known = asked | set(sys.stdlib_module_names) | {"candlelock", "stages", "__future__"}
    wrong = {
        f"{module.place}:{each.line} {top}"
        for module in modules().values()
        for each in module.imports
        if OTHER_NAME.get(top := each.target.split(".")[0], top) not in known | _optional_here(module, each)
    }
    assert not wrong, "not among the dependencies in pyproject.toml:\n" + "\n".join(sorted(wrong))


def _asked(lines: list[str]) -> set[str]:
    return {re.split(r"[<>=!~ \[;]", line)[0].lower() for line in lines}


def _optional_here(module: Module, each: Import) -> set[str]:
    """The optional packages that may be imported there: in a `try` of a function, which says what is missing."""
    tries = [node for node in ast.walk(module.tree) if isinstance(node, ast.Try)]
    is_tried = any(node.lineno <= each.line <= node.handlers[0].lineno for node in tries if node.handlers)
    inside = [node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef)]
    is_inside = any(node.lineno <= each.line <= (node.end_lineno or 0) for node in inside)
    return _asked([line for lines in OPTIONAL.values() for line in lines]) if is_tried and is_inside else set()


def test_an_optional_package_is_the_only_one_of_the_extra_of_its_name() -> None:
    """So that the line that an error gives installs it."""
    assert {name: _asked(lines) for name, lines in OPTIONAL.items()} == {name: {name} for name in OPTIONAL}


def _python_files() -> list[Path]:
    """What git knows or would add: no environments, no caches."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for line in answer.stdout.splitlines() if (path := ROOT / line).is_file()]


def test_names_say_what_is_inside() -> None:
    places = [path.relative_to(ROOT).with_suffix("") for path in _python_files()]
    assert not [place for place in places if VAGUE & set(place.parts)]


def test_files_and_functions_stay_small() -> None:
    wrong = []
    for path in _python_files():
        place, text = path.relative_to(ROOT), path.read_text(encoding="utf-8")
        most = MAX_STAGE_LINES if place.parts[0] == "stages" else MAX_FILE_LINES
        n_lines = len(text.splitlines())
        if n_lines > most:
            wrong.append(f"{place}: {n_lines} lines, at most {most}")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                n_lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if n_lines > MAX_FUNCTION_LINES:
                    wrong.append(f"{place}:{node.lineno} {node.name}: {n_lines} lines, at most {MAX_FUNCTION_LINES}")
    assert not wrong, "\n".join(wrong)
