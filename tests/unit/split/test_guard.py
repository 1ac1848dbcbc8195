"""Every leakage check passes on the project's own features and fails on a planted leak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from candlelock.features.audit import disagreements
from candlelock.features.build import build_tables
from candlelock.split import guard
from candlelock.split.labels import label_direction
from candlelock.split.rows import feature_matrix
from candlelock.split.segments import assign

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from candlelock.contracts.documents import Check
    from candlelock.contracts.registry import Feature
    from candlelock.contracts.stage_params import SplitParams
    from candlelock.features.market import Market

    Walk = Callable[..., Market]
    Params = Callable[..., SplitParams]
    Entries = tuple[Feature, ...]
    Tables = dict[str, pa.Table]
    Column = Callable[[pd.DataFrame], pd.Series]

HORIZON_BARS = 4


def split(market: Market, params: SplitParams) -> pd.DataFrame:
    return assign(label_direction(market, HORIZON_BARS, params.min_history_bars), params, market.bar_ms)


# --- time_split ---------------------------------------------------------------------------------------------------


def test_a_purged_and_embargoed_split_passes(walk: Walk, params: Params) -> None:
    market = walk(starts=(0, 50, 9), missing=(300, 301))
    check = guard.check_time_split(split(market, params()), 5 * market.bar_ms)
    assert check.passed
    assert not check.findings
    assert check.n_compared == 6 + 3
    margins = check.evidence["margin_seconds"]
    assert margins["decide before test"] > 5 * 1800
    assert min(margins.values()) > 5 * 1800


def test_a_split_without_its_purge_is_found(walk: Walk, params: Params) -> None:
    market = walk()
    rows = split(market, params(embargo_bars=0))
    unpurged = rows.assign(segment=rows.groupby("symbol")["segment"].ffill())
    check = guard.check_time_split(unpurged, 0)
    assert not check.passed
    assert {finding.split(":")[0] for finding in check.findings} == {
        "train before calibrate",
        "calibrate before decide",
        "decide before test",
    }


def test_one_row_of_one_symbol_that_reaches_over_is_found(walk: Walk, params: Params) -> None:
    market = walk()
    rows = split(market, params())
    last_of_decide = rows.index[(rows["segment"] == "decide") & (rows["symbol"] == "ADA/USD")][-1]
    rows.loc[last_of_decide + 1, "segment"] = "decide"
    assert rows["is_up"].notna()[last_of_decide + 1]
    check = guard.check_time_split(rows, 5 * market.bar_ms)
    assert len(check.findings) == 1
    assert "decide before test: label of ADA/USD" in check.findings[0]


def test_an_embargo_shorter_than_asked_for_is_found(walk: Walk, params: Params) -> None:
    market = walk()
    rows = split(market, params(embargo_bars=5))
    assert guard.check_time_split(rows, 5 * market.bar_ms).passed
    assert not guard.check_time_split(rows, 6 * market.bar_ms).passed


def test_a_fold_that_trains_on_open_labels_is_found(
    walk: Walk, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpurged(rows: pd.DataFrame, fold: int, embargo_ms: int) -> tuple[pd.Series, pd.Series]:
        is_labelled = rows["is_up"].notna()
        return is_labelled & (rows["fold"] < fold).fillna(False), is_labelled & (rows["fold"] == fold).fillna(False)

    market = walk()
    rows = split(market, params())
    monkeypatch.setattr(guard, "fold_masks", unpurged)
    check = guard.check_time_split(rows, 5 * market.bar_ms)
    assert [finding.split(":")[0] for finding in check.findings] == ["fold 1", "fold 2", "fold 3"]


def test_a_label_known_before_its_decision_is_found(walk: Walk, params: Params) -> None:
    market = walk()
    rows = split(market, params())
    row = rows.index[rows["is_up"].notna()][0]
    rows.loc[row, "label_end_ms"] = rows.loc[row, "decision_time_ms"]
    assert guard.check_time_split(rows, 0).findings == ["a label ends before its decision"]


# --- future_info --------------------------------------------------------------------------------------------------


def build_with(entries: Entries, leak: Column) -> Callable[[Market], Tables]:
    """The real tables of a market, with `body_1` replaced by what `leak` makes of each symbol's candles."""

    def build(market: Market) -> Tables:
        tables = build_tables(market, entries)
        at = tables["BTC/USD"].column_names.index("body_1")
        for row, symbol in enumerate(market.symbols):
            has_bar = market.has_bar[row]
            candles = pd.DataFrame({name: getattr(market, name)[row][has_bar] for name in ("close", "volume")})
            values = pa.array(leak(candles).to_numpy(dtype=float), from_pandas=True)
            tables[symbol] = tables[symbol].set_column(at, "body_1", values)
        return tables

    return build


def check_build(build: Callable[[Market], Tables], market: Market, n_cuts: int = 4) -> Check:
    return guard.check_future_info(build(market), lambda last: build(market.until(last)), n_cuts)


@pytest.mark.parametrize(
    "market",
    [{}, {"starts": (0, 100, 400)}, {"starts": (0,)}, {"missing": (*range(150, 170), 500)}],
    ids=["whole", "late starts", "one symbol", "gaps"],
)
def test_the_projects_features_see_no_future(walk: Walk, entries: Entries, market: dict[str, Any]) -> None:
    check = check_build(lambda candles: build_tables(candles, entries), walk(**market))
    assert check.passed, check.findings
    assert check.n_compared > 10_000


def test_the_last_cut_leaves_out_the_last_bar_alone(walk: Walk, entries: Entries) -> None:
    market = walk()
    cuts = check_build(lambda candles: build_tables(candles, entries), market).evidence["cut_open_time_ms"]
    assert cuts[-1] == market.open_time_ms[-2]
    assert [int(np.searchsorted(market.open_time_ms, cut)) for cut in cuts] == [71, 287, 502, 718]


LEAKS: dict[str, Column] = {
    "shift(-1)": lambda c: c["close"].pct_change().shift(-1),
    "over the whole maximum": lambda c: c["close"] / c["close"].max(),
    "whole-series z-score": lambda c: (c["volume"] - c["volume"].mean()) / c["volume"].std(),
    "whole-series rank": lambda c: c["close"].rank(pct=True),
    "centred window": lambda c: c["close"].rolling(25, center=True).mean(),
    "backward fill": lambda c: c["close"].where(c.index % 5 == 0).bfill(),
    "smoothed both ways": lambda c: c["close"].ewm(5).mean()[::-1].ewm(5).mean()[::-1],
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS.keys())
def test_a_feature_that_sees_the_future_is_found(walk: Walk, entries: Entries, leak: Column) -> None:
    check = check_build(build_with(entries, leak), walk(missing=(300,)))
    assert not check.passed
    assert all(" body_1, bar " in finding for finding in check.findings)


def test_a_past_only_feature_in_the_same_place_passes(walk: Walk, entries: Entries) -> None:
    assert check_build(build_with(entries, lambda c: c["close"] / c["close"].cummax()), walk()).passed


def test_a_maximum_that_falls_early_in_the_data_is_found_too(walk: Walk, entries: Entries) -> None:
    def peaked(c: pd.DataFrame) -> pd.Series:
        close = c["close"].where(c.index != 140, 1000.0)
        return pd.Series(close / close.max())

    assert not check_build(build_with(entries, peaked), walk()).passed


def test_another_symbols_future_is_found(walk: Walk, entries: Entries) -> None:
    def build(market: Market) -> Tables:
        later = np.r_[market.close[1][1:], np.nan]
        tables = build_tables(market, entries)
        own = replace({"BTC/USD": tables["BTC/USD"]}, "body_1", lambda *_: later / market.close[0])
        return tables | own

    check = check_build(build, walk())
    assert not check.passed
    assert {finding.split()[0] for finding in check.findings} == {"BTC/USD"}


def test_rows_that_only_the_future_brings_are_found(walk: Walk, entries: Entries) -> None:
    def build(market: Market) -> Tables:
        return {name: table.slice(table.num_rows % 2) for name, table in build_tables(market, entries).items()}

    check = check_build(build, walk(721), n_cuts=2)
    assert any("open_time_utc" in finding for finding in check.findings)


# --- feature_audit ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def audit(walk: Walk, entries: Entries) -> Callable[[Callable[[Tables, pd.DataFrame], Tables]], Check]:
    """The audit of the real tables after `change` has had its way with them."""
    market = walk()
    rows, built = label_direction(market, HORIZON_BARS, 96), build_tables(market, entries)

    def run(change: Callable[[Tables, pd.DataFrame], Tables]) -> Check:
        changed = change(dict(built), rows)
        matrix, names = feature_matrix(rows, changed)
        return guard.check_feature_audit(
            disagreements(changed, entries), matrix, names, rows["future_return"].to_numpy()
        )

    return run


def replace(tables: Tables, name: str, of_symbol: Callable[[str, pa.Table], npt.NDArray[np.float64]]) -> Tables:
    return {
        symbol: table.set_column(
            table.column_names.index(name), name, pa.array(of_symbol(symbol, table), from_pandas=True)
        )
        for symbol, table in tables.items()
    }


def from_rows(tables: Tables, rows: pd.DataFrame, values: pd.Series) -> Tables:
    """Put a value of the split's rows in the place of `body_1`."""
    known = rows.assign(value=values).set_index(["symbol", "open_time_ms"])["value"]

    def of_symbol(symbol: str, table: pa.Table) -> npt.NDArray[np.float64]:
        times = table["open_time_utc"].cast(pa.int64()).to_numpy()
        return np.asarray(known[symbol].reindex(times).to_numpy(), dtype=np.float64)

    return replace(tables, "body_1", of_symbol)


def test_the_projects_features_pass_the_audit(audit: Any, entries: Entries) -> None:
    check = audit(lambda tables, rows: tables)
    assert check.passed, check.findings
    assert check.n_compared == len(entries)
    assert abs(check.evidence["strongest_correlation"]) < 0.5


@pytest.mark.parametrize("sign", [1, -1])
def test_the_future_return_under_another_name_is_found(audit: Any, sign: int) -> None:
    check = audit(lambda tables, rows: from_rows(tables, rows, sign * rows["future_return"]))
    assert check.findings == [f"body_1: correlation {sign}.000 with the future return or its sign"]
    assert check.evidence["strongest_feature"] == "body_1"


def test_the_label_under_another_name_is_found(audit: Any) -> None:
    check = audit(lambda tables, rows: from_rows(tables, rows, rows["is_up"]))
    assert not check.passed
    assert check.findings[0].startswith("body_1: correlation 1.000 ")


def test_a_copy_under_a_second_name_is_found(audit: Any) -> None:
    def copy(tables: Tables, rows: pd.DataFrame) -> Tables:
        return replace(tables, "range_1", lambda _, table: table["body_1"].to_numpy())

    assert audit(copy).findings == ["range_1: the same values as body_1"]


def test_a_value_inside_the_warm_up_is_found(audit: Any) -> None:
    def early(tables: Tables, rows: pd.DataFrame) -> Tables:
        def of_symbol(symbol: str, table: pa.Table) -> npt.NDArray[np.float64]:
            values = table["rsi_14"].to_numpy(zero_copy_only=False).copy()
            if symbol == "ETH/USD":
                values[13] = 50.0
            return np.asarray(values)

        return replace(tables, "rsi_14", of_symbol)

    assert audit(early).findings == ["ETH/USD rsi_14: a value in row 13, inside its warm-up of 14 bars"]


def test_wrong_types_columns_and_orders_are_found(audit: Any) -> None:
    def to_float32(tables: Tables, rows: pd.DataFrame) -> Tables:
        return replace(tables, "hour_sin", lambda _, table: table["hour_sin"].to_numpy().astype(np.float32))

    def without_one(tables: Tables, rows: pd.DataFrame) -> Tables:
        return {symbol: table.drop_columns("weekday") for symbol, table in tables.items()}

    def swapped(tables: Tables, rows: pd.DataFrame) -> Tables:
        names = ["open_time_utc", *tables["BTC/USD"].column_names[:0:-1]]
        return {symbol: table.select(names) for symbol, table in tables.items()}

    assert [finding for finding in audit(to_float32).findings if "BTC" in finding] == ["BTC/USD column hour_sin: float"]
    assert "BTC/USD: missing ['weekday'], unknown []" in audit(without_one).findings
    assert all(": the order " in finding for finding in audit(swapped).findings)


def test_findings_are_cut_to_a_readable_number(audit: Any) -> None:
    def all_alike(tables: Tables, rows: pd.DataFrame) -> Tables:
        for name in next(iter(tables.values())).column_names[1:]:
            tables = replace(tables, name, lambda _, table: table["body_1"].to_numpy())
        return tables

    check = audit(all_alike)
    assert not check.passed
    assert len(check.findings) == guard.MAX_FINDINGS


def test_unknown_and_constant_columns_have_no_correlation() -> None:
    matrix = np.column_stack([np.full(50, np.nan), np.full(50, 2.5), np.r_[1.0, np.full(49, np.nan)]])
    check = guard.check_feature_audit([], matrix, ["nan", "constant", "one"], np.linspace(-1, 1, 50))
    assert check.passed
    assert check.evidence["strongest_correlation"] == 0
