"""Leakage checks that run on the built tables and say what they compared.

Each check is written apart from the code it checks: segments and the folds that training uses are verified from their
times alone, features by rebuilding them from the past alone. What they cannot see: leaks in the candles themselves, and
a choice made by looking at test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from candlelock.contracts.documents import SEGMENTS, Check
from candlelock.split.segments import fold_masks, n_folds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    Tables = Mapping[str, pa.Table]

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


def check_future_info(built: Tables, rebuild: Callable[[int], Tables], n_cuts: int) -> Check:
    """Features of the whole prefix, rebuilt as if later candles did not exist, equal the built tables bit for bit.

    `built`: symbol -> feature table. `rebuild(open_time_ms)`: the same from candles up to that bar alone. Cuts spread
    evenly over the last nine tenths of the span; the last one leaves out only the last bar.
    """
    opens = np.unique(np.concatenate([_open_times(table) for table in built.values()]))
    cuts = [int(opens[int(len(opens) * (0.1 + 0.9 * share / (n_cuts - 1))) - 1]) for share in range(n_cuts - 1)] + [
        int(opens[-2])
    ]
    findings: list[str] = []
    n_compared = 0
    for cut in cuts:
        for symbol, prefix in rebuild(cut).items():
            n_compared += prefix.num_rows * (prefix.num_columns - 1)
            findings += [
                f"{symbol} {name}, bar {at}: changes with candles after {cut} ms"
                for name, at in _differences(prefix, built[symbol])
            ]
    what = "every feature of the whole prefix, rebuilt without the later candles of any symbol, bit for bit"
    return Check(
        passed=not findings,
        what=what,
        n_compared=n_compared,
        evidence={"cut_open_time_ms": cuts},
        findings=findings[:MAX_FINDINGS],
    )


def _differences(prefix: pa.Table, whole: pa.Table) -> Iterator[tuple[str, int]]:
    """Each feature that differs and the open time of the first bar at which it does."""
    opens = _open_times(prefix)
    if not np.array_equal(opens, _open_times(whole)[: len(opens)]):
        yield "open_time_utc", int(opens[0])
        return
    for name in prefix.column_names[1:]:
        a, b = _values(prefix[name]), _values(whole[name])[: len(opens)]
        differs = ~((a == b) | (np.isnan(a) & np.isnan(b)))
        if differs.any():
            yield name, int(opens[int(differs.argmax())])


def _open_times(table: pa.Table) -> npt.NDArray[np.int64]:
    return np.asarray(table["open_time_utc"].cast(pa.int64()).to_numpy())


def _values(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


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
