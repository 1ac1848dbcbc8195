"""Group `time` against Python's calendar over a century and a half, and known dates."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from candlelock.features.market import Market
from tests.markets import HOUR_MS, of_closes
from tests.oracles.agreement import assert_agrees, features_of, registered
from tests.oracles.calendar import expected_time
from tests.oracles.specimens import MARKETS, specimen

NAMES = tuple(entry.name for entry in registered() if entry.group == "time")


def at(text: str) -> dict[str, float]:
    """The features of one bar that opens then, UTC."""
    first_ms = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)
    market = of_closes([1.0], first_ms=first_ms)
    by_minute = Market(market.symbols, 60_000, market.open_time_ms, *[market.close] * 4, volume=market.volume)
    return {name: float(values[0, 0]) for name, values in features_of(by_minute, *NAMES).items()}


@pytest.mark.parametrize("market", MARKETS)
def test_every_feature_is_what_the_calendar_says(market: str) -> None:
    assert_agrees(market, "time", expected_time(specimen(market)))


@pytest.mark.parametrize("bar_ms", [6 * HOUR_MS, 13 * 60_000])
def test_a_hundred_and_fifty_years_by_the_calendar_of_python(bar_ms: int) -> None:
    """From 1940 to 2090 on six-hour bars; some years of bars that fall on odd minutes."""
    first = -(30 * 365 * 24 * HOUR_MS // bar_ms)
    n_bars = 150 * 1461 if bar_ms > HOUR_MS else 100_000
    times = bar_ms * (first + np.arange(n_bars, dtype=np.int64))
    ones = np.ones((1, n_bars))
    market = Market(("S0",), bar_ms, times, ones, ones, ones, ones, ones)
    wanted = expected_time(market)
    for name, values in features_of(market, *NAMES).items():
        np.testing.assert_allclose(values, wanted[name], atol=1e-12, rtol=0, err_msg=name)


@pytest.mark.parametrize(
    ("moment", "weekday", "month"),
    [
        ("1970-01-01 00:00", 3, 1),
        ("2000-02-29 12:00", 1, 2),
        ("2017-10-01 00:00", 6, 10),
        ("2017-10-01 23:59", 6, 10),
        ("2017-10-02 00:00", 0, 10),
        ("2019-09-30 23:30", 0, 9),
        ("2024-02-29 00:00", 3, 2),
        ("2024-03-01 00:00", 4, 3),
        ("2024-12-31 23:30", 1, 12),
        ("1969-12-31 23:30", 2, 12),
        ("2100-02-28 23:59", 6, 2),  # no leap year
        ("2100-03-01 00:00", 0, 3),
    ],
)
def test_known_dates(moment: str, weekday: int, month: int) -> None:
    features = at(moment)
    assert (features["weekday"], features["month"]) == (weekday, month)
    assert features["is_weekend"] == float(weekday >= 5)


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
    assert features["hour"] == int(clock[:2])


@pytest.mark.parametrize(
    ("clock", "quarter", "funding"), [("00:00", 0, 480), ("07:59", 14, 1), ("08:00", 0, 480), ("23:16", 1, 44)]
)
def test_quarters_and_funding_times(clock: str, quarter: float, funding: float) -> None:
    features = at(f"2024-05-05 {clock}")
    assert (features["minute_of_quarter"], features["minutes_to_funding"]) == (quarter, funding)
    assert features["minute_of_hour"] == int(clock[3:])


def test_a_missing_bar_has_no_time() -> None:
    features = features_of(of_closes([1.0, float("nan")], [1.0, 1.0]), *NAMES)
    for values in features.values():
        assert np.isnan(values).tolist() == [[False, True], [False, False]]
