from __future__ import annotations

import pytest

from candlelock.contracts.tables import CANDLES, EXTRA_COLUMNS
from candlelock.snapshot import column_names


def test_the_columns_are_those_of_the_contract_and_the_close_time() -> None:
    contract = [column.name for column in (*CANDLES.columns, *EXTRA_COLUMNS)]
    assert [*column_names.COLUMNS] == [*contract, "close_time_utc"]


def test_a_spelling_means_one_column() -> None:
    spellings = [spelling for names in column_names.NAMES.values() for spelling in names]
    assert len(spellings) == len(set(spellings))
    assert all(column_names.find_columns([name])[name] == [0] for name in column_names.COLUMNS)


@pytest.mark.parametrize("name", ["openness", "closed", "bid_volume", "volumes", "date2", "", "ö", "ｏｐｅｎ"])
def test_what_is_no_spelling_is_passed_over(name: str) -> None:
    assert not any(column_names.find_columns([name]).values())


@pytest.mark.parametrize(
    ("names", "renamed"),
    [
        (["Volume BTC", "Volume USDT"], ["volume", "quote_volume"]),
        (["volume_usdt", "Volume_(BTC)"], ["quote_volume", "volume"]),
        (["Volume ETH", "Volume"], ["Volume ETH", "Volume"]),
    ],
)
def test_volumes_are_named_by_what_the_symbol_trades(names: list[str], renamed: list[str]) -> None:
    assert column_names.name_volumes(names, "BTC/USDT") == renamed
