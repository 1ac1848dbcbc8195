"""Every kind of fault on the wire: one that passes changes no byte, one that stays lets nothing be published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from candlelock.simulator.fault_kinds import KINDS
from candlelock.simulator.running import running
from tests.exchange_runs import content, make_market, make_params, take, try_under

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from candlelock.simulator.running import Simulator

RANGE = {"start": "2024-01-01T00:00Z", "end": "2024-01-01T20:00Z"}
ARGUMENTS = {"refused": 0.05}
# What stays and yet does no harm: the same values, printed or wrapped another way.
HARMLESS = {"wrong_content_type", "exponents"}
# What one reading cannot see everywhere: a candle that is wrong in one answer and comes in no other.
TWO_READINGS = {"changed_row"}


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    """Two markets of 1,200 minutes: one with a hole, one with a hole and an early end."""
    markets = [make_market("BTC/USDT", 1, 1200, [range(700, 703)])]
    markets += [make_market("ETH/USDT", 2, 1200, [range(300, 320), range(1195, 1200)])]
    with running("binance", markets, weight_limit=10**9) as simulator:
        simulator.set_clock(markets[0].open_time_ms[0].item() + 1200 * 60_000)
        yield simulator


@pytest.fixture(scope="module")
def sound(sim: Simulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a snapshot taken without faults."""
    folder = tmp_path_factory.mktemp("sound")
    manifest = take(make_params(sim, **RANGE), folder)
    assert [symbol.n_missing_bars for symbol in manifest.symbols] == [3, 25]
    return content(folder)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_that_passes_changes_no_byte(
    kind: str, sim: Simulator, sound: dict[str, bytes], tmp_path: Path
) -> None:
    params = make_params(sim, **RANGE, n_readings=2 if kind in TWO_READINGS else 1)
    rule = {"kind": kind, "first": 2, "times": 2, "argument": ARGUMENTS.get(kind)}
    end = try_under(sim, [rule], params, tmp_path)
    if end == "exchange-refused":  # turned away: asking again is no use
        assert not content(tmp_path)
        take(params, tmp_path)
    else:
        assert end == "complete"
    assert content(tmp_path) == sound


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_that_stays_lets_nothing_be_published(
    kind: str, sim: Simulator, sound: dict[str, bytes], tmp_path: Path
) -> None:
    params = make_params(sim, **RANGE, n_readings=2 if kind in TWO_READINGS else 1)
    symbol = "BTC/USDT" if KINDS[kind].layer == "rows" else None
    end = try_under(sim, [{"kind": kind, "symbol": symbol, "argument": ARGUMENTS.get(kind)}], params, tmp_path)
    if kind in HARMLESS:
        assert (end, content(tmp_path)) == ("complete", sound)
        return
    assert end.startswith(("exchange-", "candles-"))
    assert not content(tmp_path)
    take(params, tmp_path)
    assert content(tmp_path) == sound
