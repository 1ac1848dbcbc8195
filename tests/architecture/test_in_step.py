"""Files that say the same thing twice say the same: contracts and what is generated from them, parameters, features."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, get_args

import pytest
from ruamel.yaml import YAML

from candlelock.artifacts.user_files import read_catalogue, read_params
from candlelock.contracts.generated import SCHEMAS, generate
from candlelock.contracts.head_params import HEADS
from candlelock.contracts.params import Params
from candlelock.contracts.stage_params import FeatureGroup, Frozen, SearchRange
from candlelock.reference.table import render
from tests.architecture.code_tree import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pydantic.fields import FieldInfo
    from ruamel.yaml.comments import CommentedMap

GENERATED = generate()
WRITE_ANEW = "run `python -m candlelock.contracts.generated`"


@pytest.mark.parametrize("path", GENERATED, ids=str)
def test_generated_files_are_those_of_the_contracts(path: Path) -> None:
    there = ROOT / path
    assert there.is_file(), WRITE_ANEW
    assert there.read_text(encoding="utf-8") == GENERATED[path], WRITE_ANEW


def test_no_schema_is_left_over() -> None:
    left = {path.relative_to(ROOT) for path in (ROOT / SCHEMAS).iterdir()} - set(GENERATED)
    assert not left


def _fields(model: type[Frozen], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, info in model.model_fields.items():
        yield f"{prefix}{name}", info
        if isinstance(info.annotation, type) and issubclass(info.annotation, Frozen):
            yield from _fields(info.annotation, f"{prefix}{name}.")


ALL_FIELDS = [field for model in (Params, *HEADS.values(), SearchRange) for field in _fields(model)]


def test_every_parameter_is_explained() -> None:
    def unit(info: FieldInfo) -> object:
        return info.json_schema_extra.get("unit") if isinstance(info.json_schema_extra, dict) else None

    wrong = [name for name, info in ALL_FIELDS if not info.description or not unit(info)]
    assert not wrong, f"say meaning and unit of {wrong} in contracts/stage_params.py"


def test_params_file_is_the_only_place_with_values() -> None:
    """With every key required and unknown ones refused, a file that reads has exactly the keys of the models."""
    assert not [name for name, info in ALL_FIELDS if not info.is_required()]
    assert read_params(ROOT).heads


def test_every_line_of_the_params_file_is_explained() -> None:
    """By a comment on its line, or on the line of a section it stands in."""
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    lines, tree = text.splitlines(), YAML(typ="rt").load(text)
    wrong = [key for key, numbers in _leaves(tree, "", ()) if not any(" # " in lines[n] for n in numbers)]
    assert not wrong, f"add a comment to {wrong} in params.yaml"


def _leaves(node: CommentedMap, prefix: str, above: Sequence[int]) -> Iterator[tuple[str, Sequence[int]]]:
    """Each key without keys below it, and the lines (from 0) of it and of its sections."""
    for key, value in node.items():
        numbers = (*above, node.lc.key(key)[0])
        if _is_section(value):
            yield from _leaves(value, f"{prefix}{key}.", numbers)
        else:
            yield f"{prefix}{key}", numbers


def _is_section(value: Any) -> bool:
    return hasattr(value, "items") and bool(value)


def test_the_page_of_features_is_that_of_the_registry() -> None:
    there = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    assert there == render(read_catalogue(ROOT)), "run `candlelock features doc --markdown docs/features.md`"


def test_features_stand_by_group_and_every_group_has_some() -> None:
    known = get_args(FeatureGroup)
    entries = read_catalogue(ROOT)  # names unique, groups known
    groups = [group for group, _ in groupby(entries, key=lambda entry: entry.group)]
    assert len(groups) == len(set(groups)), f"a group of features.yml stands in two places: {groups}"
    assert set(groups) == set(known)
