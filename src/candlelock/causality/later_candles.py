"""Checks that no value knows a later candle: the past built alone, and built before another future."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from candlelock.artifacts import seeds
from candlelock.causality.other_candles import between, deleted, replaced
from candlelock.contracts.documents import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from candlelock.causality.cuts import Cut
    from candlelock.causality.examination import Examination, Probe
    from candlelock.features.market import Market

PREFIX = "all rows up to a cut, built without any later candle of any symbol, against the build of all candles"
FUTURE = (
    "all rows up to a cut, built with later candles replaced by drawn ones (of all symbols, of all but one), or with "
    "those of one symbol deleted, against the build of the real candles"
)
FUTURE_BARS = 2_000  # so many bars follow the cut, and none after them; after the first cut all do
SIZES = (1.0, 1e-6, 1e6)
GAP_SHARES = (0.0, 0.3)


def check_prefix(probe: Probe, cuts: Sequence[Cut]) -> dict[str, Any]:
    """Compare each prefix, whole, with the same rows of the reference. Evidence: the cuts."""
    exam = probe.exam
    for done, cut in enumerate(cuts):
        time_ms = int(exam.market.open_time_ms[cut.bar])
        built = probe.build(exam.market.until(time_ms), exam.everything)
        probe.compare(built, 0, "future-prefix", f"without the candles after {utc_text(time_ms)}")
        probe.progress((done + 1) / len(cuts))
    return {"cuts": [_described(exam, cut) for cut in cuts]}


def _described(exam: Examination, cut: Cut) -> dict[str, str]:
    return {"open_time_utc": utc_text(exam.market.open_time_ms[cut.bar]), "why": cut.why}


def check_future(probe: Probe, cuts: Sequence[Cut], n_futures: int) -> dict[str, Any]:
    """Compare the rows up to `n_futures` of the cuts before other futures. Evidence: what was replaced, and how."""
    exam, tried = probe.exam, []
    chosen = [cuts[at] for at in np.unique(np.linspace(0, len(cuts) - 1, min(n_futures, len(cuts))).astype(int))]
    for done, cut in enumerate(chosen):
        end = exam.n_bars if not done else min(exam.n_bars, cut.bar + 1 + FUTURE_BARS)
        for what, market in _futures(exam, cut.bar, end, done):
            built = probe.build(market, exam.everything).until(cut.bar + 1)
            note = f"with the candles after {utc_text(exam.market.open_time_ms[cut.bar])} {what}"
            probe.compare(built, 0, "future-perturbed", note)
            tried.append(_described(exam, cut) | {"candles_after_it": what})
        probe.progress((done + 1) / len(chosen))
    return {"futures": tried}


def _futures(exam: Examination, cut: int, end: int, turn: int) -> Iterator[tuple[str, Market]]:
    """Markets that agree with the real one up to bar `cut`, with what became of the rest."""
    real, first = between(exam.market, 0, end), cut + 1
    size, gap_share = SIZES[turn % len(SIZES)], GAP_SHARES[turn % len(GAP_SHARES)]
    seed = seeds.derive(exam.seed, f"future/{turn}")
    drawn = f"replaced by drawn ones ({size:g} times as large, {gap_share:.0%} missing)"
    yield f"of all symbols {drawn}", replaced(real, first, end, seed, None, size, gap_share)
    chosen = turn % len(real.symbols)
    others = [row for row in range(len(real.symbols)) if row != chosen]
    name = real.symbols[chosen]
    if others:
        yield f"of all but {name} {drawn}", replaced(real, first, end, seed + 1, others, size, gap_share)
        yield f"of {name} deleted", deleted(real, first, end, [chosen])
