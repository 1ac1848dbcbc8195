"""The gate policy: one versioned document that turns evidence into PASS, FAIL or INSUFFICIENT EVIDENCE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError

from candlelock.contracts.documents import Document
from candlelock.contracts.errors import Problem, nearest, raise_if
from candlelock.contracts.gate_figures import COUNTS, FIGURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

HELP = "docs/gates.md describes the file"


class GateRule(Document):
    """Bound on one figure. `min_n` of `evidence` rows, days or trades must stand behind it.

    `heads`: which are asked for it: all, those that are traded, or those of values.
    """

    name: str = Field(min_length=1)
    heads: Literal["all", "traded", "valued"] = "all"
    figure: str = Field(json_schema_extra={"enum": list(FIGURES)})
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    evidence: str | None = Field(default=None, json_schema_extra={"enum": [*COUNTS, None]})
    min_n: int | None = Field(default=None, ge=1)
    why: str


class TooGood(Document):
    """The largest AUC on test that is believed for labels up to so many bars ahead; null: for any longer ones."""

    max_horizon_bars: int | None
    max_auc_roc: float
    why: str


class GatePolicy(Document):
    """A file of `candlelock gate --policy`. `version`: three numbers, raised with every change of a bound."""

    version: str = Field(pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$")
    kind: Literal["candlelock gate policy"]
    gates: list[GateRule] = Field(min_length=1)


class Policy(GatePolicy):
    """src/candlelock/contracts/policy.json, the policy of the card stage. `too_good`: shortest horizon first.

    The last two keys are the leakage audit's, which looks at predictions and at the ledger of reads.
    """

    too_good: list[TooGood]
    max_test_models: int


AUDITED = frozenset(Policy.model_fields) - frozenset(GatePolicy.model_fields)


def parse_policy(document: Any, file: str, built_in: Policy) -> GatePolicy:  # noqa: ANN401
    """The policy of a parsed JSON file.

    Raises InputError with every problem of the file: keys, types, figures, bounds the wrong way round, evidence.
    """
    plain = built_in.model_dump(mode="json")
    keys = document if isinstance(document, dict) else {}
    audited = {key: keys[key] for key in AUDITED & set(keys)}
    problems = [_not_judged(file, key) for key in sorted(audited) if audited[key] != plain[key]]
    own = {key: value for key, value in keys.items() if key not in audited} if keys else document
    try:
        policy = GatePolicy.model_validate(own, strict=True)
    except ValidationError as error:
        raise_if([*(_shape_problem(detail, file) for detail in error.errors()), *_gate_problems(keys, file), *problems])
        raise
    raise_if([*_gate_problems(keys, file), *problems])
    return policy


def _not_judged(file: str, key: str) -> Problem:
    help_line = "leave the key out: the card's leakage checks were made with the built-in policy"
    return Problem("policy-built-in", f"{file} {key}", "another value than the built-in one", "no key", help_line)


def _shape_problem(detail: ErrorDetails, file: str) -> Problem:
    loc = detail["loc"]
    place = f"{file} {'.'.join(map(str, loc)) or '(the whole file)'}"
    if detail["type"] == "extra_forbidden":
        known = list((GateRule if len(loc) > 1 else GatePolicy).model_fields)
        return Problem("policy-key", place, "an unknown key", "a known key", nearest(str(loc[-1]), known))
    if detail["type"] == "missing":
        return Problem("policy-key", place, "nothing", "a value", HELP)
    expected = "three numbers such as 1.0.0" if loc == ("version",) else detail["msg"]
    return Problem("policy-value", place, repr(detail["input"])[:80], expected, HELP)


def _gate_problems(keys: dict[str, Any], file: str) -> Iterator[Problem]:
    """Of those gates that have the shape of one."""
    seen: dict[str, int] = {}
    listed = keys.get("gates")
    for number, plain in enumerate(listed if isinstance(listed, list) else []):
        try:
            rule = GateRule.model_validate(plain, strict=True)
        except ValidationError:
            continue
        place = f"{file} gates.{number} {rule.name!r}"
        if rule.name in seen:
            found = f"the name of gates.{seen[rule.name]}"
            yield Problem("policy-duplicate", f"{place} name", found, "a name of its own", "rename or delete one")
        seen.setdefault(rule.name, number)
        yield from _figure_problems(rule, place)
        yield from _evidence_problems(rule, place)


def _figure_problems(rule: GateRule, place: str) -> Iterator[Problem]:
    if rule.figure not in FIGURES:
        help_line = nearest(rule.figure, list(FIGURES))
        yield Problem("policy-figure", f"{place} figure", repr(rule.figure), "a figure of docs/gates.md", help_line)
    for key, found, expected in _bound_faults(rule):
        help_line = "docs/gates.md says of every figure which direction is good"
        yield Problem("policy-bound", f"{place} {key}", found, expected, help_line)


def _bound_faults(rule: GateRule) -> Iterator[tuple[str, str, str]]:
    """Key, what was found, what was expected."""
    bounds = {key: value for key in ("at_least", "above", "at_most") if (value := getattr(rule, key)) is not None}
    floors = [key for key in bounds if key != "at_most"]
    figure = FIGURES.get(rule.figure)
    if not bounds:
        yield "at_least", "no bound", "at_least, above or at_most"
    if len(floors) > 1:
        yield "above", "at_least and above", "one of the two"
    for key in floors:
        if rule.at_most is not None and (bounds[key] > rule.at_most or rule.above == rule.at_most):
            yield key, f"{bounds[key]:g}, at_most {rule.at_most:g}", "room between the two"
    if figure is None:
        return
    if bounds and figure.better == "high" and not floors:
        yield "at_most", f"only at_most {rule.at_most:g}", f"at_least or above: more {rule.figure} is better"
    if figure.better == "low" and floors and rule.at_most is None:
        yield floors[0], f"only {floors[0]} {bounds[floors[0]]:g}", f"at_most: less {rule.figure} is better"
    for key, bound in bounds.items():
        if figure.is_share and not 0 <= bound <= 1:
            yield key, f"{bound:g}", f"a fraction from 0 to 1, as {rule.figure} is"


def _evidence_problems(rule: GateRule, place: str) -> Iterator[Problem]:
    if (rule.evidence is None) != (rule.min_n is None):
        there, lacking = ("min_n", "evidence") if rule.evidence is None else ("evidence", "min_n")
        found, help_line = f"{there} without {lacking}", f"add {lacking}, or take {there} out"
        yield Problem("policy-evidence", f"{place} {lacking}", found, "both or neither", help_line)
    if rule.evidence is not None and rule.evidence not in COUNTS:
        help_line = nearest(rule.evidence, COUNTS)
        yield Problem("policy-figure", f"{place} evidence", repr(rule.evidence), "a count of docs/gates.md", help_line)
