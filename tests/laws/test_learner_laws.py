"""Laws that every learner keeps: the same bytes from the same seed, in any process and at any thread count."""

from __future__ import annotations

import hashlib
import json
import os
import pickletools
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import xgboost
from sklearn.metrics import roc_auc_score

from candlelock.train.fold_fits import FoldFits
from candlelock.train.learner import LEARNERS, Sample
from candlelock.train.members import FoldSamples
from tests.learner_settings import QUICK, is_installed, with_skips

if TYPE_CHECKING:
    from candlelock.train.learner import Array, Model

INSTALLED = [name for name in sorted(LEARNERS) if is_installed(name)]
ALL = with_skips(sorted(LEARNERS))
STOPPING = with_skips(sorted(name for name, learner in LEARNERS.items() if learner.rounds_key))


def draw_sample(seed: int, strength: float, n_rows: int = 600) -> Sample:
    """Six features with holes, the last wholly unknown; the first carries the signal."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n_rows, 6))
    y = (random.random(n_rows) < 1 / (1 + np.exp(-strength * x[:, 0]))).astype(float)
    x[random.random(x.shape) < 0.05] = np.nan
    x[:, 5] = np.nan
    return Sample(x, y, np.arange(len(y)))


def fit(name: str, sample: Sample, stop: Sample | None = None, seed: int = 11, threads: int = 1) -> Model:
    return LEARNERS[name].fit(sample, stop, QUICK[name], seed, threads)


def digest(model: Model) -> str:
    return hashlib.sha256(model.to_bytes()).hexdigest()


@pytest.mark.parametrize("name", ALL)
def test_the_same_seed_gives_the_same_bytes(name: str) -> None:
    sample, stop = draw_sample(1, 1.5), draw_sample(2, 1.5, 200)
    assert digest(fit(name, sample)) == digest(fit(name, sample))
    assert digest(fit(name, sample, stop)) == digest(fit(name, sample, stop))


@pytest.mark.parametrize("name", STOPPING)
def test_another_seed_gives_other_bytes(name: str) -> None:
    sample = draw_sample(1, 1.5)
    assert digest(fit(name, sample, seed=11)) != digest(fit(name, sample, seed=12))


@pytest.mark.parametrize("name", ALL)
def test_threads_do_not_change_the_bytes(name: str) -> None:
    sample, stop = draw_sample(1, 1.5), draw_sample(2, 1.5, 200)
    for watch in (None, stop):
        assert digest(fit(name, sample, watch, threads=1)) == digest(fit(name, sample, watch, threads=2))


@pytest.mark.parametrize("name", ALL)
def test_a_saved_model_predicts_bit_for_bit_as_the_one_in_memory(name: str) -> None:
    model, unseen = fit(name, draw_sample(1, 1.5), draw_sample(2, 1.5, 200)), draw_sample(3, 1.5)
    loaded = LEARNERS[name].load(model.to_bytes())
    assert loaded.to_bytes() == model.to_bytes()
    np.testing.assert_array_equal(loaded.predict(unseen.x), model.predict(unseen.x))
    np.testing.assert_array_equal(loaded.gains(), model.gains())
    assert loaded.n_rounds == model.n_rounds


def test_a_saved_logistic_model_holds_all_it_predicts_with() -> None:
    model, x = fit("logistic", draw_sample(1, 1.5)), draw_sample(3, 1.5).x
    saved = {key: np.asarray(value) for key, value in json.loads(model.to_bytes()).items()}
    z = np.nan_to_num(np.clip((x - saved["mean"]) / saved["scale"], -5, 5)) @ saved["coefficients"]
    np.testing.assert_allclose(model.predict(x), 1 / (1 + np.exp(-z - saved["intercept"])), rtol=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_one_row_is_answered_as_in_a_batch(name: str) -> None:
    model, x = fit(name, draw_sample(1, 1.5)), draw_sample(3, 1.5).x[:20]
    one_by_one = np.concatenate([model.predict(row[None]) for row in x])
    np.testing.assert_allclose(one_by_one, model.predict(x), rtol=0, atol=1e-15)


def auc(name: str, strength: float) -> float:
    model, unseen = fit(name, draw_sample(1, strength), draw_sample(2, strength)), draw_sample(3, strength, 2000)
    return float(roc_auc_score(unseen.y, model.predict(unseen.x)))


@pytest.mark.parametrize("name", ALL)
def test_a_planted_signal_is_learned_and_noise_is_not(name: str) -> None:
    assert auc(name, 1.5) > 0.7
    assert 0.45 < auc(name, 0.0) < 0.55


@pytest.mark.parametrize("name", ALL)
def test_the_feature_with_the_signal_weighs_most_and_the_unknown_one_nothing(name: str) -> None:
    gains = fit(name, draw_sample(1, 1.5)).gains()
    assert gains.shape == (6,)
    assert gains.argmax() == 0
    if name != "mlp":  # its first layer keeps the weights it started from
        assert gains[5] == 0


@pytest.mark.parametrize("name", STOPPING)
def test_on_noise_training_stops_early_and_on_a_signal_later(name: str) -> None:
    settings = QUICK[name]
    most = getattr(settings, str(LEARNERS[name].rounds_key))
    noise = fit(name, draw_sample(1, 0.0), draw_sample(2, 0.0))
    signal = fit(name, draw_sample(1, 3.0), draw_sample(2, 3.0))
    assert 1 <= noise.n_rounds < most / 2
    assert noise.n_rounds < signal.n_rounds


def trees_of(name: str, content: bytes) -> int:
    if name == "lightgbm":
        return content.count(b"\nTree=")
    booster = xgboost.Booster()
    booster.load_model(bytearray(content))
    return len(booster.get_dump())


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_rounds_are_the_trees_of_the_saved_model(name: str) -> None:
    for model in (fit(name, draw_sample(1, 1.5)), fit(name, draw_sample(1, 1.5), draw_sample(2, 1.5))):
        assert trees_of(name, model.to_bytes()) == model.n_rounds


def fit_rounds(name: str, sample: Sample, n_rounds: int) -> Model:
    """Train for just so many rounds."""
    settings = QUICK[name]
    shorter = settings.model_copy(update={str(LEARNERS[name].rounds_key): n_rounds})
    return LEARNERS[name].fit(sample, None, shorter, 11, 1)


@pytest.mark.parametrize("name", STOPPING)
def test_stopping_early_is_to_have_trained_for_that_many_rounds(name: str) -> None:
    sample, x = draw_sample(1, 1.5), draw_sample(3, 1.5).x
    stopped = fit(name, sample, draw_sample(2, 1.5))
    np.testing.assert_array_equal(fit_rounds(name, sample, stopped.n_rounds).predict(x), stopped.predict(x))
    assert (fit(name, sample).predict(x) != stopped.predict(x)).any()


def log_loss(y: Array, p: Array) -> float:
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))


@pytest.mark.parametrize("name", STOPPING)
def test_the_round_kept_has_the_lowest_loss_on_the_stopping_rows(name: str) -> None:
    sample, stop = draw_sample(1, 1.0), draw_sample(2, 1.0)
    kept = fit(name, sample, stop).n_rounds
    tried = range(max(1, kept - 3), kept + 4)
    losses = {rounds: log_loss(stop.y, fit_rounds(name, sample, rounds).predict(stop.x)) for rounds in tried}
    assert losses[kept] <= min(losses.values()) + 1e-7


@pytest.mark.parametrize("name", ALL)
def test_unknown_features_give_a_probability_and_all_unknown_gives_one_answer(name: str) -> None:
    model = fit(name, draw_sample(1, 1.5))
    p = model.predict(draw_sample(3, 1.5).x)
    assert np.isfinite(p).all()
    assert ((p > 0) & (p < 1)).all()
    assert np.unique(model.predict(np.full((5, 6), np.nan))).size == 1


@pytest.mark.parametrize("name", ALL)
def test_no_model_can_be_unpickled(name: str) -> None:
    begins = {"txt": b"tree\n", "ubj": b"{L", "json": b"{\n", "safetensors": b"", "cbm": b"CBM1"}
    content = fit(name, draw_sample(1, 1.5)).to_bytes()
    assert content.startswith(begins[LEARNERS[name].suffix])
    with pytest.raises(ValueError, match=r"opcode|exhausted|argument|expected|newline|decode"):
        list(pickletools.genops(content))


HASH_ALL = """
import os, sys
from candlelock.artifacts import numeric_environment
numeric_environment.lock()
sys.path.insert(0, sys.argv[1])
from tests.laws import test_learner_laws as laws
sample, stop = laws.draw_sample(1, 1.5), laws.draw_sample(2, 1.5, 200)
for name in laws.INSTALLED:
    model = laws.fit(name, sample, stop, threads=int(sys.argv[2]))
    print(name, laws.digest(model), model.predict(stop.x).sum().hex())
"""


def test_another_process_gives_the_same_bytes_whatever_its_environment() -> None:
    root = str(Path(__file__).parents[2])
    kernels = [
        {"ATEN_CPU_CAPABILITY": "default", "OPENBLAS_CORETYPE": "Haswell", "MKL_CBWR": "COMPATIBLE"},
        {"ATEN_CPU_CAPABILITY": "avx2", "OPENBLAS_CORETYPE": "Nehalem", "MKL_CBWR": "AUTO"},
    ]
    environments = [
        {"PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TZ": "UTC"} | kernels[0],
        {"PYTHONHASHSEED": "2", "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "TZ": "Asia/Tokyo"} | kernels[1],
    ]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", HASH_ALL, root, threads],
            env=os.environ | changes,
            stdout=subprocess.PIPE,
            text=True,
        )
        for threads, changes in zip("12", environments, strict=True)
    ]
    first, second = (process.communicate()[0] for process in running)
    assert len(first.splitlines()) == len(INSTALLED)
    assert first == second


OTHERS: dict[str, list[dict[str, float]]] = {
    "lightgbm": [
        {"min_data_in_leaf": 200},
        {"min_data_in_leaf": 1, "num_leaves": 31},
        {"lambda_l2": 0.0, "feature_fraction": 0.4, "bagging_fraction": 0.3, "learning_rate": 0.3},
    ],
    "xgboost": [
        {"max_depth": 6, "min_child_weight": 100.0},
        {"subsample": 0.3, "colsample_bytree": 0.4, "reg_lambda": 0.0, "learning_rate": 0.3},
    ],
}


@pytest.mark.parametrize("name", OTHERS)
def test_bins_built_once_give_the_bytes_of_bins_built_for_each_fit(name: str) -> None:
    """Whatever the settings before were, and at any thread count."""
    sample, stop, learner, base = draw_sample(1, 1.5), draw_sample(2, 1.5, 200), LEARNERS[name], QUICK[name]
    assert learner.binned is not None
    for watch in (None, stop):
        bins = learner.binned.build(sample, watch, base, 11, 1)
        for change in (*OTHERS[name], {}, *OTHERS[name][::-1]):
            settings = base.model_copy(update=change)
            anew = digest(learner.fit(sample, watch, settings, 11, 1))
            assert digest(learner.binned.fit(bins, settings, 11, 1)) == anew
            assert digest(learner.binned.fit(bins, settings, 11, 2)) == anew


@pytest.mark.parametrize("name", OTHERS)
def test_other_bins_are_built_where_settings_ask_for_them(name: str) -> None:
    sample, stop, base = draw_sample(1, 1.5), draw_sample(2, 1.5, 200), QUICK[name]
    models, coarse = FoldFits(name, FoldSamples(sample, stop), 11, 1), base.model_copy(update={"max_bin": 8})
    for settings in (base, coarse, base):
        assert digest(models.fit(settings)) == digest(LEARNERS[name].fit(sample, stop, settings, 11, 1))
    assert digest(models.fit(coarse)) != digest(models.fit(base))
