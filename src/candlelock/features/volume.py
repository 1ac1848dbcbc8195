"""Group `volume`: how unusual the traded amount is, and which way it leaned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.features.returns import log_return
from candlelock.features.windows import ratio, rolling_sum, zscore

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market


def build_volume(market: Market) -> dict[str, Array]:
    """Z-scores of volume, and the share of volume in rising bars less that in falling ones."""
    features = {f"volume_zscore_{k}": zscore(market.volume, k) for k in (6, 24, 96)}
    signed = np.sign(log_return(market.close, 1)) * market.volume
    traded = np.where(np.isnan(signed), np.nan, market.volume)
    for k in (12, 48):
        features[f"signed_volume_{k}"] = ratio(rolling_sum(signed, k), rolling_sum(traded, k))
    return features
