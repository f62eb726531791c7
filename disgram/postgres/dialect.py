"""What of the ledger's SQL has another form in PostgreSQL than in SQLite."""

from __future__ import annotations

from disgram.storage.engine import Dialect

POSTGRES = Dialect(
    failed_index="",
    as_read="{}",
    is_whole="TRUE",
    is_moment="abs({}) < {}",
    any_of="SELECT jsonb_array_elements_text(CAST({} AS jsonb))",
)
"""Columns have types there: nothing odd can be in one."""
