"""Whether each fit saw the rows it may see, told from the ledger of hand-overs and the times of the split alone.

Rules name the fits of the flow and the part of the split that each use of rows has to lie in. Beyond them: what a fit
is judged on, and what stops it, lies apart from what it was fitted on by the labels' own times, embargo included;
nothing that is fitted, stopped or chosen comes near a test label; and every fit that should be there has a record.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from candlelock.contracts.documents import SEGMENTS
from candlelock.contracts.leakage_documents import Leak, LeakCheck
from candlelock.leakage.rows import leak_check, when
from candlelock.split.splitters import apart

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from candlelock.contracts.leakage_documents import FitCode
    from candlelock.leakage.rows import Mask

    Numbers = npt.NDArray[np.int64]

WHAT = "rows that every fit was handed, against the part of the split each may see; labels apart, embargo included"
HELPS: Mapping[FitCode, str] = {
    "fit-outside": "hand over rows of that part alone: mask by segment and fold, then purge by label end",
    "fit-on-test": "nothing may be fitted, stopped or chosen on test: it is for the one judgement at the end",
    "in-sample": "judge, stop or predict out of sample: leave out what the fit saw, and labels that reach into it",
    "fit-unrecorded": "note the rows where they are handed over: artifacts.fit_ledger",
}
LEARNS = ("fit", "stop", "choose")  # uses whose labels shape the model


@dataclass(frozen=True)
class HandOver:
    """Numbers of the rows in the split table, rising, and the digest of their values; None where there is none."""

    rows: Numbers
    values_sha256: str | None


RULES: Mapping[str, Mapping[str, str]] = {  # fits by name -> use -> the part its rows have to lie in
    r"select/fold (?P<fold>\d+)(/\w+)?": {"fit": "before fold"},
    r"select/final(/\w+)?": {"fit": "train"},
    r"tune/\w+/fold (?P<fold>\d+)(/screen)?": {"fit": "before fold", "stop": "fold", "choose": "fold"},
    r"tune/\w+/path split \d+": {"fit": "train", "stop": "train", "choose": "train"},
    r"train/\w+/fold (?P<fold>\d+)(/rounds)?": {"fit": "before fold", "stop": "before fold", "predict": "fold"},
    r"train/\w+/final(/rounds)?": {"fit": "train", "stop": "train", "predict": "later"},
    r"train/\w+/refit": {"fit": "before test", "predict": "test"},
    r"train/\w+/importance": {"judge": "calibrate or decide"},
    r"calibrate/stack": {"fit": "out of fold"},
    r"calibrate/calibrator": {"fit": "calibrate", "choose": "calibrate", "predict": "later"},
    r"calibrate/ensemble": {"choose": "calibrate"},
    r"calibrate/conformal": {"fit": "decide", "predict": "test", "follow": "test"},
    r"calibrate/threshold": {"choose": "decide"},
    r"evaluate/evaluation": {"judge": "test"},
}
CROSS_FITTED = "calibrate/calibrator"  # chooses by what each block of its own segment says of the others


def check_fits(
    rows: pd.DataFrame, ledgers: Mapping[str, pa.Table], expected: Sequence[str], embargo_ms: int
) -> LeakCheck:
    """Hold the FITS tables of all stages to the split.

    `rows`: the split table, in its order; `ledgers`: stage -> what it noted; `expected`: fits that have to be there, as
    `stage/fit`. One finding for each use of rows at fault.
    """
    rows = _plain(rows)
    fits: dict[str, dict[str, Numbers]] = {}
    for stage, table in sorted(ledgers.items()):
        for (fit, use), hand_over in read_hand_overs(table).items():
            fits.setdefault(f"{stage}/{fit}", {})[use] = hand_over.rows
    findings = [_unrecorded(name) for name in expected if name not in fits]
    for name, uses in fits.items():
        findings += _outside(rows, name, uses, embargo_ms)
        findings += _in_sample(rows, name, uses, embargo_ms)
    seen = {name: {use: len(numbers) for use, numbers in uses.items()} for name, uses in fits.items()}
    n_compared = sum(n for uses in seen.values() for n in uses.values())
    return leak_check("fits", WHAT, n_compared, findings, {"n_rows": seen, "embargo_seconds": embargo_ms / 1000})


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns that are asked for again and again as NumPy's: `segment` its number in SEGMENTS, -1 for none."""
    plain: dict[str, Any] = {name: rows[name].to_numpy() for name in ("decision_time_ms", "label_end_ms")}
    plain["fold"] = rows["fold"].to_numpy(dtype=float, na_value=np.nan)
    plain["segment"] = pd.Categorical(rows["segment"].to_numpy(dtype=object), SEGMENTS).codes
    plain["has_label"] = rows["is_up"].notna().to_numpy(dtype=bool)
    return pd.DataFrame({"symbol": rows["symbol"], **plain})


def read_hand_overs(table: pa.Table) -> dict[tuple[str, str], HandOver]:
    """Fit and use -> what was handed over, of a FITS table."""
    found = {}
    for key, runs in table.to_pandas().groupby(["fit", "use"], sort=True):
        starts, lengths = runs["first_row"].to_numpy(np.int64), runs["n_rows"].to_numpy(np.int64)
        offsets = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        digest = runs["values_sha256"].iloc[0]  # pandas has NaN where there is none
        found[key] = HandOver(np.repeat(starts, lengths) + offsets, digest if isinstance(digest, str) else None)
    return found


def _outside(rows: pd.DataFrame, name: str, uses: Mapping[str, Numbers], embargo_ms: int) -> Iterator[Leak]:
    """Rows that lie in another part than the rule says, and rows that learn from test."""
    parts, fold = _rule(name)
    test = _part(rows, "test", 0)
    for use, numbers in uses.items():
        if use in LEARNS:
            near_test = numbers[~_apart(rows, numbers, np.flatnonzero(test), embargo_ms)]
            if len(near_test):
                yield _leak(rows, "fit-on-test", name, use, near_test, _begin(rows, test), "touch test")
                continue
        wanted = parts.get(use)
        if wanted is None:
            yield Leak(
                code="fit-unrecorded",
                subject=f"{name}, {use}",
                detail=f"no rule says which rows {name} may {use}",
                help="add a rule for it: leakage.fit_scope",
            )
            continue
        mask = _part(rows, wanted, fold)
        if use in ("fit", "stop"):
            mask &= rows["has_label"].to_numpy()
        if wanted == "before fold":  # a label that reaches into the fold is not before it
            validated = np.flatnonzero(_part(rows, "fold", fold) & rows["has_label"].to_numpy())
            mask &= _apart(rows, np.arange(len(rows)), validated, embargo_ms)
        out = numbers[~mask[numbers]]
        if len(out):
            words = f"lie outside of what it may see: {wanted.replace('fold', f'fold {fold}') if fold else wanted}"
            yield _leak(rows, "fit-outside", name, use, out, _begin(rows, mask), words)


def _in_sample(rows: pd.DataFrame, name: str, uses: Mapping[str, Numbers], embargo_ms: int) -> Iterator[Leak]:
    """Rows that a fit is stopped or chosen by, or that it predicts, beside those it was fitted on."""
    if "fit" not in uses or re.match(CROSS_FITTED, name):
        return
    for use in ("stop", "choose", "predict"):
        others = uses.get(use)
        if others is None:
            continue
        near = uses["fit"][~_apart(rows, uses["fit"], others, embargo_ms)]
        if len(near):
            used_ms = int(rows["decision_time_ms"].to_numpy()[others].min())
            yield _leak(rows, "in-sample", name, use, near, used_ms, f"were fitted on, and reach what it has to {use}")


def _rule(name: str) -> tuple[Mapping[str, str], int]:
    """Use -> part of a fit, empty where no rule names it, and the fold in its name, 0 where there is none."""
    for pattern, parts in RULES.items():
        match = re.fullmatch(rf"{pattern}( #\d+)?", name)
        if match:
            return parts, int(match.groupdict().get("fold", 0))
    return {}, 0


def _part(rows: pd.DataFrame, name: str, fold: int) -> Mask:
    """Rows of a part of the split by name."""
    folds, segment = rows["fold"].to_numpy(), rows["segment"].to_numpy()
    spans = {"later": SEGMENTS[1:], "before test": SEGMENTS[:-1], "calibrate or decide": SEGMENTS[1:-1]}
    if name in spans:
        return np.asarray(np.isin(segment, [SEGMENTS.index(each) for each in spans[name]]))
    is_train = segment == SEGMENTS.index("train")
    parts = {"before fold": folds < fold, "fold": folds == fold, "out of fold": folds > 0}
    if name in parts:
        return np.asarray(is_train & parts[name])
    return np.asarray(segment == SEGMENTS.index(name))


def _apart(rows: pd.DataFrame, some: Numbers, others: Numbers, embargo_ms: int) -> Mask:
    starts, ends = rows["decision_time_ms"].to_numpy(), rows["label_end_ms"].to_numpy()
    return apart(starts[some], ends[some], starts[others], ends[others], embargo_ms)


def _begin(rows: pd.DataFrame, mask: Mask) -> int | None:
    """First decision of a part; None where there is no such part."""
    return int(rows["decision_time_ms"].to_numpy()[mask].min()) if mask.any() else None


def _leak(rows: pd.DataFrame, code: FitCode, name: str, use: str, at: Numbers, used_ms: int | None, words: str) -> Leak:
    """A finding on the earliest of the rows; `used_ms`: when what it is used on, or may not see, begins."""
    decisions = rows["decision_time_ms"].to_numpy()[at]
    row = int(at[decisions.argmin()])
    return Leak(
        code=code,
        subject=f"{name}, {use}",
        symbol=str(rows["symbol"].iloc[row]),
        row=row,
        known_utc=when(rows["label_end_ms"].iloc[row]),
        used_utc=None if used_ms is None else when(used_ms),
        detail=f"{len(at):,} rows {words}",
        help=HELPS[code],
    )


def _unrecorded(name: str) -> Leak:
    return Leak(
        code="fit-unrecorded",
        subject=name,
        detail="no record of the rows it saw",
        help=HELPS["fit-unrecorded"],
    )
