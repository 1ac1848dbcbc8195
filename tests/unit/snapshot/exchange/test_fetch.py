"""Whole snapshots from the loopback exchange: what is published is what it has, however it was asked for."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candlelock.contracts.documents import utc_ms, utc_text
from candlelock.contracts.errors import InputError
from candlelock.simulator.running import running
from candlelock.snapshot import candles
from candlelock.snapshot.exchange import client, fetch
from candlelock.snapshot.exchange.dialect import BINANCE, DIALECTS, KRAKEN
from candlelock.snapshot.exchange.span import Span
from tests.exchange_runs import MINUTE_MS, QUICK, START_MS, SYMBOLS, content, make_market, make_params, take

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from candlelock.contracts.snapshot_documents import Manifest
    from candlelock.contracts.stage_params import SnapshotParams
    from candlelock.simulator.market import Market
    from candlelock.simulator.running import Simulator

N_BARS = 1200
RANGE = {"start": "2024-01-01T00:00Z", "end": "2024-01-01T20:00Z"}
PRICES_AND_VOLUME = ("open", "high", "low", "close", "volume")
KRAKEN_UNHURRIED = dataclasses.replace(KRAKEN, options=(("rateLimit", 1),))


def text_at(bar: int) -> str:
    return utc_text(START_MS + bar * MINUTE_MS)


def refused(params: SnapshotParams, folder: Path) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        take(params, folder)
    assert not content(folder)
    return [(problem.code, problem.place) for problem in caught.value.problems]


def n_pages_asked(sim: Simulator) -> int:
    return sum("klines" in request["path"] for request in sim.requests)


def require_same_candles(folder: Path, markets: Sequence[Market], first_bar: int, end_bar: int) -> None:
    """What is published is the markets' candles between two bars, value by value; every missing bar is a gap."""
    manifest, published = candles.read_exact(folder / "out")
    assert set(published) == {market.symbol for market in markets}
    for entry in manifest.symbols:
        market = next(market for market in markets if market.symbol == entry.symbol)
        bars = (market.open_time_ms - START_MS) // MINUTE_MS
        expected = market.table.filter((bars >= first_bar) & (bars < end_bar))
        for name in expected.column_names:
            assert published[entry.symbol][name].to_pylist() == expected[name].to_pylist(), name
        missing = set(range(first_bar, end_bar)) - set(bars.tolist())
        gaps = [(utc_ms(gap.first_open_utc), utc_ms(gap.last_open_utc), gap.n_bars) for gap in entry.gaps]
        assert {
            (time - START_MS) // MINUTE_MS for first, last, _ in gaps for time in range(first, last + 1, MINUTE_MS)
        } == missing
        assert sum(n_bars for _, _, n_bars in gaps) == entry.n_missing_bars == len(missing)
        assert all(gap.is_confirmed for gap in entry.gaps)


@pytest.fixture
def markets() -> list[Market]:
    return [make_market("BTC/USDT", 1, N_BARS, [range(700, 703)]), make_market("ETH/USDT", 2, N_BARS)]


@pytest.fixture
def sim(markets: list[Market]) -> Iterator[Simulator]:
    with running("binance", markets, weight_limit=10**9) as simulator:
        simulator.set_clock(START_MS + N_BARS * MINUTE_MS)
        yield simulator


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """A small exchange with holes, and a way to ask it."""
    n_bars = draw(st.integers(20, 150))
    hole = st.integers(0, n_bars - 1).flatmap(lambda at: st.integers(1, 9).map(lambda n: range(at, at + n)))
    holes = draw(st.lists(st.lists(hole, max_size=3), min_size=2, max_size=2))
    return {
        "n_bars": n_bars,
        "holes": holes,
        "first": draw(st.integers(0, 5)),
        "end": n_bars - draw(st.integers(0, 5)),
        "symbols": draw(st.permutations(SYMBOLS)),
        "n_readings": draw(st.sampled_from([1, 2])),
        "n_rows": draw(st.sampled_from([25, 60, 1000])),
        "n_connections": draw(st.sampled_from([1, 3, 24])),
    }


def ask(name: str, markets: list[Market], asked: dict[str, Any]) -> tuple[str, str]:
    """The ids of a plain run and of one that asks in another way, both checked against the markets."""
    span = {"start": text_at(asked["first"]), "end": text_at(asked["end"])}
    ids = []
    with running(name, markets, weight_limit=10**9) as sim, tempfile.TemporaryDirectory() as folder:
        sim.set_clock(START_MS + asked["n_bars"] * MINUTE_MS)
        ways: list[tuple[Sequence[str], int, int, int]] = [
            (sorted(asked["symbols"]), 1, 1000, 24),
            (asked["symbols"], asked["n_readings"], asked["n_rows"], asked["n_connections"]),
        ]
        for symbols, n_readings, n_rows, n_connections in ways:
            params = make_params(sim, symbols, name=name, **span, n_readings=n_readings)
            params = params.model_copy(update={"quality": params.quality.model_copy(update={"max_missing_frac": 1.0})})
            with (
                patch.object(client.Client, "page_rows", lambda self, symbol, default, n=n_rows: n),
                patch.object(fetch, "N_CONNECTIONS", n_connections),
            ):
                ids.append(take(params, Path(folder)).snapshot_id)
            require_same_candles(Path(folder), markets, asked["first"], asked["end"])
    return ids[0], ids[1]


@settings(max_examples=10, deadline=None)
@given(requests())
def test_candles_gaps_and_id_are_the_exchange_s_however_it_is_asked(asked: dict[str, Any]) -> None:
    markets = [make_market(symbol, n, asked["n_bars"], asked["holes"][n]) for n, symbol in enumerate(SYMBOLS)]
    plain, other = ask("binance", markets, asked)
    assert plain == other


@settings(max_examples=5, deadline=None)
@given(requests())
def test_the_same_holds_for_kraken(asked: dict[str, Any]) -> None:
    symbols = {"BTC/USDT": "BTC/USD", "ETH/USDT": "ETH/USD"}
    markets = [make_market(symbols[symbol], n, asked["n_bars"], asked["holes"][n]) for n, symbol in enumerate(SYMBOLS)]
    with patch.dict(DIALECTS, kraken=KRAKEN_UNHURRIED):
        plain, other = ask("kraken", markets, asked | {"symbols": [symbols[each] for each in asked["symbols"]]})
    assert plain == other


def test_a_bar_that_is_still_open_is_never_taken(sim: Simulator, markets: list[Market], tmp_path: Path) -> None:
    sim.set_clock(START_MS + 1000 * MINUTE_MS + 59_999)
    params = make_params(sim, days=1)
    params = params.model_copy(update={"quality": params.quality.model_copy(update={"max_missing_frac": 1.0})})
    manifest = take(params, tmp_path)
    assert {entry.last_open_utc for entry in manifest.symbols} == {text_at(999)}
    assert manifest.source.asked
    assert manifest.source.asked.end_utc == text_at(1000)
    require_same_candles(tmp_path, markets, 1000 - 1440, 1000)


def test_a_range_that_is_not_over_is_refused(sim: Simulator, tmp_path: Path) -> None:
    sim.set_clock(START_MS + 1000 * MINUTE_MS + 59_999)
    assert [code for code, _ in refused(make_params(sim, start=text_at(0), end=text_at(1001)), tmp_path)] == [
        "exchange-range"
    ]
    take(make_params(sim, start=text_at(0), end=text_at(1000)), tmp_path)


def test_more_than_kraken_has_is_refused(tmp_path: Path) -> None:
    with (
        patch.dict(DIALECTS, kraken=KRAKEN_UNHURRIED),
        running("kraken", [make_market("BTC/USD", 1, N_BARS)]) as kraken,
    ):
        now = START_MS + N_BARS * MINUTE_MS
        kraken.set_clock(now)
        asked = {"name": "kraken", "end": text_at(N_BARS)}
        too_far = make_params(kraken, ["BTC/USD"], start=text_at(N_BARS - 720), **asked)
        assert refused(too_far, tmp_path) == [("exchange-history", "snapshot.exchange.start")]
        manifest = take(make_params(kraken, ["BTC/USD"], start=text_at(N_BARS - 719), **asked), tmp_path)
    assert [(entry.n_rows, entry.n_missing_bars) for entry in manifest.symbols] == [(719, 0)]


@pytest.mark.parametrize(
    ("name", "extras"),
    [
        ("binance", ("quote_volume", "n_trades", "taker_buy_volume", "taker_buy_quote_volume")),
        ("kraken", ("vwap", "n_trades")),
    ],
)
def test_the_columns_beyond_price_and_volume_are_kept(name: str, extras: tuple[str, ...], tmp_path: Path) -> None:
    market = make_market("BTC/USD", 1, 300)
    table = market.table
    counts = pa.array(range(len(table)), pa.int64())
    for extra in extras:
        column = {"vwap": table["close"], "n_trades": counts}.get(extra, table["volume"])
        table = table.append_column(extra, column)
    market = dataclasses.replace(market, table=table)
    with patch.dict(DIALECTS, kraken=KRAKEN_UNHURRIED), running(name, [market]) as sim:
        take(make_params(sim, ["BTC/USD"], name=name, start=text_at(5), end=text_at(300)), tmp_path)
    require_same_candles(tmp_path, [market], 5, 300)
    _, published = candles.read_exact(tmp_path / "out")
    assert set(published["BTC/USD"].column_names) == {"open_time_utc", *PRICES_AND_VOLUME, *extras}


def test_a_symbol_listed_later_and_one_delisted_have_gaps_at_the_ends(tmp_path: Path) -> None:
    late = make_market("BTC/USDT", 1, 300, [range(40)])
    gone = make_market("ETH/USDT", 2, 300, [range(260, 300)])
    with running("binance", [late, gone]) as sim:
        sim.set_clock(START_MS + 300 * MINUTE_MS)
        manifest = take(make_params(sim, start=text_at(0), end=text_at(300)), tmp_path)
    found = {
        entry.symbol: [(gap.first_open_utc, gap.n_bars, gap.is_confirmed) for gap in entry.gaps]
        for entry in manifest.symbols
    }
    assert found == {"BTC/USDT": [(text_at(0), 40, True)], "ETH/USDT": [(text_at(260), 40, True)]}


def test_two_symbols_with_the_same_candles_are_refused(tmp_path: Path) -> None:
    with running("binance", [make_market(symbol, 1, 300) for symbol in SYMBOLS]) as sim:
        codes = [code for code, _ in refused(make_params(sim, start=text_at(0), end=text_at(300)), tmp_path)]
    assert codes == ["candles-twins"]


def break_off(sim: Simulator, params: SnapshotParams, folder: Path, after: int) -> int:
    """End a run at its `after`-th page; the number of answers kept."""
    sim.set_faults([{"kind": "status_403", "endpoint": "klines", "first": after}])
    with patch.object(fetch, "N_CONNECTIONS", 1):
        assert refused(params, folder)[0][0] == "exchange-refused"
    sim.set_faults([])
    return len(list(folder.glob("downloads/*/*/*.arrow")))


def take_counted(sim: Simulator, params: SnapshotParams, folder: Path) -> tuple[Manifest, int]:
    n_before = n_pages_asked(sim)
    return take(params, folder), n_pages_asked(sim) - n_before


@pytest.mark.parametrize("n_minutes_later", [0, 90])
def test_a_run_that_broke_off_goes_on_from_what_it_has(n_minutes_later: int, tmp_path: Path) -> None:
    """Also when other bars have closed in between: the range stays what it was settled to be."""
    markets = [make_market(symbol, n, 1440 + 200) for n, symbol in enumerate(SYMBOLS)]
    with running("binance", markets) as sim, patch.object(client.Client, "page_rows", lambda *_: 100):
        sim.set_clock(START_MS + 1440 * MINUTE_MS)
        params = make_params(sim, days=1)
        sound, n_asked = take_counted(sim, params, tmp_path / "sound")
        n_kept = break_off(sim, params, tmp_path / "broken", 12)
        sim.set_clock(START_MS + (1440 + n_minutes_later) * MINUTE_MS)
        again, n_asked_again = take_counted(sim, params, tmp_path / "broken")
    assert n_kept == 11
    assert n_asked_again == n_asked - n_kept
    assert again == sound
    assert content(tmp_path / "broken") == content(tmp_path / "sound")
    assert not list(tmp_path.glob("broken/downloads/*/"))


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_answer_is_asked_for_again(damage: str, sim: Simulator, tmp_path: Path) -> None:
    params = make_params(sim, **RANGE)
    with patch.object(client.Client, "page_rows", lambda *_: 100):
        _, n_asked = take_counted(sim, params, tmp_path / "sound")
        n_kept = break_off(sim, params, tmp_path / "broken", 12)
        path = sorted(tmp_path.glob("broken/downloads/*/*/*.arrow"))[3]
        sound = path.read_bytes()
        damaged = {"flip": sound[:300] + bytes([sound[300] ^ 1]) + sound[301:], "cut": sound[:-9], "empty": b""}
        path.write_bytes(damaged[damage])
        _, n_asked_again = take_counted(sim, params, tmp_path / "broken")
    assert n_asked_again == n_asked - n_kept + 1
    assert content(tmp_path / "broken") == content(tmp_path / "sound")


def test_of_two_runs_of_the_same_the_second_is_refused_and_the_first_unharmed(sim: Simulator, tmp_path: Path) -> None:
    params, ends = make_params(sim, **RANGE), []

    def rival() -> None:
        try:
            take(params, tmp_path)
        except InputError as error:
            ends.append(error.problems[0].code)

    def start_rival(n_done: int, n_total: int) -> None:
        if not ends:
            thread = threading.Thread(target=rival)
            thread.start()
            thread.join()

    take(params, tmp_path, on_progress=start_rival)
    assert ends == ["exchange-busy"]
    take(params, tmp_path / "alone")
    assert content(tmp_path) == content(tmp_path / "alone")


def test_progress_counts_every_bar_of_every_reading(sim: Simulator, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    take(make_params(sim, **RANGE, n_readings=2), tmp_path, on_progress=lambda *each: calls.append(each))
    assert {n_total for _, n_total in calls} == {2 * 2 * N_BARS}
    assert [n_done for n_done, _ in calls] == sorted(n_done for n_done, _ in calls)
    assert calls[-1][0] == 2 * 2 * N_BARS


def test_a_symbol_that_the_exchange_does_not_list_is_refused(sim: Simulator, tmp_path: Path) -> None:
    params = make_params(sim, ["BTC/USDT", "XRP/USDT", "ETH/EUR"], **RANGE)
    assert refused(params, tmp_path) == [("exchange-symbol", "snapshot.symbols")] * 2


def test_a_symbol_without_a_candle_is_refused(tmp_path: Path) -> None:
    markets = [make_market("BTC/USDT", 1, 300), make_market("ETH/USDT", 2, 300, [range(200)])]
    with running("binance", markets) as sim:
        codes = refused(make_params(sim, start=text_at(0), end=text_at(150)), tmp_path)
    assert codes == [("exchange-no-candles", "binance ETH/USDT 1m")]


def test_two_readings_see_a_candle_that_one_answer_gives_differently(sim: Simulator, tmp_path: Path) -> None:
    """Every row of the range, wherever it stands in its page."""
    take(make_params(sim, **RANGE), tmp_path / "sound")
    for seed in range(4):
        sim.set_faults([{"kind": "changed_row", "times": 1, "first": 1 + seed % 4, "seed": seed}])
        take(make_params(sim, **RANGE, n_readings=2), tmp_path / "again")
        assert content(tmp_path / "again")["BTC-USDT.parquet"] == content(tmp_path / "sound")["BTC-USDT.parquet"]
        assert content(tmp_path / "again")["ETH-USDT.parquet"] == content(tmp_path / "sound")["ETH-USDT.parquet"]


def test_every_other_candle_at_the_start_of_all_is_missed(sim: Simulator, tmp_path: Path) -> None:
    """The first of three pages lacks every other candle, and so do both looks at its gaps."""
    params = make_params(sim, ["BTC/USDT"], **RANGE)
    take(params, tmp_path / "sound")
    lie = {"kind": "wrong_timeframe", "endpoint": "klines"}
    sim.set_faults([lie | {"first": 1, "times": 1}, lie | {"first": 4, "times": 2}])
    with patch.object(fetch, "N_CONNECTIONS", 1), patch.object(client.Client, "page_rows", lambda *_: 500):
        take(params, tmp_path / "lied")
    assert content(tmp_path / "lied") == content(tmp_path / "sound")


@pytest.mark.parametrize(
    ("kind", "n_bars", "holes", "share", "seeds"),
    [
        ("wrong_timeframe", 330, [range(150, 153), range(325, 330)], 0.4, (13, 15, 28, 38, 46)),
        ("empty_page", 250, [range(120, 123)], 0.33, (0, 1, 2)),
    ],
)
def test_an_exchange_that_lies_in_a_third_of_its_answers_hides_no_candle(
    kind: str, n_bars: int, holes: list[range], share: float, seeds: tuple[int, ...], tmp_path: Path
) -> None:
    """Candles come and go from one answer to the next. With these seeds some were once taken for gaps."""
    market = make_market("BTC/USDT", 1, n_bars, holes)
    with running("binance", [market]) as sim, patch.object(client.Client, "page_rows", lambda *_: 100):
        sim.set_clock(START_MS + n_bars * MINUTE_MS)
        params = make_params(sim, ["BTC/USDT"], start=text_at(0), end=text_at(n_bars))
        take(params, tmp_path / "sound")
        for seed in seeds:
            folder = tmp_path / str(seed)
            sim.set_faults([{"kind": kind, "endpoint": "klines", "share": share, "seed": seed}])
            with contextlib.suppress(InputError):
                take(params, folder)
            assert content(folder) in ({}, content(tmp_path / "sound"))


class ScriptedTaker(fetch._Taker):
    """Bars 0 to 8 of which 2 is a gap, in answers of six; bar 8 comes and goes."""

    truth = (0, 1, 3, 4, 5, 6, 7, 8)

    def __init__(self) -> None:
        nothing = SimpleNamespace(read=lambda *_: None, write=lambda *_: None, drop=lambda *_: None, add=lambda _: None)
        exchange = SimpleNamespace(page_rows=lambda *_: 6, dialect=BINANCE, patience=QUICK, name="x")
        span = Span(0, 9 * MINUTE_MS, MINUTE_MS)
        super().__init__("X/Y", "1m", span, exchange, nothing, asyncio.Semaphore(9), nothing, 1)  # type: ignore[arg-type]
        self.asked: list[str] = []

    async def _ask(self, page: Span, is_bounded: bool, judge: Any = lambda table: table) -> Any:
        first, end = page.start_ms // MINUTE_MS, page.end_ms // MINUTE_MS
        name = "page" if is_bounded else "look at 2" if first < 2 else "look at 8"
        self.asked.append(name)
        left_out: tuple[int, ...] = ()
        if name == "page":
            left_out = (8,)
        elif name == "look at 2" and self.asked.count(name) == 2:
            left_out = (4,)
            await asyncio.sleep(0.02)  # until the look at 8 has shown it once more
        elif name == "look at 8" and self.asked.count(name) == 3:
            left_out = (8,)  # once more as in the page
        bars = [bar for bar in self.truth if first <= bar < end and bar not in left_out][:6]
        times = pa.array([bar * MINUTE_MS for bar in bars], pa.int64())
        return judge(pa.table({"open_time_utc": times, "close": pa.array([str(bar) for bar in bars])}))


def test_a_candle_that_came_and_went_has_to_be_absent_twice_again() -> None:
    async def run() -> tuple[list[int], list[str]]:
        taker = ScriptedTaker()
        table = await taker.take()
        return [time // MINUTE_MS for time in table["open_time_utc"].to_pylist()], taker.asked

    bars, asked = asyncio.run(run())
    assert asked[:8] == ["page", "page", *["look at 2", "look at 8"] * 2, "page", "page"]
    assert asked.count("look at 8") > 3
    assert bars == list(ScriptedTaker.truth)
