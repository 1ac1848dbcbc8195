"""Proof that one candle belongs to a snapshot, made from the snapshot and checked without it.

The block of rows that holds the candle gives a leaf, the path leads from it to the symbol's Merkle root, the root
stands in the snapshot's identity, and the identity's SHA-256 is the id that a Model Card names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.artifacts import merkle
from candlelock.artifacts.hashing import sha256_json
from candlelock.contracts.documents import utc_ms, utc_text
from candlelock.contracts.errors import InputError, Problem, nearest
from candlelock.contracts.version_documents import CandleProof
from candlelock.snapshot.manifest import identity, open_time_ms
from candlelock.snapshot.raw_candles import TIME
from candlelock.snapshot.row_text import parse_columns, print_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from candlelock.contracts.snapshot_documents import Gap, Manifest, SymbolFile
    from candlelock.contracts.version_documents import SymbolIdentity

HELP_AGAIN = "make the proof anew with `candlelock data prove`"


def prove(manifest: Manifest, tables: Mapping[str, pa.Table], symbol: str, time_ms: int) -> CandleProof | Gap:
    """The proof of the candle that opens at a time, in milliseconds since 1970 UTC, or the gap that the time lies in.

    Raises InputError for a symbol the snapshot lacks and for a time at which no bar of it opens.
    """
    entries = {entry.symbol: entry for entry in manifest.symbols}
    if symbol not in entries:
        found, expected = repr(symbol), "a symbol of the snapshot"
        raise InputError(Problem("proof-symbol", manifest.snapshot_id, found, expected, nearest(symbol, [*entries])))
    table = tables[symbol]
    row = int(np.searchsorted(open_time_ms(table), time_ms))
    if row == table.num_rows or open_time_ms(table)[row] != time_ms:
        return _gap(entries[symbol], time_ms, manifest.timeframe)
    block = row // merkle.BLOCK_ROWS
    rows = print_rows(table.slice(block * merkle.BLOCK_ROWS, merkle.BLOCK_ROWS))
    named = identity(manifest.timeframe, manifest.symbols)
    return CandleProof(
        snapshot_id=manifest.snapshot_id,
        symbol=symbol,
        open_time_utc=utc_text(time_ms),
        identity=named,
        block=block,
        rows=rows,
        leaf=_leaf(rows, named.symbols[symbol]),
        path=merkle.prove(table, block),
    )


def candle(proof: CandleProof) -> dict[str, str]:
    """Column -> exact text of the candle that is proved."""
    names = [name for name, _ in proof.identity.symbols[proof.symbol].columns]
    at = names.index(TIME)
    return dict(zip(names, next(row for row in proof.rows if row[at] == proof.open_time_utc), strict=True))


def faults(proof: CandleProof) -> list[Problem]:
    """Everything in which a proof does not hold; the snapshot itself is not needed."""
    return list(_faults(proof))


def _faults(proof: CandleProof) -> Iterator[Problem]:
    found = sha256_json(proof.identity.model_dump(mode="json"))
    if found != proof.snapshot_id:
        yield _problem("proof-identity", "identity", f"SHA-256 {found}", f"the snapshot's id, {proof.snapshot_id}")
    named = proof.identity.symbols.get(proof.symbol)
    if named is None:
        yield _problem("proof-symbol", "symbol", proof.symbol, "a symbol of the identity")
        return
    fault = _rows_fault(proof, named)
    if fault:
        yield _problem("proof-rows", "rows", *fault)
        return
    leaf, n_blocks = _leaf(proof.rows, named), -(-named.n_rows // merkle.BLOCK_ROWS)
    if leaf != proof.leaf:
        yield _problem("proof-leaf", "leaf", proof.leaf, f"{leaf}, which its rows give")
    root = merkle.climb(leaf, proof.block, n_blocks, proof.path)
    if root != named.merkle_root:
        expected = f"{named.merkle_root}, which the identity names"
        yield _problem("proof-root", "path", f"the root {root}" if root else "a path of another length", expected)


def _rows_fault(proof: CandleProof, named: SymbolIdentity) -> tuple[str, str] | None:
    """What was found in the rows and what was expected; None where they are those of their block."""
    n_rows = min(merkle.BLOCK_ROWS, named.n_rows - proof.block * merkle.BLOCK_ROWS)
    names = [name for name, _ in named.columns]
    if len(proof.rows) != n_rows or names.count(TIME) != 1:
        return f"{len(proof.rows)} rows of {names}", f"{n_rows} rows with a column {TIME}"
    try:
        _leaf(proof.rows, named)
    except (ValueError, OverflowError) as error:
        return str(error), "values as the snapshot prints them"
    times = [row[names.index(TIME)] for row in proof.rows]
    if times.count(proof.open_time_utc) != 1:
        return f"candles from {times[0]} to {times[-1]}", f"one that opens at {proof.open_time_utc}"
    return None


def _leaf(rows: list[list[str]], named: SymbolIdentity) -> str:
    """ValueError or OverflowError where a text is not that of a value of its column."""
    widths = [merkle.WHOLE if scale is None else merkle.DECIMAL for _, scale in named.columns]
    return merkle.block_hash(parse_columns(rows, dict(named.columns)), widths)


def _gap(entry: SymbolFile, time_ms: int, timeframe: str) -> Gap:
    for gap in entry.gaps:
        if utc_ms(gap.first_open_utc) <= time_ms <= utc_ms(gap.last_open_utc):
            return gap
    found = f"{utc_text(time_ms)}, at which no bar opens"
    expected = f"a bar's open time: every {timeframe} from {entry.first_open_utc} to {entry.last_open_utc}"
    raise InputError(Problem("proof-time", entry.symbol, found, expected, "take a time from the range, in UTC"))


def _problem(code: str, place: str, found: str, expected: str) -> Problem:
    return Problem(code, place, found, expected, HELP_AGAIN)
