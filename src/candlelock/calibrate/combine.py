"""Members' answers as one: who is used, what it becomes before and after calibration, and how far members are apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from candlelock.calibrate.calibrator import choose_calibration, time_blocks
from candlelock.calibrate.comparison import ENSEMBLE, compare
from candlelock.calibrate.ensemble import disagreement, is_fitted, make_ensemble, make_linear, spread
from candlelock.calibrate.values import compare_values, fit_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from candlelock.artifacts.fit_ledger import FitLedger
    from candlelock.calibrate.calibrator import Array, Choice
    from candlelock.calibrate.conformal import Mask
    from candlelock.calibrate.ensemble import Ensemble
    from candlelock.calibrate.values import ValueLine
    from candlelock.contracts.documents import Compared
    from candlelock.contracts.stage_params import CalibrateParams


@dataclass(frozen=True)
class Combined:
    """The ensemble, who is used, its calibration, everyone's loss, and the columns of PREDICTIONS that follow.

    `line`: from its raw value to the foretold one; None for heads of probabilities.
    """

    ensemble: Ensemble
    used: str
    choice: Choice
    comparison: list[Compared]
    columns: dict[str, Array]
    line: ValueLine | None = None


def combine_probabilities(
    rows: pd.DataFrame, members: Sequence[str], params: CalibrateParams, fits: FitLedger
) -> Combined:
    """Weights from labelled train rows (out of fold), the choice and its calibration from labelled calibrate rows.

    `rows`: the split joined with `p_up_<member>`.
    """
    train, seen = _note(rows, params, fits)
    raw = {name: rows[f"p_up_{name}"].to_numpy() for name in members}
    y = rows["is_up"].to_numpy()
    own = {name: p[train] for name, p in raw.items()}
    ensemble = make_ensemble(params.ensemble, params.weights, own, y[train], params.stack_l2)
    raw[ENSEMBLE] = ensemble.apply(raw)
    block = time_blocks(rows["open_time_ms"].to_numpy()[seen])
    used, choice, table = compare(params.methods, {name: p[seen] for name, p in raw.items()}, y[seen], block)
    columns = {"p_up_raw": raw[used], "p_up": choice.calibration.apply(raw[used])}
    return Combined(ensemble, used, choice, table, columns | _apart({name: raw[name] for name in members}))


def combine_values(rows: pd.DataFrame, members: Sequence[str], params: CalibrateParams, fits: FitLedger) -> Combined:
    """As `combine_probabilities`, of rows with `value_<member>`: the value, then the chance that it is above zero."""
    train, seen = _note(rows, params, fits)
    raw = {name: rows[f"value_{name}"].to_numpy() for name in members}
    y, is_up = rows["value"].to_numpy(), rows["is_up"].to_numpy()
    own = {name: value[train] for name, value in raw.items()}
    ensemble = make_linear(params.ensemble, params.weights, own, y[train], params.stack_l2)
    raw[ENSEMBLE] = ensemble.apply(raw)
    block = time_blocks(rows["open_time_ms"].to_numpy()[seen])
    used, table = compare_values({name: value[seen] for name, value in raw.items()}, y[seen], block)
    line = fit_line(raw[used][seen], y[seen], block)
    foretold = line.foretell(raw[used])
    p_raw = line.chance_up(foretold)
    choice = choose_calibration(params.methods, p_raw[seen], is_up[seen], block)
    columns = {"predicted_value": foretold, "p_up_raw": p_raw, "p_up": choice.calibration.apply(p_raw)}
    chances = {name: line.chance_up(line.foretell(raw[name])) for name in members}
    return Combined(ensemble, used, choice, table, columns | _apart(chances), line)


def _note(rows: pd.DataFrame, params: CalibrateParams, fits: FitLedger) -> tuple[Mask, Mask]:
    """Labelled rows of train and of calibrate, as masks, noted for what each is handed over for."""
    is_known, numbers = rows["is_up"].notna().to_numpy(), rows["row"].to_numpy()
    train, seen = ((rows["segment"] == name).to_numpy(dtype=bool) & is_known for name in ("train", "calibrate"))
    if is_fitted(params.ensemble, params.weights):
        fits.note("stack", "fit", numbers[train])
    fits.note("ensemble", "choose", numbers[seen])
    fits.note("calibrator", "fit", numbers[seen])
    fits.note("calibrator", "choose", numbers[seen])
    return train, seen


def _apart(members: Mapping[str, Array]) -> dict[str, Array]:
    """How far the members' probabilities are apart."""
    return {"member_spread": spread(members), "disagreement": disagreement(members)}
