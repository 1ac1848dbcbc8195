"""All evidence of leaks, made anew: the certificate, the controls, and each head held to its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.artifacts import seeds, user_files
from candlelock.audit.controls import run_controls
from candlelock.audit.leakage import examine_head, given_of
from candlelock.audit.read_history import find_lost_trials, read_history
from candlelock.causality.certificate import Request, certify
from candlelock.causality.cuts import segment_ends
from candlelock.causality.subject import subject_of
from candlelock.contracts import files
from candlelock.contracts.params import bar_seconds
from candlelock.evaluate.trial_ledger import new_batch, read_ledger
from candlelock.features.market import align, with_books
from candlelock.features.plugins import load_plugins
from candlelock.leakage.results import check_trials
from candlelock.orderbook import book_bars
from candlelock.snapshot import candles
from candlelock.split.joined import read_feature_tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from candlelock.contracts.causality_documents import CausalityReport
    from candlelock.contracts.leakage_documents import ControlsReport, LeakageReport, LeakCheck
    from candlelock.contracts.params import Params

    Progress = Callable[[int, int], None]

STEPS = 1_000
SHARES = (400, 500)  # of the steps, for certificate and controls; the heads have the rest


def examine_anew(root: Path, params: Params, progress: Progress) -> dict[str, LeakageReport]:
    """Head -> its report, with nothing taken from reports that were made before but the selections.

    The ledger of reads counts what any git reference knows of, and that of trials is held to the same.
    `progress(n_done, n_total)`. Raises InputError for what is missing or broken.
    """
    reads = {head: read_history(root, head) for head in params.heads}  # first: it fails where the flow has not run
    trials = {head: _check_ledger(root, head) for head in params.heads}
    certificate = make_certificate(root, params, lambda done, total: progress(SHARES[0] * done // total, STEPS))
    controls = make_controls(root, params, lambda done, total: progress(SHARES[0] + SHARES[1] * done // total, STEPS))
    reports = {}
    for number, (head, asked) in enumerate(params.heads.items(), start=1):
        given = given_of(params, asked, certificate, controls, reads[head])
        found = examine_head(root, head, given)
        reports[head] = found.model_copy(update={"checks": [*found.checks, trials[head]]})
        progress(sum(SHARES) + (STEPS - sum(SHARES)) * number // len(params.heads), STEPS)
    return reports


def _check_ledger(root: Path, head: str) -> LeakCheck:
    known = read_ledger(root / files.HeadFiles(head).trials)
    remembered = (record for batch in find_lost_trials(root, head).values() for record in batch.records)
    lost = new_batch(known, remembered)
    return check_trials(head, known, lost.records if lost else [])


def make_certificate(root: Path, params: Params, progress: Progress | None = None) -> CausalityReport:
    """As the stage `causality` makes it, of the features in the tables."""
    manifest, frames = candles.read(root / files.SNAPSHOT)
    books = book_bars.read_all(root / files.ORDER_BOOKS, manifest.timeframe)
    market = with_books(align(frames, 1000 * bar_seconds(manifest.timeframe)), books)
    entries, plugins = user_files.read_registry(root, params.features), load_plugins(root, params.features)
    ends = segment_ends(params.split.calibrate_frac, params.split.decide_frac, params.split.test_frac)
    built, seed = read_feature_tables(root, params.features), seeds.derive(params.seed, "causality")
    request = Request(params.causality, seed, ends, manifest.snapshot_id, built)
    return certify(subject_of(entries, plugins, market), market, request, progress)


def make_controls(root: Path, params: Params, progress: Progress | None = None) -> ControlsReport:
    """As the stage `controls` makes them."""
    manifest, frames = candles.read(root / files.SNAPSHOT)
    seed = seeds.derive(params.seed, "controls")
    return run_controls(root, params, frames, 1000 * bar_seconds(manifest.timeframe), seed, progress)
