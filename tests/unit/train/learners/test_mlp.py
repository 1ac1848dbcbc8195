"""The network in NumPy against the one in torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from candlelock.train.learner import Sample
from candlelock.train.learners import mlp, network

if TYPE_CHECKING:
    from candlelock.contracts.train_params import MlpParams, TrainParams


@pytest.fixture
def settings(train_params: TrainParams) -> MlpParams:
    return train_params.mlp.model_copy(update={"hidden": [7, 5], "dropout": 0.4, "max_epochs": 6})


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> list[torch.nn.Sequential]:
    """Every torch network that is trained."""
    made, build = [], network.build

    def keep(n_inputs: int, settings: MlpParams, draws: torch.Generator) -> torch.nn.Sequential:
        made.append(build(n_inputs, settings, draws))
        return made[-1]

    monkeypatch.setattr(network, "build", keep)
    return made


def draw_sample(seed: int) -> Sample:
    random = np.random.default_rng(seed)
    x = random.normal(size=(300, 4))
    y = (x[:, 0] + random.normal(size=300) > 0).astype(float)
    x[random.random(x.shape) < 0.1] = np.nan
    return Sample(x, y, np.arange(len(y)))


@pytest.mark.parametrize("stops", [False, True])
def test_the_numpy_forward_pass_is_torchs_with_dropout_off(
    settings: MlpParams, networks: list[torch.nn.Sequential], stops: bool
) -> None:
    model, unseen = mlp.fit(draw_sample(1), draw_sample(2) if stops else None, settings, 1, 1), draw_sample(3).x
    with torch.no_grad():
        answer = torch.sigmoid(networks[0](torch.from_numpy(model.inputs.apply(unseen).astype(np.float32))))[:, 0]
    np.testing.assert_allclose(model.predict(unseen), answer.numpy(), atol=1e-6)
    assert model.predict(unseen).std() > 0.01


def test_the_network_has_the_layers_asked_for(settings: MlpParams) -> None:
    model = mlp.fit(draw_sample(1), None, settings, 1, 1)
    assert [weight.shape for weight, _ in model.layers] == [(7, 4), (5, 7), (1, 5)]
    assert model.n_rounds == 6


def test_training_is_scaled_by_the_training_rows_alone(settings: MlpParams) -> None:
    sample, stop = draw_sample(1), draw_sample(2)
    far = Sample(stop.x + 100, stop.y, stop.rows)
    np.testing.assert_array_equal(
        mlp.fit(sample, far, settings, 1, 1).inputs.mean, mlp.fit(sample, stop, settings, 1, 1).inputs.mean
    )


def test_the_random_state_of_the_caller_does_not_matter(settings: MlpParams) -> None:
    torch.manual_seed(77)
    first = mlp.fit(draw_sample(1), None, settings, 1, 1).to_bytes()
    torch.manual_seed(78)
    assert mlp.fit(draw_sample(1), None, settings, 1, 1).to_bytes() == first
