"""A registry file held to the functions behind it, with the line of every problem: for those who write one.

The build refuses the same faults; here all of them come at once, and without a snapshot.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from candlelock.artifacts import yaml_document
from candlelock.artifacts.user_files import read_plugin_document, read_plugin_registry
from candlelock.contracts.errors import InputError, Problem, nearest
from candlelock.contracts.registry import parse_registry
from candlelock.features.build import program_of
from candlelock.features.catalogue import GROUPS, declare
from candlelock.features.plugins import Plugin, call_functions, disagreement, load_functions
from candlelock.features.specimen import specimen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from candlelock.artifacts.yaml_document import YamlDocument
    from candlelock.contracts.registry import Feature
    from candlelock.features.program import Facts

SPECIMEN_BARS = 600


def all_problems(registry: Path | None, plugins: Sequence[Path], catalogue: Path, bar_ms: int) -> list[Problem]:
    """What is wrong with a registry of the library's features, if one is given, and with plug-ins' files.

    `catalogue`: the registry whose names are taken; where it cannot be read, none is. Raises InputError for a file that
    is missing, and for a registry that is no YAML.
    """
    problems = library_problems(registry, bar_ms) if registry else []
    others = list(_readable(catalogue, list(GROUPS)))
    for plugin in plugins:
        problems += plugin_problems(plugin, others, bar_ms)
        others += _readable(plugin.with_suffix(".yml"), [plugin.stem])
    return problems


def _readable(path: Path, groups: list[str]) -> tuple[Feature, ...]:
    """Entries of a registry; none when it is not there or not sound."""
    try:
        document = yaml_document.read(path)
        return parse_registry(document.values, document.file, document.line_of, groups)
    except InputError:
        return ()


def library_problems(path: Path, bar_ms: int) -> list[Problem]:
    """What is wrong with a registry of the library's features, such as features.yml.

    Its form; entries that no group computes and features without an entry; and a warm-up, inputs or a time of knowing
    other than the expression has on bars of `bar_ms`. Raises InputError when it is no YAML.
    """
    document = yaml_document.read(path)
    declared = {name: group for group in GROUPS for name in declare(group, bar_ms)}
    listed = _listed(document)
    problems = [
        Problem(
            "feature-without-function",
            f"{_at(document, row)} {name}",
            f"no function of the group {group} computes it",
            "a function for every entry",
            f"it is in the group {declared[name]!r}" if name in declared else _hint(name, list(declared)),
        )
        for row, name, group in listed
        if declared.get(name) != group
    ]
    names = [name for _, name, _ in listed]
    problems += [
        Problem(
            "feature-without-entry",
            f"{document.file} {name}",
            f"computed by the group {group}, but not registered",
            "an entry for every feature",
            _hint(name, names),
        )
        for name, group in declared.items()
        if name not in names
    ]
    try:
        entries = parse_registry(document.values, document.file, document.line_of)
    except InputError as error:
        return [*error.problems, *problems]
    return [*problems, *_other_facts(document, entries, bar_ms)]


def _other_facts(document: YamlDocument, entries: Sequence[Feature], bar_ms: int) -> Iterator[Problem]:
    """Entries that say something else of a feature than follows from its expression."""
    facts = program_of(entries, bar_ms).facts
    for row, entry in enumerate(entries):
        if entry.name in facts:
            for key, found, expected in _differences(entry, facts[entry.name], bar_ms):
                place = f"{_at(document, row)} {entry.name}.{key}"
                yield Problem("registry-other-facts", place, found, expected, "write what the expression has")


def _differences(entry: Feature, facts: Facts, bar_ms: int) -> Iterator[tuple[str, str, str]]:
    if entry.warmup(bar_ms) != facts.lookback:
        yield "warmup_bars", f"{entry.warmup(bar_ms)} bars in all", f"{facts.lookback} bars"
    if set(entry.inputs) != facts.inputs:
        yield "inputs", f"[{', '.join(entry.inputs)}]", f"[{', '.join(sorted(facts.inputs))}]"
    known = "close" if facts.clock == 1 else f"x{facts.clock}_close"
    if entry.available_at != known:
        yield "available_at", entry.available_at, known


def plugin_problems(path: Path, others: Iterable[Feature], bar_ms: int) -> list[Problem]:
    """What is wrong with the plug-in of the file `path` and with its registry, tried on made-up candles.

    `others`: features whose names are taken. Raises InputError when a file is missing, or the registry no YAML.
    """
    document = read_plugin_document(path)
    problems: list[Problem] = []
    entries: tuple[Feature, ...] = ()
    try:
        entries = read_plugin_registry(path, others)
    except InputError as error:
        problems += error.problems
    try:
        plugin = Plugin(path, entries, *load_functions(path))
        built = call_functions(plugin, specimen(SPECIMEN_BARS, bar_ms))
    except InputError as error:
        return [*problems, *error.problems]
    names = [name for _, name, _ in _listed(document)]
    return [*problems, *(_with_line(each, document) for each in disagreement(path, names, list(built)))]


def _with_line(problem: Problem, document: YamlDocument) -> Problem:
    """The problem with the line of the entry that its place names, if there is one."""
    lines = {f"{document.file} {name}": f"{_at(document, row)} {name}" for row, name, _ in _listed(document)}
    return replace(problem, place=lines.get(problem.place, problem.place))


def _hint(name: str, known: Sequence[str]) -> str:
    """The nearest name, if one is near; not all of hundreds."""
    line = nearest(name, known)
    return line if line.startswith("did") else "`candlelock features list` names all"


def _at(document: YamlDocument, row: int) -> str:
    return f"{document.file}:{document.line_of(('features', row))}"


def _listed(document: YamlDocument) -> list[tuple[int, str, str]]:
    """Place, name and group of each entry that has a name, sound in the rest or not."""
    entries = document.values.get("features")
    rows = enumerate(entries if isinstance(entries, list) else [])
    return [(row, str(each["name"]), str(each.get("group"))) for row, each in rows if _has_name(each)]


def _has_name(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str)
