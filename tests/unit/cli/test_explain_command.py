"""`candlelock explain`: the row it picks, what it prints of it, and what it refuses. Tables are doubles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from candlelock.contracts.documents import utc_ms
from candlelock.serve import bundle as serve_bundle
from candlelock.serve.explanation import explain_row
from candlelock.split import joined
from tests.unit.serve.test_explanation import KEPT, make_bundle

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.serve.bundle import Bundle

    Call = Callable[..., tuple[int, str, str]]

ROOT = str(Path(__file__).resolve().parents[3])
TIMES = ["2019-01-01T00:00:00Z", "2019-01-01T00:30:00Z", "2019-01-01T01:30:00Z"]
X = np.random.default_rng(3).normal(size=(6, 4))


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return make_bundle(KEPT, ("lightgbm", "mlp"), 0.5)


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch, bundle: Bundle) -> None:
    """Three bars of two symbols; the last one is in no segment."""
    opened = [utc_ms(text) for text in TIMES] * 2
    symbols = np.repeat(["BTC/USD", "ETH/USD"], 3)
    rows = pd.DataFrame({"symbol": symbols, "open_time_ms": opened, "segment": ["decide", "test", None] * 2})
    rows["decision_time_ms"] = rows["open_time_ms"] + 1_800_000
    monkeypatch.setattr(joined, "read_matrix", lambda *_: (rows, X, ["gone", "b", "a", "c"]))
    monkeypatch.setattr(serve_bundle, "load_bundle", lambda _: bundle)


def test_the_answer_for_a_bar_is_taken_apart(candlelock: Call, bundle: Bundle) -> None:
    code, text, _ = candlelock("explain", "ETH/USD", "--time", "2019-01-01T00:30Z", "--root", ROOT, "--json")
    found, expected = json.loads(text), explain_row(bundle, X[[4]])
    assert (code, found["head"], found["symbol"], found["segment"]) == (0, "direction", "ETH/USD", "test")
    assert (found["open_time_utc"], found["decision_time_utc"]) == (TIMES[1], "2019-01-01T01:00:00Z")
    assert (found["p_up"], found["p_up_raw"]) == (expected.p_up, expected.p_up_raw)
    assert found["threshold"] == 0.6
    assert found["members"] == {name: {"p_up": each.answer, "weight": 0.5} for name, each in expected.members.items()}
    assert found["parts"]["mlp"] is None
    assert len(found["parts"]["lightgbm"]["contributions"]) == 3


def test_the_latest_bar_is_taken_where_none_is_named(candlelock: Call, bundle: Bundle) -> None:
    code, text, _ = candlelock("explain", "BTC/USD", "--root", ROOT, "--json")
    found = json.loads(text)
    assert (code, found["open_time_utc"], found["segment"]) == (0, TIMES[2], None)
    assert found["p_up"] == explain_row(bundle, X[[2]]).p_up


def test_what_is_not_shown_is_summed(candlelock: Call) -> None:
    sums = []
    for top in ("1", "3"):
        parts = json.loads(candlelock("explain", "BTC/USD", "--top", top, "--root", ROOT, "--json")[1])["parts"]
        own = parts["lightgbm"]
        assert (len(own["contributions"]), own["n_others"]) == (int(top), 3 - int(top))
        sums.append(own["base"] + own["others"] + sum(one["adds"] for one in own["contributions"]))
    assert sums[0] == pytest.approx(sums[1], abs=1e-12)


def test_people_see_the_same(candlelock: Call, bundle: Bundle) -> None:
    code, text, _ = candlelock("explain", "BTC/USD", "--top", "2", "--root", ROOT)
    found = explain_row(bundle, X[[2]])
    parts = found.members["lightgbm"].contributions
    assert code == 0
    assert parts is not None
    assert f"p_up {found.p_up:.4f}" in text
    assert all(f"{one.adds:+.4f}" in text for one in parts[:2])
    assert "1 others" in text
    assert "mlp: answers without parts" in text
    assert "in no segment" in text


@pytest.mark.parametrize(
    ("words", "error", "help_line"),
    [
        (["ETHUSD"], "error[symbol-unknown] SYMBOL", "did you mean 'ETH/USD'?"),
        (["ETH/USD", "--time", "soon"], "error[explain-time] --time", "such as"),
        (["ETH/USD", "--time", "2019-01-01T01:10Z"], "error[explain-time] --time", "opens at 2019-01-01T01:30:00Z"),
        (["ETH/USD", "--member", "mlp"], "error[explain-member] --member mlp", "permutation importance"),
        (["ETH/USD", "--member", "svm"], "not among the members of the bundle", "permutation importance"),
        (["ETH/USD", "--head", "directoin"], "error[head-unknown]", "direction"),
    ],
)
def test_what_is_not_there_is_refused(candlelock: Call, words: list[str], error: str, help_line: str) -> None:
    code, _, said = candlelock("explain", *words, "--root", ROOT)
    assert code == 2
    assert error in said
    assert help_line in said


def test_one_member_s_parts_may_be_asked_for(candlelock: Call) -> None:
    found = json.loads(candlelock("explain", "BTC/USD", "--member", "lightgbm", "--root", ROOT, "--json")[1])
    assert set(found["parts"]) == {"lightgbm"}
    assert set(found["members"]) == {"lightgbm", "mlp"}
