"""The book by the exchange's rules, on hand-made changes."""

from __future__ import annotations

from candlelock.orderbook.book import Book, Quote
from candlelock.orderbook.messages import Depth, Levels, Snapshot


def change(first_id: int, last_id: int, bids: Levels | None = None, asks: Levels | None = None) -> Depth:
    return Depth(0, 0, first_id, last_id, bids or [], asks or [])


def whole(last_id: int) -> Snapshot:
    """Bids 100 and 90, asks 110 and 120, all of size 5; nothing is known beyond."""
    return Snapshot(0, last_id, [(100, 5), (90, 5)], [(110, 5), (120, 5)])


def started(last_id: int = 10) -> Book:
    book = Book()
    assert book.restart(whole(last_id)) is None
    return book


def test_a_book_is_unknown_before_its_snapshot() -> None:
    book = Book()
    assert book.apply(change(1, 2, bids=[(100, 1)])) is None
    assert (book.update_id, book.quote(), book.depth(1)) == (None, None, (None, None))


def test_levels_are_set_removed_and_removed_in_vain() -> None:
    book = started()
    assert book.apply(change(11, 12, bids=[(101, 3), (90, 7), (95, 0)], asks=[(110, 0)])) is None
    assert book.quote() == Quote(12, 101, 3, 120, 5)
    assert book.depth(2) == (8, None)
    assert book.depth(3) == (15, None)


def test_changes_up_to_the_snapshot_are_dropped_and_the_first_used_may_reach_back() -> None:
    book = started(10)
    assert book.apply(change(5, 10, bids=[(100, 0)])) is None
    assert book.quote() == Quote(10, 100, 5, 110, 5)
    assert book.apply(change(11, 11, bids=[(100, 6)])) is None
    assert book.quote() == Quote(11, 100, 6, 110, 5)
    reaching_back = started(10)
    assert reaching_back.apply(change(9, 11, bids=[(100, 6)])) is None
    assert reaching_back.quote() == Quote(11, 100, 6, 110, 5)


def test_a_first_change_too_late_for_the_snapshot_is_a_gap() -> None:
    book = started(10)
    assert book.apply(change(12, 13)) == 11
    assert book.update_id is None


def test_after_a_gap_the_book_is_unknown_until_a_snapshot_joins_up() -> None:
    book = started(10)
    assert book.apply(change(11, 12)) is None
    assert book.apply(change(14, 15, bids=[(99, 1)])) == 13
    assert book.update_id is None
    assert book.apply(change(16, 17, bids=[(98, 2)])) is None
    assert book.restart(whole(12)) == 13  # older than all that wait: they start at 14
    assert book.update_id is None
    assert book.restart(whole(15)) is None  # the change to 17 was waiting
    assert book.update_id == 17
    assert book.depth(2) == (7, 10)


def test_changes_that_wait_survive_a_snapshot_that_is_too_old() -> None:
    book = Book()
    for first_id in (20, 21, 22):
        assert book.apply(change(first_id, first_id, bids=[(first_id + 75, 1)])) is None
    assert book.restart(whole(10)) == 11
    assert book.restart(whole(20)) is None
    assert book.update_id == 22
    assert book.depth(3) == (7, None)


def test_a_reach_back_is_for_the_first_change_only() -> None:
    book = started(10)
    assert book.apply(change(9, 12)) is None
    assert book.apply(change(12, 14)) == 13
    assert book.update_id is None


def test_a_repeated_change_is_told_and_left_out() -> None:
    book = started(10)
    assert book.apply(change(11, 12, bids=[(100, 6)])) is None
    assert book.apply(change(13, 14, bids=[(100, 7)])) is None
    assert book.apply(change(11, 12, bids=[(100, 6)])) == 15
    assert book.quote() == Quote(14, 100, 7, 110, 5)
    assert book.apply(change(15, 15, bids=[(100, 8)])) is None
    assert book.quote() == Quote(15, 100, 8, 110, 5)


def test_a_later_snapshot_replaces_the_book_an_older_one_does_not() -> None:
    book = started(10)
    assert book.apply(change(11, 12, bids=[(101, 1)])) is None
    assert book.restart(whole(11)) is None
    assert book.quote() == Quote(12, 101, 1, 110, 5)
    deeper = Snapshot(0, 12, [(101, 1), (100, 5), (90, 5), (80, 5)], [(110, 5)])
    assert book.restart(deeper) is None  # as late as the book, so taken
    assert book.depth(4) == (16, None)
    assert book.restart(whole(13)) is None
    assert book.quote() == Quote(13, 100, 5, 110, 5)
    assert book.apply(change(13, 13, bids=[(101, 9)])) is None  # in the snapshot already
    assert book.quote() == Quote(13, 100, 5, 110, 5)


def test_what_lies_beyond_the_snapshot_is_not_known() -> None:
    book = started(10)
    assert book.apply(change(11, 11, bids=[(80, 9)], asks=[(130, 9)])) is None
    assert book.depth(3) == (None, None)  # there may be more between 90 and 80 that never changed
    assert book.apply(change(12, 12, bids=[(100, 0), (90, 0)])) is None
    assert book.quote() is None
    assert book.depth(1) == (None, 5)


def test_an_empty_side_has_no_best() -> None:
    book = Book()
    assert book.restart(Snapshot(0, 1, [], [(110, 5)])) is None
    assert book.quote() is None
    assert book.depth(1) == (None, 5)
