"""What is known of the features before any model: the causality certificate, and tables as their registry has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.contracts.documents import utc_ms
from candlelock.contracts.leakage_documents import Leak, LeakCheck
from candlelock.leakage.rows import leak_check, when

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from candlelock.contracts.causality_documents import CausalityFinding, CausalityReport

AGAIN = "rebuild with `dvc repro`"


def check_certificate(certificate: CausalityReport, snapshot_id: str, names: Sequence[str], bar_ms: int) -> LeakCheck:
    """No feature sees the future: the causality certificate of these features, by name, on this snapshot has passed."""
    findings = [leak_of(found, bar_ms) for check in certificate.checks for found in check.findings]
    if certificate.candles.snapshot_id != snapshot_id:
        detail = "the certificate is of another snapshot"
        findings.append(Leak(code="certificate-differs", subject="causality.json", detail=detail, help=AGAIN))
    if [feature.name for feature in certificate.features] != list(names):
        detail = "the certificate is of other features"
        findings.append(Leak(code="certificate-differs", subject="causality.json", detail=detail, help=AGAIN))
    evidence = {check.name: {"n_compared": check.n_compared, "passed": check.passed} for check in certificate.checks}
    what = f"the causality certificate: {len(certificate.features)} features, each tried in {len(evidence)} ways"
    n_compared = sum(check.n_compared for check in certificate.checks)
    return leak_check("features", what, n_compared, findings, evidence)


def check_registry(disagreements: Sequence[str], x: npt.NDArray[np.float64], names: Sequence[str]) -> LeakCheck:
    """Feature tables agree with the registry. Evidence: features with the same values, bit for bit, as another.

    `x`: (n_rows, n_features), NaN where unknown. Twins are no leak: on candles without gaps some readings coincide.
    """
    findings = [
        Leak(code="registry-differs", subject="data/features", detail=each, help=AGAIN) for each in disagreements
    ]
    what = "columns, types, order, warm-up and ranges against features.yml"
    return leak_check("registry", what, len(names), findings, {"twins": dict(_twins(x, names))})


def _twins(x: npt.NDArray[np.float64], names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Feature and the one before it with the same values; one value throughout is like any other such column."""
    seen: dict[bytes, str] = {}
    for name, column in zip(names, x.T, strict=True):
        if np.nanmin(column, initial=np.inf) >= np.nanmax(column, initial=-np.inf):
            continue
        twin = seen.setdefault(np.ascontiguousarray(column).tobytes(), name)
        if twin != name:
            yield name, twin


def leak_of(found: CausalityFinding, bar_ms: int) -> Leak:
    """A finding on a feature as a leak: a row is used at its close, and a later bar is known at its own."""
    used_ms = None if found.time is None else utc_ms(found.time) + bar_ms
    ahead = max(found.offset_bars or 0, 0) * bar_ms
    return Leak(
        code=found.code,
        subject=found.feature,
        symbol=found.symbol,
        used_utc=None if used_ms is None else when(used_ms),
        known_utc=when(used_ms + ahead) if used_ms is not None and ahead else None,
        detail=found.detail,
        help=found.help,
    )
