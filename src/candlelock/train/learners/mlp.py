"""Feed-forward torch network. The one place in the flow where bytes usually differ between machines; here they do not.

Plain SGD with Nesterov momentum needs no `torch.sqrt`, the kernel whose last bit depends on the CPU; with the locked
numeric environment and deterministic algorithms the weights are the same at any thread count. Every fit draws from a
generator of its own, so that networks trained side by side do not take each other's draws. Prediction runs in NumPy, so
that serving needs no torch.

Values are learned in standard units, by half their squared error: the negative log likelihood of a spread of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from candlelock.train.learners import label_unit, standardiser

if TYPE_CHECKING:
    from candlelock.contracts.train_params import MlpParams
    from candlelock.train.learner import Array, Sample
    from candlelock.train.learners.network import Tensors


@dataclass(frozen=True)
class MlpModel:
    """Standardiser and layers: weights (n_out, n_in) and biases (n_out,), float64.

    `unit`: of the values it answers, if it does.
    """

    inputs: standardiser.Standardiser
    layers: tuple[tuple[Array, Array], ...]
    n_rounds: int
    unit: label_unit.LabelUnit | None = None

    @property
    def is_value(self) -> bool:
        """Whether it answers values."""
        return self.unit is not None

    def predict(self, x: Array) -> Array:
        """Probability of up, or value, shape (n_rows,)."""
        signal = self.inputs.apply(x)
        for weight, bias in self.layers[:-1]:
            signal = np.maximum(signal @ weight.T + bias, 0.0)
        weight, bias = self.layers[-1]
        score = (signal @ weight.T + bias)[:, 0]
        return np.asarray(1.0 / (1.0 + np.exp(-score))) if self.unit is None else self.unit.restore(score)

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
        if self.unit is not None:
            tensors["label"] = np.asarray([self.unit.mean, self.unit.scale])
        return bytes(save_tensors(tensors))


def fit(
    sample: Sample, stop: Sample | None, settings: MlpParams, seed: int, threads: int, device: str = "cpu"
) -> MlpModel:
    """Train on `sample`; with `stop`, keep the epoch with the lowest log loss or squared error on it.

    `threads` does not apply: one thread keeps the bytes.
    """
    import torch

    from candlelock.train.learners import network

    torch.use_deterministic_algorithms(device == "cpu")
    torch.set_num_threads(1)
    draws = torch.Generator().manual_seed(seed)
    inputs = standardiser.fit(sample.x, sample.weights)
    unit = label_unit.fit(sample.y, sample.weights) if sample.is_value else None
    net = network.build(sample.x.shape[1], settings, draws).to(device)
    watch = None if stop is None else _tensors(inputs, unit, stop, device)
    find_loss = network.log_loss if unit is None else network.half_square
    n_epochs = network.train(net, _tensors(inputs, unit, sample, device), watch, settings, draws, find_loss)
    layers = [layer for layer in net if isinstance(layer, torch.nn.Linear)]
    arrays = tuple(
        (layer.weight.detach().cpu().numpy().astype(np.float64), layer.bias.detach().cpu().numpy().astype(np.float64))
        for layer in layers
    )
    return MlpModel(inputs, arrays, n_epochs, unit)


def has_cuda() -> bool:
    """Whether torch sees a GPU."""
    import torch

    return bool(torch.cuda.is_available())


def load(content: bytes) -> MlpModel:
    """The model that `to_bytes` wrote."""
    tensors = load_tensors(content)
    n_layers = sum(name.endswith(".weight") for name in tensors)
    layers = tuple((tensors[f"layer{i}.weight"], tensors[f"layer{i}.bias"]) for i in range(n_layers))
    inputs = standardiser.Standardiser(tensors["input.mean"], tensors["input.scale"])
    unit = label_unit.LabelUnit(*tensors["label"].tolist()) if "label" in tensors else None
    return MlpModel(inputs, layers, int(tensors["n_rounds"][0]), unit)


def _tensors(
    inputs: standardiser.Standardiser, unit: label_unit.LabelUnit | None, sample: Sample, device: str
) -> Tensors:
    import torch

    y = sample.target if unit is None else unit.apply(sample.y)
    weights = np.ones(len(y)) if sample.weights is None else sample.weights
    x, told, w = (torch.from_numpy(each.astype(np.float32)) for each in (inputs.apply(sample.x), y, weights))
    return x.to(device), told.to(device), w.to(device)
