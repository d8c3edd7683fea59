"""What is measured: a generated lake, kept between runs in one folder, and stores warmed from it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.generate import LAST, UNITS, days_before, write_lake
from cache_store import CATALOGUE, Store, open_store
from cache_store.due import due
from cache_store.warm import warm
from nem.lake import SAMPLE_MARK, UNITS_FILE, day_file
from nem.source import Source, open_source
from nem.tables import TABLES
from nem.windows import Window, utc_time

END = datetime(LAST.year, LAST.month, LAST.day) + timedelta(days=1)
NOW = utc_time(END)
BATCH = 8  # periods warmed between two looks at failures, as the flow does


@dataclass(frozen=True, slots=True)
class World:
    """An installation: a lake of ``days`` days and a store that holds all of it, judged when its newest label was due."""

    home: Path
    days: int
    source: Source
    store: Store

    @property
    def lake(self) -> Path:
        """Where the source lies."""
        return self.home / "lake"

    def last(self, days: int) -> Window:
        """The newest ``days`` days."""
        return Window(END - timedelta(days=days), END)


def generated_lake(home: Path, days: int, units: int = UNITS) -> Path:
    """The lake of ``days`` days in ``home``; what is there already is kept."""
    lake = home / f"generated-{units}"
    write_lake(lake, days=days, units=units)
    return lake


def make_world(home: Path, lake: Path, days: int) -> World:
    """The newest ``days`` days of ``lake`` as an installation in ``home``, nothing warmed.

    Its lake holds hard links: files there are only ever replaced, never changed.
    """
    shutil.rmtree(home, ignore_errors=True)
    link(lake / UNITS_FILE, home / "lake" / UNITS_FILE)
    for table in TABLES:
        for day in days_before(LAST, days):
            link(day_file(lake, table, day), day_file(home / "lake", table, day))
    # Its own now, or today's clock would find everything expired.
    (home / "lake" / SAMPLE_MARK).write_text(json.dumps({"generated": True, "now": "newest data"}))
    return World(home, days, open_source(home / "lake"), open_store(home / "store"))


def link(source: Path, target: Path) -> None:
    """A second name for a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.hardlink_to(source)


def warm_all(source: Source, store: Store, *, now: datetime = NOW) -> int:
    """Warm whatever is due, of every query; how many partitions were built.

    Raises:
        SystemExit: a partition could not be built.
    """
    built = 0
    for query in CATALOGUE.values():
        tasks = due(store, source, query, now=now)
        for first in range(0, len(tasks), BATCH):
            done = warm(store, source, query, tasks[first : first + BATCH], now=now)
            built += len(done.entries)
            if done.failed:
                raise SystemExit(f"{query.name} could not be warmed: {done.failed}")
    return built


def byte_count(root: Path, pattern: str = "*.parquet") -> int:
    """Bytes of the files below ``root``."""
    return sum(path.stat().st_size for path in root.rglob(pattern))
