"""The zoo's feature half on one small market: leaks are caught for the right reason, clean ones let pass."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.leakzoo import crossed, features
from benchmarks.leakzoo.areas import AREAS
from benchmarks.leakzoo.markets import walk
from benchmarks.leakzoo.notes import NOTES
from benchmarks.leakzoo.page import PEER, Run, write_page
from benchmarks.leakzoo.specimen import Area, Specimen

SPECIMENS = {each.name: each for area in AREAS for each in area.specimens}
FEW = features.USUAL.model_copy(
    update={
        "n_cuts": 6,
        "n_futures": 1,
        "n_replay_rows": 10,
        "min_replay_rows": 10,
        "n_gap_rows": 10,
        "n_live_bars": 10,
    }
)
EASY = ("higher_unclosed", "nearest_merge", "reindexed_nearest", "open_candle_as_final")


@pytest.fixture(scope="module")
def joined() -> dict[str, set[str]]:
    cage = replace(features.JOINS[0], settings=FEW)
    return features.examine_cage(cage, walk(5, 2, 420), 1, EASY)


@pytest.mark.parametrize("name", EASY)
def test_an_early_join_is_caught(name: str, joined: dict[str, set[str]]) -> None:
    assert SPECIMENS[name].is_caught(joined[name])


def test_joins_of_symbols_are_told_apart() -> None:
    found = crossed.examine(walk(5, 3, 500), 1)
    assert {name for name in found if SPECIMENS[name].is_caught(found[name])} == set(crossed.LEAKS)
    assert not set(found) & set(crossed.CLEAN)


def test_names_are_unique_and_there_are_enough_of_both_kinds() -> None:
    names = Counter(each.name for area in AREAS for each in area.specimens)
    assert max(names.values()) == 1
    mine = [each for each in SPECIMENS.values() if each.area in ("features", "joins")]
    assert sum(each.is_leak for each in mine) >= 45
    assert sum(not each.is_leak for each in mine) >= 85
    assert all(bool(each.codes) == each.is_leak for each in mine)


def test_notes_and_what_freqtrade_says_are_of_known_specimens() -> None:
    peer = json.loads(PEER.read_text())
    assert {*NOTES, *peer["specimens"], *peer["not_written"]} <= set(SPECIMENS)


def test_the_right_reason_counts_and_no_other() -> None:
    leak = Specimen("a_leak", "toys", True, True, frozenset({"future"}), "a leak")
    clean = Specimen("a_clean_one", "toys", False, False, frozenset(), "clean", also=frozenset({"longer"}))
    area = Area("toys", (leak, clean), lambda market, seed: {})
    runs = [
        Run("toys", "walk", 1, {"a_leak": frozenset({"future", "longer"}), "a_clean_one": frozenset({"longer"})}),
        Run("toys", "walk", 2, {"a_leak": frozenset({"longer"}), "a_clean_one": frozenset({"future"})}),
    ]
    page = write_page([area], runs, "command")
    assert "| **a_leak** | a leak | 1/2 | future |" in page
    assert "| a_clean_one | clean | 1/2 | future, longer |" in page
    assert "| toys | 1 | 0 | 0 of 1 | 1 | 0 | 1 | 0 | 1 |" in page
