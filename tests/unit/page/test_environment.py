"""Templates of a package and the shared ones: escaped, strict, complete."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from candlelock.page.environment import open_templates
from tests.pages import Page

PAGE = """{% import "parts.j2" as parts %}
{% set sheets = [] %}
{% include "head.html.j2" %}

<p>{{ words }} {{ share|percent }} {{ parts.hash(words) }}</p>
</body>
</html>
"""


def test_a_page_stands_on_the_shared_parts_alone() -> None:
    page = Page(open_templates("candlelock.card").from_string(PAGE).render(title="<b>", words="<i>&", share=0.25))
    page.require_nothing_outside()
    assert page.text() == "<b> <i>& 25.00% <i>&"
    assert {"b", "i"}.isdisjoint(tag for tag, _ in page.tags)


def test_a_name_that_is_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="words"):
        open_templates("candlelock.card").from_string(PAGE).render(title="x", share=0.25)


@pytest.mark.parametrize(("package", "template"), [("card", "card.html.j2"), ("snapshot", "quality.html.j2")])
def test_each_package_has_its_own_templates(package: str, template: str) -> None:
    assert template in open_templates(f"candlelock.{package}").list_templates()
