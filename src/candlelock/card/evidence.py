"""Everything a card is built from, read from the artifacts of one head."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from candlelock.artifacts import documents
from candlelock.artifacts.hashing import sha256_file
from candlelock.card.figures import Plots
from candlelock.contracts import files
from candlelock.contracts.backtest_documents import TradingReport
from candlelock.contracts.card_document import Artifact
from candlelock.contracts.documents import (
    BacktestReport,
    Calibrator,
    EvaluationReport,
    FeatureReport,
    LatencyReport,
    Stack,
    Threshold,
)
from candlelock.contracts.errors import Problem, raise_if
from candlelock.contracts.leakage_documents import LeakageReport
from candlelock.contracts.policy import Policy
from candlelock.contracts.select_documents import Selection
from candlelock.contracts.significance_documents import Significance
from candlelock.contracts.snapshot_documents import Manifest
from candlelock.contracts.training_documents import TrainingReport


@dataclass(frozen=True)
class Evidence:
    """The reports of one head and the hash of every artifact behind them."""

    manifest: Manifest
    leakage: LeakageReport
    selection: Selection
    training: TrainingReport
    ensemble: Stack
    calibrator: Calibrator
    threshold: Threshold
    evaluation: EvaluationReport
    backtest: BacktestReport
    trading: TradingReport
    significance: Significance
    latency: LatencyReport
    policy: Policy
    lineage: list[Artifact]


def gather(root: Path, head: str) -> Evidence:
    """Read the reports below `root`. Raises InputError naming what is missing or broken."""
    own = files.HeadFiles(head)
    manifest = documents.read(root / files.MANIFEST, Manifest)
    training = documents.read(root / own.report("training.json"), TrainingReport)
    plugins = documents.read(root / files.FEATURE_REPORT, FeatureReport).plugins
    return Evidence(
        manifest=manifest,
        leakage=documents.read(root / own.report("leakage.json"), LeakageReport),
        selection=documents.read(root / own.models / "selection.json", Selection),
        training=training,
        ensemble=documents.read(root / own.models / "stack.json", Stack),
        calibrator=documents.read(root / own.models / "calibrator.json", Calibrator),
        threshold=documents.read(root / own.models / "threshold.json", Threshold),
        evaluation=documents.read(root / own.report("evaluation.json"), EvaluationReport),
        backtest=documents.read(root / own.report("backtest.json"), BacktestReport),
        trading=documents.read(root / own.report("trading.json"), TradingReport),
        significance=documents.read(root / own.report("significance.json"), Significance),
        latency=documents.read(root / own.report("latency.json"), LatencyReport),
        policy=read_policy(),
        lineage=_hash_all(root, _artifacts(own, manifest, training, plugins) + _trials(root, own)),
    )


def read_policy() -> Policy:
    """The gate policy that ships with the package."""
    return Policy.model_validate_json(resources.files("candlelock.contracts").joinpath("policy.json").read_bytes())


def _artifacts(own: files.HeadFiles, manifest: Manifest, training: TrainingReport, plugins: list[str]) -> list[Path]:
    """Every file the card rests on, candles through their manifest, in a fixed order; strays in a folder are none."""
    features = [files.FEATURES / symbol.file for symbol in manifest.symbols]
    own_features = [files.PLUGINS / Path(name).with_suffix(suffix) for name in plugins for suffix in (".py", ".yml")]
    members = [name for member in training.members.values() for name in member.files]
    fitted = [f"{name}.json" for name in ("selection", "stack", "calibrator", "conformal", "threshold")]
    models = [own.member_models / name for name in (*members, files.MEMBER_INDEX)]
    models += [own.models / name for name in fitted]
    of_head = (
        "selection",
        "study",
        "training",
        "evaluation",
        "metrics",
        "backtest",
        "trading",
        "significance",
        "leakage",
        "latency",
    )
    reports = [own.report(f"{name}.json") for name in of_head]
    single = [
        files.MANIFEST,
        files.REGISTRY,
        files.FEATURE_REPORT,
        files.CAUSALITY_REPORT,
        own.rows,
        own.members,
        own.predictions,
        own.test_reads,
        files.CONTROLS_REPORT,
    ]
    return sorted([*single, *features, *own_features, *models, *reports, own.report("trades.parquet")])


def _trials(root: Path, own: files.HeadFiles) -> list[Path]:
    """The batches of the ledger of trials, as many as there are."""
    return [own.trials / path.name for path in sorted((root / own.trials).glob("*.json"))]


def _hash_all(root: Path, paths: list[Path]) -> list[Artifact]:
    missing = [str(root / path) for path in paths if not (root / path).is_file()]
    expected, help_line = "a file the card rests on", "rebuild it with `dvc repro`"
    raise_if([Problem("artifact-missing", place, "no file", expected, help_line) for place in missing])
    return [Artifact(path=str(path), sha256=sha256_file(root / path)) for path in paths]


def read_plots(root: Path, head: str) -> Plots:
    """The plot tables of a head."""
    return Plots(
        **{name: _read_plot(root / files.HeadFiles(head).plot(name)) for name in ("roc", "reliability", "equity")}
    )


def _read_plot(path: Path) -> list[dict[str, float | str]]:
    """Rows of a plot's CSV; everything but the day is a number."""
    with path.open(encoding="utf-8", newline="") as handle:
        return [
            {key: value if key == "day" else float(value) for key, value in row.items()}
            for row in csv.DictReader(handle)
        ]
