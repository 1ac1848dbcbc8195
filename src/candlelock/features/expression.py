"""What a feature is: an expression over the bars of one symbol, and at times of all symbols.

An expression computes nothing; `program` turns many of them into one list of instructions, in which what they share is
computed once, and from which warm-up, inputs and availability follow. What the operators mean: `operators`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Node:
    """One operator on its inputs. `window` counts bars of the node's clock, which ticks every `clock` bars."""

    op: str
    inputs: tuple[Node, ...] = ()
    window: int = 0
    real: float = 0.0
    extra: int = 0
    output: int = 0
    clock: int = 1
    name: str = ""

    def __add__(self, other: Node | float) -> Node:
        return _binary("add", self, other)

    def __radd__(self, other: float) -> Node:
        return _binary("add", other, self)

    def __sub__(self, other: Node | float) -> Node:
        return _binary("subtract", self, other)

    def __rsub__(self, other: float) -> Node:
        return _binary("subtract", other, self)

    def __mul__(self, other: Node | float) -> Node:
        return _binary("multiply", self, other)

    def __rmul__(self, other: float) -> Node:
        return _binary("multiply", other, self)

    def __truediv__(self, other: Node | float) -> Node:
        return _binary("divide", self, other)

    def __rtruediv__(self, other: float) -> Node:
        return _binary("divide", other, self)

    def __neg__(self) -> Node:
        return Node("negate", (self,), clock=self.clock)


def source(name: str) -> Node:
    """A column of the candles, or `open_time`, as float64 milliseconds since 1970."""
    return Node("source", name=name)


def constant(value: float, clock: int = 1) -> Node:
    """The same number at every bar."""
    return Node("constant", real=float(value), clock=clock)


def _binary(op: str, a: Node | float, b: Node | float) -> Node:
    clock = a.clock if isinstance(a, Node) else b.clock if isinstance(b, Node) else 1
    left = a if isinstance(a, Node) else constant(a, clock)
    right = b if isinstance(b, Node) else constant(b, clock)
    if left.clock != right.clock:
        raise ValueError(f"{op}: one side ticks every {left.clock} bars, the other every {right.clock}")
    return Node(op, (left, right), clock=clock)
