"""`candlelock orderbook import`: what it prints and which options it refuses."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from candlelock.cli import main as cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command: exit code, standard output, standard error."""
    monkeypatch.delenv("CANDLELOCK_DEBUG", raising=False)

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["candlelock", "orderbook", "import", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


def test_it_says_what_it_made(run: Callable[..., tuple[int, str, str]], parts: list[Path], tmp_path: Path) -> None:
    code, out, err = run(*parts, "--symbol", "BTC/USDT", "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    assert "3 of 1m, 2024-08-09T00:00:00Z to 2024-08-09T00:02:00Z" in out
    assert "0 contradictions in 1 comparisons" in out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["BTC-USDT.parquet", "book.json"]


def test_breaks_are_shown(run: Callable[..., tuple[int, str, str]], lines: list[bytes], tmp_path: Path) -> None:
    (path := tmp_path / "a.txt").write_bytes(b"".join(lines[:4] + lines[5:]))
    code, out, _ = run(path, "--symbol", "BTC/USDT", "--out", tmp_path / "out")
    assert code == 0
    assert "break in depth at a.txt:6: expected 11, found 12" in out


def test_json_is_the_report(run: Callable[..., tuple[int, str, str]], parts: list[Path], tmp_path: Path) -> None:
    options = ("--timeframe", "5m", "--levels", "2", "--json")
    code, out, _ = run(*parts, "--symbol", "BTC/USDT", "--out", tmp_path / "out", *options)
    assert code == 0
    assert json.loads(out) == {"out": str(tmp_path / "out")} | json.loads((tmp_path / "out/book.json").read_text())
    assert (json.loads(out)["timeframe"], json.loads(out)["levels"]) == ("5m", [2])


@pytest.mark.parametrize("levels", ["", "0", "1,1", "5,1", "1,", "a", "-1", "5001", "1,²"])
def test_wrong_levels_are_refused(run: Callable[..., tuple[int, str, str]], parts: list[Path], levels: str) -> None:
    code, _, err = run(*parts, "--symbol", "BTC/USDT", "--out", parts[0].parent / "out", f"--levels={levels}")
    assert code == 2
    assert "error[book-option] --levels" in err


def test_all_wrong_options_are_told_at_once(run: Callable[..., tuple[int, str, str]], parts: list[Path]) -> None:
    options = ("--symbol", "BTCUSDT", "--timeframe", "0m", "--levels", "x")
    code, out, err = run(*parts, "--out", parts[0].parent / "out", *options, "--json")
    assert code == 2
    assert [each["place"] for each in json.loads(out)["problems"]] == ["--symbol", "--timeframe", "--levels"]
    assert "Traceback" not in err
