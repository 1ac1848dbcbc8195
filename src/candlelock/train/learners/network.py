"""The torch network of `mlp` and its training, loaded by nobody who does not train.

All that is drawn comes from the generator that is handed in: torch's own layers and dropout draw from one that the
whole process shares. The numbers are those that torch would have drawn from that seed.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.train_params import MlpParams

    Tensors = tuple[torch.Tensor, torch.Tensor, torch.Tensor]  # features, labels, weights
    Loss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]  # of scores, labels, weights

MOMENTUM = 0.9


def build(n_inputs: int, settings: MlpParams, draws: torch.Generator) -> nn.Sequential:
    """Layers before training, on the CPU; hidden ones end in a ReLU."""
    layers: list[nn.Module] = []
    for n_units in settings.hidden:
        layers += [_linear(n_inputs, n_units, draws), nn.ReLU()]
        n_inputs = n_units
    return nn.Sequential(*layers, _linear(n_inputs, 1, draws))


def _linear(n_inputs: int, n_units: int, draws: torch.Generator) -> nn.Linear:
    """A layer that starts as torch's own do: weights and biases uniform within one over the root of the inputs."""
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, n_inputs, n_units)
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=draws)
    bound = 1 / math.sqrt(n_inputs)
    nn.init.uniform_(layer.bias, -bound, bound, generator=draws)
    return layer


def train(
    network: nn.Sequential,
    sample: Tensors,
    watch: Tensors | None,
    settings: MlpParams,
    draws: torch.Generator,
    find_loss: Loss,
) -> int:
    """Run the epochs in place; the number kept: with `watch` the one with the lowest loss on it, else all."""
    dropped = _on_device(draws, sample[0].device)
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=settings.learning_rate,
        momentum=MOMENTUM,
        nesterov=True,
        weight_decay=settings.weight_decay,
        foreach=False,
    )
    best, best_epoch, best_state = float("inf"), settings.max_epochs, None
    for epoch in range(1, settings.max_epochs + 1):
        for rows in torch.randperm(len(sample[0]), generator=draws).split(settings.batch_rows):
            optimizer.zero_grad()
            x, y, weights = (each[rows] for each in sample)
            find_loss(_answer(network, x, settings.dropout, dropped), y, weights).backward()
            optimizer.step()
        if watch is None:
            continue
        with torch.no_grad():
            loss = float(find_loss(network(watch[0])[:, 0], *watch[1:]))
        if loss < best:
            best, best_epoch, best_state = loss, epoch, copy.deepcopy(network.state_dict())
        elif epoch - best_epoch >= settings.patience_epochs:
            break
    if best_state is not None:
        network.load_state_dict(best_state)
    return best_epoch


def _on_device(draws: torch.Generator, device: torch.device) -> torch.Generator:
    """The generator itself on the CPU; elsewhere one of that device with its seed."""
    return draws if device.type == "cpu" else torch.Generator(device).manual_seed(draws.initial_seed())


def _answer(network: nn.Sequential, x: torch.Tensor, dropout: float, draws: torch.Generator) -> torch.Tensor:
    """Scores (n_rows,) with that share of hidden units dropped."""
    for layer in network:
        x = layer(x)
        if dropout > 0 and isinstance(layer, nn.ReLU):
            x = x * torch.empty_like(x).bernoulli_(1 - dropout, generator=draws).div_(1 - dropout)
    return x[:, 0]


def log_loss(score: torch.Tensor, y: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Of labels 1 and 0 and log odds, the mean by weights; all (n_rows,)."""
    return nn.functional.binary_cross_entropy_with_logits(score, y, weights)


def half_square(score: torch.Tensor, y: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Half the squared error, the mean by weights; all (n_rows,)."""
    return (weights * (score - y) ** 2).mean() / 2
