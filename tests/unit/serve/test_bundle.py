"""The bundle read from files answers as the parts in memory did, to the last bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from candlelock.artifacts import documents
from candlelock.calibrate.calibrator import Choice, fit_calibration
from candlelock.calibrate.combine import Combined
from candlelock.calibrate.comparison import ENSEMBLE
from candlelock.calibrate.ensemble import make_ensemble
from candlelock.calibrate.report import describe_calibrator, describe_ensemble, describe_threshold
from candlelock.calibrate.threshold import Optimum, Trading
from candlelock.contracts.documents import ThresholdChoice
from candlelock.contracts.errors import InputError
from candlelock.contracts.select_documents import Dropped, DropStep, Selection
from candlelock.select.train_rows import train_rows
from candlelock.serve.bundle import load_bundle
from candlelock.train.averaging import Averaged
from candlelock.train.learner import LEARNERS, Sample
from candlelock.train.members import Trained
from candlelock.train.model_files import save_models
from tests.learner_settings import QUICK

if TYPE_CHECKING:
    from pathlib import Path

    from candlelock.calibrate.calibrator import Calibration, Method
    from candlelock.calibrate.ensemble import Ensemble, Kind
    from candlelock.train.learner import Array

SEEN = pd.DataFrame({"decision_time_ms": [1_800_000], "label_end_ms": [9_000_000]})
MEMBERS = ("lightgbm", "xgboost", "mlp")


METHODS: tuple[Method, ...] = ("identity", "temperature", "platt", "beta", "isotonic", "venn_abers")
KINDS: tuple[Kind, ...] = ("stack", "average", "vote")


@dataclass(frozen=True)
class Parts:
    """What the stages had in memory when they wrote the bundle."""

    models: dict[str, Averaged]
    ensembles: dict[Kind, Ensemble]
    calibrations: dict[Method, Calibration]
    x: Array


@pytest.fixture(scope="module")
def parts() -> Parts:
    random = np.random.default_rng(1)
    x = random.normal(size=(1500, 4))
    y = (x[:, 0] + 0.5 * x[:, 1] + random.normal(size=1500) > 0).astype(float)
    x[random.random(x.shape) < 0.05] = np.nan
    models = {
        name: Averaged((LEARNERS[name].fit(Sample(x[:500], y[:500], np.arange(500)), None, QUICK[name], 1, 1),))
        for name in MEMBERS
    }
    middle = {name: model.predict(x[500:1000]) for name, model in models.items()}
    ensembles = {kind: make_ensemble(kind, None, middle, y[500:1000], 1.0) for kind in KINDS}
    raw = ensembles["stack"].apply({name: model.predict(x[1000:]) for name, model in models.items()})
    return Parts(models, ensembles, {method: fit_calibration(method, raw, y[1000:]) for method in METHODS}, x)


def trained(parts: Parts, *names: str) -> dict[str, Trained]:
    """The members of these names, without a refit."""
    return {name: Trained(parts.models[name], [], [], np.zeros(0)) for name in names}


def select(names: str, gone: str = "") -> Selection:
    """A selection of features named by single letters that drops some of them."""
    kept = [name for name in names if name not in gone]
    keys = SEEN.assign(symbol="BTC/USD", open_time_ms=0)
    seen = train_rows(np.zeros((1, len(names))), np.ones(1), list(names), keys).seen()
    dropped = [Dropped(name=name, reason="weak", score=0.0, threshold=0.1, twin=None) for name in gone]
    scores = dict.fromkeys(names, 0.0)
    step = DropStep(step="importance", seen=seen, inputs=list(names), outputs=kept, scores=scores, dropped=dropped)
    return Selection(seen=seen, inputs=list(names), outputs=kept, steps=[step])


def write(folder: Path, parts: Parts, method: Method, kind: Kind = "stack", used: str = ENSEMBLE) -> Path:
    """The bundle's files as the stages write them, of models that see every feature."""
    documents.write(folder / "selection.json", select("abcd"))
    save_models(folder / "members", trained(parts, *parts.models))
    choices = [ThresholdChoice(p_up=0.57, n_trades=3, net_profit_bps=1.5, sharpe=None, chosen_frac=1.0)]
    choice = Choice(parts.calibrations[method], {method: 0.6}, np.zeros(1))
    combined = Combined(parts.ensembles[kind], used, choice, [], {})
    trading = Trading(hold_ms=1, cost_bps=24.0, goal="profit", min_trades=1)
    documents.write(folder / "stack.json", describe_ensemble(combined, SEEN))
    documents.write(folder / "calibrator.json", describe_calibrator(combined, SEEN))
    documents.write(folder / "threshold.json", describe_threshold(Optimum(0.57, choices, 0.5, 0.6), trading, SEEN))
    return folder


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_a_loaded_bundle_answers_bit_for_bit_as_its_parts(
    parts: Parts, tmp_path: Path, method: Method, kind: Kind
) -> None:
    bundle = load_bundle(write(tmp_path, parts, method, kind))
    raw = parts.ensembles[kind].apply({name: model.predict(parts.x) for name, model in parts.models.items()})
    np.testing.assert_array_equal(bundle.predict(parts.x), parts.calibrations[method].apply(raw))
    assert bundle.threshold == 0.57
    assert bundle.predict(parts.x).std() > 0.02


def test_where_one_member_is_used_alone_the_others_are_not_even_read(parts: Parts, tmp_path: Path) -> None:
    write(tmp_path, parts, "beta", used="xgboost")
    (tmp_path / "members" / "mlp.safetensors").unlink()
    raw = parts.models["xgboost"].predict(parts.x)
    np.testing.assert_array_equal(load_bundle(tmp_path).predict(parts.x), parts.calibrations["beta"].apply(raw))


@pytest.mark.parametrize(("used", "code"), [("mlp", "bundle-file"), ("mpl", "bundle-member")])
def test_a_member_that_is_not_there_is_an_input_error(parts: Parts, tmp_path: Path, used: str, code: str) -> None:
    write(tmp_path, parts, "platt", used=used)
    (tmp_path / "members" / "mlp.safetensors").unlink()
    with pytest.raises(InputError) as caught:
        load_bundle(tmp_path)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_the_models_see_what_the_selection_leaves_of_every_feature(parts: Parts, tmp_path: Path) -> None:
    before = load_bundle(write(tmp_path, parts, "platt")).predict(parts.x)
    documents.write(tmp_path / "selection.json", select("xabycdz", gone="xyz"))
    noise = np.random.default_rng(2).normal(size=(len(parts.x), 3))
    wide = np.column_stack([noise[:, 0], parts.x[:, :2], noise[:, 1], parts.x[:, 2:], noise[:, 2]])
    np.testing.assert_array_equal(load_bundle(tmp_path).predict(wide), before)


@pytest.mark.parametrize("n_columns", [3, 5])
def test_another_number_of_features_is_an_input_error(parts: Parts, tmp_path: Path, n_columns: int) -> None:
    with pytest.raises(InputError) as caught:
        load_bundle(write(tmp_path, parts, "platt")).predict(np.zeros((2, n_columns)))
    assert [problem.code for problem in caught.value.problems] == ["selection-columns"]


def test_one_row_is_answered_as_in_the_batch(parts: Parts, tmp_path: Path) -> None:
    bundle = load_bundle(write(tmp_path, parts, "platt"))
    one_by_one = np.concatenate([bundle.predict(row[None]) for row in parts.x[:50]])
    np.testing.assert_allclose(one_by_one, bundle.predict(parts.x)[:50], rtol=0, atol=1e-14)


def test_a_row_of_unknowns_gets_a_probability(parts: Parts, tmp_path: Path) -> None:
    p = load_bundle(write(tmp_path, parts, "isotonic")).predict(np.full((1, 4), np.nan))
    assert 0 < p[0] < 1


@pytest.mark.parametrize("name", ["selection.json", "stack.json", "calibrator.json", "threshold.json"])
@pytest.mark.parametrize(
    ("content", "code"), [(None, "document-missing"), (b"{", "document-not-json"), (b"{}", "document-invalid")]
)
def test_a_missing_or_broken_document_is_an_input_error(
    parts: Parts, tmp_path: Path, name: str, content: bytes | None, code: str
) -> None:
    write(tmp_path, parts, "platt")
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_bundle(tmp_path)
    assert {problem.code for problem in caught.value.problems} == {code}
    assert name in caught.value.problems[0].place


@pytest.mark.parametrize("name", ["lightgbm.txt", "xgboost.ubj", "mlp.safetensors"])
def test_a_model_that_is_missing_or_another_one_is_never_parsed(parts: Parts, tmp_path: Path, name: str) -> None:
    path = write(tmp_path, parts, "platt") / "members" / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError) as caught:
        load_bundle(tmp_path)
    assert [(problem.code, problem.place) for problem in caught.value.problems] == [("bundle-hash", str(path))]
    path.unlink()
    with pytest.raises(InputError) as caught:
        load_bundle(tmp_path)
    assert [(problem.code, problem.place) for problem in caught.value.problems] == [("bundle-file", str(path))]


def test_a_member_of_the_stack_without_a_model_is_refused(parts: Parts, tmp_path: Path) -> None:
    write(tmp_path, parts, "platt")
    save_models(tmp_path / "members", trained(parts, "lightgbm", "mlp"))
    with pytest.raises(InputError) as caught:
        load_bundle(tmp_path)
    (problem,) = caught.value.problems
    assert (problem.code, problem.found) == ("bundle-member", "no member 'xgboost'")
