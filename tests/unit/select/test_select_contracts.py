"""Parameters that cannot work and documents that do not hang together are refused, and say where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from candlelock.artifacts import yaml_document
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.contracts.errors import InputError
from candlelock.contracts.params import parse_params
from candlelock.contracts.select_documents import Selection
from candlelock.select.fit import fit_selection
from tests.unit.select.conftest import first_is_best, to_rows
from tests.unit.select.test_transform import draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.select_params import SelectParams

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("changes", "place", "expected"),
    [
        ({"steps": ["sparse", "sparse"]}, "select.steps", "stands twice"),
        ({"steps": ["pca", "count"]}, "select.steps", "pca as the last step"),
        ({"steps": ["corelation"]}, "select.steps.0", "'correlation'"),
        ({"scaling": "zscore"}, "select.scaling", "'standard'"),
        ({"max_correlation": 1.0}, "select.max_correlation", "less than 1"),
        ({"max_features": 0}, "select.max_features", "greater than or equal to 1"),
        ({"min_stable_frac": 0}, "select.min_stable_frac", "greater than 0"),
        ({"n_periods": 1}, "select.n_periods", "greater than or equal to 2"),
        ({"max_feature": 5}, "select.max_feature", "a known key"),
    ],
)
def test_parameters_that_cannot_work_are_refused_at_their_line(
    changes: dict[str, Any], place: str, expected: str
) -> None:
    document = yaml_document.read(ROOT / "params.yaml")
    values = {**document.values, "select": {**document.values["select"], **changes}}
    with pytest.raises(InputError) as caught:
        parse_params(values, document.file, document.line_of)
    problem = caught.value.problems[0]
    assert problem.place.split(" ")[-1] == place
    assert expected in f"{problem.expected} {problem.help}"


def test_pca_alone_or_last_and_no_steps_at_all_are_fine(params: Callable[..., SelectParams]) -> None:
    for steps in ([], ["pca"], ["sparse", "count", "pca"]):
        assert params(steps=steps).steps == steps


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d["outputs"].pop(),
        lambda d: d["inputs"].append("f0"),
        lambda d: d["inputs"].append("f9"),
        lambda d: d["steps"].pop(0),
        lambda d: d["steps"][0]["outputs"].reverse(),
        lambda d: d["steps"][0]["dropped"].clear(),
        lambda d: d["steps"][-1]["scale"].pop(),
        lambda d: d["steps"][-1]["scale"].__setitem__(0, 0.0),
        lambda d: d["steps"][1]["components"][0].pop(),
        lambda d: d["steps"][1]["components"].pop(),
        lambda d: d["steps"][1].update(kind="drop"),
        lambda d: d.update(outputs=[]),
    ],
)
def test_a_selection_that_does_not_hang_together_is_no_selection(
    spoil: Callable[[dict[str, Any]], object], params: Callable[..., SelectParams]
) -> None:
    selection = fit_selection(
        to_rows(draw()), params(steps=["sparse", "pca"], scaling="standard"), first_is_best, FitLedger(), "final"
    )
    document = selection.model_dump(mode="json")
    assert Selection.model_validate(document) == selection
    spoil(document)
    with pytest.raises(ValidationError):
        Selection.model_validate(document)
