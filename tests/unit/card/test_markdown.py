"""The card in short: tables that hold, words that stay words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlelock.card import markdown
from candlelock.card.wording import metric
from candlelock.page import wording

if TYPE_CHECKING:
    from candlelock.card.evidence import Evidence
    from candlelock.contracts.card_document import ModelCard


def tables(page: str) -> list[list[str]]:
    return [block.splitlines() for block in re.findall(r"(?:^\|.*\n)+", page, flags=re.MULTILINE)]


def n_cells(row: str) -> int:
    return row.count("|") - 1


def test_card_in_short(card: ModelCard, evidence: Evidence) -> None:
    page = markdown.render(card, evidence)
    assert page.startswith("# sample_direction: NO-GO\n\n- FAIL: back-test Sharpe 0.4012 (bound ≥ 1)\n")
    assert "| sample_direction | 56.31% | [55.70%, 56.92%] | – | 0.5902 | 0.6804 | 0.2437 | 0.5701 |\n" in page
    assert "| reversal (best rule) | 54.41% | [53.81%, 55.01%] | +1.90 pp | 0.5442 | – | – | 0.5466 |\n" in page
    assert "| × 2.00 | −29.61% | – | 1,236 |\n" in page
    assert "| test | 2019-04-04 00:00 | 2019-10-01 00:00 |\n" in page
    assert "| ensemble (stack), used | 0.681733 | platt | +0.000000 | 0.000104 |\n" in page
    assert "| 2019-04 | 8,412 | 53.10% | 50.31% | 0.0114 | 89.87% |\n" in page
    assert "| all | 42,117 | 50.52% | | 0.0083 | 90.04% |\n" in page
    brier = "reliability +0.000118, resolution -0.006461, uncertainty +0.249973, within bins +0.000040"
    assert f"\nBrier: {brier}.\n\n| on calibrate" in page
    assert "perfectly calibrated model on these rows: 0.0071, equal mass 0.0068.\n" in page
    assert page.endswith(f"Digest `{card.digest}`.\n")


def test_every_gate_metric_and_file_is_there(card: ModelCard, evidence: Evidence) -> None:
    page = markdown.render(card, evidence)
    for gate in card.gates:
        shown = f"{wording.number(gate.figure)} | {wording.between(gate.interval, wording.number)}"
        assert f"| {gate.name} | {wording.SYMBOLS[gate.status]} {gate.status} | {shown} |" in page
    for name, value in card.metrics.items():
        assert f"| {metric(name).label} | {metric(name).show(value)} |" in page
    for artifact in card.lineage:
        assert f"| {artifact.path} | `{artifact.sha256}` |" in page


def test_hostile_words_break_no_table(card: ModelCard, evidence: Evidence) -> None:
    attack = "a | b\n\n# <script>alert(1)</script> [x](http://evil.example) `code` **bold**"
    gate = card.gates[0].model_copy(update={"name": attack, "why": attack})
    hostile = card.model_copy(update={"model_name": attack, "notes": attack, "gates": [gate]})
    page = markdown.render(hostile, evidence)
    assert len(tables(page)) == len(tables(markdown.render(card, evidence)))
    for table in tables(page):
        assert {n_cells(row) for row in table} == {n_cells(table[0])}
    assert "<script" not in page
    assert "](http" not in page
    assert [line for line in page.splitlines() if line.startswith("# ")] == page.splitlines()[:1]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("R&D <b> > 0", "R&#38;D &#60;b> > 0"),
        ("a|b\\|c", "a&#124;b&#92;&#124;c"),
        ("`code` *bold* ~~struck~~", "&#96;code&#96; &#42;bold&#42; &#126;&#126;struck&#126;&#126;"),
        ("[0.49, 0.51]", "[0.49, 0.51]"),
        ("[x](y) [x][y] [x]: y", "[x&#93;(y) [x&#93;[y] [x&#93;: y"),
        ("two\n lines", "two lines"),
        ("# title", "&#35; title"),
        ("snake_case", "snake_case"),
    ],
)
def test_escape(text: str, escaped: str) -> None:
    assert markdown.escape(text) == escaped


@given(st.text())
def test_escaped_text_is_one_line_of_the_same_words(text: str) -> None:
    escaped = markdown.escape(text)
    assert len(escaped.splitlines()) <= 1
    assert not set(escaped) & set("<|`*~\\")
    assert re.sub(r"&#(\d+);", lambda found: chr(int(found[1])), escaped) == " ".join(text.split())
