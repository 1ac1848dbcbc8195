from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from candlelock.features.calendar import build_time
from tests.markets import of_closes


def at(text: str) -> dict[str, float]:
    """The features of one bar that opens then, UTC."""
    first_ms = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)
    return {name: float(values[0, 0]) for name, values in build_time(of_closes([1.0], first_ms=first_ms)).items()}


@pytest.mark.parametrize(
    ("moment", "weekday"),
    [
        ("1970-01-01 00:00", 3),
        ("2000-02-29 12:00", 1),
        ("2017-10-01 00:00", 6),
        ("2017-10-01 23:59", 6),
        ("2017-10-02 00:00", 0),
        ("2019-09-30 23:30", 0),
        ("2024-02-29 00:00", 3),
        ("2024-12-31 23:30", 1),
        ("1969-12-31 23:30", 2),
    ],
)
def test_weekdays_of_known_dates(moment: str, weekday: int) -> None:
    assert at(moment)["weekday"] == weekday


@pytest.mark.parametrize(
    ("clock", "sine", "cosine"),
    [
        ("00:00", 0, 1),
        ("03:00", np.sqrt(0.5), np.sqrt(0.5)),
        ("06:00", 1, 0),
        ("12:00", 0, -1),
        ("16:00", -np.sqrt(0.75), -0.5),
        ("18:00", -1, 0),
    ],
)
def test_the_time_of_day_is_a_point_on_the_circle(clock: str, sine: float, cosine: float) -> None:
    features = at(f"2019-03-31 {clock}")  # a day on which clocks change in Europe
    assert features["hour_sin"] == pytest.approx(sine, abs=1e-12)
    assert features["hour_cos"] == pytest.approx(cosine, abs=1e-12)


def test_a_missing_bar_has_no_time() -> None:
    features = build_time(of_closes([1.0, float("nan")], [1.0, 1.0]))
    for values in features.values():
        assert np.isnan(values).tolist() == [[False, True], [False, False]]
