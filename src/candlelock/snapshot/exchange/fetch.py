"""Taking candles from an exchange: all pages, every gap looked at again, or nothing.

Pages are asked for at once, over all symbols, as far as the exchange's rate limit lets them pass. Neighbouring pages
share a candle, which has to be the same in both. Bars that are missing then are asked for twice more, from the candle
before them: an answer that repeats the known candles around the gap, and has nothing in it, confirms it. Where two
answers differ, the pages with that candle are asked for again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from candlelock.contracts.documents import utc_text
from candlelock.contracts.errors import InputError, Problem
from candlelock.contracts.snapshot_documents import AskedRange, Source
from candlelock.snapshot.exchange import coverage
from candlelock.snapshot.exchange.client import N_CONNECTIONS, Client, Patience
from candlelock.snapshot.exchange.dialect import OTHER, to_table
from candlelock.snapshot.exchange.faults import BadAnswerError, DisagreementError
from candlelock.snapshot.exchange.journal import journal_of
from candlelock.snapshot.exchange.page import check_page
from candlelock.snapshot.exchange.request import describe, refuse_lost_history, refuse_unknown, settle_span
from candlelock.snapshot.exchange.span import Span
from candlelock.snapshot.raw_candles import RawCandles

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence
    from pathlib import Path
    from typing import Any

    import pyarrow as pa

    from candlelock.contracts.stage_params import SnapshotParams
    from candlelock.snapshot.exchange.journal import Journal
    from candlelock.snapshot.exchange.span import Times

    Progress = Callable[[int, int], None]

N_LOOKS = 2  # at a gap, beyond the first
# candles to start before a gap, and to skip at the start of all where there are fewer, by turns: an answer that is cut
# short, or that lacks every other candle, cannot fit both
LEADS = ((10, 0), (24, 1))
N_RECALLS = 8  # of pages that contradict one another, for one candle; half of them may be the other answer's fault
DEFAULT_PAGE_ROWS = 500
ABOUT_LIMITS = {"candles-few", "quality-missing", "quality-zero-volume", "snapshot-out"}  # not about the answers


@contextlib.contextmanager
def taking(
    wanted: SnapshotParams, downloads: Path, patience: Patience, on_progress: Progress
) -> Iterator[tuple[dict[str, RawCandles], Source]]:
    """The candles of each symbol and where they came from. Answers stay below `downloads` until a clean exit.

    `on_progress` is called with the bars settled so far and those asked for. Raises InputError and
    EnvironmentFaultError; a later run with the same parameters goes on from the answers kept.
    """
    with journal_of(describe(wanted), downloads) as journal:
        taken = asyncio.run(_take(wanted, journal, patience, on_progress))
        try:
            yield taken
        except InputError as error:
            if any(problem.code not in ABOUT_LIMITS for problem in error.problems):
                journal.clear()  # what is wrong with the whole would be wrong again
            raise


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
        n_readings = wanted.exchange.n_readings
        count = _Count(span.n_bars * n_readings * len(wanted.symbols), on_progress)
        takers = [
            _Taker(symbol, wanted.timeframe, span, client, journal, gate, count, n_readings)
            for symbol in wanted.symbols
        ]
        tables = await _all(taker.take() for taker in takers)
        if client.dialect.max_history_rows:  # what was in reach at the start may no longer be
            refuse_lost_history(span, await client.ask("clock", client.read_clock), client.dialect)
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
        n_readings: int,
    ) -> None:
        self.symbol, self.timeframe, self.span = symbol, timeframe, span
        self.client, self.journal, self.gate, self.count = client, journal, gate, count
        self.n_rows = client.page_rows(symbol, DEFAULT_PAGE_ROWS)
        self.pages = span.readings(self.n_rows, n_readings)
        self.pieces: dict[Span, pa.Table] = {}
        self.seen: Counter[Span] = Counter()
        self.news: list[Span] = []
        self.n_rounds = 0
        self.n_recalls: Counter[int] = Counter()

    async def take(self) -> pa.Table:
        """All candles of the span that the exchange has, in time order."""
        await _all(self._settle(page) for page in self.pages)
        while True:
            try:
                return await self._look_at_gaps()
            except DisagreementError as error:
                await self._recall(error)

    async def _settle(self, page: Span) -> None:
        is_bounded = self.client.dialect.has_until
        table = self._kept(page, is_bounded)
        if table is None:
            table = await self._ask(page, is_bounded)
            self.journal.write(self.symbol, page, table)
        self.pieces[page] = table
        self.count.add(page.n_bars)

    def _kept(self, page: Span, is_bounded: bool) -> pa.Table | None:
        """The answer kept by an earlier run, held to the same rules as a new one."""
        table = self.journal.read(self.symbol, page)
        if table is None or table.schema != to_table([], self.client.dialect, page.bar_ms).schema:
            return None
        with contextlib.suppress(BadAnswerError):
            return check_page(table, page, is_bounded)
        return None

    async def _look_at_gaps(self) -> pa.Table:
        """Look until every gap has been absent, and every candle that only a look has shown been there, once more."""
        while True:
            known = coverage.join(self.pieces.values())
            times_ms = coverage.times_of(known)
            missing = self._missing(times_ms)
            self.news = [run for run in self.news if run.holds_any(times_ms)]
            doubtful = [run for run in missing if self.seen[run] < N_LOOKS]
            doubtful += [run for run in self.news if not self.seen[run]]
            if not doubtful:
                self._require_candles(known)
                self.pieces.clear()
                return known
            n_leading, n_skipped = LEADS[self.n_rounds % len(LEADS)]
            self.n_rounds += 1
            looks = coverage.plan_looks(times_ms, sorted(doubtful), self.n_rows, n_leading, n_skipped)
            answers = await _all(self._look(look, known) for look in looks)
            for _, confirmed, _ in answers:
                self.seen.update(confirmed)
            for look, (page, _, news) in zip(looks, answers, strict=True):
                if news:
                    self._add_news(look, page, news)

    def _missing(self, times_ms: Times) -> list[Span]:
        """Gaps; in parts where an exchange may answer no further than so many bars from the time asked for."""
        runs = self.span.missing(times_ms)
        if self.client.dialect is not OTHER:
            return runs
        return [part for run in runs for part in run.split(self.n_rows // 2)]

    async def _look(self, look: coverage.Look, known: pa.Table) -> tuple[pa.Table, set[Span], Span | None]:
        def judge(answer: pa.Table) -> tuple[pa.Table, set[Span], Span | None]:
            page = answer.slice(int(np.searchsorted(coverage.times_of(answer), self.span.start_ms)))
            return page, *coverage.confirm(look, page, known)

        span = Span(look.start_ms, self.span.end_ms, self.span.bar_ms)
        answer: tuple[pa.Table, set[Span], Span | None] = await self._ask(span, is_bounded=False, judge=judge)
        return answer

    def _add_news(self, look: coverage.Look, page: pa.Table, news: Span) -> None:
        """Candles that only a look has shown: what was counted as absent there no longer counts."""
        for run in [run for run in self.seen if run.start_ms < news.end_ms and news.start_ms < run.end_ms]:
            del self.seen[run]
        self.news += news.split(self.n_rows // 2)
        self.pieces[Span(look.start_ms, news.end_ms, news.bar_ms)] = page

    async def _recall(self, error: DisagreementError) -> None:
        """Ask again for every page that holds a candle two answers give differently."""
        self.n_recalls[error.time_ms] += 1
        if self.n_recalls[error.time_ms] > N_RECALLS or self.n_recalls.total() > max(4 * N_RECALLS, len(self.pages)):
            self.journal.forget(self.symbol)
            place, expected = f"{self.client.name} {self.symbol} {self.timeframe}", "the same candle in every answer"
            help_line = "nothing was published; the exchange gives out changing data: run again later"
            raise InputError(Problem("exchange-changing", place, str(error), expected, help_line))
        doubtful = [page for page in self.pieces if page.start_ms <= error.time_ms < page.end_ms]
        for page in doubtful:
            del self.pieces[page]
            self.journal.drop(self.symbol, page)
        self.seen.clear()  # what was seen beside answers that are now forgotten
        await asyncio.sleep(self.client.patience.backoff_s)
        await _all(self._settle(page) for page in doubtful if page in self.pages)

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
