"""`candlelock features …`: what it prints and writes, and with which exit code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from candlelock.artifacts.user_files import read_catalogue
from candlelock.contracts import files
from tests.pages import Page
from tests.pipeline.project import change_params

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, str, str]]

ROOT = Path(__file__).resolve().parents[3]
CATALOGUE = read_catalogue(ROOT)
CODE = "print('hello from mine')\n\n\ndef f(frame):\n    return {'z_1': frame['low']}\n"
ENTRY = (
    "name: z_1, group: mine, dtype: float64, unit: u, warmup_bars: 0, inputs: [low], available_at: close, formula: f z"
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that nothing was built in, with a plug-in; the working directory."""
    for name in (files.PARAMS, files.REGISTRY):
        shutil.copy(ROOT / name, tmp_path / name)
    change_params(tmp_path, {"features": {"groups": ["returns", "time"], "plugins": ["mine.py"]}})
    (tmp_path / files.PLUGINS).mkdir()
    (tmp_path / files.PLUGINS / "mine.py").write_text(CODE)
    (tmp_path / files.PLUGINS / "mine.yml").write_text(f"features:\n  - {{{ENTRY}}}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(root: Path, candlelock: Run) -> Run:
    """Run `candlelock features …` there."""

    def call(*words: str) -> tuple[int, str, str]:
        return candlelock("features", *words)

    return call


def test_list_names_every_feature_and_says_which_are_on(run: Run) -> None:
    code, out, _ = run("list")
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert code == 0
    assert {each.name for each in CATALOGUE} | {"z_1"} <= set(lines)
    assert " on " in lines["return_1"]
    assert " on " in lines["z_1"]
    assert " off " in lines["rsi_14"]
    assert " off " in lines["month"], "left out by features.exclude"
    n_on = sum(each.group in ("returns", "time") for each in CATALOGUE)  # and z_1, less month
    assert out.endswith(f"{len(CATALOGUE) + 1} features, {n_on} switched on\n")


def test_list_and_show_bear_parameters_that_exclude_what_is_off(root: Path, run: Run) -> None:
    change_params(root, {"features": {"groups": ["returns"]}})  # and exclude month, whose group is off
    assert run("list")[0] == 0
    assert "switched   off" in run("show", "month")[1]


def test_list_takes_one_group_and_prints_json(run: Run) -> None:
    _, out, _ = run("list", "--group", "mine", "--json")
    (listed,) = json.loads(out)
    assert (listed["name"], listed["is_on"], listed["range"], listed["warmup_days"]) == ("z_1", True, None, 0)
    _, out, _ = run("list", "--group", "momentum", "--json")
    assert {(each["group"], each["is_on"]) for each in json.loads(out)} == {("momentum", False)}
    code, _, err = run("list", "--group", "return")
    assert (code, "did you mean 'returns'?" in err) == (2, True)


def test_show_says_everything_of_a_feature(run: Run) -> None:
    entry = next(each for each in CATALOGUE if each.warmup_days and each.warmup_bars)
    code, out, _ = run("show", entry.name, "--timeframe", "1d")
    assert code == 0
    for said in (entry.formula, entry.unit, entry.group, *entry.inputs, f"on 1d: {entry.warmup(86_400_000)} bars"):
        assert said in out
    assert "switch it on" in out


def test_show_prints_json(run: Run) -> None:
    _, out, _ = run("show", "return_6", "--json")
    shown = json.loads(out)
    assert shown["warmup"] == {"timeframe": "30m", "bars": 6, "milliseconds": 6 * 1_800_000}
    assert (shown["name"], shown["is_on"], shown["values"]) == ("return_6", True, [])


@pytest.mark.parametrize(
    ("words", "code", "help_line"),
    [
        (("show", "return_11"), "feature-unknown", "did you mean 'return_1"),
        (("show", "qqqq"), "feature-unknown", "`candlelock features list` names all"),
        (("show", "return_1", "--timeframe", "1x"), "timeframe-unknown", "such as 5m"),
        (("validate", "features.yml", "--timeframe", "m"), "timeframe-unknown", "such as 5m"),
        (("validate", "no.yml"), "yaml-missing", ""),
        (("validate", "no.py"), "plugin-missing", ""),
    ],
)
def test_wrong_words_are_a_clear_error(words: tuple[str, ...], code: str, help_line: str, run: Run) -> None:
    exit_code, _, err = run(*words)
    assert exit_code == 2
    assert f"error[{code}]" in err
    assert help_line in err


def test_validate_finds_nothing_in_what_is_sound(run: Run) -> None:
    assert run("validate", "features.yml", "--plugins", "plugins/mine.py") == (
        0, "ok      features.yml\nok      plugins/mine.py\n", "hello from mine\n" * 2,
    )  # fmt: skip


@pytest.mark.parametrize("file", ["plugins/mine.py", "plugins/mine.yml"])
def test_validate_takes_either_file_of_a_plug_in_and_keeps_its_words_out_of_the_json(
    file: str, root: Path, run: Run
) -> None:
    assert json.loads(run("validate", file, "--json")[1]) == {"is_valid": True, "problems": []}
    registry = root / "plugins/mine.yml"
    registry.write_text(registry.read_text().replace("z_1", "return_1"))
    code, out, _ = run("validate", file, "--json")
    found = json.loads(out)
    assert (code, found["is_valid"]) == (1, False)
    assert [(each["code"], each["place"]) for each in found["problems"]] == [
        ("plugin-name-taken", "plugins/mine.yml:2 return_1"),
        ("feature-without-function", "plugins/mine.yml:2 return_1"),
        ("feature-without-entry", "plugins/mine.yml z_1"),
    ]


def test_validate_prints_every_problem_and_exits_with_1(root: Path, run: Run) -> None:
    registry = root / files.REGISTRY
    text = (
        registry.read_text().replace("name: return_2,", "name: return_22,").replace("group: patterns", "group: pattern")
    )
    registry.write_text(text)
    code, out, _ = run("validate", "features.yml")
    assert code == 1
    assert "return_22" in out
    n_patterns = sum(each.group == "patterns" for each in CATALOGUE)
    assert out.count("error[registry-invalid]") == n_patterns
    assert out.count("error[feature-without-function]") == n_patterns + 1


def test_doc_writes_the_table_of_the_docs(root: Path, run: Run) -> None:
    assert run("doc", "--markdown", "new/table.md") == (0, "markdown new/table.md\n", "")
    assert (root / "new/table.md").read_text() == (ROOT / "docs/features.md").read_text()


def test_doc_writes_a_page_without_plots_where_nothing_is_built(root: Path, run: Run) -> None:
    code, out, _ = run("doc", "--json")
    assert (code, json.loads(out)) == (
        0, {"out": "reports/features.html", "n_features": len(CATALOGUE) + 1, "n_plots": 0},
    )  # fmt: skip
    words = Page((root / "reports/features.html").read_text()).text()
    assert "From the plug-in mine.py." in words
    assert "f z" in words


def test_doc_plots_a_symbol_of_the_snapshot_and_show_tells_its_values(
    root: Path, run: Run, built_project: Path
) -> None:
    shutil.copytree(built_project / files.SNAPSHOT, root / files.SNAPSHOT)
    shutil.copytree(built_project / files.FEATURES, root / files.FEATURES)
    change_params(root, {"snapshot": {"timeframe": "1h"}})
    code, out, _ = run("doc", "--out", "page.html", "--symbol", "BBB/USD", "--bars", "50", "--json")
    assert code == 0
    assert json.loads(out)["n_plots"] > 200
    page = Page((root / "page.html").read_text())
    page.require_nothing_outside()
    assert "plots of BBB/USD, bars of 1 h" in page.text()
    code, _, err = run("doc", "--symbol", "BBB/EUR")
    assert (code, "did you mean 'BBB/USD'?" in err) == (2, True)
    values = json.loads(run("show", "return_1", "--json")[1])["values"]
    assert [each["symbol"] for each in values] == ["AAA/USD", "BBB/USD", "CCC/USD"]
    assert values[0]["quantiles"]["1%"] < 0 < values[0]["quantiles"]["99%"]
    assert "AAA/USD" in run("show", "return_1")[1]
