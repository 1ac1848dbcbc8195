"""The audit of a stranger's feature file: what it finds, what it lets pass, and that the file can do no harm."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from candlelock.contracts.errors import InputError
from candlelock.leakage.module.audit import audit_module
from tests.markets import walk
from tests.unit.causality.planted_registry import HONEST, PLANTED

if TYPE_CHECKING:
    from candlelock.contracts.leakage_documents import Leak
    from candlelock.leakage.module.report import ModuleReport

HERE = Path(__file__).parent
MARKET = walk(8, 2, 1_500, gap_share=0.003)
PAIRS = tuple(enumerate(("low", "close", "open")))
SMALL = walk(5, 2, 300, gap_share=0.01)


def by_function(report: ModuleReport) -> dict[str, dict[str, Leak]]:
    """Function -> code -> the first finding of it."""
    found: dict[str, dict[str, Leak]] = {}
    for check in report.checks:
        for each in check.findings:
            found.setdefault(each.subject.split(".")[0], {}).setdefault(each.code, each)
    return found


@pytest.fixture(scope="module")
def rare() -> ModuleReport:
    return audit_module(HERE / "planted_rare_leaks.py", MARKET, 150)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("misdeeds")
    shutil.copy(HERE / "planted_misdeeds.py", path / "planted_misdeeds.py")
    (path / "factor.txt").write_text("2.0")
    return path


@pytest.fixture(scope="module")
def misdeeds(folder: Path) -> ModuleReport:
    return audit_module(folder / "planted_misdeeds.py", SMALL, 30)


@pytest.fixture(scope="module")
def usual() -> ModuleReport:
    return audit_module(HERE.parent / "causality" / "planted_features.py", walk(3, 2, 600, gap_share=0.02), 30)


# --- the future -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "one_row_in_500",
        "where_volume_is_extreme",
        "before_one_date",
        "rare_and_far",
        "rare_with_a_long_past",
        "rare_sign",
    ],
)
def test_a_leak_at_few_rows_is_found(name: str, rare: ModuleReport) -> None:
    codes = by_function(rare)[name]
    assert codes.keys() <= {"future-prefix", "future-perturbed"}
    first = next(iter(codes.values()))
    assert first.subject == f"{name}.peek"
    assert first.symbol in ("S0", "S1")
    assert first.row is not None
    assert first.used_utc is not None
    assert first.known_utc is not None
    assert first.known_utc > first.used_utc


def test_what_looks_alike_and_is_honest_raises_no_alarm(rare: ModuleReport) -> None:
    honest = [each for each in rare.columns if each.column != "peek"]
    assert {each.subject.split(".")[1] for check in rare.checks for each in check.findings} == {"peek"}
    assert all(each.passed for each in honest)
    assert {(each.function, each.column) for each in honest} == {
        ("a_series", "named"),
        ("without_a_name", "without_a_name"),
        ("inherited_name", "inherited_name"),
        ("an_array", "an_array"),
        ("a_frame", "zscore"),
        ("a_frame", "decay"),
        ("all_history", "drawdown"),
        ("all_history", "balance"),
        ("since_midnight", "high"),
        ("seeded", "jitter"),
        ("closed_higher_bar", "higher"),
    }
    assert rare.functions_left_out == ["needs_two"]


def test_rows_are_counted_and_look_backs_measured(rare: ModuleReport) -> None:
    columns = {each.column: each for each in rare.columns}
    assert columns["named"].look_back_bars == 1
    assert columns["zscore"].look_back_bars == 23
    assert columns["drawdown"].look_back_bars is None
    assert columns["balance"].look_back_bars is None
    assert columns["named"].n_rows > columns["named"].n_values // 2
    assert all(0 < each.n_rows <= each.n_values for each in rare.columns if each.passed)
    assert all(each.n_compared["clock"] == each.n_values for each in rare.columns)


FUTURE = [name for name, each in PLANTED.items() if "prefix" in each.found_by]


@pytest.mark.parametrize("name", FUTURE)
def test_every_planted_leak_is_found_without_a_registry(name: str, usual: ModuleReport) -> None:
    assert "future-prefix" in by_function(usual)[name]


def test_no_other_column_is_said_to_see_the_future(usual: ModuleReport) -> None:
    ahead = {"future-prefix", "future-perturbed"}
    said = {each.column for each in usual.columns if not each.passed}
    assert not said & set(HONEST)
    seen = {each.subject.rpartition(".")[2] for check in usual.checks for each in check.findings if each.code in ahead}
    assert seen - set(FUTURE) <= {"rare_peek"}


# --- other misdeeds ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("nearest", "future-prefix", "became"),
        ("unclosed_bar", "future-prefix", "became"),
        ("target_mean", "future-prefix", "became"),
        ("noise", "not-deterministic", "built again at once"),
        ("the_time", "module-clock", "400 days later"),
        ("the_year", "module-clock", "became 2019.0"),
        ("the_day_of_pandas", "module-clock", "400 days later"),
        ("hash_of_text", "not-deterministic", "in another process"),
        ("order_of_a_set", "not-deterministic", "in another process"),
        ("cached_without_end", "process-state", "in a fresh run of the file"),
        ("cached_of_any_symbol", "not-deterministic", "the symbols in reverse order"),
        ("writes_a_table", "module-writes", "writes {folder}/written_by_the_module.csv"),
        ("writes_and_goes_on", "module-writes", "makes the folder {folder}/made_by_the_module"),
        ("starts_a_process", "module-writes", "starts the process"),
        ("asks_the_network", "module-writes", "127.0.0.1"),
        ("reads_a_table", "module-reads", "reads {folder}/factor.txt"),
        ("changes_the_frame", "candles-changed", "the frame it was given changed"),
        ("raises", "module-fails", "KeyError: 'no such column', for S0"),
        ("exits", "module-fails", "SystemExit"),
        ("too_short", "module-fails", "short: 299 values"),
        ("infinite", "module-fails", "divided: infinity at 20"),
        ("texts", "module-fails", "text: a list of"),
        ("nothing", "module-fails", "returned a NoneType"),
        ("no_value", "not-examined", "no value on 300 bars"),
    ],
)
def test_a_misdeed_has_its_code(name: str, code: str, said: str, misdeeds: ModuleReport, folder: Path) -> None:
    found = by_function(misdeeds)[name]
    assert code in found, found
    assert said.format(folder=folder) in found[code].detail
    assert found[code].help


def test_what_was_refused_is_not_told_twice(misdeeds: ModuleReport) -> None:
    found = by_function(misdeeds)
    assert set(found["writes_a_table"]) == {"module-writes"}
    assert set(found["writes_and_goes_on"]) == {"module-writes"}


def test_a_finding_of_the_file_names_its_line(misdeeds: ModuleReport) -> None:
    lines = (HERE / "planted_misdeeds.py").read_text().splitlines()
    for name, code in (("writes_a_table", "module-writes"), ("raises", "module-fails"), ("exits", "module-fails")):
        found = re.match(r"planted_misdeeds\.py:(\d+)", by_function(misdeeds)[name][code].detail)
        assert found is not None
        line = lines[int(found[1]) - 1]
        assert "to_csv" in line or "no such column" in line or "sys.exit" in line


def test_nothing_was_written(misdeeds: ModuleReport, folder: Path) -> None:
    assert not misdeeds.passed
    assert sorted(path.name for path in folder.iterdir()) == ["factor.txt", "planted_misdeeds.py"]


def test_printing_does_no_harm_and_a_fault_of_one_column_spares_the_others(misdeeds: ModuleReport) -> None:
    assert "prints" not in by_function(misdeeds)
    columns = {(each.function, each.column): each for each in misdeeds.columns}
    assert columns["prints", "printed"].passed
    assert columns["too_short", "whole"].passed
    assert "future-prefix" in {
        each.code for check in misdeeds.checks for each in check.findings if each.subject == "infinite.and_ahead"
    }


def test_functions_that_hang_or_end_their_process_leave_the_others_examined() -> None:
    report = audit_module(HERE / "planted_endings.py", SMALL, 4)
    found = by_function(report)
    assert found["sleeps"]["module-hangs"].detail == "no answer within 4 s"
    assert found["ends_at_once"]["module-fails"].detail == "it ended the process (exit code 7)"
    assert found["aborts"]["module-fails"].detail == "it ended the process (signal 6)"
    assert "future-prefix" in found["ahead"]
    assert "honest" not in found
    assert {each.function for each in report.columns} == {"honest", "ahead"}


def test_a_function_that_tries_a_refused_deed_for_ever_is_ended(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        "import os\n"
        "def waits(frame):\n"
        "    while True:\n"
        "        try:\n"
        "            return open('lock', 'x')\n"
        "        except OSError:\n"
        "            continue\n"
    )
    found = by_function(audit_module(file, SMALL, 3))["waits"]
    assert {"module-hangs", "module-writes"} <= found.keys()


def test_an_order_of_two_names_in_a_set_is_found_whatever_it_is_with_the_first_hashes(tmp_path: Path) -> None:
    pairs = [f"f{number}(frame):\n    return frame[next(iter({{'high', '{name}'}}))]" for number, name in PAIRS]
    file = tmp_path / "own.py"
    file.write_text(
        "".join(f"def {pair}\n" for pair in pairs) + "def odd(frame):\n    return frame['close'] + hash('btc') % 2\n"
    )
    found = by_function(audit_module(file, SMALL, 30))
    assert found.keys() == {"f0", "f1", "f2", "odd"}
    assert all(codes.keys() == {"not-deterministic"} for codes in found.values())


def test_a_file_that_writes_while_it_is_loaded_is_a_finding(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        "from pathlib import Path\nPath(__file__).with_name('x').write_text('')\ndef f(frame):\n    return 1\n"
    )
    report = audit_module(file, SMALL, 30)
    assert [each.detail for check in report.checks for each in check.findings] == [f"own.py:2: writes {tmp_path}/x"]
    assert not (tmp_path / "x").exists()


def test_the_same_file_gives_the_same_findings(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        "def ahead(frame):\n    return frame['close'].shift(-2)\ndef sound(frame):\n    return frame['close'].diff()\n"
    )
    assert audit_module(file, SMALL, 60) == audit_module(file, SMALL, 60)


# --- what is no file of functions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("def f(frame:\n    pass\n", "plugin-import", "SyntaxError"),
        (
            "import no_such_package\ndef f(frame):\n    return {}\n",
            "plugin-import",
            "No module named 'no_such_package'",
        ),
        ("x = 1\n", "plugin-empty", "no public function"),
        ("def f(frame, length):\n    return frame\n", "audit-module-functions", "f: other arguments than one frame"),
        ("import os\nos._exit(3)\n", "audit-module-load", "the process ended (exit code 3)"),
        ("import time\ntime.sleep(1000)\n", "audit-module-load", "nothing for 2 s"),
    ],
)
def test_a_file_that_cannot_be_run_is_an_error(text: str, code: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(text)
    with pytest.raises(InputError) as raised:
        audit_module(file, SMALL, 2)
    problem = raised.value.problems[0]
    assert problem.code == code
    assert said in problem.found
    assert "own.py" in problem.place


@pytest.mark.parametrize("name", ["missing.py", "table.csv"])
def test_only_a_python_file_will_do(name: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,b\n")
    with pytest.raises(InputError, match="audit-module-file"):
        audit_module(tmp_path / name, SMALL, 2)
