"""Tables of survivors alone."""

from __future__ import annotations

from candlelock.leakage.universe import check_universe, match_names

ALIVE, DEAD, YOUNG = (0, 1000), (0, 500), (300, 600)


def test_a_table_of_survivors_is_found() -> None:
    (found,) = check_universe({"A": (10, 1000)}, {"A": ALIVE, "B": ALIVE, "C": DEAD, "D": (0, 950)}).findings
    assert (found.code, found.subject) == ("universe-survivors", "C")
    assert (found.known_utc, found.used_utc) == ("1970-01-01T00:00:00Z",) * 2


def test_one_of_the_dead_is_enough() -> None:
    assert check_universe({"A": (10, 1000), "C": (10, 500)}, {"A": ALIVE, "C": DEAD, "D": DEAD}).passed


def test_who_came_later_or_lived_nearly_to_the_end_does_not_count() -> None:
    assert check_universe({"A": (10, 1000)}, {"A": ALIVE, "Y": YOUNG, "E": (0, 905)}).passed


def test_a_table_whose_own_symbols_end_early_is_silent() -> None:
    assert check_universe({"A": (10, 1000), "B": (10, 400)}, {"A": ALIVE, "B": ALIVE, "C": DEAD}).passed


def test_names_are_matched_as_people_write_them() -> None:
    known = ["BTC/USDT", "ETH/USDT", "ETH/BTC", "SOL/USDT"]
    wanted = {"btcusdt": "BTC/USDT", "SOL-USDT": "SOL/USDT", "BTC": "BTC/USDT", "ETH/BTC": "ETH/BTC"}
    assert match_names([*wanted, "ETH", "DOGE"], known) == wanted  # ETH alone could be either
    assert match_names(["BTC/USDT:USDT"], known) == {"BTC/USDT:USDT": "BTC/USDT"}
