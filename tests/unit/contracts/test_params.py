"""params.yaml: the real one parses, and every way to get it wrong is one clear problem that names its line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from candlelock.artifacts.user_files import read_params
from candlelock.contracts.errors import EXIT_BAD_INPUT, InputError
from candlelock.contracts.params import bar_seconds
from tests.heads import triple_barrier

if TYPE_CHECKING:
    from candlelock.contracts.errors import Problem

ROOT = Path(__file__).resolve().parents[3]
REAL = (ROOT / "params.yaml").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Mistake:
    """One edit of params.yaml, and what has to be said of it. `line` is a piece of the line it has to be said of."""

    pattern: str
    new: str
    line: str
    key: str
    found: str
    expected: str
    help: str = "docs/params.md"
    code: str = "params-bad-value"


BARRIERS = r"    kind: direction(.*\n)+"


def barriers(**changed: float) -> str:
    """A head of triple barriers in the file, one key a line."""
    widths = {"take_profit_sigmas": 1.0, "stop_loss_sigmas": 1.5, "volatility_bars": 96}
    keys = {"kind": "triple_barrier", "symbols": "null", "horizon_bars": 8, **widths, **changed}
    return "".join(f"    {key}: {value}\n" for key, value in keys.items())


# fmt: off
MISTAKES = {
    "unknown key at the top": Mistake(
        r"^seed:", "sead: 42\nseed:", "sead: 42", "sead", "'sead'", "a known key", "'seed'", "params-unknown-key"
    ),
    "unknown key in a section": Mistake(
        "min_rows:", "min_rowz: 5\n  min_rows:", "min_rowz", "snapshot.min_rowz", "'min_rowz'", "a known key",
        "'min_rows'", "params-unknown-key",
    ),
    "unknown key of a learner": Mistake(
        "num_leaves:", "num_leafs: 3\n    num_leaves:", "num_leafs", "train.lightgbm.num_leafs", "'num_leafs'",
        "a known key", "'num_leaves'", "params-unknown-key",
    ),
    "unknown key of a head": Mistake(
        "horizon_bars:", "horizon: 4\n    horizon_bars:", "horizon: 4", "heads.direction.horizon", "'horizon'",
        "a known key", "'horizon_bars'", "params-unknown-key",
    ),
    "unknown key of a search range": Mistake(
        r"min_data_in_leaf: {", "min_data_in_leaf: {lowest: 1, ", "lowest",
        "tune.space.lightgbm.min_data_in_leaf.lowest", "'lowest'", "a known key", "'low'", "params-unknown-key",
    ),
    "missing key": Mistake(
        r"  timeframe: .*", "", "snapshot:", "snapshot.timeframe", "nothing", "a value", "add the key",
        "params-missing-key",
    ),
    "missing section": Mistake(r"^bench:(\n  .*)+", "", "# Everything", "bench", "nothing", "a value", "add the key",
        "params-missing-key"),
    "text for a number": Mistake(r"horizon_bars: \d+", 'horizon_bars: "4"', "horizon_bars",
        "heads.direction.horizon_bars", "'4'", "a valid integer"),
    "true for a number": Mistake(r"n_trials: \d+", "n_trials: true", "n_trials", "tune.n_trials", "True",
        "valid integer"),
    "number for text": Mistake(r"model_name: \w+", "model_name: 7", "model_name: 7", "card.model_name", "7",
        "valid string"),
    "fraction for a count": Mistake(r"threads: \d+", "threads: 2.5", "threads", "threads", "2.5", "valid integer"),
    "mapping for a number": Mistake(r"^seed: \d+", "seed: {a: 1}", "seed", "seed", "{'a': 1}", "valid integer"),
    "nothing for a number": Mistake(r"^seed: \d+", "seed:", "seed:", "seed", "None", "valid integer"),
    "too small": Mistake(r"n_folds: \d+", "n_folds: 1", "n_folds", "split.n_folds", "1", "greater than or equal to 2"),
    "too large": Mistake(r"fee_bps: [\d.]+", "fee_bps: 10000.0", "fee_bps", "backtest.fee_bps", "10000.0", "less than"),
    "zero where it may not be": Mistake(r"test_frac: [\d.]+", "test_frac: 0", "test_frac", "split.test_frac", "0",
        "greater than 0"),
    "NaN": Mistake(r"weight_decay: \S+", "weight_decay: .nan", ".nan", "train.mlp.weight_decay", "nan", "finite"),
    "infinity": Mistake(r"fee_bps: [\d.]+", "fee_bps: -.inf", "-.inf", "backtest.fee_bps", "-inf", "finite"),
    "infinity in a list": Mistake(r"cost_multiples: .*", "cost_multiples: [0.0, .inf]", ".inf",
        "backtest.cost_multiples.1", "inf", "finite"),
    "no symbols": Mistake(r"symbols: .*", "symbols: []", "symbols", "snapshot.symbols", "[]", "at least 1"),
    "a symbol that is none": Mistake(r"symbols: .*", "symbols: [btcusd]", "btcusd", "snapshot.symbols.0", "'btcusd'",
        "match"),
    "a symbol twice": Mistake(r"symbols: .*", "symbols: [A/USD, B/USD, A/USD]", "symbols", "snapshot.symbols",
        "combination", "each symbol once"),
    "a timeframe that is none": Mistake(r"timeframe: \w+", "timeframe: 30 min", "30 min", "snapshot.timeframe",
        "'30 min'", "match"),
    "a feature group that is none": Mistake(r"groups: \[.*\]", "groups: [returns, volumes]", "volumes",
        "features.groups.1", "'volumes'", "'volume'", "did you mean 'volume'?"),
    "a metric that is none": Mistake(r"metric: \w+", "metric: logloss", "logloss", "tune.metric", "'logloss'",
        "'log_loss', 'brier'", "did you mean 'log_loss'?"),
    "no time for a trial": Mistake(r"timeout_s: null", "timeout_s: 0", "timeout_s", "tune.timeout_s", "0",
        "greater than 0"),
    "a head's name with a space": Mistake(r"^  direction:", "  my head:", "my head", "heads.my head", "'my head'",
        "match"),
    "no heads": Mistake(r"^heads:.*(\n  .*)+", "heads: {}", "heads: {}", "heads", "{}", "at least 1"),
    "fractions that leave no train": Mistake(r"test_frac: [\d.]+", "test_frac: 0.85", "split:", "split", "combination",
        "below 0.9"),
    "a horizon longer than the bootstrap block": Mistake(r"horizon_bars: \d+", "horizon_bars: 99999", "horizon_bars",
        "heads.direction.horizon_bars", "combination", "at most evaluate.block_hours"),
    "a kind of head that is none": Mistake("kind: direction", "kind: directions", "kind: directions",
        "heads.direction.kind", "'directions'",
        "one of 'direction', 'triple_barrier', 'future_return', 'future_volatility'", "did you mean 'direction'?"),
    "a kind that is no text": Mistake("kind: direction", "kind: 5", "kind: 5", "heads.direction.kind", "5",
        "one of 'direction', 'triple_barrier', 'future_return', 'future_volatility'",
        "known: direction, future_return, future_volatility, triple_barrier"),
    "a head without a kind": Mistake(r"    kind: direction.*\n", "", "  direction:", "heads.direction.kind", "nothing",
        "a value", "add the key", "params-missing-key"),
    "a head that is none": Mistake(r"  direction:\n(    .*\n)+", "  direction: 4\n", "direction: 4",
        "heads.direction", "4", "valid dictionary"),
    "no bars ahead": Mistake(r"horizon_bars: \d+", "horizon_bars: 0", "horizon_bars", "heads.direction.horizon_bars",
        "0", "greater than or equal to 1"),
    "a head of a symbol that is not in the snapshot": Mistake("    symbols: null", "    symbols: [BTC/USD, ETC/USD]",
        "[BTC/USD, ETC/USD]", "heads.direction.symbols", "combination", "of snapshot.symbols; did you mean 'LTC/USD'?"),
    "a head of no symbols": Mistake("    symbols: null", "    symbols: []", "    symbols: []",
        "heads.direction.symbols", "combination", "at least one symbol, each once"),
    "a head of a symbol twice": Mistake("    symbols: null", "    symbols: [BTC/USD, BTC/USD]", "[BTC/USD, BTC/USD]",
        "heads.direction.symbols", "combination", "at least one symbol, each once"),
    "a dead zone below nothing": Mistake(r"dead_zone_sigmas: [\d.]+", "dead_zone_sigmas: -0.5", "dead_zone_sigmas",
        "heads.direction.dead_zone_sigmas", "-0.5", "greater than or equal to 0"),
    "volatility of a single bar": Mistake(r"volatility_bars: \d+", "volatility_bars: 1", "volatility_bars",
        "heads.direction.volatility_bars", "1", "greater than or equal to 2"),
    "a key of another kind of head": Mistake("dead_zone_sigmas: ", "stop_loss_sigmas: 1.0\n    dead_zone_sigmas: ",
        "stop_loss_sigmas", "heads.direction.stop_loss_sigmas", "'stop_loss_sigmas'", "a known key",
        "did you mean 'dead_zone_sigmas'?", "params-unknown-key"),
    "barriers without a width": Mistake(BARRIERS, barriers(stop_loss_sigmas=0.0), "stop_loss_sigmas",
        "heads.direction.stop_loss_sigmas", "0.0", "greater than 0"),
    "barriers and a key misspelt": Mistake(BARRIERS, barriers(take_profit_sigma=1.0), "take_profit_sigma:",
        "heads.direction.take_profit_sigma", "'take_profit_sigma'", "a known key",
        "did you mean 'take_profit_sigmas'?", "params-unknown-key"),
    "barriers longer than the bootstrap block": Mistake(BARRIERS, barriers(horizon_bars=99999), "horizon_bars",
        "heads.direction.horizon_bars", "combination", "at most evaluate.block_hours"),
    "a search of an unknown key": Mistake("lambda_l2: {", "lamda_l2: {", "lamda_l2", "tune.space.lightgbm.lamda_l2",
        "combination", "a key of train.lightgbm; did you mean 'lambda_l2'?"),
    "a member that is no learner": Mistake(r"members: \[.*\]", "members: [lightgbm, random_forrest]", "random_forrest",
        "train.members.1", "combination", "a learner; did you mean 'random_forest'?"),
    "a member twice": Mistake(r"members: \[.*\]", "members: [mlp, mlp]", "mlp, mlp", "train.members", "combination",
        "each learner once"),
    "no members": Mistake(r"members: \[.*\]", "members: []", "members", "train.members", "[]", "at least 1"),
    "a search of an unknown learner": Mistake("    lightgbm:\n      min_data", "    lightgmb:\n      min_data",
        "lightgmb", "tune.space.lightgmb", "combination", "a learner; did you mean 'lightgbm'?"),
    "a search of what is no number": Mistake("    lightgbm:\n      min_data_in_leaf", "    mlp:\n      hidden",
        "hidden: {", "tune.space.mlp.hidden", "combination", "a key with a number"),
    "a device that is none": Mistake(r"device: \w+", "device: gpu", "device: gpu", "train.device", "'gpu'", "'cuda'",
        help="did you mean 'cpu'?"),
    "a search that leaves out the start": Mistake(r"max_depth: {low: [\d.]+, high: [\d.]+",
        "max_depth: {low: 1, high: 2", "low: 1, high: 2", "tune.space.xgboost.max_depth",
        "combination", "a range around the start, which is"),
    "a search the wrong way round": Mistake(r"max_depth: {low: [\d.]+, high: [\d.]+", "max_depth: {low: 7, high: 3",
        "low: 7, high: 3", "tune.space.xgboost.max_depth", "combination", "low 7 must lie below high 3"),
    "a logarithmic search from zero": Mistake(r"lambda_l2: {low: [\d.]+", "lambda_l2: {low: 0.0", "low: 0.0",
        "tune.space.lightgbm.lambda_l2", "combination", "above 0 with log"),
    "a search beyond the key's own limit": Mistake(r"(feature_fraction: {low: [\d.]+, high: )[\d.]+", r"\g<1>1.5",
        "high: 1.5", "tune.space.lightgbm.feature_fraction", "combination",
        "1.5 is none: Input should be less than or equal to 1"),
    "a date without quotes": Mistake("start: null", "start: 2025-01-01", "start: 2025", "snapshot.exchange.start",
        "2025-01-01 without quotes", "text", help="put quotes around it"),
    "a search of half levels": Mistake(r"max_depth: {low: [\d.]+", "max_depth: {low: 1.5", "low: 1.5",
        "tune.space.xgboost.max_depth", "combination", "1.5 is none: Input should be a valid integer"),
    "weights for a stack": Mistake("weights: null", "weights: {lightgbm: 1.0, xgboost: 0.9, mlp: 0.8}", "weights: {",
        "calibrate.weights", "combination", "for the ensemble `average`"),
    "weights of nothing": Mistake("ensemble: stack(.*)\n  weights: null", "ensemble: average\n  weights: "
        "{lightgbm: 0.0, xgboost: 0.0, mlp: 0.0}", "weights: {", "calibrate.weights", "combination", "more than 0"),
    "weights for other members": Mistake("ensemble: stack(.*)\n  weights: null", "ensemble: average\n  weights: "
        "{lightgbm: 1.0, catboost: 1.0}", "weights: {", "calibrate.weights", "combination",
        "a weight for each of lightgbm, xgboost, mlp"),
    "weights without one of the members": Mistake(r"(?s)members: \[.*?\](.*ensemble: )stack([^\n]*)\n  weights: null",
        r"members: [lightgbm, svm]\1average\2\n  weights: {lightgbm: 1.0, mlp: 1.0}", "weights: {lightgbm",
        "calibrate.weights", "combination", "a weight for each of lightgbm, svm"),
}
# fmt: on


def edit(pattern: str, new: str, text: str = REAL) -> str:
    """`text` with the first place that matches changed."""
    edited, n_places = re.subn(pattern, new, text, count=1, flags=re.MULTILINE)
    assert n_places == 1
    return edited


def problems_of(folder: Path, text: str | bytes) -> list[Problem]:
    (folder / "params.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InputError) as caught:
        read_params(folder)
    assert caught.value.exit_code == EXIT_BAD_INPUT
    for problem in caught.value.problems:
        assert all(vars(problem).values()), problem
    return list(caught.value.problems)


def test_the_real_file_parses_to_what_it_says() -> None:
    params = read_params(ROOT, "direction")
    assert params.model_dump(mode="json") == YAML(typ="safe").load(REAL)
    with pytest.raises(ValidationError, match="frozen"):
        params.seed = 1  # type: ignore[misc]


def test_a_head_of_triple_barriers_parses_to_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(edit(BARRIERS, barriers()))
    head = read_params(tmp_path, "direction").heads["direction"]
    assert head == triple_barrier(8, 1.0, 1.5, volatility_bars=96)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_problem_that_says_where_what_and_how_to_mend_it(name: str, tmp_path: Path) -> None:
    mistake = MISTAKES[name]
    text = edit(mistake.pattern, mistake.new)
    (problem,) = problems_of(tmp_path, text)
    lines = [number for number, line in enumerate(text.splitlines(), 1) if mistake.line in line]
    assert problem.code == mistake.code
    place, _, key = problem.place.removeprefix(f"{tmp_path}/params.yaml:").partition(" ")
    assert key.startswith(mistake.key)
    assert int(place) in lines
    assert mistake.found in problem.found
    assert mistake.expected in problem.expected
    assert mistake.help in problem.help


def test_all_problems_of_the_file_come_at_once(tmp_path: Path) -> None:
    text = edit(r"^seed: \d+", "seed: -1", edit(r"n_folds: \d+", "n_folds: many", edit("min_rows:", "rows:")))
    places = {re.sub(r"^.*params\.yaml:", "", problem.place) for problem in problems_of(tmp_path, text)}
    lines = {line.split(":")[0].strip(): number for number, line in enumerate(text.splitlines(), 1)}
    assert places == {
        f"{lines['seed']} seed",
        f"{lines['n_folds']} split.n_folds",
        f"{lines['rows']} snapshot.rows",
        f"{lines['snapshot']} snapshot.min_rows",
    }


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("seed: 1\nthreads: 2\nseed: 1\n", "yaml-duplicate-key", "params.yaml:3"),
        ("", "yaml-no-mapping", "params.yaml"),
        ("# nothing but a comment\n", "yaml-no-mapping", "params.yaml"),
        ("- seed\n", "yaml-no-mapping", "params.yaml"),
        ("seed\n", "yaml-no-mapping", "params.yaml"),
        ("seed: [1,\n", "yaml-syntax", "params.yaml:2"),
        (b"notes: \xff\n", "yaml-syntax", "params.yaml"),
        ("a: \x00\n", "yaml-syntax", "params.yaml"),
        ("seed: 1\n---\nseed: 2\n", "yaml-syntax", "params.yaml:2"),
        ("seed: " + "[" * 600, "yaml-syntax", "params.yaml:1"),
        ("seed: " + "[" * 200_000 + "]" * 200_000, "yaml-syntax", "params.yaml:1"),
    ],
    ids=[
        "duplicate",
        "empty",
        "comment",
        "list",
        "scalar",
        "unclosed",
        "not UTF-8",
        "NUL",
        "two documents",
        "deep",
        "deep, closed",
    ],
)
def test_a_file_that_is_no_mapping_of_keys(text: str | bytes, code: str, place: str, tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, text)
    assert (problem.code, problem.place) == (code, f"{tmp_path}/{place}")


def test_no_file_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_params(tmp_path)
    assert [(p.code, p.help) for p in caught.value.problems] == [("yaml-missing", "run from the project's root")]


def test_an_unknown_head_names_the_nearest_and_where_heads_are(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(REAL)
    with pytest.raises(InputError) as caught:
        read_params(tmp_path, "directoin")
    (problem,) = caught.value.problems
    line = 1 + REAL.splitlines().index(next(line for line in REAL.splitlines() if line.startswith("heads:")))
    assert problem.place == f"{tmp_path}/params.yaml:{line} heads"
    assert (problem.code, problem.found, problem.help) == ("head-unknown", "'directoin'", "did you mean 'direction'?")


@pytest.mark.parametrize(("timeframe", "seconds"), [("1m", 60), ("30m", 1800), ("4h", 14_400), ("1d", 86_400)])
def test_a_bar_has_so_many_seconds(timeframe: str, seconds: int) -> None:
    assert bar_seconds(timeframe) == seconds


@pytest.mark.parametrize("timeframe", ["", "m", "0m", "01h", "1w", "1M", "1h\n", "-1h", "1.5h", "١h"])
def test_what_is_no_timeframe_is_refused(timeframe: str) -> None:
    with pytest.raises(ValueError, match="timeframe"):
        bar_seconds(timeframe)
