"""What `arch` says of drawn leads and series: `arch_figures.npz`, written by

    pip install --target FOLDER arch; PYTHONPATH=src:FOLDER python -m tests.golden.arch_figures

Its draws of blocks are kept beside its p-values, so that ours are taken over the same ones. `arch` does not studentise
Hansen's test: it is given leads that are scaled to a standard error of 1, which must make no difference to ours.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

FILE = Path(__file__).with_suffix(".npz")
N, N_DRAWS, BLOCK, SEEDS = 200, 500, 5, range(4)
N_SERIES = 60

Array = npt.NDArray[np.float64]


def draw_leads(seed: int) -> Array:
    """Leads of four alternatives over a benchmark, (N, 4): some better, some hopeless, some wild."""
    return np.random.default_rng(seed).normal([0.08, 0.03, -0.05, -0.8], [1, 3, 0.2, 1], size=(N, 4))


def autoregressive(seed: int, n: int, rho: float) -> Array:
    """An AR(1) series around 7."""
    shocks = np.random.default_rng(seed).normal(size=n + 300)
    out = np.zeros(n + 300)
    for at in range(1, n + 300):
        out[at] = rho * out[at - 1] + shocks[at]
    return out[300:] + 7


def draw_series() -> list[Array]:
    """Series of many lengths and memories."""
    random = np.random.default_rng(0)
    return [
        autoregressive(seed, int(random.integers(20, 2000)), random.uniform(-0.6, 0.97)) for seed in range(N_SERIES)
    ]


def ask_spa(seed: int) -> tuple[npt.NDArray[np.uint8], Array]:
    """How often each draw takes each row, (N_DRAWS, N), and p-values: Hansen's three, then White's."""
    from arch.bootstrap import SPA, CircularBlockBootstrap

    leads = draw_leads(seed)
    theirs = CircularBlockBootstrap(BLOCK, leads, seed=seed)
    counts = np.array([np.bincount(theirs.index.ravel(), minlength=N) for _ in theirs.bootstrap(N_DRAWS)])
    drawn = {"block_size": BLOCK, "reps": N_DRAWS, "bootstrap": "circular", "seed": seed}
    scaled = leads / (counts @ leads / N).std(axis=0)
    spa, check = (SPA(np.zeros(N), -each, **drawn) for each in (scaled, leads))
    spa.compute()
    check.compute()
    return counts.astype(np.uint8), np.array([*spa.pvalues, check.pvalues["upper"]])


def ask_lengths() -> Array:
    """The length of circular blocks that each series asks for."""
    from arch.bootstrap import optimal_block_length

    return np.array([float(optimal_block_length(each)["circular"].iloc[0]) for each in draw_series()])


def ask() -> dict[str, npt.NDArray[np.generic]]:
    """All of it, by name."""
    found: dict[str, npt.NDArray[np.generic]] = {"lengths": ask_lengths()}
    for seed in SEEDS:
        found[f"counts {seed}"], found[f"p-values {seed}"] = ask_spa(seed)
    return found


def read() -> dict[str, npt.NDArray[np.generic]]:
    """What was kept."""
    with np.load(FILE, allow_pickle=False) as kept:
        return dict(kept)


if __name__ == "__main__":
    np.savez_compressed(FILE, **ask())
    print(f"{FILE.name}: {FILE.stat().st_size:,} bytes")
