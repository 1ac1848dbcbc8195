import math
from collections.abc import Sequence
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from candlelock.artifacts import tables
from candlelock.contracts.backtest_params import BacktestParams
from candlelock.contracts.backtest_tables import TRADE_LIST
from candlelock.contracts.documents import BacktestReport
from candlelock.contracts.errors import InputError
from candlelock.contracts.tables import CANDLES, PREDICTIONS
from candlelock.evaluate.backtest import backtest, growth
from candlelock.evaluate.costs import EXACT, STEP
from candlelock.evaluate.figures import drawdowns
from candlelock.evaluate.ledger import Ledger
from candlelock.evaluate.market import Times, day_ends
from candlelock.evaluate.trading import trade_list
from tests.trading_runs import trading_params

HOUR_MS = 3_600_000
BAR_MS = 12 * HOUR_MS
MONEY_TYPE = pa.decimal128(18, 2)
TIME_TYPE = pa.timestamp("ms", tz="UTC")
# Two bars a UTC day from 1970-01-01: three days.
OPENS, CLOSES = [100, 100, 105, 110, 109, 90], [100, 98, 108, 109, 90, 91]


def candles(opens: Sequence[float] = OPENS, closes: Sequence[float] = CLOSES, first_bar: int = 0) -> pa.Table:
    prices = {
        name: pa.array([Decimal(str(value)) for value in values], MONEY_TYPE)
        for name, values in (("open", opens), ("high", opens), ("low", opens), ("close", closes), ("volume", opens))
    }
    times = pa.array([(first_bar + bar) * BAR_MS for bar in range(len(opens))], TIME_TYPE)
    return pa.table({"open_time_utc": times, **prices})


def predictions(rows: dict[str, list[int]], signals: dict[str, list[int]], segment: str = "test") -> pa.Table:
    """One prediction per symbol and bar, with a signal at the bars of `signals`."""
    flat = [(symbol, bar) for symbol, bars in sorted(rows.items()) for bar in bars]
    columns: list[list[Any]] = [
        [symbol for symbol, _ in flat],
        [bar * BAR_MS for _, bar in flat],
        [segment] * len(flat),
        *[[0.5] * len(flat)] * 5,
        *[[None] * len(flat)] * 5,
        [bar in signals.get(symbol, []) for symbol, bar in flat],
    ]
    arrays = [pa.array(values, column.dtype) for values, column in zip(columns, PREDICTIONS.columns, strict=True)]
    return pa.table(arrays, names=[column.name for column in PREDICTIONS.columns])


def params(**changed: Any) -> BacktestParams:
    return trading_params(**{"fee_bps": 10.0, "slippage_bps": 100.0, "cost_multiples": [0.0, 1.0, 2.0], **changed})


def run(signals: list[int], rows: Sequence[int] = range(4), **changed: Any) -> tuple[BacktestReport, Ledger]:
    table = predictions({"A/B": list(rows)}, {"A/B": signals})
    return backtest(table, {"A/B": candles()}, params(**changed), horizon_bars=2, bar_ms=BAR_MS)


def days(ledger: Ledger) -> Times:
    return day_ends(ledger.schedule.market)[0]


def daily(ledger: Ledger) -> list[Decimal]:
    """Equity at the end of each UTC day, to the last unit."""
    with localcontext(EXACT):
        return [value.quantize(STEP) for value in ledger.equity_at(day_ends(ledger.schedule.market)[1])]


def held(ledger: Ledger) -> list[Decimal]:
    """The same of who buys at the first opens and holds."""
    market = ledger.schedule.market
    with localcontext(EXACT):
        return [(value * ledger.capital).quantize(STEP) for value in growth(market, day_ends(market)[1])]


def falls(ledger: Ledger) -> list[float]:
    found: list[float] = drawdowns(ledger.equity)[day_ends(ledger.schedule.market)[1]].tolist()
    return found


def test_the_figures_of_a_worked_example() -> None:
    # One trade, worked out by hand in test_ledger: equity 969.327702 and 1068.238692 in position, then 1076.06354041.
    report, _ = run(signals=[0])
    returns = [969.327702 / 1000 - 1, 1076.06354041 / 969.327702 - 1, 0.0]
    mean = sum(returns) / 3
    deviation = math.sqrt(sum((r - mean) ** 2 for r in returns) / 2)
    expected = {
        "capital": 1000.0,
        "final_equity": 1076.06354041,
        "net_return_frac": 0.07606354041,
        "buy_and_hold_return_frac": -0.09,
        "sharpe": pytest.approx(mean / deviation * math.sqrt(365), rel=1e-12),
        "max_drawdown_frac": pytest.approx(0.030672298, rel=1e-12),
        "win_rate_frac": 1.0,
        "n_trades": 1,
        "n_days": 3,
        "turnover_per_day": pytest.approx((999.000999 + 1077.1406811) / 1000 / 3, rel=1e-12),
        "exposure_frac": 2 / 6,
        "fees_paid": 2.07614169,
    }
    actual = report.model_dump()
    assert {key: actual[key] for key in expected} == expected
    assert (report.first_open_utc, report.last_close_utc) == ("1970-01-01T00:00:00Z", "1970-01-04T00:00:00Z")
    at_cost = report.cost_sensitivity[1]
    assert (at_cost.net_return_frac, at_cost.sharpe, at_cost.n_trades) == (report.net_return_frac, report.sharpe, 1)
    assert report.cost_sensitivity[0].net_return_frac == pytest.approx(0.1)  # 110 / 100 without costs
    assert report.cost_sensitivity[2].net_return_frac < report.net_return_frac


def test_the_tables_of_a_worked_example() -> None:
    _, ledger = run(signals=[0])
    trades = trade_list(ledger)
    assert TRADE_LIST.problems(trades, "trades") == []
    assert trades.set_column(1, "entry_time_utc", trades["entry_time_utc"].cast(pa.int64())).drop(
        ["exit_time_utc"]
    ).to_pylist() == [
        {
            "symbol": "A/B",
            "entry_time_utc": BAR_MS,
            "side": "long",
            "entered": "market",
            "left": "time",
            "weight": 1.0,
            "entry_price": Decimal("101"),
            "exit_price": Decimal("108.9"),
            "quantity": Decimal("9.891099"),
            "fees": Decimal("2.07614169"),
            "carry": Decimal(0),
            "pnl": Decimal("76.06354041"),
            "return_frac": 0.07606354041,
        }
    ]
    assert trades["exit_time_utc"].cast(pa.int64()).to_pylist() == [3 * BAR_MS]
    assert days(ledger).tolist() == [0, 2 * BAR_MS, 4 * BAR_MS]
    assert [str(v) for v in daily(ledger)] == ["969.32770200", "1076.06354041", "1076.06354041"]
    assert [str(v) for v in held(ledger)] == ["980.00000000", "1090.00000000", "910.00000000"]
    assert falls(ledger) == [pytest.approx(0.030672298, rel=1e-12), 0.0, 0.0]


def test_a_written_table_reads_back_equal(tmp_path: Path) -> None:
    _, ledger = run(signals=[0])
    tables.write(tmp_path / "trades", trade_list(ledger), TRADE_LIST)
    assert tables.read(tmp_path / "trades", TRADE_LIST).equals(trade_list(ledger), check_metadata=True)


def test_without_signals_nothing_happens() -> None:
    report, ledger = run(signals=[])
    assert (report.n_trades, report.win_rate_frac, report.sharpe, report.max_drawdown_frac) == (0, None, None, 0.0)
    assert (report.final_equity, report.turnover_per_day, report.exposure_frac, report.fees_paid) == (1000, 0, 0, 0)
    assert trade_list(ledger).num_rows == 0
    assert TRADE_LIST.problems(trade_list(ledger), "trades") == []
    assert daily(ledger) == [1000, 1000, 1000]


def test_a_trade_that_breaks_even_is_no_win_and_exposure_counts_every_symbol() -> None:
    flat = candles([100] * 6, [100] * 6)
    table = predictions({"A/B": [0, 1, 2, 3], "C/B": [0, 1, 2, 3]}, {"A/B": [0]})
    report, _ = backtest(table, {"A/B": flat, "C/B": flat}, params(fee_bps=0.0, slippage_bps=0.0), 2, BAR_MS)
    assert (report.n_trades, report.win_rate_frac, report.exposure_frac) == (1, 0.0, 2 / 12)


def test_one_day_has_no_sharpe() -> None:
    short = candles([100, 100], [100, 110])
    table = predictions({"A/B": [0]}, {"A/B": [0]})
    report, _ = backtest(table, {"A/B": short}, params(fee_bps=0.0, slippage_bps=0.0), 1, BAR_MS)
    assert report.net_return_frac == pytest.approx(0.1)
    assert (report.n_days, report.sharpe) == (1, None)


def test_an_account_eaten_up_by_costs_ends_at_zero() -> None:
    table = predictions({"A/B": list(range(9))}, {"A/B": [0, 2]})
    flat = {"A/B": candles([1] * 10, [1] * 10)}
    ruinous = params(capital=1, fee_bps=9999.0, slippage_bps=0.0, cost_multiples=[1.0])
    report, _ = backtest(table, flat, ruinous, 1, BAR_MS)
    assert (report.final_equity, report.max_drawdown_frac, report.n_trades) == (0.0, 1.0, 2)
    assert report.sharpe is not None
    assert report.sharpe < 0


def test_the_span_ends_with_the_last_label() -> None:
    # Rows 1 and 2, horizon 2: bars 1 to 4. The trade of the signal at 2 runs over bars 3 and 4 and ends at 4's close.
    report, ledger = run(signals=[2], rows=[1, 2], fee_bps=0.0, slippage_bps=0.0)
    assert (report.first_open_utc, report.last_close_utc) == ("1970-01-01T12:00:00Z", "1970-01-03T12:00:00Z")
    assert report.buy_and_hold_return_frac == pytest.approx(90 / 100 - 1)
    assert report.net_return_frac == pytest.approx(90 / 110 - 1)
    assert (report.n_days, len(days(ledger))) == (3, 3)
    assert report.exposure_frac == 2 / 4


def test_only_the_test_segment_is_traded() -> None:
    test = predictions({"A/B": [2, 3]}, {})
    decide = predictions({"A/B": [0, 1]}, {"A/B": [0, 1]}, segment="decide")
    report, _ = backtest(pa.concat_tables([decide, test]), {"A/B": candles()}, params(), 2, BAR_MS)
    assert (report.n_trades, report.first_open_utc) == (0, "1970-01-02T00:00:00Z")


def test_symbols_without_test_rows_have_no_account() -> None:
    alone, _ = run(signals=[0])
    table = predictions({"A/B": list(range(4))}, {"A/B": [0]})
    beside, _ = backtest(table, {"A/B": candles(), "C/B": candles()}, params(), 2, BAR_MS)
    assert beside == alone


def test_a_late_listing_is_held_from_its_first_open() -> None:
    listed_late = {"A/B": candles(), "C/B": candles([10, 10, 20], [10, 10, 30], first_bar=3)}
    table = predictions({"A/B": [0, 1, 2, 3], "C/B": [3]}, {})
    report, ledger = backtest(table, listed_late, params(), 2, BAR_MS)
    assert report.buy_and_hold_return_frac == pytest.approx((91 / 100 + 30 / 10) / 2 - 1)
    assert held(ledger)[0] == 990


def test_drawdown_is_seen_between_day_ends() -> None:
    # Falls to 50 at the first close of day two and recovers by its end.
    fallen = candles([100, 100, 100, 50, 100, 100], [100, 100, 50, 100, 100, 100])
    table = predictions({"A/B": [0, 1, 2, 3]}, {"A/B": [0, 1, 2, 3]})
    report, ledger = backtest(table, {"A/B": fallen}, params(fee_bps=0.0, slippage_bps=0.0), 2, BAR_MS)
    assert report.max_drawdown_frac == pytest.approx(0.5)
    assert max(falls(ledger)) == 0.0


def test_bars_longer_than_a_day_leave_days_as_they_were() -> None:
    days_3 = candles([100, 100, 110], [100, 110, 120])
    days_3 = days_3.set_column(0, "open_time_utc", pa.array([i * 72 * HOUR_MS for i in range(3)], TIME_TYPE))
    table = predictions({"A/B": [0]}, {"A/B": [0]})
    free = params(fee_bps=0.0, slippage_bps=0.0)
    report, ledger = backtest(table, {"A/B": days_3}, free, horizon_bars=1, bar_ms=72 * HOUR_MS)
    assert report.n_days == 6
    assert daily(ledger) == [1000] * 5 + [1100]


def test_the_callers_decimal_context_has_no_say() -> None:
    expected = run(signals=[0, 3])
    with localcontext() as context:
        context.prec = 4
        report, ledger = run(signals=[0, 3])
        told = trade_list(ledger), daily(ledger)
    assert report == expected[0]
    assert told == (trade_list(expected[1]), daily(expected[1]))


def problems_of(table: pa.Table, given: dict[str, pa.Table], **changed: Any) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as raised:
        backtest(table, given, params(**changed), 2, BAR_MS)
    return [(problem.code, problem.place) for problem in raised.value.problems]


def test_a_predicted_symbol_needs_candles() -> None:
    table = predictions({"A/B": [0, 1], "C/B": [0, 1]}, {"A/B": [0]})
    assert problems_of(table, {"A/B": candles()}) == [("backtest-signal", "signals of C/B")]


def test_every_broken_table_is_named() -> None:
    good, twice = candles(), predictions({"A/B": [0, 0]}, {})
    doubled = pa.concat_tables([good.slice(0, 1), good])
    without_close = good.drop(["close"])
    assert CANDLES.problems(good, "candles") == []
    assert problems_of(twice, {"A/B": doubled, "C/B": without_close}) == [
        ("table-order", "predictions row 1"),
        ("table-order", "candles of A/B row 1"),
        ("table-columns", "candles of C/B"),
    ]


def test_predictions_without_a_test_row_are_refused() -> None:
    table = predictions({"A/B": [0]}, {}, segment="decide")
    assert problems_of(table, {"A/B": candles()}) == [("backtest-no-test-rows", "predictions")]


def test_costs_of_a_whole_fill_are_refused() -> None:
    table = predictions({"A/B": [0]}, {})
    bad = problems_of(table, {"A/B": candles()}, slippage_bps=5000.0, cost_multiples=[1.0, 2.0, 3.0])
    assert bad == [("backtest-costs", "backtest.cost_multiples 2"), ("backtest-costs", "backtest.cost_multiples 3")]


def test_a_position_through_a_longer_gap_is_refused_where_a_limit_is_set() -> None:
    holed = candles().filter(pa.array([bar not in (2, 3) for bar in range(6)]))
    table = predictions({"A/B": [0, 1, 4, 5]}, {"A/B": [0]})
    with pytest.raises(
        InputError, match="1 positions through longer gaps, the first from 43200000 ms: 2 bars"
    ) as raised:
        backtest(table, {"A/B": holed}, params(risk={"max_gap_bars": 1}), 2, BAR_MS)
    assert raised.value.problems[0].code == "backtest-gap"
    report, _ = backtest(table, {"A/B": holed}, params(risk={"max_gap_bars": 2}), 2, BAR_MS)
    assert report == backtest(table, {"A/B": holed}, params(), 2, BAR_MS)[0]


def test_a_cost_point_decides_again_where_rules_look_at_the_equity() -> None:
    # At thrice the costs the first trade loses more than the limit, and the second is never made.
    flat = candles([100] * 8, [100] * 8)
    table = predictions({"A/B": [0, 1, 2, 3, 4, 5]}, {"A/B": [0, 3]})
    costly = params(fee_bps=100.0, slippage_bps=0.0, cost_multiples=[1.0, 3.0], risk={"drawdown_frac": 0.03})
    report, _ = backtest(table, {"A/B": flat}, costly, 1, BAR_MS)
    assert [point.n_trades for point in report.cost_sensitivity] == [2, 1]
    alone, _ = backtest(table, {"A/B": flat}, costly.model_copy(update={"fee_bps": 300.0}), 1, BAR_MS)
    assert report.cost_sensitivity[1].net_return_frac == pytest.approx(alone.net_return_frac, rel=1e-9)
