"""Which requests are to go wrong: rules, as JSON says them, and how often each has struck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from candlelock.contracts.errors import InputError, Problem, nearest, raise_if
from candlelock.simulator.fault_kinds import KINDS, Kind, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ENDPOINTS = ("klines", "time", "info")
HELP = "docs/exchange_sim.md explains the rules"


@dataclass(frozen=True)
class FaultRule:
    """Requests of `symbol` and `endpoint` (None: any) that `kind` strikes: from the `first` matching one on (from 1),
    `times` of them (None: for ever), each with probability `share`, drawn from `seed`. `argument`: see the kind."""

    kind: str
    symbol: str | None = None
    endpoint: str | None = None
    first: int = 1
    times: int | None = None
    share: float = 1.0
    seed: int = 0
    argument: Value | None = None


@dataclass(frozen=True)
class Fault:
    """A fault that strikes one request."""

    name: str
    kind: Kind
    symbol: str | None
    argument: Any
    chance: np.random.Generator


@dataclass
class _Counted:
    rule: FaultRule
    n_matching: int = 0
    n_struck: int = 0


@dataclass
class FaultPlan:
    """Rules in order with their counters. The first rule that strikes a request decides; all that match count it."""

    rules: Sequence[FaultRule] = ()
    _counted: list[_Counted] = field(init=False)

    def __post_init__(self) -> None:
        self._counted = [_Counted(rule) for rule in self.rules]

    def strike(self, endpoint: str, symbol: str | None) -> Fault | None:
        """Count a request and give the fault it gets. `symbol` None: it asks for all symbols or for none."""
        struck = None
        for counted in self._counted:
            if not _matches(counted.rule, endpoint, symbol):
                continue
            counted.n_matching += 1
            fault = _drawn(counted)
            if fault and not struck:
                counted.n_struck += 1
                struck = fault
        return struck

    def as_dicts(self) -> list[dict[str, Any]]:
        """The rules with their counters, as JSON has them."""
        return [
            asdict(each.rule) | {"n_matching": each.n_matching, "n_struck": each.n_struck} for each in self._counted
        ]


def parse_rules(value: Any, place: str) -> list[FaultRule]:  # noqa: ANN401
    """Rules of parsed JSON, a list of objects with the fields of FaultRule.

    Raises InputError with every problem.
    """
    if not isinstance(value, list):
        raise InputError(Problem("simulator-faults", place, type(value).__name__, "a list of rules", HELP))
    raise_if([problem for n, rule in enumerate(value, start=1) for problem in _problems(rule, f"{place} rule {n}")])
    return [FaultRule(**rule) for rule in value]


def _matches(rule: FaultRule, endpoint: str, symbol: str | None) -> bool:
    on = KINDS[rule.kind].endpoints
    is_asked = rule.endpoint in (None, endpoint) and (on is None or endpoint in on)
    speaks_of_all = endpoint == "info" and KINDS[rule.kind].layer == "exchange"
    return is_asked and (rule.symbol in (None, symbol) or speaks_of_all)


def _drawn(counted: _Counted) -> Fault | None:
    rule, n = counted.rule, counted.n_matching
    chance = np.random.default_rng([rule.seed, n])
    is_due = n >= rule.first and (rule.times is None or counted.n_struck < rule.times)
    if not is_due or (rule.share < 1 and chance.random() >= rule.share):
        return None
    kind = KINDS[rule.kind]
    default = kind.argument.default if kind.argument else None
    return Fault(rule.kind, kind, rule.symbol, default if rule.argument is None else rule.argument, chance)


def _problems(rule: Any, place: str) -> Iterator[Problem]:  # noqa: ANN401
    if not isinstance(rule, Mapping) or rule.get("kind") is None:
        yield Problem("simulator-faults", place, repr(rule)[:80], 'an object with a "kind"', HELP)
        return
    known = [each.name for each in fields(FaultRule)]
    for key in rule:
        if key not in known:
            yield Problem("simulator-faults", place, f"key {key!r}", "a known key", nearest(str(key), known))
    if not isinstance(rule["kind"], str) or rule["kind"] not in KINDS:
        help_line = nearest(str(rule["kind"]), list(KINDS))
        yield Problem("simulator-faults", place, f"kind {rule['kind']!r}", "a known kind", help_line)
        return
    for key, (is_right, expected) in _checks(rule, KINDS[rule["kind"]]).items():
        if not is_right:
            yield Problem("simulator-faults", f"{place} {key}", repr(rule.get(key))[:80], expected, HELP)


def _checks(rule: Mapping[str, Any], kind: Kind) -> dict[str, tuple[bool, str]]:
    """Key -> whether its value may be, and what it should be."""
    symbol, endpoint, argument = rule.get("symbol"), rule.get("endpoint"), rule.get("argument")
    times, share = rule.get("times"), rule.get("share", 1.0)
    allowed = sorted(kind.endpoints or ENDPOINTS)
    fits = argument is None or (kind.argument is not None and kind.argument.accepts(argument))
    is_share = isinstance(share, int | float) and not isinstance(share, bool) and 0 <= share <= 1
    return {
        "symbol": (symbol is None or isinstance(symbol, str), "a symbol such as BTC/USDT, or null"),
        "endpoint": (endpoint is None or endpoint in allowed, f"null or one of {', '.join(allowed)}"),
        "first": (_is_whole(rule.get("first", 1), 1), "a whole number from 1 on"),
        "times": (times is None or _is_whole(times, 1), "a whole number from 1 on, or null"),
        "share": (is_share, "a probability from 0 to 1"),
        "seed": (_is_whole(rule.get("seed", 0), 0), "a whole number from 0 on"),
        "argument": (fits, kind.argument.meaning if kind.argument else "null: this kind takes none"),
    }


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
