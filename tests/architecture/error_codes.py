"""Every code that an error of ours can carry, read from where the problems are made."""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING

from tests.architecture.code_tree import modules

if TYPE_CHECKING:
    from collections.abc import Iterator

MAKERS = ("Problem", "Rule")
Scope = ast.FunctionDef | ast.Module


@functools.cache
def error_codes() -> dict[str, set[str]]:
    """Place of each Problem and Rule -> the codes it may carry, followed through names, prefixes and callers.

    A problem that only passes on a rule's code counts with the rule.
    """
    found = {}
    for module in modules().values():
        for call, function in _calls_with_functions(module.tree):
            if not isinstance(call.args[0], ast.Attribute):
                found[f"{module.place}:{call.lineno}"] = _texts(call.args[0], function, module.tree)
    return found


def _calls_with_functions(tree: ast.Module) -> Iterator[tuple[ast.Call, Scope]]:
    """Each call that makes a problem, with the innermost function around it."""
    around: dict[ast.Call, Scope] = {}
    for scope in ast.walk(tree):  # outer before inner
        if isinstance(scope, ast.FunctionDef | ast.Module):
            around |= dict.fromkeys(_calls(scope, MAKERS), scope)
    yield from around.items()


def _calls(tree: ast.AST, names: tuple[str, ...]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names:
            yield node


def _texts(node: ast.expr, function: Scope, tree: ast.Module) -> set[str]:
    """What an expression inside `function` may be; empty when it cannot be followed."""
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    if isinstance(node, ast.IfExp):
        return _texts(node.body, function, tree) | _texts(node.orelse, function, tree)
    if isinstance(node, ast.FormattedValue):
        return _texts(node.value, function, tree)
    if isinstance(node, ast.JoinedStr):
        found = {""}
        for part in node.values:
            found = {start + end for start in found for end in _texts(part, function, tree)}
        return found
    if isinstance(node, ast.Name) and isinstance(function, ast.FunctionDef):
        return {text for value, place in _values(node.id, function, tree) for text in _texts(value, place, tree)}
    return set()


def _values(name: str, function: ast.FunctionDef, tree: ast.Module) -> Iterator[tuple[ast.expr, Scope]]:
    """What is assigned to a name in `function`, or passed for it by its callers in the module."""
    parameters = [each.arg for each in function.args.args if each.arg != "self"]
    if name in parameters:
        for call in _calls(tree, (function.name,)):
            yield call.args[parameters.index(name)], tree
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            yield from ((value, function) for target, value in _pairs(node.targets[0], node.value) if target == name)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Name and value of an assignment, of each part where both sides are tuples."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its in zip(target.elts, value.elts, strict=True):
            yield from _pairs(one, its)
    elif isinstance(target, ast.Name):
        yield target.id, value
