"""The whole of params.yaml as one typed, frozen object, with every problem named by its line."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError, model_validator

from candlelock.contracts import stage_params as sections
from candlelock.contracts.backtest_params import BacktestParams  # noqa: TC001  (pydantic reads annotations)
from candlelock.contracts.errors import InputError, Problem, nearest
from candlelock.contracts.head_params import HEADS, HeadParams
from candlelock.contracts.select_params import SelectParams  # noqa: TC001  (pydantic reads annotations)
from candlelock.contracts.stage_params import Frozen, Name, RuleError, field
from candlelock.contracts.train_params import SETTINGS, TrainParams

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic_core import ErrorDetails

SECONDS = {"m": 60, "h": 3600, "d": 86400}


class Params(Frozen):
    """params.yaml."""

    seed: int = field("the one seed; each stage derives its own from it by name", "1", ge=0, lt=2**31)
    threads: int = field("threads of the tree learners; the bytes do not depend on it", "threads", ge=1)
    snapshot: sections.SnapshotParams = field("stage `snapshot`", "section")
    features: sections.FeaturesParams = field("stage `features`", "section")
    causality: sections.CausalityParams = field("stage `causality`", "section")
    controls: sections.ControlsParams = field("stage `controls`", "section")
    split: sections.SplitParams = field("stage `split`", "section")
    select: SelectParams = field("stage `select`", "section")
    tune: sections.TuneParams = field("stage `tune`", "section")
    train: TrainParams = field("stage `train`", "section")
    calibrate: sections.CalibrateParams = field("stage `calibrate`", "section")
    evaluate: sections.EvaluateParams = field("stage `evaluate`", "section")
    backtest: BacktestParams = field("stage `backtest`", "section")
    bench: sections.BenchParams = field("stage `bench`", "section")
    card: sections.CardParams = field("stage `card`", "section")
    heads: dict[Name, HeadParams] = field(
        "the questions, each with models and a card of its own", "section", min_length=1
    )

    @model_validator(mode="after")
    def _searches_are_possible(self) -> Self:
        for learner, space in self.tune.space.items():
            if learner not in SETTINGS:
                raise RuleError(("tune", "space", learner), f"a learner; {nearest(learner, list(SETTINGS))}")
            for key, limits in space.items():
                fault = _find_fault(learner, getattr(self.train, learner), key, limits)
                if fault:
                    raise RuleError(("tune", "space", learner, key), fault)
        return self

    @model_validator(mode="after")
    def _weights_name_members(self) -> Self:
        weights = self.calibrate.weights
        if weights is not None and set(weights) != set(self.train.members):
            raise RuleError(("calibrate", "weights"), f"a weight for each of {', '.join(self.train.members)}")
        return self

    @model_validator(mode="after")
    def _values_are_not_voted_on(self) -> Self:
        valued = [name for name, head in self.heads.items() if head.is_valued]
        if valued and self.calibrate.ensemble == "vote":
            raise RuleError(("calibrate", "ensemble"), f"stack or average: {valued[0]} asks for values, not for votes")
        return self

    @model_validator(mode="after")
    def _heads_name_symbols(self) -> Self:
        known = self.snapshot.symbols
        for name, head in self.heads.items():
            strange = [symbol for symbol in head.symbols or () if symbol not in known]
            if strange:
                raise RuleError(("heads", name, "symbols"), f"of snapshot.symbols; {nearest(strange[0], known)}")
        return self

    @model_validator(mode="after")
    def _blocks_hold_labels(self) -> Self:
        bar_hours, block_hours = bar_seconds(self.snapshot.timeframe) / 3600, self.evaluate.block_hours
        for name, head in self.heads.items():
            if head.horizon_bars * bar_hours > block_hours:
                raise RuleError(
                    ("heads", name, "horizon_bars"),
                    f"at most evaluate.block_hours ({block_hours}): {head.horizon_bars} bars are "
                    f"{head.horizon_bars * bar_hours:g} hours, and intervals from shorter blocks would be too narrow",
                )
        return self


def _find_fault(learner: str, settings: Frozen, key: str, limits: sections.SearchRange) -> str:
    """Why `key` of a learner's settings cannot be searched within `limits`; empty when it can."""
    start = getattr(settings, key, None)
    if start is None:
        return f"a key of train.{learner}; {nearest(key, list(type(settings).model_fields))}"
    if not isinstance(start, int | float):
        return f"a key with a number; that of {key} is {start}"
    if not limits.low <= start <= limits.high:
        return f"a range around the start, which is {start:g}"
    for end in (limits.low, limits.high):
        value = int(end) if isinstance(start, int) and end.is_integer() else end
        try:
            type(settings).model_validate({**settings.model_dump(), key: value})
        except ValidationError as error:
            return f"values the key itself allows; {value:g} is none: {error.errors()[0]['msg']}"
    return ""


def bar_seconds(timeframe: str) -> int:
    """Length of a bar in seconds; `timeframe` like 5m, 1h, 1d."""
    match = re.fullmatch(r"([1-9][0-9]*)([mhd])", timeframe)
    if match is None:
        raise ValueError(f"timeframe {timeframe!r} is not a number and m, h or d")
    return int(match[1]) * SECONDS[match[2]]


def parse_params(document: Mapping[str, Any], file: str, line_of: Callable[[tuple[Any, ...]], int]) -> Params:
    """Typed parameters of a parsed document. `line_of` gives the line of a key path.

    Raises InputError with every problem of the file.
    """
    try:
        return Params.model_validate(document)
    except ValidationError as error:
        raise InputError([_problem(detail, file, line_of) for detail in error.errors()]) from None


def parse_snapshot(
    document: Mapping[str, Any], file: str, line_of: Callable[[tuple[Any, ...]], int]
) -> sections.SnapshotParams:
    """The section `snapshot` alone, whatever the others hold. Raises InputError with every problem of it."""
    try:
        return sections.SnapshotParams.model_validate(document.get("snapshot"))
    except ValidationError as error:
        raise InputError([_problem(detail, file, line_of, ("snapshot",)) for detail in error.errors()]) from None


def _problem(
    detail: ErrorDetails, file: str, line_of: Callable[[tuple[Any, ...]], int], section: tuple[str, ...] = ()
) -> Problem:
    """`section`: the keys that lead to what was checked, which `detail` starts from."""
    rule = detail.get("ctx", {}).get("error")
    loc = (*section, *detail["loc"], *(rule.loc if isinstance(rule, RuleError) else ()))
    path = _path(loc, detail["type"])
    key = ".".join(str(part) for part in path) or "(the whole file)"
    place = f"{file}:{line_of(path)} {key}"
    if detail["type"] == "union_tag_invalid":
        kind = detail["input"]["kind"]
        expected = f"one of {detail['ctx']['expected_tags']}"
        return Problem("params-bad-value", place, repr(kind)[:80], expected, nearest(str(kind), list(HEADS)))
    if detail["type"] == "extra_forbidden":
        known = list(_model_at(loc[:-1]).model_fields)
        return Problem("params-unknown-key", place, repr(loc[-1]), "a known key", nearest(str(loc[-1]), known))
    if detail["type"] in ("missing", "union_tag_not_found"):
        return Problem("params-missing-key", place, "nothing", "a value", "add the key; docs/params.md explains it")
    if isinstance(detail["input"], date):
        help_line = "put quotes around it: dvc cannot take a bare date"
        return Problem("params-bad-value", place, f"{detail['input']} without quotes", "text", help_line)
    found = "a combination that cannot work" if rule else repr(detail["input"])[:80]
    help_line = "docs/params.md gives unit and limits of every key"
    if detail["type"] == "literal_error" and isinstance(detail["input"], str):
        help_line = nearest(detail["input"], re.findall(r"'([^']*)'", detail["ctx"]["expected"]))
    return Problem("params-bad-value", place, found, detail["msg"].removeprefix("Value error, "), help_line)


def _path(loc: tuple[int | str, ...], problem: str) -> tuple[int | str, ...]:
    """The key path in the file: pydantic puts a head's kind after its name, and leaves out the key `kind` itself."""
    if problem.startswith("union_tag"):
        return (*loc, "kind")
    return (*loc[:2], *loc[3:]) if loc[:1] == ("heads",) and len(loc) > 2 and loc[2] in HEADS else loc


def _model_at(loc: tuple[int | str, ...]) -> type[Frozen]:
    """The section model at a key path."""
    model: type[Frozen] = Params
    for part in loc:
        annotation = model.model_fields[str(part)].annotation if str(part) in model.model_fields else None
        if isinstance(annotation, type) and issubclass(annotation, Frozen):
            model = annotation
        elif part == "heads":
            return HEADS[str(loc[2])]
        elif annotation is not None:
            return sections.SearchRange
    return model
