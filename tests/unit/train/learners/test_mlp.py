"""The network in NumPy against the one in torch, its draws against torch's own, and fits side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from candlelock.train.learner import Sample
from candlelock.train.learners import label_unit, mlp, network, standardiser

if TYPE_CHECKING:
    from candlelock.contracts.train_params import MlpParams, TrainParams
    from candlelock.train.learner import Array


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


def draw_values(seed: int) -> Sample:
    sample = draw_sample(seed)
    y = 100 + 7 * np.nan_to_num(sample.x[:, 0]) + np.random.default_rng(seed + 9).normal(size=300)
    return replace(sample, y=y, weights=np.linspace(0.5, 1.5, 300), is_value=True)


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


def train_as_torch_does(sample: Sample, settings: MlpParams, seed: int) -> list[Array]:
    """Weights and biases of a network of torch's own layers and dropout, which draw from the process's generator."""
    torch.manual_seed(seed)
    nn, layers, n_inputs = torch.nn, [], sample.x.shape[1]
    for n_units in settings.hidden:
        layers += [nn.Linear(n_inputs, n_units), nn.ReLU(), nn.Dropout(settings.dropout)]
        n_inputs = n_units
    net = nn.Sequential(*layers, nn.Linear(n_inputs, 1)).train()
    steps = {"lr": settings.learning_rate, "momentum": 0.9, "nesterov": True, "weight_decay": settings.weight_decay}
    optimizer = torch.optim.SGD(net.parameters(), **steps, foreach=False)
    weights = np.ones(len(sample.y)) if sample.weights is None else sample.weights
    y = label_unit.fit(sample.y, weights).apply(sample.y) if sample.is_value else sample.y
    z = standardiser.fit(sample.x, sample.weights).apply(sample.x)
    tensors = [torch.from_numpy(each.astype(np.float32)) for each in (z, y, weights)]
    for _ in range(settings.max_epochs):
        for rows in torch.randperm(len(y)).split(settings.batch_rows):
            x, told, counts = (each[rows] for each in tensors)
            score = net(x)[:, 0]
            log_loss = nn.functional.binary_cross_entropy_with_logits(score, told, counts)
            optimizer.zero_grad()
            (0.5 * (counts * (score - told) ** 2).mean() if sample.is_value else log_loss).backward()
            optimizer.step()
    return [each.detach().numpy().astype(np.float64) for each in net.parameters()]


@pytest.mark.parametrize("sample", [draw_sample(1), draw_values(1)], ids=["probabilities", "values"])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_what_is_drawn_is_what_torch_draws_from_that_seed(settings: MlpParams, sample: Sample, dropout: float) -> None:
    asked = settings.model_copy(update={"dropout": dropout})
    own = [array for layer in mlp.fit(sample, None, asked, 5, 1).layers for array in layer]
    for one, other in zip(own, train_as_torch_does(sample, asked, 5), strict=True):
        np.testing.assert_array_equal(one, other)


def test_networks_trained_side_by_side_are_those_trained_one_after_the_other(settings: MlpParams) -> None:
    longer = settings.model_copy(update={"max_epochs": 40})
    jobs = [(sample, None, longer, seed, 1) for seed in (1, 2) for sample in (draw_sample(1), draw_values(1))]
    alone = [mlp.fit(*job).to_bytes() for job in jobs]
    with ThreadPoolExecutor(len(jobs)) as pool:
        together = [each.to_bytes() for each in pool.map(lambda job: mlp.fit(*job), jobs)]
    assert together == alone
    assert len(set(alone)) == len(jobs)


def test_of_values_the_unit_is_that_of_the_training_rows_by_their_weights(settings: MlpParams) -> None:
    sample, stop = draw_values(1), draw_values(2)
    model = mlp.fit(sample, stop, settings, 1, 1)
    assert model.unit == label_unit.fit(sample.y, sample.weights)
    assert mlp.fit(sample, replace(stop, y=stop.y - 50), settings, 1, 1).n_rounds != model.n_rounds
    assert model.predict(sample.x).mean() == pytest.approx(sample.y.mean(), abs=2)
    assert np.corrcoef(model.predict(stop.x), stop.y)[0, 1] > 0.8
