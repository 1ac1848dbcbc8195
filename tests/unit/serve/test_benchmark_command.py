"""`candlelock benchmark` on real bundles; latency is a double, as no test may depend on a clock."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from sklearn import metrics

from candlelock.calibrate.calibrator import fit_calibration
from candlelock.calibrate.ensemble import make_ensemble
from candlelock.contracts.documents import LatencyReport
from candlelock.evaluate import latency
from candlelock.serve.bundle import load_bundle
from candlelock.serve.bundle_folders import find_bundles, identify_bundle
from candlelock.split import joined
from candlelock.train.averaging import Averaged
from candlelock.train.learner import LEARNERS, Sample
from tests.command_line import make_call
from tests.learner_settings import QUICK
from tests.unit.serve.test_bundle import Parts, write

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, str, str]]

ROOT = str(Path(__file__).resolve().parents[3])
WRITERS: dict[str, Any] = {"parquet": pq.write_table, "feather": pa.feather.write_feather, "csv": pa.csv.write_csv}


def make_parts(flip: bool) -> Parts:
    """A logistic regression that learnt the label, or its contrary."""
    random = np.random.default_rng(1)
    x = random.normal(size=(900, 4))
    y = (x[:, 0] + random.normal(size=900) > 0).astype(float)
    told = 1 - y if flip else y
    model = Averaged((LEARNERS["logistic"].fit(Sample(x, told, np.arange(900)), None, QUICK["logistic"], 1, 1),))
    raw = {"logistic": model.predict(x)}
    ensembles = {"stack": make_ensemble("stack", None, raw, y, 1.0)}
    return Parts({"logistic": model}, ensembles, {"identity": fit_calibration("identity", raw["logistic"], y)}, x)


GOOD, BAD = make_parts(flip=False), make_parts(flip=True)
RANDOM = np.random.default_rng(2)
X = np.round(RANDOM.normal(size=(300, 4)), 6)
IS_UP = X[:, 3] + RANDOM.normal(size=300) > 0
TABLE = pa.table(
    {
        "symbol": ["A/USD", "B/USD", "A/USD"] * 100,
        "is_up": IS_UP,
        "unused": ["text"] * 300,
        **{name: X[:, i] for i, name in enumerate("dcba")},  # not in the order of the bundle
    }
)


def put(folder: Path, parts: Parts = GOOD) -> Path:
    return write(folder, parts, "identity", used="logistic")


@pytest.fixture
def p95(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Every round takes what stands under `ms`."""
    taken = {"ms": 1.0}

    def measure(answer: Any, rows: Any, n_warmup_rows: int, n_threads: int) -> LatencyReport:
        assert answer(rows[:1]).shape == (1,)
        measured = dict.fromkeys(("mean", "p50", "p95", "p99"), taken["ms"])
        samples = len(rows) - n_warmup_rows
        return LatencyReport(**measured, samples=samples, n_threads=n_threads, hardware=latency.describe_hardware())

    monkeypatch.setattr(latency, "measure_latency", measure)
    return taken


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], p95: dict[str, float]) -> Run:
    """Run the command: exit code, standard output, standard error."""
    monkeypatch.delenv("CANDLELOCK_DEBUG", raising=False)
    return make_call(monkeypatch, capsys, "benchmark")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    pq.write_table(TABLE, tmp_path / "v.parquet")
    return tmp_path / "v.parquet"


def test_the_scores_are_those_of_the_bundle_s_answers(run: Run, data: Path, tmp_path: Path) -> None:
    folder = put(tmp_path / "models/direction")
    code, out, err = run("--models", tmp_path / "models", "--data", data, "--json", "--latency-rows", 40, "--rounds", 3)
    (one,) = json.loads(out)["benchmarks"]
    p_up = load_bundle(folder).predict(X[:, ::-1])
    assert (code, err, one["model_name"], one["n_rows"], one["n_features"]) == (0, "", "direction", 300, 4)
    assert one["auc_roc"] == pytest.approx(metrics.roc_auc_score(IS_UP, p_up))
    assert one["log_loss"] == pytest.approx(metrics.log_loss(IS_UP, p_up))
    assert one["auc_roc"] > 0.6
    assert (one["latency_ms"]["samples"], one["latency_ms"]["rounds"]) == (120, 3)


@pytest.mark.parametrize("kind", WRITERS)
def test_every_kind_of_file_gives_the_same(run: Run, data: Path, tmp_path: Path, kind: str) -> None:
    put(tmp_path / "models/direction")
    WRITERS[kind](TABLE, path := tmp_path / f"other.{kind}")
    reports = [json.loads(run("--models", tmp_path / "models", "--data", each, "--json")[1]) for each in (data, path)]
    assert reports[0]["benchmarks"] == reports[1]["benchmarks"]
    assert reports[0]["data"]["rows_sha256"] == reports[1]["data"]["rows_sha256"]


def test_a_broken_bundle_costs_no_other_its_results(run: Run, data: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    for name in ("a", "deep/b", "gone", "hash", "wide", "torn"):
        put(models / name)
    (models / "gone/threshold.json").unlink()
    (models / "hash/members/logistic.json").write_text("{}")
    for path in (models / "wide").glob("selection.json"):
        path.write_text(path.read_text().replace('"d"', '"dd"'))
    torn = models / "torn/members"
    (torn / "logistic.json").write_text("{}")
    index = json.loads((torn / "members.json").read_text())
    index["models"]["logistic"][0]["sha256"] = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    (torn / "members.json").write_text(json.dumps(index))
    code, out, _ = run("--models", models, "--data", data, "--json")
    report = json.loads(out)
    assert (code, report["ranking"]) == (1, ["a", "deep/b"])
    assert report["summary"] == {
        "total_models": 6, "successful_benchmarks": 2, "failed_benchmarks": 4, "models_with_regressions": 0
    }  # fmt: skip
    codes = {each["model_name"]: [one["code"] for one in each["problems"]] for each in report["failures"]}
    assert codes == {
        "gone": ["document-missing"], "hash": ["bundle-hash"], "torn": ["bundle-broken"], "wide": ["benchmark-column"]
    }  # fmt: skip
    code, out, _ = run("--models", models, "--data", data)
    assert code == 1
    assert "FAILED: wide" in out
    assert "did you mean 'd'?" in out


def test_a_run_is_compared_with_the_history_and_added_to_it(
    run: Run, data: Path, tmp_path: Path, p95: dict[str, float]
) -> None:
    folder, history = put(tmp_path / "models/direction"), tmp_path / "history.json"
    words = ("--models", tmp_path / "models", "--data", data, "--history", history)
    assert run(*words)[0] == 0
    code, out, _ = run(*words, "--json")
    assert (code, json.loads(out)["regressions"]) == (0, {})
    p95["ms"] = 1.2
    code, out, _ = run(*words)
    assert code == 1
    assert "latency_p95_ms  1 -> 1.2  +20.0%" in out
    before = identify_bundle(folder)
    shutil.rmtree(folder)
    put(folder, BAD)
    code, out, _ = run(*words, "--json")
    worse = [one["figure"] for one in json.loads(out)["regressions"]["direction"]]
    assert (code, worse) == (
        1,
        [*("accuracy", "precision", "recall", "f1", "auc_roc", "log_loss", "brier"), "calibration_ece"],
    )
    kept = json.loads(history.read_text())["reports"]
    assert len(kept) == 4
    assert kept[-1] == json.loads(out)
    assert [each["benchmarks"][0]["bundle_sha256"] == before for each in kept] == [True, True, True, False]


def test_a_smaller_fall_may_be_asked_for(run: Run, data: Path, tmp_path: Path, p95: dict[str, float]) -> None:
    put(tmp_path / "models/direction")
    words = ("--models", tmp_path / "models", "--data", data, "--history", tmp_path / "history.json")
    run(*words)
    p95["ms"] = 1.03
    assert run(*words)[0] == 0
    p95["ms"] = 1.06
    assert run(*words, "--max-fall", "0.01")[0] == 1


def test_the_report_may_be_written_and_one_symbol_asked_for(run: Run, data: Path, tmp_path: Path) -> None:
    put(tmp_path / "models/direction")
    words = ("--models", tmp_path / "models", "--data", data, "--symbol", "B/USD")
    code, out, _ = run(*words, "--out", tmp_path / "report.json", "--json")
    assert code == 0
    assert json.loads((tmp_path / "report.json").read_text()) == json.loads(out)
    assert json.loads(out)["data"]["n_rows"] == 100


def test_the_test_rows_of_a_head_are_taken_and_may_be_kept(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "models/direction")
    is_up = IS_UP.astype(float)
    is_up[5] = np.nan
    rows = pd.DataFrame({"symbol": "A/USD", "open_time_ms": 1_700_000_000_000 + np.arange(300), "is_up": is_up})
    rows["segment"] = ["test"] * 200 + ["decide"] * 50 + [None] * 50
    monkeypatch.setattr(joined, "read_matrix", lambda *_: (rows, X[:, ::-1], list("abcd")))
    words = ("--models", tmp_path / "models", "--root", ROOT, "--json")
    code, out, _ = run(*words, "--head", "direction", "--save-data", tmp_path / "v.parquet")
    taken = json.loads(out)
    assert (code, taken["data"]["n_rows"], taken["data"]["source"]) == (0, 199, "test rows of direction")
    again = json.loads(run(*words, "--data", tmp_path / "v.parquet")[1])
    assert again["benchmarks"] == taken["benchmarks"]
    assert again["data"]["rows_sha256"] == taken["data"]["rows_sha256"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"--data": None}, "error[benchmark-data] --data"),
        ({"--head": "direction"}, "error[benchmark-data] --data"),
        ({"--data": "none.parquet"}, "error[audit-table-file]"),
        ({"--models": "none"}, "error[benchmark-models]"),
        ({"--models": "empty"}, "error[benchmark-models]"),
        ({"--symbol": "C/USD"}, "error[benchmark-symbol]"),
        ({"--history": "models/direction/stack.json"}, "error[document-invalid]"),
        ({"--data": None, "--head": "directoin"}, "error[head-unknown]"),
    ],
)
def test_wrong_input_is_refused_before_any_work(
    run: Run, data: Path, tmp_path: Path, changes: dict[str, str | None], error: str
) -> None:
    put(tmp_path / "models/direction")
    (tmp_path / "empty/.hidden").mkdir(parents=True)
    (tmp_path / "empty/.hidden/stack.json").touch()
    words = {"--models": str(tmp_path / "models"), "--data": str(data), "--root": ROOT} | {
        key: value if value is None or key in ("--head", "--symbol") else str(tmp_path / value)
        for key, value in changes.items()
    }
    code, out, err = run(*(word for key, value in words.items() if value is not None for word in (key, value)))
    assert (code, out) == (2, "")
    assert error in err


def test_a_bundle_s_folder_may_be_named_itself_and_reports_are_none(tmp_path: Path) -> None:
    put(tmp_path / "models/direction")
    (tmp_path / "reports/direction").mkdir(parents=True)
    (tmp_path / "reports/direction/selection.json").touch()
    assert list(find_bundles(tmp_path)) == ["models/direction"]
    assert list(find_bundles(tmp_path / "models/direction")) == ["direction"]
