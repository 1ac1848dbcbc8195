"""Independent pieces of work on the cores there are. In threads: NumPy, the learners and the kernels let others run."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


def n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_all(jobs: Sequence[Callable[[], T]], threads: int = 1) -> list[T]:
    """What the jobs return, in their order; each uses so many threads itself.

    Raises what the first of them in this order raised; those that have not begun by then are dropped.
    """
    with ThreadPoolExecutor(max(n_cores() // threads, 1)) as pool:
        futures = [pool.submit(job) for job in jobs]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
