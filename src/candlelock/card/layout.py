"""Rows of the card's tables: what stands beside what, in which order.

Only differences and places on the page are computed here; every figure is the card's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from candlelock.card.wording import METRICS
from candlelock.contracts.documents import SEGMENTS
from candlelock.contracts.leakage_documents import PROVES
from candlelock.page.chart import Scale, widen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from candlelock.contracts.backtest_documents import CostSurfacePoint
    from candlelock.contracts.card_document import Artifact, Gate, ModelCard
    from candlelock.contracts.documents import Importance, Interval, ValueBaseline, Values
    from candlelock.contracts.leakage_documents import LeakageReport, LeakCheck
    from candlelock.contracts.training_documents import Member

N_FEATURES = 20
STAGE_ORDER = ("reports", "models", "data/split", "data/features", "data/snapshot")


def order_checks(report: LeakageReport) -> list[tuple[str, LeakCheck]]:
    """The leakage checks, each with the card's boolean that it stands behind, boolean by boolean."""
    order = list(dict.fromkeys(PROVES.values()))
    pairs = [(str(PROVES[check.name]), check) for check in report.checks]
    return sorted(pairs, key=lambda pair: order.index(pair[0]))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Contender:
    """The model (without a lead over itself) or a baseline. Places are percent of the strip's width."""

    name: str
    remark: str
    accuracy: Interval
    lead_pp: float | None
    scores: dict[str, float | None]
    low_at: float
    value_at: float
    high_at: float


@dataclass(frozen=True)
class Strip:
    """Contenders on one accuracy scale; `half_at` is where 50 % lies."""

    contenders: list[Contender]
    half_at: float


@dataclass(frozen=True)
class Span:
    """A segment on the line of time, in percent of its length."""

    name: str
    left: float
    width: float


def compare_accuracies(card: ModelCard) -> Strip:
    """The model, then the baselines from the most accurate down. `lead_pp` is the model's accuracy less theirs."""
    own = card.intervals["accuracy"]
    everyone = [own, *(baseline.accuracy for baseline in card.baselines.values())]
    scale = Scale(*widen([0.5, *(end for one in everyone for end in (one.low, one.high))]), 0, 100)
    own_scores = {name: card.metrics.get(name) for name in METRICS}
    rows = [_contender(card.model_name, "", own, None, own_scores, scale)]
    for name, baseline in sorted(card.baselines.items(), key=lambda item: (-item[1].accuracy.value, item[0])):
        lead, scores = 100 * (own.value - baseline.accuracy.value), baseline.model_dump(exclude={"accuracy"})
        rows.append(_contender(name, _remark(name, card), baseline.accuracy, lead, scores, scale))
    return Strip(rows, scale(0.5))


def _contender(
    name: str, remark: str, accuracy: Interval, lead_pp: float | None, scores: dict[str, float | None], scale: Scale
) -> Contender:
    places = [scale(value) for value in (accuracy.low, accuracy.value, accuracy.high)]
    return Contender(name, remark, accuracy, lead_pp, scores, *places)


def _remark(name: str, card: ModelCard) -> str:
    roles = {card.best_constant: "best constant", card.best_rule: "best rule"}
    return roles.get(name, "")


def best_baseline(card: ModelCard, metric: str) -> tuple[str, float] | None:
    """The baseline that is hardest to beat on a score; None where no baseline has it."""
    known = [(name, value) for name, b in sorted(card.baselines.items()) if (value := getattr(b, metric)) is not None]
    if not known:
        return None
    choose = min if metric in {"log_loss", "brier"} else max
    return choose(known, key=lambda item: item[1])


def list_metrics(card: ModelCard) -> list[tuple[str, float, Interval | None]]:
    """Name, value and interval of every metric, the known ones first."""
    values = {name: interval.value for name, interval in card.intervals.items()} | card.metrics
    known = list(METRICS)
    names = sorted(values, key=lambda name: (known.index(name) if name in known else len(known), name))
    return [(name, values[name], card.intervals.get(name)) for name in names]


def brier_parts(card: ModelCard) -> list[tuple[str, float]]:
    """Name and value of each part, with the sign it has in their sum, the Brier score."""
    parts = card.probabilities.brier_parts
    within = parts.within_bin_variance - parts.within_bin_covariance
    signed = {"reliability": parts.reliability, "resolution": -parts.resolution, "uncertainty": parts.uncertainty}
    return [*signed.items(), ("within bins", within)]


def rank_value_baselines(values: Values) -> list[tuple[str, ValueBaseline]]:
    """Baselines of values, the smallest error first."""
    return sorted(values.baselines.items(), key=lambda item: (item[1].rmse, item[0]))


@dataclass(frozen=True)
class CostGrid:
    """Net returns at multiples of the fees (rows) and the slippage (columns); None where that is beyond a fill."""

    columns: list[float]
    rows: list[tuple[float, list[float | None]]]


def cost_grid(surface: Sequence[CostSurfacePoint]) -> CostGrid:
    """The cost surface as a table."""
    found = {(one.fee_multiple, one.slippage_multiple): one.net_return_frac for one in surface}
    fees, slippages = (sorted({pair[at] for pair in found}) for at in (0, 1))
    return CostGrid(slippages, [(fee, [found.get((fee, slippage)) for slippage in slippages]) for fee in fees])


def unmet_gates(card: ModelCard) -> list[Gate]:
    """Gates that did not pass, failures first."""
    return sorted((gate for gate in card.gates if gate.status != "PASS"), key=lambda gate: gate.status != "FAIL")


def lay_out_segments(card: ModelCard) -> list[Span]:
    """The segments on one line of time."""
    times = {name: (_seconds(part.start), _seconds(part.end)) for name, part in card.segments.items()}
    scale = Scale(min(start for start, _ in times.values()), max(end for _, end in times.values()), 0, 100)
    names = [name for name in SEGMENTS if name in times]
    return [Span(name, scale(times[name][0]), scale(times[name][1]) - scale(times[name][0])) for name in names]


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


def top_features(card: ModelCard) -> list[Importance]:
    """The features of the largest gain."""
    return sorted(card.feature_importance, key=lambda feature: (-feature.gain, feature.name))[:N_FEATURES]


def ordered_members(members: Mapping[str, Member]) -> list[tuple[str, Member]]:
    """Members of the ensemble, then baselines, each by name."""
    return sorted(members.items(), key=lambda item: (item[1].role != "member", item[0]))


def flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys and their values as JSON, sorted by key."""
    for key in sorted(values):
        value = values[key]
        if isinstance(value, dict) and value:
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, json.dumps(value, ensure_ascii=False, sort_keys=True)


def trace_lineage(card: ModelCard) -> list[Artifact]:
    """The artifacts from the reports back to the candles; a document stands before the tables it names."""
    return sorted(card.lineage, key=_distance)


def _distance(artifact: Artifact) -> tuple[int, str, bool, str]:
    folder = PurePosixPath(artifact.path).parent.as_posix()
    stage = next((i for i, start in enumerate(STAGE_ORDER) if folder.startswith(start)), len(STAGE_ORDER))
    return stage, folder, not artifact.path.endswith(".json"), artifact.path
