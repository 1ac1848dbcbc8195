"""features.yml: the real one parses, and its mistakes are named by line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from candlelock.artifacts.user_files import read_registry
from candlelock.contracts.errors import InputError
from candlelock.contracts.registry import Feature, select, table_schema

if TYPE_CHECKING:
    from candlelock.contracts.errors import Problem

ROOT = Path(__file__).resolve().parents[3]
GROUPS = ("returns", "volume", "momentum", "volatility", "trend", "time", "cross_asset")
ENTRY = "  - {{name: {}, group: {}, dtype: {}, unit: u, warmup_bars: {}, available_at: close, formula: f}}\n"


def entry(name: str = "a_1", group: str = "trend", dtype: str = "float64", warmup_bars: object = 3) -> str:
    return ENTRY.format(name, group, dtype, warmup_bars)


def problems_of(folder: Path, text: str, groups: tuple[str, ...] = ("trend",)) -> list[Problem]:
    (folder / "features.yml").write_text(text)
    with pytest.raises(InputError) as caught:
        read_registry(folder, groups)
    return list(caught.value.problems)


def test_the_real_registry_keeps_its_order_and_selects_by_group() -> None:
    entries = read_registry(ROOT, GROUPS)
    assert [e.name for e in entries[:3]] == ["return_1", "return_2", "return_3"]
    times = read_registry(ROOT, ["time", "trend", "time"])
    assert [e.name for e in times if e.group == "time"] == ["hour_sin", "hour_cos", "weekday"]
    assert times == select(entries, ["trend", "time"])
    assert {e.group for e in times} == {"time", "trend"}


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("features:\n" + entry() + entry(name="B-2"), ":3 1.name", "match"),
        ("features:\n" + entry() + entry(group="trends"), ":3 1.group", "'trend'"),
        ("features:\n" + entry(dtype="float32"), ":2 0.dtype", "'float64'"),
        ("features:\n" + entry(warmup_bars=-1), ":2 0.warmup_bars", "greater than or equal to 0"),
        ("features:\n" + entry(warmup_bars="'3'"), ":2 0.warmup_bars", "valid integer"),
        ("features:\n" + entry() + entry().replace(", formula: f", ""), ":3 1.formula", "required"),
        ("features:\n" + entry().replace("unit: u", "unit: u, note: x"), ":2 0.note", "not permitted"),
        ("features:\n  a: 1\n", ":1 ", "valid list"),
        ("features:\n", ":1 ", "valid list"),
    ],
    ids=["name", "group", "dtype", "warm-up", "text", "missing", "unknown", "mapping", "nothing"],
)
def test_a_broken_entry_is_named_by_line_and_key(text: str, place: str, expected: str, tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, text)
    assert (problem.code, problem.place) == ("registry-invalid", f"{tmp_path}/features.yml{place}")
    assert expected in problem.expected


def test_all_broken_entries_come_at_once(tmp_path: Path) -> None:
    text = "features:\n" + entry(warmup_bars=-1) + entry(name="b_1") + entry(name="c_1", dtype="int")
    assert [problem.place.rpartition(":")[2] for problem in problems_of(tmp_path, text)] == [
        "2 0.warmup_bars",
        "4 2.dtype",
    ]


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


def test_the_tables_schema_follows_the_registry() -> None:
    entries = tuple(
        Feature(
            name=name,
            group="trend",
            dtype="float64",
            unit="u",
            warmup_bars=0,
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
