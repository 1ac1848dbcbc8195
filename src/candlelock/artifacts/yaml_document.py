"""YAML 1.2 files with the line of every key; duplicate keys are errors.

libyaml parses them: features.yml is read in a tenth of a second, where a parser in Python takes more than one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import yaml

from candlelock.contracts.errors import InputError, Problem

if TYPE_CHECKING:
    from pathlib import Path

CORE = {  # the types of plain words, https://yaml.org/spec/1.2.2/#103-core-schema, and 1_000
    "null": (r"~|null|Null|NULL", "~nN"),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9][0-9_]*|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    "timestamp": (r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].*)?", "0123456789"),  # of YAML 1.1, which DVC reads
}
MAX_DEPTH = 100  # libyaml's loader recurses in C, where too deep is the end of the process


class _Loader(yaml.CSafeLoader):
    """libyaml's loader with the types of YAML 1.2: `1e-4` is a number, `no` a text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  (PyYAML's own)


for _kind, (_pattern, _first) in CORE.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(rf"^(?:{_pattern})$"), list(_first))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^$"), [""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^<<$"), ["<"])


@dataclass(frozen=True)
class YamlDocument:
    """A parsed mapping and where its keys stand."""

    file: str
    values: dict[str, Any]
    tree: yaml.MappingNode

    def line_of(self, loc: tuple[Any, ...]) -> int:
        """Line (from 1) of the deepest part of the key path that exists."""
        node: yaml.Node = self.tree
        line = 0
        for part in loc:
            found = _child(node, part)
            if found is None:
                break
            line, node = found
        return line + 1


def read(path: Path) -> YamlDocument:
    """Read a YAML mapping.

    Raises InputError when the file is missing, is not YAML, has a duplicate key or is no mapping.
    """
    if not path.is_file():
        raise InputError(Problem("yaml-missing", str(path), "no file", "a YAML file", "run from the project's root"))
    try:
        text = path.read_text(encoding="utf-8")
        _require_shallow(text)
        loader = _Loader(text)
        tree = loader.get_single_node()
        values = _plain(tree, loader)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        found = " ".join((error.problem or "not YAML").split())
        code = "yaml-duplicate-key" if "duplicate key" in found else "yaml-syntax"
        raise InputError(Problem(code, f"{path}{line}", found, "YAML with each key once", "mend that line")) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise InputError(Problem("yaml-syntax", str(path), str(error), "YAML in UTF-8", "mend the file")) from None
    if not isinstance(tree, yaml.MappingNode):
        found = type(values).__name__
        raise InputError(Problem("yaml-no-mapping", str(path), found, "a mapping of keys", "mend the file"))
    return YamlDocument(str(path), values, tree)


def _require_shallow(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _error(f"nested more than {MAX_DEPTH} deep", event)


def _plain(node: yaml.Node | None, loader: _Loader) -> Any:  # noqa: ANN401
    if isinstance(node, yaml.MappingNode):
        _require_unique(node)
        loader.flatten_mapping(node)
        return {key.value: _plain(value, loader) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each, loader) for each in node.value]
    return None if node is None else _scalar(node)


def _require_unique(node: yaml.MappingNode) -> None:
    """Keys are plain words, each once."""
    seen = set[str]()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _error("a key that is no word", key)
        if key.value in seen:
            raise _error(f'duplicate key "{key.value}"', key)
        seen.add(key.value)


def _scalar(node: yaml.Node) -> Any:  # noqa: ANN401
    kind, text = node.tag.rpartition(":")[2], node.value
    if kind == "int":
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if kind == "float":
        return float(re.sub(r"\.(?=inf|nan)", "", text.lower()))
    if kind == "timestamp":
        return datetime.fromisoformat(text) if len(text) > 10 else date.fromisoformat(text)
    if kind in ("null", "bool"):
        return None if kind == "null" else text.lower() == "true"
    if kind == "str":
        return text
    raise _error(f"the tag {node.tag}", node)


def _error(problem: str, at: Any) -> yaml.MarkedYAMLError:  # noqa: ANN401
    """At the mark of an event or a node."""
    return yaml.MarkedYAMLError(problem=problem, problem_mark=at.start_mark)


def _child(node: yaml.Node, part: object) -> tuple[int, yaml.Node] | None:
    """Line (from 0) and node of a mapping's key or a list's item."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key.start_mark.line, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and 0 <= part < len(node.value):
        return node.value[part].start_mark.line, node.value[part]
    return None
