"""Every leakage check passes on the project's own features and fails on a planted leak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from candlelock.contracts.causality_documents import CausalityFinding, CausalityReport
from candlelock.contracts.stage_params import CausalityParams
from candlelock.features.audit import disagreements
from candlelock.features.build import build_tables
from candlelock.split import guard
from candlelock.split.labels import label_direction
from candlelock.split.rows import feature_matrix
from candlelock.split.segments import assign

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    import pandas as pd

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

SNAPSHOT = "5" * 64


@pytest.fixture(scope="module")
def certificate() -> CausalityReport:
    """A certificate of two features that has passed."""
    settings = dict.fromkeys(CausalityParams.model_fields, 10**6)
    feature = {
        "group": "returns", "warmup_bars": 1, "available_at": "close", "rtol": 0.0, "passed": True, "n_values": 9,
        "n_compared": {"prefix": 90, "replay": 10},
    }  # fmt: skip
    check = {"what": "w", "passed": True, "n_findings": 0, "evidence": {}, "findings": []}
    return CausalityReport.model_validate(
        {
            "passed": True,
            "n_findings": 0,
            "seed": 1,
            "settings": settings,
            "candles": {
                "snapshot_id": SNAPSHOT, "symbols": ["BTC/USD"], "bar_minutes": 30.0, "n_bars": 100, "n_candles": 100,
                "n_missing_bars": 0, "n_bars_left_out": 0, "first_open_utc": "2018-01-01T00:00:00Z",
                "last_open_utc": "2018-01-03T01:30:00Z",
            },
            "checks": [check | {"name": "prefix", "n_compared": 180}, check | {"name": "replay", "n_compared": 20}],
            "features": [feature | {"name": "return_1"}, feature | {"name": "body_1"}],
        }
    )  # fmt: skip


def failed(certificate: CausalityReport, code: str) -> CausalityReport:
    """The certificate with a finding of its second check."""
    finding = CausalityFinding(
        code=code, feature="body_1", symbol="BTC/USD", time="2018-01-02T00:00:00Z", offset_bars=-3, detail="d", help="h"
    )
    check = certificate.checks[1].model_copy(update={"passed": False, "n_findings": 1, "findings": [finding]})
    return certificate.model_copy(update={"passed": False, "n_findings": 1, "checks": [certificate.checks[0], check]})


def test_a_certificate_that_passed_says_that_no_feature_sees_the_future(certificate: CausalityReport) -> None:
    check = guard.check_future_info(certificate, SNAPSHOT, ["return_1", "body_1"])
    assert check.passed
    assert check.findings == []
    assert check.n_compared == 200
    assert check.evidence == {
        "prefix": {"n_compared": 180, "passed": True},
        "replay": {"n_compared": 20, "passed": True},
    }


def test_what_the_certificate_found_is_found(certificate: CausalityReport) -> None:
    check = guard.check_future_info(failed(certificate, "lookback-longer"), SNAPSHOT, ["return_1", "body_1"])
    assert not check.passed
    assert check.findings == ["body_1 of BTC/USD at 2018-01-02T00:00:00Z: lookback-longer, d"]


@pytest.mark.parametrize("names", [["return_1"], ["body_1", "return_1"], ["return_1", "body_1", "range_1"]])
def test_a_certificate_of_other_features_proves_nothing(certificate: CausalityReport, names: list[str]) -> None:
    check = guard.check_future_info(certificate, SNAPSHOT, names)
    assert not check.passed
    assert check.findings == ["the causality certificate is of other features"]


def test_a_certificate_of_other_candles_proves_nothing(certificate: CausalityReport) -> None:
    check = guard.check_future_info(certificate, "6" * 64, ["return_1", "body_1"])
    assert not check.passed
    assert check.findings == ["the causality certificate is of another snapshot"]


# --- feature_audit ------------------------------------------------------------------------------------------------

NAMES = (
    "return_1", "return_12", "body_1", "close_position_1", "range_1", "volume_zscore_24", "cutler_rsi_14",
    "price_zscore_6", "volatility_24", "hour_sin", "weekday", "market_return_1", "excess_return_1",
)  # fmt: skip


@pytest.fixture(scope="module")
def few(entries: Entries) -> Entries:
    """Features of several groups with short look-backs."""
    return tuple(entry for entry in entries if entry.name in NAMES)


@pytest.fixture(scope="module")
def audit(walk: Walk, few: Entries) -> Callable[[Callable[[Tables, pd.DataFrame], Tables]], Check]:
    """The audit of the real tables after `change` has had its way with them."""
    market = walk()
    rows, built = label_direction(market, HORIZON_BARS, 96), build_tables(market, few)

    def run(change: Callable[[Tables, pd.DataFrame], Tables]) -> Check:
        changed = change(dict(built), rows)
        matrix, names = feature_matrix(rows, changed)
        return guard.check_feature_audit(
            disagreements(changed, few, market.bar_ms), matrix, names, rows["future_return"].to_numpy()
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


def test_the_projects_features_pass_the_audit(audit: Any, few: Entries) -> None:
    check = audit(lambda tables, rows: tables)
    assert check.passed, check.findings
    assert check.n_compared == len(few) == len(NAMES)
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
        return replace(tables, "range_1", lambda _, table: table["close_position_1"].to_numpy())

    assert audit(copy).findings == ["range_1: the same values as close_position_1"]


def test_a_value_inside_the_warm_up_is_found(audit: Any) -> None:
    def early(tables: Tables, rows: pd.DataFrame) -> Tables:
        def of_symbol(symbol: str, table: pa.Table) -> npt.NDArray[np.float64]:
            values = table["cutler_rsi_14"].to_numpy(zero_copy_only=False).copy()
            if symbol == "ETH/USD":
                values[13] = 50.0
            return np.asarray(values)

        return replace(tables, "cutler_rsi_14", of_symbol)

    assert audit(early).findings == ["ETH/USD cutler_rsi_14: a value in row 13, inside its warm-up of 14 bars"]


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
