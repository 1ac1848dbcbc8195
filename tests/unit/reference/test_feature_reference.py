"""The reference of features: words, the table, plots that show what is there, and a page that needs nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from candlelock.artifacts import documents
from candlelock.artifacts.user_files import read_catalogue
from candlelock.contracts import files
from candlelock.contracts.errors import InputError
from candlelock.contracts.registry import Feature, select
from candlelock.contracts.snapshot_documents import Manifest
from candlelock.features.build import build_features
from candlelock.reference import page, table, wording
from candlelock.reference.plots import draw
from candlelock.reference.values import read_spreads
from tests.markets import HOUR_MS, walk
from tests.pages import Page

ROOT = Path(__file__).resolve().parents[3]
CATALOGUE = read_catalogue(ROOT)
SOME = select(CATALOGUE, ["returns", "time", "taker", "timeframes"])
MARKET = walk(seed=2, n_symbols=2, n_bars=1500, gap_share=0.02)
FIELDS = {"name": "a_1", "group": "trend", "dtype": "float64", "unit": "u", "warmup_bars": 0}


def entry(**changes: Any) -> Feature:
    return Feature.model_validate(FIELDS | {"inputs": ["close"], "available_at": "close", "formula": "f"} | changes)


@pytest.mark.parametrize(
    ("ends", "words"), [(None, ""), ([0, 100], "[0, 100]"), ([0, None], "[0, …)"), ([None, 1.5], "(…, 1.5]")]
)
def test_a_range_in_words(ends: Any, words: str) -> None:
    assert wording.range_words(entry(range=ends)) == words


@pytest.mark.parametrize(
    ("bars", "days", "declared", "on_half_hours"),
    [
        (0, 0, "0 bars", "none"),
        (1, 0, "1 bar", "1 bar, 30 min"),
        (14, 0, "14 bars", "14 bars, 7 h"),
        (0, 7, "7 days", "336 bars, 7 d"),
        (1, 1, "1 bar + 1 day", "49 bars, 1 d 30 min"),
        (0, 30, "30 days", "1,440 bars, 30 d"),
    ],
)
def test_a_warm_up_in_words(bars: int, days: int, declared: str, on_half_hours: str) -> None:
    feature = entry(warmup_bars=bars, warmup_days=days)
    assert wording.warmup_words(feature) == declared
    assert wording.warmup_on(feature, 1_800_000) == on_half_hours


def test_when_a_value_is_known_in_words() -> None:
    assert wording.known_words(entry()) == "close of the bar"
    assert wording.known_words(entry(available_at="x12_close")) == "close of the last finished bar of 12"


def test_the_table_has_a_row_of_eight_cells_for_every_entry_below_its_group() -> None:
    text = table.render([*CATALOGUE, entry(name="odd_1", formula="|a| + b", reference="Nobody 1900")])
    rows = re.findall(r"^\| `(\w+)` (.*)\|$", text, flags=re.MULTILINE)
    assert [name for name, _ in rows] == [*(each.name for each in CATALOGUE), "odd_1"]
    assert {len(re.findall(r"(?<!\\)\|", cells)) for _, cells in rows} == {7}
    assert r"\|a\| + b" in text
    headings = re.findall(r"^## (\w+)$", text, flags=re.MULTILINE)
    assert headings[:-1] == list(dict.fromkeys(each.group for each in CATALOGUE))
    assert f"{len(CATALOGUE) + 1} features in {len(headings)} groups:" in text


def points(path: str) -> list[list[tuple[float, float]]]:
    """The runs of a path, each with its points."""
    return [[(float(x), float(y)) for x, y in re.findall(r"([-\d.]+),([-\d.]+)", run)] for run in path.split("M")[1:]]


def test_a_plot_is_a_line_through_the_values_that_breaks_where_there_is_none() -> None:
    times = HOUR_MS * np.arange(8)
    values = np.array([1.0, 3.0, np.nan, np.nan, 2.0, np.nan, 1.0, 3.0])
    chart = draw("x_1", times, values)
    assert chart is not None
    (mark,) = chart.marks
    runs = points(mark.path)
    assert [len(run) for run in runs] == [2, 1, 2]
    drawn = dict(point for run in runs for point in run)
    for at in (0, 1, 4, 6, 7):
        x, y = chart.x.scale(float(times[at])), chart.y.scale(float(values[at]))
        assert drawn[round(x, 1)] == pytest.approx(y, abs=0.051)
    assert "h1" in mark.path
    assert chart.alt == "x_1: from 1 to 3 over 8 bars"


@pytest.mark.parametrize("value", [0.0, 1.0, -3e-15, 7e21])
def test_a_plot_of_one_value_or_of_extreme_ones_is_drawn(value: float) -> None:
    times = HOUR_MS * np.arange(30)
    for values in (np.full(30, value), value * np.linspace(1, 9, 30)):
        chart = draw("x_1", times, values)
        assert chart is not None
        assert all(np.isfinite(number) for run in points(chart.marks[0].path) for point in run for number in point)


def test_a_feature_without_a_value_has_no_plot() -> None:
    assert draw("x_1", HOUR_MS * np.arange(3), np.full(3, np.nan)) is None


@pytest.mark.parametrize(
    ("bar_ms", "n_bars", "labels"),
    [
        (60_000, 20, ["1970-01-01", "00:05", "00:10", "00:15"]),
        (HOUR_MS, 30, ["1970-01-01", "06:00", "12:00", "18:00", "1970-01-02"]),
        (24 * HOUR_MS, 12, [f"1970-01-{day:02}" for day in (1, 3, 5, 7, 9, 11)]),
    ],
)
def test_times_are_marked_at_round_ones(bar_ms: int, n_bars: int, labels: list[str]) -> None:
    chart = draw("x_1", bar_ms * np.arange(n_bars), np.arange(float(n_bars)))
    assert chart is not None
    assert [tick.label for tick in chart.x.ticks] == labels


@pytest.fixture(scope="module")
def plots() -> page.Plots:
    told: list[tuple[int, int]] = []
    made = page.plot(MARKET, "0" * 64, "S1", SOME, [], 100, lambda done, of: told.append((done, of)))
    assert told[-1] == (len(SOME), len(SOME))
    return made


def test_plots_show_what_the_whole_history_gives(plots: page.Plots) -> None:
    """The past that is left out is beyond every warm-up."""
    whole = build_features(MARKET, SOME)
    assert list(plots.charts) == [each.name for each in SOME]
    for name, chart in plots.charts.items():
        expected = draw(name, MARKET.open_time_ms[-100:], whole[name][1, -100:])
        assert chart == expected
    assert plots.charts["return_1"] is not None
    assert plots.charts["taker_imbalance_1"] is None


def test_the_page_has_everything_of_every_entry_and_needs_nothing_else(plots: page.Plots) -> None:
    on = [each.name for each in SOME if each.group != "time"]
    read = Page(page.render(SOME, on, HOUR_MS, plots))
    read.require_nothing_outside()
    ids = [attrs["id"] for tag, attrs in read.tags if tag == "article"]
    assert ids == [f"{each.group}.{each.name}" for each in SOME]
    links = {attrs["href"] for tag, attrs in read.tags if tag == "a"}
    assert links == {f"#{attrs['id']}" for tag, attrs in read.tags if tag == "section" and "id" in attrs}
    words = read.text()
    for each in SOME:
        for said in (each.formula, each.unit, wording.warmup_on(each, HOUR_MS), each.reference or ""):
            assert " ".join(said.split()) in words
    n_drawn = sum(chart is not None for chart in plots.charts.values())
    assert sum(tag == "svg" for tag, _ in read.tags) == n_drawn + 1
    assert words.count("No value on these candles.") == len(SOME) - n_drawn
    assert words.count("(off)") == sum(each.group == "time" for each in SOME)


def test_the_page_is_there_without_plots() -> None:
    read = Page(page.render(CATALOGUE, [], HOUR_MS, None))
    assert "data/snapshot is not built" in read.text()
    assert not [tag for tag, _ in read.tags if tag == "svg"]


def test_values_of_a_page_are_escaped() -> None:
    assert "<b>" not in page.render([entry(formula="a <b> c")], [], HOUR_MS, None)


@pytest.fixture
def tables(tmp_path: Path, built_project: Path) -> Path:
    """Two symbols' tables with one feature; the manifest is that of the built project."""
    manifest = documents.read(built_project / files.MANIFEST, Manifest)
    documents.write(tmp_path / files.MANIFEST, manifest.model_copy(update={"symbols": manifest.symbols[:2]}))
    (tmp_path / files.FEATURES).mkdir(parents=True)
    for symbol, values in zip(manifest.symbols, ([None, *map(float, range(101))], [None, None]), strict=False):
        pq.write_table(pa.table({"a_1": pa.array(values, pa.float64())}), tmp_path / files.FEATURES / symbol.file)
    return tmp_path


def test_the_spread_of_values_is_read_of_each_symbol(tables: Path) -> None:
    full, empty = read_spreads(tables, "a_1")
    assert (full.n_rows, full.n_null, full.mean) == (102, 1, 50.0)
    assert full.quantiles == {"0%": 0, "1%": 1, "25%": 25, "50%": 50, "75%": 75, "99%": 99, "100%": 100}
    assert (empty.n_rows, empty.n_null, empty.mean, set(empty.quantiles.values())) == (2, 2, None, {None})
    assert read_spreads(tables, "b_1") == []
    assert read_spreads(tables / "elsewhere", "a_1") == []


def test_a_broken_table_is_a_clear_error(tables: Path) -> None:
    next((tables / files.FEATURES).iterdir()).write_bytes(b"PAR1")
    with pytest.raises(InputError, match="table-unreadable"):
        read_spreads(tables, "a_1")
