"""When the progress bar appears, and what it says. The clock is the test's."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from candlelock.terminal import progress


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1_000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now_s)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def make_console(clock: Clock, is_terminal: bool) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=is_terminal, width=120, get_time=lambda: clock.now_s, color_system=None
    )


def drawn(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def work(clock: Clock, console: Console, n_steps: int) -> str:
    """Ten bars of 100 in each of `n_steps` seconds; what was drawn before the end."""
    with progress.showing("candles", "bars", console) as show:
        for step in range(1, n_steps + 1):
            clock.now_s += 1
            show(10 * step, 100)
        return drawn(console)


def test_quick_work_shows_nothing(clock: Clock) -> None:
    console = make_console(clock, is_terminal=True)
    assert work(clock, console, 2) == ""
    assert drawn(console).strip() == ""


def test_longer_work_shows_share_rate_and_time_left(clock: Clock) -> None:
    said = work(clock, make_console(clock, is_terminal=True), 4)
    assert "candles" in said
    assert "40%" in said or "30%" in said
    assert "10 bars/s" in said
    assert "0:00:0" in said


def test_nothing_is_shown_where_nobody_looks(clock: Clock) -> None:
    console = make_console(clock, is_terminal=False)
    assert work(clock, console, 9) == ""
    assert drawn(console) == ""


def test_the_bar_goes_when_work_fails(clock: Clock) -> None:
    console = make_console(clock, is_terminal=True)
    with pytest.raises(ValueError, match="broken"), progress.showing("candles", "bars", console) as show:
        clock.now_s += 3
        show(1, 100)
        raise ValueError("broken")
    assert "\x1b[?25h" in drawn(console)  # the cursor is back


@pytest.mark.parametrize("is_terminal", [True, False])
def test_lines_stand_in_for_the_bar_where_there_is_no_terminal(clock: Clock, is_terminal: bool) -> None:
    console, said = make_console(clock, is_terminal), list[str]()
    with progress.telling("tune", "trials", said.append, console) as tell:
        for step in range(1, 5):
            clock.now_s += 4
            tell(step, 4, f"trial {step}")
    assert said == ([] if is_terminal else [f"tune: trial {step}" for step in range(1, 5)])
    assert ("0.25 trials/s" in drawn(console)) is is_terminal
