"""Real candles beside the project: the test rows are those an independent reference computes from the same files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from candlelock.artifacts.user_files import read_params
from candlelock.contracts.documents import utc_text
from candlelock.contracts.stage_params import SnapshotParams
from candlelock.features.market import align
from candlelock.snapshot import candles, files, publication
from candlelock.split.labels import label
from candlelock.split.segments import assign
from tests.heads import direction
from tests.pipeline.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CANDLES = ROOT.parent / "shared/data/candles"

# Literal results of the reference script on these files: cut at 75 % of the pooled labelled rows, rows from it on, and
# their share of ups.
KNOWN = {
    "binance_spot_1m_2025": (["BTC/USDT", "ETH/USDT"], "1m", 1, "2025-07-27T03:35:00Z", 63_330, 0.50521),
}


@pytest.mark.shared
@pytest.mark.skipif(not CANDLES.is_dir(), reason="no candle folders beside the project")
@pytest.mark.parametrize("name", KNOWN)
def test_the_test_rows_are_the_references(name: str, tmp_path: Path) -> None:
    symbols, timeframe, horizon_bars, cut, n_rows, share_up = KNOWN[name]
    params = read_params(ROOT)
    wanted = SnapshotParams.model_validate(
        params.snapshot.model_dump() | {"source": "files", "symbols": symbols, "timeframe": timeframe}
    )
    raw, source = files.read(symbols, timeframe, CANDLES / name)
    publication.publish(tmp_path / "snapshot", raw, source, wanted)
    market = align(candles.read(tmp_path / "snapshot")[1], 60_000)
    rows = assign(label(market, direction(horizon_bars), 96), params.split, market.bar_ms)
    test = rows[(rows["segment"] == "test") & rows["is_up"].notna()]
    assert utc_text(test["open_time_ms"].min()) == cut
    assert len(test) == n_rows
    assert test["is_up"].mean() == pytest.approx(share_up, abs=5e-6)
