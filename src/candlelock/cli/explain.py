"""`candlelock explain`: why the model answers as it does for one bar of the project's own tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlelock.cli import output
from candlelock.cli.output import HERE, Json, Root
from candlelock.contracts.errors import InputError, Problem, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from candlelock.serve.bundle import Bundle
    from candlelock.serve.explanation import Answer, Explanation


def explain(
    symbol: Annotated[str, typer.Argument(help="Such as BTC/USD.")],
    time: Annotated[
        str | None, typer.Option("--time", help="Open time of the bar, UTC; the latest if left out.")
    ] = None,
    head: Annotated[str | None, typer.Option("--head", help="The head; the first by name if left out.")] = None,
    member: Annotated[str | None, typer.Option("--member", help="Show the parts of this member alone.")] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="Contributions of each member to show.")] = 10,
    root: Root = HERE,
    as_json: Json = False,
) -> None:
    """Show members' probabilities for a bar, what they become, and which features speak for up and for down."""
    from candlelock.artifacts import numeric_environment

    numeric_environment.lock()
    from candlelock.artifacts.user_files import read_params
    from candlelock.contracts import files
    from candlelock.serve.bundle import load_bundle
    from candlelock.serve.explanation import explain_row
    from candlelock.split.joined import read_matrix

    params = read_params(root, head)
    name = head or min(params.heads)
    rows, x, _ = read_matrix(root, name, params.features)
    place = _find_row(rows, symbol, time)
    bundle = load_bundle(root / files.HeadFiles(name).models)
    found = explain_row(bundle, x[[place]])
    shown = {member: _of_member(found, member)} if member else found.members
    facts = {"head": name, "symbol": symbol, **_row_facts(rows, place)}
    if as_json:
        parts = {each: _parts(answer, top) for each, answer in shown.items()}
        output.print_json(facts | _answer_facts(found, bundle) | {"parts": parts})
    else:
        _print(facts, found, bundle, shown, top)


def _find_row(rows: pd.DataFrame, symbol: str, time: str | None) -> int:
    """Place of a symbol's bar in the split table. Raises InputError for an unknown symbol or a time without a bar."""
    from candlelock.contracts.documents import utc_text

    places = rows["symbol"].eq(symbol).to_numpy().nonzero()[0].tolist()
    if not places:
        help_line = nearest(symbol, sorted(rows["symbol"].unique()))
        raise InputError(Problem("symbol-unknown", "SYMBOL", repr(symbol), "a symbol of the split table", help_line))
    opened = dict(zip(rows["open_time_ms"].to_numpy()[places].tolist(), places, strict=True))
    asked = max(opened) if time is None else _milliseconds(time)
    if asked not in opened:
        expected = f"the open time of a bar from {utc_text(min(opened))} to {utc_text(max(opened))}"
        close = min(opened, key=lambda each: abs(each - asked))
        help_line = f"the nearest one opens at {utc_text(close)}"
        raise InputError(Problem("explain-time", "--time", repr(time), expected, help_line))
    return int(opened[asked])


def _milliseconds(time: str) -> int:
    from candlelock.contracts.documents import utc_ms

    try:
        return utc_ms(time)
    except ValueError:
        help_line = "such as 2019-09-30T12:00Z"
        raise InputError(Problem("explain-time", "--time", repr(time), "a time in ISO 8601", help_line)) from None


def _of_member(found: Explanation, member: str) -> Answer:
    """The answer of a member of the bundle. Raises InputError for another name, and for one without parts."""
    from candlelock.train.contributions import EXPLAINED

    with_parts = [name for name in found.members if name in EXPLAINED]
    if member in with_parts:
        return found.members[member]
    what = "answers without parts" if member in found.members else "not among the members of the bundle"
    help_line = "permutation importance in training.json is there for every member"
    expected = f"one of: {', '.join(with_parts) or 'none of this bundle has contributions'}"
    raise InputError(Problem("explain-member", f"--member {member}", what, expected, help_line))


def _row_facts(rows: pd.DataFrame, place: int) -> dict[str, Any]:
    from candlelock.contracts.documents import utc_text

    row = rows.iloc[place].to_dict()
    segment = row["segment"] if isinstance(row["segment"], str) else None
    times = {f"{name}_utc": utc_text(row[f"{name}_ms"]) for name in ("open_time", "decision_time")}
    return times | {"segment": segment}


def _answer_facts(found: Explanation, bundle: Bundle) -> dict[str, Any]:
    own = "p_up" if found.value is None else "value"
    members = {name: {own: answer.answer, "weight": answer.weight} for name, answer in found.members.items()}
    kind = None if bundle.ensemble is None else bundle.ensemble.kind
    answer = {"value": found.value, "p_up": found.p_up, "p_up_raw": found.p_up_raw, "threshold": bundle.threshold}
    return answer | {"ensemble": kind, "members": members}


def _parts(answer: Answer, top: int) -> dict[str, Any] | None:
    """Base, the largest contributions, and the sum of the others; None for a member without parts."""
    if answer.contributions is None:
        return None
    others = answer.contributions[top:]
    return {
        "base": answer.base,
        "contributions": [vars(one) for one in answer.contributions[:top]],
        "n_others": len(others),
        "others": sum(one.adds for one in others),
    }


def _print(facts: Mapping[str, Any], found: Explanation, bundle: Bundle, shown: Mapping[str, Answer], top: int) -> None:
    segment = facts["segment"] or "in no segment"
    typer.echo(f"{facts['symbol']}, bar of {facts['open_time_utc']}, {segment}; head {facts['head']}")
    own, unit = ("p_up", "log-odds") if found.value is None else ("value", "adds")
    foretold = "" if found.value is None else f"value {found.value:+.4f}, "
    answers = f"p_up {found.p_up:.4f}, {found.p_up_raw:.4f} before calibration"
    typer.echo(f"{foretold}{answers}; threshold {bundle.threshold:.4f}\n")
    rows = [(name, f"{each.answer:.4f}", output.plain(each.weight)) for name, each in found.members.items()]
    output.print_table(("member", own, "weight"), rows)
    for name, answer in shown.items():
        parts = _parts(answer, top)
        if parts is None:
            typer.echo(f"\n{name}: answers without parts")
            continue
        lines = [(one["name"], output.plain(one["value"]), f"{one['adds']:+.4f}") for one in parts["contributions"]]
        others = [(f"{parts['n_others']} others", "", f"{parts['others']:+.4f}")] if parts["n_others"] else []
        typer.echo("")
        output.print_table((name, "feature's value", unit), [("base", "", f"{parts['base']:+.4f}"), *lines, *others])
