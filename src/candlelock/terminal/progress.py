"""A progress bar on standard error: on a terminal only, and only for work that takes longer than two seconds."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Task

QUIET_S = 2.0


class _Rate(ProgressColumn):
    """Things done per second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        """Before the first step there is no rate."""
        speed = task.speed or 0.0
        return Text(f"{speed:,.0f} {self.unit}/s" if speed >= 1 else f"{speed:.2g} {self.unit}/s" if speed else "")


@contextlib.contextmanager
def showing(what: str, unit: str, console: Console | None = None) -> Iterator[Callable[[int, int], None]]:
    """Yield a function to call with the number done and the total; it draws share, rate and time left."""
    console = console or Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), TaskProgressColumn(), _Rate(unit), TimeRemainingColumn())
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = progress.add_task(what, total=None)
    started = time.monotonic()

    def show(n_done: int, n_total: int) -> None:
        progress.update(task, completed=n_done, total=n_total)
        if not progress.live.is_started and time.monotonic() - started > QUIET_S:
            progress.start()

    try:
        yield show
    finally:
        progress.stop()


@contextlib.contextmanager
def telling(
    what: str, unit: str, say: Callable[[str], None], console: Console | None = None
) -> Iterator[Callable[[int, int, str], None]]:
    """As `showing`, of steps with a line about each: where there is no terminal, `say` is given the lines instead."""
    console = console or Console(stderr=True)

    with showing(what, unit, console) as show:

        def tell(n_done: int, n_total: int, line: str) -> None:
            show(n_done, n_total)
            if not console.is_terminal:
                say(f"{what}: {line}")

        yield tell
