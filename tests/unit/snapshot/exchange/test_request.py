from __future__ import annotations

from typing import Any

import pytest

from candlelock.contracts.documents import utc_ms
from candlelock.contracts.errors import InputError
from candlelock.contracts.snapshot_documents import AskedRange
from candlelock.contracts.stage_params import SnapshotParams
from candlelock.snapshot.exchange.dialect import BINANCE, KRAKEN
from candlelock.snapshot.exchange.request import describe, refuse_unknown, settle_span

NOW = utc_ms("2024-03-10T10:20:30Z")


def wanted(
    timeframe: str = "1h", name: str = "binance", symbols: tuple[str, ...] = ("BTC/USDT",), **asked: Any
) -> SnapshotParams:
    exchange = {"name": name, "base_url": None, "start": None, "end": None, "days": None, "n_readings": 1, **asked}
    quality = {"max_missing_frac": 0.5, "max_zero_volume_frac": 0.5, "frozen_bars": 9, "outlier_mads": 9.0}
    return SnapshotParams.model_validate(
        {
            "source": "exchange",
            "timeframe": timeframe,
            "symbols": list(symbols),
            "min_rows": 1,
            "files": {"path": "x"},
            "exchange": exchange,
            "quality": quality,
        }
    )


def settled(params: SnapshotParams, kept: AskedRange | None = None) -> tuple[int, int]:
    span = settle_span(params, NOW, kept, BINANCE)
    return span.start_ms, span.end_ms


def refused(params: SnapshotParams, dialect: Any = BINANCE) -> list[str]:
    with pytest.raises(InputError) as caught:
        settle_span(params, NOW, None, dialect)
    return [problem.code for problem in caught.value.problems]


def test_days_count_back_from_the_last_bar_closed_by_the_exchanges_clock() -> None:
    assert settled(wanted(days=2)) == (utc_ms("2024-03-08T10:00:00Z"), utc_ms("2024-03-10T10:00:00Z"))


def test_start_and_end_are_taken_to_the_bars_that_open_between_them() -> None:
    params = wanted(start="2024-03-01T00:30Z", end="2024-03-02")
    assert settled(params) == (utc_ms("2024-03-01T01:00:00Z"), utc_ms("2024-03-02T00:00:00Z"))
    assert settled(wanted(days=1, end="2024-03-02")) == (utc_ms("2024-03-01"), utc_ms("2024-03-02"))


def test_what_a_killed_run_settled_on_holds_for_a_day() -> None:
    kept = AskedRange(start_utc="2024-03-07T12:00:00Z", end_utc="2024-03-09T12:00:00Z")
    assert settled(wanted(days=2), kept) == (utc_ms(kept.start_utc), utc_ms(kept.end_utc))
    old = AskedRange(start_utc="2024-03-01T12:00:00Z", end_utc="2024-03-03T12:00:00Z")
    assert settled(wanted(days=2), old) == settled(wanted(days=2))
    future = AskedRange(start_utc="2024-03-09T12:00:00Z", end_utc="2024-03-11T12:00:00Z")
    assert settled(wanted(days=2), future) == settled(wanted(days=2))


def test_a_bar_that_is_still_open_cannot_be_asked_for() -> None:
    assert refused(wanted(start="2024-03-01", end="2024-03-10T10:01Z")) == ["exchange-range"]
    assert refused(wanted(start="2024-03-01", end="2030-01-01")) == ["exchange-range"]
    assert settled(wanted(start="2024-03-01", end="2024-03-10T10:00Z"))[1] == utc_ms("2024-03-10T10:00:00Z")


def test_an_empty_range_is_refused() -> None:
    assert refused(wanted(start="2024-03-02", end="2024-03-01")) == ["exchange-range"]
    assert refused(wanted(start="2024-03-02", end="2024-03-02")) == ["exchange-range"]


def test_kraken_answers_with_720_candles_the_open_one_among_them() -> None:
    first = utc_ms("2024-03-10T10:00:00Z") - 719 * 3_600_000
    assert settle_span(wanted(start="2024-02-09T11:00Z"), NOW, None, KRAKEN).start_ms == first
    assert refused(wanted(start="2024-02-09T10:00Z"), KRAKEN) == ["exchange-history"]


def test_unknown_symbols_are_all_named_with_the_nearest() -> None:
    params = wanted("7m", symbols=("BTC/USDT", "ETC/USDT", "XRP/EUR"), days=2)
    with pytest.raises(InputError) as caught:
        refuse_unknown(params, ["BTC/USDT", "ETH/USDT"], ["1m", "1h"])
    found = [(problem.code, problem.found) for problem in caught.value.problems]
    assert found == [("exchange-symbol", "ETC/USDT"), ("exchange-symbol", "XRP/EUR"), ("exchange-timeframe", "7m")]
    assert "ETH/USDT" in caught.value.problems[0].help


def test_symbols_do_not_tell_requests_apart_but_everything_else_does() -> None:
    assert describe(wanted(days=2)) == describe(wanted(days=2, symbols=("ETH/USDT",)))
    others = [wanted(days=3), wanted("1m", days=2), wanted(name="kraken", days=2), wanted(days=2, end="2024-03-01")]
    assert all(describe(other) != describe(wanted(days=2)) for other in others)
