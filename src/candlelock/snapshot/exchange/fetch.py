"""Taking candles from an exchange: all pages, every gap looked at again, or nothing.

Pages are asked for at once, over all symbols, as far as the exchange's rate limit lets them pass. Neighbouring pages
share a candle, which has to be the same in both. Bars that are missing then are asked for twice more, from the candle
before them: an answer that repeats the known candles around the gap, and has nothing in it, confirms it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING

from candlelock.contracts.documents import utc_text
from candlelock.contracts.errors import InputError, Problem
from candlelock.contracts.snapshot_documents import AskedRange, Source
from candlelock.snapshot.exchange import coverage
from candlelock.snapshot.exchange.client import N_CONNECTIONS, Client, Patience
from candlelock.snapshot.exchange.dialect import to_table
from candlelock.snapshot.exchange.faults import DisagreementError
from candlelock.snapshot.exchange.journal import journal_of
from candlelock.snapshot.exchange.page import check_page
from candlelock.snapshot.exchange.request import describe, refuse_unknown, settle_span
from candlelock.snapshot.exchange.span import Span
from candlelock.snapshot.raw_candles import RawCandles

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence
    from pathlib import Path
    from typing import Any

    import pyarrow as pa

    from candlelock.contracts.stage_params import SnapshotParams
    from candlelock.snapshot.exchange.journal import Journal

    Progress = Callable[[int, int], None]

N_LOOKS = 2  # at a gap, beyond the first
N_RECALLS = 4  # of a page that contradicts another
DEFAULT_PAGE_ROWS = 500


@contextlib.contextmanager
def taking(
    wanted: SnapshotParams, downloads: Path, patience: Patience, on_progress: Progress
) -> Iterator[tuple[dict[str, RawCandles], Source]]:
    """The candles of each symbol and where they came from. Answers stay below `downloads` until a clean exit.

    `on_progress` is called with the bars settled so far and those asked for. Raises InputError and
    EnvironmentFaultError; a later run with the same parameters goes on from the answers kept.
    """
    with journal_of(describe(wanted), downloads) as journal:
        yield asyncio.run(_take(wanted, journal, patience, on_progress))


async def _take(
    wanted: SnapshotParams, journal: Journal, patience: Patience, on_progress: Progress
) -> tuple[dict[str, RawCandles], Source]:
    async with Client(wanted.exchange.name, wanted.exchange.base_url, patience) as client:
        markets = await client.ask("markets", client.read_markets)
        refuse_unknown(wanted, list(markets), list(client.ccxt.timeframes or {}))
        now_ms = await client.ask("clock", client.read_clock)
        span = settle_span(wanted, now_ms, journal.read_range(), client.dialect)
        asked = AskedRange(start_utc=utc_text(span.start_ms), end_utc=utc_text(span.end_ms))
        journal.begin(asked)
        gate = asyncio.Semaphore(N_CONNECTIONS)
        count = _Count(span.n_bars * len(wanted.symbols), on_progress)
        takers = [_Taker(symbol, wanted.timeframe, span, client, journal, gate, count) for symbol in wanted.symbols]
        tables = await _all(taker.take() for taker in takers)
    place = f"{wanted.exchange.name} {wanted.timeframe}"
    candles = {
        symbol: RawCandles(f"{place} {symbol}", has_lines=False, table=table)
        for symbol, table in zip(wanted.symbols, tables, strict=True)
    }
    name, address = wanted.exchange.name, wanted.exchange.base_url
    return candles, Source(kind="exchange", name=name, address=address, asked=asked, files={})


class _Count:
    """Bars settled so far."""

    def __init__(self, n_total: int, on_progress: Progress) -> None:
        self.n_done, self.n_total, self.on_progress = 0, n_total, on_progress

    def add(self, n_bars: int) -> None:
        self.n_done = min(self.n_done + n_bars, self.n_total)
        self.on_progress(self.n_done, self.n_total)


class _Taker:
    """Takes one symbol."""

    def __init__(
        self,
        symbol: str,
        timeframe: str,
        span: Span,
        client: Client,
        journal: Journal,
        gate: asyncio.Semaphore,
        count: _Count,
    ) -> None:
        self.symbol, self.timeframe, self.span = symbol, timeframe, span
        self.client, self.journal, self.gate, self.count = client, journal, gate, count
        self.n_rows = client.page_rows(symbol, DEFAULT_PAGE_ROWS)
        self.pieces: dict[Span, pa.Table] = {}
        self.n_recalls: Counter[int] = Counter()

    async def take(self) -> pa.Table:
        """All candles of the span that the exchange has, in time order."""
        pages = self.span.pages(self.n_rows)
        await _all(self._settle(page) for page in pages)
        while True:
            try:
                return await self._look_at_gaps()
            except DisagreementError as error:
                await self._recall(error)

    async def _settle(self, page: Span) -> None:
        table = self.journal.read(self.symbol, page)
        if table is None:
            table = await self._ask(page, is_bounded=self.client.dialect.has_until)
            await asyncio.to_thread(self.journal.write, self.symbol, page, table)
        self.pieces[page] = table
        self.count.add(page.n_bars)

    async def _look_at_gaps(self) -> pa.Table:
        seen: Counter[Span] = Counter()
        while True:
            known = coverage.join(self.pieces.values())
            runs = [run for run in self.span.missing(coverage.times_of(known)) if seen[run] < N_LOOKS]
            if not runs:
                self._require_candles(known)
                self.pieces.clear()
                return known
            looks = coverage.plan_looks(coverage.times_of(known), runs, self.n_rows)
            for confirmed in await _all(self._look(look, known) for look in looks):
                seen.update(confirmed)

    async def _look(self, look: coverage.Look, known: pa.Table) -> set[Span]:
        confirmed: set[Span] = set()

        def judge(table: pa.Table) -> pa.Table:
            found, news = coverage.confirm(look, table, known, self.n_rows)
            confirmed.update(found)
            return news

        span = Span(look.start_ms, self.span.end_ms, self.span.bar_ms)
        news = await self._ask(span, is_bounded=False, judge=judge)
        if news is not None:
            self.pieces[Span(look.start_ms, int(coverage.times_of(news)[-1]) + 1, self.span.bar_ms)] = news
        return confirmed

    async def _recall(self, error: DisagreementError) -> None:
        """Ask again for every page that holds a candle two answers give differently."""
        self.n_recalls[error.time_ms] += 1
        if self.n_recalls[error.time_ms] > N_RECALLS:
            place, expected = f"{self.client.name} {self.symbol} {self.timeframe}", "the same candle in every answer"
            help_line = "nothing was published; the exchange is changing its history: run again later"
            raise InputError(Problem("exchange-changing", place, str(error), expected, help_line))
        doubtful = [page for page in self.pieces if page.start_ms <= error.time_ms < page.end_ms]
        for page in doubtful:
            del self.pieces[page]
            self.journal.drop(self.symbol, page)
        planned = set(self.span.pages(self.n_rows))
        await _all(self._settle(page) for page in doubtful if page in planned)

    async def _ask(self, page: Span, is_bounded: bool, judge: Callable[[pa.Table], Any] = lambda table: table) -> Any:  # noqa: ANN401
        async def request() -> Any:  # noqa: ANN401
            until = {"until": page.end_ms - page.bar_ms} if is_bounded else {}
            n_rows = min(self.n_rows, page.n_bars) if is_bounded else self.n_rows
            ccxt = self.client.ccxt
            rows = await ccxt.fetch_ohlcv(self.symbol, self.timeframe, page.start_ms, n_rows, until)
            return judge(check_page(to_table(rows, self.client.dialect, page.bar_ms), page, is_bounded))

        async with self.gate:
            what = f"{self.symbol} {self.timeframe} from {utc_text(page.start_ms)}"
            return await self.client.ask(what, request)

    def _require_candles(self, known: pa.Table) -> None:
        if not known.num_rows:
            place, found = f"{self.client.name} {self.symbol} {self.timeframe}", "no candle in any answer"
            expected = f"candles from {utc_text(self.span.start_ms)} to {utc_text(self.span.end_ms)}"
            help_line = "the symbol may be delisted or not listed yet: take another range, or leave it out"
            raise InputError(Problem("exchange-no-candles", place, found, expected, help_line))


async def _all(work: Iterator[Coroutine[Any, Any, Any]] | Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """The results in order; the first failure ends the rest and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
