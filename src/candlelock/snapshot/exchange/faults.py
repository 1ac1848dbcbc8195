"""What can be wrong with an answer, as the parts of this package tell one another. Users see `contracts.errors`."""

from __future__ import annotations

from candlelock.contracts.documents import utc_text


class BadAnswerError(Exception):
    """An answer that cannot be right; asking again may help."""


class DisagreementError(Exception):
    """Two answers give the candle of `time_ms` differently."""

    def __init__(self, time_ms: int, one: str, other: str) -> None:
        super().__init__(f"{utc_text(time_ms)}: {one}, and in another answer {other}")
        self.time_ms = time_ms


class RefusedError(Exception):
    """The exchange does not want us: asking again is no use."""


class SlowDownError(Exception):
    """The exchange asks for a pause; `pause_s` is None when it does not say how long."""

    def __init__(self, text: str, pause_s: float | None) -> None:
        super().__init__(text)
        self.pause_s = pause_s
