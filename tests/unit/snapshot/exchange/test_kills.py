"""`candlelock snapshot` in a process of its own, killed or out of disk: nothing half, and the next run goes on."""

from __future__ import annotations

import asyncio
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from candlelock.contracts import files
from candlelock.contracts.errors import EXIT_ENVIRONMENT
from candlelock.simulator.running import running
from candlelock.simulator.server import Server
from tests.exchange_runs import MINUTE_MS, START_MS, SYMBOLS, content, make_market

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from aiohttp import web

    from candlelock.simulator.running import Simulator

ROOT = Path(__file__).resolve().parents[4]
N_BARS = 4000
N_FIRST, N_PAGES, N_LOOKS = 3, 10, 4  # markets and clock; pages of both symbols; two looks at the gap of each
N_REQUESTS = N_FIRST + N_PAGES + N_LOOKS


hooks: list[Callable[[], Awaitable[None]]] = []  # what the server waits for before each answer


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    handle = Server._handle

    async def wait_and_handle(server: Server, request: web.Request) -> web.StreamResponse:
        for hook in hooks:
            await hook()
        return await handle(server, request)

    markets = [make_market(symbol, n, N_BARS, [range(1500 + n, 1510)]) for n, symbol in enumerate(SYMBOLS)]
    with (
        patch.object(Server, "_handle", wait_and_handle),
        running("binance", markets, weight_limit=10**9) as simulator,
    ):
        simulator.set_clock(START_MS + N_BARS * MINUTE_MS)
        yield simulator


def command(sim: Simulator, root: Path) -> list[str]:
    root.mkdir(exist_ok=True)
    shutil.copy(ROOT / files.PARAMS, root)
    asked = ["--exchange", "binance", "--symbols", ",".join(SYMBOLS), "--timeframe", "1m", "--base-url", sim.base_url]
    asked += ["--start", "2024-01-01", "--end", "2024-01-03T18:40Z"]
    return [
        *(sys.executable, "-m", "candlelock.cli.main", "snapshot"),
        *asked,
        *("--root", str(root), "--out", str(root / "out")),
    ]


def start(sim: Simulator, root: Path, **settings: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(command(sim, root), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings)


def finish(sim: Simulator, root: Path, **settings: Any) -> tuple[int, str]:
    with start(sim, root, **settings) as child:
        _, said = child.communicate(timeout=120)
    assert "Traceback" not in said
    return child.returncode, said


@pytest.fixture(scope="module")
def sound(sim: Simulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an undisturbed run publishes."""
    root = tmp_path_factory.mktemp("sound")
    n_before = len(sim.requests)
    assert finish(sim, root) == (0, "")
    assert len(sim.requests) - n_before == N_REQUESTS
    return content(root)


@pytest.mark.parametrize("n_answered", [4, 9, N_REQUESTS - 1])
def test_a_killed_run_leaves_nothing_and_the_next_goes_on(
    n_answered: int, sim: Simulator, sound: dict[str, bytes], tmp_path: Path
) -> None:
    n_kept = n_pages(n_answered)
    with start(sim, tmp_path) as child:
        hooks.append(make_hook(tmp_path, n_answered, child))
        child.communicate(timeout=120)
    hooks.clear()
    assert child.returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    assert len(kept(tmp_path)) == n_kept
    n_before = len(sim.requests)
    assert finish(sim, tmp_path) == (0, "")
    assert content(tmp_path) == sound
    assert len(sim.requests) - n_before == N_REQUESTS - n_kept
    assert not kept(tmp_path)


def n_pages(n_answered: int) -> int:
    """How many of so many answers are pages to be kept."""
    return min(max(n_answered - N_FIRST, 0), N_PAGES)


def kept(root: Path) -> list[Path]:
    return list(root.glob(f"{files.DOWNLOADS}/*/*/*.arrow"))


def make_hook(root: Path, n_answers: int, child: subprocess.Popen[str]) -> Callable[[], Awaitable[None]]:
    """Lets `n_answers` requests pass, each when the pages answered before are on the disk; then kills the child."""
    n_passed, one_by_one = 0, asyncio.Lock()

    async def hold() -> None:
        nonlocal n_passed
        async with one_by_one:
            while n_passed <= n_answers and len(kept(root)) < n_pages(n_passed):
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.02)
            n_passed += 1
            if n_passed > n_answers:
                child.kill()
                await asyncio.Event().wait()

    return hold


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a file system of a size, or changes its size; skipped where this user may not."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(size: str) -> Path:
        how = f"remount,size={size}" if folder.is_mount() else f"size={size}"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", how, "tmpfs", str(folder)], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip("no right to mount a file system")
        return folder

    yield mount
    if folder.is_mount():
        subprocess.run(["umount", str(folder)], check=True)


def require_disk_full(ended: tuple[int, str], root: Path) -> None:
    assert ended[0] == EXIT_ENVIRONMENT
    assert ended[1].startswith("error[disk-full]")
    assert not (root / "out").exists()


def test_a_full_disk_publishes_nothing_and_with_room_it_goes_on(
    sim: Simulator, sound: dict[str, bytes], disk: Callable[[str], Path]
) -> None:
    root = disk("300k")
    require_disk_full(finish(sim, root), root)
    n_before = len(sim.requests)
    assert finish(sim, disk("50m")) == (0, "")
    assert content(root) == sound
    assert len(sim.requests) - n_before < N_REQUESTS


def test_a_file_that_may_not_grow_publishes_nothing(sim: Simulator, sound: dict[str, bytes], tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))

    require_disk_full(finish(sim, tmp_path, preexec_fn=limit), tmp_path)
    assert finish(sim, tmp_path) == (0, "")
    assert content(tmp_path) == sound
