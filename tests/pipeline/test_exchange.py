"""The same project, its candles asked of an exchange: by parameters alone, with the features of the same files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from candlelock.simulator.candle_folder import load_markets
from candlelock.simulator.running import running
from tests.pipeline.project import change_params

if TYPE_CHECKING:
    from tests.pipeline.project import Project


def test_an_exchange_gives_the_features_of_the_same_candles_in_files(copy: Project) -> None:
    before = copy.lock()
    with running("binance", load_markets(copy.root / "data/candles", "1h")) as sim:
        asked = {"base_url": sim.base_url, "start": "2024-01-01", "end": "2024-04-10", "days": None}
        change_params(copy.root, {"snapshot": {"source": "exchange", "exchange": asked}})
        copy.dvc("repro", "features")
        assert {request["fault"] for request in sim.requests} == {None}
    after = copy.lock()
    assert after["data/snapshot"] != before["data/snapshot"]
    assert after["data/features"] == before["data/features"]
    manifest = json.loads((copy.root / "data/snapshot/manifest.json").read_text())
    assert manifest["source"]["asked"] == {"start_utc": "2024-01-01T00:00:00Z", "end_utc": "2024-04-10T00:00:00Z"}
    assert {column["name"] for column in manifest["symbols"][0]["columns"]} >= {"quote_volume", "taker_buy_volume"}
