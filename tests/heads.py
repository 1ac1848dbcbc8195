"""Heads of each kind, with values that tests may change."""

from __future__ import annotations

from typing import Literal

from candlelock.contracts.head_params import (
    DirectionParams,
    FutureReturnParams,
    FutureVolatilityParams,
    TripleBarrierParams,
)


def direction(
    horizon_bars: int,
    dead_zone_sigmas: float = 0.0,
    volatility_bars: int = 96,
    learns: Literal["end", "path"] = "end",
) -> DirectionParams:
    """Whether the close is higher a horizon later."""
    return DirectionParams(
        symbols=None,
        kind="direction",
        horizon_bars=horizon_bars,
        dead_zone_sigmas=dead_zone_sigmas,
        learns=learns,
        volatility_bars=volatility_bars,
    )


def triple_barrier(
    horizon_bars: int, take_profit_sigmas: float = 1.0, stop_loss_sigmas: float = 1.0, volatility_bars: int = 20
) -> TripleBarrierParams:
    """Which of two barriers is touched first."""
    return TripleBarrierParams(
        symbols=None,
        kind="triple_barrier",
        horizon_bars=horizon_bars,
        take_profit_sigmas=take_profit_sigmas,
        stop_loss_sigmas=stop_loss_sigmas,
        volatility_bars=volatility_bars,
    )


def future_return(horizon_bars: int, volatility_bars: int = 20) -> FutureReturnParams:
    """How far the close is from this one a horizon later."""
    return FutureReturnParams(
        symbols=None, kind="future_return", horizon_bars=horizon_bars, volatility_bars=volatility_bars
    )


def future_volatility(horizon_bars: int, volatility_bars: int = 20) -> FutureVolatilityParams:
    """How lively the horizon will be."""
    return FutureVolatilityParams(
        symbols=None, kind="future_volatility", horizon_bars=horizon_bars, volatility_bars=volatility_bars
    )
