"""`candlelock snapshot`: options over params.yaml, what it prints, and with which exit code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from candlelock.cli.snapshot import _changes
from candlelock.contracts import files
from candlelock.contracts.errors import EXIT_BAD_INPUT, EXIT_ENVIRONMENT
from candlelock.simulator.running import running
from candlelock.snapshot import candles
from tests.exchange_runs import make_market

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from candlelock.simulator.running import Simulator

    Run = Callable[..., tuple[int, str, str]]

ROOT = Path(__file__).resolve().parents[3]
N_BARS = 1_500


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copy(ROOT / files.PARAMS, tmp_path)
    return tmp_path


@pytest.fixture
def run(root: Path, candlelock: Run) -> Run:
    """Run `candlelock snapshot …` into `out` of the root: exit code, standard output, standard error."""

    def call(*words: str) -> tuple[int, str, str]:
        return candlelock("snapshot", "--root", str(root), "--out", str(root / "out"), *words)

    return call


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    markets = [make_market("BTC/USDT", 1, N_BARS, [range(700, 703)]), make_market("ETH/USDT", 2, N_BARS)]
    with running("binance", markets) as simulator:
        yield simulator


def asked(sim: Simulator, *words: str, symbols: str = "ETH/USDT,BTC/USDT") -> list[str]:
    return ["--exchange", "binance", "--symbols", symbols, "--timeframe", "1m", "--base-url", sim.base_url, *words]


def test_it_takes_what_the_options_say(run: Run, root: Path, sim: Simulator) -> None:
    code, said, errors = run(*asked(sim, "--start", "2024-01-01", "--end", "2024-01-01T20:00Z", "--readings", "2"))
    assert (code, errors) == (0, "")
    manifest, tables = candles.read_exact(root / "out")
    assert {symbol: len(table) for symbol, table in tables.items()} == {"BTC/USDT": 1197, "ETH/USDT": 1200}
    assert manifest.source.address == sim.base_url
    assert f"snapshot {manifest.snapshot_id[:12]} in {root / 'out'}" in said
    assert "asked binance for 2024-01-01T00:00:00Z to 2024-01-01T20:00:00Z" in said
    rows = [line.split() for line in said.splitlines()[1:3]]
    assert [row[:2] for row in rows] == [["BTC/USDT", "1,197"], ["ETH/USDT", "1,200"]]
    assert not list((root / files.DOWNLOADS).glob("*/"))


def test_days_count_back_from_the_last_settled_bar(run: Run, root: Path, sim: Simulator) -> None:
    code, said, _ = run(*asked(sim, "--days", "1", "--json"))
    document = json.loads(said)
    assert code == 0
    assert document["out"] == str(root / "out")
    assert document["source"]["asked"] == {"start_utc": "2024-01-01T00:59:00Z", "end_utc": "2024-01-02T00:59:00Z"}
    assert document == {"out": str(root / "out"), **json.loads((root / "out/manifest.json").read_text())}


def test_a_wrong_symbol_leaves_the_last_snapshot(run: Run, root: Path, sim: Simulator) -> None:
    run(*asked(sim, "--days", "1"))
    before = {path.name: path.read_bytes() for path in (root / "out").iterdir()}
    code, said, errors = run(*asked(sim, "--days", "1", symbols="BTC/USDT,ETC/USDT"))
    assert (code, said) == (EXIT_BAD_INPUT, "")
    assert errors.startswith("error[exchange-symbol] snapshot.symbols\n  found     ETC/USDT\n")
    assert {path.name: path.read_bytes() for path in (root / "out").iterdir()} == before


def test_a_long_pause_is_a_fault_of_the_environment_also_as_json(run: Run, root: Path, sim: Simulator) -> None:
    sim.set_faults([{"kind": "status_429", "argument": 3600}])
    code, said, errors = run(*asked(sim, "--days", "1", "--json"))
    sim.set_faults([])
    assert code == EXIT_ENVIRONMENT
    assert [problem["code"] for problem in json.loads(said)["problems"]] == ["exchange-pause"]
    assert errors.startswith("error[exchange-pause]")
    assert not (root / "out").exists()


def test_files_can_be_taken_instead(run: Run, root: Path, sim: Simulator) -> None:
    run(*asked(sim, "--start", "2024-01-01", "--end", "2024-01-01T20:00Z"))
    (root / "out").rename(root / "mine")
    (root / "mine" / files.MANIFEST.name).unlink()
    code, said, _ = run("--files", str(root / "mine"), "--symbols", "BTC/USDT", "--timeframe", "1m", "--json")
    assert code == 0
    assert json.loads(said)["source"]["kind"] == "files"


@pytest.mark.parametrize("words", [("--days", "0"), ("--days", "1", "--start", "2024-01-01"), ("--readings", "3")])
def test_options_are_held_to_the_rules_of_the_parameters(words: tuple[str, ...], run: Run, sim: Simulator) -> None:
    code, said, errors = run(*asked(sim, *words))
    assert (code, said) == (EXIT_BAD_INPUT, "")
    assert errors.startswith("error[params-bad-value]")


def changes(**asked: Any) -> dict[str, Any]:
    options = {"name": None, "base_url": None, "start": None, "end": None, "days": None, "n_readings": None}
    section: dict[str, Any] = _changes(None, None, None, None, options | asked)["exchange"]
    return section


def test_a_start_takes_the_place_of_days_and_days_that_of_a_start() -> None:
    assert changes() == {}
    assert changes(start="2024-01-01") == {"start": "2024-01-01", "days": None}
    assert changes(days=3) == {"days": 3, "start": None}
    assert changes(end="2024-01-01") == {"end": "2024-01-01"}
    assert changes(start="2024-01-01", days=3) == {"start": "2024-01-01", "days": 3}
