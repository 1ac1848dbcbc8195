"""What training leaves behind besides the models: predictions of every member, and which rows it saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from candlelock.contracts.documents import SEGMENTS, Importance, Member, Refit, TrainingReport, utc_text
from candlelock.contracts.tables import TIME
from candlelock.split.segments import before_test
from candlelock.train.members import log_loss
from candlelock.train.model_files import file_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from candlelock.artifacts.fit_ledger import FitLedger
    from candlelock.select.transform import Transform
    from candlelock.train.averaging import Averaged
    from candlelock.train.learner import Array
    from candlelock.train.members import Task, Trained


def predict_rows(
    rows: pd.DataFrame, x: Array, selection: Transform, trained: Mapping[str, Trained], fits: FitLedger
) -> pa.Table:
    """Probabilities of train rows out of fold and of every later row, labelled or not; rows as in the split table.

    `x`: every feature, (n_rows, n_features); `selection`: what leads from them to those of the final models.
    """
    is_test = (rows["segment"] == "test").to_numpy(dtype=bool)
    is_later = rows["segment"].isin(SEGMENTS[1:]).to_numpy(dtype=bool)
    is_refit = any(member.refit for member in trained.values())
    parts = {"final": is_later & ~is_test, "refit": is_test} if is_refit else {"final": is_later}
    columns = {name: member.out_of_fold.copy() for name, member in trained.items()}
    for part, mask in parts.items():
        seen = selection.apply(x[mask])
        for name, member in trained.items():
            fits.note(f"{name}/{part}", "predict", np.flatnonzero(mask), seen)
            columns[name][mask] = (member.model if part == "final" else member.served).predict(seen)
    columns = {f"p_up_{name}": p for name, p in columns.items()}
    known = ~np.isnan(next(iter(columns.values())))
    table = {
        "symbol": pa.array(rows["symbol"][known], pa.string()),
        "open_time_utc": pa.array(rows["open_time_ms"].to_numpy()[known]).cast(TIME),
        "segment": pa.array(rows["segment"][known], pa.string()),
    }
    return pa.table(table | {name: pa.array(p[known]) for name, p in columns.items()})


def describe_member(task: Task, trained: Trained, rows: pd.DataFrame, selection: Transform) -> Member:
    """Role, settings, rounds, rows seen, out-of-fold loss and importance (shares that sum to 1) of one member.

    The final `selection` gives each gain back to the features it came from.
    """
    seen = rows[(rows["segment"] == "train") & rows["is_up"].notna()]
    known = ~np.isnan(trained.out_of_fold)
    gains = trained.model.gains()
    shares = selection.attribute(gains / gains.sum() if gains.sum() > 0 else gains)
    ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    numbers = range(1, len(trained.model.models) + 1)
    files = [file_name(task.name, number) for number in numbers]
    files += [] if trained.refit is None else [file_name(task.name, number, before_refit=True) for number in numbers]
    return Member(
        role="member" if task.name in task.params.members else "baseline",
        device=task.device,
        files=files,
        hyperparameters=task.settings.model_dump(mode="json"),
        n_rounds=trained.model.n_rounds,
        n_rows=len(seen),
        first_decision_utc=utc_text(seen["decision_time_ms"].min()),
        last_label_end_utc=utc_text(seen["label_end_ms"].max()),
        fold_rounds=trained.fold_rounds,
        out_of_fold_log_loss=log_loss(rows["is_up"].to_numpy()[known], trained.out_of_fold[known]),
        importance=[Importance(name=name, gain=gain) for name, gain in ranked],
        refit=None if trained.refit is None else _describe_refit(trained.refit, rows),
    )


def _describe_refit(refit: Averaged, rows: pd.DataFrame) -> Refit:
    seen = rows[before_test(rows)]
    return Refit(n_rounds=refit.n_rounds, n_rows=len(seen), last_label_end_utc=utc_text(seen["label_end_ms"].max()))


def describe_training(rows: pd.DataFrame, members: Mapping[str, Member]) -> TrainingReport:
    """The members beside what they were trained on."""
    seen = rows[(rows["segment"] == "train") & rows["is_up"].notna()]
    n_up = int(seen["is_up"].sum())
    return TrainingReport(
        n_rows=len(seen),
        n_up=n_up,
        n_down=len(seen) - n_up,
        first_decision_utc=utc_text(seen["decision_time_ms"].min()),
        last_label_end_utc=utc_text(seen["label_end_ms"].max()),
        members=dict(members),
    )


def importance_table(report: TrainingReport) -> pd.DataFrame:
    """Member, feature and share of gain, largest first within each member."""
    lines = [
        (name, feature.name, feature.gain) for name, member in report.members.items() for feature in member.importance
    ]
    return pd.DataFrame(lines, columns=["member", "feature", "share"])
