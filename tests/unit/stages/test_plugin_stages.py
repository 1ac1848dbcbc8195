"""A plug-in through the stages: built, split, named on the card; and refused before anything is written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from candlelock.contracts import files
from tests.pipeline.project import change_params

ROOT = Path(__file__).resolve().parents[3]
CODE = "import numpy as np\n\n\ndef f(frame):\n    return {'own_move_1': np.log(frame['close']).diff()}\n"
ENTRY = (
    "name: own_move_1, group: mine, dtype: float64, unit: log return, warmup_bars: 1, inputs: [close], "
    "available_at: close, formula: log(close / previous close)"
)


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "stages", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def project(project_copy: Path) -> Path:
    """The built project with a plug-in that nothing was built with yet."""
    (project_copy / files.PLUGINS).mkdir(exist_ok=True)
    (project_copy / files.PLUGINS / "mine.py").write_text(CODE)
    (project_copy / files.PLUGINS / "mine.yml").write_text(f"features:\n  - {{{ENTRY}}}\n")
    change_params(project_copy, {"features": {"plugins": ["mine.py"]}})
    return project_copy


def test_a_plug_in_is_built_checked_and_named_on_the_card(project: Path) -> None:
    for words in (("features",), ("card", "direction")):
        answer = run(project, *words)
        assert answer.returncode == 0, answer.stderr
    report = json.loads((project / files.FEATURE_REPORT).read_text())
    assert report["plugins"] == ["mine.py"]
    assert report["features"][-1]["name"] == "own_move_1"
    for path in (project / files.FEATURES).glob("*.parquet"):
        table = pq.read_table(path)
        own, built_in = (table[name].to_numpy() for name in ("own_move_1", "return_1"))
        np.testing.assert_allclose(own, built_in, rtol=0, atol=1e-12)
    card = json.loads((project / "reports/direction/model_card.json").read_text())
    lineage = {each["path"] for each in card["lineage"]}
    assert {"plugins/mine.py", "plugins/mine.yml"} <= lineage
    assert sorted(path.name for path in (project / files.PLUGINS).iterdir()) == ["README.md", "mine.py", "mine.yml"]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda text: text.replace("own_move_1", "own_move_2"), "feature-without-function"),
        (lambda text: text.replace("diff()", "diff() / 0"), "plugin-output"),
        (lambda text: text.replace("'close'", "'colse'"), "plugin-failed"),
        (lambda text: text + "raise SystemExit(0)\n", "plugin-import"),
    ],
)
def test_a_broken_plug_in_is_one_clear_error_and_earlier_tables_stay(spoil: object, code: str, project: Path) -> None:
    assert callable(spoil)
    path = project / files.PLUGINS / "mine.py"
    path.write_text(spoil(path.read_text()))
    before = {each: each.read_bytes() for each in (project / files.FEATURES).iterdir()}
    answer = run(project, "features")
    assert answer.returncode == 2
    assert f"error[{code}] plugins/mine" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert {each: each.read_bytes() for each in (project / files.FEATURES).iterdir()} == before
