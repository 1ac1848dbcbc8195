"""The verdict: the policy's bounds against the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.contracts.card_document import Gate, GateStatus, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from candlelock.contracts.head_params import HeadParams
    from candlelock.contracts.policy import GateRule, Policy


def asked_of(policy: Policy, question: HeadParams) -> Policy:
    """The policy with the gates that such a head has to pass."""
    asked = {"all": True, "traded": question.is_traded, "valued": question.is_valued}
    return policy.model_copy(update={"gates": [rule for rule in policy.gates if asked[rule.heads]]})


def judge(policy: Policy, figures: Mapping[str, float | None]) -> list[Gate]:
    """Each gate of the policy with its status; a figure that does not exist is INSUFFICIENT EVIDENCE."""
    return [_judge(rule, figures) for rule in policy.gates]


def decide(gates: Sequence[Gate]) -> Verdict:
    """NO-GO with any FAIL, else INSUFFICIENT EVIDENCE with any gate lacking it, else GO."""
    statuses = {gate.status for gate in gates}
    if "FAIL" in statuses:
        return "NO-GO"
    return "INSUFFICIENT EVIDENCE" if "INSUFFICIENT EVIDENCE" in statuses else "GO"


def _judge(rule: GateRule, figures: Mapping[str, float | None]) -> Gate:
    figure = figures.get(rule.figure)
    n_evidence = figures.get(rule.evidence) if rule.evidence else None
    status: GateStatus = "PASS" if figure is not None and _holds(rule, figure) else "FAIL"
    why = rule.why
    if figure is None:
        status, why = "INSUFFICIENT EVIDENCE", f"{rule.why}; there is no {rule.figure}"
    elif rule.min_n is not None and (n_evidence is None or n_evidence < rule.min_n):
        status, why = (
            "INSUFFICIENT EVIDENCE",
            f"{rule.why}; {rule.evidence} is {n_evidence or 0:g}, {rule.min_n} needed",
        )
    return Gate(name=rule.name, status=status, figure=figure, bound=_bound(rule), why=why)


def _holds(rule: GateRule, figure: float) -> bool:
    return (
        (rule.at_least is None or figure >= rule.at_least)
        and (rule.above is None or figure > rule.above)
        and (rule.at_most is None or figure <= rule.at_most)
    )


def _bound(rule: GateRule) -> str:
    signs = (("≥", rule.at_least), (">", rule.above), ("≤", rule.at_most))
    return " and ".join(f"{sign} {bound:g}" for sign, bound in signs if bound is not None)
