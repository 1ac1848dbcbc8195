"""Leaks and look-alikes that are planted in a training table, and their examination by the audit of tables."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from benchmarks.leakzoo.specimen import Area, Specimen
from benchmarks.leakzoo.training_tables import Case, World, features_of
from candlelock.causality.other_candles import between
from candlelock.contracts.errors import InputError
from candlelock.leakage.columns import ColumnNames, read_audit_table
from candlelock.leakage.known_labels import check_known_labels
from candlelock.leakage.table import audit_rows
from candlelock.leakage.universe import check_universe

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pandas as pd

    from benchmarks.leakzoo.training_tables import Array, Labeller
    from candlelock.contracts.leakage_documents import LeakCheck
    from candlelock.features.market import Market

Make: TypeAlias = Callable[[World], Case]


@dataclass(frozen=True)
class Plant:
    """What `make` does to what an area starts from; `codes` are the right reasons, none of a clean one."""

    name: str
    what: str
    make: Callable[..., object]
    codes: frozenset[str] = frozenset()
    is_core: bool = False


def leak(name: str, what: str, make: Callable[..., object], *codes: str, is_core: bool = False) -> Plant:
    return Plant(name, what, make, frozenset(codes), is_core)


def split_by(
    parts: Callable[[pd.DataFrame, World], Array], labeller: Labeller | None = None, embargo_bars: int = 0
) -> Make:
    """An honest table whose parts are cut otherwise."""

    def make(world: World) -> Case:
        case = world.table(labeller)
        return replace(case, rows=case.rows.assign(split=parts(case.rows, world)), embargo_bars=embargo_bars)

    return make


def examine_case(case: Case, bar_ms: int) -> set[str]:
    """Codes of all that the audit finds, or of why it refuses the table."""
    names = ColumnNames("time", "label", "label_end", "split", "symbol", tuple(features_of(case.rows)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        case.rows.to_parquet(path, index=False)
        try:
            table = read_audit_table(path, names)
        except InputError as error:
            return {problem.code for problem in error.problems}
    checks = audit_rows(table, case.embargo_bars * bar_ms)
    checks += _other_checks(case)
    return {finding.code for check in checks for finding in check.findings}


def _other_checks(case: Case) -> list[LeakCheck]:
    found = []
    market, labeller = case.market, case.labeller
    if market is not None and labeller is not None:
        found.append(check_known_labels(lambda n: labeller(between(market, 0, n)), market.open_time_ms, market.bar_ms))
    if case.known:
        spans = case.rows.groupby("symbol")["time"].agg(["min", "max"])
        used = {str(name): (int(row["min"]), int(row["max"])) for name, row in spans.iterrows()}
        found.append(check_universe(used, case.known))
    return found


def examine_plants(
    plants: Sequence[Plant], market: Market, seed: int, only: Collection[str] | None = None
) -> dict[str, set[str]]:
    """Name -> codes found; of `only` these, all if None."""
    world = World(market, seed)
    chosen = [each for each in plants if only is None or each.name in only]
    return {each.name: examine_case(each.make(world), market.bar_ms) for each in chosen}


def area_of(name: str, plants: Sequence[Plant]) -> Area:
    specimens = tuple(
        Specimen(each.name, name, bool(each.codes), each.is_core, each.codes, each.what) for each in plants
    )
    return Area(name, specimens, lambda market, seed: examine_plants(plants, market, seed))
