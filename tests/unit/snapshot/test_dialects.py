"""The same two bars as different exchanges, archives and programs write them: one table comes out of all."""

from __future__ import annotations

import gzip
import io
import zipfile
from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pytest

from candlelock.snapshot import files
from candlelock.snapshot.validation import candle_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MINUTE_MS = 60_000
OPENS = (1_675_209_600, 1_675_209_660)  # 2023-02-01 00:00 and 00:01 UTC
CANDLES = {
    "open": ["6.949", "6.956"],
    "high": ["6.959", "6.960"],
    "low": ["6.947", "6.947"],
    "close": ["6.957", "6.948"],
    "volume": ["30020.25", "55955.55"],
}
EXTRAS = {
    "quote_volume": ["208718.48852", "389026.85814"],
    "n_trades": ["471", "541"],
    "taker_buy_volume": ["10610.28", "13344.03"],
    "taker_buy_quote_volume": ["73780.89351", "92782.75858"],
}
BARS = list(zip(*CANDLES.values(), strict=True))
KLINES = "\n".join(
    ",".join([str(moment * 1_000), *bar, str(moment * 1_000 + 59_999), *extra, "0"])
    for moment, bar, extra in zip(OPENS, BARS, zip(*EXTRAS.values(), strict=True), strict=True)
)
MICROSECOND_KLINES = "\n".join(
    ",".join([str(moment * 1_000_000), *bar, str(moment * 1_000_000 + 59_999_999), *extra, "0"])
    for moment, bar, extra in zip(OPENS, BARS, zip(*EXTRAS.values(), strict=True), strict=True)
)
ARCHIVE = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)
PYTHON_CLIENT = (
    "Open time,Open,High,Low,Close,Volume,Close time,Quote asset volume,Number of trades,"
    "Taker buy base asset volume,Taker buy quote asset volume,Ignore"
)
SNAKE = (
    "open_time,open,high,low,close,volume,close_time,quote_asset_volume,num_trades,"
    "taker_buy_base_asset_volume,taker_buy_quote_asset_volume,ignore"
)


def lines(header: str, *rows: str) -> bytes:
    return "\n".join([header, *rows]).encode()


def zipped(text: bytes, *others: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in others:
            archive.writestr(name, "x")
        archive.writestr("LINKUSDT-1m-2023-02.csv", text)
    return target.getvalue()


def crypto_data_download() -> bytes:
    """Newest first, below the site's address; both volumes named by their currency."""
    rows = [
        ",".join([str(OPENS[at]), f"2023-02-01 00:0{at}:00", "LINK/USDT", *BARS[at], EXTRAS["quote_volume"][at], count])
        for at, count in ((1, "541"), (0, "471"))
    ]
    header = "unix,date,symbol,open,high,low,close,Volume LINK,Volume USDT,tradecount"
    return lines("https://www.CryptoDataDownload.com", header, *rows)


def frame(index: str | None) -> pd.DataFrame:
    times = pd.to_datetime(OPENS, unit="s", utc=True)
    return pd.DataFrame({name: map(float, v) for name, v in CANDLES.items()}, index=pd.Index(times, name=index))


def saved(write: Callable[[io.BytesIO], object]) -> bytes:
    target = io.BytesIO()
    write(target)
    return target.getvalue()


def short(times: tuple[object, object], order: str = "tohlcv", **spelt: str) -> bytes:
    """Time and candle under one-letter names in some order, values as `spelt` by a format."""
    style = spelt.get("style", "{}")
    columns = {"t": times} | {name[0]: [style.format(value) for value in values] for name, values in CANDLES.items()}
    return lines(",".join(order), *(",".join(str(columns[letter][at]) for letter in order) for at in (0, 1)))


ALL, SOME, NONE = tuple(EXTRAS), ("quote_volume", "n_trades"), ()
DIALECTS: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
    "archive of futures": ("LINKUSDT-1m-2023-02.csv", lines(ARCHIVE, KLINES), ALL),
    "archive of spot": ("LINKUSDT-1m-2023-02.csv", KLINES.encode(), ALL),
    "archive since 2025": ("LINKUSDT-1m-2025-02.csv", MICROSECOND_KLINES.encode(), ALL),
    "zip": ("LINKUSDT-1m-2023-02.zip", zipped(KLINES.encode(), "__MACOSX/x.csv", "CHECKSUM"), ALL),
    "zip with header": ("LINKUSDT-1m-2023-02.zip", zipped(lines(ARCHIVE, KLINES)), ALL),
    "gzip": ("LINKUSDT-1m.csv.gz", gzip.compress(KLINES.encode()), ALL),
    "python client": ("binance_LINKUSDT_1m.csv", lines(PYTHON_CLIENT, KLINES), ALL),
    "snake case": ("LINK-USDT.csv", lines(SNAKE, KLINES), ALL),
    "crypto data download": ("Binance_LINKUSDT_minute.csv", crypto_data_download(), SOME),
    "short names": ("link_usdt.csv", short(OPENS), NONE),
    "any order": ("link_usdt.csv", short(OPENS, "vclhto"), NONE),
    "blanks and plus signs": ("link_usdt.csv", short(OPENS, style=" +{} "), NONE),
    "whole floats": ("link_usdt.csv", short((1_675_209_600_000.0, 1_675_209_660_000.0)), NONE),
    "nanoseconds": ("link_usdt.csv", short((OPENS[0] * 10**9, OPENS[1] * 10**9)), NONE),
    "frame as csv": ("LINK-USDT.csv", frame(None).to_csv().encode(), NONE),
    "counted frame as csv": ("LINK-USDT.csv", frame("Date").reset_index().to_csv().encode(), NONE),
    "frame as parquet": ("LINK-USDT.parquet", saved(frame(None).to_parquet), NONE),
    "named frame as parquet": ("LINK-USDT.parquet", saved(frame("Datetime").to_parquet), NONE),
    "frame as feather": ("LINK_USDT-1m.feather", saved(frame("date").reset_index().to_feather), NONE),
    "freqtrade futures": ("LINK_USDT_USDT-1m-futures.feather", saved(frame("date").reset_index().to_feather), NONE),
    "kraken's folder": ("KRAKEN-LINK-USDT-1m.parquet", saved(frame("ts").to_parquet), NONE),
}


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("folder", ["", "binance"])
def test_every_dialect_gives_the_same_candles(tmp_path: Path, name: str, folder: str) -> None:
    file, content, extras = DIALECTS[name]
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / file).write_bytes(content)
    raw, source = files.read(["LINK/USDT"], "1m", tmp_path)
    table = candle_table(raw["LINK/USDT"], MINUTE_MS, 2)
    assert [*source.files] == [f"{folder}/{file}".lstrip("/")]
    assert table["open_time_utc"].cast(pa.int64()).to_pylist() == [moment * 1_000 for moment in OPENS]
    expected = CANDLES | {column: EXTRAS[column] for column in extras}
    assert table.column_names[1:] == [*expected]
    for column, values in expected.items():
        assert table[column].to_pylist() == [Decimal(value) for value in values]
