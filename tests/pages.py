"""HTML pages as a test reads them."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "br"}
REFERENCES = {"src", "href", "xlink:href", "srcset", "data", "action", "poster", "background"}


class Page(HTMLParser):
    """The words of a page and its tags; fails on tags that do not nest."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def require_nothing_outside(self) -> None:
        """Fails on a reference to another place, on a script, and on a policy that would allow them."""
        references = [value for _, attrs in self.tags for name, value in attrs.items() if name in REFERENCES]
        references += re.findall(r"url\(([^)]*)\)", self.source)
        assert [one for one in references if not (one or "").startswith(("#", "data:"))] == []
        assert not re.search(r"https?:|@import|//\w", self.source)
        assert {tag for tag, _ in self.tags}.isdisjoint({"script", "link", "iframe", "img", "object"})
        policy = next(attrs["content"] for _, attrs in self.tags if attrs.get("http-equiv"))
        assert policy == "default-src 'none'; style-src 'unsafe-inline'"
