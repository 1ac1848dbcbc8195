"""What a card says of luck, with values that tests may change."""

from __future__ import annotations

from candlelock.contracts.documents import Interval
from candlelock.contracts.significance_documents import (
    BlockLength,
    MonthsAhead,
    Overfitting,
    PairedTest,
    ReturnIntervals,
    SharpeEvidence,
    Significance,
    SliceScore,
    Stability,
    SuperiorAbility,
)
from candlelock.contracts.trial_documents import TrialCount


def _interval(value: float, half: float) -> Interval:
    return Interval(value=value, low=value - half, high=value + half)


def _slice(name: str) -> SliceScore:
    leads = {"accuracy_lead_pp": 1.37, "log_loss_lead": 0.00271}
    scores = {"accuracy": 0.5719, "auc_roc": 0.5853, "log_loss": 0.67813}
    return SliceScore(name=name, n_rows=1_754, share_up=0.497, **scores, **leads)


SHARPE = SharpeEvidence(
    n_days=184,
    effective_days=171.6,
    daily_sharpe=0.1318,
    annual_sharpe=2.518,
    skewness=0.41,
    kurtosis=6.27,
    probability_of_skill=0.9931,
    trials=TrialCount(
        n_trials=37,
        n_search=30,
        n_experiments=7,
        n_with_sharpe=7,
        daily_sharpe_variance=0.0055,
        variance_from="sampling",
    ),
    expected_max=0.0402,
    expected_max_annual=0.768,
    deflated=0.9612,
    min_track_record_days=141.2,
    min_track_record_days_deflated=181.9,
    min_backtest_days=259.9,
)
RETURNS = ReturnIntervals(
    block_days=3,
    sharpe=_interval(2.518, 1.37),
    net_return_frac=_interval(0.0562, 0.081),
    max_drawdown_frac=_interval(0.0713, 0.0409),
)
LUCK = Significance(
    block_length=BlockLength(hours=31, label_hours=2.0, by_series={"brier of the model": 30.4}, n_blocks=142),
    interval_method="percentile circular block bootstrap, 1000 draws of 142 blocks of 31 h, all symbols together, 95%",
    metrics={"auc_roc": _interval(0.5902, 0.0133)},
    paired=[
        PairedTest(against="reversal", score="accuracy", gain=_interval(0.01931, 0.0061), p_value=0.0009),
        PairedTest(against="logistic", score="log_loss", gain=_interval(0.00186, 0.0021), p_value=0.0417),
    ],
    p_no_better={"accuracy": 0.0009, "log_loss": 0.0417},
    superior=[
        SuperiorAbility(
            loss="error_rate",
            benchmark="model",
            n_alternatives=6,
            best_alternative="logistic",
            gain=-0.0059,
            p_lower=0.511,
            p_consistent=0.8723,
            p_upper=0.9914,
            p_reality_check=0.9957,
        )
    ],
    sharpe=SHARPE,
    returns=RETURNS,
    overfitting={
        "lightgbm": Overfitting(
            n_trials=15,
            n_groups=3,
            n_splits=6,
            probability=0.1667,
            median_logit=0.61,
            degradation_slope=0.42,
            loss_frac=None,
        )
    },
    stability=Stability(
        by_month=[_slice("2019-04")],
        by_symbol=[_slice("BTC/USD")],
        by_volatility=[_slice("calm"), _slice("wild")],
        by_utc_hour=[_slice("00")],
        months_ahead=MonthsAhead(n_ahead=5, n_months=6, share=_interval(0.8333, 0.1), p_value=0.1094),
        lead_slope=_interval(-0.00021, 0.0004),
    ),
)
