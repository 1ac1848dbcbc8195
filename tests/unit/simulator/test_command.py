"""`candlelock exchange-sim` in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from tests.unit.simulator.conftest import write_candles

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-m", "candlelock.cli.main", "exchange-sim"]


def refused(*words: str) -> tuple[int, str]:
    answer = subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in answer.stderr
    return answer.returncode, answer.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_listens_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    write_candles(tmp_path, "BTC/USDT", 5)
    faults = tmp_path / "faults.json"
    faults.write_text('[{"kind": "empty_object", "endpoint": "time", "times": 1}]')
    words = ["--dialect", "binance", "--data", str(tmp_path), "--faults", str(faults), "--json"]
    with subprocess.Popen(
        [*COMMAND, *words, "--now", "2024-01-01T00:02Z"], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            said = json.loads(server.stdout.readline() if server.stdout else "")
            assert said["symbols"] == ["BTC/USDT"]
            assert said["timeframes"] == ["1m"]
            with urlopen(f"{said['base_url']}/api/v3/time") as answer:  # noqa: S310
                assert json.load(answer) == {}
            with urlopen(f"{said['base_url']}/api/v3/klines?symbol=BTCUSDT&interval=1m") as answer:  # noqa: S310
                assert len(json.load(answer)) == 3
            server.send_signal(number)
            assert server.wait(timeout=10) == 0
        finally:
            server.kill()


def test_bad_arguments_are_refused(tmp_path: Path) -> None:
    write_candles(tmp_path, "BTC/USDT", 5)
    sound = ["--dialect", "binance", "--data", str(tmp_path)]
    bad_rules = tmp_path / "rules.json"
    bad_rules.write_text('[{"kind": "emptyobject"}]')
    not_json = tmp_path / "other.json"
    not_json.write_text("[")
    cases = [
        (["--dialect", "bitmex", "--data", str(tmp_path)], "simulator-dialect"),
        (["--dialect", "kraken", "--data", str(tmp_path / "absent")], "simulator-data"),
        ([*sound, "--now", "yesterday"], "simulator-clock"),
        ([*sound, "--faults", str(bad_rules)], "did you mean 'empty_object'"),
        ([*sound, "--faults", str(not_json)], "simulator-faults"),
        ([*sound, "--faults", str(tmp_path / "absent.json")], "simulator-faults"),
    ]
    for words, said in cases:
        code, errors = refused(*words)
        assert code == 2
        assert said in errors
