"""What freqtrade's lookahead-analysis and recursive-analysis say of the specimens that can be written as a strategy.

    python -m benchmarks.leakzoo.freqtrade --python VENV/bin/python --out benchmarks/leakzoo/freqtrade.json

Makes a virtual environment with freqtrade in a temporary folder, or takes the interpreter of one with --python. The
exchange is the loopback simulator; the candles are a walk of two symbols and 2,000 hours without gaps. Each specimen is
a strategy that enters while its column lies above its running median and leaves below; `lookahead-analysis` checks 20
of its trades. `recursive-analysis` compares columns only, so one strategy holds all of them.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.freqtrade_client import configuration, make_environment
from benchmarks.leakzoo import features
from benchmarks.leakzoo.market_functions import CLEAN, LEAKS
from benchmarks.leakzoo.markets import HOUR_MS, walk
from candlelock.causality.other_candles import between
from candlelock.causality.subject import subject_of
from candlelock.contracts.documents import utc_text
from candlelock.features.plugins import load_plugin
from candlelock.simulator.candle_folder import load_markets
from candlelock.simulator.running import running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candlelock.features.market import Market

HERE = Path(__file__).parent
PAIRS = ["BTC/USDT", "ETH/USDT"]
PER_PROCESS = 10  # strategies
STARTUP = 700  # candles before the first trade
NOT_WRITTEN = {
    "bars_to_gap": "freqtrade fills gaps before a strategy sees them",
    "joined_by_position": "freqtrade fills gaps before a strategy sees them",
    "after_gaps": "freqtrade fills gaps before a strategy sees them",
    "open_candle_as_final": "a strategy does not declare when a value is known; as such it is not early",
    "closed_one_bar_early": "a strategy does not declare when a value is known; as such it is not early",
}
CLEAN_TRIED = (
    "clean_lag_1", "clean_std", "clean_rank", "clean_zscore", "clean_slope", "clean_hurst", "clean_window_vwap",
    "clean_rarely_known", "clean_huge", "clean_ema_return", "clean_macd", "clean_rsi", "clean_percent_b",
    "clean_pivot_confirmed", "clean_centred_shifted", "clean_matured_label", "clean_lfilter", "clean_kalman",
    "clean_filtfilt_in_window", "clean_session_vwap", "clean_days_high_before", "clean_higher_4", "clean_resampled",
    "clean_merged_exact", "clean_expanding_zscore", "clean_other_asset", "clean_market_mean",
)  # fmt: skip


@dataclass(frozen=True)
class Strategy:
    """A specimen as a strategy: the plug-in's module, its function and the column."""

    name: str
    plugin: str
    function: str
    is_leak: bool

    @property
    def title(self) -> str:
        """The name of its class."""
        return "Zoo" + "".join(word.capitalize() for word in self.name.split("_"))

    def source(self) -> str:
        """The file of its class."""
        lines = ["from freqtrade_strategy import Planted", "", "", f"class {self.title}(Planted):"]
        lines += [f"    plugin, function, columns = {self.plugin!r}, {self.function!r}, ({self.name!r},)"]
        return "\n".join([*lines, ""])


def strategies(market: Market) -> list[Strategy]:
    """All leaks that can be written as one, and some clean specimens."""
    found = []
    for cage in (*features.FEATURES, *features.JOINS):
        functions = _functions(cage, market)
        found += [
            Strategy(each.name, Path(cage.file).stem, functions[each.name], bool(each.codes))
            for each in cage.declared
            if _is_tried(each.name, bool(each.codes))
        ]
    found += [Strategy(name, "market", name, name in LEAKS) for name in LEAKS | CLEAN if _is_tried(name, name in LEAKS)]
    return found


def _is_tried(name: str, is_leak: bool) -> bool:
    return name not in NOT_WRITTEN and (is_leak or name in CLEAN_TRIED)


def _functions(cage: features.Cage, market: Market) -> dict[str, str]:
    """Column -> the function that returns it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / cage.file
        shutil.copy(HERE / "plugins" / cage.file, path)
        features.write_registry(path.with_suffix(".yml"), cage.declared)
        plugin = load_plugin(path)
        units = subject_of(plugin.entries, (plugin,), between(market, 0, 300)).units
    return {name: unit.split(".", 1)[1] for name, unit in units.items()}


def write_candles(market: Market, folder: Path) -> None:
    """Feather files in freqtrade's layout, one for each pair; it trades nothing with a tick below 1e-11."""
    folder.mkdir(parents=True)
    for row, pair in enumerate(PAIRS):
        is_there = market.has_bar[row]
        date = pd.DatetimeIndex(market.open_time_ms[is_there].astype("datetime64[ms]")).tz_localize("UTC")
        columns = {
            name: getattr(market, name)[row, is_there].round(6) for name in ("open", "high", "low", "close", "volume")
        }
        frame = pd.DataFrame({"date": date} | columns)
        frame.to_feather(folder / f"{pair.replace('/', '_')}-1h.feather")


def write_code(work: Path, market: Market, chosen: Sequence[Strategy]) -> None:
    """What freqtrade imports, and a file for each strategy."""
    code, folder = work / "code", work / "user/strategies"
    code.mkdir(parents=True)
    folder.mkdir(parents=True)
    turn = utc_text(market.open_time_ms[len(market.open_time_ms) // 2])
    for path in [*(HERE / "plugins").glob("*.py"), *HERE.glob("freqtrade_*.py"), HERE / "market_functions.py"]:
        (code / path.name).write_text(path.read_text().replace(features.TURN, turn))
    for each in chosen:
        (folder / f"{each.title.lower()}.py").write_text(each.source())
    (folder / "zooall.py").write_text(_all_columns(chosen))


def _all_columns(chosen: Sequence[Strategy]) -> str:
    """A strategy with the columns of all of them."""
    parts = ",\n    ".join(f"({each.plugin!r}, {each.function!r}, ({each.name!r},))" for each in chosen)
    return f"""from freqtrade_strategy import Planted

PARTS = (
    {parts},
)


class ZooAll(Planted):
    columns = ("volume",)

    def populate_indicators(self, dataframe, metadata):
        for self.plugin, self.function, self.columns in PARTS:
            dataframe = Planted.populate_indicators(self, dataframe, metadata)
        return dataframe
"""


@dataclass(frozen=True)
class Freqtrade:
    """How it is called."""

    python: Path
    work: Path
    span: str

    def run(self, calls: Sequence[list[str]]) -> list[str]:
        """What it says in each of the calls, which one process runs in turn."""
        fixed = ["--config", str(self.work / "config.json"), "--userdir", str(self.work / "user")]
        fixed += ["--datadir", str(self.work / "candles"), "--timeframe", "1h", "--timerange", self.span, "--no-color"]
        environment = os.environ | {"PYTHONPATH": str(self.work / "code"), "COLUMNS": "300"}
        lines = "".join(json.dumps([call[0], *fixed, *call[1:]]) + "\n" for call in calls)
        ended = subprocess.run(
            [str(self.python), str(self.work / "code/freqtrade_calls.py")],
            cwd=self.work, env=environment, input=lines, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return re.split(r"^CALL .*$", ended.stdout, flags=re.MULTILINE)[1:]

    def lookahead(self, some: Sequence[Strategy]) -> dict[str, dict[str, Any]]:
        """Specimen -> what lookahead-analysis says of its strategy.

        Each has a call of its own: of a --strategy-list, freqtrade 2026.9 looks at the first again and again.
        """
        amounts = ["--minimum-trade-amount", "5", "--targeted-trade-amount", "20"]
        calls = [
            ["lookahead-analysis", *amounts, "--lookahead-analysis-exportfilename", str(self._csv(each)), "--strategy"]
            for each in some
        ]
        said = self.run([[*call, each.title] for call, each in zip(calls, some, strict=True)])
        return {each.name: self._verdict(each, words) for each, words in zip(some, said, strict=True)}

    def _csv(self, each: Strategy) -> Path:
        return self.work / f"{each.name}.csv"

    def _verdict(self, each: Strategy, said: str) -> dict[str, Any]:
        rows = list(csv.DictReader(self._csv(each).open())) if self._csv(each).is_file() else []
        if not rows:
            (self.work / f"{each.name}.log").write_text(said)
            return {"lookahead": None, "why": "too few trades" if "too few trades" in said else "no verdict"}
        row = rows[0]
        return {
            "lookahead": row["has_bias"] == "True",
            "n_signals": int(row["total_signals"]),
            "n_biased_entries": int(row["biased_entry_signals"]),
            "n_biased_exits": int(row["biased_exit_signals"]),
            "is_column_named": each.name in row["biased_indicators"].split(","),
        }

    def recursive(self, chosen: Sequence[Strategy]) -> dict[str, dict[str, Any]]:
        """Specimen -> whether recursive-analysis found lookahead, and a deviation with the strategy's own startup."""
        said = self.run([["recursive-analysis", "--startup-candle", "100", "300", "700", "--strategy", "ZooAll"]])[0]
        ahead = set(re.findall(r"found lookahead in indicator (\w+)", said))
        cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.splitlines() if "│" in line]
        deviations = {row[0]: row[-1] for row in cells}
        (self.work / "recursive.log").write_text(said)
        return {
            each.name: {
                "recursive_lookahead": each.name in ahead,
                "recursive_deviation": bool(re.search(r"nan|[1-9]", deviations.get(each.name, ""))),
            }
            for each in chosen
        }


def version_of(python: Path) -> str:
    """Freqtrade's version in an environment."""
    ask = "import importlib.metadata as m; print(m.version('freqtrade'))"
    return subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Write the candles and strategies, let freqtrade look at them, keep what it says."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--python", type=Path, help="interpreter of an environment that has freqtrade")
    ask.add_argument("--out", type=Path, default=HERE / "freqtrade.json")
    ask.add_argument("--only", nargs="*", help="names of specimens; all that can be written if left out")
    got = ask.parse_args()
    market = walk(1, 3, gap_share=0.0)  # where candles miss, lookahead-analysis takes clean columns for biased
    work = Path(tempfile.mkdtemp(prefix="candlelock-leakzoo-"))
    python = got.python.absolute() if got.python else make_environment(work / "venv")
    subprocess.run([str(python), "-m", "pip", "install", "-q", "scipy"], check=True)
    with np.errstate(all="ignore"):
        chosen = [each for each in strategies(market) if not got.only or each.name in got.only]
    write_candles(market, work / "candles")
    write_code(work, market, chosen)
    first = market.open_time_ms[0] + STARTUP * HOUR_MS
    peer = Freqtrade(python, work, f"{first // 1000}-{market.open_time_ms[-1] // 1000}")
    with running("binance", load_markets(work / "candles", None)) as simulator:
        settings = configuration(simulator.base_url, PAIRS) | {"dry_run_wallet": 1_000_000_000}
        (work / "config.json").write_text(json.dumps(settings))
        start = time.perf_counter()
        found = peer.recursive(chosen)
        print(f"recursive-analysis: {time.perf_counter() - start:.0f} s", flush=True)
        for at in range(0, len(chosen), PER_PROCESS):
            some = chosen[at : at + PER_PROCESS]
            start = time.perf_counter()
            for name, each in peer.lookahead(some).items():
                found[name] |= each
                print(name, json.dumps(found[name]), flush=True)
            print(f"{at + len(some)} of {len(chosen)}: {time.perf_counter() - start:.0f} s", flush=True)
    document = {
        "freqtrade": version_of(python),
        "command": "python -m benchmarks.leakzoo.freqtrade",
        "candles": "walk without gaps, seed 1, 2 symbols, 2,000 hours",
        "not_written": NOT_WRITTEN,
        "specimens": found,
    }
    got.out.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
