"""The two files a user edits, `params.yaml` and `features.yml`, read and checked as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from candlelock.artifacts import yaml_document
from candlelock.contracts import files
from candlelock.contracts.errors import InputError, Problem, nearest, raise_if
from candlelock.contracts.params import Params, parse_params, parse_snapshot
from candlelock.contracts.registry import parse_registry, select

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from candlelock.contracts.registry import Feature
    from candlelock.contracts.stage_params import SnapshotParams


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


def read_registry(root: Path, groups: Iterable[str]) -> tuple[Feature, ...]:
    """The entries of features.yml that are switched on, in its order. Raises InputError with every problem."""
    document = yaml_document.read(root / files.REGISTRY)
    wanted = set(groups)
    entries = select(parse_registry(document.values, document.file, document.line_of), wanted)
    empty = sorted(wanted - {entry.group for entry in entries})
    help_line = "add its entries, or take it out of features.groups in params.yaml"
    raise_if([Problem("group-empty", f"{document.file} {name}", "no entry", "a feature", help_line) for name in empty])
    return entries
