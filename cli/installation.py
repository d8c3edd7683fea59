"""What a command works on: this installation's store and source, and the window it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from datetime import datetime, timedelta

    from cache_store import Store
    from nem import Source, Window


def open_installation() -> tuple[Store, Source]:
    """This installation's store and source."""
    from cache_store import open_store
    from cache_store.settings import Settings
    from nem import open_source

    settings = Settings()
    source = open_source(settings.lake)
    store = open_store(settings.store, memory_bytes=settings.memory_bytes, read_through=settings.read_through)
    return store, source


def lags(source: Source, now: datetime) -> dict[str, tuple[datetime, timedelta]]:
    """The newest label of each table of the source, and how far that is behind the newest due at ``now`` (UTC).

    Raises:
        SourceUnavailableError: it cannot be read.
    """
    from nem.tables import TABLES
    from nem.windows import newest_due

    return {
        table: (label, newest_due(now, TABLES[table].step) - label) for table, label in source.newest_labels().items()
    }


def window_of(arguments: argparse.Namespace) -> Window:
    """The window of ``--start`` and ``--end``."""
    from nem.windows import Window, parse_time

    return Window(parse_time(arguments.start), parse_time(arguments.end))
