"""The areas "features" and "joins": planted plug-ins, examined by the causality certificate."""

from __future__ import annotations

import functools
import tempfile
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.leakzoo import catalogue, catalogue_clean, crossed
from benchmarks.leakzoo.specimen import Area, Specimen
from candlelock.artifacts import documents
from candlelock.causality.certificate import Request, certify
from candlelock.causality.subject import subject_of
from candlelock.contracts.documents import utc_text
from candlelock.contracts.stage_params import CausalityParams
from candlelock.features.plugins import load_plugin

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from benchmarks.leakzoo.catalogue import Declared
    from candlelock.features.market import Market

PLUGINS = Path(__file__).with_name("plugins")
TURN = "2001-01-01T00:00:00Z"  # in a plug-in's text; replaced by a time inside the candles
SEGMENT_FRACS = (0.55, 0.65, 0.75)
USUAL = CausalityParams(
    n_cuts=14,
    n_futures=2,
    n_replay_rows=24,
    min_replay_rows=24,
    max_replay_values=1_000_000,
    n_gap_rows=14,
    n_live_bars=16,
    n_unfinished_bars=12,
    max_values=100_000_000,
)
# A plug-in of one function gets 1,000 rows of two symbols from params.yaml: 1e9 values, 500,000 a row and symbol.
RARE = USUAL.model_copy(update={"n_replay_rows": 520, "min_replay_rows": 520})


@dataclass(frozen=True)
class Cage:
    """A plug-in's file with the features it returns, and how hard it is looked at."""

    file: str
    declared: Sequence[Declared]
    settings: CausalityParams = USUAL


FEATURES = (
    Cage("next_bars.py", catalogue.NEXT_BARS),
    Cage("whole_series.py", catalogue.WHOLE_SERIES),
    Cage("two_sided.py", catalogue.TWO_SIDED),
    Cage("rare_peeks.py", catalogue.RARE_PEEKS, RARE),
    Cage("clean_windows.py", catalogue_clean.WINDOWS),
    Cage("clean_indicators.py", catalogue_clean.INDICATORS),
    Cage("clean_filters.py", catalogue_clean.FILTERS),
    Cage("clean_histories.py", catalogue_clean.HISTORIES),
)
JOINS = (Cage("joined.py", catalogue.JOINED), Cage("clean_joins.py", catalogue_clean.JOINS))


def examine_cage(cage: Cage, market: Market, seed: int, only: Collection[str] | None = None) -> dict[str, set[str]]:
    """Feature -> codes that the certificate found of it; of the features `only`, all if None."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / cage.file
        turn = utc_text(market.open_time_ms[len(market.open_time_ms) // 2])
        path.write_text((PLUGINS / cage.file).read_text().replace(TURN, turn))
        write_registry(path.with_suffix(".yml"), cage.declared)
        plugin = load_plugin(path)
        subject = subject_of(plugin.entries, (plugin,), market)
        if only is not None:
            subject = replace(subject, entries=tuple(each for each in subject.entries if each.name in only))
        report = certify(subject, market, Request(cage.settings, seed, SEGMENT_FRACS))
    found: dict[str, set[str]] = defaultdict(set)
    for check in report.checks:
        if check.n_findings > len(check.findings):
            raise ValueError(f"{check.n_findings} findings of {check.name} in {cage.file}: the report lists fewer")
        for finding in check.findings:
            found[finding.feature].add(finding.code)
    return dict(found)


def examine_cages(cages: Sequence[Cage], market: Market, seed: int) -> dict[str, set[str]]:
    """The same of several plug-ins."""
    with np.errstate(all="ignore"):
        return {name: codes for cage in cages for name, codes in examine_cage(cage, market, seed).items()}


def write_registry(path: Path, declared: Sequence[Declared]) -> None:
    """A plug-in's registry; JSON is YAML."""
    entries = [
        {
            "name": each.name,
            "group": path.stem,
            "dtype": "float64",
            "unit": "1",
            "warmup_bars": each.warmup_bars,
            "inputs": each.inputs.split(),
            "available_at": each.available_at,
            "formula": each.what,
        }
        for each in declared
    ]
    documents.write(path, {"features": entries})


def _specimens(area: str, cages: Sequence[Cage]) -> tuple[Specimen, ...]:
    return tuple(
        Specimen(each.name, area, bool(each.codes), each.is_core, each.codes, each.what, each.also)
        for cage in cages
        for each in cage.declared
    )


def _examine_joins(market: Market, seed: int) -> dict[str, set[str]]:
    return examine_cages(JOINS, market, seed) | crossed.examine(market, seed)


FEATURE_AREA = Area("features", _specimens("features", FEATURES), functools.partial(examine_cages, FEATURES))
JOIN_AREA = Area("joins", _specimens("joins", JOINS) + crossed.SPECIMENS, _examine_joins)
