"""Whether the ensemble is worth its members: each of them calibrated and judged on the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.calibrate.calibrator import choose_calibration, lead
from candlelock.contracts.documents import Compared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from candlelock.calibrate.calibrator import Array, Blocks, Choice, Method

ENSEMBLE = "ensemble"


def compare(
    methods: Sequence[Method], raw: Mapping[str, Array], y: Array, block: Blocks
) -> tuple[str, Choice, list[Compared]]:
    """Who is used, its calibration, and the loss of everyone, in the order of `raw`, whose last is the ensemble.

    `raw`: probabilities (n_rows,) by name. Each is calibrated by its own best method; losses are cross-fitted over the
    blocks of time. The ensemble is used when it loses less than every member; otherwise the best member is used alone.
    A standard error stands beside each lead, but does not decide: with lead and noise alike, one model that happened
    to lead its fellows is the worse bet than all of them.
    """
    choices = {name: choose_calibration(methods, p, y, block) for name, p in raw.items()}
    judged = {name: (choice.calibration.method, choice.row_losses) for name, choice in choices.items()}
    used, table = rank(judged, block)
    return used, choices[used], table


def rank(judged: Mapping[str, tuple[Method, Array]], block: Blocks) -> tuple[str, list[Compared]]:
    """Who loses least, on a tie the ensemble, and everyone's loss beside it; the ensemble is the last of `judged`.

    `judged`: the method that each is calibrated by, and its loss in every row (n_rows,).
    """
    table = []
    for name, (method, loss) in judged.items():
        gain, error = lead(loss, judged[ENSEMBLE][1], block)
        table.append(Compared(name=name, method=method, loss=float(loss.mean()), lead=gain, error=error))
    return min(reversed(table), key=lambda one: one.loss).name, table  # reversed: on a tie the ensemble
