"""Joins of symbols: functions of the whole market, which a plug-in cannot be; looked at by the certificate's checks.

The clean process knows the library and plug-ins only, so its check is left out here, and so is the stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.leakzoo.catalogue import FUTURE
from benchmarks.leakzoo.market_functions import CLEAN, LEAKS
from benchmarks.leakzoo.specimen import Specimen
from candlelock.causality import availability, later_candles, replay
from candlelock.causality.cuts import choose_cuts
from candlelock.causality.examination import Examination, Probe, Subject
from candlelock.contracts.registry import Feature
from candlelock.contracts.stage_params import CausalityParams
from candlelock.features.market import first_bars

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from candlelock.features.market import Array, Market

SETTINGS = CausalityParams(
    n_cuts=14,
    n_futures=4,
    n_replay_rows=60,
    min_replay_rows=60,
    max_replay_values=1_000_000_000,
    n_gap_rows=20,
    n_live_bars=10,
    n_unfinished_bars=10,
    max_values=100_000_000,
)


SPECIMENS = (
    *(Specimen(name, "joins", True, core, FUTURE, what) for name, (what, core, _, _) in LEAKS.items()),
    *(Specimen(name, "joins", False, False, frozenset(), what) for name, (what, _, _) in CLEAN.items()),
)


def examine(market: Market, seed: int) -> dict[str, set[str]]:
    """Feature -> codes that the checks found of it."""
    subject = _subject()
    built = subject.build(market, subject.entries)
    values = np.stack([built[entry.name] for entry in subject.entries])
    exam = Examination.of(subject, market, values, seed)
    cuts = choose_cuts(market, SETTINGS.n_cuts, (), int(first_bars(market).min()) + exam.longest, seed)
    found: dict[str, set[str]] = {}
    for check in (
        lambda probe: later_candles.check_prefix(probe, cuts),
        lambda probe: later_candles.check_future(probe, cuts, SETTINGS.n_futures),
        lambda probe: replay.check_replay(probe, SETTINGS),
        availability.check_inputs,
    ):
        probe = Probe(exam, lambda share: None)
        check(probe)
        for number, each in probe.violations.items():
            found.setdefault(exam.entries[number].name, set()).add(each.code)
    return found


def _subject() -> Subject:
    functions = {name: (warmup, each) for name, (_, _, warmup, each) in LEAKS.items()}
    functions |= {name: (warmup, each) for name, (_, warmup, each) in CLEAN.items()}
    entries = tuple(_entry(name, warmup) for name, (warmup, _) in functions.items())

    def build(market: Market, wanted: Sequence[Feature]) -> Mapping[str, Array]:
        age = np.arange(len(market.open_time_ms)) - first_bars(market)[:, None]
        with np.errstate(all="ignore"):
            return {
                entry.name: np.where(age >= entry.warmup_bars, functions[entry.name][1](market), np.nan)
                for entry in wanted
            }

    return Subject(entries, build)


def _entry(name: str, warmup_bars: int) -> Feature:
    fields = ["open", "high", "low", "close", "volume"]
    return Feature(
        name=name,
        group="crossed",
        dtype="float64",
        unit="1",
        warmup_bars=warmup_bars,
        inputs=[*fields, *(f"market.{each}" for each in fields)],
        available_at="close",
        formula="see the function",
    )
