"""The certificate: every check on every feature, and a report of what was tried and what was found."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from candlelock.artifacts import seeds, side_by_side
from candlelock.causality import availability, later_candles, live, processes, replay
from candlelock.causality.comparison import PLUGIN_RTOL
from candlelock.causality.cuts import choose_cuts
from candlelock.causality.examination import Examination, Probe, Violation, build_values, failure
from candlelock.causality.findings import describe_all
from candlelock.causality.other_candles import between
from candlelock.causality.stored_tables import TABLES, check_tables
from candlelock.contracts.causality_documents import (
    CausalityCheck,
    CausalityReport,
    ExaminedCandles,
    ExaminedFeature,
)
from candlelock.contracts.documents import utc_text
from candlelock.features.market import first_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from candlelock.causality.cuts import Cut
    from candlelock.causality.examination import Subject
    from candlelock.contracts.causality_documents import CheckName
    from candlelock.contracts.stage_params import CausalityParams
    from candlelock.features.market import Market

    Progress = Callable[[int, int], None]

REPETITION = "all features of all candles built twice: the same bits, the candles unchanged, and some value to examine"
REQUIRED: tuple[CheckName, ...] = ("prefix", "future", "replay")  # what one of these never compared is unproven
STEPS = 1_000
WEIGHTS: Mapping[CheckName, int] = {  # shares of the time, for the progress bar
    "repetition": 30,
    "prefix": 180,
    "future": 220,
    "replay": 350,
    "live": 80,
    "availability": 20,
    "inputs": 60,
    "process": 60,
}


@dataclass(frozen=True)
class Request:
    """What to examine the features with. `segment_fracs`: shares of the candles after which a segment ends.

    `tables`: symbol -> feature table that a stage wrote, to be held to the build that is examined; None where none is.
    """

    settings: CausalityParams
    seed: int
    segment_fracs: Sequence[float] = ()
    snapshot_id: str | None = None
    tables: Mapping[str, pa.Table] | None = None


def certify(subject: Subject, market: Market, request: Request, progress: Progress | None = None) -> CausalityReport:
    """Examine the features of `subject` on a market; a violation is a finding, and never an error.

    `progress(n_done, n_total)` is called as the work goes on. Raises what the library's own features raise.
    """
    settings = request.settings
    examined = _latest(market, len(subject.entries), settings)
    meter = _Meter(progress)
    exam, repetition = _examine(subject, examined, request.seed, meter)
    first = int(first_bars(examined).min()) + exam.longest
    cuts = choose_cuts(examined, settings.n_cuts, request.segment_fracs, first, seeds.derive(request.seed, "cuts"))
    probes: dict[CheckName, tuple[str, Probe, dict[str, Any]]] = {"repetition": (REPETITION, repetition, {})}
    *checks, last = _checks(settings, cuts)
    heaviest = sorted(checks, key=lambda check: -WEIGHTS[check[0]])
    jobs = [functools.partial(_run_check, exam, meter, *check) for check in heaviest]
    found = dict(zip((name for name, *_ in heaviest), side_by_side.run_all(jobs, _threads(subject)), strict=True))
    found[last[0]] = _run_check(exam, meter, *last)
    probes |= {name: found[name] for name, *_ in (*checks, last)}
    if request.tables is not None:
        probe = Probe(exam, lambda share: None)
        probes["tables"] = (TABLES, probe, check_tables(probe, request.tables))
    return _report(subject, market, examined, request, probes)


def _checks(
    settings: CausalityParams, cuts: Sequence[Cut]
) -> list[tuple[CheckName, str, Callable[[Probe], dict[str, Any]]]]:
    """Every check after the repetition, in order; the one on processes is last, when this one has seen the most."""
    return [
        ("prefix", later_candles.PREFIX, lambda probe: later_candles.check_prefix(probe, cuts)),
        (
            "future",
            later_candles.FUTURE,
            lambda probe: later_candles.check_future(probe, cuts, settings.n_futures),
        ),
        ("replay", replay.REPLAY, lambda probe: replay.check_replay(probe, settings)),
        ("live", live.LIVE, lambda probe: live.check_live(probe, settings.n_live_bars)),
        (
            "availability",
            availability.AVAILABILITY,
            lambda probe: availability.check_availability(probe, settings.n_unfinished_bars),
        ),
        ("inputs", availability.INPUTS, availability.check_inputs),
        ("process", processes.PROCESS, processes.check_process),
    ]


def _run_check(
    exam: Examination, meter: _Meter, name: CheckName, what: str, run: Callable[[Probe], dict[str, Any]]
) -> tuple[str, Probe, dict[str, Any]]:
    probe = Probe(exam, meter.part(name))
    evidence = run(probe) if exam.entries else {}
    if name in REQUIRED:
        _refuse_nothing(probe)
    meter.part(name)(1.0)
    return what, probe, evidence


def _threads(subject: Subject) -> int:
    """Cores that a check counts for: all of them where a plug-in, which may not bear two calls at once, is examined."""
    return side_by_side.n_cores() if subject.units else 1


class _Meter:
    """Turns the share done of each check into one number of steps."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress = progress or (lambda n_done, n_total: None)
        self.done: dict[CheckName, float] = {}

    def part(self, name: CheckName) -> Callable[[float], None]:
        def tell(share: float) -> None:
            self.done[name] = WEIGHTS[name] * share
            self.progress(int(sum(list(self.done.values()))), STEPS)

        return tell


def _latest(market: Market, n_features: int, settings: CausalityParams) -> Market:
    """The market, or its latest bars where all of them are more values than the limit."""
    n_bars = len(market.open_time_ms)
    most = max(settings.max_values // max(n_features * len(market.symbols), 1), 1)
    return market if n_bars <= most else between(market, n_bars - most, n_bars)


def _examine(subject: Subject, market: Market, seed: int, meter: _Meter) -> tuple[Examination, Probe]:
    """The reference of all features that gave one answer twice, and the check that found out."""
    before = {name: values.copy() for name, values in market.columns().items()}
    values = np.full((len(subject.entries), *market.close.shape), np.nan)
    numbers = {entry.name: number for number, entry in enumerate(subject.entries)}
    failed: dict[int, Violation] = {}
    for entries in subject.by_unit():
        which = [numbers[entry.name] for entry in entries]
        try:
            values[which] = build_values(subject, market, entries)
        except Exception as error:
            if entries[0].name not in subject.units:
                raise
            failed |= dict.fromkeys(which, failure(error, market))
    exam = Examination.of(subject, market, values, seed)
    probe = Probe(exam, meter.part("repetition"))
    probe.violations |= failed
    built = np.setdiff1d(exam.everything, list(failed))
    probe.compare(probe.build(market, built), 0, "not-deterministic", "built again at once")
    if any(not np.array_equal(each, before[name], equal_nan=True) for name, each in market.columns().items()):
        for number in built.tolist():
            probe.violate(number, Violation("candles-changed", None, None, "the candles changed while it was built"))
    for number in np.flatnonzero(np.isnan(values).all(axis=(1, 2))).tolist():
        detail = f"no value on {exam.n_bars:,} bars; its look-back is {exam.warmup[number]:,} bars"
        probe.violations.setdefault(number, Violation("not-examined", None, None, detail))
    probe.progress(1.0)
    return exam.without(list(probe.violations)), probe


def _refuse_nothing(probe: Probe) -> None:
    """A feature of which not one value could be compared is not proven."""
    for number in np.flatnonzero(probe.n_compared == 0).tolist():
        detail = f"no value could be compared on {probe.exam.n_bars:,} bars"
        probe.violations.setdefault(number, Violation("not-examined", None, None, detail))


def _report(
    subject: Subject,
    market: Market,
    examined: Market,
    request: Request,
    probes: Mapping[CheckName, tuple[str, Probe, dict[str, Any]]],
) -> CausalityReport:
    sought: set[str] = set()
    checks = [
        CausalityCheck(
            name=name,
            what=what,
            passed=not probe.violations,
            n_compared=int(probe.n_compared.sum()),
            n_findings=len(probe.violations),
            evidence=evidence,
            findings=describe_all(probe, sought),
        )
        for name, (what, probe, evidence) in probes.items()
    ]
    n_findings = sum(check.n_findings for check in checks)
    return CausalityReport(
        passed=not n_findings,
        n_findings=n_findings,
        seed=request.seed,
        settings=request.settings,
        candles=describe_candles(market, examined, request.snapshot_id),
        checks=checks,
        features=_features(subject, examined, probes),
    )


def describe_candles(market: Market, examined: Market, snapshot_id: str | None) -> ExaminedCandles:
    """What a report says of the candles; `examined` are all of `market`, or its latest bars."""
    since = np.arange(len(examined.open_time_ms)) >= first_bars(examined)[:, None]
    return ExaminedCandles(
        snapshot_id=snapshot_id,
        symbols=list(examined.symbols),
        bar_minutes=examined.bar_ms / 60_000,
        first_open_utc=utc_text(examined.open_time_ms[0]),
        last_open_utc=utc_text(examined.open_time_ms[-1]),
        n_bars=len(examined.open_time_ms),
        n_candles=int(examined.has_bar.sum()),
        n_missing_bars=int((since & ~examined.has_bar).sum()),
        n_bars_left_out=len(market.open_time_ms) - len(examined.open_time_ms),
    )


def _features(
    subject: Subject, market: Market, probes: Mapping[CheckName, tuple[str, Probe, dict[str, Any]]]
) -> list[ExaminedFeature]:
    counts: dict[str, dict[str, int]] = {entry.name: {} for entry in subject.entries}
    failed = set[str]()
    for check, (_, probe, _) in probes.items():
        for number, entry in enumerate(probe.exam.entries):
            counts[entry.name][check] = int(probe.n_compared[number])
        failed |= {probe.exam.entries[number].name for number in probe.violations}
    return [
        ExaminedFeature(
            name=entry.name,
            group=entry.group,
            warmup_bars=entry.warmup(market.bar_ms),
            available_at=entry.available_at,
            rtol=PLUGIN_RTOL if entry.name in subject.units else 0.0,
            passed=entry.name not in failed,
            n_values=counts[entry.name].get("repetition", 0),
            n_compared=counts[entry.name],
        )
        for entry in subject.entries
    ]
