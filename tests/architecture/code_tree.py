"""The project's own Python as syntax trees: what each module imports, what it names, what importing it loads."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[2]
BUILTINS = ("print", "eval", "exec", "__import__")


@dataclass(frozen=True)
class Import:
    """One imported thing: `target` is its dotted name, a module or a name inside one; `bound` its name here."""

    target: str
    bound: str
    line: int
    is_typing: bool


@dataclass(frozen=True)
class Module:
    """A module of `src` or `stages`."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def place(self) -> str:
        """Its path from the project's root."""
        return self.path.relative_to(ROOT).as_posix()

    @functools.cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import, at the top or inside a function."""
        blocks = [node for node in ast.walk(self.tree) if isinstance(node, ast.If)]
        typing = {
            id(node)
            for block in blocks
            if ast.unparse(block.test).endswith("TYPE_CHECKING")
            for statement in block.body
            for node in ast.walk(statement)
        }
        return tuple(found for node in ast.walk(self.tree) for found in _imports_of(node, id(node) in typing))

    @functools.cached_property
    def targets(self) -> dict[str, str]:
        """Name used here -> dotted name of what was imported under it."""
        return {each.bound: each.target for each in self.imports}

    def resolve(self, node: ast.AST) -> str | None:
        """Dotted name of an imported thing, of something inside it, or of a builtin; None for anything else."""
        if isinstance(node, ast.Attribute):
            base = self.resolve(node.value)
            return base and f"{base}.{node.attr}"
        if isinstance(node, ast.Name):
            return self.targets.get(node.id) or (f"builtins.{node.id}" if node.id in BUILTINS else None)
        return None

    @functools.cached_property
    def names(self) -> tuple[tuple[str, int], ...]:
        """Dotted name and line of everything imported or named; `torch.load` counts, however torch was imported."""
        nodes = [node for node in ast.walk(self.tree) if isinstance(node, ast.Attribute | ast.Name)]
        named = [(dotted, node.lineno) for node in nodes if (dotted := self.resolve(node))]
        return (*((each.target, each.line) for each in self.imports), *named)


def _imports_of(node: ast.AST, is_typing: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            target = alias.name if alias.asname else alias.name.split(".")[0]
            yield Import(target, alias.asname or target, node.lineno, is_typing)
            if target != alias.name:  # `import a.b` binds `a` and loads `a.b`
                yield Import(alias.name, alias.name, node.lineno, is_typing)
    elif isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            yield Import(f"{module}.{alias.name}", alias.asname or alias.name, node.lineno, is_typing)


@functools.cache
def modules() -> dict[str, Module]:
    """Dotted name -> module; a package stands for its `__init__`."""
    found = {}
    for base in (ROOT / "src", ROOT):
        folder = base / ("stages" if base == ROOT else "candlelock")
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = Module(name, path, ast.parse(path.read_text(encoding="utf-8"), path.name))
    return found


def package_of(name: str) -> str:
    """`candlelock.split.rows` -> `split`; `candlelock.cli` -> `cli`; `stages.split` -> `stages`."""
    parts = name.split(".")
    return parts[0] if parts[0] == "stages" else ".".join(parts[1:2])


def own_module(target: str) -> str | None:
    """The module of ours that importing `target` loads; None where it is somebody else's."""
    owner = target.rpartition(".")[0]
    return target if target in modules() else owner if owner in modules() else None


def loaded_by(module: Module) -> set[str]:
    """Our modules that `module` imports when it runs."""
    return {own for each in module.imports if not each.is_typing and (own := own_module(each.target))}


def closure(names: Iterable[str]) -> set[str]:
    """These modules and every one of ours that they load, now or inside a function, through others or directly."""
    waiting, found = list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += loaded_by(modules()[name])
    return found
