"""The threshold's profit by hand and by a slow simulation."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from candlelock.calibrate.threshold import CANDIDATES, optimize_threshold

HOUR_MS = 3_600_000
NAN = math.nan


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
    choices = {choice.p_up: choice for choice in optimize_threshold(HAND, 2 * HOUR_MS, 10.0, 1)[1]}
    assert list(choices) == [round(0.5 + step / 100, 2) for step in range(36)]
    for p_up, (n_trades, net_bps) in BY_HAND.items():
        assert (choices[p_up].n_trades, choices[p_up].net_profit_bps) == pytest.approx((n_trades, net_bps)), p_up


@pytest.mark.parametrize(
    ("min_trades", "best"), [(1, 0.8), (3, 0.8), (4, 0.65), (5, 0.5), (6, 0.5), (7, 0.5), (10**6, 0.5)]
)
def test_the_most_profitable_candidate_with_enough_trades_wins_and_the_highest_on_a_tie(
    min_trades: int, best: float
) -> None:
    assert optimize_threshold(HAND, 2 * HOUR_MS, 10.0, min_trades)[0] == best


def test_without_enough_trades_the_one_traded_most_is_taken_though_another_earns_more() -> None:
    p_up, choices = optimize_threshold(HAND, 2 * HOUR_MS, 10.0, 100)
    assert p_up == 0.5
    assert max(choices, key=lambda choice: choice.net_profit_bps).p_up != 0.5


def test_higher_costs_move_the_choice_to_fewer_trades() -> None:
    rows = frame(*(("A/Q", hour, 0.55 + hour % 10 / 50, hour % 10 / 10) for hour in range(200)))
    cheap, dear = (optimize_threshold(rows, HOUR_MS, cost, 1) for cost in (1.0, 50.0))
    traded = {p: choice.n_trades for p, choice in zip(CANDIDATES, cheap[1], strict=True)}
    assert cheap[0] < dear[0]
    assert traded[dear[0]] < traded[cheap[0]]


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
    best, choices = optimize_threshold(rows, hold_bars * HOUR_MS, 24.0, 20)
    for choice in choices:
        expected = simulate(rows, choice.p_up, hold_bars * HOUR_MS, 24.0)
        assert (choice.n_trades, choice.net_profit_bps) == pytest.approx(expected, abs=1e-5)
    enough = [choice for choice in choices if choice.n_trades >= 20]
    assert best == max(enough, key=lambda choice: choice.net_profit_bps).p_up


def test_no_signal_at_all_makes_no_trade() -> None:
    p_up, choices = optimize_threshold(frame(("A/Q", 0, 0.3, 1.0), ("A/Q", 1, 0.4, NAN)), HOUR_MS, 10.0, 1)
    assert p_up == 0.5
    assert {(choice.n_trades, choice.net_profit_bps) for choice in choices} == {(0, 0.0)}
