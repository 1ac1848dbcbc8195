"""The heads of params.yaml: one frozen model per kind of label, told apart by the key `kind`.

Every kind has two answers: up, or down; what is neither is unknown. Kinds of values have a number besides, which is
above zero where the answer is up. docs/labels.md says what each kind is for.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from candlelock.contracts.stage_params import Frozen, Symbol, field

VOLATILITY = (
    "bars up to the decision whose one-bar moves make the volatility; unknown where half of them or more are missing"
)


class _Question(Frozen):
    """What every kind has. `unit`: of the value, where there is one; `is_traded`: whether "up" is a reason to buy."""

    is_traded: ClassVar[bool] = True
    unit: ClassVar[str | None] = None

    @property
    def is_valued(self) -> bool:
        """Whether models learn a value."""
        return self.unit is not None

    symbols: list[Symbol] | None = field(
        "symbols it is asked of, and whose rows its models are made of; null: of all of the snapshot, in one model",
        "BASE/QUOTE",
    )

    @field_validator("symbols")
    @classmethod
    def _symbols_are_some(cls, symbols: list[Symbol] | None) -> list[Symbol] | None:
        if symbols is not None and (not symbols or len(set(symbols)) < len(symbols)):
            raise ValueError("at least one symbol, each once")
        return symbols


class DirectionParams(_Question):
    """Is the close `horizon_bars` later above this one?"""

    kind: Literal["direction"] = field("the question: is the close `horizon_bars` later above this one", "direction")
    horizon_bars: int = field("how far ahead the label looks", "bars", ge=1)
    dead_zone_sigmas: float = field(
        "a move smaller than this has an unknown label; 0: every move counts",
        "past volatilities of a move over the horizon",
        ge=0,
    )
    volatility_bars: int = field(f"of `dead_zone_sigmas`: {VOLATILITY}", "bars", ge=2)
    learns: Literal["end", "path"] = field(
        "what models are trained towards: `end`, the label itself; `path`, the share of the horizon's closes above "
        "this one. The label judges them either way",
        "name",
    )


class TripleBarrierParams(_Question):
    """Which barrier does the price touch first?"""

    kind: Literal["triple_barrier"] = field(
        "the question: do the bars to come touch the upper barrier before the lower one", "triple_barrier"
    )
    horizon_bars: int = field("bars in which a barrier has to be touched, else the label is unknown", "bars", ge=1)
    take_profit_sigmas: float = field(
        "distance of the upper barrier from the close", "past volatilities of a move over the horizon", gt=0
    )
    stop_loss_sigmas: float = field(
        "distance of the lower barrier from the close", "past volatilities of a move over the horizon", gt=0
    )
    volatility_bars: int = field(VOLATILITY, "bars", ge=2)


class FutureReturnParams(_Question):
    """How far is the close `horizon_bars` later above this one?"""

    unit: ClassVar[str | None] = "past volatilities of a move over the horizon"
    kind: Literal["future_return"] = field(
        "the question: the log return over `horizon_bars` to come, in past volatilities of such a move", "future_return"
    )
    horizon_bars: int = field("how far ahead the label looks", "bars", ge=1)
    volatility_bars: int = field(VOLATILITY, "bars", ge=2)


class FutureVolatilityParams(_Question):
    """How much livelier will the bars to come be than those behind?"""

    is_traded: ClassVar[bool] = False
    unit: ClassVar[str | None] = "natural logarithm of the ratio to the past volatility"
    kind: Literal["future_volatility"] = field(
        "the question: the natural logarithm of the volatility over `horizon_bars` to come against the past one",
        "future_volatility",
    )
    horizon_bars: int = field("bars to come whose one-bar moves make the volatility", "bars", ge=2)
    volatility_bars: int = field(VOLATILITY, "bars", ge=2)


HeadParams = Annotated[
    DirectionParams | TripleBarrierParams | FutureReturnParams | FutureVolatilityParams, Field(discriminator="kind")
]
HEADS: dict[str, type[Frozen]] = {
    "direction": DirectionParams,
    "triple_barrier": TripleBarrierParams,
    "future_return": FutureReturnParams,
    "future_volatility": FutureVolatilityParams,
}
