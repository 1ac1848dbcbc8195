"""The files a user edits, `params.yaml`, `features.yml` and the registries of plug-ins, read and checked as a whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from candlelock.artifacts import documents, yaml_document
from candlelock.contracts import files
from candlelock.contracts.errors import InputError, Problem, nearest, raise_if
from candlelock.contracts.params import Params, parse_params, parse_snapshot
from candlelock.contracts.registry import BUILT_IN_GROUPS, parse_registry, select
from candlelock.contracts.stage_params import PLUGIN_NAME, plugin_group

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from candlelock.contracts.registry import Feature
    from candlelock.contracts.stage_params import FeaturesParams, SnapshotParams


def read_params(root: Path, head: str | None = None) -> Params:
    """params.yaml below `root`; `head`, if given, has to be one of its heads. Raises InputError with every problem."""
    document = yaml_document.read(root / files.PARAMS)
    params = parse_params(document.values, document.file, document.line_of)
    if head is not None and head not in params.heads:
        raise InputError(
            Problem(
                "head-unknown",
                f"{document.file}:{document.line_of(('heads',))} heads",
                repr(head),
                "one of the heads",
                nearest(head, list(params.heads)),
            )
        )
    return params


def write_params(root: Path, values: dict[str, Any]) -> None:
    """params.yaml below `root`, of a project that is made and not written by hand; JSON is YAML."""
    documents.write(root / files.PARAMS, values)


def read_snapshot_params(root: Path, changes: Mapping[str, Any]) -> SnapshotParams:
    """The section `snapshot` of params.yaml below `root`, with `changes` put over its keys.

    Raises InputError with every problem.
    """
    document = yaml_document.read(root / files.PARAMS)
    file = f"{document.file} with the options given"
    return parse_snapshot(_merged(document.values, {"snapshot": changes}), file, document.line_of)


def _merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The values with `changes` in place, mappings merged key by key."""
    both = {
        key: _merged(values[key], change) if isinstance(change, dict) and isinstance(values.get(key), dict) else change
        for key, change in changes.items()
    }
    return {**values, **both}


def read_registry(root: Path, features: FeaturesParams) -> tuple[Feature, ...]:
    """The entries of features.yml whose group is switched on, in its order, then those of each plug-in; less `exclude`.

    Raises InputError with every problem of a file, for a group without an entry, for a name that stands twice, and for
    an excluded name that is none of them.
    """
    entries = select(read_entries(root, features), [*features.groups, *map(plugin_group, features.plugins)])
    empty = sorted(set(features.groups) - {entry.group for entry in entries})
    help_line = "add its entries, or take it out of features.groups in params.yaml"
    place = root / files.REGISTRY
    raise_if([Problem("group-empty", f"{place} {name}", "no entry", "a feature", help_line) for name in empty])
    names = [entry.name for entry in entries]
    raise_if(
        [
            Problem("feature-unknown", f"params.yaml features.exclude {name}", "no such feature in these groups",
                    "a feature that is switched on", nearest(name, names))
            for name in features.exclude
            if name not in names
        ]
    )  # fmt: skip
    kept = tuple(entry for entry in entries if entry.name not in features.exclude)
    if not kept:
        found, expected = "every feature of the groups is left out", "at least one feature"
        raise InputError(Problem("group-empty", "params.yaml features.exclude", found, expected, "shorten the list"))
    return kept


def read_entries(root: Path, features: FeaturesParams) -> tuple[Feature, ...]:
    """Every entry of features.yml, switched on or not, in its order, then those of each plug-in.

    Raises InputError with every problem of a file, and for a name that stands twice.
    """
    entries = read_catalogue(root)
    for plugin in features.plugins:
        entries += read_plugin_registry(root / files.PLUGINS / plugin, entries)
    return entries


def read_catalogue(root: Path) -> tuple[Feature, ...]:
    """Every entry of features.yml, switched on or not, in its order. Raises InputError with every problem."""
    document = yaml_document.read(root / files.REGISTRY)
    return parse_registry(document.values, document.file, document.line_of)


def read_plugin_registry(plugin: Path, others: Iterable[Feature]) -> tuple[Feature, ...]:
    """The entries of the registry beside the file `plugin`, whose names none of `others` has.

    Raises InputError with every problem of the file.
    """
    document = read_plugin_document(plugin)
    entries = parse_registry(document.values, document.file, document.line_of, [plugin.stem])
    taken = {entry.name: entry.group for entry in others}
    help_line = "give the plug-in's feature a name of its own"
    raise_if(
        [
            Problem(
                "plugin-name-taken",
                f"{document.file}:{document.line_of(('features', row))} {entry.name}",
                f"the name of a feature of {taken[entry.name]}",
                "a name no other feature has",
                help_line,
            )
            for row, entry in enumerate(entries)
            if entry.name in taken
        ]
    )
    return entries


def read_plugin_document(plugin: Path) -> yaml_document.YamlDocument:
    """The registry beside the file `plugin` as it stands there.

    Raises InputError when either is missing, when it is no YAML, or when the file's name cannot be that of a group.
    """
    path = plugin.with_suffix(".yml")
    if not re.fullmatch(PLUGIN_NAME, plugin.name) or plugin.stem in BUILT_IN_GROUPS:
        help_line = "rename it and the registry beside it; its name without .py is the group of its features"
        expected = "a lower-case name with .py that is no group of the library"
        raise InputError(Problem("plugin-file-name", str(plugin), plugin.name, expected, help_line))
    if not plugin.is_file():
        help_line = "put the file there, or take it out of features.plugins in params.yaml"
        raise InputError(Problem("plugin-missing", str(plugin), "no file", "a plug-in's Python file", help_line))
    if not path.is_file():
        help_line = "describe each of its features there, as docs/plugins.md shows"
        raise InputError(Problem("plugin-registry-missing", str(path), "no file", "the plug-in's registry", help_line))
    return yaml_document.read(path)
