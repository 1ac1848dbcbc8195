"""Tables of the back-test that say more than `trades` and `equity`."""

from __future__ import annotations

import pyarrow as pa

from candlelock.contracts.tables import MONEY, PRICE, SYMBOL, TIME, Column, TableSchema

TRADE_LIST = TableSchema(
    "trade list",
    (
        SYMBOL,
        Column("entry_time_utc", TIME, "UTC time", "open of the bar entered in"),
        Column("exit_time_utc", TIME, "UTC time", "open of the bar left in; the last bar's close where the data end"),
        Column("side", pa.string(), "1", "long or short"),
        Column("entered", pa.string(), "1", "market, limit, or crossed: at a limit that the open had passed"),
        Column("left", pa.string(), "1", "time, reversal, halt, stop, target or end"),
        Column("weight", pa.float64(), "fraction", "share of the account put at work"),
        Column("entry_price", PRICE, "quote currency", "price of the entry, slippage included"),
        Column("exit_price", PRICE, "quote currency", "price of the exit, slippage included"),
        Column("quantity", MONEY, "base currency", "amount held; below zero if short"),
        Column("fees", MONEY, "quote currency", "exchange fees of both fills"),
        Column("carry", MONEY, "quote currency", "funding and borrowing paid; below zero if received"),
        Column("pnl", MONEY, "quote currency", "profit after fees and carry"),
        Column("return_frac", pa.float64(), "fraction", "pnl against the money of the entry, its fee included"),
    ),
    key=("symbol", "entry_time_utc"),
)

TRADING_CURVE = TableSchema(
    "trading curve",
    (
        Column("day_utc", TIME, "UTC time", "start of the UTC day; figures are those of its last bar close"),
        Column("equity", pa.float64(), "quote currency", "cash and positions at their last close"),
        Column("buy_and_hold", pa.float64(), "quote currency", "capital split evenly at the first opens and held"),
        Column("reversal", pa.float64(), "quote currency", "the reversal rule, by the same rules and costs"),
        Column("drawdown_frac", pa.float64(), "fraction", "equity below its highest bar close so far"),
        Column("buy_and_hold_drawdown_frac", pa.float64(), "fraction", "the same of buy_and_hold"),
        Column("reversal_drawdown_frac", pa.float64(), "fraction", "the same of the reversal rule"),
        Column("gross_frac", pa.float64(), "fraction", "worth of all positions against the equity"),
        Column("net_frac", pa.float64(), "fraction", "worth of long positions less that of short ones against it"),
    ),
    key=("day_utc",),
)
