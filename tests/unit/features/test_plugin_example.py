"""The worked example of docs/plugins.md: it is sound, its warm-up is exact, and it cannot see later candles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from candlelock.features.build import build_features
from candlelock.features.plugins import Plugin, load_plugin
from candlelock.features.validation import plugin_problems
from tests.markets import HOUR_MS, between, of_closes, walk

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "plugins.md").read_text(encoding="utf-8")
MARKET = walk(seed=11, n_symbols=2, n_bars=300, gap_share=0.02)


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Plugin:
    """The page's first block of code, with the first one of YAML beside it."""
    path = tmp_path_factory.mktemp("plugins") / "my_features.py"
    for suffix, language in ((".py", "python"), (".yml", "yaml")):
        found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
        assert found
        path.with_suffix(suffix).write_text(found[1])
    return load_plugin(path)


def build(plugin: Plugin, market: Market) -> dict[str, Array]:
    return build_features(market, plugin.entries, [plugin])


def test_it_is_sound(plugin: Plugin) -> None:
    assert plugin_problems(plugin.path, [], HOUR_MS) == []


def test_its_values_are_what_its_entries_say(plugin: Plugin) -> None:
    built = build(plugin, MARKET)
    times = pd.to_datetime(MARKET.open_time_ms, unit="ms", utc=True)
    for row in range(2):
        for bar in range(300):
            window = slice(bar - 23, bar + 1)
            span = (MARKET.high - MARKET.low)[row, window]
            up = (MARKET.close > MARKET.open)[row, window]
            expected = span[up].sum() / span.sum() if bar >= 23 else np.nan
            np.testing.assert_allclose(built["up_range_share_24"][row, bar], expected, rtol=1e-12)
    at = built["is_wall_street_open"][0]
    winter = (times.day_of_week < 5) & (times.hour * 60 + times.minute >= 870) & (times.hour < 21)
    np.testing.assert_array_equal(at, winter.astype(float))
    assert 0.1 < at.mean() < 0.3


def test_as_many_bars_as_its_warm_up_give_the_same_bits_and_later_ones_change_nothing(plugin: Plugin) -> None:
    whole = build(plugin, MARKET)
    for bar in range(40, 300):
        window = build(plugin, between(MARKET, bar - 23, bar + 1))
        for name, values in whole.items():
            assert window[name][:, -1].tobytes() == values[:, bar].tobytes(), (name, bar)


def test_standing_prices_give_no_value(plugin: Plugin) -> None:
    share = build(plugin, of_closes([7.0] * 40))["up_range_share_24"]
    assert np.isnan(share).all()
