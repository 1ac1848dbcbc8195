"""`candlelock audit features` on candle folders and plug-ins: what it prints, and its exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from ruamel.yaml import YAML

from candlelock.contracts.causality_documents import CausalityReport
from tests.markets import walk
from tests.pipeline.project import change_params

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, str, str]]

ROOT = Path(__file__).parents[3]
SMALL = {
    "n_cuts": 6,
    "n_futures": 2,
    "n_replay_rows": 20,
    "min_replay_rows": 10,
    "max_replay_values": 1_000_000,
    "n_gap_rows": 10,
    "n_live_bars": 20,
    "n_unfinished_bars": 10,
}
HONEST = """
import numpy as np

def honest(frame):
    move = np.log(frame["close"]).diff()
    return {"own_return": move, "own_deviation": move.rolling(10).std()}
"""
LEAKY = """
def leaky(frame):
    return {"own_next": frame["close"].shift(-1) / frame["close"] - 1}
"""
ENTRY = (
    "  - {{name: {}, group: {}, dtype: float64, unit: log return, warmup_bars: {}, inputs: [close], "
    "available_at: close, formula: see there}}\n"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with params.yaml, made quick, and features.yml."""
    yaml = YAML()
    params = yaml.load((ROOT / "params.yaml").read_text())
    params["causality"].update(SMALL)
    with (tmp_path / "params.yaml").open("w") as handle:
        yaml.dump(params, handle)
    (tmp_path / "features.yml").write_bytes((ROOT / "features.yml").read_bytes())
    return tmp_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Candles of two symbols in freqtrade's layout, with gaps."""
    market, path = walk(8, 2, 400, gap_share=0.01), tmp_path / "candles"
    path.mkdir()
    dates = pd.to_datetime(market.open_time_ms, unit="ms", utc=True)
    for row, symbol in enumerate(("BTC", "ETH")):
        columns = {name: values[row].round(6) for name, values in market.columns().items()}
        frame = pd.DataFrame({"date": dates, **columns}).dropna().reset_index(drop=True)
        frame["low"] = frame[["open", "low", "close"]].min(axis=1)
        frame["high"] = frame[["open", "high", "close"]].max(axis=1)
        frame.to_feather(path / f"{symbol}_USDT-1h.feather")
    return path


def plugin(folder: Path, name: str, code: str, **warmups: int) -> str:
    (folder / f"{name}.py").write_text(code)
    lines = [ENTRY.format(feature, name, warmup) for feature, warmup in warmups.items()]
    (folder / f"{name}.yml").write_text("features:\n" + "".join(lines))
    return str(folder / f"{name}.py")


def test_an_honest_plug_in_is_proven_on_any_candle_folder(project: Path, folder: Path, candlelock: Run) -> None:
    file = plugin(project, "mine", HONEST, own_return=1, own_deviation=10)
    words = ("audit", "features", "--plugins", file, "--candles", str(folder), "--root", str(project))
    code, out, err = candlelock(*words)
    assert (code, err) == (0, "")
    assert "no finding in 2 features: BTC/USDT, ETH/USDT, 2017-11-30T00:00:00Z" in out
    code, out, _ = candlelock(*words, "--json")
    document = json.loads(out)
    assert (code, document.pop("findings")) == (0, [])
    report = CausalityReport.model_validate(document)
    assert report.passed
    assert [feature.name for feature in report.features] == ["own_return", "own_deviation"]
    assert report.candles.bar_minutes == 60
    assert report.candles.snapshot_id is None


def test_a_leak_is_named_with_exit_code_1(project: Path, folder: Path, candlelock: Run) -> None:
    honest = plugin(project, "mine", HONEST, own_return=1, own_deviation=10)
    leaky = plugin(project, "theirs", LEAKY, own_next=0)
    words = (
        "audit",
        "features",
        "--plugins",
        honest,
        "--plugins",
        leaky,
        "--candles",
        str(folder),
        "--root",
        str(project),
    )
    code, out, err = candlelock(*words)
    assert (code, err) == (1, "")
    assert "FAILED  prefix" in out
    assert out.count("error[") == 1
    assert "error[future-prefix] own_next BTC/USDT\n" in out
    known, used = re.search(r"times     known (\S+), used (\S+)\n", out).groups()  # type: ignore[union-attr]
    assert known > used
    assert "the first later candle that matters is 1 bar after the row" in out
    assert "1 of 3 features are at fault" in out
    code, out, _ = candlelock(*words, "--json")
    findings = json.loads(out)["findings"]
    assert code == 1
    assert {finding["feature"] for finding in findings} == {"own_next"}
    assert findings[0].keys() == {"code", "feature", "symbol", "time", "offset_bars", "detail", "help"}
    assert findings[0]["code"] == "future-prefix"
    assert findings[0]["offset_bars"] == 1


def test_groups_of_the_library_can_be_asked_for(project: Path, folder: Path, candlelock: Run) -> None:
    code, out, _ = candlelock(
        "audit", "features", "--groups", "time, patterns", "--candles", str(folder), "--root", str(project), "--json"
    )
    document = json.loads(out)
    assert {feature["group"] for feature in document["features"]} == {"time", "patterns"}
    silent = {finding["feature"] for finding in document["findings"] if finding["code"] == "not-examined"}
    assert {finding["feature"] for finding in document["findings"]} == silent
    assert code == (1 if silent else 0)


def test_a_broken_plug_in_is_a_finding_and_no_crash(project: Path, folder: Path, candlelock: Run) -> None:
    file = plugin(project, "mine", "def fails(frame):\n    return {'own': frame['no such column']}\n", own=0)
    code, out, err = candlelock(
        "audit", "features", "--plugins", file, "--candles", str(folder), "--root", str(project)
    )
    assert (code, err) == (1, "")
    assert "error[module-fails] fails" in out
    assert "mine.py:2 fails: KeyError: 'no such column'" in out


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("os._exit(0)", "error[module-fails] f\n  found     it ended the process (exit code 0)"),
        ("time.sleep(1000)", "error[module-hangs] f\n  found     no answer within 3 s"),
        ("open('kept.txt', 'a')", "error[module-writes] f\n  found     mine.py:5: writes"),
        ("frame['close'] += time.time() // 86400", "error[module-clock] f.own"),
    ],
)
def test_what_a_certificate_cannot_see_of_a_plug_in_is_found_before_it_is_loaded(
    body: str, said: str, project: Path, folder: Path, candlelock: Run
) -> None:
    lines = ("import os", "import time", "def f(frame):", "    frame = frame.copy()", f"    {body}")
    text = "\n".join([*lines, "    return {'own': frame['close']}\n"])
    file, before = plugin(project, "mine", text, own=0), sorted(Path().iterdir())
    code, out, err = candlelock(
        "audit", "features", "--plugins", file, "--candles", str(folder), "--root", str(project), "--timeout", "3"
    )
    assert (code, err) == (1, "")
    assert said in out
    assert sorted(Path().iterdir()) == before


def test_the_audit_of_a_project_runs_its_plug_ins_apart_first(project_copy: Path, candlelock: Run) -> None:
    text = "import os\ndef f(frame):\n    os._exit(0)\n"
    plugin(project_copy / "plugins", "mine", text, own=0)
    change_params(project_copy, {"features": {"plugins": ["mine.py"]}})
    code, out, err = candlelock("audit", "--root", str(project_copy))
    assert (code, err) == (1, "")
    assert "error[module-fails] f\n  found     it ended the process (exit code 0)" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--candles", "nowhere"), "error[audit-candles] nowhere\n  found     no such folder"),
        (("--candles", "{project}"), "no file names a symbol"),
        (("--candles", "{folder}", "--timeframe", "5m"), "found     bars of 1h\n  expected  bars of 5m"),
        (("--candles", "{folder}", "--timeframe", "soon"), "audit-candles"),
        (("--candles", "{mixed}"), "found     bars of 1h, 5m\n  expected  one timeframe"),
        (("--candles", "{broken}"), "error[candles-low]"),
        (("--candles", "{folder}", "--groups", "tend"), "did you mean 'trend'?"),
        (("--candles", "{folder}", "--plugins", "nothing.py"), "error[audit-module-file] nothing.py"),
        ((), "error[document-missing]"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_an_error_with_exit_code_2(
    words: tuple[str, ...], said: str, project: Path, folder: Path, candlelock: Run
) -> None:
    places = {"project": str(project / "none"), "folder": str(folder)}
    (project / "none").mkdir()
    for name in ("mixed", "broken"):
        places[name] = str(project / name)
        (project / name).mkdir()
        for file in folder.iterdir():
            (project / name / file.name).write_bytes(file.read_bytes())
    (project / "mixed" / "BTC_USDT-5m.feather").write_bytes((folder / "BTC_USDT-1h.feather").read_bytes())
    frame = pd.read_feather(folder / "BTC_USDT-1h.feather")
    frame.loc[7, "low"] = 1e6
    frame.to_feather(project / "broken" / "BTC_USDT-1h.feather")
    filled = [word.format(**places) for word in words]
    code, out, err = candlelock("audit", "features", *filled, "--root", str(project))
    assert (code, out) == (2, "")
    assert said in err


def test_without_candles_it_takes_the_projects_snapshot(
    built_project: Path, candlelock: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(built_project)
    code, out, err = candlelock("audit", "features", "--groups", "time")
    assert (code, err) == (0, "")
    assert "AAA/USD, BBB/USD, CCC/USD" in out
    code, _, err = candlelock("audit", "features", "--groups", "time", "--timeframe", "5m")
    assert code == 2
    assert "bars of 1h" in err
