from collections.abc import Mapping
from decimal import Decimal, localcontext

import pytest

from candlelock.evaluate.costs import Costs
from candlelock.evaluate.ledger import Ledger, keep_ledger, total
from candlelock.evaluate.schedule import Stay
from tests.trading_runs import all_equity, costs, schedule_of

BAR_MS = 3_600_000


def ledger_of(
    held: Mapping[str, tuple[Stay, ...]], marks: Mapping[str, list[str]], paid: Costs, capital: int
) -> Ledger:
    return keep_ledger(schedule_of(held, marks, BAR_MS), paid, capital)


def stay(symbol: str, entry: int, leave: int, entry_price: str, exit_price: str) -> Stay:
    """Bought at the open of bar `entry`, sold at the open of bar `leave`."""
    prices = Decimal(entry_price), Decimal(exit_price)
    return Stay(symbol, entry + 1, leave + 1, entry * BAR_MS, leave * BAR_MS, *prices)


def one_trade(fee_bps: float, slippage_bps: float, capital: int = 1000) -> Ledger:
    held = {"A/B": (stay("A/B", 1, 3, "100", "110"),)}
    marks = {"A/B": ["100", "100", "98", "108", "109"]}
    return ledger_of(held, marks, costs(fee_bps, slippage_bps), capital)


def test_one_trade_to_the_last_digit() -> None:
    # By hand: bought at 101 for 1000 / 1.001 = 999.000999 (fee 0.999000999, up), sold at 108.9.
    ledger = one_trade(fee_bps=10, slippage_bps=100)
    (trade,) = ledger.trades
    assert (trade.entry_price, trade.exit_price) == (Decimal("101"), Decimal("108.9"))
    assert trade.quantity == Decimal("9.89109900")
    assert total([trade.value_units]) == Decimal("999.00099900") + Decimal("1077.14068110")
    assert trade.fees == Decimal("0.99900100") + Decimal("1.07714069")
    assert trade.flow_units == (-100000000000, 107606354041)
    assert trade.pnl == Decimal("76.06354041")
    # 9.891099 × 98, 9.891099 × 108, then cash.
    expected = ["1000", "1000", "969.32770200", "1068.23869200", "1076.06354041"]
    assert all_equity(ledger) == [Decimal(value) for value in expected]


def test_profits_are_reinvested_and_accounts_stay_apart() -> None:
    held = {
        "A/B": (stay("A/B", 0, 1, "10", "20"), stay("A/B", 1, 2, "20", "10")),
        "C/B": (stay("C/B", 0, 2, "10", "5"),),
    }
    marks = {"A/B": ["10", "20", "10", "10"], "C/B": ["10", "10", "5", "5"]}
    ledger = ledger_of(held, marks, costs(0, 0), 1000)
    assert [trade.pnl for trade in ledger.trades] == [500, -500, -250]
    assert all_equity(ledger) == [1000, 1500, 750, 750]


def test_what_cannot_be_shared_evenly_stays_idle() -> None:
    symbols = ["A/B", "C/B", "D/B"]
    held = {symbol: (stay(symbol, 0, 1, "1", "2"),) for symbol in symbols}
    ledger = ledger_of(held, {symbol: ["1", "1", "2"] for symbol in symbols}, costs(0, 0), 10)
    assert [trade.stake for trade in ledger.trades] == [Decimal("3.33333333")] * 3
    assert all_equity(ledger) == [10, 10, Decimal("19.99999999")]


def test_an_account_too_small_for_the_price_stays_out() -> None:
    held = {"A/B": (stay("A/B", 0, 1, "1000000000", "2000000000"),)}
    ledger = ledger_of(held, {"A/B": ["1000000000"] * 3}, costs(0, 0), 1)
    assert ledger.trades == ()
    assert all_equity(ledger) == [1, 1, 1]


def test_costs_that_eat_everything_leave_no_debt() -> None:
    held = {"A/B": tuple(stay("A/B", bar, bar + 1, "1", "1") for bar in range(5))}
    ledger = ledger_of(held, {"A/B": ["1"] * 7}, costs(9999, 0), 1)
    assert len(ledger.trades) == 2
    assert min(all_equity(ledger)) == ledger.final_equity == 0


@pytest.mark.parametrize("multiple", [0.5, 3.0])
def test_costs_multiply_exactly(multiple: float) -> None:
    paid = costs(0.1, 0.7).times(multiple)
    assert paid.fee_frac == Decimal("0.1") * Decimal(str(multiple)) / 10_000
    assert paid.slippage_frac == Decimal("0.7") * Decimal(str(multiple)) / 10_000


def test_the_callers_decimal_context_has_no_say() -> None:
    expected = one_trade(fee_bps=7.123456, slippage_bps=100)
    pnl = expected.trades[0].pnl
    with localcontext() as context:
        context.prec = 5
        actual = one_trade(fee_bps=7.123456, slippage_bps=100)
        assert actual.trades == expected.trades
        assert actual.trades[0].pnl == pnl
    assert all_equity(actual) == all_equity(expected)
