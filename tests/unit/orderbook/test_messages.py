"""Lines of a recording: what is read from a sound one, and why a damaged one is refused."""

from __future__ import annotations

from typing import Any

import pytest

from candlelock.contracts.errors import InputError
from candlelock.orderbook.messages import Depth, Snapshot, Ticker, Trade, parse
from tests.unit.orderbook.streams import START_MS, depth, event, line, snapshot, ticker, trade

# The first lines of a real recording, shortened.
REAL_TRADE = (
    b'1723161254087896568 {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,'
    b'"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}\n'
)
REAL_TICKER = (
    b'1723161254087891268 {"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT",'
    b'"b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}\n'
)


def refusal(content: bytes) -> tuple[str, str]:
    """Code and place of the one problem."""
    with pytest.raises(InputError) as caught:
        parse(content, "BTCUSDT")
    (problem,) = caught.value.problems
    return problem.code, problem.place


def test_real_lines_are_read_digit_by_digit() -> None:
    assert parse(REAL_TRADE, "BTCUSDT") == Trade(
        1723161254087896568, 1723161255343, 1723161255342, 3735683259, 6_183_763_000_000, 2_000_000, True
    )
    assert parse(REAL_TICKER, "BTCUSDT") == Ticker(
        1723161254087891268, 50093239212, 6_183_763_000_000, 378_826_000, 6_183_764_000_000, 154_698_000
    )


def test_depth_and_snapshot_are_read() -> None:
    changed = parse(line(depth(5, 7, 9, bids=[("1.5", "0.00000000")], asks=[("2", "0.00000001")]), 5), "BTCUSDT")
    assert changed == Depth(changed.local_ns, START_MS + 5, 7, 9, [(150_000_000, 0)], [(200_000_000, 1)])
    whole = parse(line(snapshot(9, [("1", "1")], [("2", "3")]), 5), "BTCUSDT")
    assert whole == Snapshot(whole.local_ns, 9, [(100_000_000, 100_000_000)], [(200_000_000, 300_000_000)])


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("1", 10**8),
        ("0.1", 10**7),
        ("1.123456780000", 112_345_678),
        ("0.00000001", 1),
        ("9" * 15 + ".5", 999999999999999_50000000),
    ],
)
def test_every_printed_digit_counts(text: str, units: int) -> None:
    message = parse(line(trade(5, 1, text, "1"), 5), "BTCUSDT")
    assert isinstance(message, Trade)
    assert message.price == units


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", ".5", "-1", "+1", "1e3", "1_0", " 1", "1 ", "1.123456789", "0", "0.0", "NaN", "inf", "١", "1.5.5"),
        *("9" * 16, 1, 1.5, None, True, ["1"], {}),
    ],
)
def test_anything_but_a_plain_decimal_is_refused(text: Any) -> None:
    body = trade(5, 1, "1", "1")
    body["data"]["q"] = text
    assert refusal(line(body, 5)) == ("book-amount", "q")


def changed(body: dict[str, Any], **data: Any) -> dict[str, Any]:
    """The message with other values; None leaves the key out."""
    merged = body["data"] | data
    return body | {"data": {key: value for key, value in merged.items() if value is not None}}


@pytest.mark.parametrize(
    ("content", "code", "place"),
    [
        (b"", "book-line", ""),
        (b'{"stream":"btcusdt@trade"}', "book-line", ""),
        (b"1723161254087896568", "book-line", ""),
        (REAL_TRADE[:-20], "book-line", ""),
        (REAL_TRADE.replace(b'"t":', b'"t":NaN,"x":'), "book-line", ""),
        (REAL_TRADE.replace(b'"t":', b'"t":1,"t":'), "book-line", ""),
        (REAL_TRADE.replace(b"trade", b"\xff"), "book-line", ""),
        (b"1723161254087896568 " + b"[" * 100_000, "book-line", ""),
        (b"1723161254087896568 []", "book-shape", ""),
        (b"1723161254087896568 {}", "book-shape", ""),
        (b'1723161254087896568 {"stream":"btcusdt@trade","data":[]}', "book-shape", ""),
        (b"1" + REAL_TRADE, "book-line", ""),
        (REAL_TRADE[6:], "book-time", "local time"),
        (REAL_TRADE.replace(b'"E":17', b'"E":16'), "book-time", "E"),
        (line(changed(trade(5, 1, "1", "1"), T=START_MS + 6), 5), "book-time", "T"),
        (line(changed(trade(5, 1, "1", "1"), T=START_MS - 60_000), 5), "book-time", "T"),
        (line(trade(0, 1, "1", "1"), 86_400_001), "book-time", "E"),
        (REAL_TRADE.replace(b"btcusdt@", b"ethusdt@"), "book-symbol", "stream"),
        (REAL_TRADE.replace(b"BTCUSDT", b"ETHUSDT"), "book-symbol", "s"),
        (REAL_TRADE.replace(b"@trade", b"@kline_1m"), "book-stream", "stream"),
        (line(changed(trade(5, 1, "1", "1"), t=None), 5), "book-shape", "t"),
        (line(changed(trade(5, 1, "1", "1"), t=1.0), 5), "book-shape", "t"),
        (line(changed(trade(5, 1, "1", "1"), t=True), 5), "book-shape", "t"),
        (line(changed(trade(5, 1, "1", "1"), t=2**63), 5), "book-shape", "t"),
        (line(changed(trade(5, 1, "1", "1"), m=1), 5), "book-shape", "m"),
        (line(depth(5, 9, 8), 5), "book-shape", "U"),
        (line(depth(5, 8, 8, bids=[("1", "1", "1")]), 5), "book-shape", "b"),  # type: ignore[list-item]
        (line(event("depth", E=START_MS, U=1, u=1, b={"1": "2"}, a=[]), 5), "book-shape", "b"),
        (line(event("depth", E=START_MS, U=1, u=1, b=["12"], a=[]), 5), "book-shape", "b"),
        (line(depth(5, 8, 8, asks=[("0", "1")]), 5), "book-amount", "a"),
        (line(depth(5, 8, 8, asks=[("1", "-1")]), 5), "book-amount", "a"),
        (line(snapshot(8, [("1", "0")], []), 5), "book-amount", "bids"),
        (line(ticker(1, "2", "1", "2", "1"), 5), "book-crossed", "b"),
    ],
)
def test_damage_is_named(content: bytes, code: str, place: str) -> None:
    assert refusal(content) == (code, place)


def test_keys_that_the_exchange_may_add_do_no_harm() -> None:
    assert parse(REAL_TRADE.replace(b'"M"', b'"X"'), "BTCUSDT") == parse(REAL_TRADE, "BTCUSDT")
