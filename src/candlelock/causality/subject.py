"""The library's features and a user's plug-ins as what is examined; each function of a plug-in stands for itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from candlelock.causality.examination import Origin, Subject
from candlelock.contracts.errors import InputError, raise_if
from candlelock.features.build import build_features
from candlelock.features.plugins import call_functions, disagreement, frame_of
from candlelock.features.stream import FeatureStream

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from candlelock.contracts.registry import Feature
    from candlelock.features.market import Array, Market
    from candlelock.features.plugins import Plugin


def subject_of(entries: Sequence[Feature], plugins: Sequence[Plugin], market: Market) -> Subject:
    """The features of `entries`, those of `plugins` among them; plug-ins are split by what their functions return.

    Raises InputError where a plug-in's functions and its registry disagree on that market.
    """
    return of_pieces(entries, {unit: piece for each in plugins for unit, piece in _by_function(each, market).items()})


def of_pieces(entries: Sequence[Feature], pieces: Mapping[str, Plugin]) -> Subject:
    """The same of plug-ins that are split already; `pieces` by any names."""
    units = {entry.name: unit for unit, piece in pieces.items() for entry in piece.entries}
    origins = {unit: Origin(piece.path, tuple(piece.functions)) for unit, piece in pieces.items()}
    return Subject(tuple(entries), _Build(pieces, units), _Streams(pieces, units), units, origins)


@dataclass(frozen=True)
class _Build:
    """`build_features`, with only those pieces of plug-ins that the features asked for come from."""

    pieces: Mapping[str, Plugin]
    units: Mapping[str, str]

    def __call__(self, market: Market, entries: Sequence[Feature]) -> Mapping[str, Array]:
        library = tuple(entry for entry in entries if entry.name not in self.units)
        built = dict(build_features(market, library)) if library else {}
        for unit in dict.fromkeys(self.units[entry.name] for entry in entries if entry.name in self.units):
            piece = self.pieces[unit]
            built |= build_features(market, piece.entries, (piece,))
        return built


@dataclass(frozen=True)
class _Streams:
    """`FeatureStream`, of the library's features or of one piece of a plug-in."""

    pieces: Mapping[str, Plugin]
    units: Mapping[str, str]

    def open(self, symbols: Sequence[str], bar_ms: int, entries: Sequence[Feature]) -> FeatureStream:
        return FeatureStream(symbols, bar_ms, entries, self._plugins(entries))

    def load(self, path: Path, entries: Sequence[Feature]) -> FeatureStream:
        return FeatureStream.load(path, entries, self._plugins(entries))

    def _plugins(self, entries: Sequence[Feature]) -> tuple[Plugin, ...]:
        units = dict.fromkeys(self.units[entry.name] for entry in entries if entry.name in self.units)
        return tuple(self.pieces[unit] for unit in units)


def _by_function(plugin: Plugin, market: Market) -> dict[str, Plugin]:
    """The plug-in as one for each of its functions; entries that no function returns go with those that raise.

    Raises InputError where functions and registry disagree, if no function fails.
    """
    names: dict[str, list[str]] = {}
    failing = []
    for function in plugin.functions:
        try:
            names[function] = list(call_functions(piece_of(plugin, [function], ()), market))
        except InputError:  # the build says what is wrong
            failing.append(function)
            names[function] = _names_returned(plugin, function, market)
    found = [name for each in names.values() for name in each]
    if not failing:
        raise_if(disagreement(plugin.path, [entry.name for entry in plugin.entries], found))
    left = [entry.name for entry in plugin.entries if entry.name not in found]
    pieces = {f"{plugin.group}.{function}": piece_of(plugin, [function], each) for function, each in names.items()}
    return pieces | ({plugin.group: piece_of(plugin, failing, left)} if left else {})


def _names_returned(plugin: Plugin, function: str, market: Market) -> list[str]:
    """What a function returns all the same, whatever else it does; nothing where it raises."""
    try:
        with np.errstate(all="ignore"):
            return [str(name) for name in plugin.functions[function](frame_of(market, 0))]
    except Exception:
        return []


def piece_of(plugin: Plugin, functions: Sequence[str], names: Collection[str]) -> Plugin:
    """The plug-in with some of its functions and entries only."""
    return replace(
        plugin,
        entries=tuple(entry for entry in plugin.entries if entry.name in names),
        functions={name: plugin.functions[name] for name in functions},
        functions_again={name: each for name, each in plugin.functions_again.items() if name in functions},
    )
