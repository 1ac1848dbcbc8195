"""Subjects made of plain functions of a market, and settings small enough for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from candlelock.causality.examination import Examination, Probe, Subject
from candlelock.contracts.registry import Feature
from candlelock.contracts.stage_params import CausalityParams
from candlelock.features.market import first_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from candlelock.features.market import Array, Market

    Function = Callable[[Market], Array]

SETTINGS = CausalityParams(
    n_cuts=8,
    n_futures=2,
    n_replay_rows=40,
    min_replay_rows=10,
    max_replay_values=1_000_000_000,
    n_gap_rows=20,
    n_live_bars=60,
    n_unfinished_bars=10,
    max_values=100_000_000,
)


def entry(name: str, warmup_bars: int = 0, inputs: str = "close", available_at: str = "close") -> Feature:
    """A feature of the library, by its group."""
    return Feature(
        name=name,
        group="returns",
        dtype="float64",
        unit="1",
        warmup_bars=warmup_bars,
        inputs=inputs.split(),
        available_at=available_at,
        formula="a double",
    )


def subject(functions: Mapping[Feature, Function] | Sequence[tuple[Feature, Function]], **rest: Any) -> Subject:
    """Features computed by functions, NaN inside the warm-up as the library has it."""
    pairs = list(functions.items()) if isinstance(functions, dict) else list(functions)  # type: ignore[arg-type]
    compute = {each.name: function for each, function in pairs}

    def build(market: Market, entries: Sequence[Feature]) -> dict[str, Array]:
        age = np.arange(len(market.open_time_ms)) - first_bars(market)[:, None]
        return {
            each.name: np.where(age >= each.warmup(market.bar_ms), compute[each.name](market), np.nan)
            for each in entries
        }

    return Subject(tuple(each for each, _ in pairs), build, **rest)


def examine(each: Subject, market: Market, seed: int = 1) -> Examination:
    """The examination of every feature of a subject."""
    built = each.build(market, each.entries)
    return Examination.of(each, market, np.stack([built[one.name] for one in each.entries]), seed)


def probe(each: Subject, market: Market) -> Probe:
    """A check about to run."""
    return Probe(examine(each, market), lambda share: None)


def codes(found: Probe) -> dict[str, str]:
    """Feature -> code of its violation."""
    return {found.exam.entries[number].name: each.code for number, each in found.violations.items()}


def lag(values: Array, n_bars: int) -> Array:
    """Values `n_bars` earlier, or later if negative; NaN where there are none."""
    out = np.full_like(values, np.nan)
    if n_bars >= 0:
        out[:, n_bars:] = values[:, : max(values.shape[1] - n_bars, 0)]
    else:
        out[:, :n_bars] = values[:, -n_bars:]
    return out
