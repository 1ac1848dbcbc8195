"""The manifest of a snapshot, as frozen models: what is in it, where it came from, what it lacks; and its identity."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from candlelock.contracts.documents import Document, Sha256, UtcTime
from candlelock.contracts.stage_params import Symbol, Timeframe  # noqa: TC001  (pydantic reads annotations)

SourceKind = Literal["sample", "files", "exchange"]
Scale = Annotated[int, Field(ge=0, le=38)]  # decimals of a decimal128


class Gap(Document):
    """Bars the source does not have, open times inclusive. `is_confirmed`: asked for again, and absent again."""

    first_open_utc: UtcTime
    last_open_utc: UtcTime
    n_bars: int
    is_confirmed: bool


class CandleColumn(Document):
    """A column of the candle tables. `scale`: decimals of its exact values; null where it holds none."""

    name: str
    scale: Scale | None


class SymbolFile(Document):
    """One symbol of a snapshot."""

    symbol: Symbol
    file: str
    sha256: Sha256
    merkle_root: Sha256
    columns: list[CandleColumn]
    n_rows: Annotated[int, Field(ge=1)]
    first_open_utc: UtcTime
    last_open_utc: UtcTime
    n_missing_bars: int
    gaps: list[Gap]


class AskedRange(Document):
    """What was asked of an exchange: bars that open at or after `start_utc` and before `end_utc`."""

    start_utc: UtcTime
    end_utc: UtcTime


class Source(Document):
    """Where the candles came from. `name`: package, folder or exchange; `address`: where it is not the usual one."""

    kind: SourceKind
    name: str
    address: str | None
    asked: AskedRange | None
    files: dict[str, Sha256]


class Manifest(Document):
    """data/snapshot/manifest.json: what is in a snapshot. The id names timeframe, symbols and values, no source."""

    version: Literal["2"] = "2"
    snapshot_id: Sha256
    timeframe: Timeframe
    source: Source
    symbols: Annotated[list[SymbolFile], Field(min_length=1)]
