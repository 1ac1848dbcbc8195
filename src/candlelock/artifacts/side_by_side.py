"""Independent pieces of work on the cores there are. In threads: NumPy, the learners and the kernels let others run."""

from __future__ import annotations

import functools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


class Run(Protocol):
    """`run_all`, `run_in_turn`, or what `run_shared` gives."""

    def __call__(self, jobs: Sequence[Callable[[], T]]) -> list[T]:
        """What the jobs return, in their order."""


def n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_all(jobs: Sequence[Callable[[], T]], threads: int = 1) -> list[T]:
    """What the jobs return, in their order; each uses so many threads itself.

    Raises what the first of them in this order raised; those that have not begun by then are dropped.
    """
    with ThreadPoolExecutor(max(n_cores() // threads, 1)) as pool:
        return _run(pool, jobs)


def run_in_turn(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """What the jobs return, one after the other."""
    return [job() for job in jobs]


def run_shared(plans: Sequence[Callable[[Run], T]], threads: int = 1) -> list[T]:
    """What the plans return, in their order. A plan hands its jobs to the `run` it is given, as often as it likes.

    All plans wait side by side while their jobs share the cores, so that a plan with many jobs leaves none idle. Jobs
    use so many threads themselves. Errors are as with `run_all`.
    """
    with ThreadPoolExecutor(max(n_cores() // threads, 1)) as cores, ThreadPoolExecutor(max(len(plans), 1)) as waiting:
        try:
            return _run(waiting, [functools.partial(plan, functools.partial(_run, cores)) for plan in plans])
        except BaseException:
            cores.shutdown(wait=False, cancel_futures=True)
            raise


def _run(pool: ThreadPoolExecutor, jobs: Sequence[Callable[[], T]]) -> list[T]:
    futures = [pool.submit(job) for job in jobs]
    try:
        return [future.result() for future in futures]
    except BaseException:
        for future in futures:
            future.cancel()
        raise
