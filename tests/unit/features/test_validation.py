"""A registry held to the functions behind it: each planted fault is found, with its line, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.contracts.errors import InputError
from candlelock.features.specimen import specimen
from candlelock.features.validation import all_problems, library_problems, plugin_problems
from tests.markets import HOUR_MS

if TYPE_CHECKING:
    from candlelock.contracts.errors import Problem

REGISTRY = Path(__file__).resolve().parents[3] / "features.yml"
LINES = REGISTRY.read_text(encoding="utf-8").splitlines()
AT = next(n for n, line in enumerate(LINES) if "name: return_3," in line)
LINE = AT + 1
FIELDS = "group: mine, dtype: float64, unit: u, warmup_bars: 0, inputs: [low], available_at: close, formula: f"


@pytest.mark.parametrize("bar_ms", [60_000, 1_800_000, HOUR_MS, 86_400_000])
def test_the_project_s_registry_has_no_problem_on_bars_of_any_length(bar_ms: int) -> None:
    assert library_problems(REGISTRY, bar_ms) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (
            "name: return_3",
            "name: return_33",
            [("feature-without-function", f":{LINE} return_33"), ("feature-without-entry", " return_3")],
        ),
        ("group: returns", "group: volume", [("feature-without-function", f":{LINE} return_3")]),
        ("bars: 3", "bars: 2", [("registry-other-facts", f":{LINE} return_3.warmup_bars")]),
        ("bars: 3", "bars: 4", [("registry-other-facts", f":{LINE} return_3.warmup_bars")]),
        ("bars: 3", "bars: 3, warmup_days: 1", [("registry-other-facts", f":{LINE} return_3.warmup_bars")]),
        ("[close]", "[open]", [("registry-other-facts", f":{LINE} return_3.inputs")]),
        ("[close]", "[close, market.close]", [("registry-other-facts", f":{LINE} return_3.inputs")]),
        ("at: close", "at: x4_close", [("registry-other-facts", f":{LINE} return_3.available_at")]),
        ("float64", "float32", [("registry-invalid", f":{LINE} {AT - LINES.index('features:') - 1}.dtype")]),
        ("name: return_3,", "", [("registry-invalid", f":{LINE} "), ("feature-without-entry", " return_3")]),
    ],
)
def test_a_fault_is_found_with_its_line(old: str, new: str, found: list[tuple[str, str]], tmp_path: Path) -> None:
    file = tmp_path / "features.yml"
    assert old in LINES[AT]
    file.write_text("\n".join([*LINES[:AT], LINES[AT].replace(old, new), *LINES[AT + 1 :]]))
    problems = library_problems(file, HOUR_MS)
    assert [problem.code for problem in problems] == [code for code, _ in found]
    for problem, (_, place) in zip(problems, found, strict=True):
        assert problem.place.startswith(f"{file}{place}")


def test_a_feature_without_entry_is_found_also_when_there_are_no_entries(tmp_path: Path) -> None:
    file = tmp_path / "features.yml"
    file.write_text("features: []\n")
    assert {problem.code for problem in library_problems(file, HOUR_MS)} == {"feature-without-entry"}
    assert len(library_problems(file, HOUR_MS)) == sum("- {name:" in line for line in LINES)


def of_plugin(folder: Path, code: str, *entries: str, others: Path | None = None) -> list[Problem]:
    path = folder / "mine.py"
    path.write_text(code)
    path.with_suffix(".yml").write_text("\n".join(["features:", *(f"  - {{{each}}}" for each in entries)]) + "\n")
    return all_problems(None, [path], others or folder / "features.yml", HOUR_MS)


def test_a_sound_plug_in_has_no_problem(tmp_path: Path) -> None:
    assert of_plugin(tmp_path, "def f(frame):\n    return {'z_1': frame['low']}\n", f"name: z_1, {FIELDS}") == []


def test_a_plug_in_s_columns_and_entries_are_held_together_by_line_also_beside_a_broken_entry(tmp_path: Path) -> None:
    code = "def f(frame):\n    return {'z_1': frame['low'], 'z_3': frame['low']}\n"
    found = of_plugin(
        tmp_path, code, f"name: z_1, {FIELDS}, dtype: x".replace("dtype: float64, ", ""), f"name: z_2, {FIELDS}"
    )
    assert [(each.code, each.place.removeprefix(f"{tmp_path}/")) for each in found] == [
        ("registry-invalid", "mine.yml:2 0.dtype"),
        ("feature-without-function", "mine.yml:3 z_2"),
        ("feature-without-entry", "mine.yml z_3"),
    ]


def test_functions_are_tried_where_prices_stand_and_nothing_is_traded(tmp_path: Path) -> None:
    code = "def f(frame):\n    return {'z_1': frame['close'] / frame['volume']}\n\n\ndef g(frame):\n    return 1\n"
    found = of_plugin(tmp_path, code, f"name: z_1, {FIELDS}", f"name: z_1, {FIELDS}")
    assert [(each.code, each.place.removeprefix(f"{tmp_path}/")) for each in found] == [
        ("registry-duplicate", "mine.yml:3"),
        ("plugin-output", "mine.py:1 f"),
        ("plugin-output", "mine.py:5 g"),
    ]
    assert "infinity" in found[1].found


def test_names_that_are_taken_are_found(tmp_path: Path) -> None:
    code = "def f(frame):\n    return {'return_3': frame['low']}\n"
    (problem,) = of_plugin(tmp_path, code, f"name: return_3, {FIELDS}", others=REGISTRY)
    assert (problem.code, problem.place) == ("plugin-name-taken", f"{tmp_path}/mine.yml:2 return_3")


def test_two_plug_ins_may_not_share_a_name(tmp_path: Path) -> None:
    for name in ("mine", "more"):
        (tmp_path / f"{name}.py").write_text("def f(frame):\n    return {'z_1': frame['low']}\n")
        entry = FIELDS.replace("group: mine", f"group: {name}")
        (tmp_path / f"{name}.yml").write_text(f"features:\n  - {{name: z_1, {entry}}}\n")
    (problem,) = all_problems(None, [tmp_path / "mine.py", tmp_path / "more.py"], REGISTRY, HOUR_MS)
    assert (problem.code, problem.place) == ("plugin-name-taken", f"{tmp_path}/more.yml:2 z_1")


def test_a_registry_and_its_plug_ins_are_checked_together(tmp_path: Path) -> None:
    file = tmp_path / "features.yml"
    file.write_text("\n".join([*LINES[:AT], LINES[AT].replace("bars: 3", "bars: 2"), *LINES[AT + 1 :]]))
    (tmp_path / "mine.py").write_text("def f(frame):\n    return {'return_3': frame['low']}\n")
    (tmp_path / "mine.yml").write_text(f"features:\n  - {{name: return_3, {FIELDS}}}\n")
    found = all_problems(file, [tmp_path / "mine.py"], file, HOUR_MS)
    assert [problem.code for problem in found] == ["registry-other-facts", "plugin-name-taken"]


@pytest.mark.parametrize("name", ["trend.py", "Mine.py", "my-features.py", "mine.txt"])
def test_a_file_whose_name_cannot_be_a_group_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("def f(frame):\n    return {'z_1': frame['low']}\n")
    (tmp_path / name).with_suffix(".yml").write_text("features: []\n")
    with pytest.raises(InputError, match="plugin-file-name"):
        plugin_problems(tmp_path / name, [], HOUR_MS)


@pytest.mark.parametrize("gone", ["mine.py", "mine.yml"])
def test_a_missing_file_is_an_error_and_no_finding(gone: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def f(frame):\n    return {'z_1': frame['low']}\n")
    (tmp_path / "mine.yml").write_text(f"features:\n  - {{name: z_1, {FIELDS}}}\n")
    (tmp_path / gone).unlink()
    with pytest.raises(InputError) as caught:
        plugin_problems(tmp_path / "mine.py", [], HOUR_MS)
    assert str(tmp_path / gone) in str(caught.value)


def test_the_made_up_candles_are_sound_and_hold_what_is_hard() -> None:
    market = specimen(600, HOUR_MS)
    columns = market.columns()
    there = market.has_bar
    assert all((np.isnan(values) == ~there).all() for values in columns.values())
    low, high = market.low[there], market.high[there]
    for name in ("open", "close"):
        assert ((columns[name][there] >= low) & (columns[name][there] <= high)).all()
    assert (low > 0).all()
    assert (columns["taker_buy_volume"][there] <= columns["volume"][there]).all()
    assert (low == high).sum() > 20
    assert (columns["volume"][there] == 0).sum() > 50
    assert 10 < (~there).sum(axis=1).min() < 60
    assert there[1].argmax() >= 60
    again = specimen(600, HOUR_MS)
    assert all(np.array_equal(again.columns()[name], values, equal_nan=True) for name, values in columns.items())
