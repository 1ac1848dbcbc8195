"""The feature matrix that belongs to the split's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.contracts.errors import InputError
from candlelock.contracts.tables import ROWS
from candlelock.features.build import build_features, build_tables
from candlelock.split.labels import label
from candlelock.split.rows import feature_matrix, from_table, to_table
from candlelock.split.segments import assign
from tests.heads import direction

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.registry import Feature
    from candlelock.contracts.stage_params import SplitParams
    from candlelock.features.market import Market

    Walk = Callable[..., Market]


def test_each_row_gets_the_features_of_its_own_symbol_and_bar(walk: Walk, entries: tuple[Feature, ...]) -> None:
    market = walk(starts=(0, 40, 3), missing=(200, 201, 500))
    rows = label(market, direction(4), 50).sample(frac=1, random_state=3, ignore_index=True)
    matrix, names = feature_matrix(rows, build_tables(market, entries))
    built = build_features(market, entries)
    symbol = [market.symbols.index(name) for name in rows["symbol"]]
    bar = np.searchsorted(market.open_time_ms, rows["open_time_ms"])
    assert names == [entry.name for entry in entries]
    np.testing.assert_array_equal(matrix, np.column_stack([built[name][symbol, bar] for name in names]))


def test_columns_of_symbols_come_last_and_are_one_in_their_own_rows_alone(
    walk: Walk, entries: tuple[Feature, ...]
) -> None:
    market = walk(starts=(0, 40, 3))
    rows, built = label(market, direction(4), 50), build_tables(market, entries)
    plain, names = feature_matrix(rows, built)
    wide, wide_names = feature_matrix(rows, built, ["ETH/USD", "BTC/USD"])
    assert wide_names == [*names, "is_ETH/USD", "is_BTC/USD"]
    np.testing.assert_array_equal(wide[:, : len(names)], plain)
    expected = [[symbol == "ETH/USD", symbol == "BTC/USD"] for symbol in rows["symbol"]]
    np.testing.assert_array_equal(wide[:, len(names) :], np.array(expected, dtype=float))


@pytest.mark.parametrize("lost", [0, 300, -1])
def test_a_row_without_features_is_refused(walk: Walk, entries: tuple[Feature, ...], lost: int) -> None:
    market = walk(starts=(0,))
    rows, table = label(market, direction(4), 0), build_tables(market, entries)["BTC/USD"]
    keep = np.delete(np.arange(table.num_rows), lost)
    with pytest.raises(InputError) as caught:
        feature_matrix(rows, {"BTC/USD": table.take(keep)})
    assert caught.value.problems[0].code == "features-stale"


def test_the_stored_table_keeps_its_contract_and_every_unknown_is_null(
    walk: Walk, params: Callable[..., SplitParams]
) -> None:
    market = walk(missing=(300,))
    rows = assign(label(market, direction(4), 10), params(), market.bar_ms)
    table = to_table(rows)
    assert not ROWS.problems(table, "rows")
    for name in ("is_up", "past_return", "future_return", "segment", "fold"):
        unknown = table[name].is_null().to_numpy()
        assert unknown.any()
        np.testing.assert_array_equal(unknown, rows[name].isna())
    np.testing.assert_array_equal(from_table(table)["is_up"], rows["is_up"])
