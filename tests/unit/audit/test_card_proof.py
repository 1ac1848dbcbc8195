"""A card is proved from its artifacts, and each kind of tampering fails at the step that can see it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from candlelock.artifacts import documents
from candlelock.artifacts.user_files import read_params
from candlelock.audit import card_proof
from candlelock.audit.card_proof import Finding, prove_card
from candlelock.card.build import build_card, digest
from candlelock.card.evidence import gather
from candlelock.contracts import files
from candlelock.contracts.card_document import ModelCard
from candlelock.contracts.errors import InputError
from candlelock.contracts.leakage_documents import ControlsReport
from candlelock.split.joined import read_rows
from candlelock.split.segments import segment_ranges

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Edit = Callable[[dict[str, Any]], object]

CARD = "reports/direction/model_card.json"
LIGHTGBM = "models/direction/members/lightgbm.txt"
PREDICTIONS = "data/predictions/direction/calibrated.parquet"
MEMBERS = "data/predictions/direction/members.parquet"
ROWS = "data/split/direction/rows.parquet"
STEPS = [
    "the card fits its JSON Schema",
    "the digest is that of its content",
    "every artifact has the hash it names",
    "the candles are those of the snapshot it names",
    "built again from the reports, it is the same card",
    "the features, built again from the candles",
    "the labels and the time split, derived again from the candles",
    "the selections of features, fitted again on the rows each may see",
    "the models answer what is stored",
    "ensemble, calibrator, conformal sets and threshold, fitted again",
    "the evaluation, computed again from predictions",
    "the back-test, traded again from predictions and candles",
    "the significance, weighed again after every trial",
    "the leakage report, made again",
    "the causality certificate, made again",
    "the controls, run again",
    "the pages, rendered again",
]
(
    SCHEMA,
    DIGEST,
    HASHES,
    CANDLES,
    BUILT,
    FEATURES,
    SPLIT,
    CHOSEN,
    ANSWERS,
    FITTED,
    EVALUATION,
    BACKTEST,
    LUCK,
    LEAKAGE,
    CERTIFICATE,
    CONTROLS,
    PAGES,
) = STEPS


def prove(root: Path) -> list[Finding]:
    return list(prove_card(root / CARD, root))


def failure(root: Path) -> tuple[str, str]:
    """Step and detail of the one finding that failed: the last, after all the steps before it."""
    findings = prove(root)
    assert [finding.step for finding in findings] == STEPS[: len(findings)]
    assert [finding.passed for finding in findings] == [True] * (len(findings) - 1) + [False]
    return findings[-1].step, findings[-1].detail


def edit_json(path: Path, change: Edit) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_bytes(documents.to_bytes(document))


def sign(root: Path) -> None:
    """Give the card the digest of what it now says."""
    card = ModelCard.model_validate_json((root / CARD).read_text())
    edit_json(root / CARD, lambda document: document.update(digest=digest(card)))


def build_again(root: Path) -> None:
    """Build the card from the artifacts as they now are, as the stage does: every hash and the digest fit."""
    ranges = segment_ranges(read_rows(root, "direction"))
    documents.write(root / CARD, build_card(gather(root, "direction"), "direction", ranges, read_params(root)))


def edit_table(path: Path, name: str, change: Callable[[list[Any]], object]) -> None:
    table = pq.ParquetFile(path).read()
    values = table[name].to_pylist()
    change(values)
    at = table.column_names.index(name)
    pq.write_table(table.set_column(at, table.schema.field(name), pa.array(values, table[name].type)), path)


def test_an_honest_card_passes_every_step(built_project: Path) -> None:
    assert prove(built_project) == [Finding(step, True, "") for step in STEPS]


def test_a_threshold_forged_to_pay_fails_where_it_is_chosen_again(project_copy: Path) -> None:
    def forge(threshold: dict[str, Any]) -> None:
        threshold["is_profitable"] = True
        for choice in threshold["candidates"]:
            choice["net_profit_bps"] = 5000.0

    edit_json(project_copy / "models/direction/threshold.json", forge)
    build_again(project_copy)
    step, detail = failure(project_copy)
    assert step == FITTED
    assert "candidates" in detail


@pytest.mark.parametrize("page", ["model_card.html", "model_card.md"])
def test_a_page_edited_by_hand_fails_where_it_is_rendered_again(page: str, project_copy: Path) -> None:
    path = project_copy / "reports/direction" / page
    path.write_text(path.read_text().replace("candlelock", "goldmine"))
    assert failure(project_copy) == (PAGES, f"reports/direction/{page}: not the card's page")


@pytest.mark.parametrize(("plot", "step"), [("roc", EVALUATION), ("reliability", EVALUATION), ("equity", BACKTEST)])
def test_a_plot_drawn_by_hand_fails_where_it_is_drawn_again(plot: str, step: str, project_copy: Path) -> None:
    path = project_copy / f"reports/direction/plots/{plot}.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], lines[1]]) + "\n")
    found, detail = failure(project_copy)
    assert found == step
    assert "another curve" in detail


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card["metrics"].update(accuracy=0.99),
        lambda card: card.update(notes="much better"),
        lambda card: card["leakage_checks"].update(future_info=not card["leakage_checks"]["future_info"]),
        lambda card: card["parameters"].update(seed=43),
    ],
    ids=["accuracy", "notes", "leakage check", "parameter"],
)
def test_a_card_edited_by_hand_fails_at_the_digest(change: Edit, project_copy: Path) -> None:
    edit_json(project_copy / CARD, change)
    step, detail = failure(project_copy)
    assert step == DIGEST
    assert "the card was edited" in detail


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda card: card["metrics"].update(accuracy=0.99), "metrics.accuracy: 0.99 stored"),
        (lambda card: card["train"].update(rows=10**6), "train.rows: 1000000 stored"),
        (lambda card: card["segments"]["test"].update(start="2020-01-01T00:00:00Z"), "segments.test.start"),
        (lambda card: card.update(verdict="GO"), "verdict: GO stored"),
        (lambda card: card["latency_ms"].update(p95=0.001), "latency_ms.p95: 0.001 stored"),
        (lambda card: card["lineage"].pop(), "lineage"),
        (lambda card: card.update(created_at="2030-01-01T00:00:00Z"), "created_at"),
        (lambda card: card["parameters"]["card"].update(notes="other words"), "notes"),
    ],
    ids=["accuracy", "rows", "segment", "verdict", "latency", "lineage", "age", "parameters"],
)
def test_a_card_signed_again_fails_where_it_is_built_again(change: Edit, named: str, project_copy: Path) -> None:
    edit_json(project_copy / CARD, change)
    sign(project_copy)
    step, detail = failure(project_copy)
    assert step == BUILT
    assert named in detail


def test_controls_that_come_out_otherwise_fail_their_step(built_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def other(root: Path, _: object) -> ControlsReport:
        return documents.read(root / files.CONTROLS_REPORT, ControlsReport).model_copy(update={"seed": 7})

    monkeypatch.setattr(card_proof, "make_controls", other)
    step, detail = failure(built_project)
    assert step == CONTROLS
    assert "seed" in detail


@pytest.mark.parametrize(
    ("file", "change", "step", "named"),
    [
        (
            "reports/direction/evaluation.json",
            lambda report: report["metrics"]["accuracy"].update(value=0.99),
            EVALUATION,
            "metrics.accuracy.value: 0.99 stored",
        ),
        ("reports/direction/metrics.json", lambda report: report.update(accuracy=0.99), EVALUATION, "accuracy: 0.99"),
        ("reports/direction/backtest.json", lambda report: report.update(sharpe=9.0), BACKTEST, "sharpe: 9.0 stored"),
        (
            "reports/direction/leakage.json",
            lambda report: report["checks"][0].update(n_compared=1),
            LEAKAGE,
            "checks.0.n_compared: 1",
        ),
        ("reports/controls.json", lambda report: report["controls"][0].update(n_trades=9), LEAKAGE, "n_trades"),
        (
            "ledger/direction/test_reads.json",
            lambda ledger: ledger["reads"].append(ledger["reads"][0]),
            LEAKAGE,
            "n_reads",
        ),
        (
            "reports/causality.json",
            lambda report: report["features"][2]["n_compared"].update(prefix=1),
            CERTIFICATE,
            "features.2.n_compared.prefix: 1 stored",
        ),
        (
            "reports/direction/selection.json",
            lambda report: _rescore(report["folds"][1]),
            CHOSEN,
            "folds.1.steps.1.scores",
        ),
        ("reports/direction/selection.json", lambda report: _rescore(report["final"]), CHOSEN, "final.steps.1.scores"),
        ("models/direction/selection.json", lambda selection: _rescore(selection), CHOSEN, "steps.1.scores"),
        ("models/direction/selection.json", lambda selection: _restore(selection), CHOSEN, "outputs"),
        ("models/direction/stack.json", lambda stack: stack.update(used="mlp"), ANSWERS, "answers differ"),
        ("models/direction/threshold.json", lambda found: found.update(p_up=0.85), ANSWERS, "has_signal is wrong"),
        ("models/direction/threshold.json", lambda found: found.update(p_up=0.123), None, "StopIteration"),
    ],
    ids=["evaluation", "metrics", "back-test", "leakage", "controls", "ledger of reads",
         "certificate", "selection of a fold", "final selection",
         "score behind the model's selection", "feature the model never saw", "stack", "threshold",
         "threshold that is no candidate"],
)  # fmt: skip
def test_an_edited_report_behind_a_card_built_again_fails_where_it_is_derived(
    file: str, change: Edit, step: str | None, named: str, project_copy: Path
) -> None:
    edit_json(project_copy / file, change)
    if step is None:  # no card can be built from it: keep the old one, with the hashes of the edited file
        step = BUILT
        _renew_lineage(project_copy)
    else:
        build_again(project_copy)
    found, detail = failure(project_copy)
    assert found == step
    assert named in detail


def _rescore(selection: dict[str, Any]) -> None:
    """Another score of a feature that was kept."""
    selection["steps"][1]["scores"][selection["outputs"][0]] += 1e-9


def _restore(selection: dict[str, Any]) -> None:
    """A feature that was dropped in the place of the last that was kept."""
    for step in selection["steps"]:
        step["dropped"] = []
        step["inputs"] = step["outputs"] = selection["inputs"]
    selection["outputs"] = selection["inputs"]


def _renew_lineage(root: Path) -> None:
    lineage = [each.model_dump() for each in gather(root, "direction").lineage]
    edit_json(root / CARD, lambda card: card.update(lineage=lineage))
    sign(root)


@pytest.mark.parametrize(
    ("file", "column", "change", "step", "named"),
    [
        (PREDICTIONS, "p_up", lambda p: p.__setitem__(-1, 1 - p[-1]), ANSWERS, "answers differ"),
        (MEMBERS, "p_up_lightgbm", lambda p: p.__setitem__(-1, 1 - p[-1]), ANSWERS, "answers differ"),
        (PREDICTIONS, "has_signal", lambda s: s.__setitem__(-1, not s[-1]), ANSWERS, "has_signal is wrong in 1 rows"),
        ("reports/direction/trades.parquet", "return_frac", lambda r: r.__setitem__(0, 9.0), BACKTEST, "the ledger"),
        ("data/features/BBB-USD.parquet", "return_1", lambda r: r.__setitem__(-1, r[-2]), FEATURES, "give: BBB/USD"),
        (ROWS, "segment", lambda s: s.__setitem__(s.index("test"), "train"), SPLIT, "other labels, segments"),
        (ROWS, "is_up", lambda y: y.__setitem__(700, not y[700]), SPLIT, "other labels, segments"),
    ],
    ids=["prediction", "member", "signal", "trade", "feature", "segment", "label"],
)
def test_an_edited_table_fails_at_its_hash_and_behind_a_card_built_again_where_it_is_derived(
    file: str, column: str, change: Callable[[list[Any]], object], step: str, named: str, project_copy: Path
) -> None:
    edit_table(project_copy / file, column, change)
    assert failure(project_copy) == (HASHES, f"{file}: other content than the card names")
    build_again(project_copy)
    found, detail = failure(project_copy)
    assert found == step
    assert named in detail


def test_a_changed_candle_file_is_not_the_snapshot(project_copy: Path) -> None:
    path = project_copy / "data/snapshot/BBB-USD.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    step, detail = failure(project_copy)
    assert step == CANDLES
    assert "BBB-USD.parquet" in detail


@pytest.mark.parametrize("file", [LIGHTGBM, PREDICTIONS, "data/features/AAA-USD.parquet"])
def test_a_missing_artifact_is_named(file: str, project_copy: Path) -> None:
    (project_copy / file).unlink()
    step, detail = failure(project_copy)
    assert step == HASHES
    assert f"{file}: no file" in detail
    with pytest.raises(InputError) as caught:
        gather(project_copy, "direction")
    assert [(p.code, p.place) for p in caught.value.problems] == [("artifact-missing", f"{project_copy}/{file}")]


def test_strays_beside_the_artifacts_do_not_matter(project_copy: Path) -> None:
    for name in (f"{LIGHTGBM}.abc", "models/direction/notes.md", "data/features/OLD-USD.parquet"):
        (project_copy / name).write_text("left behind")
    before = (project_copy / CARD).read_bytes()
    build_again(project_copy)
    assert (project_copy / CARD).read_bytes() == before
    assert all(finding.passed for finding in prove(project_copy))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda card: card.pop("verdict"), "'verdict' is a required property"),
        (lambda card: card.update(rating="AAA"), "'rating' was unexpected"),
        (lambda card: card.update(verdict="MAYBE"), "verdict: 'MAYBE' is not one of"),
        (lambda card: card["metrics"].update(accuracy="high"), "metrics.accuracy: 'high' is not of type 'number'"),
        (lambda card: card.update(digest="abc"), "digest: 'abc' does not match"),
        (lambda card: card.update(feature_importance=[]), "feature_importance: []"),
        (lambda card: card["train"]["class_balance"].pop("neg"), "train.class_balance: 'neg' is a required"),
        (lambda card: card.update(version="1"), "version"),
    ],
)
def test_a_card_of_another_shape_fails_at_its_schema(change: Edit, named: str, project_copy: Path) -> None:
    edit_json(project_copy / CARD, change)
    step, detail = failure(project_copy)
    assert step == SCHEMA
    assert named in detail


@pytest.mark.parametrize("text", ["", "{", "nothing", '{"a": NaN}', '{"a": 1, "a": 2}', "\x00"])
def test_what_is_not_json_is_an_input_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(InputError) as caught:
        list(prove_card(tmp_path / "card.json", tmp_path))
    assert [problem.code for problem in caught.value.problems] == ["document-not-json"]


def test_a_number_no_card_can_hold_is_an_input_error(project_copy: Path) -> None:
    edit_json(project_copy / CARD, lambda card: card["metrics"].update(accuracy=10**400))
    with pytest.raises(InputError) as caught:
        prove(project_copy)
    assert [problem.code for problem in caught.value.problems] == ["document-invalid"]


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card.update(parameters={}),
        lambda card: card["parameters"]["backtest"].update(fee_bps="free"),
        lambda card: card.update(head="../direction"),
        lambda card: card["parameters"].update(heads={"other": card["parameters"]["heads"]["direction"]}),
    ],
    ids=["no parameters", "broken parameters", "path for a head", "other head"],
)
def test_nonsense_signed_again_is_refuted_without_a_traceback(change: Edit, project_copy: Path) -> None:
    edit_json(project_copy / CARD, change)
    sign(project_copy)
    step, detail = failure(project_copy)
    assert step == BUILT
    assert detail


def test_the_command_says_which_step_failed_and_exits_with_1(project_copy: Path) -> None:
    command = [sys.executable, "-m", "candlelock.cli.main", "card", "validate", CARD]
    edit_json(project_copy / CARD, lambda card: card["metrics"].update(accuracy=0.99))
    answer = subprocess.run(command, cwd=project_copy, capture_output=True, text=True, check=False)
    assert answer.stdout.splitlines()[0] == f"ok      {SCHEMA}"
    assert answer.returncode == 1
    sign(project_copy)
    elsewhere = [*command[:-1], str(project_copy / CARD), "--root", str(project_copy), "--json"]
    answer = subprocess.run(elsewhere, cwd="/", capture_output=True, text=True, check=False)
    report = json.loads(answer.stdout)
    assert answer.returncode == 1
    assert report["is_valid"] is False
    assert [step["passed"] for step in report["steps"]] == [True] * 4 + [False]
    assert "metrics.accuracy: 0.99 stored" in report["steps"][-1]["detail"]
