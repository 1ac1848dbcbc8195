"""`candlelock benchmark`: every bundle of a folder on one set of labelled rows, beside how it did before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003  (typer reads annotations)
from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlelock.cli import benchmark_text, output
from candlelock.cli.output import HERE, Json, Root
from candlelock.contracts.errors import EXIT_CHECK_FAILED, CandlelockError, InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    from candlelock.contracts.benchmark_documents import (
        BenchmarkHistory,
        BenchmarkReport,
        FailedBenchmark,
        ModelBenchmark,
    )
    from candlelock.contracts.documents import LatencyReport
    from candlelock.evaluate.labelled_rows import LabelledRows

    Array = npt.NDArray[np.float64]

N_WARMUP_ROWS, SERVING_THREADS = 100, 1


def benchmark(
    models: Annotated[Path, typer.Option("--models", help="Folder that holds bundles, such as models.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="Labelled rows: parquet, feather or CSV, a column for each feature.")
    ] = None,
    head: Annotated[str | None, typer.Option("--head", help="The project's own test rows of a head instead.")] = None,
    symbol: Annotated[str | None, typer.Option("--symbol", help="Rows of this symbol alone.")] = None,
    history: Annotated[
        Path | None, typer.Option("--history", help="JSON of earlier runs: compare with it, then add this one.")
    ] = None,
    max_fall: Annotated[
        float, typer.Option("--max-fall", min=0, max=1, help="Share by which a figure may be worse than before.")
    ] = 0.05,
    n_rows: Annotated[int, typer.Option("--latency-rows", min=1, help="Single rows to time in a round.")] = 1000,
    n_rounds: Annotated[int, typer.Option("--rounds", min=1, help="Rounds of timing; the median counts.")] = 5,
    out: Annotated[Path | None, typer.Option("--out", help="Write the report to this file as well.")] = None,
    save_data: Annotated[
        Path | None, typer.Option("--save-data", help="Keep the rows as parquet, to be named with --data.")
    ] = None,
    root: Root = HERE,
    as_json: Json = False,
) -> None:
    """Benchmark bundles on the same rows; exit code 1 when one cannot be read or is worse than it was."""
    from candlelock.artifacts import numeric_environment

    numeric_environment.lock()
    from candlelock.evaluate.benchmark import Run, report_run
    from candlelock.serve.bundle_folders import find_bundles

    bundles, earlier = find_bundles(models), _earlier(history)
    rows = _read_rows(data, head, symbol, root)
    if save_data is not None:
        _save(rows, save_data)
    found, failed = _benchmark_all(bundles, rows, n_rows, n_rounds)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    run = Run(now, str(models), rows, max_fall)
    report = _keep(history, earlier, lambda known: report_run(run, found, failed, known))
    _show(report, out, as_json=as_json)
    if failed or report.regressions:
        raise typer.Exit(EXIT_CHECK_FAILED)


def _earlier(history: Path | None) -> BenchmarkHistory:
    """Read before the work begins, so that a broken file is told at once."""
    from candlelock.contracts.benchmark_documents import BenchmarkHistory
    from candlelock.evaluate.benchmark_history import read_history

    return BenchmarkHistory() if history is None else read_history(history)


def _keep(
    history: Path | None, earlier: BenchmarkHistory, report: Callable[[BenchmarkHistory], BenchmarkReport]
) -> BenchmarkReport:
    from candlelock.evaluate.benchmark_history import append_run

    return report(earlier) if history is None else append_run(history, report)


def _show(report: BenchmarkReport, out: Path | None, *, as_json: bool) -> None:
    from candlelock.artifacts import documents

    if out is not None:
        documents.write(out, report)
    if as_json:
        output.print_json(report.model_dump(mode="json"))
    else:
        benchmark_text.print_report(report)


def _read_rows(data: Path | None, head: str | None, symbol: str | None, root: Path) -> LabelledRows:
    from candlelock.evaluate.labelled_rows import read_labelled
    from candlelock.leakage.table_file import read_table

    if (data is None) == (head is None):
        found = "neither --data nor --head" if data is None else "both --data and --head"
        help_line = "such as --data validation.parquet, or --head direction for the project's test rows"
        raise InputError(Problem("benchmark-data", "--data", found, "one of the two", help_line))
    if data is not None:
        return read_labelled(read_table(data, ("symbol",)), str(data), symbol)
    return read_labelled(_test_table(root, str(head)), f"test rows of {head}", symbol)


def _test_table(root: Path, head: str) -> Any:  # noqa: ANN401  (an Arrow table)
    """Symbol, open time, label and features of the labelled test rows of a head."""
    import pyarrow as pa

    from candlelock.artifacts.user_files import read_params
    from candlelock.contracts.tables import TIME
    from candlelock.split.joined import read_matrix

    rows, x, names = read_matrix(root, head, read_params(root, head).features)
    is_test = ((rows["segment"] == "test") & rows["is_up"].notna()).to_numpy(dtype=bool)
    of_test = rows[is_test]
    keys = {
        "symbol": pa.array(of_test["symbol"].to_list(), pa.string()),
        "open_time_utc": pa.array(of_test["open_time_ms"].to_numpy()).cast(TIME),
        "is_up": pa.array(of_test["is_up"].to_numpy() > 0),
    }
    return pa.table(keys | {name: pa.array(x[is_test, i], from_pandas=True) for i, name in enumerate(names)})


def _save(rows: LabelledRows, path: Path) -> None:
    import pyarrow.parquet as pq

    from candlelock.artifacts import atomic

    with atomic.replacing(path) as temporary:
        pq.write_table(rows.table, temporary, compression="zstd")


@dataclass(frozen=True)
class _Loaded:
    """A bundle that has answered the rows; `timed` are those it is asked one by one."""

    scored: dict[str, Any]
    answer: Callable[[Array], Array]
    timed: Array


def _benchmark_all(
    bundles: dict[str, Path], rows: LabelledRows, n_rows: int, n_rounds: int
) -> tuple[list[ModelBenchmark], list[FailedBenchmark]]:
    """Every bundle scored, then timed: a round of all of them after another, so that a busy minute meets them all."""
    from candlelock.contracts.benchmark_documents import ModelBenchmark
    from candlelock.evaluate.benchmark import sum_up_rounds
    from candlelock.evaluate.latency import measure_latency
    from candlelock.terminal.progress import showing

    loaded: dict[str, _Loaded] = {}
    failed: list[FailedBenchmark] = []
    taken: dict[str, list[LatencyReport]] = {name: [] for name in bundles}
    with showing("benchmark", "steps") as show:
        for name, folder in bundles.items():
            one = _load(name, folder, rows, n_rows)
            loaded |= {name: one} if isinstance(one, _Loaded) else {}
            failed += [] if isinstance(one, _Loaded) else [one]
            show(len(loaded) + len(failed), len(bundles) + n_rounds * len(bundles))
        for number in range(n_rounds):
            for name, each in loaded.items():
                taken[name].append(measure_latency(each.answer, each.timed, N_WARMUP_ROWS, SERVING_THREADS))
            show(len(bundles) + (number + 1) * len(loaded), len(bundles) + n_rounds * len(loaded))
    plain = {"compared_with": None, "is_latency_compared": False}
    found = [
        ModelBenchmark(**each.scored, latency_ms=sum_up_rounds(taken[name]), **plain) for name, each in loaded.items()
    ]
    return found, failed


def _load(name: str, folder: Path, rows: LabelledRows, n_rows: int) -> _Loaded | FailedBenchmark:
    """A bundle with its scores, or why it has none: whatever is wrong with one must not cost the others' results."""
    from candlelock.contracts.benchmark_documents import BenchmarkProblem, FailedBenchmark

    try:
        return _score(name, folder, rows, n_rows)
    except CandlelockError as error:
        problems = error.problems
    except Exception as error:  # edited files with fitting hashes may break a parser as such
        found = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        help_line = "restore it with `dvc checkout` or rebuild with `dvc repro`"
        problems = (Problem("bundle-broken", str(folder), found, "a bundle that answers", help_line),)
    return FailedBenchmark(model_name=name, problems=[BenchmarkProblem(**problem.as_dict()) for problem in problems])


def _score(name: str, folder: Path, rows: LabelledRows, n_rows: int) -> _Loaded:
    import numpy as np

    from candlelock.evaluate.benchmark import score_answers
    from candlelock.serve.bundle import load_bundle
    from candlelock.serve.bundle_folders import identify_bundle, read_features

    bundle = load_bundle(folder)
    names = read_features(folder)
    x = rows.matrix(names, str(folder))
    facts = {"model_name": name, "bundle_sha256": identify_bundle(folder), "n_features": len(names), "n_rows": len(x)}
    timed = x[np.arange(len(x) - n_rows - N_WARMUP_ROWS, len(x)) % len(x)]
    return _Loaded(facts | score_answers(rows.is_up, bundle.predict(x)), bundle.predict, timed)
