"""The marks of lists, checklists, tables and rules in a text, which Discord has no markup for: the same for a
post from t.me's page and one from an account."""

BULLET = "• "
INDENT = "\N{EM SPACE}"
"""In front of the marks of a list within a list; unlike a blank it stays at the start of a line."""
CHECKED, UNCHECKED = "☑ ", "☐ "
CELL_SEPARATOR = " │ "
RULE = "─" * 12
