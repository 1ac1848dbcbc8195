"""The Model Card in short, as Markdown that a code host shows in a pull request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from candlelock.card import layout
from candlelock.card.wording import VALUES, is_traded, metric, question, reach
from candlelock.contracts.documents import SEGMENTS
from candlelock.page import wording

if TYPE_CHECKING:
    from candlelock.card.evidence import Evidence
    from candlelock.contracts.card_document import ModelCard


def render(card: ModelCard, evidence: Evidence) -> str:
    """The page as Markdown with a final newline."""
    page = _environment().get_template("card.md.j2")
    return page.render(
        card=card,
        evidence=evidence,
        evaluation=evidence.evaluation,
        segments=SEGMENTS,
        strip=layout.compare_accuracies(card),
        layout=layout,
        metric=metric,
        question=question(card),
        reach=reach(card),
        is_traded=is_traded(card),
        value_wording=VALUES,
        wording=wording,
    )


def escape(value: Any) -> str:  # noqa: ANN401
    """Text that Markdown takes literally and that stays in its table cell; a line break becomes a blank."""
    text = " ".join(str(value).split())
    return re.sub(r"[&<\\`*|~]|\](?=[(\[:])|^#", lambda found: f"&#{ord(found[0])};", text)


def _environment() -> Environment:
    # finalize: every value put into the page goes through `escape`, as autoescape does for HTML
    environment = Environment(  # noqa: S701
        loader=PackageLoader("candlelock.card"),
        finalize=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(wording.FILTERS)
    return environment
