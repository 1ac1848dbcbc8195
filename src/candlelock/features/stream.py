"""Features live: one closed bar at a time, by the same kernels as the batch, with the same bits after the warm-up.

A bar that never comes is a gap, as it is in the batch. What has been read can be saved to a file and taken up again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors
from safetensors.numpy import save as to_safetensors

from candlelock.artifacts import atomic
from candlelock.artifacts.compiled import digest_sources
from candlelock.contracts.errors import InputError, Problem
from candlelock.features.build import program_of, refuse_missing
from candlelock.features.engine import Engine
from candlelock.features.market import CANDLE_FIELDS, Market
from candlelock.features.plugins import build_plugins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from candlelock.contracts.registry import Feature
    from candlelock.features.market import Array
    from candlelock.features.plugins import Plugin

FORMAT = "candlelock-stream-1"
KERNELS = Path(__file__).parent / "kernels"
HELP = "push each closed bar once, in order of time"


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """A symbol's features at a bar: float64 of shape (n_features,) in the order of the entries, NaN where unknown."""

    symbol: str
    open_time_ms: int
    values: Array


class FeatureStream:
    """Features of `symbols` on bars of `bar_ms`, fed bar by bar.

    A bar's rows come when every symbol has delivered it, when a later bar shows that others have none, or on `flush`.
    """

    def __init__(
        self, symbols: Sequence[str], bar_ms: int, entries: Sequence[Feature], plugins: Sequence[Plugin] = ()
    ) -> None:
        self.symbols, self.bar_ms, self.plugins = tuple(symbols), bar_ms, tuple(plugins)
        self.names = [entry.name for entry in entries]
        self._program = program_of(entries, bar_ms)
        of_plugins = [entry.name for plugin in plugins for entry in plugin.entries]
        refuse_missing(self.names, [*self._program.facts, *of_plugins])
        if len(set(symbols)) < len(self.symbols):
            raise _error("stream-symbols", ", ".join(symbols), "a symbol twice", "each symbol once")
        self._engine = Engine(self._program, self.symbols, bar_ms, chunk=1)
        self._warmups = np.array([entry.warmup(bar_ms) for entry in entries], np.int64)
        order = {name: i for i, name in enumerate(self.names)}
        self._built_in = np.array([order[name] for name in self._program.facts], np.int64)
        self._out = np.empty((len(symbols), len(self._program.facts), 1))
        read = dict.fromkeys(name.removeprefix("market.") for entry in entries for name in entry.inputs)
        names = dict.fromkeys([*CANDLE_FIELDS, *(name for name in read if name != "open_time")])
        self._columns = {name: np.full((len(symbols), 1), np.nan) for name in names}
        ages = [entry.warmup(bar_ms) for entry in entries if entry.name not in self._program.facts]
        self._history = np.full((len(symbols), len(self._columns), max(ages, default=-1) + 1), np.nan)
        self._longest = int(self._warmups.max(initial=0))
        self._begun = np.full(len(symbols), -1, np.int64)  # number of each symbol's first bar
        self._next = -1  # number of the bar being collected
        self._pending: dict[str, dict[str, float]] = {}
        self._last: dict[str, dict[str, float]] = {}

    def push(self, symbol: str, open_time_ms: int, bar: Mapping[str, float]) -> list[FeatureRow]:
        """Take one closed bar; the rows that it completes, in the order of the symbols.

        The same bar again is ignored. Raises InputError, and keeps its state, for a bar that is late, contradicts the
        one it repeats, lies off the grid or holds anything but finite numbers.
        """
        number = self._number(symbol, open_time_ms)
        known = self._read_bar(symbol, open_time_ms, bar)
        if self._is_repeated(symbol, number, open_time_ms, known):  # a plug-in may have failed after the first time
            return self.flush() if len(self._pending) == len(self.symbols) else []
        rows = self._advance_to(number) if self._next >= 0 else []
        self._next = number
        self._pending[symbol] = known
        return rows + self.flush() if len(self._pending) == len(self.symbols) else rows

    def flush(self) -> list[FeatureRow]:
        """Close the bar being collected: symbols that have not delivered it have a gap there."""
        if not self._pending:
            return []
        for row, symbol in enumerate(self.symbols):
            bar = self._pending.get(symbol)
            if bar is not None and self._begun[row] < 0:
                self._begun[row] = self._next
            for name, values in self._columns.items():
                values[row, 0] = np.nan if bar is None else bar[name]
        values = np.full((len(self.symbols), len(self.names)), np.nan)
        self._fill_from_plugins(values)  # first: it may raise, and then nothing has moved yet
        self._engine.run(self._columns, self._next, self._out)
        rows = self._rows(values)
        self._last, self._pending = self._pending, {}
        self._next += 1
        return rows

    def _rows(self, values: Array) -> list[FeatureRow]:
        values[:, self._built_in] = self._out[:, :, 0]
        age = self._next - self._begun
        values[age[:, None] < self._warmups] = np.nan
        time = self._next * self.bar_ms
        return [FeatureRow(s, time, values[row]) for row, s in enumerate(self.symbols) if s in self._pending]

    def _fill_from_plugins(self, values: Array) -> None:
        """Plug-ins see as many of the last bars as the longest of their warm-ups asks for."""
        if not self.plugins:
            return
        history = np.roll(self._history, -1, axis=2)
        history[:, :, -1] = np.concatenate(list(self._columns.values()), axis=1)
        n = history.shape[2]
        times = (self._next - n + 1 + np.arange(n, dtype=np.int64)) * self.bar_ms
        columns = {name: history[:, i] for i, name in enumerate(self._columns)}
        fields = {name: columns.pop(name) for name in CANDLE_FIELDS}
        market = Market(self.symbols, self.bar_ms, times, **fields, extras=columns)
        for name, built in build_plugins(self.plugins, market).items():
            if name in self.names:
                values[:, self.names.index(name)] = built[:, -1]
        self._history = history

    def _advance_to(self, number: int) -> list[FeatureRow]:
        """Close the bar being collected, and every bar that is missing before `number`."""
        if number == self._next:
            return []
        rows = self.flush()
        if number - self._next > self._longest:  # nothing that is remembered can matter any more
            self._engine.forget()
            self._history[:] = np.nan
            self._last = {}
            self._next = number
        while self._next < number:
            self._last = {}
            for values in self._columns.values():
                values[:] = np.nan
            self._engine.run(self._columns, self._next, self._out)
            self._history = np.roll(self._history, -1, axis=2)
            self._history[:, :, -1:] = np.nan
            self._next += 1
        return rows

    def _number(self, symbol: str, open_time_ms: int) -> int:
        if symbol not in self.symbols:
            raise _error("stream-unknown-symbol", symbol, symbol, f"one of {', '.join(self.symbols)}")
        if open_time_ms % self.bar_ms:
            found = f"an open time of {open_time_ms} ms"
            raise _error("stream-off-grid", symbol, found, f"a multiple of {self.bar_ms} ms")
        return int(open_time_ms) // self.bar_ms

    def _read_bar(self, symbol: str, open_time_ms: int, bar: Mapping[str, float]) -> dict[str, float]:
        """The bar's columns as numbers, NaN where an optional one is missing. InputError for what no candle can be."""
        try:
            known = {name: float(bar[name]) if name in bar else np.nan for name in self._columns}
        except (TypeError, ValueError) as error:
            raise _error("stream-bad-bar", symbol, f"{error} at {open_time_ms} ms", "numbers") from None
        wrong = [name for name in CANDLE_FIELDS if not np.isfinite(known[name])]
        wrong += [name for name in known if np.isinf(known[name])]
        wrong += [name for name in CANDLE_FIELDS[:4] if known[name] <= 0]
        wrong += ["volume"] * (known["volume"] < 0)
        wrong += [name for name in ("open", "close") if not known["low"] <= known[name] <= known["high"]]
        if wrong:
            found = f"{wrong[0]} {known[wrong[0]]} at {open_time_ms} ms"
            expected = "finite prices above 0, open and close between low and high, and a volume of 0 or more"
            raise _error("stream-bad-bar", symbol, found, expected)
        return known

    def _is_repeated(self, symbol: str, number: int, open_time_ms: int, bar: Mapping[str, float]) -> bool:
        """Whether the bar is known already; raises InputError when it is late, or says something else than before."""
        if self._next < 0 or number > self._next or (number == self._next and symbol not in self._pending):
            return False
        before = self._pending.get(symbol) if number == self._next else None
        if number == self._next - 1:
            before = self._last.get(symbol)
        if before is None:
            found = f"the bar of {open_time_ms} ms after that of {(self._next - 1) * self.bar_ms} ms was closed"
            raise _error("stream-late-bar", symbol, found, "bars in order; a late one stays a gap")
        if any(a != b and (a == a or b == b) for a, b in zip(before.values(), bar.values(), strict=True)):
            found = f"another bar of {open_time_ms} ms than before"
            raise _error("stream-contradiction", symbol, found, "each closed bar once, and final")
        return True

    def save(self, path: Path) -> None:
        """Write everything the next bar needs to one file, atomically."""
        header = {
            "format": FORMAT,
            "symbols": list(self.symbols),
            "bar_ms": self.bar_ms,
            "features": self._digest(),
            "next": self._next,
            "pending": self._pending,
            "last": self._last,
        }
        arrays = {"state": self._engine.state, "history": self._history, "begun": self._begun}
        header["sha256"] = _sha256(header, arrays)
        atomic.write_bytes(path, to_safetensors(arrays, metadata={"stream": json.dumps(header)}))

    @classmethod
    def load(cls, path: Path, entries: Sequence[Feature], plugins: Sequence[Plugin] = ()) -> FeatureStream:
        """Take up a saved stream. Raises InputError when the file is damaged or was written for other features."""
        header, arrays = _read(path)
        stream = cls(header["symbols"], header["bar_ms"], entries, plugins)
        fits = header["features"] == stream._digest() and arrays["history"].shape == stream._history.shape
        if not fits:
            help_line = "load it with the features it was saved with, or begin a new stream"
            found = "the state of other features, or of another version of them"
            raise InputError(Problem("stream-state-other", str(path), found, "the state of these features", help_line))
        stream._engine.state[:] = arrays["state"]
        stream._history[:], stream._begun[:] = arrays["history"], arrays["begun"]
        stream._next, stream._pending, stream._last = header["next"], header["pending"], header["last"]
        return stream

    def _digest(self) -> str:
        """SHA-256 of what is computed: names, instructions, kernels and plug-in files."""
        digest = hashlib.sha256(json.dumps([self.names, list(self._columns), digest_sources(KERNELS)]).encode())
        digest.update(self._program.code.tobytes() + self._program.reals.tobytes())
        for plugin in self.plugins:
            digest.update(plugin.path.read_bytes())
        return digest.hexdigest()


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {})["stream"])
            arrays = {name: file.get_tensor(name) for name in ("state", "history", "begun")}
        is_sound = header["format"] == FORMAT and header.pop("sha256") == _sha256(header, arrays)
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError):
        is_sound = False
    if not is_sound:
        help_line = "begin a new stream and feed it the bars of the longest warm-up"
        raise InputError(
            Problem("stream-state-broken", str(path), "a missing or damaged file", "a saved stream", help_line)
        )
    return header, arrays


def _sha256(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> str:
    words = json.dumps(header, sort_keys=True).encode()
    return hashlib.sha256(words + b"".join(arrays[name].tobytes() for name in sorted(arrays))).hexdigest()


def _error(code: str, symbol: str, found: str, expected: str) -> InputError:
    return InputError(Problem(code, f"stream {symbol}", found, expected, HELP))
