"""What training leaves behind besides the models: predictions of every member, and which rows it saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from candlelock.contracts.documents import SEGMENTS, utc_text
from candlelock.contracts.tables import TIME
from candlelock.contracts.training_documents import Member, Refit, TrainingReport
from candlelock.split.rows import learns_values, targets
from candlelock.split.segments import before_test
from candlelock.train.members import row_losses
from candlelock.train.model_files import file_name
from candlelock.train.permutation import judge_members
from candlelock.train.stability import describe_gains, describe_stability, share_gains

if TYPE_CHECKING:
    from collections.abc import Mapping

    from candlelock.artifacts.fit_ledger import FitLedger
    from candlelock.contracts.training_documents import PermutationImportance
    from candlelock.select.transform import Transform
    from candlelock.train.averaging import Averaged
    from candlelock.train.learner import Array, Sample
    from candlelock.train.members import Task, Trained


def predict_rows(
    rows: pd.DataFrame, x: Array, selection: Transform, trained: Mapping[str, Trained], fits: FitLedger
) -> pa.Table:
    """Answers for train rows out of fold and for every later row, labelled or not; rows as in the split table.

    Probabilities, or a head's values. `x`: every feature, (n_rows, n_features); `selection`: what leads from them to
    those of the final models.
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
    start = "value" if learns_values(rows) else "p_up"
    columns = {f"{start}_{name}": answers for name, answers in columns.items()}
    known = ~np.isnan(next(iter(columns.values())))
    table = {
        "symbol": pa.array(rows["symbol"][known], pa.string()),
        "open_time_utc": pa.array(rows["open_time_ms"].to_numpy()[known]).cast(TIME),
        "segment": pa.array(rows["segment"][known], pa.string()),
    }
    return pa.table(table | {name: pa.array(answers[known]) for name, answers in columns.items()})


def describe_member(
    task: Task, trained: Trained, rows: pd.DataFrame, selection: Transform, permutation: PermutationImportance
) -> Member:
    """Role, settings, rounds, rows seen, out-of-fold loss and importance (shares that sum to 1) of one member.

    The final `selection` gives each gain back to the features it came from.
    """
    seen = rows[(rows["segment"] == "train") & rows["is_up"].notna()]
    known = ~np.isnan(trained.out_of_fold)
    losses = row_losses(targets(rows)[known], trained.out_of_fold[known], are_values=learns_values(rows))
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
        out_of_fold_loss=float(losses.mean()),
        importance=describe_gains(share_gains(trained.model, selection), trained.fold_shares),
        stability=describe_stability(trained.fold_shares),
        permutation=permutation,
        refit=None if trained.refit is None else _describe_refit(trained.refit, rows),
    )


def _describe_refit(refit: Averaged, rows: pd.DataFrame) -> Refit:
    seen = rows[before_test(rows)]
    return Refit(n_rounds=refit.n_rounds, n_rows=len(seen), last_label_end_utc=utc_text(seen["label_end_ms"].max()))


def describe_training(
    tasks: Mapping[str, Task],
    trained: Mapping[str, Trained],
    sample: Sample,
    rows: pd.DataFrame,
    selection: Transform,
    fits: FitLedger,
) -> TrainingReport:
    """The members beside what they were trained on; `sample`: every feature of `rows`, in their order."""
    seen = rows[(rows["segment"] == "train") & rows["is_up"].notna()]
    n_up = int(seen["is_up"].sum())
    judged = judge_members(tasks, trained, sample, rows, selection, fits)
    return TrainingReport(
        n_rows=len(seen),
        n_up=n_up,
        n_down=len(seen) - n_up,
        mean_value=float(seen["value"].mean()) if learns_values(rows) else None,
        first_decision_utc=utc_text(seen["decision_time_ms"].min()),
        last_label_end_utc=utc_text(seen["label_end_ms"].max()),
        members={
            name: describe_member(tasks[name], own, rows, selection, judged[name]) for name, own in trained.items()
        },
    )


def importance_table(report: TrainingReport) -> pd.DataFrame:
    """Member, feature and share of gain, largest first within each member, with the folds' lowest and highest share.

    `loss_rise`: when the feature is permuted; empty for those that were not.
    """
    lines = []
    for name, member in report.members.items():
        rises = {one.name: one.rise for one in member.permutation.features}
        lines += [
            (name, one.name, one.gain, one.fold_low, one.fold_high, rises.get(one.name)) for one in member.importance
        ]
    columns = ["member", "feature", "share", "fold_low", "fold_high", "loss_rise"]
    return pd.DataFrame(lines, columns=columns)
