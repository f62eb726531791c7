"""In which columns a table's cells stand, as HTML counts: a cell of several columns or rows moves those
behind and below it.

Does not read the cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bs4 import Tag

from disgram.telegram.page.dom import attribute

CELL_TAGS = frozenset({"td", "th"})

MOST_COLUMNS = 100
"""Columns that one cell takes, and separators in front of a cell, at most: Telegram's tables have 20."""

MOST_ROWS = 65_534
"""Rows that one cell takes at most, as in HTML; a `rowspan` of 0 goes to the end of its section."""

_COLUMN = "data-column"


def place_cells(table: Tag) -> None:
    """Write down the column of every cell of a table, but not of the tables in its cells."""
    taken: dict[int, int] = {}
    section = None
    for row in table.find_all("tr"):
        if row.find_parent("table") is table:
            if row.parent is not section:
                taken, section = {}, row.parent
            _place_row(row, taken)


def column(cell: Tag, otherwise: int) -> int:
    """The cell's column, from 0; `otherwise` if it is in no table."""
    number = attribute(cell, _COLUMN)
    in_table = cell.find_parent("table") is not None and number.isdecimal()
    return min(int(number), otherwise + MOST_COLUMNS) if in_table else otherwise


def _place_row(row: Tag, taken: dict[int, int]) -> None:
    """`taken`: for how many more rows a cell from above takes a column; brought up to the next row."""
    number, below = 0, {at: rows - 1 for at, rows in taken.items() if rows > 1}
    for cell in _cells(row):
        while number in taken:
            number += 1
        cell[_COLUMN] = str(number)
        width = _span(cell, "colspan", MOST_COLUMNS) or 1
        height = _span(cell, "rowspan", MOST_ROWS) or MOST_ROWS
        if height > 1:
            below |= dict.fromkeys(range(number, number + width), height - 1)
        number += width
    taken.clear()
    taken.update(below)


def _cells(row: Tag) -> Iterator[Tag]:
    return (cell for cell in row.children if isinstance(cell, Tag) and cell.name in CELL_TAGS)


def _span(cell: Tag, name: str, most: int) -> int:
    number = attribute(cell, name)
    return min(int(number), most) if re.fullmatch("[0-9]{1,9}", number) else 1
