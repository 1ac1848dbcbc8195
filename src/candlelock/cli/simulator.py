"""`candlelock exchange-sim`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from candlelock.contracts.errors import InputError, Problem

if TYPE_CHECKING:
    from candlelock.simulator.clock import Clock
    from candlelock.simulator.faults import FaultRule
    from candlelock.simulator.server import Server

Data = Annotated[Path, typer.Option("--data", help="Folder of candle files, one per symbol and timeframe.")]
Timeframe = Annotated[
    str | None, typer.Option(help="Serve this timeframe alone; needed where file names do not carry one.")
]
Now = Annotated[
    str | None,
    typer.Option(help="UTC time at which the exchange's clock starts; the newest candle's close if left out."),
]
Faults = Annotated[Path | None, typer.Option(help="JSON file of fault rules to start with.")]


def exchange_sim(
    dialect: Annotated[str, typer.Option(help="binance or kraken.")],
    data: Data,
    timeframe: Timeframe = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 0,
    latency_ms: Annotated[float, typer.Option(min=0, help="Wait before every answer, in milliseconds.")] = 0.0,
    now: Now = None,
    faults: Faults = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the address as one line of JSON.")] = False,
) -> None:
    """Serve candle files over HTTP as an exchange would, with faults on demand, until it is interrupted."""
    import asyncio

    from candlelock.simulator.candle_folder import load_markets
    from candlelock.simulator.exchange import make_dialect
    from candlelock.simulator.faults import FaultPlan
    from candlelock.simulator.running import make_server

    make_dialect(dialect, [])
    clock, rules = _clock(now), _rules(faults)
    server = make_server(dialect, load_markets(data, timeframe), clock, host, port, latency_ms)
    server.exchange.plan = FaultPlan(rules)
    asyncio.run(_serve(server, as_json))


async def _serve(server: Server, as_json: bool) -> None:
    import asyncio
    import signal

    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await server.start()
    _announce(server, as_json)
    await stopped.wait()
    await server.stop()


def _announce(server: Server, as_json: bool) -> None:
    markets = server.exchange.dialect.markets
    symbols, timeframes = (sorted({key[place] for key in markets}) for place in (0, 1))
    if as_json:
        typer.echo(json.dumps({"base_url": server.base_url, "symbols": symbols, "timeframes": timeframes}))
    else:
        typer.echo(f"{server.base_url} serves {', '.join(symbols)} ({', '.join(timeframes)}); Ctrl-C stops it")


def _clock(now: str | None) -> Clock | None:
    from candlelock.simulator.clock import Clock
    from candlelock.simulator.server import read_time

    return None if now is None else Clock(read_time(now, "--now"), is_running=True)


def _rules(path: Path | None) -> list[FaultRule]:
    from candlelock.simulator.faults import parse_rules

    if path is None:
        return []
    expected, help_line = "a JSON list of rules", "docs/exchange_sim.md explains the rules"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        found = error.strerror or "unreadable"
        raise InputError(Problem("simulator-faults", str(path), found, expected, help_line)) from None
    except (ValueError, RecursionError) as error:
        raise InputError(Problem("simulator-faults", str(path), str(error), expected, help_line)) from None
    return parse_rules(value, str(path))
