"""features.yml: the real one parses, and its mistakes are named by line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from candlelock.artifacts.user_files import read_registry
from candlelock.contracts.errors import InputError
from candlelock.contracts.registry import Feature, parse_registry, select, table_schema
from candlelock.contracts.stage_params import FeaturesParams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candlelock.contracts.errors import Problem

ROOT = Path(__file__).resolve().parents[3]
GROUPS = ("returns", "volume", "momentum", "volatility", "trend", "time", "cross_asset")
FIELDS = "name: {}, group: {}, dtype: {}, unit: u, warmup_bars: {}, inputs: [close], available_at: close, formula: f"
ENTRY = f"  - {{{{{FIELDS}}}}}\n"


def entry(
    name: str = "a_1", group: str = "trend", dtype: str = "float64", warmup_bars: object = 3, more: str = ""
) -> str:
    return ENTRY.format(name, group, dtype, warmup_bars).replace("formula: f", f"formula: f{more}")


def features(groups: Sequence[str], plugins: Sequence[str] = ()) -> FeaturesParams:
    return FeaturesParams.model_validate(
        {"groups": list(groups), "exclude": [], "plugins": list(plugins), "symbol_columns": False}
    )


def problems_of(folder: Path, text: str, groups: tuple[str, ...] = ("trend",)) -> list[Problem]:
    (folder / "features.yml").write_text(text)
    with pytest.raises(InputError) as caught:
        read_registry(folder, features(groups))
    return list(caught.value.problems)


def test_the_real_registry_keeps_its_order_and_selects_by_group() -> None:
    entries = read_registry(ROOT, features(GROUPS))
    assert [e.name for e in entries[:3]] == ["return_1", "return_2", "return_3"]
    times = read_registry(ROOT, features(["time", "trend", "time"]))
    assert "hour_sin" in [e.name for e in times if e.group == "time"]
    assert times == select(entries, ["trend", "time"])
    assert {e.group for e in times} == {"time", "trend"}


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("features:\n" + entry() + entry(name="B-2"), ":3 1.name", "match"),
        ("features:\n" + entry() + entry(name="b_1", group="trends"), ":3 1.group", "'trend'"),
        ("features:\n" + entry(dtype="float32"), ":2 0.dtype", "'float64'"),
        ("features:\n" + entry(warmup_bars=-1), ":2 0.warmup_bars", "greater than or equal to 0"),
        ("features:\n" + entry(warmup_bars="'3'"), ":2 0.warmup_bars", "valid integer"),
        ("features:\n" + entry() + entry(name="b_1").replace(", formula: f", ""), ":3 1.formula", "required"),
        ("features:\n" + entry().replace("unit: u", "unit: u, note: x"), ":2 0.note", "not permitted"),
        ("features:\n" + entry(more=", range: [1, 0]"), ":2 0.range", "the low end 1 below the high end 0"),
        ("features:\n" + entry(more=", range: [1, 1]"), ":2 0.range", "the low end 1 below the high end 1"),
        ("features:\n" + entry(more=", range: [null, null]"), ":2 0.range", "leave `range` out"),
        ("features:\n" + entry(more=", range: [0]"), ":2 0.range", "at least 2 items"),
        ("features:\n" + entry(more=", range: [0, .inf]"), ":2 0.range.1", "finite"),
        ("features:\n" + entry(more=", warmup_days: -1"), ":2 0.warmup_days", "greater than or equal to 0"),
        ("features:\n" + entry(more=", reference: ''"), ":2 0.reference", "at least 1 character"),
        ("features:\n" + entry().replace("[close]", "[]"), ":2 0.inputs", "at least 1 item"),
        ("features:\n" + entry().replace("[close]", "[close, close]"), ":2 0.inputs", "each input once"),
        ("features:\n" + entry().replace("[close]", "[markets.close]"), ":2 0.inputs.0", "match"),
        ("features:\n" + entry().replace("at: close", "at: x0_close"), ":2 0.available_at", "match"),
        ("features:\n" + entry().replace("at: close", "at: open"), ":2 0.available_at", "match"),
        ("features:\n  a: 1\n", ":1 ", "valid list"),
        ("features: 5\n", ":1 ", "valid list"),
        ("features: [5]\n", ":1 0", "valid dictionary"),
        ("features:\n", ":1 ", "valid list"),
    ],
    ids=[
        *("name", "group", "dtype", "warm-up", "text", "missing", "unknown"),
        *(
            "range reversed",
            "range of one",
            "range open",
            "range short",
            "range infinite",
            "days",
            "reference",
            "no input",
        ),
        *("input twice", "input unknown", "zero bars", "open", "mapping", "number", "no mapping", "nothing"),
    ],
)
def test_a_broken_entry_is_named_by_line_and_key(text: str, place: str, expected: str, tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, text)
    assert (problem.code, problem.place) == ("registry-invalid", f"{tmp_path}/features.yml{place}")
    assert expected in problem.expected


def test_everything_wrong_with_a_file_comes_at_once(tmp_path: Path) -> None:
    text = "feature: []\nfeatures:\n" + entry(warmup_bars=-1) + entry(name="b_1") + entry(name="b_1", dtype="int")
    assert [problem.place.rpartition(":")[2] for problem in problems_of(tmp_path, text)] == [
        "1 feature",
        "3 0.warmup_bars",
        "5 2.dtype",
        "5",
    ]


def test_a_misspelt_key_is_answered_with_the_nearest_one(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "features:\n" + entry(more=", warmup_day: 3"))
    assert problem.help == "did you mean 'warmup_days'?"


def test_the_optional_keys_are_read() -> None:
    more = ", range: [0, null], warmup_days: 30, reference: Wilder 1978"
    text = "features:\n" + entry(more=more).replace("at: close", "at: x12_close").replace(
        "[close]", "[market.close, low]"
    )
    (feature,) = parse_registry(YAML(typ="safe").load(text), "f", lambda _: 0)
    assert (feature.range, feature.warmup_days, feature.reference) == ([0.0, None], 30, "Wilder 1978")
    assert (feature.available_at, feature.inputs) == ("x12_close", ["market.close", "low"])


@pytest.mark.parametrize(
    ("bars", "days", "bar_ms", "expected"),
    [
        (3, 0, 60_000, 3),
        (0, 1, 1_800_000, 48),
        (5, 30, 60_000, 43_205),
        (0, 1, 86_400_000, 1),
        (2, 7, 3 * 86_400_000, 5),  # 7 days are two bars of 3 days and a part of the third
        (0, 7, 7 * 3_600_000, 24),
    ],
)
def test_a_warm_up_in_days_is_as_many_bars_as_cover_them(bars: int, days: int, bar_ms: int, expected: int) -> None:
    fields = {"name": "a_1", "group": "trend", "dtype": "float64", "unit": "u", "formula": "f", "inputs": ["close"]}
    feature = Feature.model_validate(fields | {"warmup_bars": bars, "warmup_days": days, "available_at": "close"})
    assert feature.warmup(bar_ms) == expected


def test_a_name_given_twice_is_named_where_it_stands_again(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "features:\n" + entry() + entry(name="b_1") + entry())
    assert (problem.code, problem.place, problem.found) == (
        "registry-duplicate",
        f"{tmp_path}/features.yml:4",
        "a_1 again",
    )


def test_keys_beside_features_are_refused(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "features:\n" + entry() + "feature:\n" + entry())
    assert (problem.code, problem.place) == ("registry-unknown-key", f"{tmp_path}/features.yml:3 feature")


def test_a_wanted_group_without_entries_is_refused(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "features:\n" + entry(), groups=("trend", "time"))
    assert (problem.code, problem.place) == ("group-empty", f"{tmp_path}/features.yml time")


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """The folder of plug-ins of a project with the feature a_1 on and b_1 off."""
    (tmp_path / "features.yml").write_text("features:\n" + entry() + entry(name="b_1", group="volume"))
    (tmp_path / "plugins").mkdir()
    for name in ("mine", "more"):
        (tmp_path / "plugins" / f"{name}.py").write_text("")
    (tmp_path / "plugins/mine.yml").write_text("features:\n" + entry(name="z_1", group="mine"))
    (tmp_path / "plugins/more.yml").write_text("features:\n" + entry(name="y_1", group="more"))
    return tmp_path / "plugins"


def test_plug_ins_follow_the_groups_in_the_order_of_the_parameters(plugins: Path) -> None:
    entries = read_registry(plugins.parent, features(["trend"], ["more.py", "mine.py"]))
    assert [(each.name, each.group) for each in entries] == [("a_1", "trend"), ("y_1", "more"), ("z_1", "mine")]


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        (entry(name="b_1", group="mine"), "plugin-name-taken", "mine.yml:2 b_1"),
        (entry(name="y_1", group="mine"), "plugin-name-taken", "mine.yml:2 y_1"),
        (entry(name="z_1", group="trend"), "registry-invalid", "mine.yml:2 0.group"),
        (entry(name="z_1", group="more"), "registry-invalid", "mine.yml:2 0.group"),
        (entry(name="z_1", group="mine") * 2, "registry-duplicate", "mine.yml:3"),
    ],
    ids=["name of a group that is off", "name of another plug-in", "built-in group", "another's group", "twice"],
)
def test_a_plug_in_s_registry_is_held_apart_from_the_others(text: str, code: str, place: str, plugins: Path) -> None:
    (plugins / "mine.yml").write_text("features:\n" + text)
    with pytest.raises(InputError) as caught:
        read_registry(plugins.parent, features(["trend"], ["more.py", "mine.py"]))
    (problem,) = caught.value.problems
    assert (problem.code, problem.place) == (code, f"{plugins}/{place}")


@pytest.mark.parametrize(("gone", "code"), [("mine.py", "plugin-missing"), ("mine.yml", "plugin-registry-missing")])
def test_a_plug_in_s_missing_file_is_named(gone: str, code: str, plugins: Path) -> None:
    (plugins / gone).unlink()
    with pytest.raises(InputError) as caught:
        read_registry(plugins.parent, features(["trend"], ["mine.py"]))
    (problem,) = caught.value.problems
    assert (problem.code, problem.place) == (code, f"{plugins}/{gone}")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["../mine.py"], "match"),
        (["mine.txt"], "match"),
        (["Mine.py"], "match"),
        (["mine.py", "mine.py"], "each file once"),
        (["trend.py"], "other file names"),
    ],
)
def test_parameters_name_plug_ins_by_their_files(names: list[str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        features(["trend"], names)


def test_the_tables_schema_follows_the_registry() -> None:
    entries = tuple(
        Feature(
            name=name,
            group="trend",
            dtype="float64",
            unit="u",
            warmup_bars=0,
            inputs=["close"],
            available_at="close",
            formula=f"of {name}",
        )
        for name in ("b_1", "a_1")
    )
    schema = table_schema(entries)
    assert [(c.name, c.dtype, c.unit, c.description, c.nullable) for c in schema.columns[1:]] == [
        ("b_1", pa.float64(), "u", "of b_1", True),
        ("a_1", pa.float64(), "u", "of a_1", True),
    ]
    assert (schema.columns[0].name, schema.key) == ("open_time_utc", ("open_time_utc",))


def test_features_can_be_left_out_by_name_but_only_those_that_are_switched_on() -> None:
    chosen = FeaturesParams.model_validate(
        {"groups": ["time"], "exclude": ["month"], "plugins": [], "symbol_columns": False}
    )
    names = [entry.name for entry in read_registry(ROOT, chosen)]
    assert "hour_sin" in names
    assert "month" not in names
    unknown = chosen.model_copy(update={"exclude": ["moth", "return_1"]})
    with pytest.raises(InputError) as caught:
        read_registry(ROOT, unknown)
    assert [problem.code for problem in caught.value.problems] == ["feature-unknown"] * 2
    assert "month" in caught.value.problems[0].help
