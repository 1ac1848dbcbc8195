"""The record of rows: what changes it, what does not, and which rows stand for all of them."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pandas as pd
import pytest

from candlelock.select.train_rows import TrainRows, train_rows
from tests.unit.select.conftest import BAR_MS, START_MS, keys_of, to_rows

X = np.random.default_rng(1).normal(size=(40, 3))


def test_the_record_says_which_rows_they_were() -> None:
    seen = to_rows(X).seen()
    assert (seen.n_rows, seen.n_rows_by_symbol) == (40, {"ADA/USD": 20, "BTC/USD": 20})
    assert (seen.first_open_utc, seen.last_open_utc) == ("2024-01-01T00:00:00Z", "2024-01-01T19:00:00Z")
    assert seen.last_label_end_utc == "2024-01-01T23:00:00Z"


def test_its_hashes_can_be_computed_by_hand() -> None:
    x, y = np.array([[1.5, np.nan], [-2.0, 0.25]]), np.array([1.0, 0.0])
    keys = pd.DataFrame(
        {"symbol": ["A/B", "C/D"], "open_time_ms": [START_MS, START_MS + 5], "label_end_ms": 9 * 10**12}
    )
    seen = train_rows(x, y, ["one", "two"], keys).seen()
    text = b"A/B\nC/D\0" + struct.pack("<qq", START_MS, START_MS + 5)
    assert seen.keys_sha256 == hashlib.sha256(text).hexdigest()
    columns = [hashlib.sha256(struct.pack("<dd", *values)).digest() for values in ((1.5, -2.0), (np.nan, 0.25))]
    labels = hashlib.sha256(struct.pack("<dd", 1.0, 0.0)).digest()
    whole = labels + b"one\0" + columns[0] + b"two\0" + columns[1]
    assert seen.values_sha256 == hashlib.sha256(whole).hexdigest()


@pytest.mark.parametrize("what", ["value", "label", "name", "unknown"])
def test_another_value_label_or_name_is_another_hash_of_the_values_alone(what: str) -> None:
    x, y, names = X.copy(), np.tile([0.0, 1.0], 20), ["a", "b", "c"]
    before = to_rows(x, y, names).seen()
    if what == "value":
        x[7, 1] = np.nextafter(x[7, 1], 9)
    elif what == "unknown":
        x[7, 1] = np.nan
    elif what == "label":
        y[7] = 1 - y[7]
    else:
        names[1] = "d"
    after = to_rows(x, y, names).seen()
    assert after.values_sha256 != before.values_sha256
    assert after.keys_sha256 == before.keys_sha256


def test_every_unknown_value_is_written_the_same() -> None:
    other = np.array([0x7FF8000000000123], dtype=np.uint64).view(np.float64)[0]
    x, y = X.copy(), X.copy()
    x[3, 1], y[3, 1] = np.nan, other
    assert to_rows(x).seen() == to_rows(y).seen()


def test_keeping_features_is_the_same_as_never_having_had_the_others() -> None:
    kept = to_rows(X).keep(["f2", "f0"])
    assert kept.names == ("f0", "f2")
    assert kept.seen() == to_rows(X[:, [0, 2]], names=["f0", "f2"]).seen()
    np.testing.assert_array_equal(kept.x, X[:, [0, 2]])


def many(n_rows: int, symbols: tuple[str, ...] = ("ADA/USD", "BTC/USD", "ETH/USD", "XRP/USD")) -> TrainRows:
    return train_rows(np.arange(float(n_rows))[:, None], np.zeros(n_rows), ["number"], keys_of(n_rows, symbols))


def test_few_rows_stand_for_themselves() -> None:
    rows = many(100)
    assert rows.spread(100) is rows


def test_a_part_is_spread_evenly_over_symbols_hours_and_time() -> None:
    """Within what chance allows: four deviations of a binomial."""
    part = many(8000).spread(2000)
    assert len(part.y) == 2000
    opened = (part.keys["open_time_ms"] - START_MS) // BAR_MS
    for shares in (part.keys["symbol"].value_counts(), (opened % 24).value_counts(), (opened // 250).value_counts()):
        expected = 2000 / len(shares)
        assert (abs(shares - expected) < 4 * np.sqrt(expected)).all()
    assert (np.diff(part.x[:, 0]) > 0).all(), "in the order the rows stand in"


def test_whether_a_row_is_taken_hangs_on_the_hashes_alone() -> None:
    """Rows in another order, or without some of those left out, give the same part."""
    rows, order = many(600), np.random.default_rng(2).permutation(600)
    part = set(rows.spread(150).x[:, 0])
    turned = train_rows(rows.x[order], rows.y[order], rows.names, rows.keys.iloc[order])
    assert set(turned.spread(150).x[:, 0]) == part
    fewer = np.array([number in part or number % 2 == 0 for number in rows.x[:, 0]])
    assert set(train_rows(rows.x[fewer], rows.y[fewer], rows.names, rows.keys[fewer]).spread(150).x[:, 0]) == part


def test_the_hash_is_splitmix64() -> None:
    """Written out with Python's integers."""

    def slowly(symbol: str, time: int) -> int:
        z = int.from_bytes(hashlib.sha256(symbol.encode()).digest()[:8], "little") + time * 0x9E3779B97F4A7C15
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            z %= 2**64
            z = (z ^ (z >> shift)) * factor % 2**64
        return z ^ (z >> 31)

    rows = many(200)
    hashes = [slowly(*key) for key in zip(rows.keys["symbol"], rows.keys["open_time_ms"], strict=True)]
    assert set(rows.spread(20).x[:, 0].astype(int)) == set(np.argsort(np.array(hashes, dtype=object))[:20])
