"""Fifty and more features at fault, each found by the checks that should; honest ones that look alike, not at all."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from candlelock.causality.certificate import Request, certify
from candlelock.causality.subject import subject_of
from candlelock.contracts.stage_params import CausalityParams
from candlelock.features.plugins import load_plugin
from tests.markets import walk
from tests.unit.causality.planted_registry import HONEST, PLANTED, write_registry

if TYPE_CHECKING:
    from candlelock.contracts.causality_documents import CausalityFinding, CausalityReport

SETTINGS = CausalityParams(
    n_cuts=8,
    n_futures=2,
    n_replay_rows=10,
    min_replay_rows=10,
    max_replay_values=1_000_000,
    n_gap_rows=12,
    n_live_bars=15,
    n_unfinished_bars=10,
    max_values=100_000_000,
)
AHEAD = {"future-prefix", "future-perturbed"}
Found = dict[str, dict[str, "CausalityFinding"]]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> CausalityReport:
    folder = tmp_path_factory.mktemp("planted")
    shutil.copy(Path(__file__).with_name("planted_features.py"), folder)
    write_registry(folder / "planted_features.yml", PLANTED | HONEST)
    plugin = load_plugin(folder / "planted_features.py")
    market = walk(3, 2, 600, gap_share=0.02)
    subject = subject_of(plugin.entries, (plugin,), market)
    return certify(subject, market, Request(SETTINGS, 1, (0.55, 0.65, 0.75)))


@pytest.fixture(scope="module")
def found(report: CausalityReport) -> Found:
    """Feature -> check -> what was found."""
    by_feature: Found = {name: {} for name in (*PLANTED, *HONEST)}
    for check in report.checks:
        for finding in check.findings:
            by_feature[finding.feature][check.name] = finding
    return by_feature


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_by_the_checks_that_should(name: str, found: Found) -> None:
    assert PLANTED[name].found_by <= set(found[name]), found[name]


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_feature_raises_no_alarm(name: str, found: Found, report: CausalityReport) -> None:
    assert found[name] == {}
    feature = next(each for each in report.features if each.name == name)
    assert feature.passed
    assert feature.rtol == 1e-9
    compared = {check for check, n in feature.n_compared.items() if n}
    assert compared >= {"repetition", "prefix", "future", "replay", "inputs", "process"}
    assert ("availability" in compared) == (HONEST[name].available_at != "close")


def test_there_are_enough_of_both_kinds() -> None:
    assert len(PLANTED) >= 50
    assert len(HONEST) >= 20


PAST_ONLY = [name for name, each in PLANTED.items() if each.found_by <= {"replay", "live"} and name != "rare_peek"]


@pytest.mark.parametrize("name", PAST_ONLY)
def test_too_much_of_the_past_is_not_called_the_future(name: str, found: Found) -> None:
    assert not {finding.code for finding in found[name].values()} & AHEAD


@pytest.mark.parametrize("name", [name for name, each in PLANTED.items() if "prefix" in each.found_by])
def test_the_future_is_called_the_future(name: str, found: Found) -> None:
    assert found[name]["prefix"].code == "future-prefix"
    assert found[name].get("process", found[name]["prefix"]).code == "future-prefix"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("noise", "not-deterministic"),
        ("clock", "not-deterministic"),
        ("call_number", "not-deterministic"),
        ("changes_frame", "candles-changed"),
    ],
)
def test_a_plug_in_that_cannot_be_compared_is_out_after_the_repetition(name: str, code: str, found: Found) -> None:
    assert list(found[name]) == ["repetition"]
    assert found[name]["repetition"].code == code


@pytest.mark.parametrize(
    ("name", "check", "code"),
    [
        ("running_higher_bar", "availability", "not-yet-available"),
        ("higher_bar_one_early", "availability", "not-yet-available"),
        ("reads_volume", "inputs", "input-undeclared"),
        ("reads_time", "inputs", "input-undeclared"),
        ("cached_by_start", "process", "process-state"),
        ("cached_zscore", "process", "process-state"),
        ("fails_when_short", "replay", "plugin-error"),
    ],
)
def test_other_faults_have_their_own_names(name: str, check: str, code: str, found: Found) -> None:
    assert found[name][check].code == code


@pytest.mark.parametrize(
    ("name", "offset_bars"),
    [
        ("next_return", 1),
        ("return_ahead_6", 6),
        ("centred_mean", 1),
        ("whole_zscore", 1),
        ("since_last_row", 599),
        ("window_too_short", -29),
        ("one_bar_too_short", -10),
    ],
)
def test_the_bar_that_mattered_is_found(name: str, offset_bars: int, found: Found) -> None:
    first = next(iter(found[name].values()))
    assert first.offset_bars == offset_bars
    assert f"{abs(offset_bars)} bar" in first.detail


def test_a_finding_names_row_and_both_values(found: Found) -> None:
    finding = found["next_return"]["prefix"]
    assert finding.symbol in ("S0", "S1")
    assert finding.time is not None
    assert finding.time in finding.detail
    assert " became null" in finding.detail
    assert finding.help


def test_every_feature_at_fault_is_counted(report: CausalityReport) -> None:
    assert not report.passed
    assert {each.name for each in report.features if not each.passed} == set(PLANTED)
    assert report.n_findings == sum(check.n_findings for check in report.checks)
    assert all(len(check.findings) == min(check.n_findings, 50) for check in report.checks)
