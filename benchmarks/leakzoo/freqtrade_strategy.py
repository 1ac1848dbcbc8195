"""Strategies of freqtrade, one for each specimen: its column, and an entry where it lies above its running median.

Runs inside freqtrade's environment; the folder of the plug-ins and this benchmark's are on its path.
"""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

import market_functions
import numpy as np
import pandas as pd
from freqtrade.strategy import IStrategy

SYMBOLS = ("BTC/USDT", "ETH/USDT")
FIELDS = ["open", "high", "low", "close", "volume"]


def _frame(dataframe: pd.DataFrame) -> pd.DataFrame:
    return dataframe.set_index(pd.DatetimeIndex(dataframe["date"]))[FIELDS].astype(float)


class Planted(IStrategy):
    """What all of them share; the name of the class says which column."""

    INTERFACE_VERSION = 3
    timeframe = "1h"
    can_short = False
    process_only_new_candles = True
    startup_candle_count = 700
    minimal_roi = {"0": 10.0, "600": -1.0}  # noqa: RUF012
    stoploss = -0.9
    plugin: str = ""
    function: str = ""
    columns: tuple[str, ...] = ()

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        """The specimen's columns."""
        if self.plugin == "market":
            values = self._market(dataframe, metadata["pair"])
        else:
            values = getattr(importlib.import_module(self.plugin), self.function)(_frame(dataframe))
        for name in self.columns:
            dataframe[name] = np.asarray(values[name], dtype=float)
        return dataframe

    def _market(self, dataframe: pd.DataFrame, pair: str) -> dict[str, Any]:
        known = pd.DatetimeIndex(dataframe["date"])
        frames = [
            _frame(dataframe if each == pair else self.dp.get_pair_dataframe(each, self.timeframe)) for each in SYMBOLS
        ]
        times = frames[0].index.union(frames[1].index)
        market = SimpleNamespace(**{name: np.stack([each.reindex(times)[name] for each in frames]) for name in FIELDS})
        function = (market_functions.LEAKS | market_functions.CLEAN)[self.function][-1]
        row = pd.Series(function(market)[SYMBOLS.index(pair)], times)
        return {self.function: row.reindex(known)}

    def _above(self, dataframe: pd.DataFrame) -> pd.Series:
        column = dataframe[self.columns[0]]
        return column > column.rolling(200, min_periods=20).median()

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        """Enter above the running median of the column."""
        dataframe.loc[self._above(dataframe), "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        """Leave below it."""
        dataframe.loc[~self._above(dataframe), "exit_long"] = 1
        return dataframe
