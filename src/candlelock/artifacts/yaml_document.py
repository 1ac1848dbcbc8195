"""YAML files with the line of every key; duplicate keys are errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from candlelock.contracts.errors import InputError, Problem

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class YamlDocument:
    """A parsed mapping and where its keys stand."""

    file: str
    values: dict[str, Any]
    tree: CommentedMap

    def line_of(self, loc: tuple[Any, ...]) -> int:
        """Line (from 1) of the deepest part of the key path that exists."""
        node: Any = self.tree
        line = 0
        for part in loc:
            if isinstance(node, CommentedMap) and part in node:
                line = node.lc.key(part)[0]
            elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
                line = node.lc.item(part)[0]
            else:
                break
            node = node[part]
        return line + 1


def read(path: Path) -> YamlDocument:
    """Read a YAML mapping.

    Raises InputError when the file is missing, is not YAML, has a duplicate key or is no mapping.
    """
    if not path.is_file():
        raise InputError(Problem("yaml-missing", str(path), "no file", "a YAML file", "run from the project's root"))
    try:
        tree = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        found = " ".join((error.problem or "not YAML").split())
        code = "yaml-duplicate-key" if "duplicate key" in found else "yaml-syntax"
        raise InputError(Problem(code, f"{path}{line}", found, "YAML with each key once", "mend that line")) from None
    except (YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(Problem("yaml-syntax", str(path), str(error), "YAML in UTF-8", "mend the file")) from None
    if not isinstance(tree, CommentedMap):
        raise InputError(
            Problem("yaml-no-mapping", str(path), type(tree).__name__, "a mapping of keys", "mend the file")
        )
    return YamlDocument(str(path), _plain(tree), tree)


def _plain(node: Any) -> Any:  # noqa: ANN401
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node
