"""How often the tests of significance see skill where there is none, and where there is some.

    python -m benchmarks.significance                     # all tables, about four CPU minutes
    python -m benchmarks.significance --tables sharpe     # one of them

Everything is simulated from --seed, so that what is true is known. Daily returns are Student's t of five degrees of
freedom with a volatility of 2 %; a strategy is the best of --tries variants, whose returns have a correlation of 0 or
0.5. Losses are hourly over half a year, each the sum of six shocks, as those of labels that overlap by six hours.
"""

from __future__ import annotations

import argparse
import math
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import expit

from candlelock.contracts.stage_params import EvaluateParams
from candlelock.evaluate.block_length import block_length
from candlelock.evaluate.circular_blocks import Steps, draw_circular
from candlelock.evaluate.overfitting import describe_overfitting, halve_paths, halve_periods
from candlelock.evaluate.predictive_ability import compare_paired, examine_superiority
from candlelock.evaluate.return_intervals import bound_returns
from candlelock.evaluate.sharpe_significance import deflated_sharpe, measure_returns, probability_above
from candlelock.evaluate.significance import assess
from candlelock.evaluate.trial_ledger import count_trials

if TYPE_CHECKING:
    from collections.abc import Callable

DAYS_PER_YEAR, DAILY_VOLATILITY = 365, 0.02
N_HOURS, OVERLAP, LEVEL = 182 * 24, 6, 0.05
SPANS = (182, 365, 730, 1460)
PARAMS = EvaluateParams(n_bootstrap=500, block_hours=24, confidence=1 - LEVEL, n_calibration_bins=10)


def draw_returns(random: np.random.Generator, n_days: int, n_tries: int, correlation: float) -> np.ndarray:
    """Daily returns of tries without skill, (n_days, n_tries)."""
    own, common = random.standard_t(5, (n_days, n_tries)), random.standard_t(5, (n_days, 1))
    mixed = math.sqrt(1 - correlation) * own + math.sqrt(correlation) * common
    return DAILY_VOLATILITY * mixed / math.sqrt(5 / 3)


def smooth(returns: np.ndarray, memory: float) -> np.ndarray:
    """Returns that carry over `memory` of the day before, of the same volatility."""
    out = returns.copy()
    for day in range(1, len(out)):
        out[day] = memory * out[day - 1] + math.sqrt(1 - memory**2) * returns[day]
    return out


def best_of(returns: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns of the try with the highest Sharpe ratio, and the variance of the ratios."""
    ratios = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    return returns[:, ratios.argmax()], float(ratios.var(ddof=1))


def judge(returns: np.ndarray) -> tuple[bool, bool, bool]:
    """Is the best try called skilled: undeflated, deflated by the tries' variance, by that of independent tries?"""
    best, variance = best_of(returns)
    shape, n_tries = measure_returns(best), returns.shape[1]
    sampling = 1 / (len(best) - 1)
    return (
        probability_above(shape) >= 1 - LEVEL,
        deflated_sharpe(shape, n_tries, variance) >= 1 - LEVEL,
        deflated_sharpe(shape, n_tries, max(variance, sampling)) >= 1 - LEVEL,
    )


def print_row(*cells: object) -> None:
    texts = (f"{cell:.1%}".replace("%", " %") if isinstance(cell, float) else str(cell) for cell in cells)
    print(f"| {' | '.join(texts)} |", flush=True)


def print_head(*names: str) -> None:
    print()
    print_row(*names)
    print_row(*("---" for _ in names))


def measure_sharpe(random: np.random.Generator, got: argparse.Namespace) -> None:
    """Best of many tries: the share that is called skilled."""
    n = got.strategies
    print_head("without skill", "undeflated", "deflated", "deflated, sampling variance")
    for n_days in SPANS[:3]:
        for correlation, memory in ((0.0, 0.0), (0.5, 0.0), (0.0, 0.3)):
            draws = (smooth(draw_returns(random, n_days, got.tries, correlation), memory) for _ in range(n))
            shares = np.mean([judge(each) for each in draws], axis=0)
            said = f"{n_days} days, correlation {correlation:g}, memory {memory:g}"
            print_row(said, *map(float, shares))
    for title, columns, verdict in (
        ("one try with an annual Sharpe ratio of", slice(1), 1),
        ("all tries with one of", slice(None), 1),
        ("all tries with one of, sampling variance", slice(None), 2),
    ):
        print_head(title, *(f"{n_days} days" for n_days in SPANS))
        for annual in (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0):
            print_row(f"{annual:g}", *(planted(random, n_days, annual, columns, verdict, got) for n_days in SPANS))


def planted(
    random: np.random.Generator, n_days: int, annual: float, columns: slice, verdict: int, got: argparse.Namespace
) -> float:
    """Share of strategies found whose tries in `columns` have skill; correlation 0.5 where all have."""
    found = 0
    for _ in range(got.strategies):
        returns = draw_returns(random, n_days, got.tries, 0.0 if columns.stop else 0.5)
        returns[:, columns] += annual / math.sqrt(DAYS_PER_YEAR) * DAILY_VOLATILITY
        found += judge(returns)[verdict]
    return found / got.strategies


def draw_losses(random: np.random.Generator, n_series: int) -> np.ndarray:
    """Hourly leads of alternatives with mean 0 and a standard error of about 1 of their mean, (n_hours, n_series)."""
    shocks = random.normal(size=(N_HOURS + OVERLAP - 1, n_series))
    sums = np.cumsum(np.vstack([np.zeros((1, n_series)), shocks]), axis=0)
    return (sums[OVERLAP:] - sums[:-OVERLAP]) / OVERLAP * math.sqrt(N_HOURS)


def measure_intervals(random: np.random.Generator, got: argparse.Namespace) -> None:
    """How often the interval of an annual Sharpe ratio of 2 holds it, by memory and days."""
    annual, spans = 2.0, (91, *SPANS)
    print_head("95 % interval of the Sharpe ratio holds it", *(f"{n_days} days" for n_days in spans))
    for memory in (0.0, 0.3):
        held = []
        for n_days in spans:
            found = []
            for number in range(got.strategies):
                returns = smooth(draw_returns(random, n_days, 1, 0.0), memory)[:, 0]
                returns += annual / math.sqrt(DAYS_PER_YEAR) * DAILY_VOLATILITY
                bounds = bound_returns(returns, PARAMS, number)
                found.append(bounds is not None and bounds.sharpe.low <= annual <= bounds.sharpe.high)
            held.append(float(np.mean(found)))
        print_row(f"memory {memory:g}", *held)


def measure_blocks(random: np.random.Generator, got: argparse.Namespace) -> None:
    """Coverage of intervals and size and power of the paired test, by how the length is chosen."""
    steps = Steps(np.arange(N_HOURS), N_HOURS, 1)
    lengths: dict[str, Callable[[np.ndarray], float]] = {
        "chosen from the series": lambda gains: max(block_length(gains), OVERLAP),
        "one hour": lambda _: 1.0,
        "a day": lambda _: 24.0,
        "a week": lambda _: 168.0,
    }
    head = ("length of a block", "95 % interval holds the mean", "paired test, no lead", "lead of 2 errors", "of 3")
    print_head(*head)
    for name, choose in lengths.items():
        rows = []
        for number in range(got.strategies * 2):
            gains = draw_losses(random, 1)[:, 0]
            blocks = draw_circular(steps, choose(gains), PARAMS, number)
            total, drawn = blocks.sums(gains)
            own, none = (total[0] / N_HOURS, drawn[:, 0] / N_HOURS), np.zeros(PARAMS.n_bootstrap)
            tests = [compare_paired("", "accuracy", own, (-lead, none - lead), blocks) for lead in (0.0, 2.0, 3.0)]
            interval = tests[0].gain
            rows.append([interval.low <= 0 <= interval.high, *(test.p_value < LEVEL for test in tests)])
        print_row(name, *map(float, np.mean(rows, axis=0)))


def measure_superiority(random: np.random.Generator, got: argparse.Namespace) -> None:
    """Size and power of Hansen's test and of the reality check with six alternatives."""
    steps = Steps(np.arange(N_HOURS), N_HOURS, 1)
    leads = {
        "none better, all as good": np.zeros(6),
        "none better, four far worse": np.array([0, 0, -9, -9, -9, -9]),
        "one leads by 3 errors, the others as good": np.array([3, 0, 0, 0, 0, 0]),
        "one leads by 3 errors, four far worse": np.array([3, 0, -9, -9, -9, -9]),
        "one leads by 4 errors, four far worse and wild": np.array([4, 0, -9, -9, -9, -9]),
    }
    print_head("six alternatives", "lower", "consistent", "upper", "reality check")
    for name, lead in leads.items():
        wild = np.array([1, 1, 5, 5, 5, 5]) if "wild" in name else np.ones(6)
        rows = []
        for number in range(got.strategies):
            drawn = draw_losses(random, 6) * wild + lead * wild
            blocks = draw_circular(steps, max(block_length(drawn[:, 0]), OVERLAP), PARAMS, number)
            alternatives = {str(at): -each for at, each in enumerate(drawn.T)}
            found = examine_superiority("log_loss", ("model", np.zeros(N_HOURS)), alternatives, blocks, N_HOURS)
            values = (found.p_lower, found.p_consistent, found.p_upper, found.p_reality_check)
            rows.append([value < LEVEL for value in values])
        print_row(name, *map(float, np.mean(rows, axis=0)))


def measure_overfitting(random: np.random.Generator, got: argparse.Namespace) -> None:
    """Mean probability of overfitting, and how often it is below 5 % and below one half."""
    print_head("overfitting", "mean probability", "below 5 %", "below 50 %")
    for annual in (0.0, 1.0, 2.0, 3.0, 4.0):
        found = []
        for _ in range(got.strategies // 2):
            returns = draw_returns(random, 728, 50, 0.0)
            returns[:, 0] += annual / math.sqrt(DAYS_PER_YEAR) * DAILY_VOLATILITY
            found.append(describe_overfitting(halve_periods(returns, 10)).probability)
        print_share(f"728 days, 50 tries, one with an annual Sharpe ratio of {annual:g}", found)
    for spread in (0.0, 1.0, 3.0):
        scores = (draw_paths(random, spread) for _ in range(got.strategies))
        found = [describe_overfitting(halve_paths(each)).probability for each in scores]
        print_share(f"3 paths of 4 groups, 8 trials that differ by {spread:g} of a group's noise", found)


def draw_paths(random: np.random.Generator, spread: float) -> np.ndarray:
    """Scores of 8 trials: what each is worth, and how it does on a group, half of which other models of it share."""
    of_group, of_model = random.normal(size=(8, 1, 4)), random.normal(size=(8, 3, 4))
    return np.asarray(spread * random.normal(size=(8, 1, 1)) + math.sqrt(0.5) * (of_group + of_model))


def print_share(name: str, found: list[float]) -> None:
    values = np.array(found)
    print_row(name, float(values.mean()), float((values < 0.05).mean()), float((values < 0.5).mean()))


def draw_rows(random: np.random.Generator) -> pd.DataFrame:
    """As many labelled test rows as the sample's: five symbols, 8,696 half-hour bars, labels of four bars."""
    n, bar_ms, frames = 8696, 1_800_000, []
    for symbol in range(5):
        moves = np.convolve(random.normal(size=n + 7), np.ones(4), "valid")
        score = 0.15 * moves[4 : n + 4] + 0.3 * random.normal(size=n)
        opens = 1_554_076_800_000 + bar_ms * np.arange(n)
        columns = {"symbol": f"S{symbol}/USD", "open_time_ms": opens, "decision_time_ms": opens + bar_ms}
        columns |= {"label_end_ms": opens + 5 * bar_ms, "is_up": (moves[4 : n + 4] > 0).astype(float)}
        columns |= {"past_return": moves[:n], "p_up": expit(score), "p_up_logistic": expit(0.5 * score)}
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def measure_speed(random: np.random.Generator, got: argparse.Namespace) -> None:
    """Print what the whole of it costs on rows as many as the sample's test has."""
    rows, params = draw_rows(random), PARAMS.model_copy(update={"n_bootstrap": 1000})
    trials = count_trials([], 182)
    returns = draw_returns(random, 182, 1, 0.0)[:, 0]
    began, cpu = time.perf_counter(), time.process_time()
    found = assess(rows, returns, trials, 0.5, params, got.seed, incumbent=0.9 * rows["p_up"].to_numpy() + 0.05)
    seconds = time.perf_counter() - began, time.process_time() - cpu
    print_head("rows", "block", "seconds", "CPU seconds")
    print_row(f"{len(rows):,}", f"{found.block_length.hours} h", *(f"{each:.1f}" for each in seconds))


TABLES = {
    "sharpe": measure_sharpe,
    "intervals": measure_intervals,
    "blocks": measure_blocks,
    "superiority": measure_superiority,
    "overfitting": measure_overfitting,
    "speed": measure_speed,
}


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--tables", nargs="+", choices=list(TABLES), default=list(TABLES))
    ask.add_argument("--strategies", type=int, default=200, help="simulated strategies for each figure")
    ask.add_argument("--tries", type=int, default=100, help="variants that each is the best of")
    ask.add_argument("--seed", type=int, default=42)
    got = ask.parse_args()
    for name in got.tables:
        began = time.process_time()
        TABLES[name](np.random.default_rng(got.seed), got)
        print(f"\n{name}: {time.process_time() - began:.0f} CPU seconds")


if __name__ == "__main__":
    main()
