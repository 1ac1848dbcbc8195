"""What a plug-in's function returned, as float64 columns; anything that is not plain numbers of the bars is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from candlelock.contracts.errors import InputError, Problem

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market


def to_columns(answer: Any, index: pd.Index, place: str) -> dict[str, Array]:  # noqa: ANN401
    """Name -> float64 of the index's length, NaN where there is no value; of a mapping or a frame of columns.

    `place` names the function. Raises InputError with every column that is not numbers, one for each bar, or has an
    infinity; a pandas column has to stand on the frame's own index.
    """
    if isinstance(answer, pd.DataFrame):
        pairs = [(name, answer.iloc[:, i]) for i, name in enumerate(answer.columns)]
    elif isinstance(answer, Mapping):
        pairs = list(answer.items())
    else:
        help_line = "return {'name': column}, or a frame of columns"
        raise InputError(Problem("plugin-output", place, f"a {type(answer).__name__}", "named columns", help_line))
    columns: dict[str, Array] = {}
    problems = []
    for name, values in pairs:
        if name in columns or not isinstance(name, str):
            found = f"the column {name!r}" + (" again" if name in columns else "")
            problems.append(Problem("plugin-output", place, found, "each name once, as text", "rename it"))
            continue
        columns[name], faults = _to_floats(values, index)
        problems += [Problem("plugin-output", place, f"{name}: {found}", *rest) for found, *rest in faults]
    if problems:
        raise InputError(problems)
    return columns


def _to_floats(values: Any, index: pd.Index) -> tuple[Array, list[tuple[str, str, str]]]:  # noqa: ANN401
    """The values as float64, and what is wrong with them: found, expected, help."""
    nothing = np.empty(0)
    try:
        array = _numbers(values)
    except (TypeError, ValueError) as error:
        help_line = "give NaN where there is no value, and numbers of one kind elsewhere"
        return nothing, [(str(error), "numbers", help_line)]
    if array.shape != (len(index),):
        found = f"{len(array)} values" if array.ndim == 1 else f"the shape {array.shape}"
        return nothing, [(found, f"{len(index)}, one for each row of the frame", "give NaN where there is no value")]
    if isinstance(values, pd.Series) and not values.index.equals(index):
        help_line = "keep the frame's index, or return `column.to_numpy()` when its order is that of the frame"
        return nothing, [("another index than the frame's", "values in the frame's order", help_line)]
    bad = np.flatnonzero(np.isinf(array))
    if len(bad):
        help_line = "give NaN where a value is not defined, such as a division by zero"
        return nothing, [(f"infinity at {index[bad[0]]:%Y-%m-%dT%H:%M:%SZ}", "finite numbers or NaN", help_line)]
    return array, []


def _numbers(values: Any) -> Array:  # noqa: ANN401
    """Numbers or truth values as a float64 array of their own; TypeError says what else it is."""
    if isinstance(values, pd.Series):
        if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_complex_dtype(values.dtype):
            raise TypeError(f"a column of {values.dtype}")
        return values.to_numpy(np.float64, copy=True, na_value=np.nan)
    if isinstance(values, np.ma.MaskedArray):
        raise TypeError("a masked array")
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"a {type(values).__name__} of {array.dtype}")
    return array.astype(np.float64)


def differing(one: Mapping[str, Array], other: Mapping[str, Array]) -> tuple[str, int]:
    """The first column, and the place in it, where the bits differ, any NaN being like another; empty where none do."""
    for name in dict.fromkeys([*one, *other]):
        if name not in one or name not in other:
            return name, 0
        both = np.isnan(one[name]) & np.isnan(other[name])
        wrong = np.flatnonzero((one[name].view(np.int64) != other[name].view(np.int64)) & ~both)
        if len(wrong):
            return name, int(wrong[0])
    return "", 0


def open_time(market: Market, at: int) -> str:
    """Open time of a bar as text."""
    return f"{np.datetime64(int(market.open_time_ms[at]) // 1000, 's')}Z"
