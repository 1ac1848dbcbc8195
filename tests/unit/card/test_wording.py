"""What a metric is called."""

from __future__ import annotations

from candlelock.card.wording import metric


def test_unknown_metric_keeps_its_name_and_its_value() -> None:
    one = metric("matthews_corr")
    assert (one.label, one.show(0.1262)) == ("matthews corr", "0.1262")
