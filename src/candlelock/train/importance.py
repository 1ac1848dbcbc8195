"""A quick judge of features: what a small LightGBM model leans on. Used by the selection, which knows no learners."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lightgbm
import numpy as np

if TYPE_CHECKING:
    from candlelock.train.learner import Array

N_TREES = 60
LEAST_SHIFT, LARGEST_SHIFT = 0.1, 0.9  # of the rows
OPTIONS = {
    "objective": "binary",
    "num_leaves": 15,
    "learning_rate": 0.1,
    "feature_fraction": 0.3,  # a feature counts although a stronger one resembles it
    "lambda_l2": 10.0,
    "max_bin": 63,
    "bin_construct_sample_cnt": 20_000,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}


def find_gains(x: Array, y: Array, seed: int, threads: int) -> Array:
    """Gain of each feature beyond chance, (n_features,): of the splits on it, less of those on its rotated copy.

    `x`: (n_rows, n_features), NaN where unknown; `y`: 1.0 and 0.0; rows of each symbol in order of time. Beside every
    feature one model sees a copy that is rotated by a random tenth to nine tenths of the rows: it knows nothing of the
    labels any more, but moves as slowly, and slow noise earns far more gain by remembering times than quick noise does.
    What chance gives is as often below zero as above. The bytes depend on the seed, not on the threads.

    Source: Kursa and Rudnicki 2010, Feature selection with the Boruta package, with rotated copies for shuffled ones.
    """
    random, (n_rows, n_features) = np.random.default_rng(seed), x.shape
    both = np.empty((n_rows, 2 * n_features), order="F")
    both[:, :n_features] = x
    for column in range(n_features):
        shift = int(random.integers(int(LEAST_SHIFT * n_rows), int(LARGEST_SHIFT * n_rows) + 1))
        both[:, n_features + column] = np.roll(x[:, column], shift)
    options = OPTIONS | {"min_data_in_leaf": max(20, n_rows // 200), "seed": seed, "num_threads": threads}
    booster = lightgbm.train(options, lightgbm.Dataset(both, y), N_TREES)
    gains = np.asarray(booster.feature_importance("gain"), dtype=np.float64)
    return gains[:n_features] - gains[n_features:]
