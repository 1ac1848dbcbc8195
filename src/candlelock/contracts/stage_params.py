"""One frozen model per section of params.yaml. No defaults here: the file itself is the only place with values.

Every field says its unit and meaning; the text is also the generated reference `docs/params.md`.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Symbol = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]+/[A-Z0-9]+$")]
Timeframe = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*[mhd]$")]
FeatureGroup = Literal[
    "returns",
    "volume",
    "momentum",
    "oscillators",
    "trend",
    "volatility",
    "patterns",
    "time",
    "cross_asset",
    "relative",
    "statistical",
    "microstructure",
    "taker",
    "order_book",
    "timeframes",
    "venues",
]
PLUGIN_NAME = r"^[a-z][a-z0-9_]*\.py$"
PluginFile = Annotated[str, StringConstraints(pattern=PLUGIN_NAME)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Sampler = Literal["tpe", "hyperopt"]
SearchMetric = Literal["log_loss", "brier", "auc", "accuracy", "f1", "precision", "recall"]
ValueMetric = Literal["rmse", "mae"]


def _require_instant(text: str) -> str:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?Z)?", text):
        raise ValueError("a UTC time like 2025-01-01 or 2025-01-01T12:00Z")
    if not 2009 <= datetime.fromisoformat(text.replace("Z", "+00:00")).year < 2100:  # ValueError for 31 February
        raise ValueError("a time from 2009 to 2099")
    return text


def _require_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.port == 0:
        raise ValueError("an address like https://host or http://host:port")
    return text


UtcDay = Annotated[str, AfterValidator(_require_instant)]
Address = Annotated[str, AfterValidator(_require_address)]


def field(meaning: str, unit: str, **limits: Any) -> Any:  # noqa: ANN401
    """A parameter with its meaning, its unit and its limits."""
    return Field(description=meaning, json_schema_extra={"unit": unit}, **limits)


class Frozen(BaseModel):
    """Base of every parameter section: immutable, unknown keys refused, no coercion from text, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class RuleError(ValueError):
    """A rule across keys is broken; `loc` leads from the model that holds the rule to the key at fault."""

    def __init__(self, loc: tuple[str | int, ...], text: str) -> None:
        super().__init__(text)
        self.loc = loc


class FilesParams(Frozen):
    """Candle files of one's own; read when `snapshot.source` is `files`."""

    path: str = field(
        "folder with one parquet, feather or CSV file per symbol", "path from the project's root", min_length=1
    )


class ExchangeParams(Frozen):
    """An exchange, asked through ccxt; read when `snapshot.source` is `exchange`."""

    name: str = field("exchange, as ccxt names it", "ccxt id", pattern=r"^[a-z0-9_]+$")
    base_url: Address | None = field(
        "another address to send all requests to, such as an `exchange-sim`; null: the exchange's own",
        "http(s)://host[:port]",
    )
    start: UtcDay | None = field("first bar, by its open time; null: `days` before the end", "UTC time")
    end: UtcDay | None = field(
        "bars open before this time; null: the last bar closed by the exchange's clock", "UTC time"
    )
    days: int | None = field("length of the range when `start` is null", "days", ge=1, le=36_500)
    n_readings: int = field(
        "how often every candle is asked for; the second time in other pages, and compared",
        "readings",
        ge=1,
        le=2,
    )

    @model_validator(mode="after")
    def _range_is_clear(self) -> Self:
        if (self.start is None) == (self.days is None):
            raise RuleError(("days",), "either `start` or `days`, and the other one null")
        return self


class QualityParams(Frozen):
    """What is reported of each symbol's candles, and what is refused. Broken candles are refused in any case."""

    max_missing_frac: float = field(
        "share of missing bars between first and last candle, or in the range asked of an exchange; with more the "
        "symbol is refused",
        "fraction",
        ge=0,
        le=1,
    )
    max_zero_volume_frac: float = field(
        "share of candles without volume; with more the symbol is refused", "fraction", ge=0, le=1
    )
    frozen_bars: int = field(
        "bars in a row whose prices all are the close before them: so many or more are reported", "bars", ge=2
    )
    outlier_mads: float = field(
        "size of a one-bar log return that is reported, or more", "median absolute returns of bars that moved", gt=0
    )


class SnapshotParams(Frozen):
    """Where candles come from and which are taken."""

    source: Literal["sample", "files", "exchange"] = field(
        "the built-in sample, a folder of candle files, or an exchange", "sample | files | exchange"
    )
    timeframe: Timeframe = field("length of one bar", "minutes (m), hours (h) or days (d)")
    symbols: list[Symbol] = field("symbols to take, in any order", "BASE/QUOTE", min_length=1)
    min_rows: int = field("fewest candles a symbol may have", "candles", ge=1)
    files: FilesParams = field("settings of the source `files`", "section")
    exchange: ExchangeParams = field("settings of the source `exchange`", "section")
    quality: QualityParams = field("the quality report", "section")

    @model_validator(mode="after")
    def _symbols_are_unique(self) -> Self:
        if len(set(self.symbols)) < len(self.symbols):
            raise RuleError(("symbols",), f"each symbol once, not {self.symbols}")
        return self


def plugin_group(file: str) -> str:
    """The group of a plug-in's features: my_features for my_features.py."""
    return file.removesuffix(".py")


class FeaturesParams(Frozen):
    """Which features are computed: groups of the library, and files of one's own."""

    groups: list[FeatureGroup] = field("groups of features.yml to compute", "group names", min_length=1)
    exclude: list[Name] = field("features of these groups and plug-ins to leave out", "feature names")
    plugins: list[PluginFile] = field(
        "features of your own: files of the folder plugins, each beside its registry (docs/plugins.md)", "file names"
    )
    symbol_columns: bool = field(
        "one column more for each symbol of the snapshot, `is_<symbol>`: 1 in its rows, 0 in all others", "true | false"
    )

    @model_validator(mode="after")
    def _plugins_stand_apart(self) -> Self:
        if len(set(self.plugins)) < len(self.plugins):
            raise RuleError(("plugins",), f"each file once, not {self.plugins}")
        taken = [name for name in self.plugins if plugin_group(name) in get_args(FeatureGroup)]
        if taken:
            raise RuleError(("plugins",), f"other file names than {taken}: a plug-in is a group of its own")
        return self


class CausalityParams(Frozen):
    """How much of the candles the causality certificate tries every feature on."""

    n_cuts: int = field("times up to which all features are built from the past alone", "cuts", ge=4)
    n_futures: int = field("of these, times after which all candles are replaced by other ones", "cuts", ge=1)
    n_replay_rows: int = field("consecutive bars at which every feature is built from its warm-up alone", "bars", ge=10)
    min_replay_rows: int = field("the same where the budget is exceeded", "bars", ge=10)
    max_replay_values: int = field(
        "budget of the replay: bars of warm-ups times symbols times features", "values", ge=1_000_000
    )
    n_gap_rows: int = field("bars, after gaps and others, built from their warm-up after drawn candles", "bars", ge=10)
    n_live_bars: int = field("bars past the longest warm-up that a stream is fed", "bars", ge=10)
    n_unfinished_bars: int = field("higher bars whose candles are replaced before they close", "bars", ge=10)
    max_values: int = field(
        "bars times symbols times features examined at most; the latest bars are taken", "values", ge=1_000_000
    )


class ControlsParams(Frozen):
    """How large the markets are on which the flow has to find nothing, or what was planted."""

    n_bars: int = field("hourly bars of each symbol of a control", "bars", ge=2000)


class SplitParams(Frozen):
    """How time is cut into train, calibrate, decide and test; train gets the rest.

    Rows with a move are those whose return over the horizon is known and not zero, whatever their label.
    """

    calibrate_frac: Fraction = field("share of the rows with a move that chooses the calibrator", "fraction of rows")
    decide_frac: Fraction = field("share of the rows with a move that chooses the threshold", "fraction of rows")
    test_frac: Fraction = field("share of the rows with a move that is kept for the one final look", "fraction of rows")
    min_history_bars: int = field("bars since a symbol's first candle before its rows are used", "bars", ge=0)
    embargo_bars: int = field("bars kept free before each later segment, beyond the purge of label ends", "bars", ge=0)
    n_folds: int = field("walk-forward folds inside train", "folds", ge=2, le=20)

    @model_validator(mode="after")
    def _train_keeps_rows(self) -> Self:
        later = self.calibrate_frac + self.decide_frac + self.test_frac
        if later >= 0.9:
            raise ValueError(
                f"calibrate_frac + decide_frac + test_frac is {later:g}: below 0.9 is needed to leave a train segment"
            )
        return self


class SearchRange(Frozen):
    """Values one key may take in the search: `low` to `high`, ends included."""

    low: float = field("smallest value", "as the key")
    high: float = field("largest value", "as the key")
    log: bool = field("search the logarithm", "true | false")

    @model_validator(mode="after")
    def _low_is_below_high(self) -> Self:
        if self.low >= self.high or (self.log and self.low <= 0):
            raise ValueError(f"low {self.low:g} must lie below high {self.high:g}, and above 0 with log")
        return self


class TuneParams(Frozen):
    """The search for better settings on the train folds."""

    n_trials: int = field("trials per learner; the first is the starting point itself", "trials", ge=1)
    sampler: Sampler = field(
        "what draws the values of a trial: Optuna's TPE, or that of hyperopt, whose package is optional",
        "tpe | hyperopt",
    )
    metric: SearchMetric = field(
        "what a trial is judged by", "log_loss | brier | auc | accuracy | f1 | precision | recall"
    )
    value_metric: ValueMetric = field("what a trial of a head of values is judged by", "rmse | mae")
    screen_frac: float = field(
        "share of a fold's training rows that trials see, in whole blocks of time; 1: all",
        "fraction of rows",
        gt=0,
        le=1,
    )
    n_rerun: int = field(
        "best trials on fewer rows that are rerun on all, beside the starting point; one of these wins", "trials", ge=1
    )
    n_path_groups: int | None = field(
        "stretches of train; on every two of them models of eight trials and the best one are judged, trained on the "
        "others, to tell how likely the search is overfitted; null: none",
        "stretches of time",
        ge=3,
        le=12,
    )
    timeout_s: float | None = field(
        "time after which no further trial of a learner begins; null: none. What it ends is not repeatable",
        "seconds",
        gt=0,
    )
    space: dict[Name, dict[Name, SearchRange]] = field(
        "learner -> keys of its section in `train` to search; only that of members is searched", "section"
    )

    def spaces(self, members: Sequence[str]) -> dict[str, dict[str, SearchRange]]:
        """The spaces of those of the members that have one, in the members' order."""
        return {name: self.space[name] for name in members if name in self.space}

    def screens(self, space: Mapping[str, SearchRange]) -> bool:
        """Whether the trials of a learner with that space see a share of the rows; not where nearly all are rerun."""
        return bool(space) and self.screen_frac < 1 and self.n_trials > self.n_rerun + 1

    def walks_paths(self, space: Mapping[str, SearchRange]) -> bool:
        """Whether the trials of a learner with that space are judged along paths; a single one is not."""
        return bool(space) and self.n_path_groups is not None and self.n_trials > 1

    def path_groups(self, members: Sequence[str]) -> int | None:
        """`n_path_groups` where the trials of any of the members are judged along paths."""
        is_walked = any(self.walks_paths(space) for space in self.spaces(members).values())
        return self.n_path_groups if is_walked else None


class CalibrateParams(Frozen):
    """Ensemble, calibrator, conformal sets and threshold."""

    ensemble: Literal["stack", "average", "vote"] = field(
        "how members become one probability, or one value; used only where it beats each on the calibrate segment",
        "stack | average | vote",
    )
    weights: dict[Name, Annotated[float, Field(ge=0)]] | None = field(
        "weights of the average, by member; null: fitted on out-of-fold rows", "1"
    )
    stack_l2: float = field("L2 penalty of the stack, towards the even average", "1", gt=0)
    methods: list[Literal["identity", "temperature", "platt", "beta", "isotonic", "venn_abers"]] = field(
        "calibrators to choose from, simplest first; a later one has to win by more than noise",
        "method names",
        min_length=1,
    )
    miscoverage_frac: Fraction = field("share of rows whose direction a conformal set may miss", "fraction")
    adaptation: float = field(
        "step by which the miscoverage asked for moves as labels become known; 0: split conformal", "1", ge=0, lt=1
    )
    abstain: bool = field("no signal but where the conformal set is up alone", "true | false")
    threshold_goal: Literal["profit", "sharpe"] = field(
        "what a threshold is chosen for, after costs, on the decide segment", "profit | sharpe"
    )
    min_trades: int = field("fewest trades on the decide segment a threshold must give", "trades", ge=1)
    n_bootstrap: int = field("draws of days for the interval of the threshold", "draws", ge=100)

    @model_validator(mode="after")
    def _weights_weigh(self) -> Self:
        if self.weights is not None and (self.ensemble != "average" or not sum(self.weights.values()) > 0):
            raise RuleError(("weights",), "null, or weights that sum to more than 0, for the ensemble `average`")
        return self


class EvaluateParams(Frozen):
    """Metrics and their intervals."""

    n_bootstrap: int = field("replicates of the block bootstrap", "replicates", ge=100)
    block_hours: int = field("length of a bootstrap block, all symbols together", "hours", ge=1, le=168)
    confidence: Fraction = field("coverage of the intervals", "fraction")
    n_calibration_bins: int = field("equal-width bins of the ECE and the reliability curve", "bins", ge=2)


class BenchParams(Frozen):
    """The latency measurement."""

    n_rows: int = field("single rows to time", "rows", ge=100)
    n_warmup_rows: int = field("rows answered before the clock starts", "rows", ge=0)


class CardParams(Frozen):
    """What the card says of itself."""

    model_name: Name = field("name of the model", "lower_case_name")
    notes: str = field("free words for the card", "text")
