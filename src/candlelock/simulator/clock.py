"""The exchange's own clock: it stands still, or starts at a given time and runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """Shows `start_ms` (since 1970 UTC) at the monotonic second `set_at_s`; from then on it runs if `is_running`."""

    start_ms: int
    is_running: bool
    set_at_s: float = 0.0

    def now_ms(self, monotonic_s: float) -> int:
        """What it shows, in milliseconds since 1970 UTC."""
        return self.start_ms + (int(1000 * (monotonic_s - self.set_at_s)) if self.is_running else 0)


@dataclass
class WeightWindow:
    """The request weight used in the running minute, of `limit`."""

    limit: int
    minute: int = -1
    used: int = 0

    def charge(self, weight: int, monotonic_s: float) -> int | None:
        """Count a request; None when it is within the limit, else the seconds until the next minute."""
        minute = int(monotonic_s // 60)
        if minute != self.minute:
            self.minute, self.used = minute, 0
        self.used += weight
        return None if self.used <= self.limit else 60 - int(monotonic_s % 60)
