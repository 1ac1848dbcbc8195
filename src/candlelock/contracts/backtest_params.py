"""The section `backtest` of params.yaml: what is traded, at what costs, in what size and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from candlelock.contracts.stage_params import Fraction, Frozen, RuleError, field

if TYPE_CHECKING:
    from candlelock.contracts.head_params import HeadParams

SlippageModel = Literal["bps", "half_spread", "linear", "square_root"]
SizingKind = Literal["fixed", "volatility", "kelly"]


class EntryParams(Frozen):
    """How a signal is filled at the bar after it."""

    kind: Literal["market", "limit"] = field("at the next open, or at a limit within the next bar", "market | limit")
    limit_bps: float = field(
        "limit: how far below the signal's close it stands, above it for a short", "basis points", ge=0, lt=10_000
    )


class ExitParams(Frozen):
    """What ends a position before its time; the time itself is the head's horizon."""

    stop_bps: float | None = field(
        "loss from the entry price that ends it; null: none", "basis points", gt=0, lt=10_000
    )
    target_bps: float | None = field(
        "gain on the entry price that ends it, at a limit; null: none", "basis points", gt=0, lt=10_000
    )


class SlippageParams(Frozen):
    """How much worse than the printed price a fill is that takes what is offered; a fill at a limit has none."""

    model: SlippageModel = field(
        "bps: slippage_bps; half_spread: half of spread_bps; linear and square_root: the same, and impact_bps times "
        "the order's share of a bar's volume, or times the square root of that share",
        "bps | half_spread | linear | square_root",
    )
    spread_bps: float = field("between bid and ask; not read by `bps`", "basis points", ge=0, lt=10_000)
    impact_bps: float = field(
        "of an order as large as a bar's volume; read by `linear` and `square_root`", "basis points", ge=0, lt=10_000
    )
    volume_bars: int = field("candles before the fill whose mean is a bar's volume", "candles", ge=1)


class CarryParams(Frozen):
    """What an open position costs over time, charged every eight hours of UTC; candles do not tell it."""

    funding_bps: float = field(
        "paid by a long and received by a short; below zero the other way round",
        "basis points of the position per 8 h",
        gt=-10_000,
        lt=10_000,
    )
    borrow_bps: float = field(
        "paid by a short for what it has borrowed", "basis points of the position per 8 h", ge=0, lt=10_000
    )


class SizingParams(Frozen):
    """The share of its symbol's account that an entry puts at work."""

    kind: SizingKind = field("the same share, by past volatility, or by Kelly's rule", "fixed | volatility | kelly")
    max_frac: float = field("the share itself if `fixed`, else the most", "fraction of the account", gt=0, le=1)
    volatility_frac: float = field("volatility: what the account shall have", "annual, fraction", gt=0)
    kelly_frac: float = field("kelly: part of Kelly's share that is taken", "fraction", gt=0, le=1)
    window_bars: int = field(
        "candles up to the signal that volatility, or the usual move, is taken from", "candles", ge=2
    )


class RiskParams(Frozen):
    """What keeps the whole from losing too much."""

    gross_frac: float = field(
        "most that all positions are worth together when one is opened; 1: no limit",
        "fraction of the equity",
        gt=0,
        le=1,
    )
    daily_loss_frac: Fraction | None = field(
        "loss since the day's start at which all is closed until the next UTC day; null: none", "fraction of the equity"
    )
    drawdown_frac: Fraction | None = field(
        "fall from the highest equity at which all is closed for good; null: none", "fraction of the equity"
    )
    max_gap_bars: int | None = field(
        "bars in a row without a candle that a position may last through; more is an error; null: any number",
        "bars",
        ge=0,
    )


class BacktestParams(Frozen):
    """What is traded, at what costs, in what size and until when."""

    capital: int = field("money at the start, shared evenly over the symbols", "quote currency", ge=1)
    fee_bps: float = field("exchange fee of one fill", "basis points of its value", ge=0, lt=10_000)
    slippage_bps: float = field("how much worse than the open a fill is", "basis points of the price", ge=0, lt=10_000)
    cost_multiples: list[Annotated[float, Field(ge=0)]] = field(
        "costs as multiples of these in the sensitivity table", "multiples", min_length=1
    )
    maker_fee_bps: float | None = field(
        "exchange fee of a fill at a limit; null: fee_bps", "basis points of its value", ge=0, lt=10_000
    )
    short_p_up: float | None = field("p_up at or below which is sold short; null: long only", "probability", ge=0, lt=1)
    one_direction: bool = field("signals only where the conformal set holds their direction alone", "true | false")
    entry: EntryParams = field("how a signal is filled", "section")
    exit: ExitParams = field("stop and target", "section")
    slippage: SlippageParams = field("the slippage model", "section")
    carry: CarryParams = field("what an open position costs over time", "section")
    sizing: SizingParams = field("the size of a position", "section")
    risk: RiskParams = field("limits of the whole", "section")

    @model_validator(mode="after")
    def _makers_pay_no_more(self) -> Self:
        if self.maker_fee_bps is not None and self.maker_fee_bps > self.fee_bps:
            raise RuleError(("maker_fee_bps",), f"at most fee_bps ({self.fee_bps:g}), or null")
        return self

    def of(self, question: HeadParams) -> Self:
        """As they are for a head: one that is not traded is not sold short either."""
        return self if question.is_traded else self.model_copy(update={"short_p_up": None})

    @property
    def round_trip_bps(self) -> float:
        """What two market fills cost, slippage by volume apart: that hangs on the size."""
        fixed = self.slippage_bps if self.slippage.model == "bps" else self.slippage.spread_bps / 2
        return 2 * (self.fee_bps + fixed)
