"""Tests of one answer against others: Hansen's test as `arch` has it over the same draws, and by simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from candlelock.contracts.stage_params import EvaluateParams
from candlelock.evaluate.bootstrap import Blocks
from candlelock.evaluate.circular_blocks import Steps, draw_circular
from candlelock.evaluate.predictive_ability import compare_paired, examine_superiority, p_value
from tests.golden import arch_figures

if TYPE_CHECKING:
    from candlelock.contracts.significance_documents import SuperiorAbility

N = 200


def draw(n: int, length: int, seed: int, n_bootstrap: int = 500) -> Blocks:
    params = EvaluateParams(n_bootstrap=n_bootstrap, block_hours=24, confidence=0.95, n_calibration_bins=10)
    return draw_circular(Steps(np.arange(n), n, 1), length, params, seed)


def examine(leads: np.ndarray, blocks: Blocks) -> SuperiorAbility:
    """Leads of alternatives over the benchmark, (n, k): losses are what is left of a level that both share."""
    level = np.random.default_rng(0).normal(size=len(leads))
    alternatives = {f"rule {at}": level - lead for at, lead in enumerate(leads.T)}
    return examine_superiority("log_loss", ("model", level), alternatives, blocks, len(leads))


@pytest.mark.parametrize("seed", arch_figures.SEEDS)
def test_p_values_are_those_of_arch_over_the_same_draws(seed: int) -> None:
    kept, leads = arch_figures.read(), arch_figures.draw_leads(seed)
    counts = kept[f"counts {seed}"].astype(float)
    own = examine(leads, Blocks(np.arange(arch_figures.N), counts, 0.95))
    found = [own.p_lower, own.p_consistent, own.p_upper, own.p_reality_check]
    np.testing.assert_allclose(found, (1 + len(counts) * kept[f"p-values {seed}"]) / (1 + len(counts)))


def by_definition(leads: np.ndarray, counts: np.ndarray) -> list[float]:
    """Hansen's three p-values, sentence by sentence: lower, consistent, upper."""
    n, mean, drawn = len(leads), leads.mean(axis=0), counts @ leads / len(leads)
    omega = np.sqrt(n) * drawn.std(axis=0)
    found = max(0.0, *(np.sqrt(n) * mean / omega))
    out = []
    for keep in (mean > 0, np.sqrt(n) * mean / omega >= -np.sqrt(2 * np.log(np.log(n))), np.full(len(mean), True)):
        z = np.sqrt(n) * (drawn - np.where(keep, mean, 0)) / omega
        highest = np.maximum(z.max(axis=1), 0)
        out.append((1 + np.sum(highest >= found)) / (1 + len(counts)))
    return out


@pytest.mark.parametrize("seed", range(4))
def test_p_values_are_those_of_the_definition(seed: int) -> None:
    random = np.random.default_rng(seed + 50)
    leads = random.normal([0.1, 0.0, -0.4, 0.3], [1, 2, 1, 9], size=(N, 4))
    blocks = draw(N, 4, seed)
    own = examine(leads, blocks)
    np.testing.assert_allclose([own.p_lower, own.p_consistent, own.p_upper], by_definition(leads, blocks.draws))
    assert own.p_lower <= own.p_consistent <= own.p_upper


def test_a_lower_loss_is_the_better_one() -> None:
    leads = np.random.default_rng(1).normal(0.3, 1, size=(N, 1))
    blocks = draw(N, 3, 1)
    better, worse = examine(leads, blocks), examine(-leads, blocks)
    assert better.p_upper < 0.01
    assert better.gain == pytest.approx(leads.mean())
    assert worse.p_lower == worse.p_consistent == worse.p_upper == 1.0


def test_one_good_alternative_is_found_among_hopeless_ones_where_the_reality_check_misses_it() -> None:
    """Hansen's reason for the test: a wild, bad alternative takes the power of the check without studentising."""
    random = np.random.default_rng(2)
    leads = np.column_stack([random.normal(0.25, 1, N), random.normal(-2, 20, N), random.normal(-1, 12, N)])
    found = examine(leads, draw(N, 3, 2))
    assert found.best_alternative == "rule 0"
    assert found.p_consistent < 0.05 < found.p_reality_check


def test_an_alternative_that_is_the_benchmark_counts_for_nothing() -> None:
    leads = np.column_stack([np.zeros(N), np.random.default_rng(3).normal(0.3, 1, N)])
    blocks = draw(N, 3, 3)
    assert examine(leads, blocks).p_consistent == examine(leads[:, 1:], blocks).p_consistent
    assert examine(leads[:, :1], blocks).p_lower == 1.0


def test_the_paired_test_is_a_t_test_where_rows_are_independent() -> None:
    random = np.random.default_rng(4)
    for shift in (-0.1, 0.0, 0.1, 0.2):
        gains = random.normal(shift, 1, N)
        blocks = draw(N, 1, 5, n_bootstrap=4000)
        total, drawn = blocks.sums(gains)
        found = compare_paired("x", "accuracy", (total[0] / N, drawn[:, 0] / N), (0.0, np.zeros(4000)), blocks)
        assert found.p_value == pytest.approx(ttest_1samp(gains, 0, alternative="greater").pvalue, abs=0.03)
        assert found.gain.value == pytest.approx(gains.mean())


@pytest.mark.parametrize(("score", "sign"), [("accuracy", 1), ("auc_roc", 1), ("log_loss", -1), ("brier", -1)])
def test_a_gain_is_above_0_where_the_model_is_better(score: str, sign: int) -> None:
    blocks = draw(N, 1, 6)
    noise = np.random.default_rng(6).normal(0, 0.01, 500)
    found = compare_paired("x", score, (0.5 + sign * 0.1, 0.5 + sign * 0.1 + noise), (0.5, np.full(500, 0.5)), blocks)
    assert found.gain.value == pytest.approx(0.1)
    assert found.gain.low > 0
    assert found.p_value == 1 / 501


def test_replicates_without_a_score_are_left_out() -> None:
    assert p_value(1.0, np.array([np.nan, 0.0, 2.0, 1.0])) == 3 / 4
