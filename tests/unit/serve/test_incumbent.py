"""The model in use answers by the names of its features, and is refused where it saw test."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.artifacts.user_files import read_params
from candlelock.contracts.errors import InputError
from candlelock.serve.incumbent import ask_incumbent
from candlelock.split.joined import read_test_rows
from candlelock.split.rows import feature_matrix

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


@pytest.fixture
def rows(project_copy: Path) -> pd.DataFrame:
    """Test rows of a project whose own model is its incumbent."""
    shutil.copytree(project_copy / "models/direction", project_copy / "incumbents/direction")
    return read_test_rows(project_copy, "direction", read_params(project_copy).train.members)


def ask(root: Path, rows: pd.DataFrame) -> np.ndarray | None:
    return ask_incumbent(root, "direction", read_params(root).features, rows)


def test_the_model_itself_answers_as_it_did_whatever_the_order_of_its_features(
    project_copy: Path, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.testing.assert_array_equal(ask(project_copy, rows), rows["p_up"])

    def reversed_matrix(*of: object) -> tuple[np.ndarray, list[str]]:
        x, names = feature_matrix(*of)
        return np.column_stack([np.ones(len(x)), x[:, ::-1]]), ["a_new_one", *names[::-1]]

    monkeypatch.setattr("candlelock.serve.incumbent.feature_matrix", reversed_matrix)
    np.testing.assert_array_equal(ask(project_copy, rows), rows["p_up"])


def test_without_a_bundle_there_is_no_answer(project_copy: Path, rows: pd.DataFrame) -> None:
    shutil.rmtree(project_copy / "incumbents")
    assert ask(project_copy, rows) is None


def test_a_bundle_that_saw_test_is_refused(project_copy: Path, rows: pd.DataFrame) -> None:
    threshold = project_copy / "incumbents/direction/threshold.json"
    document = json.loads(threshold.read_text())
    threshold.write_text(json.dumps(document | {"last_label_end_utc": "2099-01-01T00:00:00Z"}))
    with pytest.raises(InputError, match="labels up to 2099-01-01T00:00:00Z, where test begins at 20") as raised:
        ask(project_copy, rows)
    assert raised.value.problems[0].code == "incumbent-saw-test"


def test_a_bundle_whose_features_are_not_built_is_refused(project_copy: Path, rows: pd.DataFrame) -> None:
    selection = project_copy / "incumbents/direction/selection.json"
    selection.write_text(selection.read_text().replace('"return_1"', '"moon_phase"'))
    with pytest.raises(InputError, match=r"1 of its .* features are not built: moon_phase") as raised:
        ask(project_copy, rows)
    assert raised.value.problems[0].code == "incumbent-features"


def test_half_a_bundle_is_a_clear_error(project_copy: Path, rows: pd.DataFrame) -> None:
    (project_copy / "incumbents/direction/calibrator.json").unlink()
    with pytest.raises(InputError, match=r"calibrator\.json"):
        ask(project_copy, rows)


def test_a_bundle_that_dvc_tracks_and_that_was_not_fetched_is_a_clear_error(
    project_copy: Path, rows: pd.DataFrame
) -> None:
    shutil.rmtree(project_copy / "incumbents/direction")
    (project_copy / "incumbents/direction.dvc").touch()
    with pytest.raises(InputError, match="dvc pull") as raised:
        ask(project_copy, rows)
    assert raised.value.problems[0].code == "incumbent-missing"
