from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from candlelock.artifacts.user_files import read_params, read_snapshot_params
from candlelock.contracts import files
from candlelock.contracts.errors import InputError

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copy(ROOT / files.PARAMS, tmp_path)
    return tmp_path


def refused(root: Path, changes: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        read_snapshot_params(root, changes)
    return [(problem.code, problem.place.rpartition(" ")[2]) for problem in caught.value.problems]


def test_changes_replace_values_and_leave_their_neighbours(root: Path) -> None:
    plain = read_params(root).snapshot
    changed = read_snapshot_params(root, {"timeframe": "1m", "symbols": ["BTC/USDT"], "exchange": {"days": 7}})
    exchange = plain.exchange.model_copy(update={"days": 7})
    update = {"timeframe": "1m", "symbols": ["BTC/USDT"], "exchange": exchange}
    assert changed == plain.model_copy(update=update)


def test_what_other_sections_want_of_a_timeframe_does_not_matter_here(root: Path) -> None:
    assert read_snapshot_params(root, {"timeframe": "7d"}).timeframe == "7d"


def test_without_changes_it_is_the_file(root: Path) -> None:
    before = (root / files.PARAMS).read_bytes()
    assert read_snapshot_params(root, {}) == read_params(root).snapshot
    assert read_snapshot_params(root, {"exchange": {}}) == read_params(root).snapshot
    assert (root / files.PARAMS).read_bytes() == before


def test_changes_are_held_to_the_same_rules(root: Path) -> None:
    assert refused(root, {"symbols": ["BTCUSDT"]}) == [("params-bad-value", "snapshot.symbols.0")]
    assert refused(root, {"exchange": {"dais": 1}}) == [("params-unknown-key", "snapshot.exchange.dais")]
    assert refused(root, {"exchange": {"start": "2024-01-01"}})[0][0] == "params-bad-value"
    assert refused(root, {"exchange": None})[0][0] == "params-bad-value"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("start", "2025-13-45"),
        ("start", "2025-02-30"),
        ("start", "0001-01-01"),
        ("start", "2025-01-01T25:00Z"),
        ("end", "tomorrow"),
        ("days", 100_000_000),
        ("base_url", "http://[::1"),
        ("base_url", "http://host:port"),
        ("base_url", "ftp://host"),
        ("base_url", "https://"),
    ],
)
def test_what_is_no_time_range_or_address_is_refused(key: str, value: object, root: Path) -> None:
    assert refused(root, {"exchange": {key: value}})[0] == ("params-bad-value", f"snapshot.exchange.{key}")


def test_a_list_is_replaced_and_not_merged(root: Path) -> None:
    assert read_snapshot_params(root, {"symbols": ["BTC/EUR"]}).symbols == ["BTC/EUR"]
