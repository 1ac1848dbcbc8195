"""How long one answer takes: single rows, one after another, on the clock of the machine that runs this."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.contracts.documents import Hardware, LatencyReport
from candlelock.contracts.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable


def measure_latency(
    answer: Callable[[npt.NDArray[np.float64]], object],
    rows: npt.NDArray[np.float64],
    n_warmup_rows: int,
    n_threads: int,
) -> LatencyReport:
    """Time `answer(row)` for every row of shape (1, n_features) after the first `n_warmup_rows`; milliseconds.

    Raises InputError when no row is left to time.
    """
    if len(rows) <= n_warmup_rows:
        found = f"{len(rows)} rows of the test segment, {n_warmup_rows} of them for the warm-up"
        help_line = "take more candles or a smaller bench.n_warmup_rows"
        raise InputError(Problem("bench-empty", "params.yaml bench", found, "at least one row to time", help_line))
    taken = []
    for number, row in enumerate(rows):
        start = time.perf_counter_ns()
        answer(row[None])
        if number >= n_warmup_rows:
            taken.append((time.perf_counter_ns() - start) / 1e6)
    p50, p95, p99 = np.percentile(taken, [50, 95, 99])
    return LatencyReport(
        mean=round(float(np.mean(taken)), 4),
        p50=round(float(p50), 4),
        p95=round(float(p95), 4),
        p99=round(float(p99), 4),
        samples=len(taken),
        n_threads=n_threads,
        hardware=describe_hardware(),
    )


def describe_hardware() -> Hardware:
    """CPU model, cores, operating system and Python of this machine."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    cpu = next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        platform.processor() or "unknown",
    )
    return Hardware(cpu=cpu, n_cores=os.cpu_count() or 1, platform=platform.system(), python=platform.python_version())
