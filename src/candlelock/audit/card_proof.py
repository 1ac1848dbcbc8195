"""Whether a Model Card follows from the artifacts it names: schema, digest, hashes, and everything derived again.

A hand-edited card fails at the digest; one with a fitting digest fails where it is built again; edited features,
labels, selections, stack, calibrator, conformal sets, threshold, plots, pages and reports fail where they are derived
again, and edited predictions where the models answer again. What only training knows (the models themselves, the study,
`training.json`, out-of-fold and baseline predictions) and the measured latency take `dvc repro` to prove.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pyarrow.compute as pc

from candlelock.artifacts import documents, seeds, tables, user_files
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.artifacts.hashing import sha256_file
from candlelock.audit.evidence import make_certificate, make_controls
from candlelock.audit.leakage import examine_head, given_of
from candlelock.calibrate.fit import Terms, calibrate_members
from candlelock.calibrate.report import find_signals
from candlelock.card import html, markdown
from candlelock.card.build import build_card, digest
from candlelock.card.evidence import gather, read_plots
from candlelock.contracts import files
from candlelock.contracts.backtest_tables import TRADE_LIST
from candlelock.contracts.card_document import ModelCard
from candlelock.contracts.causality_documents import CausalityReport
from candlelock.contracts.documents import SEGMENTS, Calibrator, Conformal, EvaluationReport, Metrics, Stack, Threshold
from candlelock.contracts.errors import CandlelockError
from candlelock.contracts.leakage_documents import ControlsReport, TestReads
from candlelock.contracts.params import Params, bar_seconds
from candlelock.contracts.select_documents import Selection, SelectionReport
from candlelock.contracts.study_documents import StudyReport
from candlelock.contracts.tables import FITS, PREDICTIONS, ROWS, member_predictions, with_baselines
from candlelock.evaluate.backtest import backtest
from candlelock.evaluate.curves import evaluation_curves
from candlelock.evaluate.figures import read_returns
from candlelock.evaluate.report import evaluate, headline
from candlelock.evaluate.significance import assess
from candlelock.evaluate.trading import draw_curves, plot_curve, report_trading, trade_list
from candlelock.evaluate.trial_ledger import count_trials, read_ledger
from candlelock.features.build import build_tables
from candlelock.features.market import align, with_books
from candlelock.features.plugins import load_plugins
from candlelock.orderbook import book_bars
from candlelock.select.fit import fit_selections
from candlelock.serve.bundle import load_bundle
from candlelock.serve.incumbent import ask_incumbent
from candlelock.snapshot import candles
from candlelock.split.joined import read_feature_tables, read_matrix, read_member_predictions, read_rows, read_test_rows
from candlelock.split.labels import label
from candlelock.split.rows import to_table
from candlelock.split.segments import assign, segment_ranges
from candlelock.train.importance import find_gains
from candlelock.train.model_files import load_models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa
    from pydantic import BaseModel

    from candlelock.features.market import Market

MAX_DIFFERENCES = 5


@dataclass(frozen=True)
class Finding:
    """One step of the proof: what was tried, whether it held, and where it did not."""

    step: str
    passed: bool
    detail: str


def prove_card(path: Path, root: Path) -> Iterator[Finding]:
    """Yield each step as it is done; the first that fails is the last, as later ones rest on it.

    `root` is the project whose artifacts the card names. Raises InputError when `path` is not strict JSON or holds
    numbers or text that no card can.
    """
    document = documents.read_json(path)
    yield (schema := _schema(document))
    if not schema.passed:
        return
    card = documents.read(path, ModelCard)
    for step, check in _STEPS.items():
        try:
            detail = check(card, root)
        except CandlelockError as error:
            detail = "; ".join(
                f"{problem.place}: {problem.found}, expected {problem.expected}" for problem in error.problems
            )
        except Exception as error:  # edited artifacts may break a computation as such: that refutes the card as well
            detail = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
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


def _features_again(card: ModelCard, root: Path) -> str:
    params, market = _params(card), _market(root)
    entries, plugins = user_files.read_registry(root, params.features), load_plugins(root, params.features)
    stored, again = read_feature_tables(root, params.features), build_tables(market, entries, plugins)
    other = [symbol for symbol, table in stored.items() if not _is_same(table, again[symbol])]
    return f"other values than the candles give: {', '.join(other)}" if other else ""


def _certified_again(card: ModelCard, root: Path) -> str:
    again = make_certificate(root, _params(card))
    return _compare(documents.read(root / files.CAUSALITY_REPORT, CausalityReport), again)


def _split_again(card: ModelCard, root: Path) -> str:
    params, market = _params(card), _market(root)
    labels = label(market, params.heads[card.head], params.split.min_history_bars)
    rows = assign(labels, params.split, market.bar_ms)
    if not _is_same(tables.read(root / files.HeadFiles(card.head).rows, ROWS), to_table(rows)):
        return "rows.parquet: other labels, segments or folds than the candles give"
    return ""


def _selected_again(card: ModelCard, root: Path) -> str:
    params, own = _params(card), files.HeadFiles(card.head)
    rows, x, names = read_matrix(root, card.head, params.features)
    embargo_ms = 1000 * bar_seconds(params.snapshot.timeframe) * params.split.embargo_bars
    gains = functools.partial(find_gains, seed=seeds.derive(params.seed, f"select/{card.head}"), threads=params.threads)
    fits = FitLedger()
    again = fit_selections(rows, x, names, params.select, embargo_ms, gains, fits)
    stored = documents.read(root / own.report("selection.json"), SelectionReport)
    used = documents.read(root / own.models / "selection.json", Selection)
    return _compare(stored, again) or _compare(used, again.final) or _other_fits(root, card, "select", fits)


def _evaluated_again(card: ModelCard, root: Path) -> str:
    params, evidence = _params(card), gather(root, card.head)
    seed = seeds.derive(params.seed, f"evaluate/{card.head}")
    share, mean = evidence.training.n_up / evidence.training.n_rows, evidence.training.mean_value
    rows, unit = read_test_rows(root, card.head, params.train.members), params.heads[card.head].unit
    again: EvaluationReport = evaluate(rows, share, params.evaluate, seed, unit=unit, train_mean=mean)
    metrics = documents.read(root / files.HeadFiles(card.head).report("metrics.json"), Metrics)
    plots = _other_plots(root, card.head, evaluation_curves(rows, params.evaluate, seed))
    return _compare(evidence.evaluation, again) or _compare(metrics, headline(again)) or plots


def _traded_again(card: ModelCard, root: Path) -> str:
    params, evidence = _params(card), gather(root, card.head)
    manifest, exact = candles.read_exact(root / files.SNAPSHOT)
    predictions = tables.read(root / files.HeadFiles(card.head).predictions, PREDICTIONS)
    bar_ms = 1000 * bar_seconds(manifest.timeframe)
    question = params.heads[card.head]
    horizon_bars, rules = question.horizon_bars, params.backtest.of(question)
    again, ledger = backtest(predictions, exact, rules, horizon_bars, bar_ms)
    curves = draw_curves(ledger, predictions, exact, rules, horizon_bars)
    trades = tables.read(root / files.HeadFiles(card.head).report("trades.parquet"), TRADE_LIST)
    same = _is_same(trades, trade_list(ledger))
    plots = _other_plots(root, card.head, {"equity": plot_curve(ledger, curves)})
    trading = report_trading(ledger, curves, rules, horizon_bars)
    return (
        _compare(evidence.backtest, again)
        or _compare(evidence.trading, trading)
        or plots
        or ("" if same else "trades.parquet: not the ledger's trades")
    )


def _weighed_again(card: ModelCard, root: Path) -> str:
    params, evidence, own = _params(card), gather(root, card.head), files.HeadFiles(card.head)
    rows, training = read_test_rows(root, card.head, params.train.members), evidence.training
    returns = read_returns(root / own.plot("equity"), evidence.backtest.capital)
    trials = count_trials(read_ledger(root / own.trials), len(returns))
    seed, study = seeds.derive(params.seed, f"significance/{card.head}"), root / own.report("study.json")
    share = training.n_up / training.n_rows
    incumbent = ask_incumbent(root, card.head, params.features, rows)
    again = assess(rows, returns, trials, share, params.evaluate, seed, documents.read(study, StudyReport), incumbent)
    return _compare(evidence.significance, again)


def _other_plots(root: Path, head: str, again: Mapping[str, pd.DataFrame]) -> str:
    """The plots whose file is not what they are when drawn again."""
    paths = {root / files.HeadFiles(head).plot(name): tables.csv_bytes(frame) for name, frame in again.items()}
    return "; ".join(f"{path}: another curve" for path, content in paths.items() if path.read_bytes() != content)


def _audited_again(card: ModelCard, root: Path) -> str:
    own = files.HeadFiles(card.head)
    certificate = documents.read(root / files.CAUSALITY_REPORT, CausalityReport)
    controls = documents.read(root / files.CONTROLS_REPORT, ControlsReport)
    reads = documents.read(root / own.test_reads, TestReads).reads
    params = _params(card)
    given = given_of(params, params.heads[card.head], certificate, controls, reads)
    again = examine_head(root, card.head, given)
    return _compare(gather(root, card.head).leakage, again)


def _controlled_again(_: ModelCard, root: Path) -> str:
    again = make_controls(root, user_files.read_params(root))
    return _compare(documents.read(root / files.CONTROLS_REPORT, ControlsReport), again)


def _rendered_again(card: ModelCard, root: Path) -> str:
    own, evidence = files.HeadFiles(card.head), gather(root, card.head)
    pages = {
        own.report("model_card.html"): html.render(card, evidence, read_plots(root, card.head)),
        own.report("model_card.md"): markdown.render(card, evidence),
    }
    wrong = [str(path) for path, page in pages.items() if not _is_page(root / path, page)]
    return "" if not wrong else f"{', '.join(wrong)}: not the card's page"


def _is_page(path: Path, page: str) -> bool:
    return path.is_file() and path.read_bytes() == page.encode()


def _calibrated_again(card: ModelCard, root: Path) -> str:
    params, own = _params(card), files.HeadFiles(card.head)
    horizon_ms = 1000 * bar_seconds(params.snapshot.timeframe) * card.train.horizon_bars
    rows, fits = read_member_predictions(root, card.head, params.train.members), FitLedger()
    seed = seeds.derive(params.seed, f"calibrate/{card.head}")
    terms = Terms(horizon_ms, params.backtest.round_trip_bps, seed, params.heads[card.head].is_traded)
    again = calibrate_members(rows, params.train.members, params.calibrate, terms, fits)
    stored = (
        (documents.read(root / own.models / "stack.json", Stack), again.stack),
        (documents.read(root / own.models / "calibrator.json", Calibrator), again.calibrator),
        (documents.read(root / own.models / "conformal.json", Conformal), again.conformal),
        (documents.read(root / own.models / "threshold.json", Threshold), again.threshold),
    )
    same = _is_same(tables.read(root / own.predictions, PREDICTIONS), again.predictions)
    other = "; ".join(filter(None, (_compare(*pair) for pair in stored)))
    return other or ("" if same else "other predictions") or _other_fits(root, card, "calibrate", fits)


def _other_fits(root: Path, card: ModelCard, stage: str, again: FitLedger) -> str:
    stored = tables.read(root / files.HeadFiles(card.head).fits(stage), FITS)
    return "" if _is_same(stored, again.table()) else f"{stage}.parquet: other rows than the fits were handed"


def _answered_again(card: ModelCard, root: Path) -> str:
    own, names, question = files.HeadFiles(card.head), _params(card).train.members, _params(card).heads[card.head]
    rows, x, _ = read_matrix(root, card.head, _params(card).features)
    predictions, bundle = tables.read(root / own.predictions, PREDICTIONS), load_bundle(root / own.models)
    stored, is_test = predictions["p_up"].to_numpy(), (rows["segment"] == "test").to_numpy(dtype=bool)
    test = predictions.filter(pc.equal(predictions["segment"], "test"))
    gaps = [_gap(bundle.predict(x[is_test]), test["p_up"])]
    foretold = bundle.foretell(x[is_test])
    gaps += [] if foretold is None else [_gap(foretold, test["predicted_value"])]
    start = "value" if question.is_valued else "p_up"
    learners = with_baselines(names)
    members = tables.read(root / own.members, member_predictions(learners, are_values=question.is_valued))
    for segment in SEGMENTS[1:]:  # also those members that the bundle does not use
        seen = bundle.selection.apply(x[(rows["segment"] == segment).to_numpy(dtype=bool)])
        told = members.filter(pc.equal(members["segment"], segment))
        models = load_models(root / own.member_models, names, before_refit=segment != "test")
        gaps += [_gap(model.predict(seen), told[f"{start}_{name}"]) for name, model in models.items()]
    gap = max(gaps)
    if not gap <= 1e-12:
        return f"the models' answers differ from the stored predictions by up to {gap:g}"
    up, down = (predictions[name].combine_chunks() for name in ("may_be_up", "may_be_down"))
    signals = question.is_traded & find_signals(stored, up, down, bundle.threshold, _params(card).calibrate.abstain)
    wrong = int((signals != predictions["has_signal"].to_numpy()).sum())
    return f"has_signal is wrong in {wrong} rows" if wrong else ""


def _gap(answered: npt.NDArray[np.float64], stored: pa.ChunkedArray) -> float:
    """The largest difference; infinite where there is an answer more or less, or none."""
    same = len(answered) == len(stored) and not np.isnan(answered).any()
    return float(np.abs(answered - stored.to_numpy()).max(initial=0.0)) if same else float("inf")


_STEPS: Mapping[str, Callable[[ModelCard, Path], str]] = {
    "the digest is that of its content": _digest,
    "every artifact has the hash it names": _lineage,
    "the candles are those of the snapshot it names": _candles,
    "built again from the reports, it is the same card": _built_again,
    "the features, built again from the candles": _features_again,
    "the labels and the time split, derived again from the candles": _split_again,
    "the selections of features, fitted again on the rows each may see": _selected_again,
    "the models answer what is stored": _answered_again,
    "ensemble, calibrator, conformal sets and threshold, fitted again": _calibrated_again,
    "the evaluation, computed again from predictions": _evaluated_again,
    "the back-test, traded again from predictions and candles": _traded_again,
    "the significance, weighed again after every trial": _weighed_again,
    "the leakage report, made again": _audited_again,
    "the causality certificate, made again": _certified_again,
    "the controls, run again": _controlled_again,
    "the pages, rendered again": _rendered_again,
}


def _market(root: Path) -> Market:
    manifest, frames = candles.read(root / files.SNAPSHOT)
    books = book_bars.read_all(root / files.ORDER_BOOKS, manifest.timeframe)
    return with_books(align(frames, 1000 * bar_seconds(manifest.timeframe)), books)


def _is_same(stored: pa.Table, again: pa.Table) -> bool:
    """Whether two tables hold the same values; who wrote them and null rules aside."""
    return all(stored[name].equals(again[name]) for name in stored.column_names)


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
    elif isinstance(stored, list) and isinstance(again, list) and len(stored) == len(again):
        for number, pair in enumerate(zip(stored, again, strict=True)):
            yield from _differences(*pair, f"{at}.{number}")
    elif stored != again:
        yield f"{at}: {str(stored)[:60]} stored, {str(again)[:60]} derived"
