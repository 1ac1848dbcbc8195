"""Bars of tiny recordings, worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from candlelock.contracts.book_tables import book_bars
from candlelock.contracts.errors import InputError
from tests.unit.orderbook.streams import START_MS, depth, recorded, rows_of, snapshot, ticker, trade

BIDS, ASKS = [("99", "1"), ("98", "2"), ("90", "9")], [("101", "3"), ("102", "4"), ("110", "9")]
WHOLE = snapshot(10, BIDS, ASKS)


MESSAGES = [  # known from -10 s on; a bid comes in between at 15 s; a ticker runs ahead of the depth at 45 s
    depth(-10_000, 5, 10),
    WHOLE,
    depth(15_000, 11, 12, bids=[("100", "1")]),
    trade(20_000, 1, "101", "2"),
    trade(45_000, 2, "100", "0.5", is_sell=True),
    ticker(13, "100", "0.5", "101", "1"),
    depth(60_000, 13, 14, bids=[("100", "0")]),
]
BY_HAND = {
    "open_time_utc": 0,
    "best_bid": Decimal(100),
    "bid_size": Decimal("0.5"),
    "best_ask": Decimal(101),
    "ask_size": Decimal(1),
    "mid": Decimal("100.5"),
    "spread": Decimal(1),
    "microprice": pytest.approx((100 * 1 + 101 * 0.5) / 1.5),
    "mean_spread": pytest.approx((2 * 15 + 1 * 45) / 60),
    "mean_imbalance": pytest.approx((15 * (1 - 3) / 4 + 30 * (1 - 3) / 4 + 15 * (0.5 - 1) / 1.5) / 60),
    "bid_depth_1": Decimal(1),
    "ask_depth_1": Decimal(3),
    "imbalance_1": pytest.approx(-2 / 4),
    "bid_depth_2": Decimal(2),
    "ask_depth_2": Decimal(7),
    "imbalance_2": pytest.approx(-5 / 9),
    "n_trades": 2,
    "volume": Decimal("2.5"),
    "buy_volume": Decimal(2),
    "signed_volume": Decimal("1.5"),
    "vwap": pytest.approx((202 + 50) / 2.5),
    "effective_spread": pytest.approx(2 * (2 * (101 - 100.5) + 0.5 * (100.5 - 100)) / 2.5),
    "n_book_updates": 1,
    "n_ticker_updates": 1,
    "book_known_frac": 1.0,
    "has_sequence_gap": False,
    "is_whole": True,
}


def test_one_bar_by_hand() -> None:
    table = recorded(MESSAGES).finish()
    assert book_bars((1, 2)).problems(table, "x") == []
    before, bar, after = rows_of(table)
    assert (before["open_time_utc"], after["open_time_utc"]) == (-60_000, 60_000)
    assert bar == BY_HAND
    assert before["book_known_frac"] == pytest.approx(10 / 60)
    assert (before["is_whole"], after["is_whole"]) == (False, False)
    assert after["best_bid"] == Decimal(99)


def test_without_a_snapshot_depth_is_null_and_the_ticker_still_gives_quotes() -> None:
    (bar,) = rows_of(recorded([depth(0, 1, 2, bids=BIDS, asks=ASKS), ticker(3, "1", "1", "2", "1")]).finish())
    assert (bar["bid_depth_1"], bar["imbalance_1"], bar["book_known_frac"]) == (None, None, 0.0)
    assert (bar["best_bid"], bar["spread"], bar["vwap"]) == (Decimal(1), Decimal(1), None)
    assert (bar["mean_spread"], bar["volume"]) == (None, 0)  # the quote stood for no time at all


def test_the_effective_spread_is_the_takers_cost_and_needs_a_quote() -> None:
    """A buy above the mid and a sell below it both cost; a sell above the mid gains; before a quote there is none."""
    early, dear, lucky = trade(1, 1, "300", "9"), trade(3, 2, "103", "1"), trade(4, 3, "102", "3", is_sell=True)
    (bar,) = rows_of(recorded([early, ticker(3, "99", "1", "101", "1"), dear, lucky]).finish())
    assert bar["effective_spread"] == pytest.approx(2 * (1 * 3 - 3 * 2) / 4)
    (bar,) = rows_of(recorded([early]).finish())
    assert (bar["n_trades"], bar["effective_spread"]) == (1, None)


def test_the_exchanges_clock_places_messages() -> None:
    """A depth message behind the clock does not turn it back; a trade goes to the bar of its own time; a ticker to the
    time of the last message that has one."""
    first, second = rows_of(
        recorded(
            [
                ticker(1, "1", "1", "2", "1"),
                depth(59_990, 2, 2),
                trade(60_000, 7, "1", "1"),
                ticker(3, "1", "1", "2", "1"),
                depth(59_995, 3, 3),
                trade(59_999, 8, "1", "4", delay_ms=71),
            ]
        ).finish()
    )
    assert (first["n_ticker_updates"], first["n_book_updates"], first["volume"]) == (1, 1, Decimal(4))
    assert (second["n_ticker_updates"], second["n_book_updates"], second["volume"]) == (1, 1, Decimal(1))


def test_a_message_behind_the_clock_takes_effect_at_the_clock() -> None:
    late = [depth(0, 10, 10), WHOLE, trade(20_000, 1, "1", "1"), depth(19_000, 11, 11, bids=[("100", "1")])]
    bar = rows_of(recorded([*late, depth(60_000, 12, 12)]).finish())[0]
    assert bar["mean_spread"] == pytest.approx((2 * 20 + 1 * 40) / 60)


def test_a_break_before_the_first_time_belongs_to_the_first_bar() -> None:
    recording = recorded([ticker(4, "1", "1", "2", "1"), ticker(3, "1", "1", "2", "1"), depth(60_000, 1, 1)])
    (bar,) = rows_of(recording.finish())
    assert (bar["has_sequence_gap"], bar["n_ticker_updates"]) == (True, 2)
    assert [(each.from_ms, each.to_ms) for each in recording.breaks] == [(START_MS + 60_000, START_MS + 60_000)]


def test_an_event_far_behind_the_clock_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        recorded([depth(60_002, 1, 1), depth(1, 2, 2)])
    assert [(problem.code, problem.place) for problem in caught.value.problems] == [("book-time", "E")]


def test_a_gap_makes_book_and_quote_unknown_and_flags_the_bars_it_may_touch() -> None:
    recording = recorded(
        [
            depth(0, 10, 10),
            WHOLE,
            ticker(10, "99", "1", "101", "3"),
            depth(59_000, 11, 11),
            depth(60_000, 12, 12),
            trade(125_000, 1, "1", "1"),
            depth(150_000, 14, 14),
            depth(180_000, 15, 15),
            snapshot(15, BIDS, ASKS),
            depth(241_000, 16, 16),
        ]
    )
    bars = rows_of(recording.finish())
    assert [row["open_time_utc"] // 60_000 for row in bars] == [0, 1, 2, 3, 4]
    assert [row["has_sequence_gap"] for row in bars] == [False, True, True, False, False]
    assert [row["best_bid"] for row in bars] == [Decimal(99), Decimal(99), None, Decimal(99), Decimal(99)]
    assert [row["book_known_frac"] for row in bars] == [1.0, 1.0, 0.5, 1.0, pytest.approx(1 / 60)]
    assert bars[2]["mean_spread"] == pytest.approx(2)
    ((stream, place, expected, found, from_ms, to_ms),) = recording.breaks
    assert (stream, place, expected, found) == ("depth", "x:7", 13, 14)
    assert (from_ms - START_MS, to_ms - START_MS) == (60_000, 150_000)


def test_breaks_in_trades_and_tickers_are_told() -> None:
    recording = recorded(
        [
            trade(0, 5, "1", "1"),
            trade(1, 6, "1", "1"),
            trade(2, 8, "1", "1"),
            trade(3, 8, "1", "1"),
            ticker(4, "1", "1", "2", "1"),
            ticker(4, "1", "1", "2", "1"),
            ticker(3, "1.5", "1", "2", "1"),
        ]
    )
    told = [(each.stream, each.place, each.expected_id, each.found_id) for each in recording.breaks]
    assert told == [("trade", "x:3", 7, 8), ("trade", "x:4", 9, 8), ("bookTicker", "x:7", 4, 3)]
    (bar,) = rows_of(recording.finish())
    assert bar["has_sequence_gap"]
    assert bar["best_bid"] == Decimal(1)  # what came too late is not taken


def test_a_ticker_that_contradicts_the_book_at_one_update_is_told() -> None:
    recording = recorded(
        [
            depth(0, 10, 10),
            ticker(10, "99", "1", "101", "3"),
            WHOLE,  # agrees with the ticker
            ticker(10, "99", "1", "101", "4"),  # contradicts it
            ticker(11, "99", "2", "101", "3"),
            depth(5, 11, 11, bids=[("99", "2.5")]),  # contradicts the ticker before
            ticker(12, "99", "2", "101", "3"),  # ahead of the book: nothing to compare
        ]
    )
    assert recording.comparison.n_compared == 3
    assert recording.comparison.contradictions == [
        "x:4: bookTicker 1.00000000 @ 99.00000000 | 4.00000000 @ 101.00000000, "
        "book 1.00000000 @ 99.00000000 | 3.00000000 @ 101.00000000",
        "x:6: bookTicker 2.00000000 @ 99.00000000 | 3.00000000 @ 101.00000000, "
        "book 2.50000000 @ 99.00000000 | 3.00000000 @ 101.00000000",
    ]


def test_an_older_quote_does_not_replace_a_later_one() -> None:
    ahead = [depth(0, 10, 10), WHOLE, ticker(15, "99.5", "1", "101", "1"), depth(5, 11, 12, bids=[("99.1", "1")])]
    assert rows_of(recorded(ahead).finish())[0]["best_bid"] == Decimal("99.5")
    behind = [depth(0, 10, 12), snapshot(12, BIDS, ASKS), ticker(11, "99.5", "1", "101", "1")]
    assert rows_of(recorded(behind).finish())[0]["best_bid"] == Decimal(99)


@pytest.mark.parametrize("price", ["101", "105"])
def test_a_book_that_crosses_is_refused(price: str) -> None:
    with pytest.raises(InputError) as caught:
        recorded([depth(0, 10, 10), WHOLE, depth(5, 11, 11, bids=[(price, "1")])])
    assert [problem.code for problem in caught.value.problems] == ["book-crossed"]


def test_a_bar_without_any_message_has_no_row_and_states_carry_over() -> None:
    bars = rows_of(recorded([depth(0, 10, 10), WHOLE, depth(250_000, 11, 11)]).finish())
    assert [row["open_time_utc"] for row in bars] == [0, 240_000]
    assert bars[1]["book_known_frac"] == pytest.approx(10 / 60)
    assert bars[1]["mean_spread"] == pytest.approx(2)
    assert [row["is_whole"] for row in bars] == [False, False]
