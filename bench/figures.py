"""The table every benchmark of cost prints: what was measured, what was meant, what the reference needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Figure(NamedTuple):
    """`target` and `reference` are empty where there is none."""

    name: str
    value: str
    target: str = ""
    reference: str = ""


def table(figures: Iterable[Figure]) -> str:
    """Markdown, so that it can be quoted as it is."""
    rows = [Figure("figure", "measured", "target", "reference, same run"), *figures]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
