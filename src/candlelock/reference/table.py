"""docs/features.md: every entry of features.yml in a table. `candlelock features doc --markdown` writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.reference.groups import by_group
from candlelock.reference.wording import known_words, range_words, warmup_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from candlelock.contracts.registry import Feature
    from candlelock.reference.groups import Group

HEAD = """# Features

Every feature of `features.yml`, generated from it by `candlelock features doc --markdown docs/features.md`.
`candlelock features doc` writes the same as a page, with a plot of each feature on your own candles.
Features of your own: [plugins.md](plugins.md).

The warm-up is exact: a value depends on so many bars before its own and on no others, and is null until they are
there. Days count as the bars that cover them. A range has an end where it is known; inputs are columns of the symbol's
candles, `market.close` is that of every symbol.
"""


def render(entries: Sequence[Feature]) -> str:
    """The page; entries of a group have to stand together."""
    groups = by_group(entries)
    contents = [f"- [{each.name}](#{each.name}) ({len(each.entries)}): {each.about}" for each in groups]
    sections = [line for each in groups for line in _section(each)]
    count = f"{len(entries)} features in {len(groups)} groups:"
    return "\n".join([HEAD, count, "", *contents, "", *sections]).rstrip("\n") + "\n"


def _section(group: Group) -> Iterator[str]:
    yield from (f"## {group.name}", "")
    yield from ("| feature | formula | unit | range | warm-up | inputs | known at | reference |", "|---" * 8 + "|")
    for entry in group.entries:
        inputs = ", ".join(f"`{name}`" for name in entry.inputs)
        cells = (
            f"`{entry.name}`",
            entry.formula,
            entry.unit,
            range_words(entry),
            warmup_words(entry),
            inputs,
            known_words(entry),
            entry.reference or "",
        )
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""
