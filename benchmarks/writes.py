"""Refreshing: five new minutes on a short and a long history, one revised row, and a year's warming from nothing."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.generate import LAST, chosen_units, generating, make_day
from benchmarks.measure import MS, Row, spread
from benchmarks.world import World
from cache_store import CATALOGUE, Store, open_store
from cache_store.plan import due
from cache_store.warm import warm
from nem.lake import land
from nem.source import Source, open_source
from nem.tables import TABLES
from nem.windows import INTERVAL, floor, utc_time

TICKS = 12


def run(short: World, long: World) -> Iterator[Row]:
    """Tick cost on both histories, in turn; then a revised row; then all of ``long`` anew."""
    with tempfile.TemporaryDirectory(dir=long.home) as folder:
        with _Scratch(short, Path(folder, "short")) as brief, _Scratch(long, Path(folder, "long")) as grown:
            times = [(brief.tick(), grown.tick()) for _ in range(TICKS)][2:]  # the first two open the new day
            mine = [pair[1] for pair in times]
            yield Row(
                f"five new minutes, {_days(long)} d of history",
                "land and warm",
                statistics.median(mine),
                spread(mine),
                f"{_days(short)} d of history",
                statistics.median(pair[0] for pair in times),
                budget_ms=600.0,
                budget_ratio=1.2,
            )
            revised = [grown.revise(back) for back in range(1, 6)]
            yield Row("one revised row", "land and warm", statistics.median(revised), spread(revised))
        yield _warm_all(long, Path(folder, "anew"))


def _days(world: World) -> int:
    return round(world.span.hours / 24)


class _Scratch:
    """A world to write in: hard links to the real one, whose files are only ever replaced, never changed."""

    def __init__(self, world: World, home: Path):
        for name, root in (("lake", world.source.root), ("store", world.store.root)):
            shutil.copytree(root, home / name, copy_function=_link)
        self.source: Source = open_source(home / "lake")
        self.store: Store = open_store(home / "store")
        self.newest = world.span.end
        self.generator = generating(chosen_units(550))
        self.coming = {name: make_day(self.generator, name, LAST + timedelta(days=1)) for name in TABLES}

    def __enter__(self) -> _Scratch:
        return self

    def __exit__(self, *_: object) -> None:
        self.generator.close()

    def tick(self) -> float:
        """Land the next label of every table and warm what that makes due; ms."""
        self.newest += INTERVAL
        arriving = {
            name: _landed(
                name, rows.filter(pc.equal(rows["settlement_date"], pa.scalar(self.newest, pa.timestamp("us"))))
            )
            for name, rows in self.coming.items()
            if floor(self.newest, "30min") == self.newest or TABLES[name].step == INTERVAL
        }
        return self._land_and_warm(arriving)

    def revise(self, days_back: int) -> float:
        """Land one price of some days ago anew; ms."""
        label = self.newest - timedelta(days=days_back)
        row = {"settlement_date": [label], "region_id": ["NSW1"], "rrp": [float(days_back)], "priority": [2]}
        return self._land_and_warm({"regional_price": pa.table(row)})

    def _land_and_warm(self, arriving: dict[str, pa.Table]) -> float:
        began = time.perf_counter()
        days = [day for name, rows in arriving.items() if rows.num_rows for day in land(self.source.root, name, rows)]
        if not days:
            raise SystemExit("nothing was landed, so nothing was timed")
        built, now = 0, utc_time(self.newest)
        for query in CATALOGUE.values():
            tasks = due(self.store, self.source, query, now=now)
            built += len(warm(self.store, self.source, query, tasks, now=now).entries)
        taken = (time.perf_counter() - began) * MS
        if not built:
            raise SystemExit("nothing was warmed, so nothing was timed")
        return taken


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def _landed(table: str, rows: pa.Table) -> pa.Table:
    return rows.select(list(TABLES[table].landed))


def _warm_all(world: World, root: Path) -> Row:
    """All history into an empty store, in a process of its own, whose peak memory is noted."""
    code = (
        "import sys, time, resource; from pathlib import Path; from benchmarks.writes import warm_everything\n"
        "began = time.perf_counter(); warm_everything(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    command = [sys.executable, "-c", code, str(world.source.root), str(root)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True)
    seconds, peak = (float(word) for word in done.stdout.split())
    size = sum(path.stat().st_size for path in root.rglob("*.parquet")) / 1e6
    lake = sum(path.stat().st_size for path in world.source.root.rglob("*.parquet")) / 1e6
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return Row(
        f"warm {_days(world)} d of 550 units from nothing",
        "library, one process",
        seconds * MS,
        budget_ms=45_000.0 * _days(world) / 365,
        note=f"peak {peak / unit:.0f} MB (at most 1,000); {size:.0f} MB from a lake of {lake:.0f} MB",
    )


def warm_everything(lake: Path, root: Path) -> None:
    """Warm all of ``lake`` into ``root``."""
    source, store = open_source(lake), open_store(root)
    now = utc_time(source.span("unit_scada").end)
    for query in CATALOGUE.values():
        tasks = due(store, source, query, now=now)
        for first in range(0, len(tasks), 8):
            if failed := warm(store, source, query, tasks[first : first + 8], now=now).failed:
                raise SystemExit(f"{query.name} could not be warmed: {failed}")
