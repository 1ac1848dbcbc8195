"""FreqAI's own example strategy with the label of this benchmark; it trades nothing.

Runs inside freqtrade's environment.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from freqtrade.templates.FreqaiExampleStrategy import FreqaiExampleStrategy


class Direction(FreqaiExampleStrategy):
    """Its features and their expansion as they are; the label says whether the close is higher some bars later."""

    can_short = False

    def set_freqai_targets(self, dataframe: pd.DataFrame, metadata: dict[str, Any], **_: object) -> pd.DataFrame:
        """Up or down; neither where the close is the same or not known yet, which leaves the row out of training."""
        n_bars = self.freqai_info["feature_parameters"]["label_period_candles"]
        ahead = np.log(dataframe["close"].shift(-n_bars) / dataframe["close"])
        dataframe["&-direction"] = pd.Series(np.sign(ahead), dataframe.index).map({1.0: "up", -1.0: "down"})
        return dataframe

    def populate_entry_trend(self, df: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        """Nothing is bought."""
        return df

    def populate_exit_trend(self, df: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        """Nothing is sold."""
        return df
