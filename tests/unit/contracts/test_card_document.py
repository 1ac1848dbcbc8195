from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from candlelock.contracts.card_document import ModelCard

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("field", "name"),
    [("segments", "test"), ("metrics", "auc_roc"), ("intervals", "lift_over_best_rule_pp"), ("baselines", "logistic")],
)
def test_a_card_has_every_figure_that_is_shown(field: str, name: str, built_project: Path) -> None:
    card = json.loads((built_project / "reports/direction/model_card.json").read_text())
    ModelCard.model_validate(card)
    del card[field][name]
    with pytest.raises(ValidationError, match=f"missing: {field}.{name}"):
        ModelCard.model_validate(card)
