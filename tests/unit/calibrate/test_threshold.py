"""The threshold's profit by hand and by a slow simulation."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from candlelock.calibrate.threshold import CANDIDATES, Goal, Optimum, Trading, optimize_threshold

HOUR_MS = 3_600_000
NAN = math.nan


def optimize(
    rows: pd.DataFrame, hold_ms: int, cost_bps: float, min_trades: int, goal: Goal = "profit", n_bootstrap: int = 100
) -> Optimum:
    return optimize_threshold(rows, Trading(hold_ms, cost_bps, goal, min_trades), n_bootstrap, seed=1)


def frame(*rows: tuple[str, int, float, float]) -> pd.DataFrame:
    """Symbol, hour, p_up and the simple return that follows, in percent."""
    made = pd.DataFrame(rows, columns=["symbol", "hour", "p_up", "percent"])
    returns = np.log1p(made["percent"] / 100)
    return made.assign(open_time_ms=made["hour"] * HOUR_MS, future_return=returns)


HAND = frame(
    *(
        ("A/Q", 0, 0.70, 1.0),
        ("A/Q", 1, 0.90, 9.0),
        ("A/Q", 2, 0.60, -2.0),
        ("A/Q", 3, 0.80, 3.0),
        ("A/Q", 5, 0.55, -1.0),
    ),
    *(("B/Q", 1, 0.80, 2.0), ("B/Q", 2, 0.75, NAN), ("B/Q", 3, 0.65, -4.0), ("B/Q", 9, 0.50, 0.5)),
)
# held two hours, ten basis points a trade: threshold -> number of trades and net profit, by symbol and hour
BY_HAND = {
    0.50: (6, 100 - 200 - 100 + 200 - 400 + 50 - 60),  # A 0, A 2, A 5 (1 and 3 are held over), B 1, B 3, B 9
    0.58: (4, 100 - 200 + 200 - 400 - 40),  # A 0, A 2, B 1, B 3
    0.62: (4, 100 + 300 + 200 - 400 - 40),  # A 0, A 3, B 1, B 3
    0.70: (3, 100 + 300 + 200 - 30),  # A 0, A 3, B 1 (B 2 has no known return)
    0.72: (3, 900 + 300 + 200 - 30),  # A 1, A 3 (free again at the hour it opens), B 1
    0.85: (1, 900 - 10),  # A 1
}


def test_each_candidates_trades_and_profit_are_those_worked_out_by_hand() -> None:
    choices = {choice.p_up: choice for choice in optimize(HAND, 2 * HOUR_MS, 10.0, 1).choices}
    assert list(choices) == [round(0.5 + step / 100, 2) for step in range(36)]
    for p_up, (n_trades, net_bps) in BY_HAND.items():
        assert (choices[p_up].n_trades, choices[p_up].net_profit_bps) == pytest.approx((n_trades, net_bps)), p_up


@pytest.mark.parametrize(
    ("min_trades", "best"), [(1, 0.8), (3, 0.8), (4, 0.65), (5, 0.5), (6, 0.5), (7, 0.5), (10**6, 0.5)]
)
def test_the_most_profitable_candidate_with_enough_trades_wins_and_the_highest_on_a_tie(
    min_trades: int, best: float
) -> None:
    assert optimize(HAND, 2 * HOUR_MS, 10.0, min_trades).p_up == best


def test_without_enough_trades_the_one_traded_most_is_taken_though_another_earns_more() -> None:
    found = optimize(HAND, 2 * HOUR_MS, 10.0, 100)
    assert found.p_up == 0.5
    assert max(found.choices, key=lambda choice: choice.net_profit_bps).p_up != 0.5


def test_higher_costs_move_the_choice_to_fewer_trades() -> None:
    rows = frame(*(("A/Q", hour, 0.55 + hour % 10 / 50, hour % 10 / 10) for hour in range(200)))
    cheap, dear = (optimize(rows, HOUR_MS, cost, 1) for cost in (1.0, 50.0))
    traded = {p: choice.n_trades for p, choice in zip(CANDIDATES, cheap.choices, strict=True)}
    assert cheap.p_up < dear.p_up
    assert traded[dear.p_up] < traded[cheap.p_up]


def simulate(rows: pd.DataFrame, p_up: float, hold_ms: int, cost_bps: float) -> tuple[int, float]:
    """One clock for all symbols: each is free or held until a time."""
    held_until: dict[str, int] = {}
    trades = []
    for row in rows.sort_values("open_time_ms").to_dict("records"):
        if row["p_up"] < p_up or math.isnan(row["future_return"]):
            continue
        if row["open_time_ms"] >= held_until.get(row["symbol"], 0):
            held_until[row["symbol"]] = row["open_time_ms"] + hold_ms
            trades.append(1e4 * (math.exp(row["future_return"]) - 1) - cost_bps)
    return len(trades), sum(trades)


@pytest.mark.parametrize("hold_bars", [1, 3, 8])
def test_random_rows_trade_as_in_a_slow_simulation(hold_bars: int) -> None:
    random = np.random.default_rng(hold_bars)
    rows = pd.DataFrame(
        {
            "symbol": np.repeat(["A/Q", "B/Q", "C/Q"], 150),
            "open_time_ms": HOUR_MS * np.concatenate([np.sort(random.permutation(220)[:150]) for _ in range(3)]),
            "p_up": random.uniform(0.4, 0.8, 450),
            "future_return": np.where(random.random(450) < 0.1, NAN, random.normal(0, 0.02, 450)),
        }
    )
    found = optimize(rows, hold_bars * HOUR_MS, 24.0, 20)
    for choice in found.choices:
        expected = simulate(rows, choice.p_up, hold_bars * HOUR_MS, 24.0)
        assert (choice.n_trades, choice.net_profit_bps) == pytest.approx(expected, abs=1e-5)
    enough = [choice for choice in found.choices if choice.n_trades >= 20]
    assert found.p_up == max(enough, key=lambda choice: choice.net_profit_bps).p_up


def test_no_signal_at_all_makes_no_trade() -> None:
    found = optimize(frame(("A/Q", 0, 0.3, 1.0), ("A/Q", 1, 0.4, NAN)), HOUR_MS, 10.0, 1)
    assert (found.p_up, found.low, found.high) == (0.5, 0.5, 0.5)
    assert {(choice.n_trades, choice.net_profit_bps, choice.sharpe) for choice in found.choices} == {(0, 0.0, None)}


def test_no_known_return_at_all_makes_no_trade() -> None:
    found = optimize(frame(("A/Q", 0, 0.7, NAN)), HOUR_MS, 10.0, 1)
    assert (found.p_up, {choice.n_trades for choice in found.choices}) == (0.5, {0})


DAYS = frame(
    *(("A/Q", 0, 0.80, 4.0), ("A/Q", 24, 0.80, -3.0), ("A/Q", 48, 0.80, 4.0)),
    *(("B/Q", 1, 0.60, 1.0), ("B/Q", 25, 0.60, 1.2), ("B/Q", 73, 0.60, 0.8)),
)


def test_sharpe_is_annual_of_all_days_a_day_without_a_trade_included() -> None:
    """Days of the segment: four. From 0.8 on 390, -310, 390 and 0 basis points after ten of cost."""
    choices = {choice.p_up: choice for choice in optimize(DAYS, HOUR_MS, 10.0, 1).choices}
    daily = np.array([390.0, -310, 390, 0])
    assert choices[0.8].sharpe == pytest.approx(daily.mean() / daily.std(ddof=1) * math.sqrt(365), abs=1e-5)
    daily = np.array([480.0, -200, 390, 70])
    assert choices[0.6].sharpe == pytest.approx(daily.mean() / daily.std(ddof=1) * math.sqrt(365), abs=1e-5)
    assert choices[0.85].sharpe is None


def test_the_goal_decides() -> None:
    """One trade of a fortune and a loss from 0.7 on; with the small ones below, little and often."""
    steady = tuple(("B/Q", 24 * day, 0.6, 1.0 + day % 2 / 10) for day in range(20))
    rows = frame(("A/Q", 30, 0.7, 30.0), ("A/Q", 60, 0.65, -0.5), *steady)
    assert optimize(rows, HOUR_MS, 10.0, 1).p_up == 0.6
    by_sharpe = optimize(rows, HOUR_MS, 10.0, 1, "sharpe")
    sharpe = {choice.p_up: choice.sharpe or -math.inf for choice in by_sharpe.choices}
    assert sharpe[by_sharpe.p_up] == max(sharpe.values())
    losing = frame(("A/Q", 30, 0.7, -5.0), *steady)
    assert optimize(losing, HOUR_MS, 10.0, 1, "sharpe").p_up == optimize(losing, HOUR_MS, 10.0, 1).p_up == 0.6


def trades_by_day(rows: pd.DataFrame, trading: Trading) -> list[tuple[float, list[tuple[int, float]]]]:
    own = [day for _, day in rows.groupby(rows["open_time_ms"] // (24 * HOUR_MS))]
    return [(p, [simulate(day, p, trading.hold_ms, trading.cost_bps) for day in own]) for p in CANDIDATES]


def choose_slowly(
    by_candidate: list[tuple[float, list[tuple[int, float]]]], days: np.ndarray, trading: Trading
) -> float:
    """The threshold of a history in which each day comes as often as drawn: the day's own trades, so many times."""
    best: tuple[float, float] = (-math.inf, 0.5)
    most: tuple[int, float] = (-1, 0.5)
    for p_up, by_day in by_candidate:
        n_trades = sum(times * n_own for times, (n_own, _) in zip(days, by_day, strict=True))
        profit = sum(times * net for times, (_, net) in zip(days, by_day, strict=True))
        if n_trades > most[0]:
            most = (n_trades, p_up)
        if n_trades >= trading.min_trades and round(profit, 6) >= best[0]:
            best = (round(profit, 6), p_up)
    return best[1] if best[0] > -math.inf else most[1]


def test_the_interval_holds_the_choices_made_again_on_drawn_days() -> None:
    random = np.random.default_rng(4)
    hours = np.arange(20 * 24)[np.arange(20 * 24) % 24 < 20]  # no trade reaches into the next day
    rows = pd.DataFrame(
        {
            "symbol": "A/Q",
            "open_time_ms": HOUR_MS * hours,
            "p_up": random.uniform(0.45, 0.7, len(hours)),
            "future_return": random.normal(0, 0.02, len(hours)),
        }
    )
    trading = Trading(2 * HOUR_MS, 5.0, "profit", 10)
    found = optimize_threshold(rows, trading, 100, seed=7)
    drawn = np.random.default_rng(7).multinomial(20, np.full(20, 1 / 20), size=100)
    by_candidate = trades_by_day(rows, trading)
    expected = [choose_slowly(by_candidate, days, trading) for days in drawn]
    assert found.p_up == choose_slowly(by_candidate, np.ones(20, dtype=int), trading)
    assert {choice.p_up: 100 * choice.chosen_frac for choice in found.choices if choice.chosen_frac} == pytest.approx(
        Counter(expected)
    )
    assert (found.low, found.high) == (sorted(expected)[2], sorted(expected)[97])
    assert found.low < found.high
    assert optimize_threshold(rows, trading, 100, seed=7) == found


def test_an_edge_that_is_plain_leaves_no_doubt() -> None:
    rows = frame(*(("A/Q", hour, 0.55 if hour % 2 else 0.66, -2.0 if hour % 2 else 2.0) for hour in range(480)))
    found = optimize(rows, HOUR_MS, 10.0, 5)
    assert (found.p_up, found.low, found.high) == (0.66, 0.66, 0.66)
