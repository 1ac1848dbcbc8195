"""`candlelock audit table`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tests.unit.leakage import training_tables as made

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

COLUMNS = ("--time", "time", "--label", "label", "--label-end", "label_end", "--split", "split", "--symbol", "symbol")


@pytest.fixture
def rows() -> pd.DataFrame:
    table = made.table(1, 2, 1200).drop(columns="outcome")
    for name in ("time", "label_end"):
        table[name] = pd.to_datetime(table[name], unit="ms", utc=True)
    return table


def saved(table: pd.DataFrame, folder: Path) -> str:
    table.to_parquet(folder / "table.parquet")
    return str(folder / "table.parquet")


def test_an_honest_table(candlelock: Run, rows: pd.DataFrame, tmp_path: Path) -> None:
    code, out, _ = candlelock("audit", "table", saved(rows, tmp_path), *COLUMNS)
    assert code == 0, out
    for name in ("intervals", "missing ends", "filled labels", "copies", "series", "prediction"):
        assert name in out
    assert "no finding" in out
    assert "13 features" in out


def test_findings_name_place_times_and_help(candlelock: Run, rows: pd.DataFrame, tmp_path: Path) -> None:
    path = saved(rows.assign(leak=1 - rows["label"]), tmp_path)
    code, out, _ = candlelock("audit", "table", path, *COLUMNS)
    assert code == 1
    assert "error[label-in-feature] leak BTC row 0" in out
    assert "known 2020-09-13T21:00:00Z, used 2020-09-13T13:00:00Z" in out
    code, out, _ = candlelock("audit", "table", path, *COLUMNS, "--json")
    document = json.loads(out)
    assert (code, document["passed"]) == (1, False)
    assert [found["subject"] for found in document["findings"]] == ["leak"]
    assert document["n_rows_of_part"]["train"] == int((rows["split"] == "train").sum())
    code, _, _ = candlelock("audit", "table", path, *COLUMNS, "--features", "return_1, volume")
    assert code == 0


def test_the_embargo_is_asked_for(candlelock: Run, rows: pd.DataFrame, tmp_path: Path) -> None:
    path = saved(rows, tmp_path)
    code, out, _ = candlelock("audit", "table", path, *COLUMNS, "--embargo", "4h")
    assert code == 1
    assert "embargo of 14400 s included" in out
    for wrong in ("4", "-4h", "soon", ""):
        code, _, err = candlelock("audit", "table", path, *COLUMNS, "--embargo", wrong)
        assert code == 2
        assert "audit-table-embargo" in err


def test_bad_input_is_told(candlelock: Run, rows: pd.DataFrame, tmp_path: Path) -> None:
    path = saved(rows, tmp_path)
    code, _, err = candlelock("audit", "table", path, "--time", "tim", "--label", "label", "--split", "split")
    assert code == 2
    assert "did you mean 'time'?" in err
    assert "it may be label_end" in err


@pytest.fixture
def candles(rows: pd.DataFrame, tmp_path: Path) -> Path:
    """Candle files of both symbols, and of one that ended half-way."""
    folder = tmp_path / "candles"
    folder.mkdir()
    dates = pd.date_range(rows["time"].min() - pd.Timedelta("1h"), rows["time"].max(), freq="h")
    for name, n_bars in (("BTC", len(dates)), ("ETH", len(dates)), ("LUNA", len(dates) // 2)):
        prices = dict.fromkeys(("open", "high", "low", "close", "volume"), 1.0)
        frame = pd.DataFrame({"date": dates[:n_bars], **prices})
        frame.to_feather(folder / f"{name}_USDT-1h.feather")
    return folder


def test_a_table_of_survivors(candlelock: Run, rows: pd.DataFrame, candles: Path, tmp_path: Path) -> None:
    path = saved(rows, tmp_path)
    code, out, _ = candlelock("audit", "table", path, *COLUMNS, "--candles", str(candles))
    assert code == 1
    assert "error[universe-survivors] LUNA/USDT" in out
    (candles / "LUNA_USDT-1h.feather").unlink()
    assert candlelock("audit", "table", path, *COLUMNS, "--candles", str(candles))[0] == 0
    (candles / "ETH_USDT-1h.feather").unlink()
    code, _, err = candlelock("audit", "table", path, *COLUMNS, "--candles", str(candles))
    assert code == 2
    assert "no candles of ETH" in err
