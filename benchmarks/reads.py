"""Reading: every query over every length, from memory, from partitions, from bare DuckDB on the same files, and live."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.budgets import BUDGETS
from benchmarks.measure import Row, Way, agree, beside, line, race
from benchmarks.world import NOW, Size, World, generated_world, warm_all
from cache_store import CATALOGUE, Answer, Store, fetch, open_store
from nem.windows import Window

LENGTHS = (1, 7, 30, 365, 1826)  # days
LIVE_UP_TO = 365  # days; longer, the source is not asked
PICTURED = "generation_by_fuel"
MONTH = Window(datetime(2026, 8, 1), datetime(2026, 8, 31))  # settled


@dataclass(frozen=True)
class Asked:
    """One request, in every way there is to answer it."""

    world: World
    query: str
    window: Window
    resolution: str
    filters: dict[str, list[str]]
    store: Store  # with its memory
    cold: Store  # without: what is timed is the reading

    @classmethod
    def of(cls, world: World, query: str, days: int | Window, resolution: str, **filters: list[str]) -> Asked:
        window = days if isinstance(days, Window) else world.last(days)
        stores = open_store(world.store.root), open_store(world.store.root, memory_bytes=0)
        return cls(world, query, window, resolution, filters, *stores)

    def fetch(self, store: Store, origin: str = "cache") -> pa.Table:
        return self.answer(store, origin).table

    def answer(self, store: Store, origin: str = "cache", now: datetime = NOW) -> Answer:
        options = {"filters": self.filters, "resolution": self.resolution, "origin": origin, "now": now}
        return fetch(store, self.world.source, self.query, self.window, **options)

    def bare(self) -> tuple[Way, int]:
        """A reading of the same files, columns and rows by DuckDB alone, as Arrow; and how many files."""
        builds = {segment.build for segment in self.answer(self.cold).receipt.segments}
        entries = [entry for entry in self.cold.manifest().entries if entry.build in builds]
        whole = all(
            self.window.start <= entry.covers.start and entry.covers.end <= self.window.end for entry in entries
        )
        where = [f"list_contains(${key}, {key})" for key in self.filters]
        given: dict[str, Any] = {"files": self.cold.files(entries)} | self.filters
        if not whole:
            where.append("settlement_date > $start AND settlement_date <= $end")
            given |= {"start": self.window.start, "end": self.window.end}
        condition = f"WHERE {' AND '.join(where)}" if where else ""
        statement = f"FROM read_parquet($files, hive_partitioning = false) {condition}"
        connection = duckdb.connect()

        def read() -> pa.Table:
            with connection.cursor() as cursor:
                return cursor.sql(statement, params=given).to_arrow_table()

        return read, len(entries)


def run(world: World, size: Size) -> Iterator[Row]:
    """Every query over every length held; then what has a budget of its own."""
    # A longer history of fewer units, for lengths that the world does not reach.
    far = generated_world(world.home.parent, size.far_days, size.far_units) if size.far_days else None
    if far:
        warm_all(far.source, far.store)
    for query in CATALOGUE:
        for days in LENGTHS:
            if held := next((one for one in (world, far) if one and days <= one.days), None):
                fewer = "" if held is world else f" (of {size.far_units} units)"
                yield from _ways(Asked.of(held, query, days, _resolution(query, days)), f"{days} d{fewer}", size)
    if world.days >= 30:
        yield from _ways(Asked.of(world, "capacity_factor", 30, "30min", duid=["HPR1"]), "30 d, one unit", size)
    if world.days >= 365:
        yield from _ways(Asked.of(world, "capacity_factor", 365, "1d", duid=["HPR1"]), "365 d, one unit", size)
        yield from _ways(Asked.of(world, "generation_by_fuel", MONTH, "30min"), "30 d of a settled month", size)


def _resolution(query: str, days: int) -> str:
    """The finest within 2,200 points; capacity_factor stores no five minutes."""
    if days <= 7:
        return "30min" if query == "capacity_factor" else "5min"
    return "30min" if days <= 30 else "1d"


def _ways(asked: Asked, length: str, size: Size) -> Iterator[Row]:
    case = f"{asked.query}, {length} at {asked.resolution}"
    bare, files = asked.bare()
    ways = {
        "partitions": lambda: asked.fetch(asked.cold),
        "bare DuckDB": bare,
        "memory": lambda: asked.fetch(asked.store),
    }
    if (days := (asked.window.end - asked.window.start).days) <= LIVE_UP_TO:
        ways["live"] = lambda: asked.fetch(asked.cold, "live")
    taken = race(case, ways, seconds=size.seconds, same=_same)
    memory, mine = taken.pop("memory"), taken["partitions"]
    budgeted = f"{asked.query}, {length.partition(' (')[0]}"
    drawn = {"picture": "reads", "along": days} if budgeted == f"{PICTURED}, {days} d" else {}
    if budgeted in BUDGETS:
        yield line(case, "partitions", mine, budget=budgeted)
    live = f"{budgeted}, live"
    budgets = {"bare DuckDB": "bare", "live": live if live in BUDGETS else ""}
    yield from beside(case, taken, budgets, note=f"{files} file{'s' * (files > 1)}", **drawn)
    yield line(case, "memory", memory, "partitions", mine, budget="memory", **drawn)


def _same(mine: pa.Table, other: pa.Table) -> bool:
    """Whether ``other`` is ``mine``; bare rows, which lack what is derived on read, whether they sum up to the same."""
    if other.column_names == mine.column_names:
        return agree(mine, other)
    measures = [
        name for name in other.column_names if name in mine.column_names and pa.types.is_floating(other[name].type)
    ]
    sums = (pa.table({name: [pc.sum(table[name])] for name in measures}) for table in (mine, other))
    return bool(measures) and mine.num_rows == other.num_rows and agree(*sums)
