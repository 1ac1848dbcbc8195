"""How a page is rendered: its package's templates before the shared ones, every value escaped, numbers as words."""

from __future__ import annotations

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from candlelock.page import wording


def open_templates(package: str) -> Environment:
    """The HTML templates of a package; `head.html.j2`, `parts.j2` and `page.css` are the shared ones.

    Pages are the same text on any machine: nothing is looked up but the templates, and a name that is not given is an
    error.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("candlelock.page")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(wording.FILTERS)
    return environment
