"""Group `statistical`: the distribution of recent returns and how they follow one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.features.operators import (
    absolute,
    lag,
    window_correlation,
    window_kurtosis,
    window_mean,
    window_rank,
    window_skew,
    window_std,
)

if TYPE_CHECKING:
    from candlelock.features.bars import Bars
    from candlelock.features.expression import Node


def declare_statistical(bars: Bars) -> dict[str, Node]:
    """Rolling mean, skewness, kurtosis, rank, autocorrelations and the variance ratio of log returns."""
    move = bars.log_return()
    features = {f"mean_return_{k}": window_mean(move, k) for k in (24, 96)}
    features |= {f"skew_{k}": window_skew(move, k) for k in (48, 192)}
    features |= {f"kurtosis_{k}": window_kurtosis(move, k) for k in (48, 192)}
    features |= {f"autocorrelation_1_{k}": window_correlation(move, lag(move, 1), k) for k in (24, 96)}
    features |= {f"autocorrelation_{n}_96": window_correlation(move, lag(move, n), 96) for n in (2, 3)}
    wide, narrow = window_std(bars.log_return(6), 192), window_std(move, 192)
    return features | {
        "size_autocorrelation_1_96": window_correlation(absolute(move), lag(absolute(move), 1), 96),
        "return_position_96": window_rank(move, 96),
        "variance_ratio_6_192": (wide * wide) / (6.0 * (narrow * narrow)),
    }
