"""The gate policy: one versioned document that turns evidence into PASS, FAIL or INSUFFICIENT EVIDENCE."""

from __future__ import annotations

from typing import Literal

from candlelock.contracts.documents import Document


class GateRule(Document):
    """Bound on one figure. `min_n` of `evidence` rows, days or trades must stand behind it.

    `heads`: which are asked for it: all, those that are traded, or those of values.
    """

    name: str
    heads: Literal["all", "traded", "valued"] = "all"
    figure: str
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    evidence: str | None = None
    min_n: int | None = None
    why: str


class TooGood(Document):
    """The largest AUC on test that is believed for labels up to so many bars ahead; null: for any longer ones."""

    max_horizon_bars: int | None
    max_auc_roc: float
    why: str


class Policy(Document):
    """src/candlelock/contracts/policy.json. `too_good` from the shortest horizon to the longest."""

    version: str
    kind: Literal["candlelock gate policy"]
    gates: list[GateRule]
    too_good: list[TooGood]
    max_test_models: int
