"""Run changed flows one after another, and write what the audit finds of each: `flow_child FOLDER`.

In FOLDER lie the projects `one` and `planted` with candles and parameters, and asked.json; found.json is written.
Honest runs come first; each changed flow starts from a copy, at the first stage that it touches. What a ledger is not
told has to show, as in the control `blind`, on the market with a planted edge and on one that differs from it in test
alone: where nothing is known models answer one and the same, and nobody can choose wrongly.
"""

from __future__ import annotations

from candlelock.artifacts import numeric_environment

numeric_environment.lock()

import contextlib  # noqa: E402
import importlib  # noqa: E402
import io  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import shutil  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import warnings  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import TYPE_CHECKING, Any  # noqa: E402

from benchmarks.leakzoo.flow import HEAD, make_project, merged  # noqa: E402
from benchmarks.leakzoo.flow_catalogue import MUTATIONS  # noqa: E402
from candlelock.artifacts import documents, tables, user_files  # noqa: E402
from candlelock.audit import controls  # noqa: E402
from candlelock.audit.control_markets import change_future  # noqa: E402
from candlelock.audit.fit_values import check_fit_values  # noqa: E402
from candlelock.audit.leakage import STAGES as NOTING  # noqa: E402
from candlelock.audit.leakage import expected_fits, given_of  # noqa: E402
from candlelock.contracts import files  # noqa: E402
from candlelock.contracts.errors import InputError  # noqa: E402
from candlelock.contracts.params import bar_seconds  # noqa: E402
from candlelock.contracts.select_documents import SelectionReport  # noqa: E402
from candlelock.contracts.tables import FITS  # noqa: E402
from candlelock.leakage.fit_scope import check_fits  # noqa: E402
from candlelock.select.transform import compile_report  # noqa: E402
from candlelock.snapshot import candles  # noqa: E402
from candlelock.split.joined import read_feature_tables, read_rows  # noqa: E402
from candlelock.split.rows import feature_matrix  # noqa: E402
from candlelock.split.segments import n_folds  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.leakzoo.flow_mutations import Mutation

STAGES = ("snapshot", "features", "split", "select", "tune", "train", "calibrate", "evaluate")
WHOLE = STAGES[:3]
BLIND = ("planted", "other")  # alike up to test


@contextlib.contextmanager
def inside(project: Path) -> Iterator[None]:
    """Work in a project, and say nothing."""
    before = Path.cwd()
    os.chdir(project)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        os.chdir(before)


def run_stages(project: Path, first: str) -> None:
    """The stages from `first` on."""
    with inside(project):
        params = user_files.read_params(Path(), HEAD)
        for name in STAGES[STAGES.index(first) :]:
            importlib.import_module(f"stages.{name}").run(params, *([] if name in WHOLE else [HEAD]))


def find_codes(project: Path) -> set[str]:
    """What the audit says of a project's fits."""
    params, own = user_files.read_params(project, HEAD), files.HeadFiles(HEAD)
    rows = read_rows(project, HEAD)
    x, names = feature_matrix(rows, read_feature_tables(project, params.features))
    ledgers = {stage: tables.read(project / own.fits(stage), FITS) for stage in NOTING}
    selections = documents.read(project / own.report("selection.json"), SelectionReport)
    embargo_ms = 1000 * bar_seconds(params.snapshot.timeframe) * params.split.embargo_bars
    unasked: Any = None
    given = given_of(params, params.heads[HEAD], unasked, unasked, [])
    checks = [
        check_fits(rows, ledgers, expected_fits(given, n_folds(rows)), embargo_ms),
        check_fit_values(compile_report(selections, names, n_folds(rows)), rows, x, ledgers),
    ]
    return {finding.code for check in checks for finding in check.findings}


def examine(each: Mutation, folder: Path) -> set[str]:
    """Codes of one changed flow, or of why a stage refuses it."""
    found, prints = set(), []
    for base in BLIND if each.is_quiet else ("one",):
        with tempfile.TemporaryDirectory() as copy:
            project = Path(copy) / base
            shutil.copytree(folder / base, project, symlinks=True)
            before = json.loads((project / files.PARAMS).read_text())
            user_files.write_params(project, merged(before, each.params))
            try:
                with contextlib.ExitStack() as stack:
                    each.change(stack)
                    run_stages(project, each.stage)
            except InputError as error:
                return {problem.code for problem in error.problems}
            found |= find_codes(project)
            prints.append(controls._fitted(project, HEAD))
    return found | ({"control-peeks"} if prints[0] != prints[-1] else set())


def make_other(folder: Path, seed: int) -> None:
    """The planted market with another future, from the first row of test on."""
    rows = read_rows(folder / "planted", HEAD)
    begin_ms = int(rows.loc[rows["segment"] == "test", "open_time_ms"].min())
    _, frames = candles.read(folder / "planted" / files.SNAPSHOT)
    make_project(folder / "other", change_future(frames, begin_ms, seed))


def main(folder: Path) -> None:
    """Honest runs, then every changed flow."""
    warnings.simplefilter("ignore")
    entries = user_files.read_catalogue(folder / "one")
    user_files.read_catalogue = lambda _: entries  # one and the same
    asked = json.loads((folder / "asked.json").read_text())
    run_stages(folder / "one", "snapshot")
    if any(MUTATIONS[name].is_quiet for name in asked["names"]):
        run_stages(folder / "planted", "snapshot")
        make_other(folder, asked["seed"] + 1)
        run_stages(folder / "other", "snapshot")
    found = {name: sorted(examine(MUTATIONS[name], folder)) for name in asked["names"]}
    (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
