"""What is measured: a generated lake, kept between runs in one folder, and stores warmed from it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

from benchmarks.generate import LAST, UNITS, days_before, write_lake
from cache_store import CATALOGUE, Store, open_store
from cache_store.due import due
from cache_store.manifest import publish_manifest
from cache_store.warm import warm
from nem.lake import SAMPLE_MARK, UNITS_FILE, day_file
from nem.source import Source, open_source
from nem.tables import TABLES
from nem.windows import Window, utc_time

END = datetime(LAST.year, LAST.month, LAST.day) + timedelta(days=1)
NOW = utc_time(END)
BATCH = 8  # periods warmed between two looks at failures, as the flow does


class Crowd(NamedTuple):
    """Users of a server of so many processes."""

    users: int
    processes: int
    think_seconds: float = 10.0  # between two acts of a user, half as much to half as much again


@dataclass(frozen=True)
class Size:
    """How much is measured; by itself what `make bench` measures."""

    days: int = 366  # of history
    far_days: int = 0  # of fewer units: as many rows at 1d, but of single units
    far_units: int = 0
    histories: tuple[int, ...] = (31, 92, 366)  # days that ticks are timed on
    seconds: float = 0.5  # of a race
    rounds: int = 3  # starts, visits by a browser, ticks
    storm: tuple[int, int] = (4, 16)  # processes that ask a cold cache at once, and threads in each
    publications: int = 150  # under readers
    crowds: tuple[Crowd, ...] = (Crowd(1, 1), Crowd(10, 1), Crowd(30, 1), Crowd(30, 2))
    arrive_seconds: float = 1.0  # from one user to the next
    act_seconds: float = 20.0
    is_full: bool = False  # whether the last crowd is watched until nothing is left of it, and a month of CSV lands


SIZES = {
    "tiny": Size(
        days=3, histories=(1, 3), seconds=0.0, rounds=1, storm=(2, 4), publications=5,
        crowds=(Crowd(2, 2, 0.5),), arrive_seconds=0.1, act_seconds=1.0,
    ),
    "usual": Size(),
    "full": Size(
        days=1096, far_days=1826, far_units=110, histories=(31, 92, 366, 1096), seconds=2.0, rounds=9, publications=450,
        crowds=(*Size.crowds, Crowd(100, 2), Crowd(100, 2, 30.0)), act_seconds=30.0, is_full=True,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class World:
    """An installation: a lake of ``days`` days and a store that holds all of it, judged when its newest label was due."""

    home: Path
    days: int
    source: Source
    store: Store

    @classmethod
    def at(cls, home: Path, days: int | str) -> World:
        """What is in ``home``."""
        return cls(home, int(days), open_source(home / "lake"), open_store(home / "store"))

    @property
    def lake(self) -> Path:
        """Where the source lies."""
        return self.home / "lake"

    def last(self, days: int) -> Window:
        """The newest ``days`` days."""
        return Window(END - timedelta(days=days), END)


@cache
def generated_world(home: Path, days: int, units: int = UNITS) -> World:
    """An installation in ``home`` with ``days`` days of generated rows; what earlier runs left there is kept, its store too."""
    lake = home / f"generated-{units}"
    print(f"generating what is missing of {days} days in {lake}, kept for the next run", flush=True)
    write_lake(lake, days=days, units=units)
    return _linked(lake, home / f"world-{units}-{days}", days)


def copied_world(world: World, home: Path, days: int) -> World:
    """The newest ``days`` days of ``world``, warm, in ``home`` emptied first: to be changed without changing ``world``."""
    shutil.rmtree(home, ignore_errors=True)
    copied = _linked(world.lake, home, days)
    manifest, kept = world.store.manifest(), world.last(days)
    within = [entry for entry in manifest.entries if kept.start <= entry.covers.start]
    for entry in within:
        link(world.store.root / entry.path, copied.store.root / entry.path)
    publish_manifest(copied.store.root, lambda _: within)
    warm_all(copied.source, copied.store)  # months of which only a part is kept
    return copied


def _linked(lake: Path, home: Path, days: int) -> World:
    """Files in a lake are only ever replaced, never changed: a second name will do."""
    link(lake / UNITS_FILE, home / "lake" / UNITS_FILE)
    for table in TABLES:
        for day in days_before(LAST, days):
            link(day_file(lake, table, day), day_file(home / "lake", table, day))
    # Its own now, or today's clock would find everything expired.
    (home / "lake" / SAMPLE_MARK).write_text(json.dumps({"generated": True, "now": "newest data"}))
    return World.at(home, days)


def link(source: Path, target: Path) -> None:
    """A second name for a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        target.hardlink_to(source)


def warm_all(source: Source, store: Store) -> None:
    """Warm whatever is due, of every query.

    Raises:
        SystemExit: a partition could not be built.
    """
    for query in CATALOGUE.values():
        while tasks := due(store, source, query, now=NOW):  # a year after its parts
            for batch in _batches(tasks):
                done = warm(store, source, query, batch, now=NOW)
                if done.failed:
                    raise SystemExit(f"{query.name} could not be warmed: {done.failed}")


def _batches(tasks: list) -> Iterator[list]:
    return (tasks[first : first + BATCH] for first in range(0, len(tasks), BATCH))


def byte_count(root: Path, pattern: str = "*.parquet") -> int:
    """Bytes of the files below ``root``."""
    return sum(path.stat().st_size for path in root.rglob(pattern))
