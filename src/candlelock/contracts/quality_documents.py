"""The quality report of a snapshot, as frozen models: what its candles lack, repeat or overdo.

Counts are of everything; lists hold the `N_LISTED` longest or largest, ties in time order. A bar is named by its open.
"""

from __future__ import annotations

from typing import Literal

from candlelock.contracts.documents import Document, Sha256, UtcTime
from candlelock.contracts.snapshot_documents import Gap  # noqa: TC001  (pydantic reads annotations)
from candlelock.contracts.stage_params import QualityParams, Symbol, Timeframe  # noqa: TC001  (pydantic reads annotations)

N_LISTED = 20


class Stretch(Document):
    """`days_per_stretch` UTC days that lack bars, by the first of them. `n_bars`: what it would have if complete."""

    first_day: str
    n_bars: int
    n_missing_bars: int


class MissingBars(Document):
    """Bars between first and last candle, or of the range asked of an exchange, that are not there.

    `coverage` has the stretches that lack bars, in time order; the others are complete. A gap is confirmed when it was
    asked for again.
    """

    n_bars: int
    bars_frac: float
    n_gaps: int
    n_confirmed_gaps: int
    longest_bars: int
    longest: list[Gap]
    coverage: list[Stretch]


class Run(Document):
    """Candles that follow each other without a gap, first and last inclusive."""

    first_open_utc: UtcTime
    last_open_utc: UtcTime
    n_bars: int


class Runs(Document):
    """Runs of candles of one kind. `bars_frac`: share of all candles."""

    n_runs: int
    n_bars: int
    bars_frac: float
    longest_bars: int
    longest: list[Run]


class MonthVolume(Document):
    """Candles of a calendar month, and how many of them have no volume."""

    month: str
    n_rows: int
    n_zero_volume_bars: int


class Move(Document):
    """A change of price against the close of the bar before. `mads`: its size in median absolute returns."""

    open_time_utc: UtcTime
    log_return: float
    mads: float


class Outliers(Document):
    """Closes far from the close before.

    `mad_log_return` is the unit: the median absolute log return of the bars that moved at all; null when none did.
    """

    n_compared: int
    mad_log_return: float | None
    n_bars: int
    largest: list[Move]


class Opens(Document):
    """Opens against the close before. `n_moved`: differ at all; `n_jumps`: as far as an outlier."""

    n_compared: int
    n_moved: int
    n_jumps: int
    largest: Move | None


class RowCheck(Document):
    """A rule that every row has to keep, as it was checked on the published rows."""

    code: str
    expected: str
    n_checked: int
    n_violations: int


class SymbolQuality(Document):
    """One symbol of a snapshot. `extra_columns`: beyond time, prices and volume."""

    symbol: Symbol
    n_rows: int
    first_open_utc: UtcTime
    last_open_utc: UtcTime
    extra_columns: list[str]
    missing: MissingBars
    frozen: Runs
    zero_volume: Runs
    months: list[MonthVolume]
    outliers: Outliers
    opens: Opens
    checks: list[RowCheck]


class QualityReport(Document):
    """reports/quality.json: the symbols of one snapshot, under the limits of `snapshot.quality` in params.yaml.

    The days are those of all symbols, and of the range asked; stretches are counted from the first one.
    """

    version: Literal["1"] = "1"
    snapshot_id: Sha256
    timeframe: Timeframe
    first_day: str
    last_day: str
    days_per_stretch: int
    limits: QualityParams
    symbols: list[SymbolQuality]
