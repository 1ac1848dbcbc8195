"""A card in a terminal: what was trained on what, the headline figures beside their baselines, each gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from candlelock.card.wording import VALUES, reach
from candlelock.page import wording

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from candlelock.contracts.card_document import CardRange, ModelCard
    from candlelock.contracts.documents import Interval, Values

STYLES = {"PASS": "green", "GO": "bold green", "FAIL": "red", "NO-GO": "bold red"}
UNSURE = "yellow"


def print_card(console: Console, card: ModelCard, path: Path) -> None:
    """Print the card of `path`."""
    train, test = card.train, card.segments["test"]
    console.print()
    console.print(
        Text.assemble(
            (f"{card.model_name} / {card.head}", "bold"), "   ", (card.verdict, STYLES.get(card.verdict, UNSURE))
        )
    )
    symbols = ", ".join(train.symbols)
    console.print(f"  trained on {train.rows:,} rows of {symbols}, {train.timeframe} bars, {_days(train.range)}")
    if train.refit is not None:
        end = train.refit.end[:10]
        console.print(f"  and again  on all {train.refit.rows:,} rows before test, to {end}, before it was served")
    console.print(f"  tested on  {_days(test)}, {reach(card)} bars ahead; snapshot {train.snapshot_id[:12]}\n")
    if card.values is not None:
        console.print(_values(card.values))
        console.print()
    console.print(_metrics(card))
    console.print()
    console.print(_gates(card))
    folder = path.parent
    console.print(f"\n  card {folder}/model_card.html  (also .md, .json)   digest {card.digest[:12]}\n", soft_wrap=True)


def _metrics(card: ModelCard) -> Table:
    constant, rule, logistic = (card.baselines[name] for name in (card.best_constant, card.best_rule, "logistic"))
    table = Table(
        "on test",
        "model",
        "interval",
        _words(card.best_constant),
        _words(card.best_rule),
        "logistic",
        box=None,
        pad_edge=True,
    )
    table.add_row(
        "accuracy",
        f"{card.metrics['accuracy']:.2%}",
        _between(card.intervals["accuracy"], "{:.2%}"),
        *(f"{baseline.accuracy.value:.2%}" for baseline in (constant, rule, logistic)),
    )
    for name, attribute in (("AUC", "auc_roc"), ("log loss", "log_loss"), ("Brier", "brier")):
        others = [getattr(baseline, attribute) for baseline in (constant, rule, logistic)]
        cells = ["—" if value is None else f"{value:.4f}" for value in others]
        table.add_row(name, f"{card.metrics[attribute]:.4f}", _between(card.intervals[attribute], "{:.4f}"), *cells)
    ece = card.metrics["calibration_ece"]
    table.add_row("ECE", f"{ece:.4f}", _between(card.intervals["calibration_ece"], "{:.4f}"), "", "", "")
    table.add_row("  of noise alone", f"{card.probabilities.ece_expected:.4f}", "", "", "", "")
    table.add_row("coverage", f"{card.probabilities.conformal.coverage_frac:.2%}", "of conformal sets", "", "", "")
    lifts = [card.intervals[f"lift_over_best_{kind}_pp"] for kind in ("constant", "rule")]
    table.add_row(
        "lift, points", "", "", *(f"{lift.value:+.2f} [{lift.low:+.2f}, {lift.high:+.2f}]" for lift in lifts), ""
    )
    return table


def _values(values: Values) -> Table:
    best = values.baselines[values.best_baseline]
    baseline = f"{_words(values.best_baseline)}, best baseline"
    table = Table("values on test", "model", "interval", baseline, box=None, pad_edge=True)
    others = {"rmse": f"{best.rmse:.4f}", "mae": f"{best.mae:.4f}"}
    for name, one in VALUES.items():
        found = values.metrics[name]
        table.add_row(one.label, one.show(found.value), _between(found, "{:.4f}"), others.get(name, ""))
    table.add_row("coverage", f"{values.coverage_frac:.2%}", "of conformal intervals", "")
    return table


def _gates(card: ModelCard) -> Table:
    table = Table("gate", "verdict", "figure", "bound", box=None, pad_edge=True)
    for gate in card.gates:
        status = Text(gate.status, STYLES.get(gate.status, UNSURE))
        table.add_row(gate.name, status, wording.number(gate.figure), gate.bound)
    return table


def _between(interval: Interval, form: str) -> str:
    return f"[{form.format(interval.low)}, {form.format(interval.high)}]"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _days(span: CardRange) -> str:
    return f"{span.start[:10]} to {span.end[:10]}"
