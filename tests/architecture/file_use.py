"""Which artifacts a stage's code names, in its own file and in every function it reaches by name.

Artifacts have their places in `contracts/files.py` alone, so that naming one there is the only way to reach it.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.contracts import files
from tests.architecture.code_tree import Module, modules, own_module
from tests.architecture.flow_file import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = files.__name__
OWN = files.HeadFiles(HEAD)


@functools.cache
def files_used(stage: str) -> set[str]:
    """Paths that `stages.<stage>` names; what is only known when it runs is `*`."""
    return {path for module, node in _reached(modules()[f"stages.{stage}"]) for path in _paths(module, node)}


def names_not_followed() -> list[str]:
    """Where a HeadFiles goes by another name than `own`, the one that is followed."""
    wrong = []
    for module in modules().values():
        nodes = list(ast.walk(module.tree))
        named = [node for node in nodes if isinstance(node, ast.Assign) and "own" in _bound(node)]
        followed = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
        followed |= {id(inner) for node in named for inner in ast.walk(node.value)}
        calls = [node for node in nodes if isinstance(node, ast.Call) and _is_head_files(module, node)]
        taken = [node for node in nodes if isinstance(node, ast.arg) and node.annotation and node.arg != "own"]
        wrong += [f"{module.place}:{call.lineno}" for call in calls if id(call) not in followed]
        wrong += [f"{module.place}:{arg.lineno}" for arg in taken if _is_head_files_type(module, arg.annotation)]
    return wrong


def _bound(node: ast.Assign) -> set[str]:
    return {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}


def _reached(start: Module) -> Iterator[tuple[Module, ast.AST]]:
    """The stage's `run` and every definition of ours that is named from there on."""
    waiting, seen = [(start, "run")], set[tuple[str, str]]()
    while waiting:
        module, name = waiting.pop()
        node = _definitions(module).get(name)
        if node is None or module.name == FILES or (module.name, name) in seen:
            continue
        seen.add((module.name, name))
        yield module, node
        waiting += [(module, inner.id) for inner in ast.walk(node) if isinstance(inner, ast.Name)]
        for inner in ast.walk(node):
            dotted = module.resolve(inner) or ""
            owner = own_module(dotted)
            if owner is not None and owner != dotted:
                waiting.append((modules()[owner], dotted.rpartition(".")[2]))


def _definitions(module: Module) -> dict[str, ast.AST]:
    found: dict[str, ast.AST] = {}
    for node in module.tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: node for target in targets if isinstance(target, ast.Name)}
    return found


def _paths(module: Module, node: ast.AST) -> Iterator[str]:
    path = _path(module, node)
    if path is not None:
        yield path
        return
    for child in ast.iter_child_nodes(node):
        yield from _paths(module, child)


def _path(module: Module, node: ast.AST) -> str | None:
    """The path an expression stands for, from the project's root; None when it names no artifact."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        left, right = _path(module, node.left), _path(module, node.right)
        return right if left is None else f"{left}/{_text(node.right)}"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_head_files(module, node.func.value):
        return str(getattr(OWN, node.func.attr)(_text(node.args[0])))
    if isinstance(node, ast.Attribute) and _is_head_files(module, node.value):
        return str(getattr(OWN, node.attr))
    dotted = module.resolve(node) or ""
    value = getattr(files, dotted.rpartition(".")[2], None) if dotted.startswith(f"{FILES}.") else None
    return str(value) if isinstance(value, Path) else None


def _is_head_files(module: Module, node: ast.AST) -> bool:
    """`files.HeadFiles(...)` itself, or the name `own` that it goes by everywhere."""
    if isinstance(node, ast.Call):
        return _is_head_files_type(module, node.func)
    return isinstance(node, ast.Name) and node.id == "own" and FILES in module.targets.values()


def _is_head_files_type(module: Module, node: ast.AST | None) -> bool:
    return node is not None and module.resolve(node) == f"{FILES}.HeadFiles"


def _text(node: ast.AST) -> str:
    """Text of a constant; `*` for each part that is known only when it runs."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else "*"
