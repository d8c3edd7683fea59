"""What is measured: a generated lake, and a store warmed from it, kept between runs in one folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.generate import LAST, write_lake
from cache_store import CATALOGUE, Store, open_store
from cache_store.plan import due
from cache_store.warm import warm
from nem.source import Source, open_source
from nem.windows import Window, utc_time


@dataclass(frozen=True, slots=True)
class World:
    """A lake of ``days`` days and a store that holds all of it, at the instant its newest label was due."""

    home: Path
    source: Source
    store: Store
    now: datetime
    span: Window

    def last(self, days: int) -> Window:
        """The newest ``days`` days."""
        return Window(self.span.end - timedelta(days=days), self.span.end)


def build_world(home: Path, days: int) -> World:
    """The world of ``days`` days in ``home``; what is there already is kept."""
    lake = home / f"lake-{days}d"
    write_lake(lake, days=days)
    source, store = open_source(lake), open_store(home / f"store-{days}d")
    end = datetime(LAST.year, LAST.month, LAST.day) + timedelta(days=1)
    now = utc_time(end)
    for query in CATALOGUE.values():
        tasks = due(store, source, query, now=now)
        for first in range(0, len(tasks), 8):
            done = warm(store, source, query, tasks[first : first + 8], now=now)
            if done.failed:
                raise SystemExit(f"{query.name} could not be warmed: {done.failed}")
    return World(home, source, store, now, Window(end - timedelta(days=days), end))
