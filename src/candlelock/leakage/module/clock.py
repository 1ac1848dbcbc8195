"""A clock that stands still, for code that must not read it; and the real one, for how long that code may take.

What reads a clock that stands still gives one value again and again; where the clock stands elsewhere, another. The
clock is that of Python and of `pandas.Timestamp.now`; not seen are clocks that compiled code reads by itself, such as
`numpy.datetime64("now")`.
"""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

seconds_now = time.monotonic  # bound before any clock stands still
NS = 1_000_000_000


class _LikeDatetime(type):
    """Every datetime counts as one of the class that stands in for it, those made before too."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__mro__[1])

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.__mro__[1])


def deadline(seconds: float) -> Callable[[], bool]:
    """A function that says whether `seconds` from now have not passed yet, by the real clock."""
    end = seconds_now() + seconds
    return lambda: seconds_now() < end


def stop_clock(at_ms: int) -> None:
    """Let every clock of this process stand at a time, for modules imported from here on."""
    moment, at_s = pd.Timestamp(at_ms, unit="ms"), at_ms / 1000
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
        setattr(time, name, lambda: at_s)
        setattr(time, f"{name}_ns", lambda: at_ms * 1_000_000)
    time.clock_gettime, time.clock_gettime_ns = (lambda _: at_s), (lambda _: at_ms * 1_000_000)
    for name in ("localtime", "gmtime", "ctime"):
        setattr(time, name, _at_rest(getattr(time, name), at_s))
    real_strftime = time.strftime
    time.strftime = lambda form, *parts: real_strftime(form, *(parts or (time.localtime(),)))
    datetime.datetime, datetime.date = _stopped_classes(at_s)  # type: ignore[misc,assignment]
    pd.Timestamp.now = classmethod(lambda cls, tz=None: _in_zone(moment, tz))  # type: ignore[method-assign,assignment]
    pd.Timestamp.today = pd.Timestamp.now  # type: ignore[method-assign]
    pd.Timestamp.utcnow = classmethod(lambda cls: _in_zone(moment, "UTC"))  # type: ignore[method-assign,assignment]


def _at_rest(real: Callable[..., Any], at_s: float) -> Callable[..., Any]:
    return lambda seconds=None: real(at_s if seconds is None else seconds)


def _in_zone(moment: pd.Timestamp, zone: Any) -> pd.Timestamp:  # noqa: ANN401
    return moment.tz_localize("UTC").tz_convert(zone) if zone is not None else moment


def _stopped_classes(at_s: float) -> tuple[type, type]:
    """`datetime` and `date` whose now and today are that time."""

    class StoppedDatetime(datetime.datetime, metaclass=_LikeDatetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> StoppedDatetime:
            return cls.fromtimestamp(at_s, tz)

        @classmethod
        def utcnow(cls) -> StoppedDatetime:
            return cls.fromtimestamp(at_s, datetime.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> StoppedDatetime:
            return cls.fromtimestamp(at_s)

    class StoppedDate(datetime.date, metaclass=_LikeDatetime):
        @classmethod
        def today(cls) -> StoppedDate:
            return cls.fromtimestamp(at_s)

    return StoppedDatetime, StoppedDate
