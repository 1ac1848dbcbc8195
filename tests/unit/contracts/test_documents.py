from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from candlelock.contracts.card_document import CardRange
from candlelock.contracts.documents import Interval, utc_text
from candlelock.contracts.snapshot_documents import Gap, Source

SHA = "0" * 64


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_400_000, "2000-02-29T00:00:00Z"),
        (1_569_888_000_999, "2019-10-01T00:00:00Z"),
        (-1_000, "1969-12-31T23:59:59Z"),
    ],
)
def test_times_are_rfc_3339_in_utc_to_the_second(time_ms: int, text: str) -> None:
    assert utc_text(time_ms) == text


@pytest.mark.parametrize(
    "text",
    [
        "2019-10-01",
        "2019-10-01T00:00:00",
        "2019-10-01T00:00:00+00:00",
        "2019-10-01 00:00:00Z",
        "2019-02-29T00:00:00Z",
        "2019-10-01T24:00:01Z",
        "٢٠١٩-10-01T00:00:00Z",
        "now",
        "",
    ],
)
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        CardRange(start=text, end="2019-10-01T00:00:00Z")


@pytest.mark.parametrize("sha", [SHA[:-1], SHA + "0", SHA.replace("0", "g"), SHA[:-1] + "A"])
def test_other_hashes_are_refused(sha: str) -> None:
    with pytest.raises(ValidationError):
        Source(kind="files", name="x", address=None, asked=None, files={"a.csv": sha})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_a_figure_is_a_finite_number(value: Any) -> None:
    with pytest.raises(ValidationError):
        Interval(value=value, low=0.0, high=1.0)


def test_documents_are_frozen_and_closed() -> None:
    gap = Gap(first_open_utc="2019-10-01T00:00:00Z", last_open_utc="2019-10-01T00:00:00Z", n_bars=1, is_confirmed=False)
    with pytest.raises(ValidationError, match="frozen"):
        gap.n_bars = 2  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        Gap.model_validate({**gap.model_dump(), "bars": 1})
