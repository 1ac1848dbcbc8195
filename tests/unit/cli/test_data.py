"""`candlelock data …`: what it prints and with which exit code, and the documented check of a proof."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from candlelock.artifacts import documents
from candlelock.contracts import files
from candlelock.contracts.version_documents import CandleProof

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, str, str]]

ROOT = Path(__file__).resolve().parents[3]
CARD = "reports/direction/model_card.json"
MISSING = "2024-01-05T07:00:00Z"


@pytest.fixture
def root(built_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the built project's snapshot, card and source files; the working directory."""
    root = tmp_path / "project"
    shutil.copytree(built_project / files.SNAPSHOT, root / files.SNAPSHOT)
    shutil.copytree(built_project / "data/candles", root / "data/candles")
    for name in ("params.yaml", "features.yml", CARD):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(built_project / name, root / name)
    monkeypatch.chdir(root)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    return root


@pytest.fixture
def run(root: Path, candlelock: Run) -> Run:
    """Run `candlelock data …` there: exit code, standard output, standard error."""

    def call(*words: str, group: str = "data") -> tuple[int, str, str]:
        return candlelock(group, *words)

    return call


def snapshot_id(root: Path) -> str:
    return str(json.loads((root / files.MANIFEST).read_text())["snapshot_id"])


def revise(root: Path, run: Run) -> str:
    """Store another version: a revised close, two candles fewer; its id."""
    path = next((root / "data/candles").glob("AAA-USD*"))
    lines = path.read_text().splitlines()
    date, opened, high, low, _, volume = lines[10].split(",")
    lines[10] = ",".join((date, opened, high, low, opened, volume))
    path.write_text("\n".join([*lines[:-2], ""]))
    assert run("--out", "other", group="snapshot")[0] == 0
    assert run("create", "other")[0] == 0
    return str(json.loads((root / "other/manifest.json").read_text())["snapshot_id"])


def test_create_stores_a_version_once(root: Path, run: Run) -> None:
    name = snapshot_id(root)
    assert run("create", "--note", "first") == (0, f"stored: data/versions/{name}\n", "")
    code, out, _ = run("create", "--note", "second")
    assert (code, out.endswith(f": data/versions/{name}\n")) == (0, True)
    assert out.startswith("there already, stored at 20")
    document = json.loads(run("create", "--json")[1])
    assert (document["is_new"], document["record"]["note"]) == (False, "first")
    assert document["manifest"]["snapshot_id"] == name
    assert document["n_rows"] == sum(entry["n_rows"] for entry in document["manifest"]["symbols"])


def test_the_author_is_git_s_or_the_login_name(root: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(root / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    monkeypatch.setenv("LOGNAME", "somebody")
    assert json.loads(run("create", "--json")[1])["record"]["stored_by"] == {"name": "somebody", "email": None}
    shutil.rmtree(root / files.VERSIONS)
    (root / "gitconfig").write_text("[user]\n  name = A. Quant\n  email = a@example.org\n")
    assert json.loads(run("create", "--json")[1])["record"]["stored_by"] == {
        "name": "A. Quant",
        "email": "a@example.org",
    }
    assert "by A. Quant <a@example.org>, candlelock" in run("show", "data/versions/" + snapshot_id(root))[1]
    monkeypatch.setenv("PATH", "")
    shutil.rmtree(root / files.VERSIONS)
    assert json.loads(run("create", "--json")[1])["record"]["stored_by"]["name"] == "somebody"


def test_list_and_show(root: Path, run: Run) -> None:
    assert run("list")[1].startswith("no version is stored")
    assert json.loads(run("list", "--json")[1]) == []
    name = snapshot_id(root)
    run("create", "--note", "[bold]x[/bold]")
    code, out, _ = run("list")
    assert code == 0
    for text in (
        name[:12],
        "files candles",
        "AAA/USD",
        "2024-01-01T00:00",
        "7,200 candles, 0 missing",
        "[bold]x[/bold]",
    ):
        assert text in out
    (listed,) = json.loads(run("list", "--json")[1])
    assert listed == json.loads(run("show", name[:6], "--json")[1])
    code, out, _ = run("show", name[:6])
    assert code == 0
    for entry in listed["manifest"]["symbols"]:
        assert entry["sha256"] in out
        assert entry["merkle_root"] in out
    assert run("show", "abcdef")[0] == 2


def test_diff_names_every_candle_and_the_cards_of_the_older_version(root: Path, run: Run) -> None:
    old = snapshot_id(root)
    run("create")
    new = revise(root, run)
    code, out, err = run("diff", old[:8], new[:8])
    assert (code, err) == (0, "")
    assert "AAA/USD: 0 added, 2 removed, 1 revised, 2,397 unchanged" in out
    assert re.search(r"  ~ 2024-01-01T09:00:00Z  close [0-9.]+ -> [0-9.]+\n", out)
    assert re.search(r"  - 2024-04-09T23:00:00Z  open [0-9.]+, high ", out)
    assert f"trained on {old[:12]}: candlelock_ensemble / direction, {CARD}\n" in out
    document = json.loads(run("diff", old[:8], new[:8], "--json")[1])
    assert [(len(each["removed"]), len(each["revised"])) for each in document["symbols"]] == [(2, 1)]
    assert [card["path"] for card in document["cards"]] == [CARD]
    assert document["revisions"] == []
    out = run("diff", new[:8], old[:8])[1]
    assert "AAA/USD: 2 added, 0 removed, 1 revised" in out
    assert f"no card and no revision here names {new[:12]}" in out
    assert run("diff", old[:8], "data/snapshot")[1].startswith("the same candles\n")


def test_long_lists_are_cut_in_text_and_whole_in_json(root: Path, run: Run) -> None:
    run("create")
    code, _, err = run("--out", "other", "--symbols", "BBB/USD,CCC/USD", group="snapshot")
    assert code == 0, err
    code, out, _ = run("diff", "data/snapshot", "other")
    assert "- symbol AAA/USD\n" in out
    assert "AAA/USD: 0 added, 2,400 removed, 0 revised, 0 unchanged" in out
    assert out.count("  - 2024") == 10
    assert "and 2,390 more; --json lists all" in out
    (found,) = json.loads(run("diff", "data/snapshot", "other", "--json")[1])["symbols"]
    assert len(found["removed"]) == 2_400


def test_verify_names_each_fault_and_exits_with_1(root: Path, run: Run) -> None:
    name = snapshot_id(root)
    assert run("verify")[:2] == (0, "no version is stored; `candlelock data create` stores data/snapshot\n")
    assert run("verify", str(files.SNAPSHOT))[:2] == (0, f"ok      {files.SNAPSHOT}\n")
    assert run("show", str(files.SNAPSHOT))[0] == 0
    run("create")
    assert run("verify")[:2] == (0, f"ok      data/versions/{name}\n")
    path = root / files.VERSIONS / name / "AAA-USD.parquet"
    content = bytearray(path.read_bytes())
    path.unlink()
    content[100] ^= 1
    path.write_bytes(content)
    code, out, _ = run("verify", name[:6], "data/snapshot")
    assert code == 1
    assert f"FAILED  data/versions/{name}\nerror[snapshot-changed] " in out
    (found, other) = json.loads(run("verify", name[:6], "data/snapshot", "--json")[1])
    assert (found["is_sound"], found["problems"][0]["code"]) == (False, "snapshot-changed")
    assert other["folder"] == "data/snapshot"


def test_prove_and_check(root: Path, run: Run) -> None:
    name = snapshot_id(root)
    run("create")
    code, out, err = run("prove", "BBB/USD", "2024-02-01T05:00Z", "--out", "proof.json")
    assert (code, err) == (0, "")
    document = json.loads((root / "proof.json").read_text())
    assert name in out
    assert f"{CARD} names {name[:12]}" in out
    assert all(step in out for step in (*document["path"], document["leaf"]))
    assert json.loads(run("prove", "BBB/USD", "2024-02-01T05:00Z", "--in", name[:6], "--json")[1])["proof"] == document
    code, out, _ = run("check-proof", "proof.json", "--card", CARD)
    assert (code, out.startswith("ok      BBB/USD  open_time_utc 2024-02-01T05:00:00Z, open ")) == (0, True)
    assert json.loads(run("check-proof", "proof.json", "--json")[1]) == {"is_valid": True, "problems": [], "cards": []}
    document["rows"][3][4] += "1"
    (root / "changed.json").write_text(json.dumps(document))
    code, out, _ = run("check-proof", "changed.json")
    assert (code, "error[proof-rows] rows" in out) == (1, True)
    assert json.loads(run("check-proof", "changed.json", "--json")[1])["is_valid"] is False


def test_a_card_of_another_snapshot_or_an_edited_one_is_no_witness(root: Path, run: Run) -> None:
    run("prove", "BBB/USD", "2024-02-01T05:00Z", "--out", "proof.json")
    card = json.loads((root / CARD).read_text())
    card["train"]["snapshot_id"] = "0" * 64
    (root / "card.json").write_bytes(documents.to_bytes(card))
    code, out, _ = run("check-proof", "proof.json", "--card", "card.json")
    assert code == 1
    assert "(edited: its digest does not fit) names another snapshot, 000000000000, not" in out
    card["train"]["snapshot_id"], card["notes"] = snapshot_id(root), "edited"
    (root / "card.json").write_bytes(documents.to_bytes(card))
    assert run("check-proof", "proof.json", "--card", "card.json")[0] == 1


def test_a_missing_bar_is_said_to_be_a_gap(root: Path, run: Run) -> None:
    path = next((root / "data/candles").glob("AAA-USD*"))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(MISSING[:10] + " " + MISSING[11:13])))
    run("--out", "other", group="snapshot")
    code, out, err = run("prove", "AAA/USD", MISSING, "--in", "other")
    assert (code, err) == (1, "")
    assert out == f"no candle to prove: the snapshot lists this gap of AAA/USD\n  {MISSING} to {MISSING}  1 bar\n"
    assert json.loads(run("prove", "AAA/USD", MISSING, "--in", "other", "--json")[1])["gap"]["n_bars"] == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("prove", "AAA/USD", "2024-02-01T05:30Z"), "proof-time"),
        (("prove", "AAA/USD", "yesterday"), "proof-time"),
        (("prove", "AAB/USD", "2024-02-01"), "proof-symbol"),
        (("prove", "AAA/USD", "2024-02-01", "--in", "123456"), "version-unknown"),
        (("prove", "AAA/USD", "2024-02-01", "--card", "none.json"), "document-missing"),
        (("check-proof", "none.json"), "document-missing"),
        (("check-proof", "params.yaml"), "document-not-json"),
        (("check-proof", CARD), "document-invalid"),
        (("create", "reports"), "document-missing"),
        (("diff", "data/snapshot", "123456"), "version-unknown"),
        (("verify", "123456"), "version-unknown"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_bad_input_is_a_problem(words: tuple[str, ...], code: str, run: Run) -> None:
    exit_code, out, err = run(*words)
    assert (exit_code, out) == (2, "")
    assert f"error[{code}]" in err


def test_a_full_disk_is_exit_code_3_and_nothing_is_stored(root: Path) -> None:
    command = [str(Path(sys.executable).with_name("candlelock")), "data", "create"]
    answer = subprocess.run(
        command,
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert (answer.returncode, answer.stdout) == (3, "")
    assert answer.stderr.startswith("error[disk-full] data/versions/")
    assert list((root / files.VERSIONS).iterdir()) == []


def test_a_version_is_a_source_of_the_same_snapshot(root: Path, run: Run) -> None:
    name = snapshot_id(root)
    run("create")
    code, out, err = run("--files", f"data/versions/{name}", "--out", "again", "--json", group="snapshot")
    assert (code, err) == (0, "")
    assert json.loads(out)["snapshot_id"] == name


def documented_check() -> str:
    """The Python program of docs/data_versions.md."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/data_versions.md").read_text(), flags=re.DOTALL)
    return str(code)


def test_the_documented_program_checks_proofs_with_the_standard_library_alone(root: Path, run: Run) -> None:
    def check(document: object) -> subprocess.CompletedProcess[str]:
        (root / "given.json").write_text(json.dumps(document))
        command = [sys.executable, "-I", "-S", "-c", documented_check(), "given.json"]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)

    last = json.loads((root / files.MANIFEST).read_text())["symbols"][1]["last_open_utc"]
    for time in ("2024-01-01T00:00Z", "2024-02-01T05:00Z", last):
        proof = json.loads(run("prove", "BBB/USD", time, "--json")[1])["proof"]
        answer = check(proof)
        assert (answer.returncode, answer.stderr) == (0, "")
        assert answer.stdout.startswith(f"BBB/USD {proof['open_time_utc']} ")
        assert answer.stdout.endswith(f"belongs to snapshot {snapshot_id(root)}\n")
    digits = proof["rows"][0][1]
    shifted = digits[0] + "." + digits[1:].replace(".", "")
    changes: dict[str, Callable[[dict[str, object]], object]] = {
        "digit": lambda p: p["rows"][0].__setitem__(1, digits[:-1] + str((int(digits[-1]) + 1) % 10)),  # type: ignore
        "point": lambda p: p["rows"][0].__setitem__(1, shifted),  # type: ignore[index]
        "time": lambda p: p.update(open_time_utc="2024-02-01T05:00:00Z"),
        "block": lambda p: p.update(block=3),
        "path": lambda p: p.update(path=p["path"][:-1]),  # type: ignore[index]
        "id": lambda p: p.update(snapshot_id="0" * 64),
        "rows": lambda p: p.update(rows=p["rows"][1:]),  # type: ignore[index]
    }
    for change in changes.values():
        spoilt = json.loads(json.dumps(proof))
        change(spoilt)
        assert check(spoilt).returncode == 1
        (root / "given.json").write_text(json.dumps(spoilt))
        assert run("check-proof", "given.json")[0] == 1
    assert CandleProof.model_validate(proof)


def test_quality_is_that_of_the_folder_named_as_table_page_and_json(run: Run, root: Path) -> None:
    code, out, _ = run("quality", "--html", "quality.html")
    assert code == 0
    assert "AAA/USD" in out
    assert (root / "quality.html").read_text().startswith("<!doctype html>")
    assert run("create")[0] == 0
    version = next((root / files.VERSIONS).iterdir()).name
    of_version, of_folder = (json.loads(run("quality", *words, "--json")[1]) for words in ([version[:8]], []))
    assert of_version == of_folder
    assert of_version["snapshot_id"] == version
    assert {symbol["n_rows"] for symbol in of_version["symbols"]} == {2400}
