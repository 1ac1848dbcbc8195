"""Files generated from the contracts: JSON Schemas and the reference of parameters and tables.

`python -m candlelock.contracts.generated` writes them below the project's root; a test compares.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.contracts import book_documents, book_tables, card_document, documents, snapshot_documents, tables
from candlelock.contracts.backtest_documents import TradingReport
from candlelock.contracts.backtest_tables import TRADE_LIST, TRADING_CURVE
from candlelock.contracts.benchmark_documents import BenchmarkHistory, BenchmarkReport
from candlelock.contracts.causality_documents import CausalityReport
from candlelock.contracts.head_params import HEADS
from candlelock.contracts.leakage_documents import ControlsReport, LeakageReport, TestReads
from candlelock.contracts.params import Params
from candlelock.contracts.policy import GatePolicy, Policy
from candlelock.contracts.quality_documents import QualityReport
from candlelock.contracts.select_documents import Selection, SelectionReport
from candlelock.contracts.significance_documents import Significance
from candlelock.contracts.stage_params import Frozen, SearchRange
from candlelock.contracts.study_documents import StudyReport
from candlelock.contracts.training_documents import TrainingReport
from candlelock.contracts.trial_documents import TrialBatch
from candlelock.contracts.version_documents import CandleProof, VersionRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

SCHEMAS = Path("src/candlelock/contracts/schemas")
MODELS: dict[str, type[BaseModel]] = {
    "params": Params,
    "policy": Policy,
    "gate_policy": GatePolicy,
    "manifest": snapshot_documents.Manifest,
    "version": VersionRecord,
    "candle_proof": CandleProof,
    "quality": QualityReport,
    "features": documents.FeatureReport,
    "causality": CausalityReport,
    "leakage": LeakageReport,
    "controls": ControlsReport,
    "test_reads": TestReads,
    "selection": Selection,
    "selection_report": SelectionReport,
    "study": StudyReport,
    "training": TrainingReport,
    "members": documents.MemberModels,
    "stack": documents.Stack,
    "calibrator": documents.Calibrator,
    "conformal": documents.Conformal,
    "threshold": documents.Threshold,
    "evaluation": documents.EvaluationReport,
    "significance": Significance,
    "trials": TrialBatch,
    "metrics": documents.Metrics,
    "backtest": documents.BacktestReport,
    "trading": TradingReport,
    "latency": documents.LatencyReport,
    "model_card": card_document.ModelCard,
    "benchmark": BenchmarkReport,
    "benchmark_history": BenchmarkHistory,
    "book": book_documents.BookReport,
}
CANDLES = tables.candles_schema([column.name for column in tables.EXTRA_COLUMNS])
BOOK_BARS = book_tables.book_bars(book_tables.DEFAULT_LEVELS)
TABLES = (
    CANDLES,
    tables.ROWS,
    tables.FITS,
    tables.member_predictions(["<learner>"]),
    tables.PREDICTIONS,
    TRADE_LIST,
    TRADING_CURVE,
    BOOK_BARS,
)


def generate() -> dict[Path, str]:
    """Path below the project's root -> content."""
    files = {SCHEMAS / f"{name}.schema.json": _schema(model) for name, model in MODELS.items()}
    return files | {Path("docs/params.md"): _params_page(), Path("docs/tables.md"): _tables_page()}


def _schema(model: type[BaseModel]) -> str:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _params_page() -> str:
    lines = [
        "# Parameters",
        "",
        "Every key of `params.yaml`, generated from the models that check it. All keys are required: the file is the",
        "only place with values. Unknown keys are errors.",
        "",
        "| key | meaning | unit | limits |",
        "|---|---|---|---|",
    ]
    return "\n".join([*lines, *_param_rows(Params, "")]) + "\n"


def _param_rows(model: type[Frozen], prefix: str) -> Iterator[str]:
    for name, info in model.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        limits = ", ".join(str(limit) for limit in info.metadata if type(limit).__name__ in ("Ge", "Gt", "Le", "Lt"))
        readable = (
            limits.replace("Ge(ge=", "≥ ").replace("Gt(gt=", "> ").replace("Le(le=", "≤ ").replace("Lt(lt=", "< ")
        )
        unit = str(extra.get("unit", "")).replace("|", "\\|")  # a bare one would open another cell
        yield f"| `{prefix}{name}` | {info.description} | {unit} | {readable.replace(')', '')} |"
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, Frozen):
            yield from _param_rows(annotation, f"{prefix}{name}.")
        elif name == "heads":
            for kind, head in HEADS.items():
                yield from _param_rows(head, f"{prefix}heads.<{kind} head>.")
        elif prefix == "tune." and name == "space":
            yield from _param_rows(SearchRange, f"{prefix}{name}.<learner>.<key>.")


def _tables_page() -> str:
    lines = [
        "# Tables",
        "",
        "Every parquet table, generated from the schemas that check it on writing and on reading.",
        "",
    ]
    for schema in TABLES:
        lines += [f"## {schema.name}", "", f"Key and sort order: {', '.join(f'`{name}`' for name in schema.key)}.", ""]
        lines += ["| column | type | unit | meaning | null |", "|---|---|---|---|---|"]
        for column in schema.columns:
            kind = "exact decimal" if column.dtype is None else str(column.dtype)
            null = "yes" if column.nullable else "no"
            lines.append(f"| `{column.name}` | {kind} | {column.unit} | {column.description} | {null} |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Write every file."""
    for path, text in generate().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
