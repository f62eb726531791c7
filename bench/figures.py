"""The table every benchmark of cost prints: what was measured, what was meant, what the reference needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Figure(NamedTuple):
    """`target` and `reference` are empty where there is none; `amount` is the value as a number."""

    name: str
    value: str
    target: str = ""
    reference: str = ""
    amount: float = 0.0


class Theirs(NamedTuple):
    """The reference's figure, for the row whose name begins with `name`; `amount` is in that row's unit."""

    name: str
    value: str
    amount: float


def joined(figures: Iterable[Figure | Theirs]) -> list[Figure]:
    """Rows. What the reference needs joins the row it belongs to, with how many times ours that is."""
    rows: list[Figure] = []
    for one in figures:
        places = [place for place, row in enumerate(rows) if row.amount and row.name.startswith(one.name)]
        if isinstance(one, Figure):
            rows.append(one)
        elif places:
            row = rows[places[-1]]
            rows[places[-1]] = row._replace(reference=f"{one.value} (x {_ratio(one.amount / row.amount)})")
        else:
            rows.append(Figure(one.name, "", reference=one.value))
    return rows


def _ratio(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}"


def table(figures: Iterable[Figure]) -> str:
    """Markdown, so that it can be quoted as it is."""
    head = ("figure", "measured", "target", "reference, same run")
    rows = [head, *((one.name, one.value, one.target, one.reference) for one in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
