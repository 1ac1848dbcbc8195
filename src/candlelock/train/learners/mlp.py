"""Feed-forward torch network. The one place in the flow where bytes usually differ between machines; here they do not.

Plain SGD with Nesterov momentum needs no `torch.sqrt`, the kernel whose last bit depends on the CPU; with the locked
numeric environment and deterministic algorithms the weights are the same at any thread count. Prediction runs in NumPy,
so that serving needs no torch.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from candlelock.train.learners import standardiser

if TYPE_CHECKING:
    import torch

    from candlelock.contracts.train_params import MlpParams
    from candlelock.train.learner import Array, Sample

    Tensors = tuple[torch.Tensor, torch.Tensor, torch.Tensor]  # features, labels, weights

MOMENTUM = 0.9


@dataclass(frozen=True)
class MlpModel:
    """Standardiser and layers: weights (n_out, n_in) and biases (n_out,), float64."""

    inputs: standardiser.Standardiser
    layers: tuple[tuple[Array, Array], ...]
    n_rounds: int

    def predict(self, x: Array) -> Array:
        """Probability of up, shape (n_rows,)."""
        signal = self.inputs.apply(x)
        for weight, bias in self.layers[:-1]:
            signal = np.maximum(signal @ weight.T + bias, 0.0)
        weight, bias = self.layers[-1]
        return np.asarray(1.0 / (1.0 + np.exp(-(signal @ weight.T + bias)[:, 0])))

    def gains(self) -> Array:
        """Size of the first layer's weights on each standardised feature."""
        return np.asarray(np.abs(self.layers[0][0]).sum(axis=0))

    def to_bytes(self) -> bytes:
        """Standardiser and layers as safetensors."""
        tensors = {
            "input.mean": self.inputs.mean,
            "input.scale": self.inputs.scale,
            "n_rounds": np.asarray([self.n_rounds]),
        }
        for i, (weight, bias) in enumerate(self.layers):
            tensors |= {f"layer{i}.weight": np.ascontiguousarray(weight), f"layer{i}.bias": bias}
        return bytes(save_tensors(tensors))


def fit(
    sample: Sample, stop: Sample | None, settings: MlpParams, seed: int, threads: int, device: str = "cpu"
) -> MlpModel:
    """Train on `sample`; with `stop`, keep the epoch with the lowest log loss on it.

    `threads` does not apply: one thread keeps the bytes.
    """
    import torch

    torch.use_deterministic_algorithms(device == "cpu")
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    inputs = standardiser.fit(sample.x, sample.weights)
    network = _network(sample.x.shape[1], settings).to(device)
    watch = None if stop is None else _tensors(inputs, stop, device)
    n_epochs = _train(network, _tensors(inputs, sample, device), watch, settings)
    layers = [layer for layer in network if isinstance(layer, torch.nn.Linear)]
    arrays = tuple(
        (layer.weight.detach().cpu().numpy().astype(np.float64), layer.bias.detach().cpu().numpy().astype(np.float64))
        for layer in layers
    )
    return MlpModel(inputs, arrays, n_epochs)


def has_cuda() -> bool:
    """Whether torch sees a GPU."""
    import torch

    return bool(torch.cuda.is_available())


def load(content: bytes) -> MlpModel:
    """The model that `to_bytes` wrote."""
    tensors = load_tensors(content)
    n_layers = sum(name.endswith(".weight") for name in tensors)
    layers = tuple((tensors[f"layer{i}.weight"], tensors[f"layer{i}.bias"]) for i in range(n_layers))
    return MlpModel(
        standardiser.Standardiser(tensors["input.mean"], tensors["input.scale"]), layers, int(tensors["n_rounds"][0])
    )


def _network(n_inputs: int, settings: MlpParams) -> torch.nn.Sequential:
    from torch import nn

    layers: list[nn.Module] = []
    for n_units in settings.hidden:
        layers += [nn.Linear(n_inputs, n_units), nn.ReLU(), nn.Dropout(settings.dropout)]
        n_inputs = n_units
    return nn.Sequential(*layers, nn.Linear(n_inputs, 1))


def _tensors(inputs: standardiser.Standardiser, sample: Sample, device: str) -> Tensors:
    import torch

    weights = np.ones(len(sample.y)) if sample.weights is None else sample.weights
    x, y, w = (torch.from_numpy(each.astype(np.float32)) for each in (inputs.apply(sample.x), sample.y, weights))
    return x.to(device), y.to(device), w.to(device)


def _train(network: torch.nn.Sequential, sample: Tensors, watch: Tensors | None, settings: MlpParams) -> int:
    """Run the epochs in place; the number kept."""
    import torch

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
        network.train()
        order = torch.randperm(len(sample[0]))
        for start in range(0, len(order), settings.batch_rows):
            rows = order[start : start + settings.batch_rows]
            optimizer.zero_grad()
            x, y, weights = (each[rows] for each in sample)
            torch.nn.functional.binary_cross_entropy_with_logits(network(x)[:, 0], y, weights).backward()
            optimizer.step()
        if watch is None:
            continue
        loss = _loss(network, *watch)
        if loss < best:
            best, best_epoch, best_state = loss, epoch, copy.deepcopy(network.state_dict())
        elif epoch - best_epoch >= settings.patience_epochs:
            break
    if best_state is not None:
        network.load_state_dict(best_state)
    return best_epoch


def _loss(network: torch.nn.Sequential, x: torch.Tensor, y: torch.Tensor, weights: torch.Tensor) -> float:
    import torch

    network.eval()
    with torch.no_grad():
        return float(torch.nn.functional.binary_cross_entropy_with_logits(network(x)[:, 0], y, weights))
