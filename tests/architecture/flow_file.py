"""`dvc.yaml` with its templates filled in for one head."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ruamel.yaml import YAML

from tests.architecture.code_tree import ROOT

HEAD = "direction"


@dataclass(frozen=True)
class Stage:
    """One stage. `outs` and `metrics` together are what it writes, each with its options."""

    name: str
    desc: str
    cmd: str
    params: tuple[str, ...]
    deps: tuple[str, ...]
    outs: dict[str, dict[str, Any]]


def read_yaml(name: str) -> dict[str, Any]:
    """A YAML file of the project's root; a key that stands twice is an error."""
    document: dict[str, Any] = YAML(typ="safe").load((ROOT / name).read_text(encoding="utf-8"))
    return document


@functools.cache
def stages(head: str = HEAD) -> dict[str, Stage]:
    """Name -> stage, in the file's order."""
    params = read_yaml("params.yaml")
    return {
        name: _stage(name, _filled(body.get("do", body), {**params, "key": head}))
        for name, body in read_yaml("dvc.yaml")["stages"].items()
    }


def covers(outer: str, inner: str) -> bool:
    """Whether the path `inner` is `outer` or lies below it."""
    return PurePosixPath(inner).is_relative_to(outer)


def _stage(name: str, body: dict[str, Any]) -> Stage:
    written = [*body.get("outs", []), *body.get("metrics", [])]
    outs = {path: options for out in written for path, options in _with_options(out)}
    return Stage(name, body.get("desc", ""), body["cmd"], tuple(body["params"]), tuple(body["deps"]), outs)


def _with_options(out: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(out, {})] if isinstance(out, str) else list(out.items())


def _filled(node: Any, values: dict[str, Any]) -> Any:
    """`node` with `${a.b}` replaced by the value at that path."""
    if isinstance(node, dict):
        return {_filled(key, values): _filled(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, values) for value in node]
    if isinstance(node, str):
        return re.sub(r"\$\{([^}]+)\}", lambda found: str(_value_at(values, found[1].strip())), node)
    return node


def _value_at(values: Any, path: str) -> Any:
    return functools.reduce(lambda node, part: node[part], path.split("."), values)
