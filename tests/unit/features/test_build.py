"""The builder holds groups and registry together, masks the warm-up, and makes a row of each candle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from candlelock.artifacts.user_files import read_catalogue
from candlelock.contracts.errors import InputError
from candlelock.contracts.registry import Feature, select, table_schema
from candlelock.features.build import build_features, build_in_parts, build_tables
from candlelock.features.market import Market
from tests.markets import HOUR_MS, walk

ROOT = Path(__file__).resolve().parents[3]
GROUPS = ["returns", "momentum", "trend", "time", "cross_asset", "relative"]
REGISTRY = tuple(entry for entry in select(read_catalogue(ROOT), GROUPS) if entry.warmup(HOUR_MS) < 700)
MARKET = walk(seed=3, n_symbols=3, n_bars=750, gap_share=0.02, latest_start=20)


def test_columns_follow_the_registry_not_the_groups() -> None:
    backwards = tuple(reversed(REGISTRY))
    assert list(build_features(MARKET, backwards)) == [entry.name for entry in backwards]
    some = select(REGISTRY, ["time", "trend"])
    assert list(build_features(MARKET, some)) == [entry.name for entry in some]


def test_nothing_is_known_inside_the_warm_up_and_everything_at_some_bar_after() -> None:
    features = build_features(MARKET, REGISTRY)
    first = np.argmax(MARKET.has_bar, axis=1)
    assert first.max() > 0
    for entry in REGISTRY:
        for row in range(3):
            known = np.isfinite(features[entry.name][row])
            assert not known[: first[row] + entry.warmup(HOUR_MS)].any(), entry.name
            assert known[first[row] + entry.warmup(HOUR_MS) :].any(), entry.name


def test_no_value_stands_where_there_is_no_candle() -> None:
    missing = ~MARKET.has_bar
    assert missing.sum() > 20
    assert all(np.isnan(values[missing]).all() for values in build_features(MARKET, REGISTRY).values())
    tables = build_tables(MARKET, REGISTRY)
    assert [tables[symbol].num_rows for symbol in MARKET.symbols] == MARKET.has_bar.sum(axis=1).tolist()


@pytest.mark.parametrize("n_bars", [1, 100, 512, 749, 10_000])
def test_parts_of_any_length_are_the_whole(n_bars: int) -> None:
    whole = build_features(MARKET, REGISTRY)
    parts = list(build_in_parts(MARKET, REGISTRY, n_bars))
    assert len(parts) == -(-750 // n_bars)
    for name, values in whole.items():
        assert np.concatenate([part[name] for part in parts], axis=1).tobytes() == values.tobytes(), name


def test_tables_fit_their_schema_and_hold_the_features_at_the_candles() -> None:
    features, tables = build_features(MARKET, REGISTRY), build_tables(MARKET, REGISTRY)
    for row, symbol in enumerate(MARKET.symbols):
        table, at = tables[symbol], MARKET.has_bar[row]
        assert table_schema(REGISTRY).problems(table, symbol) == []
        times = table["open_time_utc"].cast("int64").to_numpy()
        np.testing.assert_array_equal(times, MARKET.open_time_ms[at])
        for name, values in features.items():
            stored = table[name].to_numpy()
            np.testing.assert_array_equal(stored, values[row][at])
            assert table[name].null_count == np.isnan(values[row][at]).sum()


def entry(name: str, group: str = "trend") -> Feature:
    fields = {"dtype": "float64", "unit": "1", "warmup_bars": 0, "available_at": "close", "formula": "x"}
    return Feature.model_validate({"name": name, "group": group, "inputs": ["close"], **fields})


def test_an_entry_without_a_function_is_refused() -> None:
    entries = (*select(REGISTRY, ["trend"]), entry("range_position_97"))
    with pytest.raises(InputError) as caught:
        build_features(MARKET, entries)
    (problem,) = caught.value.problems
    assert (problem.code, problem.place) == ("feature-without-function", "features.yml range_position_97")
    assert problem.help == "did you mean 'range_position_96'?"


def test_any_features_may_be_asked_for_alone() -> None:
    whole = build_features(MARKET, REGISTRY)
    for some in (REGISTRY[3:4], REGISTRY[::17]):
        assert {name: values.tobytes() for name, values in build_features(MARKET, some).items()} == {
            entry.name: whole[entry.name].tobytes() for entry in some
        }


def test_what_counts_bars_is_the_same_on_bars_of_any_length() -> None:
    by_minute = Market(
        MARKET.symbols, 60_000, 60_000 * (MARKET.open_time_ms // HOUR_MS), MARKET.open, MARKET.high, MARKET.low,
        MARKET.close, MARKET.volume,
    )  # fmt: skip
    entries = tuple(each for each in REGISTRY if each.group != "time" and not each.warmup_days)
    hourly, minutely = build_features(MARKET, entries), build_features(by_minute, entries)
    for name, values in hourly.items():
        np.testing.assert_array_equal(values, minutely[name], err_msg=name)
