"""From expressions to one list of instructions for the interpreter, and what follows from them about each feature."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from candlelock.features.expression import source
from candlelock.features.kernels import across as over
from candlelock.features.kernels import elementwise as each
from candlelock.features.kernels import interpreter as run
from candlelock.features.kernels.clocks import HIGHER_STATE
from candlelock.features.kernels.patterns import LOOKBACKS, N_PATTERNS
from candlelock.features.kernels.patterns import STATE_SIZE as PATTERN_STATE
from candlelock.features.kernels.recursions import SAR_STATE
from candlelock.features.kernels.windows import TILE
from candlelock.features.operators import min_present

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from candlelock.features.expression import Node


class Op(NamedTuple):
    """An operator: its code, how many series it writes, what it remembers, and how many earlier bars it reaches for."""

    code: int
    n_outputs: int = 1
    state: Callable[[Node], int] = lambda node: 0
    lookback: Callable[[Node], int] = lambda node: 0


def _suffixes(head: int, n: int, n_prefixes: int = 0) -> Callable[[Node], int]:
    return lambda node: head + n * (node.window + 1) + n_prefixes * node.window


def _window(node: Node) -> int:
    return node.window - 1


OPS: dict[str, Op] = {
    "add": Op(each.ADD),
    "subtract": Op(each.SUBTRACT),
    "multiply": Op(each.MULTIPLY),
    "divide": Op(each.DIVIDE),
    "maximum": Op(each.MAXIMUM),
    "minimum": Op(each.MINIMUM),
    "greater": Op(each.GREATER),
    "where_known": Op(each.WHERE_KNOWN),
    "log": Op(each.LOG),
    "sqrt": Op(each.SQRT),
    "absolute": Op(each.ABSOLUTE),
    "negate": Op(each.NEGATE),
    "sign": Op(each.SIGN),
    "sine": Op(each.SINE),
    "cosine": Op(each.COSINE),
    "remainder": Op(each.REMAINDER),
    "floor": Op(each.FLOOR),
    "month": Op(each.MONTH),
    "lag": Op(run.LAG, 1, lambda node: 2 * node.window, lambda node: node.window),
    "sum": Op(run.SUM, 2, _suffixes(3, 1, 1), _window),
    "max": Op(run.MAX, 1, _suffixes(4, 1, 1), _window),
    "age": Op(run.AGE, 1, _suffixes(5, 2, 1), _window),
    "moments": Op(run.MOMENTS, 2, _suffixes(5, 3), _window),
    "powers": Op(run.POWERS, 2, _suffixes(5, 5), _window),
    "decay": Op(run.DECAY, 2, _suffixes(3, 3), _window),
    "path": Op(run.PATH, 1, _suffixes(4, 4), _window),
    "pairs": Op(run.PAIRS, 3, _suffixes(10, 6), _window),
    "deviation": Op(run.DEVIATION, 1, lambda node: node.window + TILE, _window),
    "rank": Op(run.RANK, 1, lambda node: node.window + TILE, _window),
    "profile": Op(run.PROFILE, 2, lambda node: 2 * (node.window + TILE) - 1 + node.extra, _window),
    "run": Op(run.RUN, 1, lambda node: 1, _window),
    "sar": Op(run.SAR, 1, lambda node: 2 * SAR_STATE, lambda node: 2 * node.window - 1),
    "higher": Op(run.HIGHER, 5, lambda node: HIGHER_STATE),
    "hold": Op(run.HOLD, 1, lambda node: 2),
    "same_time": Op(run.SAME_TIME, 1, lambda node: 2 * node.extra, lambda node: node.extra),
    "patterns": Op(run.PATTERNS, N_PATTERNS, lambda node: PATTERN_STATE, lambda node: int(LOOKBACKS[node.output])),
    "cross_mean": Op(run.ACROSS + over.MEAN),
    "others_mean": Op(run.ACROSS + over.OTHERS_MEAN),
    "cross_deviation": Op(run.ACROSS + over.DEVIATION),
    "cross_rank": Op(run.ACROSS + over.RANK),
    "venues_mean": Op(run.ACROSS + over.VENUES_MEAN),
}


EMIT = Op(run.EMIT, 0)


@dataclass(frozen=True)
class Facts:
    """What an expression says of itself: earlier bars a value may depend on, the columns it reads, and its clock."""

    lookback: int
    inputs: frozenset[str]
    clock: int


@dataclass(frozen=True)
class Program:
    """Instructions for all features at once; what the arrays hold: `kernels.interpreter`."""

    code: npt.NDArray[np.int64]
    reals: npt.NDArray[np.float64]
    phases: npt.NDArray[np.int64]
    n_slots: int
    state_size: int
    sources: Mapping[str, int]
    constants: Mapping[int, float]
    facts: Mapping[str, Facts]


@dataclass(frozen=True)
class _Step:
    """An instruction before rows are given out: `out` and `inputs` number series, not rows."""

    level: int
    op: Op
    node: Node
    out: int
    inputs: tuple[int, ...]
    feature: int = 0

    def encode(self, row_of: Mapping[int, int], state_from: int) -> list[int]:
        node, rows = self.node, [row_of[each] for each in self.inputs]
        clock = node.inputs[0].clock if node.op == "hold" else node.clock
        enough = node.extra if node.op == "higher" else min_present(node.window)
        rows += [0] * (5 - len(rows))
        extra = self.feature if self.op is EMIT else node.extra
        return [
            self.op.code, clock, row_of.get(self.out, 0), *rows, node.window, enough, extra,
            state_from, state_from + self.op.state(node),
        ]  # fmt: skip


@dataclass
class _Lowering:
    """Value numbering: equal operators on equal inputs are one step."""

    numbers: dict[object, int] = field(default_factory=dict)
    levels: list[int] = field(default_factory=list)
    sources: dict[str, int] = field(default_factory=dict)
    constants: dict[int, float] = field(default_factory=dict)
    steps: list[_Step] = field(default_factory=list)

    def number_of(self, node: Node) -> int:
        """The number of the node's series; adds the step on first sight."""
        inputs = tuple(self.number_of(each) for each in node.inputs)
        key = (node.op, inputs, node.window, node.real, node.extra, node.clock, node.name)
        if key not in self.numbers:
            self.numbers[key] = self._add(node, inputs)
        return self.numbers[key] + node.output

    def _add(self, node: Node, inputs: tuple[int, ...]) -> int:
        first = len(self.levels)
        if node.op == "source":
            self.sources[node.name] = first
        elif node.op == "constant":
            self.constants[first] = node.real
        if not node.inputs:
            self.levels.append(0)
            return first
        op = OPS[node.op]
        level = max(self.levels[each] for each in inputs)
        level += (level % 2 == 0) == (op.code >= run.ACROSS)  # symbols apart on even levels, together on odd ones
        self.levels += [level] * op.n_outputs
        self.steps.append(_Step(level, op, node, first, inputs))
        return first

    def emit(self, feature: int, node: Node, close: int) -> None:
        """Write the node to the feature's column."""
        number = self.number_of(node)
        level = self.levels[number]
        self.steps.append(_Step(level + level % 2, EMIT, node, -1, (number, close), feature))


class _Rows:
    """Gives out rows of the interpreter's memory, and takes back those that nothing reads any more."""

    def __init__(self, n_kept: int) -> None:
        self.is_free: list[bool] = [False] * n_kept

    def take(self, n: int) -> int:
        """The first of `n` free rows that lie together."""
        at = next((i for i in range(len(self.is_free)) if all(self.is_free[i : i + n])), len(self.is_free))
        self.is_free += [True] * max(at + n - len(self.is_free), 0)
        self.is_free[at : at + n] = [False] * n
        return at

    def give_back(self, row: int) -> None:
        self.is_free[row] = True


def _allocate(steps: list[_Step], kept: list[int]) -> tuple[dict[int, int], int]:
    """Row of every series, and how many rows there are. `kept`: series whose rows are never given to another."""
    last_use = {each: i for i, step in enumerate(steps) for each in step.inputs}
    rows = _Rows(len(kept))
    row_of = {number: row for row, number in enumerate(kept)}
    for i, step in enumerate(steps):
        if step.op is not EMIT:
            series = range(step.out, step.out + step.op.n_outputs)
            first = rows.take(len(series))
            row_of |= {number: first + k for k, number in enumerate(series)}
            for number in series:
                if number not in last_use:
                    rows.give_back(row_of[number])
        for number in set(step.inputs) - set(kept):
            if last_use[number] == i:
                rows.give_back(row_of[number])
    return row_of, len(rows.is_free)


def facts_of(node: Node, known: dict[int, Facts] | None = None) -> Facts:
    """Look-back in bars of the candles, columns read (`market.` before those of every symbol), and clock."""
    known = {} if known is None else known
    if id(node) not in known:
        known[id(node)] = _derive(node, [facts_of(each, known) for each in node.inputs])
    return known[id(node)]


def _derive(node: Node, inputs: list[Facts]) -> Facts:
    if node.op == "source":
        return Facts(0, frozenset({node.name}), 1)
    if node.op == "constant":
        return Facts(0, frozenset(), 1)
    op = OPS[node.op]
    lookback = max(each.lookback for each in inputs) + op.lookback(node)
    columns = frozenset(name for each in inputs for name in each.inputs)
    clock = min((each.clock for each in inputs if each.inputs), default=1)  # as soon as any of its parts moves
    if node.op == "hold":  # so many whole higher bars, and the unfinished one after them
        lookback, clock = (lookback + 2) * node.window - 2, node.window
    if node.op == "higher":
        lookback = 0
    if node.op in ("higher", "sar"):  # cut, or begun anew, at multiples of absolute time
        columns |= {"open_time"}
    if op.code >= run.ACROSS:
        columns |= {name if name.startswith("market.") else f"market.{name}" for name in columns}
    return Facts(lookback, columns, clock)


def lower(features: Mapping[str, Node]) -> Program:
    """One program for all features, in their order. Every program knows the close, to tell which bars are missing."""
    lowering = _Lowering()
    close = lowering.number_of(source("close"))
    for feature, node in enumerate(features.values()):
        lowering.emit(feature, node, close)
    steps = sorted(lowering.steps, key=lambda step: step.level)
    levels = [step.level for step in steps]
    starts = [i for i, level in enumerate(levels) if i == 0 or levels[i - 1] != level]
    ends = [*starts[1:], len(steps)] if steps else []  # no features at all: plug-ins alone
    phases = [(low, high, levels[low] % 2) for low, high in zip(starts, ends, strict=True)]
    row_of, n_slots = _allocate(steps, [*lowering.sources.values(), *lowering.constants])
    states = np.cumsum([0, *(step.op.state(step.node) for step in steps)]).tolist()
    known: dict[int, Facts] = {}
    return Program(
        code=np.array([step.encode(row_of, at) for step, at in zip(steps, states, strict=False)], np.int64).reshape(
            len(steps), run.N_COLUMNS
        ),
        reals=np.array([step.node.real for step in steps], np.float64),
        phases=np.array(phases, np.int64).reshape(len(phases), 3),
        n_slots=n_slots,
        state_size=states[-1],
        sources={name: row_of[number] for name, number in lowering.sources.items()},
        constants={row_of[number]: value for number, value in lowering.constants.items()},
        facts={name: facts_of(node, known) for name, node in features.items()},
    )
