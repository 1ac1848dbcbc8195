"""The back-test in full, on drawn markets: every figure against the ledger, or against a back-test of its own."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from candlelock.contracts.backtest_tables import TRADE_LIST, TRADING_CURVE
from candlelock.contracts.tables import PREDICTIONS, TIME
from candlelock.evaluate.backtest import backtest, growth
from candlelock.evaluate.market import day_ends
from candlelock.evaluate.trading import draw_curves, report_trading, trade_list, trading_curve
from tests.trading_runs import trading_params

if TYPE_CHECKING:
    from candlelock.evaluate.ledger import Ledger
    from candlelock.evaluate.trading import Curves

BAR_MS = 6 * 3_600_000
N_BARS, FIRST_TEST, HORIZON_BARS = 400, 40, 3
OPTIONS: dict[str, Any] = {
    "short_p_up": 0.45,
    "exit": {"stop_bps": 150.0, "target_bps": 250.0},
    "carry": {"funding_bps": 1.0, "borrow_bps": 0.5},
}


def draw_candles(seed: int) -> pa.Table:
    random = np.random.default_rng(seed)
    close = np.rint(10_000 * np.exp(np.cumsum(random.normal(0, 0.01, N_BARS)))).astype(int)
    opened = np.append(10_000, close[:-1])
    high, low = np.maximum(opened, close) + 40, np.minimum(opened, close) - 40
    columns = {
        name: pa.array([Decimal(int(v)).scaleb(-2) for v in values], pa.decimal128(18, 2))
        for name, values in (
            ("open", opened),
            ("high", high),
            ("low", low),
            ("close", close),
            ("volume", random.integers(1, 10**6, N_BARS)),
        )
    }
    return pa.table({"open_time_utc": pa.array(np.arange(N_BARS) * BAR_MS).cast(TIME), **columns})


CANDLES = {"A/Q": draw_candles(1), "B/Q": draw_candles(2)}


def predict(seed: int) -> pa.Table:
    """Test rows from FIRST_TEST on; p_up knows a little of the next bar, so that there is something to earn."""
    random = np.random.default_rng(seed)
    parts = []
    for symbol, table in CANDLES.items():
        close = table["close"].cast(pa.float64()).to_numpy()
        at = np.arange(FIRST_TEST, N_BARS - HORIZON_BARS)
        hint = np.sign(close[at + 1] - close[at])
        p_up = 0.5 + 0.04 * hint + random.normal(0, 0.03, len(at))
        no = [None] * len(at)
        columns = [[symbol] * len(at), at * BAR_MS, ["test"] * len(at), *[p_up] * 5, *[no] * 5, p_up > 0.55]
        arrays = [pa.array(v).cast(c.dtype) for v, c in zip(columns, PREDICTIONS.columns, strict=True)]
        parts.append(pa.table(arrays, names=[c.name for c in PREDICTIONS.columns]))
    return pa.concat_tables(parts)


ROWS = predict(3)


def run(**changed: Any) -> tuple[Ledger, Curves, Any]:
    params = trading_params(**{"capital": 10_000, "fee_bps": 5.0, "slippage_bps": 1.0, **changed})
    _, ledger = backtest(ROWS, CANDLES, params, HORIZON_BARS, BAR_MS)
    curves = draw_curves(ledger, ROWS, CANDLES, params, HORIZON_BARS)
    return ledger, curves, report_trading(ledger, curves, params, HORIZON_BARS)


@pytest.fixture(scope="module")
def full() -> tuple[Ledger, Curves, Any]:
    return run(**OPTIONS)


def test_months_compound_to_the_whole_and_count_every_trade(full: tuple[Ledger, Curves, Any]) -> None:
    ledger, _, report = full
    for curve, name in zip(
        report.curves, ("return_frac", "buy_and_hold_return_frac", "reversal_return_frac"), strict=True
    ):
        whole = np.prod([1 + getattr(month, name) for month in report.months]) - 1
        assert whole == pytest.approx(curve.net_return_frac, rel=1e-9)
    assert [month.month for month in report.months] == ["1970-01", "1970-02", "1970-03", "1970-04"]
    assert sum(month.n_trades for month in report.months) == len(ledger.trades) > 100


def test_sides_and_reasons_sum_to_the_ledger(full: tuple[Ledger, Curves, Any]) -> None:
    ledger, _, report = full
    assert sum(side.pnl for side in report.sides) == pytest.approx(float(ledger.final_equity - ledger.capital))
    assert min(side.n_trades for side in report.sides) > 20
    assert sum(report.exits.values()) == sum(report.entries.values()) == len(ledger.trades)
    assert min(report.exits[name] for name in ("time", "reversal", "stop", "target")) > 0
    assert report.sides[0].carry > 0
    assert report.sides[1].carry < 0  # a short receives 1.0 and pays 0.5


def test_curves_are_those_of_back_tests_of_their_own(full: tuple[Ledger, Curves, Any]) -> None:
    ledger, curves, report = full
    market = ledger.schedule.market
    held = growth(market, day_ends(market)[1]).astype(np.float64) * float(ledger.capital)
    np.testing.assert_allclose(trading_curve(ledger, curves)["buy_and_hold"], held, atol=1e-7)
    # The reversal rule as signals of its own, through the exact ledger.
    frame = ROWS.to_pandas()
    before = {s: pd.Series(t["close"].cast(pa.float64()).to_numpy()).diff(HORIZON_BARS) for s, t in CANDLES.items()}
    at = frame["open_time_utc"].astype("int64") // BAR_MS
    falls = [before[symbol][bar] < 0 for symbol, bar in zip(frame["symbol"], at, strict=True)]
    rows = ROWS.set_column(ROWS.num_columns - 1, "has_signal", pa.array(falls))
    params = trading_params(**{"capital": 10_000, "fee_bps": 5.0, "slippage_bps": 1.0, **OPTIONS, "short_p_up": None})
    other, rule = backtest(rows, CANDLES, params, HORIZON_BARS, BAR_MS)
    np.testing.assert_allclose(curves.reversal, rule.equity, rtol=1e-9)
    assert report.curves[2].n_trades == other.n_trades
    assert report.curves[2].max_drawdown_frac == pytest.approx(other.max_drawdown_frac)
    assert report.curves[2].sharpe == pytest.approx(other.sharpe)


def test_the_surface_is_that_of_back_tests_at_those_costs(full: tuple[Ledger, Curves, Any]) -> None:
    surface = full[2].cost_surface
    assert len(surface) == 25
    for point in surface[::6]:
        again, _, _ = run(**{**OPTIONS, "fee_bps": point.fee_bps, "slippage_bps": point.slippage_bps})
        assert point.net_return_frac == pytest.approx(float(again.final_equity / 10_000 - 1), abs=1e-8)
    returns = np.array([point.net_return_frac for point in surface]).reshape(5, 5)
    assert (np.diff(returns, axis=0) < 0).all()
    assert (np.diff(returns, axis=1) < 0).all()


def test_nothing_is_earned_at_break_even(full: tuple[Ledger, Curves, Any]) -> None:
    at = full[2].break_even_bps
    again, _, _ = run(**{**OPTIONS, "fee_bps": at, "slippage_bps": 0.0})
    assert at > 5
    assert abs(float(again.final_equity / 10_000 - 1)) < 1e-6
    ruinous = {"carry": {"funding_bps": 900.0, "borrow_bps": 1800.0}}
    assert run(**{**OPTIONS, **ruinous})[2].break_even_bps is None


def test_capacity_falls_with_size(full: tuple[Ledger, Curves, Any]) -> None:
    report = full[2]
    returns = [point.net_return_frac for point in report.capacity]
    assert [point.capital for point in report.capacity] == [1_000, 10_000, 100_000, 1_000_000, 10_000_000]
    assert returns == sorted(returns, reverse=True)
    assert (report.impact_power, report.impact_bps) == (0.5, 100.0)
    shares = [point.mean_volume_frac for point in report.capacity]
    assert shares == sorted(shares)
    # The same as a back-test with that model.
    again, _, _ = run(**{**OPTIONS, "slippage": {"model": "square_root", "spread_bps": 2.0}})
    assert report.capacity[1].net_return_frac == pytest.approx(float(again.final_equity / 10_000 - 1), abs=1e-8)


def test_exposure_is_that_of_the_positions() -> None:
    ledger, curves, report = run(sizing={"max_frac": 0.5})
    assert report.exposure.highest_gross_frac < 0.55
    assert report.exposure.mean_net_frac == report.exposure.mean_gross_frac > 0.05
    cash = float(ledger.capital) + sum(float(t.pnl) for t in ledger.trades if t.stay.end_mark <= 200)
    open_now = [t for t in ledger.trades if t.stay.first_mark <= 200 < t.stay.end_mark]
    cash -= sum(float(t.stake) for t in open_now)
    assert curves.strategy[200] == pytest.approx(cash + curves.net[200])
    assert (report.exposure.longest_gap_bars, report.exposure.mean_bars_held is not None) == (0, True)


def test_the_tables_fit_their_schemas(full: tuple[Ledger, Curves, Any]) -> None:
    ledger, curves, _ = full
    listed, curve = trade_list(ledger), trading_curve(ledger, curves)
    assert TRADE_LIST.problems(listed, "trade list") == TRADING_CURVE.problems(curve, "trading curve") == []
    assert set(listed["side"].to_pylist()) == {"long", "short"}
    assert sum(listed["pnl"].to_pylist()) == ledger.final_equity - ledger.capital
    shorts = listed.filter(pa.compute.equal(listed["side"], "short"))
    assert pa.compute.max(shorts["quantity"]).as_py() < 0


def test_without_trades_there_are_figures_all_the_same() -> None:
    params = trading_params(capital=10_000)
    rows = ROWS.set_column(ROWS.num_columns - 1, "has_signal", pa.array([False] * ROWS.num_rows))
    _, ledger = backtest(rows, CANDLES, params, HORIZON_BARS, BAR_MS)
    curves = draw_curves(ledger, rows, CANDLES, params, HORIZON_BARS)
    report = report_trading(ledger, curves, params, HORIZON_BARS)
    assert (report.break_even_bps, report.exposure.mean_bars_held, report.sides[0].win_rate_frac) == (None, None, None)
    assert {point.mean_volume_frac for point in report.capacity} == {None}
    assert trade_list(ledger).num_rows == 0
