"""Build the Model Card and the verdict from the reports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents
from candlelock.card import html, markdown
from candlelock.card.build import build_card
from candlelock.card.evidence import gather, read_plots
from candlelock.contracts import files
from candlelock.split.joined import read_rows
from candlelock.split.segments import segment_ranges

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params, head: str) -> None:
    """All reports of the head -> model_card.json, .md, .html."""
    own, root = files.HeadFiles(head), Path()
    evidence = gather(root, head)
    card = build_card(evidence, head, segment_ranges(read_rows(root, head)), params)
    page = html.render(card, evidence, read_plots(root, head))
    atomic.write_bytes(own.report("model_card.html"), page.encode())
    atomic.write_bytes(own.report("model_card.md"), markdown.render(card, evidence).encode())
    documents.write(own.report("model_card.json"), card)
    print(f"card {card.digest[:12]}: {card.verdict}")
