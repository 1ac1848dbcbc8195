"""Documents about stored snapshot versions, as frozen models: the record, a candle's proof, a difference.

What a snapshot holds and where it came from stands in its manifest alone.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from candlelock.contracts.documents import Document, Sha256, UtcTime
from candlelock.contracts.snapshot_documents import Scale  # noqa: TC001  (pydantic reads annotations)
from candlelock.contracts.stage_params import Symbol, Timeframe  # noqa: TC001  (pydantic reads annotations)


class Author(Document):
    """Who stored a version, by git's settings or, where git knows nobody, by login name."""

    name: str
    email: str | None


class VersionRecord(Document):
    """data/versions/<snapshot_id>/version.json: what the id does not depend on. Written once."""

    version: Literal["1"] = "1"
    snapshot_id: Sha256
    stored_at_utc: UtcTime
    stored_by: Author
    candlelock_version: str
    note: str | None


class SymbolIdentity(Document):
    """What names one symbol's candles. `columns`: name and decimals (null: whole numbers or times), in their order."""

    columns: list[tuple[str, Scale | None]]
    merkle_root: Sha256
    n_rows: Annotated[int, Field(ge=1)]


class Identity(Document):
    """What a snapshot is: the SHA-256 of this as JSON, keys sorted and no spaces, is the snapshot's id."""

    timeframe: Timeframe
    symbols: dict[Symbol, SymbolIdentity]


class CandleProof(Document):
    """That a candle belongs to a snapshot. `rows`: the candle's block of 64 rows, each value as exact text."""

    version: Literal["1"] = "1"
    snapshot_id: Sha256
    symbol: Symbol
    open_time_utc: UtcTime
    identity: Identity
    block: Annotated[int, Field(ge=0)]
    rows: list[list[str]]
    leaf: Sha256
    path: list[Sha256]


class ListedCandle(Document):
    """A candle that only one of two snapshots has; values as exact text."""

    open_time_utc: UtcTime
    values: dict[str, str]


class RevisedCandle(Document):
    """A candle that two snapshots have with other values; the columns that changed, as exact text."""

    open_time_utc: UtcTime
    before: dict[str, str]
    after: dict[str, str]


class SymbolDifference(Document):
    """How one symbol differs between two snapshots. Every candle is listed, in order of time."""

    symbol: Symbol
    columns_added: list[str]
    columns_removed: list[str]
    n_unchanged: int
    added: list[ListedCandle]
    removed: list[ListedCandle]
    revised: list[RevisedCandle]


class SnapshotDifference(Document):
    """How two snapshots differ. Of other timeframes no candle is the same. `symbols`: those that differ."""

    before: Sha256
    after: Sha256
    timeframe_before: Timeframe
    timeframe_after: Timeframe
    symbols_added: list[Symbol]
    symbols_removed: list[Symbol]
    symbols: list[SymbolDifference]
