"""Latency on a clock that the answer itself moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.contracts.errors import InputError
from candlelock.evaluate.latency import describe_hardware, measure_latency

if TYPE_CHECKING:
    import numpy.typing as npt


class Answer:
    """Takes as many milliseconds as the row says and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[npt.NDArray[np.float64]] = []
        self.now_ns = 0

    def __call__(self, row: npt.NDArray[np.float64]) -> float:
        self.asked.append(row)
        self.now_ns += int(row[0, 0] * 1e6)
        return 0.5

    def clock(self) -> int:
        return self.now_ns


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    made = Answer()
    monkeypatch.setattr("time.perf_counter_ns", made.clock)
    return made


def test_rows_are_answered_one_by_one_and_the_warm_up_is_not_counted(answer: Answer) -> None:
    rows = np.column_stack([np.r_[np.full(5, 1000.0), np.arange(1.0, 101.0)], np.ones(105)])
    report = measure_latency(answer, rows, 5, 3)
    assert [row.shape for row in answer.asked] == [(1, 2)] * 105
    np.testing.assert_array_equal(np.concatenate(answer.asked), rows)
    assert (report.samples, report.n_threads) == (100, 3)
    assert (report.mean, report.p50) == (50.5, 50.5)
    assert (report.p95, report.p99) == pytest.approx((95.05, 99.01))


def test_percentiles_are_in_order_on_a_real_clock() -> None:
    report = measure_latency(lambda row: row.sum(), np.ones((300, 4)), 10, 1)
    assert 0 <= report.p50 <= report.p95 <= report.p99
    assert report.samples == 290


@pytest.mark.parametrize(("n_rows", "n_warmup_rows"), [(5, 5), (0, 0), (3, 10)])
def test_too_few_rows_to_time_are_refused(answer: Answer, n_rows: int, n_warmup_rows: int) -> None:
    with pytest.raises(InputError) as caught:
        measure_latency(answer, np.ones((n_rows, 2)), n_warmup_rows, 1)
    assert caught.value.problems[0].code == "bench-empty"
    assert not answer.asked


def test_the_hardware_is_named() -> None:
    hardware = describe_hardware()
    assert hardware.cpu
    assert hardware.n_cores >= 1
