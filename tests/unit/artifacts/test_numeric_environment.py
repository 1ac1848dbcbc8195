"""The variables are set before the numeric libraries load, or the process refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from candlelock.artifacts.numeric_environment import LOCKED

PLAIN = {name: value for name, value in os.environ.items() if name not in LOCKED}
LOCK = """
import json, os
from candlelock.artifacts import numeric_environment as environment
from candlelock.contracts.errors import EnvironmentFaultError
try:
    environment.lock()
    answer = {name: os.environ[name] for name in environment.LOCKED}
except EnvironmentFaultError as error:
    answer = [error.exit_code, *(problem.as_dict() for problem in error.problems)]
print(json.dumps(answer))
"""


def run(code: str, **environment: str) -> Any:
    answer = subprocess.run(
        [sys.executable, "-c", code], env=PLAIN | environment, capture_output=True, text=True, check=True
    )
    return json.loads(answer.stdout)


def test_before_any_numeric_import_every_variable_is_set_over_what_was_there() -> None:
    assert run(LOCK) == LOCKED
    assert run(LOCK, OMP_NUM_THREADS="8", TZ="Asia/Tokyo", OPENBLAS_CORETYPE="SkylakeX") == LOCKED


def test_after_numpy_it_is_too_late() -> None:
    exit_code, problem = run("import numpy\n" + LOCK)
    assert exit_code == 3
    assert (problem["code"], problem["found"]) == ("environment-late", "numpy already imported")
    _, problem = run("import pyarrow, numpy\n" + LOCK, **(LOCKED | {"MKL_CBWR": "AUTO"}))
    assert problem["found"] == "numpy, pyarrow already imported"


def test_after_numpy_it_is_fine_if_the_process_was_started_with_the_variables() -> None:
    assert run("import numpy\n" + LOCK, **LOCKED) == LOCKED


def test_the_variables_reach_numpy_and_torch() -> None:
    code = LOCK + (
        "import numpy, torch\n"
        "features = numpy._core._multiarray_umath.__cpu_features__\n"
        "print(json.dumps([torch.get_num_threads(), features.get('AVX512_ICL', False)]))"
    )
    answer = subprocess.run([sys.executable, "-c", code], env=PLAIN, capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout.splitlines()[-1]) == [1, False]
