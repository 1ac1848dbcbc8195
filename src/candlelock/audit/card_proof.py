"""Whether a Model Card follows from the artifacts it names: schema, digest, hashes, and everything derived again.

A hand-edited card fails at the digest; one with a fitting digest fails where it is built again; edited reports fail
where they are computed again from predictions, and edited predictions where the models answer again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np

from candlelock.artifacts import documents, seeds, tables
from candlelock.artifacts.hashing import sha256_file
from candlelock.card.build import build_card, digest
from candlelock.card.evidence import gather
from candlelock.contracts import files
from candlelock.contracts.documents import BacktestReport, EvaluationReport, ModelCard
from candlelock.contracts.errors import CandlelockError
from candlelock.contracts.params import Params, bar_seconds
from candlelock.contracts.tables import PREDICTIONS
from candlelock.evaluate.backtest import backtest
from candlelock.evaluate.report import evaluate
from candlelock.serve.bundle import load_bundle
from candlelock.snapshot import candles
from candlelock.split import guard
from candlelock.split.joined import read_matrix, read_rows, read_test_rows
from candlelock.split.segments import segment_ranges

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pydantic import BaseModel

MAX_DIFFERENCES = 5


@dataclass(frozen=True)
class Finding:
    """One step of the proof: what was tried, whether it held, and where it did not."""

    step: str
    passed: bool
    detail: str


def prove_card(path: Path, root: Path) -> Iterator[Finding]:
    """Yield each step as it is done; the first that fails is the last, as later ones rest on it.

    `root` is the project whose artifacts the card names. Raises InputError when `path` is not strict JSON.
    """
    document = documents.read_json(path)
    yield (schema := _schema(document))
    if not schema.passed:
        return
    card = ModelCard.model_validate_json(json.dumps(document))
    for step, check in _STEPS.items():
        try:
            detail = check(card, root)
        except CandlelockError as error:
            detail = "; ".join(
                f"{problem.place}: {problem.found}, expected {problem.expected}" for problem in error.problems
            )
        yield Finding(step, not detail, detail)
        if detail:
            return


def card_schema() -> dict[str, Any]:
    """The JSON Schema of Model Card v2."""
    text = resources.files("candlelock.contracts").joinpath("schemas/model_card.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _schema(document: Any) -> Finding:  # noqa: ANN401
    validator = jsonschema.Draft202012Validator(card_schema())
    errors = sorted(validator.iter_errors(document), key=lambda error: list(map(str, error.absolute_path)))
    lines = [f"{'.'.join(map(str, error.absolute_path)) or '(card)'}: {error.message[:120]}" for error in errors]
    return Finding("the card fits its JSON Schema", not errors, "; ".join(lines[:MAX_DIFFERENCES]))


def _digest(card: ModelCard, _: Path) -> str:
    found = digest(card)
    return (
        ""
        if found == card.digest
        else f"digest {card.digest[:12]}, but the content has {found[:12]}: the card was edited"
    )


def _lineage(card: ModelCard, root: Path) -> str:
    wrong = []
    for artifact in card.lineage:
        path = root / artifact.path
        if not path.is_file():
            wrong.append(f"{artifact.path}: no file; fetch it with `dvc pull` or rebuild with `dvc repro`")
        elif sha256_file(path) != artifact.sha256:
            wrong.append(f"{artifact.path}: other content than the card names")
    return "; ".join(wrong[:MAX_DIFFERENCES])


def _candles(card: ModelCard, root: Path) -> str:
    manifest, _ = candles.read_exact(root / files.SNAPSHOT)
    same = manifest.snapshot_id == card.train.snapshot_id
    return "" if same else f"snapshot {manifest.snapshot_id[:12]}, the card names {card.train.snapshot_id[:12]}"


def _built_again(card: ModelCard, root: Path) -> str:
    again = build_card(gather(root, card.head), card.head, segment_ranges(read_rows(root, card.head)), _params(card))
    return _compare(card, again)


def _split_again(card: ModelCard, root: Path) -> str:
    params, evidence = _params(card), gather(root, card.head)
    embargo_ms = 1000 * bar_seconds(params.snapshot.timeframe) * params.split.embargo_bars
    return _compare(
        evidence.leakage.time_split[card.head], guard.check_time_split(read_rows(root, card.head), embargo_ms)
    )


def _evaluated_again(card: ModelCard, root: Path) -> str:
    params, evidence = _params(card), gather(root, card.head)
    seed = seeds.derive(params.seed, f"evaluate/{card.head}")
    share = evidence.training.n_up / evidence.training.n_rows
    again: EvaluationReport = evaluate(read_test_rows(root, card.head), share, params.evaluate, seed)
    return _compare(evidence.evaluation, again)


def _traded_again(card: ModelCard, root: Path) -> str:
    params, evidence = _params(card), gather(root, card.head)
    manifest, exact = candles.read_exact(root / files.SNAPSHOT)
    predictions = tables.read(root / files.HeadFiles(card.head).predictions, PREDICTIONS)
    bar_ms = 1000 * bar_seconds(manifest.timeframe)
    again: BacktestReport = backtest(predictions, exact, params.backtest, params.heads[card.head].horizon_bars, bar_ms)[
        0
    ]
    return _compare(evidence.backtest, again)


def _answered_again(card: ModelCard, root: Path) -> str:
    own = files.HeadFiles(card.head)
    rows, x, _ = read_matrix(root, card.head, _params(card).features.groups)
    later = (rows["segment"].notna() & (rows["segment"] != "train")).to_numpy()
    stored = tables.read(root / own.predictions, PREDICTIONS)["p_up"].to_numpy()
    answered = load_bundle(root / own.models).predict(x[later])
    gap = float(np.abs(answered - stored).max()) if len(stored) == len(answered) else float("inf")
    return "" if gap <= 1e-12 else f"the models' answers differ from the stored predictions by up to {gap:g}"


_STEPS: Mapping[str, Callable[[ModelCard, Path], str]] = {
    "the digest is that of its content": _digest,
    "every artifact has the hash it names": _lineage,
    "the candles are those of the snapshot it names": _candles,
    "built again from the reports, it is the same card": _built_again,
    "the time split, checked again": _split_again,
    "the models answer what is stored": _answered_again,
    "the evaluation, computed again from predictions": _evaluated_again,
    "the back-test, traded again from predictions and candles": _traded_again,
}


def _params(card: ModelCard) -> Params:
    return Params.model_validate_json(json.dumps(card.parameters))


def _compare(stored: BaseModel, again: BaseModel) -> str:
    """Where two documents differ; empty when they do not."""
    differences = list(_differences(stored.model_dump(mode="json"), again.model_dump(mode="json"), ""))
    return "; ".join(differences[:MAX_DIFFERENCES])


def _differences(stored: Any, again: Any, at: str) -> Iterator[str]:  # noqa: ANN401
    if isinstance(stored, dict) and isinstance(again, dict):
        for key in sorted(set(stored) | set(again)):
            yield from _differences(stored.get(key), again.get(key), f"{at}.{key}".lstrip("."))
    elif stored != again:
        yield f"{at}: {str(stored)[:60]} stored, {str(again)[:60]} derived"
