"""Each stage declares in dvc.yaml the parameters it reads, no fewer and no more.

What the library reads inside a section that it is given counts as the section.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from candlelock.contracts.params import Params
from tests.architecture.code_tree import modules
from tests.architecture.flow_file import HEAD, stages

if TYPE_CHECKING:
    from collections.abc import Iterator

STAGES = stages()
SECTIONS = {f"heads.{HEAD}" if name == "heads" else name for name in Params.model_fields}  # a card keeps its own head


def _keys_read(stage: str) -> set[str]:
    """Key paths below `params` in the stage's file; `params` handed on as a whole reads every section."""
    tree = modules()[f"stages.{stage}"].tree
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Subscript)}
    chains = [list(_parts(node)) for node in ast.walk(tree) if id(node) not in inner]
    keys = {".".join(chain[1:]) for chain in chains if chain[:1] == ["params"]}
    return keys - {""} | (SECTIONS if "" in keys else set())


def _parts(node: ast.AST) -> Iterator[str]:
    """`params.heads[head].horizon_bars` -> params, heads, the head, horizon_bars; of a call, nothing."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield from _parts(node.value)
        yield node.attr
    elif isinstance(node, ast.Subscript):
        yield from _parts(node.value)
        yield HEAD


def _is_within(inner: str, outer: str) -> bool:
    return f"{inner}.".startswith(f"{outer}.")


@pytest.mark.parametrize("stage", STAGES)
def test_a_key_that_is_read_is_declared(stage: str) -> None:
    declared = STAGES[stage].params
    missing = sorted(key for key in _keys_read(stage) if not any(_is_within(key, one) for one in declared))
    assert not missing, f"add to the params of {stage} in dvc.yaml: {missing}"


@pytest.mark.parametrize("stage", STAGES)
def test_a_key_that_is_declared_is_read(stage: str) -> None:
    read = _keys_read(stage)
    idle = [
        one for one in STAGES[stage].params if not any(_is_within(one, key) or _is_within(key, one) for key in read)
    ]
    assert not idle, f"take from the params of {stage} in dvc.yaml: {idle}"


def test_every_parameter_reaches_a_stage() -> None:
    declared = {one for stage in STAGES.values() for one in stage.params}
    idle = [name for name in Params.model_fields if not any(_is_within(one, name) for one in declared)]
    assert not idle, f"nobody reads {idle} of params.yaml"
