"""The zoo's other half on one small market: tables and trades are caught for the right reason, clean ones let pass."""

from __future__ import annotations

import pytest

from benchmarks.leakzoo import fill_plants
from benchmarks.leakzoo.areas import AREAS
from benchmarks.leakzoo.flow_catalogue import MUTATIONS
from benchmarks.leakzoo.label_plants import PLANTS as LABELS
from benchmarks.leakzoo.markets import walk
from benchmarks.leakzoo.plants import examine_plants
from benchmarks.leakzoo.split_plants import PLANTS as SPLITS
from benchmarks.leakzoo.training_tables import World, hide

SPECIMENS = {each.name: each for area in AREAS for each in area.specimens}
FEW = {
    "labels": ("comparison_with_missing", "label_before", "quantile_of_all", "clean_direction_holes", "clean_barriers"),
    "splits": ("no_purge", "rows_again_later", "survivors", "clean_embargo", "clean_very_alike"),
    "back-test": ("exit_at_high", "target_before_stop", "test_read_often", "clean_stop_at_gap", "clean_next_open"),
}


@pytest.fixture(scope="module")
def found() -> dict[str, set[str]]:
    market = walk(4, 3, 1_500, 0.01)
    codes = examine_plants(LABELS, market, 1, FEW["labels"]) | examine_plants(SPLITS, market, 1, FEW["splits"])
    return codes | fill_plants.examine(fill_plants.TRICKS, market, 1, FEW["back-test"])


@pytest.mark.parametrize("name", [name for names in FEW.values() for name in names])
def test_leaks_are_caught_and_clean_ones_let_pass(name: str, found: dict[str, set[str]]) -> None:
    each = SPECIMENS[name]
    assert each.is_caught(found[name]) if each.is_leak else found[name] == set()


def test_every_area_has_enough_of_both_kinds() -> None:
    least = {"labels": (25, 25), "splits": (25, 25), "fitting": (30, 12), "selection": (20, 8), "back-test": (20, 15)}
    for area in AREAS:
        if area.name in least:
            leaks = sum(each.is_leak for each in area.specimens)
            assert (leaks, len(area.specimens) - leaks) >= least[area.name]
            assert all(bool(each.codes) == each.is_leak for each in area.specimens)


def test_a_quiet_change_is_looked_for_by_the_blind_control() -> None:
    quiet = [each for each in MUTATIONS.values() if each.is_quiet and each.codes]
    assert quiet
    assert all(each.codes == {"control-peeks"} for each in quiet)


def test_an_honest_table_has_holes_and_unknown_labels() -> None:
    """Else the clean ones would prove little."""
    market = walk(4, 3, 1_500, 0.01)
    rows = World(market, 1).table().rows
    assert rows["label"].isna().any()
    assert rows["split"].isna().any()
    assert set(rows["split"].dropna()) == {"train", "validation", "test"}
    assert not hide(market, market.has_bar).has_bar.any()
