"""What fills cost, as exact fractions, and the rules that decide fills, from the parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import TYPE_CHECKING

from candlelock.evaluate.fills import MOST_SLIPPAGE, Rates, Rules

if TYPE_CHECKING:
    from candlelock.contracts.backtest_params import BacktestParams

EXACT = Context(prec=50, rounding=ROUND_HALF_EVEN)
STEP = Decimal("1e-8")
FRAC_PER_BPS, HALF_FRAC_PER_BPS = Decimal("1e-4"), Decimal("5e-5")
POWERS = {"bps": 0.0, "half_spread": 0.0, "linear": 1.0, "square_root": 0.5}
MOST = Decimal(str(MOST_SLIPPAGE))


@dataclass(frozen=True)
class Costs:
    """Fees and slippage of one fill in [0, 1), carry of eight hours, as fractions.

    Slippage is `slippage_frac`, and where `power` is not 0 `impact_frac` × share of volume ** `power` on top.
    """

    fee_frac: Decimal
    slippage_frac: Decimal
    maker_frac: Decimal
    impact_frac: Decimal = Decimal(0)
    power: float = 0.0
    funding_frac: Decimal = Decimal(0)
    borrow_frac: Decimal = Decimal(0)

    @property
    def borrowed_frac(self) -> Decimal:
        """What a short pays."""
        return EXACT.subtract(self.borrow_frac, self.funding_frac)

    @property
    def has_carry(self) -> bool:
        """Whether time costs anything."""
        return bool(self.funding_frac or self.borrow_frac)

    def times(self, multiple: float) -> Costs:
        """Fees and slippage `multiple` times over; what time costs stays."""
        with localcontext(EXACT):
            by = Decimal(str(multiple))
            return replace(
                self,
                fee_frac=self.fee_frac * by,
                slippage_frac=self.slippage_frac * by,
                maker_frac=self.maker_frac * by,
                impact_frac=self.impact_frac * by,
            )

    def slip(self, quantity: Decimal, volume: float) -> Decimal:
        """Slippage of a fill of `quantity` where a bar's volume is `volume`, in the context EXACT."""
        if self.power == 0:
            return self.slippage_frac
        if volume <= 0:
            return MOST
        share = quantity / Decimal(volume)
        return min(self.slippage_frac + self.impact_frac * (share if self.power == 1 else share.sqrt()), MOST)


def costs_of(params: BacktestParams) -> Costs:
    """Costs as exact fractions; floats count as the decimals they print as."""
    slippage = params.slippage
    maker = params.fee_bps if params.maker_fee_bps is None else params.maker_fee_bps
    half_spread = exact_frac(slippage.spread_bps, HALF_FRAC_PER_BPS)
    power = POWERS[slippage.model]
    return Costs(
        fee_frac=exact_frac(params.fee_bps),
        slippage_frac=exact_frac(params.slippage_bps) if slippage.model == "bps" else half_spread,
        maker_frac=exact_frac(maker),
        impact_frac=exact_frac(slippage.impact_bps) if power else Decimal(0),
        power=power,
        funding_frac=exact_frac(params.carry.funding_bps),
        borrow_frac=exact_frac(params.carry.borrow_bps),
    )


def rates_of(costs: Costs) -> Rates:
    """The same in float64, for the compiled pass."""
    return Rates(
        taker_frac=float(costs.fee_frac),
        maker_frac=float(costs.maker_frac),
        fixed_frac=float(costs.slippage_frac),
        impact_frac=float(costs.impact_frac),
        power=costs.power,
        funding_frac=float(costs.funding_frac),
        borrow_frac=float(costs.borrow_frac),
    )


def rules_of(params: BacktestParams, horizon_bars: int) -> Rules:
    """What decides fills."""
    stop, target, risk = params.exit.stop_bps, params.exit.target_bps, params.risk
    return Rules(
        horizon_bars=horizon_bars,
        stop_frac=_or_none(stop, 1e4),
        target_frac=_or_none(target, 1e4),
        limit_frac=params.entry.limit_bps / 1e4 if params.entry.kind == "limit" else math.nan,
        gross_frac=risk.gross_frac,
        daily_loss_frac=_or_none(risk.daily_loss_frac),
        drawdown_frac=_or_none(risk.drawdown_frac),
    )


def reads_levels(rules: Rules) -> bool:
    """Whether high and low decide fills."""
    return not (math.isnan(rules.stop_frac) and math.isnan(rules.target_frac) and math.isnan(rules.limit_frac))


def _or_none(value: float | None, unit: float = 1.0) -> float:
    return math.nan if value is None else value / unit


def exact_frac(bps: float, frac: Decimal = FRAC_PER_BPS) -> Decimal:
    """Basis points, as the decimal they print as, as an exact fraction."""
    return EXACT.multiply(Decimal(str(bps)), frac)
