"""Plug-ins: what a user's functions may return, and every way in which one can go wrong, planted for real."""

from __future__ import annotations

import os
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from candlelock.contracts import files
from candlelock.contracts.errors import InputError, Problem
from candlelock.contracts.stage_params import FeaturesParams
from candlelock.features.build import build_features
from candlelock.features.market import CANDLE_FIELDS, Market
from candlelock.features.plugins import Plugin, build_plugin, load_plugin, load_plugins
from tests.markets import FIRST_MS, HOUR_MS, of_closes, walk

if TYPE_CHECKING:
    from pathlib import Path

MARKET = walk(seed=5, n_symbols=2, n_bars=40, gap_share=0.1)
HEAD = "import numpy as np\nimport pandas as pd\n"
N_HEAD = HEAD.count("\n")


def write(folder: Path, code: str, *names: str, file: str = "mine") -> Path:
    """A plug-in with its registry; `code` stands below the imports."""
    path = folder / f"{file}.py"
    path.write_text(HEAD + dedent(code))
    entries = [
        f"  - {{name: {name}, group: {file}, dtype: float64, unit: u, warmup_bars: 0, inputs: [close], "
        "available_at: close, formula: f}"
        for name in names
    ]
    path.with_suffix(".yml").write_text("\n".join(["features:", *entries]) + "\n")
    return path


def load(folder: Path, code: str, *names: str) -> Plugin:
    return load_plugin(write(folder, code, *names or ("a",)))


def refused(folder: Path, code: str, *names: str, market: Market = MARKET) -> Problem:
    """The one problem that building the plug-in has."""
    with pytest.raises(InputError) as caught:
        build_plugin(load(folder, code, *names), market)
    (problem,) = caught.value.problems
    return problem


def test_columns_come_back_for_every_symbol_in_float64(tmp_path: Path) -> None:
    code = """
    def moves(frame):
        close = frame["close"]
        return {"a": np.log(close).diff(), "b": close > close.shift(1), "c": np.arange(len(frame)), "d": [1.5] * 40}

    def others(frame):
        return pd.DataFrame({"e": frame["close"].astype("float32"), "f": frame["volume"].astype("Float64")})

    def _hidden(frame):
        raise RuntimeError

    alias = moves
    """
    built = build_plugin(load(tmp_path, code, *"abcdef"), MARKET)
    assert list(built) == list("abcdef")
    close = MARKET.close
    moves = np.full_like(close, np.nan)
    moves[:, 1:] = np.log(close[:, 1:]) - np.log(close[:, :-1])
    np.testing.assert_allclose(built["a"], moves, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(built["b"][:, 1:], (close[:, 1:] > close[:, :-1]).astype(float))
    np.testing.assert_array_equal(built["c"], np.tile(np.arange(40.0), (2, 1)))
    np.testing.assert_array_equal(built["e"], close.astype(np.float32).astype(np.float64))
    np.testing.assert_array_equal(built["f"], MARKET.volume)
    assert {values.dtype for values in built.values()} == {np.dtype(np.float64)}
    assert {values.shape for values in built.values()} == {(2, 40)}


def test_the_frame_is_one_symbol_on_its_grid_with_optional_columns_and_a_copy(tmp_path: Path) -> None:
    taken = np.array([[1.0, 2.0, 3.0], [np.nan] * 3])
    closes = of_closes([1.0, np.nan, 3.0], [4.0, 5.0, 6.0])
    fields = {name: getattr(closes, name) for name in CANDLE_FIELDS}
    market = Market(("A", "B"), HOUR_MS, closes.open_time_ms, **fields, extras={"taker_buy_volume": taken})
    code = f"""
    COLUMNS = ["open", "high", "low", "close", "volume", "taker_buy_volume"]

    def seen(frame):
        if list(frame.columns) != COLUMNS or set(map(str, frame.dtypes)) != {{"float64"}}:
            raise ValueError(list(frame.columns))
        if frame.index[1] != pd.Timestamp({FIRST_MS + HOUR_MS}, unit="ms", tz="UTC"):
            raise ValueError(frame.index)
        return {{"a": frame["close"], "b": frame["taker_buy_volume"]}}
    """
    built = build_plugin(load(tmp_path, code, "a", "b"), market)
    np.testing.assert_array_equal(built["a"], closes.close)
    np.testing.assert_array_equal(built["b"], taken)
    built["a"][:] = 0.0
    assert closes.close[1, 2] == 6.0


GOOD = "def good(frame):\n    return {'a': frame['close']}\n"


BODIES = {
    "raises": ("x = frame['colse']\n    return {'a': x}", "plugin-failed", 2, "KeyError: 'colse'"),
    "raises further down": ("return {'a': _inner(frame)}", "plugin-failed", 5, "ZeroDivisionError: division by zero"),
    "raises elsewhere": ("np.linalg.inv(frame[['low']])", "plugin-failed", 2, "LinAlgError: "),
    "leaves": ("raise SystemExit(3)", "plugin-failed", 2, "SystemExit: 3"),
    "a series": ("return frame['close']", "plugin-output", 1, "a Series"),
    "nothing": ("return None", "plugin-output", 1, "a NoneType"),
    "short": ("return {'a': frame['close'].iloc[1:]}", "plugin-output", 1, "a: 39 values"),
    "single": ("return {'a': 1.0}", "plugin-output", 1, "a: the shape ()"),
    "wide": ("return {'a': np.ones((len(frame), 2))}", "plugin-output", 1, "a: the shape (40, 2)"),
    "ragged": ("return {'a': [[1], [2, 3]]}", "plugin-output", 1, "a: "),
    "reversed": ("return {'a': frame['close'][::-1]}", "plugin-output", 1, "a: another index"),
    "no times": ("return {'a': frame['close'].reset_index(drop=True)}", "plugin-output", 1, "a: another index"),
    "none": ("return {'a': [None] * len(frame)}", "plugin-output", 1, "a: a list of object"),
    "objects": ("return {'a': frame['close'].astype(object)}", "plugin-output", 1, "a: a column of object"),
    "times": ("return {'a': frame.index}", "plugin-output", 1, "a: a DatetimeIndex of "),
    "times in a column": ("return {'a': frame.index.to_series()}", "plugin-output", 1, "a: a column of datetime64"),
    "text": ("return {'a': frame['close'].astype(str)}", "plugin-output", 1, "a: a column of str"),
    "complex": ("return {'a': frame['close'] * 1j}", "plugin-output", 1, "a: a column of complex128"),
    "masked": ("return {'a': np.ma.masked_invalid(frame['close'])}", "plugin-output", 1, "a: a masked array"),
    "infinite": ("return {'a': 1 / (frame['close'] * 0)}", "plugin-output", 1, "infinity at 2017-11-30T00:00:00Z"),
    "a name that is none": ("return {1: frame['close']}", "plugin-output", 1, "the column 1"),
    "a name twice": ("return pd.concat([frame[['close']]] * 2, axis=1)", "plugin-output", 1, "'close' again"),
    "adds a column": ("frame['x'] = 1.0\n    return {'a': frame['x']}", "plugin-changes-input", 1, "its frame"),
    "fills gaps": ("frame.ffill(inplace=True)\n    return {'a': frame['low']}", "plugin-changes-input", 1, "its frame"),
    "moves times": ("frame.index += pd.Timedelta('1h')\n    return {}", "plugin-changes-input", 1, "its frame"),
    "chance": ("return {'a': np.random.default_rng().normal(size=40)}", "plugin-unsteady", 1, "a of S0 at 2017-11-30"),
    "counts": ("_seen.append(1)\n    return {'a': frame['close'] * len(_seen)}", "plugin-unsteady", 1, "a of S0 at "),
    "of one symbol": ("return {'a': [1] * 40} if _first(frame) else {'b': [1] * 40}", "plugin-output", 1, "for S1"),
}  # fmt: skip
HELPERS = f"""
def _inner(frame):
    return 1 / 0

_seen = []

def _first(frame):
    return frame["close"].iloc[-1] == {MARKET.close[0, -1]!r}
"""


@pytest.mark.parametrize("case", BODIES)
def test_a_function_that_goes_wrong_is_named_with_its_line(case: str, tmp_path: Path) -> None:
    body, code, line, found = BODIES[case]
    problem = refused(tmp_path, f"def bad(frame):\n    {body}\n{HELPERS}")
    assert (problem.code, problem.place) == (code, f"{tmp_path}/mine.py:{N_HEAD + line} bad")
    assert found in problem.found


def test_what_one_symbol_leaves_behind_for_the_next_is_found(tmp_path: Path) -> None:
    code = """
    _levels = {}

    def level(frame):
        return {"a": frame["close"] / _levels.setdefault("first", frame["close"].mean())}
    """
    problem = refused(tmp_path, code)
    assert (problem.code, problem.found[:10]) == ("plugin-unsteady", "a of S0 at")


def test_every_function_s_problem_comes_at_once(tmp_path: Path) -> None:
    code = """
    def one(frame):
        return {"a": frame["x"]}

    def two(frame):
        return {"b": frame["close"], "c": [0]}

    def three(frame):
        return {"b": frame["close"]}

    def four(frame):
        return {"b": frame["close"]}
    """
    with pytest.raises(InputError) as caught:
        build_plugin(load(tmp_path, code, "a", "b", "c"), MARKET)
    assert [(each.code, each.place.split()[-1]) for each in caught.value.problems] == [
        ("plugin-failed", "one"),
        ("plugin-output", "two"),
        ("plugin-output", "four"),
    ]


def test_columns_and_entries_are_held_together_both_ways(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        build_plugin(
            load(tmp_path, "def f(frame):\n    return {'aa_2': frame['low'], 'b': frame['low']}", "aa_1", "b"), MARKET
        )
    assert [(each.code, each.place.split()[-1], each.help) for each in caught.value.problems] == [
        ("feature-without-function", "aa_1", "did you mean 'aa_2'?"),
        ("feature-without-entry", "aa_2", "did you mean 'aa_1'?"),
    ]


@pytest.mark.parametrize(
    ("code", "line", "found"),
    [
        ("def f(frame:\n    pass\n", 1, "SyntaxError: "),
        ("\nimport no_such_package_here\n", 2, "ModuleNotFoundError: No module named 'no_such_package_here'"),
        ("x = 1\n\ny = {}['k']\n", 3, "KeyError: 'k'"),
        ("raise SystemExit", 1, "SystemExit: "),
    ],
)
def test_a_file_that_cannot_be_run_is_named_with_its_line(code: str, line: int, found: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_plugin(write(tmp_path, code, "a"))
    (problem,) = caught.value.problems
    assert (problem.code, problem.place) == ("plugin-import", f"{tmp_path}/mine.py:{N_HEAD + line}")
    assert problem.found.startswith(found)
    assert "candlelock_plugin_mine" not in sys.modules


def test_a_file_in_another_encoding_is_a_clear_error(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD, "a")
    path.write_bytes(path.read_bytes() + b"x = 'caf\xe9'\n")
    with pytest.raises(InputError, match="plugin-import"):
        load_plugin(path)


def test_ctrl_c_in_a_plug_in_is_still_ctrl_c(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        build_plugin(load(tmp_path, "def f(frame):\n    raise KeyboardInterrupt\n"), MARKET)


def test_a_file_without_a_public_function_is_refused(tmp_path: Path) -> None:
    code = "from numpy import log\nfrom textwrap import dedent\n\ndef _f(frame):\n    pass\n\nclass Thing:\n    pass\n"
    with pytest.raises(InputError, match="plugin-empty"):
        load(tmp_path, code)


def test_the_file_is_read_anew_each_time_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also within one tick of the file's clock, and with as many bytes as before."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = write(tmp_path, "def f(frame):\n    return {'a': frame['low']}\n", "a")
    stamp, low = path.stat(), build_plugin(load_plugin(path), MARKET)
    path.write_text(path.read_text().replace(": frame", ":-frame"))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert path.stat().st_size == stamp.st_size
    np.testing.assert_array_equal(build_plugin(load_plugin(path), MARKET)["a"], -low["a"])
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.py", "mine.yml"]


def test_plugins_come_from_their_folder_in_the_order_of_the_parameters(tmp_path: Path) -> None:
    folder = tmp_path / files.PLUGINS
    folder.mkdir()
    for file in ("one", "two"):
        write(folder, f"def f(frame):\n    return {{'{file}_1': frame['close']}}\n", f"{file}_1", file=file)
    plugins = load_plugins(
        tmp_path, FeaturesParams(groups=["time"], exclude=[], plugins=["two.py", "one.py"], symbol_columns=False)
    )
    assert [(each.group, [entry.name for entry in each.entries]) for each in plugins] == [
        ("two", ["two_1"]),
        ("one", ["one_1"]),
    ]


def test_classes_of_a_plug_in_work(tmp_path: Path) -> None:
    """Dataclasses look their module up while the file runs."""
    code = """
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Window:
        n: "int" = 3

    def f(frame):
        return {"a": frame["close"].rolling(Window().n).mean()}
    """
    built = build_plugin(load(tmp_path, code), MARKET)
    pd.testing.assert_series_equal(
        pd.Series(built["a"][0]), pd.Series(MARKET.close[0]).rolling(3).mean(), check_exact=True
    )


def test_a_symbol_without_any_candle_has_no_value_of_a_plug_in_either(tmp_path: Path) -> None:
    """As before it is listed: nothing of it is known, and a constant would otherwise appear out of nowhere."""
    market = of_closes([float("nan")] * 6, [float("nan"), float("nan"), 1.0, 2.0, 3.0, 4.0])
    plugin = load(tmp_path, "def ones(frame):\n    return {'a': np.ones(len(frame))}\n")
    values = build_features(market, plugin.entries, (plugin,))["a"]
    assert np.isnan(values[0]).all()
    assert np.isnan(values[1]).tolist() == [True, True, False, False, False, False]
