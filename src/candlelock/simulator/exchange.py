"""The exchange behind the server: clock, limit, faults and log; from a request to its answer."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter, deque
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import numpy as np

from candlelock.contracts.errors import InputError, Problem, nearest
from candlelock.simulator import answer_faults, row_faults
from candlelock.simulator.binance import WEIGHT_PER_MINUTE, Binance
from candlelock.simulator.clock import Clock, WeightWindow
from candlelock.simulator.dialect import Answer, Page, Question, to_json
from candlelock.simulator.faults import FaultPlan
from candlelock.simulator.kraken import Kraken
from candlelock.simulator.row_faults import PageContext

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from candlelock.simulator.dialect import Dialect, Row
    from candlelock.simulator.faults import Fault
    from candlelock.simulator.market import Market

DIALECTS: dict[str, type[Binance] | type[Kraken]] = {"binance": Binance, "kraken": Kraken}
N_LOGGED = 10_000


@dataclass
class RequestLog:
    """Every request counted by endpoint and by fault, the last N_LOGGED of them whole."""

    n_by_endpoint: Counter[str] = field(default_factory=Counter)
    n_by_fault: Counter[str] = field(default_factory=Counter)
    last: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=N_LOGGED))

    def add(self, endpoint: str, path: str, query: Mapping[str, str], fault: str | None, status: int) -> None:
        """Note a request. `status`: of the answer, also where a fault keeps it from arriving."""
        self.n_by_endpoint[endpoint] += 1
        if fault:
            self.n_by_fault[fault] += 1
        self.last.append({"path": path, "query": dict(query), "fault": fault, "status": status})

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        counts = {"n_by_endpoint": dict(self.n_by_endpoint), "n_by_fault": dict(self.n_by_fault)}
        return {"n": self.n_by_endpoint.total(), **counts, "last": list(self.last)}


@dataclass
class Exchange:
    """A dialect with its state. `weight_limit`: request weight per minute, where the dialect has one."""

    dialect: Dialect
    clock: Clock
    weight_limit: int = WEIGHT_PER_MINUTE
    plan: FaultPlan = field(default_factory=FaultPlan)
    log: RequestLog = field(default_factory=RequestLog)
    _window: WeightWindow = field(init=False)
    _sent: dict[tuple[str, str], list[Page]] = field(default_factory=dict)  # the last two that differ, oldest first

    def __post_init__(self) -> None:
        self._window = WeightWindow(self.weight_limit)

    def answer(self, path: str, query: Mapping[str, str], monotonic_s: float) -> tuple[Answer, Fault | None]:
        """The answer, spoiled where a fault of rows, answer or books strikes; and the fault, if any."""
        endpoint = self.dialect.endpoints.get(path)
        if endpoint is None:
            answer, fault = self.dialect.answer_unknown(path), None
        else:
            fault = self.plan.strike(endpoint, self.dialect.symbol_of(query))
            answer = self._sound_or_spoiled(endpoint, query, monotonic_s, fault)
        self.log.add(endpoint or "unknown", path, query, fault.name if fault else None, answer.status)
        date = formatdate(self.clock.now_ms(monotonic_s) // 1000, usegmt=True)
        return dataclasses.replace(answer, headers={"Date": date, **answer.headers}), fault

    def _sound_or_spoiled(
        self, endpoint: str, query: Mapping[str, str], monotonic_s: float, fault: Fault | None
    ) -> Answer:
        refusal = self._over_limit(endpoint, monotonic_s)
        if refusal:
            return refusal
        now_ms = self.clock.now_ms(monotonic_s)
        lie = fault.name if fault and fault.kind.layer == "exchange" else None
        if fault and lie == "clock_skew":
            now_ms += fault.argument
        answer = self.dialect.answer(Question(endpoint, query, now_ms, lie, fault.symbol if fault else None))
        if fault and fault.kind.layer == "rows" and answer.page:
            answer = self._spoil_rows(answer.page, fault, now_ms)
        if answer.page:
            self._remember(answer.page)
        if fault and fault.kind.layer == "answer":
            answer = answer_faults.EDITS[fault.name](answer, self.dialect, fault.argument)
        return self._with_weight(answer)

    def _over_limit(self, endpoint: str, monotonic_s: float) -> Answer | None:
        weight = self.dialect.weight_of(endpoint)
        wait_s = self._window.charge(weight, monotonic_s) if weight else None
        if wait_s is None:
            return None
        return self._with_weight(Answer(self.dialect.answer_failure(), 429, {"Retry-After": str(wait_s)}))

    def _with_weight(self, answer: Answer) -> Answer:
        if not self._window.used:
            return answer
        used = dict.fromkeys(("x-mbx-used-weight", "x-mbx-used-weight-1m"), str(self._window.used))
        return dataclasses.replace(answer, headers=used | dict(answer.headers))

    def _spoil_rows(self, page: Page, fault: Fault, now_ms: int) -> Answer:
        shape, market = self.dialect.shape, page.market
        context = PageContext(
            shape=shape,
            bar=market.bar_ms // shape.unit_ms,
            first=page.first,
            stop=page.stop,
            current=now_ms // market.bar_ms * market.bar_ms // shape.unit_ms,
            rows_between=lambda first, stop: self._rows(_clipped(market, first, stop)),
            previous=self._rows([page, *self._others(page)][-1]),
            other=self._rows_of_another(page),
            argument=fault.argument,
            chance=fault.chance,
        )
        rows = row_faults.spoil(fault.name, self._rows(page), context)
        return self.dialect.answer_page(page, to_json(rows)[1:-1])

    def _others(self, page: Page) -> list[Page]:
        """Pages of this market sent lately, but for this very one: a client that asks again is not the one before."""
        sent = self._sent.get((page.market.symbol, page.market.timeframe), [])
        return [each for each in sent if (each.first, each.stop) != (page.first, page.stop)]

    def _remember(self, page: Page) -> None:
        self._sent[page.market.symbol, page.market.timeframe] = [*self._others(page)[-1:], page]

    def _rows(self, page: Page) -> list[Row]:
        rows: list[Row] = json.loads(b"[" + self.dialect.rows(page) + b"]")
        return rows

    def _rows_of_another(self, page: Page) -> list[Row]:
        """The rows at the same times of the next symbol with the same timeframe that has any."""
        if page.first == page.stop:
            return []
        times = page.market.open_time_ms[[page.first, page.stop - 1]]
        for market in self.dialect.markets.values():
            if market.timeframe == page.market.timeframe and market.symbol != page.market.symbol:
                first, stop = market.between(int(times[0]), int(times[1]))
                if first < stop:
                    return self._rows(Page(market, first, stop, has_open=False))
        return []


def make_dialect(name: str, markets: Sequence[Market]) -> Dialect:
    """The dialect called `name` with these markets. Raises InputError for an unknown one."""
    if name not in DIALECTS:
        raise InputError(
            Problem("simulator-dialect", "--dialect", name, " or ".join(DIALECTS), nearest(name, list(DIALECTS)))
        )
    return DIALECTS[name](markets)


def newest_close_ms(markets: Sequence[Market]) -> int:
    """When the newest of all candles closes."""
    return int(np.max([market.end_ms for market in markets]))


def _clipped(market: Market, first: int, stop: int) -> Page:
    n_rows = len(market.open_time_ms)
    return Page(market, min(first, n_rows), min(stop, n_rows), has_open=False)
