"""Entries by group, and what each group holds."""

from __future__ import annotations

import inspect
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from candlelock.features.catalogue import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from candlelock.contracts.registry import Feature


class Group(NamedTuple):
    """A group with its entries; `about`: a sentence on what it holds."""

    name: str
    about: str
    entries: list[Feature]


def by_group(entries: Iterable[Feature]) -> list[Group]:
    """The groups in the order of the entries; those of a group have to stand together."""
    return [Group(name, _about(name), list(its)) for name, its in groupby(entries, key=lambda entry: entry.group)]


def _about(name: str) -> str:
    """The first sentence on a built-in group's function; of a plug-in, where it comes from."""
    if name not in GROUPS:
        return f"From the plug-in {name}.py."
    return (inspect.getdoc(GROUPS[name]) or "").partition("\n\n")[0].replace("\n", " ")
