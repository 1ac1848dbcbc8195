"""The stage `snapshot` leaves candles or nothing; `quality` the report of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from candlelock.artifacts import documents
from candlelock.artifacts.user_files import read_params
from candlelock.contracts import files
from candlelock.contracts.errors import InputError
from candlelock.contracts.params import Params
from candlelock.contracts.quality_documents import QualityReport
from candlelock.snapshot import candles, quality, quality_page
from stages import quality as quality_stage
from stages import snapshot

ROOT = Path(__file__).resolve().parents[3]
HEADER = "date,open,high,low,close,volume"


def given(folder: Path, max_missing_frac: float) -> Params:
    """Parameters for 100 half-hour candles of BTC/USD in `folder`, one of them missing."""
    lines = [
        f"2024-01-{1 + row // 48:02d} {row % 48 // 2:02d}:{30 * (row % 2):02d}:00,1,2,1,1.5,7" for row in range(100)
    ]
    folder.mkdir()
    (folder / "BTC-USD.csv").write_text("\n".join([HEADER, *lines[:40], *lines[41:]]) + "\n")
    values = read_params(ROOT).model_dump()
    values["snapshot"] |= {"source": "files", "symbols": ["BTC/USD"], "timeframe": "30m", "min_rows": 10}
    values["snapshot"]["files"]["path"] = str(folder)
    values["snapshot"]["quality"]["max_missing_frac"] = max_missing_frac
    return Params.model_validate(values)


def test_report_and_page_are_of_the_published_candles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = given(tmp_path / "in", max_missing_frac=0.5)
    monkeypatch.chdir(tmp_path)
    snapshot.run(params)
    quality_stage.run(params)
    report = documents.read(files.QUALITY_REPORT, QualityReport)
    manifest, tables = candles.read_exact(files.SNAPSHOT)
    assert report == quality.report(tables, manifest, params.snapshot.quality)
    assert report.snapshot_id == manifest.snapshot_id
    assert report.symbols[0].missing.n_bars == 1
    assert files.QUALITY_PAGE.read_text(encoding="utf-8") == quality_page.render(report)


def test_candles_beyond_a_limit_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = given(tmp_path / "in", max_missing_frac=0.005)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        snapshot.run(params)
    assert [problem.code for problem in caught.value.problems] == ["quality-missing"]
    assert not files.SNAPSHOT.exists()
