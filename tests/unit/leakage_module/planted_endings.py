"""Functions that never end, or end their process, beside an honest one and one that looks ahead."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def sleeps(frame: pd.DataFrame) -> Any:
    time.sleep(10_000)
    return {"one": frame["close"]}


def ends_at_once(frame: pd.DataFrame) -> Any:
    os._exit(7)


def aborts(frame: pd.DataFrame) -> Any:
    os.abort()


def honest(frame: pd.DataFrame) -> Any:
    return {"move": frame["close"].diff()}


def ahead(frame: pd.DataFrame) -> Any:
    return {"move": frame["close"].diff().shift(-1)}
