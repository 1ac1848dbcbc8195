"""The certificate as a whole: the library passes, in the same bytes again; what was not tried is not called proven."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from candlelock.artifacts import documents, side_by_side
from candlelock.artifacts.user_files import read_catalogue
from candlelock.causality.certificate import Request, certify
from candlelock.causality.subject import subject_of
from candlelock.contracts.causality_documents import CausalityReport
from candlelock.contracts.tables import TIME
from candlelock.features.build import build_tables
from tests.markets import walk
from tests.unit.causality.doubles import SETTINGS, entry, lag, subject

if TYPE_CHECKING:
    from candlelock.contracts.causality_documents import CausalityCheck
    from candlelock.contracts.registry import Feature
    from candlelock.features.market import Array, Market

CATALOGUE = read_catalogue(Path(__file__).parents[3])
REQUEST = Request(SETTINGS, 3, (0.55, 0.65, 0.75))
MARKET = walk(4, 3, 500, gap_share=0.01, latest_start=20)


def short_ones() -> tuple[Feature, ...]:
    """Every fifth feature of the catalogue with a value on any candles and a look-back of a few days."""
    columns = {"open", "high", "low", "close", "volume", "open_time", "market.close", "market.volume"}
    usable = [each for each in CATALOGUE if set(each.inputs) <= columns and each.warmup(MARKET.bar_ms) <= 60]
    return tuple(each for at, each in enumerate(usable) if at % 5 == 0 or each.available_at != "close")


@pytest.fixture(scope="module")
def entries() -> tuple[Feature, ...]:
    return short_ones()


@pytest.fixture(scope="module")
def tables(entries: tuple[Feature, ...]) -> dict[str, pa.Table]:
    return build_tables(MARKET, entries)


@pytest.fixture(scope="module")
def report(entries: tuple[Feature, ...], tables: dict[str, pa.Table]) -> CausalityReport:
    return certify(subject_of(entries, (), MARKET), MARKET, replace(REQUEST, tables=tables))


def check(report: CausalityReport, name: str) -> CausalityCheck:
    return next(each for each in report.checks if each.name == name)


def test_the_library_raises_no_alarm(report: CausalityReport, entries: tuple[Feature, ...]) -> None:
    assert [found for each in report.checks for found in each.findings] == []
    assert report.passed
    assert len(report.features) == len(entries) >= 30
    assert all(feature.passed and feature.rtol == 0 for feature in report.features)
    for name in ("repetition", "prefix", "future", "replay", "live", "inputs", "process", "tables"):
        assert all(feature.n_compared[name] > 0 for feature in report.features), name
    assert check(report, "availability").n_compared > 0


def test_the_same_candles_give_the_same_bytes_on_any_number_of_cores(
    report: CausalityReport, entries: tuple[Feature, ...], tables: dict[str, pa.Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    n_cores = 1 if side_by_side.n_cores() > 1 else 2
    monkeypatch.setattr(side_by_side, "n_cores", lambda: n_cores)
    again = certify(subject_of(entries, (), MARKET), MARKET, replace(REQUEST, tables=tables))
    assert documents.to_bytes(again) == documents.to_bytes(report)


def test_the_report_can_be_read_back(report: CausalityReport, tmp_path: Path) -> None:
    documents.write(tmp_path / "causality.json", report)
    assert documents.read(tmp_path / "causality.json", CausalityReport) == report


def test_one_other_value_in_a_table_is_found(entries: tuple[Feature, ...], tables: dict[str, pa.Table]) -> None:
    name = entries[3].name
    values = tables["S1"][name].to_numpy(zero_copy_only=False).copy()
    row = int(np.flatnonzero(~np.isnan(values))[200])
    values[row] = np.nextafter(values[row], np.inf)
    at = tables["S1"].column_names.index(name)
    edited = tables | {"S1": tables["S1"].set_column(at, name, pa.array(values, from_pandas=True))}
    few = entries[:5]
    found = certify(subject_of(few, (), MARKET), MARKET, replace(REQUEST, tables=edited))
    assert [(each.feature, each.symbol, each.code) for each in check(found, "tables").findings] == [
        (name, "S1", "table-differs")
    ]
    time = tables["S1"]["open_time_utc"][row].cast(TIME).as_py().strftime("%Y-%m-%dT%H:%M:%SZ")
    assert check(found, "tables").findings[0].time == time


# --- what was not tried is not proven ---------------------------------------------------------------------------------


def plain(market: Market) -> np.ndarray:
    return market.close


def test_a_feature_without_a_value_is_a_finding() -> None:
    each = subject([(entry("plain"), plain), (entry("never", 700), plain)])
    found = certify(each, MARKET, REQUEST)
    assert [(one.code, one.feature) for one in check(found, "repetition").findings] == [("not-examined", "never")]
    assert "look-back is 700 bars" in check(found, "repetition").findings[0].detail
    assert [one.passed for one in found.features] == [True, False] or not check(found, "process").passed


def test_a_feature_that_no_cut_can_compare_is_a_finding() -> None:
    """It has a value in the very last bar alone, and no cut lies behind that."""
    found = certify(subject([(entry("late", 499), plain)]), walk(4, 1, 500), REQUEST)
    codes = {name: {each.code for each in check(found, name).findings} for name in ("prefix", "future")}
    assert codes == {"prefix": {"not-examined"}, "future": {"not-examined"}}


def test_a_history_beyond_the_limit_is_cut_to_its_latest_bars() -> None:
    settings = SETTINGS.model_copy(update={"max_values": 600})
    found = certify(subject([(entry("plain"), plain)]), MARKET, replace(REQUEST, settings=settings))
    assert (found.candles.n_bars, found.candles.n_bars_left_out) == (200, 300)
    assert found.candles.last_open_utc == "2017-12-20T19:00:00Z"


def test_progress_goes_up_to_the_end() -> None:
    seen: list[tuple[int, int]] = []
    certify(subject([(entry("plain"), plain)]), MARKET, REQUEST, lambda done, total: seen.append((done, total)))
    done = [each for each, _ in seen]
    assert done == sorted(done)
    assert seen[-1] == (1000, 1000)
    assert len(seen) > 20


def test_a_fault_of_the_library_is_an_error_and_no_finding() -> None:
    def fails(market: Market) -> np.ndarray:
        raise ZeroDivisionError("in the library")

    with pytest.raises(ZeroDivisionError):
        certify(subject([(entry("plain"), fails)]), MARKET, REQUEST)


def test_no_feature_at_all_passes_with_nothing_compared() -> None:
    found = certify(subject([]), MARKET, REQUEST)
    assert found.passed
    assert found.features == []
    assert sum(each.n_compared for each in found.checks) == 0


def test_a_feature_that_changes_the_candles_is_out() -> None:
    def changes(market: Market) -> np.ndarray:
        market.close[:, :5] = 1.0
        return market.close.copy()

    found = certify(subject([(entry("changes"), changes)]), walk(4, 2, 300), REQUEST)
    assert [each.code for each in check(found, "repetition").findings] == ["candles-changed"]


def test_findings_are_listed_up_to_a_limit_and_all_counted() -> None:
    functions = [(entry(f"leak_{n}"), lambda market: lag(market.close, -1)) for n in range(60)]
    found = check(certify(subject(functions), walk(4, 2, 300), REQUEST), "prefix")
    assert (len(found.findings), found.n_findings) == (50, 60)
    assert [each.offset_bars for each in found.findings] == [1] * 40 + [None] * 10


@pytest.mark.parametrize("is_plugin", [False, True])
def test_a_plugin_is_never_asked_twice_at_once(is_plugin: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "n_cores", lambda: 2)
    running, peak = [0], [0]

    def slow(market: Market) -> Array:
        running[0] += 1
        peak[0] = max(peak[0], running[0])
        time.sleep(0.002)
        running[0] -= 1
        return lag(market.close, 1)

    units = {"slow": "mine.slow"} if is_plugin else {}
    certify(subject([(entry("slow", 1), slow)], units=units), MARKET, REQUEST)
    assert peak[0] == (1 if is_plugin else 2)
