"""The audit's check of fills is silent on whatever the back-test makes of any market, signals and options."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from candlelock.evaluate.trading import trade_list
from candlelock.leakage.fills import check_fills
from candlelock.leakage.stays import Orders
from candlelock.snapshot.candles import to_frame
from tests.laws.test_trading_laws import BAR_MS, Case, cases, run, table

if TYPE_CHECKING:
    import pandas as pd

    from candlelock.contracts.leakage_documents import LeakCheck
    from candlelock.evaluate.ledger import Ledger


def listed(ledger: Ledger) -> pd.DataFrame:
    """The trade list with times in milliseconds."""
    trades = trade_list(ledger)
    frame: pd.DataFrame = trades.select(["symbol", "side", "entered", "left", "entry_price", "exit_price"]).to_pandas()
    for name in ("entry", "exit"):
        frame[f"{name}_ms"] = trades[f"{name}_time_utc"].cast("int64").to_numpy()
    return frame


def decided(case: Case, side: int) -> dict[str, np.ndarray]:
    return {
        name: BAR_MS + BAR_MS * np.array([bar for bar, told in each.signals.items() if told == side], dtype=np.int64)
        for name, each in case.symbols.items()
    }


def check(case: Case, trades: pd.DataFrame, orders: Orders | None) -> LeakCheck:
    candles = {name: to_frame(table(symbol)) for name, symbol in case.symbols.items()}
    return check_fills(trades, decided(case, 1), candles, BAR_MS, shorts=decided(case, -1), orders=orders)


@settings(max_examples=120, deadline=None)
@given(cases(), st.sampled_from([None, 0.005, 0.02]), st.sampled_from([None, 0.01, 0.03]), st.sampled_from([1.0, 0.5]))
def test_what_the_back_test_makes_raises_nothing(
    case: Case, daily_loss_frac: float | None, drawdown_frac: float | None, gross_frac: float
) -> None:
    limits = {"daily_loss_frac": daily_loss_frac, "drawdown_frac": drawdown_frac, "gross_frac": gross_frac}
    risk = case.params.risk.model_copy(update=limits)
    guarded = replace(case, params=case.params.model_copy(update={"risk": risk}))
    trades = listed(run(guarded))
    for orders in (None, Orders.of(guarded.params, case.horizon_bars)):
        found = check(guarded, trades, orders)
        assert found.findings == []
        assert found.n_compared == len(trades)


@settings(max_examples=80, deadline=None)
@given(cases(), st.integers(0, 2**32), st.sampled_from(["entry_price", "exit_price"]), st.booleans())
def test_a_fill_a_tenth_of_a_per_cent_better_than_it_was_printed_is_found(
    case: Case, number: int, column: str, knows_orders: bool
) -> None:
    ledger = run(case)
    assume(ledger.trades)
    at = number % len(ledger.trades)
    stay, trades = ledger.trades[at].stay, listed(ledger)
    is_market = trades["entered"][at] == "market"
    # A limit, stop or target a little off could have stood, for all that is known without the orders.
    assume(knows_orders or (is_market if column == "entry_price" else trades["left"][at] not in {"stop", "target"}))
    is_better = stay.side * (-1 if column == "entry_price" else 1)
    trades[column] = trades[column].astype(float)
    trades.loc[at, column] = float(getattr(stay, column)) * (1 + 1e-3 * is_better)
    orders = Orders.of(case.params, case.horizon_bars) if knows_orders else None
    found = {leak.code for leak in check(case, trades, orders).findings if leak.row == at}
    assert "fill-price" in found
