"""The verdict: the policy's bounds against the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from candlelock.contracts.card_document import Gate, GateStatus, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from candlelock.contracts.documents import Interval
    from candlelock.contracts.head_params import HeadParams
    from candlelock.contracts.policy import GatePolicy, GateRule

AnyPolicy = TypeVar("AnyPolicy", bound="GatePolicy")


def asked_of(policy: AnyPolicy, question: HeadParams) -> AnyPolicy:
    """The policy with the gates that such a head has to pass."""
    asked = {"all": True, "traded": question.is_traded, "valued": question.is_valued}
    return policy.model_copy(update={"gates": [rule for rule in policy.gates if asked[rule.heads]]})


def judge(
    policy: GatePolicy, figures: Mapping[str, float | None], intervals: Mapping[str, Interval] | None = None
) -> list[Gate]:
    """Each gate of the policy with its status; a figure that does not exist is INSUFFICIENT EVIDENCE.

    `intervals`: those of the scores, to stand beside their figures.
    """
    return [_judge(rule, figures, intervals or {}) for rule in policy.gates]


def decide(gates: Sequence[Gate]) -> Verdict:
    """NO-GO with any FAIL, else INSUFFICIENT EVIDENCE with any gate lacking it, or without any gate, else GO."""
    statuses = {gate.status for gate in gates}
    if "FAIL" in statuses:
        return "NO-GO"
    return "GO" if statuses == {"PASS"} else "INSUFFICIENT EVIDENCE"


def _judge(rule: GateRule, figures: Mapping[str, float | None], intervals: Mapping[str, Interval]) -> Gate:
    figure, n_evidence = figures.get(rule.figure), figures.get(rule.evidence or "")
    status: GateStatus = "PASS" if figure is not None and _holds(rule, figure) else "FAIL"
    lack = ""
    if figure is None:
        lack = f"; there is no {rule.figure}"
    elif rule.min_n is not None and (n_evidence is None or n_evidence < rule.min_n):
        lack = f"; {rule.evidence} is {n_evidence or 0:g}, {rule.min_n} needed"
    return Gate(
        name=rule.name,
        status="INSUFFICIENT EVIDENCE" if lack else status,
        figure_name=rule.figure,
        figure=figure,
        interval=_interval(rule.figure, intervals),
        bound=_bound(rule),
        evidence=rule.evidence,
        n_evidence=None if n_evidence is None else int(n_evidence),
        min_n=rule.min_n,
        why=rule.why + lack,
    )


def _interval(figure: str, intervals: Mapping[str, Interval]) -> Interval | None:
    """That of the figure, or of the score it is an end of."""
    names = (figure, figure.removesuffix("_low"), figure.removesuffix("_high"))
    return next((intervals[name] for name in names if name in intervals), None)


def _holds(rule: GateRule, figure: float) -> bool:
    return (
        (rule.at_least is None or figure >= rule.at_least)
        and (rule.above is None or figure > rule.above)
        and (rule.at_most is None or figure <= rule.at_most)
    )


def _bound(rule: GateRule) -> str:
    signs = (("≥", rule.at_least), (">", rule.above), ("≤", rule.at_most))
    return " and ".join(f"{sign} {bound:g}" for sign, bound in signs if bound is not None)
