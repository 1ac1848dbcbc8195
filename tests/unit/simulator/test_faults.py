"""Which requests a rule strikes, and how rules are refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlelock.contracts.errors import InputError
from candlelock.simulator.fault_kinds import KINDS
from candlelock.simulator.faults import FaultPlan, FaultRule, parse_rules


def struck(rule: FaultRule, n_requests: int) -> list[int]:
    """Numbers (from 1) of the requests it strikes."""
    plan = FaultPlan([rule])
    return [n for n in range(1, n_requests + 1) if plan.strike("klines", "BTC/USDT")]


@given(st.integers(1, 20), st.none() | st.integers(1, 20))
def test_a_rule_strikes_so_many_requests_from_the_first_on(first: int, times: int | None) -> None:
    last = 30 if times is None else min(30, first + times - 1)
    assert struck(FaultRule("nan", first=first, times=times), 30) == list(range(first, last + 1))


@given(st.integers(0, 2**31), st.floats(0, 1))
def test_chance_depends_on_the_seed_alone(seed: int, share: float) -> None:
    rule = FaultRule("nan", share=share, seed=seed)
    assert struck(rule, 50) == struck(rule, 50)


def test_a_share_is_a_probability_and_seeds_differ() -> None:
    draws = [struck(FaultRule("nan", share=0.3, seed=seed), 1000) for seed in (1, 2)]
    assert all(240 < len(each) < 360 for each in draws)
    assert draws[0] != draws[1]
    assert struck(FaultRule("nan", share=0.0), 100) == []


@pytest.mark.parametrize(
    ("rule", "endpoint", "symbol", "is_struck"),
    [
        (FaultRule("nan"), "time", None, False),  # a fault of rows
        (FaultRule("clock_skew"), "klines", "BTC/USDT", False),
        (FaultRule("status_500"), "time", None, True),
        (FaultRule("status_500", endpoint="info"), "time", None, False),
        (FaultRule("status_500", symbol="ETH/USDT"), "klines", "BTC/USDT", False),
        (FaultRule("status_500", symbol="ETH/USDT"), "info", None, False),
        (FaultRule("delisted", symbol="ETH/USDT"), "info", None, True),  # the list of markets names it
        (FaultRule("delisted", symbol="ETH/USDT"), "klines", "BTC/USDT", False),
    ],
)
def test_a_rule_strikes_what_it_names(rule: FaultRule, endpoint: str, symbol: str | None, is_struck: bool) -> None:
    assert (FaultPlan([rule]).strike(endpoint, symbol) is not None) == is_struck


def test_the_first_rule_that_strikes_decides_and_all_count() -> None:
    plan = FaultPlan([FaultRule("nan", first=2), FaultRule("none", times=2)])
    names = [fault.name if (fault := plan.strike("klines", "BTC/USDT")) else None for _ in range(3)]
    assert names == ["none", "nan", "nan"]
    assert [(rule["n_matching"], rule["n_struck"]) for rule in plan.as_dicts()] == [(3, 2), (3, 1)]


@pytest.mark.parametrize(
    ("rule", "n_problems"),
    [
        ({"kind": "nan", "argument": "middle"}, 0),
        ({"kind": "clock_skew", "argument": -5}, 0),
        ({"kind": "slow_drip", "argument": 0.25}, 0),
        ({"kind": "status_429", "argument": 0, "times": None}, 0),
        ({"kind": "naan"}, 1),
        ({}, 1),
        ("nan", 1),
        ({"kind": ["nan"]}, 1),
        ({"kind": "nan", "frist": 1}, 1),
        ({"kind": "nan", "first": 0, "times": 0, "share": 1.5, "seed": -1, "argument": "top"}, 5),
        ({"kind": "nan", "first": True, "times": 1.0, "share": "all", "seed": None, "symbol": 3, "argument": []}, 6),
        ({"kind": "nan", "endpoint": "time"}, 1),
        ({"kind": "html_200", "argument": 1}, 1),
        ({"kind": "missing_rows", "argument": 1.5}, 1),
        ({"kind": "wrong_unit", "argument": "ns"}, 1),
        ({"kind": "hang", "share": float("nan")}, 1),
    ],
)
def test_rules_are_refused_with_every_problem(rule: Any, n_problems: int) -> None:
    if not n_problems:
        assert parse_rules([rule], "rules")[0].kind == rule["kind"]
        return
    with pytest.raises(InputError) as caught:
        parse_rules([rule], "rules")
    assert [problem.code for problem in caught.value.problems] == ["simulator-faults"] * n_problems


def test_rules_are_a_list() -> None:
    with pytest.raises(InputError, match="a list of rules"):
        parse_rules({"kind": "nan"}, "rules")


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_says_what_it_does_and_takes_its_own_default(name: str) -> None:
    kind = KINDS[name]
    assert kind.meaning.endswith(".")
    if kind.argument and kind.argument.default is not None:
        assert kind.argument.accepts(kind.argument.default)
