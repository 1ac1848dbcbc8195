"""Group `statistical` as the textbook has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.oracles.textbook import correlation, kurtosis, lag, log_return, mean, rank, ratio, skew, std

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market


def expected_statistical(market: Market) -> dict[str, Array]:
    move = log_return(market.close)
    size = np.abs(move)
    features = {f"mean_return_{k}": mean(move, k) for k in (24, 96)}
    features |= {f"skew_{k}": skew(move, k) for k in (48, 192)}
    features |= {f"kurtosis_{k}": kurtosis(move, k) for k in (48, 192)}
    features |= {f"autocorrelation_1_{k}": correlation(move, lag(move, 1), k) for k in (24, 96)}
    features |= {f"autocorrelation_{n}_96": correlation(move, lag(move, n), 96) for n in (2, 3)}
    wide, narrow = std(log_return(market.close, 6), 192) ** 2, std(move, 192) ** 2
    return features | {
        "size_autocorrelation_1_96": correlation(size, lag(size, 1), 96),
        "return_position_96": rank(move, 96),
        "variance_ratio_6_192": ratio(wide, narrow) / 6,
    }
