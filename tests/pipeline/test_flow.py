"""The flow under the real dvc: builds, repeats nothing, experiments, survives a kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq

from candlelock.audit.card_proof import prove_card
from tests.pipeline.project import Project, change_params, environment

LEAKAGE = "the leakage report, made again"


def test_a_second_repro_runs_nothing(built: Project) -> None:
    before = (built.root / "dvc.lock").read_bytes()
    answer = built.dvc("repro")
    assert "up to date" in answer
    assert "Running stage" not in answer
    assert (built.root / "dvc.lock").read_bytes() == before
    assert "up to date" in built.dvc("status")


def test_the_planted_edge_is_found_and_the_card_validates(built: Project) -> None:
    card = json.loads((built.root / "reports/direction/model_card.json").read_text())
    assert card["metrics"]["auc_roc"] > 0.55
    assert card["leakage_checks"] == {"feature_audit": True, "future_info": True, "time_split": True}
    answer = built.run(
        sys.executable, "-m", "candlelock.cli.main", "card", "validate", "reports/direction/model_card.json"
    )
    steps = answer.stdout.splitlines()
    assert len(steps) == 17
    assert all(step.startswith("ok ") for step in steps)


def test_a_clean_clone_rebuilds_the_committed_lock(built: Project, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", str(built.root), str(tmp_path / "clone")], check=True)
    clone = Project(tmp_path / "clone")
    for candles in (built.root / "data/candles").glob("*.csv"):
        (clone.root / "data/candles" / candles.name).write_bytes(candles.read_bytes())
    clone.dvc("repro")
    assert clone.lock() == built.lock()
    assert clone.git("status", "--porcelain") == ""


def test_an_experiment_changes_what_it_should_and_counts_as_a_read_of_test(built: Project, copy: Project) -> None:
    copy.dvc("freeze", "controls")  # they cost as much as all the rest
    before = copy.lock()
    copy.dvc("exp", "run", "-S", "heads.direction.horizon_bars=2")
    after = copy.lock()
    changed = {path for path in after if after[path] != before[path]}
    assert {"data/split", "models/direction/members", "reports/direction/model_card.json"} <= changed
    assert changed.isdisjoint({"data/snapshot", "data/features"})
    ledgers = [json.loads((each.root / "ledger/direction/test_reads.json").read_text()) for each in (built, copy)]
    assert [len(ledger["reads"]) for ledger in ledgers] == [1, 2]
    assert ledgers[1]["reads"][:1] == ledgers[0]["reads"]
    assert "heads.direction.horizon_bars" in copy.dvc("params", "diff")
    assert "auc_roc" in copy.dvc("metrics", "diff")
    assert "horizon_bars" in copy.dvc("exp", "show", "--csv")
    assert "train@direction" in copy.dvc("dag")
    copy.dvc("plots", "diff", "HEAD")
    assert (copy.root / "dvc_plots/index.html").is_file()


def test_heads_of_barriers_and_of_values_get_cards_that_validate(copy: Project) -> None:
    """`touch` is of two symbols, with a column for each; `lively` foretells a value that is not traded."""
    copy.dvc("freeze", "controls")
    barriers = {"kind": "triple_barrier", "horizon_bars": 12, "take_profit_sigmas": 0.4, "stop_loss_sigmas": 0.4}
    touch = barriers | {"volatility_bars": 24, "symbols": ["CCC/USD", "AAA/USD"]}
    lively = {"kind": "future_volatility", "horizon_bars": 12, "volatility_bars": 48, "symbols": None}
    features = {"groups": ["returns"], "symbol_columns": True}
    change_params(copy.root, {"heads": {"touch": touch, "lively": lively}, "features": features})
    copy.dvc("repro", "card@touch", "card@lively")

    card = json.loads((copy.root / "reports/touch/model_card.json").read_text())
    assert card["train"]["symbols"] == ["CCC/USD", "AAA/USD"]
    rows = pq.read_table(copy.root / "data/split/touch/rows.parquet")
    assert set(rows["symbol"].to_pylist()) == {"AAA/USD", "CCC/USD"}
    selection = json.loads((copy.root / "models/touch/selection.json").read_text())
    assert selection["inputs"][-3:] == ["is_AAA/USD", "is_BBB/USD", "is_CCC/USD"]
    assert "is_BBB/USD" not in selection["outputs"]
    assert card["leakage_checks"] == {"feature_audit": True, "future_info": True, "time_split": True}
    _prove(copy, "touch", LEAKAGE)

    card = json.loads((copy.root / "reports/lively/model_card.json").read_text())
    assert card["ensemble"]["kind"] == "linear"
    assert set(card["values"]["metrics"]) == {"rmse", "mae", "r2", "rank_correlation", "skill"}
    assert card["backtest"]["n_trades"] == 0
    assert not {"back-test Sharpe", "back-test trades"} & {gate["name"] for gate in card["gates"]}
    predictions = pq.read_table(copy.root / "data/predictions/lively/calibrated.parquet")
    assert predictions["predicted_value"].null_count == 0
    assert not any(predictions["has_signal"].to_pylist())
    _prove(copy, "lively", LEAKAGE)


def _prove(project: Project, head: str, last: str) -> None:
    """Every step of the card's proof up to this one holds. Certificate and controls, which come after, take longest."""
    for finding in prove_card(project.root / f"reports/{head}/model_card.json", project.root):
        assert finding.passed, finding
        if finding.step == last:
            return
    raise AssertionError(f"no step {last}")


def test_the_model_in_use_answers_the_same_rows_and_joins_the_card(built: Project, copy: Project) -> None:
    shutil.copytree(copy.root / "models/direction", copy.root / "incumbents/direction")
    copy.dvc("add", "--quiet", "incumbents/direction")
    copy.git("add", "incumbents")
    copy.dvc("repro", "card@direction")
    name = "reports/direction/significance.json"
    before, after = (json.loads((each.root / name).read_text()) for each in (built, copy))
    own = [each for each in after["paired"] if each["against"] == "incumbent"]
    assert {each["score"] for each in own} == {"accuracy", "auc_roc", "log_loss", "brier"}
    assert {each["gain"]["value"] for each in own} == {0.0}  # it is the same model
    assert [each for each in after["paired"] if each not in own] == before["paired"]
    assert after["p_no_better"] == before["p_no_better"]
    assert "incumbent" in (copy.root / "reports/direction/model_card.html").read_text()
    _prove(copy, "direction", LEAKAGE)


def test_a_changed_tree_parameter_reaches_the_model(copy: Project) -> None:
    before = copy.lock()
    copy.dvc("repro", "--single-item", "train@direction")
    assert copy.lock() == before
    copy.dvc("exp", "run", "-S", "train.lightgbm.num_leaves=7", "train@direction")
    after = copy.lock()
    assert after["models/direction/members"] != before["models/direction/members"]
    assert "[num_leaves: 7]" in (copy.root / "models/direction/members/lightgbm.txt").read_text()


def test_a_stage_dies_with_dvc_and_the_next_run_completes(copy: Project) -> None:
    before = copy.lock()
    running = subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro", "--force", "--single-item", "tune@direction"],
        cwd=copy.root,
        env=environment(copy.root),
        stdout=subprocess.DEVNULL,
    )
    stage = _wait_for_stage(copy.root)
    running.send_signal(signal.SIGKILL)
    running.wait()
    _wait_until_gone(stage)
    copy.dvc("repro")
    assert copy.lock() == before


def _wait_for_stage(root: Path) -> int:
    """Process id of the stage that runs in `root`."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                arguments = (process / "cmdline").read_bytes().split(b"\0")
                if b"stages" in arguments and (process / "cwd").readlink() == root:
                    return int(process.name)
            except OSError:
                continue
        time.sleep(0.02)
    raise AssertionError("no stage started")


def _wait_until_gone(process: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return
        except OSError:
            return
        time.sleep(0.02)
    os.kill(process, signal.SIGKILL)
    raise AssertionError("the stage outlived dvc")
