"""Independent work on several cores."""

from __future__ import annotations

import functools
import threading
import time

import pytest

from candlelock.artifacts import side_by_side


def test_results_come_in_the_order_of_the_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "n_cores", lambda: 2)
    second_is_done = threading.Event()

    def first() -> str:
        assert second_is_done.wait(10)  # only a job beside this one can say so
        return "first"

    def second() -> str:
        second_is_done.set()
        return "second"

    assert side_by_side.run_all([first, second]) == ["first", "second"]


@pytest.mark.parametrize(("cores", "threads", "most"), [(4, 1, 4), (4, 2, 2), (1, 1, 1), (2, 3, 1)])
def test_no_more_run_at_once_than_cores_allow(
    monkeypatch: pytest.MonkeyPatch, cores: int, threads: int, most: int
) -> None:
    monkeypatch.setattr(side_by_side, "n_cores", lambda: cores)
    lock, running, peak = threading.Lock(), 0, 0
    together = threading.Barrier(most)

    def job() -> None:
        nonlocal running, peak
        with lock:
            running += 1
            peak = max(peak, running)
        together.wait(10)
        with lock:
            running -= 1

    side_by_side.run_all([job] * (2 * most), threads)
    assert peak == most


def test_the_first_error_in_their_order_is_raised_and_waiting_jobs_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "n_cores", lambda: 1)
    done: list[int] = []

    def job(number: int) -> None:
        if number in (1, 2):
            raise ValueError(f"job {number}")
        time.sleep(0.01)
        done.append(number)

    with pytest.raises(ValueError, match="job 1"):
        side_by_side.run_all([functools.partial(job, number) for number in range(50)])
    assert len(done) < 40


def test_no_jobs() -> None:
    assert side_by_side.run_all([]) == []


def test_plans_share_the_cores_and_none_waits_for_another_s_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long plan and a short one: never more at once than there are cores, and the long one gets both at last."""
    monkeypatch.setattr(side_by_side, "n_cores", lambda: 2)
    lock, running, peak = threading.Lock(), 0, 0
    pair = threading.Barrier(2)

    def job(number: int) -> int:
        nonlocal running, peak
        with lock:
            running += 1
            peak = max(peak, running)
        if number >= 2:
            pair.wait(10)  # only beside the other of the two
        with lock:
            running -= 1
        return number

    def long(run: side_by_side.Run) -> list[int]:
        first = run([functools.partial(job, number) for number in (0, 1)])
        return [*first, *run([functools.partial(job, number) for number in (2, 3)])]

    assert side_by_side.run_shared([long, lambda run: run([functools.partial(job, 0)])]) == [[0, 1, 2, 3], [0]]
    assert peak == 2


def test_a_plan_that_fails_drops_the_jobs_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "n_cores", lambda: 1)
    done: list[int] = []

    def job(number: int) -> None:
        if number == 1:
            raise ValueError("job 1")
        time.sleep(0.01)
        done.append(number)

    def plan(run: side_by_side.Run) -> None:
        run([functools.partial(job, number) for number in range(50)])

    with pytest.raises(ValueError, match="job 1"):
        side_by_side.run_shared([plan, lambda run: run([functools.partial(job, 2)] * 50)])
    assert len(done) < 80
    assert side_by_side.run_shared([]) == []
