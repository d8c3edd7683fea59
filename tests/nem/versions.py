"""Of what version one day of a table is, by the token of a window that long."""

from __future__ import annotations

from datetime import date

from nem.source import Source
from nem.windows import day_window


def version_of(source: Source, table: str, day: date) -> str:
    """A token that changes when the day's rows may have."""
    return source.versions([table], day_window(day))[table]
