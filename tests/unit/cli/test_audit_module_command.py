"""`candlelock audit module`: what it prints, its JSON, and its exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from candlelock.leakage.module.report import ModuleReport
from tests.markets import walk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

SOUND = """
import numpy as np

def sound(frame):
    move = np.log(frame["close"]).diff()
    return {"move": move, "deviation": move.rolling(10).std()}

def helper(column, length):
    return column.rolling(length).mean()
"""
LEAKY = """
def leaky(frame):
    return {"ahead": frame["close"].shift(-1) / frame["close"] - 1, "now": frame["close"].diff()}
"""


@pytest.fixture
def candles(tmp_path: Path) -> Path:
    """Candles of two symbols, with gaps."""
    market, path = walk(8, 2, 400, gap_share=0.01), tmp_path / "candles"
    path.mkdir()
    dates = pd.to_datetime(market.open_time_ms, unit="ms", utc=True)
    for row, symbol in enumerate(("BTC", "ETH")):
        columns = {name: values[row] for name, values in market.columns().items()}
        frame = pd.DataFrame({"date": dates, **columns}).dropna().reset_index(drop=True)
        frame.to_feather(path / f"{symbol}_USDT-1h.feather")
    return path


def written(folder: Path, code: str) -> str:
    (folder / "own_features.py").write_text(code)
    return str(folder / "own_features.py")


def test_a_sound_file_passes_and_what_was_not_examined_is_said(tmp_path: Path, candles: Path, candlelock: Run) -> None:
    code, out, err = candlelock("audit", "module", written(tmp_path, SOUND), "--candles", str(candles))
    assert (code, err) == (0, "")
    assert "own_features.py: no finding; BTC/USDT, ETH/USDT" in out
    assert "not called, for they take more than a frame: helper" in out
    assert "not examined: look-back, inputs and the time of availability" in out
    assert "FAILED" not in out
    row = next(line.split() for line in out.splitlines() if " deviation " in line)
    assert row[:3] == ["ok", "sound", "deviation"]
    assert row[-1] == "10"


def test_a_leak_is_named_with_exit_code_1(tmp_path: Path, candles: Path, candlelock: Run) -> None:
    words = ("audit", "module", written(tmp_path, LEAKY), "--candles", str(candles), "--timeframe", "1h")
    code, out, err = candlelock(*words, "--timeout", "30")
    assert (code, err) == (1, "")
    assert "error[future-prefix] leaky.ahead BTC/USDT" in out
    assert "used 20" in out
    assert "the first later candle that matters is 1 bar after the row" in out
    assert "1 of 2 columns at fault" in out
    code, out, _ = candlelock(*words, "--json")
    document = json.loads(out)
    findings = document.pop("findings")
    report = ModuleReport.model_validate(document)
    assert code == 1
    assert not report.passed
    assert {each["subject"] for each in findings} == {"leaky.ahead"}
    assert [check.name for check in report.checks] == [
        "calls",
        "files",
        "repetition",
        "prefix",
        "future",
        "rows",
        "process",
        "clock",
    ]
    assert {each.column: each.passed for each in report.columns} == {"ahead": False, "now": True}


@pytest.mark.parametrize(
    ("file", "folder", "said"),
    [
        ("def f(:", "{candles}", "error[plugin-import]"),
        (None, "{candles}", "error[audit-module-file]"),
        ("def f(frame, n):\n    return n\n", "{candles}", "error[audit-module-functions]"),
        (SOUND, "{candles}/none", "error[audit-candles]"),
    ],
)
def test_bad_input_is_an_error_with_exit_code_2(
    file: str | None, folder: str, said: str, tmp_path: Path, candles: Path, candlelock: Run
) -> None:
    path = str(tmp_path / "missing.py") if file is None else written(tmp_path, file)
    code, out, err = candlelock("audit", "module", path, "--candles", folder.format(candles=candles))
    assert (code, out) == (2, "")
    assert said in err
