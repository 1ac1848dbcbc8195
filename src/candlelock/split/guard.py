"""Leakage checks that run on the built tables and say what they compared.

Each check is written apart from the code it checks: segments and the folds that training uses are verified from their
times alone; that features see no future is proven by the stage `causality`, and taken from its report. What they cannot
see: leaks in the candles themselves, and a choice made by looking at test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.contracts.documents import SEGMENTS, Check
from candlelock.split.segments import fold_masks, n_folds

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

    from candlelock.contracts.causality_documents import CausalityReport

MAX_FINDINGS = 20
SUSPICIOUS_CORRELATION = 0.9


def check_time_split(rows: pd.DataFrame, embargo_ms: int) -> Check:
    """No label of an earlier segment or fold reaches, embargo included, the first decision of a later one."""
    labelled = rows[rows["is_up"].notna()]
    parts = {name: labelled[labelled["segment"] == name] for name in SEGMENTS}
    pairs = {f"{a} before {b}": (parts[a], parts[b]) for i, a in enumerate(SEGMENTS) for b in SEGMENTS[i + 1 :]}
    for fold in range(1, n_folds(rows) + 1):
        trains, validates = fold_masks(rows, fold, embargo_ms)
        pairs[f"fold {fold}: train before validation"] = (rows[trains], rows[validates])
    findings, margins = [], {}
    for name, (earlier, later) in pairs.items():
        last, first = int(earlier["label_end_ms"].max()), int(later["decision_time_ms"].min())
        margins[name] = (first - last) / 1000
        if last + embargo_ms >= first:
            worst = earlier.iloc[int(earlier["label_end_ms"].argmax())]
            findings.append(
                f"{name}: label of {worst['symbol']} ends {last} ms, next decision {first} ms, embargo {embargo_ms} ms"
            )
    if labelled["label_end_ms"].le(labelled["decision_time_ms"]).any():
        findings.append("a label ends before its decision")
    what = "latest label end of each earlier part, embargo included, against the first decision of each later part"
    return Check(
        passed=not findings,
        what=what,
        n_compared=len(pairs),
        evidence={"margin_seconds": margins, "embargo_seconds": embargo_ms / 1000},
        findings=findings,
    )


def check_future_info(certificate: CausalityReport, snapshot_id: str, names: Sequence[str]) -> Check:
    """No feature sees the future: the causality certificate of these features, by name, on this snapshot has passed."""
    findings = []
    if certificate.candles.snapshot_id != snapshot_id:
        findings.append("the causality certificate is of another snapshot")
    if [feature.name for feature in certificate.features] != list(names):
        findings.append("the causality certificate is of other features")
    for found in (found for check in certificate.checks for found in check.findings):
        place = f"{found.feature} of {found.symbol or 'any symbol'} at {found.time or 'any time'}"
        findings.append(f"{place}: {found.code}, {found.detail}")
    evidence = {check.name: {"n_compared": check.n_compared, "passed": check.passed} for check in certificate.checks}
    return Check(
        passed=certificate.passed and not findings,
        what=f"the causality certificate: {len(certificate.features)} features, each tried in {len(evidence)} ways",
        n_compared=sum(check.n_compared for check in certificate.checks),
        evidence=evidence,
        findings=findings[:MAX_FINDINGS],
    )


def check_feature_audit(
    disagreements: Sequence[str],
    matrix: npt.NDArray[np.float64],
    names: Sequence[str],
    future_return: npt.NDArray[np.float64],
) -> Check:
    """Tables agree with the registry; no feature is the label or a copy of another under a second name."""
    findings = list(disagreements)
    known = ~np.isnan(future_return)
    targets = (future_return[known], np.sign(future_return[known]))  # the label itself is far from linear in the return
    correlations = {
        name: max((_correlation(matrix[known, i], target) for target in targets), key=abs)
        for i, name in enumerate(names)
    }
    findings += [
        f"{name}: correlation {value:.3f} with the future return or its sign"
        for name, value in correlations.items()
        if abs(value) > SUSPICIOUS_CORRELATION
    ]
    seen: dict[bytes, str] = {}
    for i, name in enumerate(names):
        if np.nanmin(matrix[:, i], initial=np.inf) >= np.nanmax(matrix[:, i], initial=-np.inf):
            continue  # one value throughout: like any other such column, and no use to a model
        twin = seen.setdefault(np.ascontiguousarray(matrix[:, i]).tobytes(), name)
        if twin != name:
            findings.append(f"{name}: the same values as {twin}")
    strongest = max(correlations, key=lambda name: abs(correlations[name]))
    evidence = {
        "strongest_feature": strongest,
        "strongest_correlation": round(correlations[strongest], 6),
        "bound": SUSPICIOUS_CORRELATION,
    }
    what = "columns, types, order, warm-up against features.yml; correlation with the future return and its sign; twins"
    return Check(
        passed=not findings, what=what, n_compared=len(names), evidence=evidence, findings=findings[:MAX_FINDINGS]
    )


def _correlation(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    """Pearson correlation over the rows where both are known; 0 when either is constant."""
    both = ~(np.isnan(x) | np.isnan(y))
    if both.sum() < 2:
        return 0.0
    a, b = x[both] - x[both].mean(), y[both] - y[both].mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / size) if size > 0 else 0.0
