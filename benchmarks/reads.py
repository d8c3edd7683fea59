"""Reading: every query over every length, from memory, from partitions, from bare DuckDB on the same files, and live."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.measure import Row, beside, check, race
from benchmarks.world import NOW, World
from cache_store import CATALOGUE, Store, fetch, open_store
from nem.windows import Window

LENGTHS = (1, 7, 30, 365, 1826)  # days
LIVE_UP_TO = 365  # days; longer, the source is not asked
IN_MEMORY_MS = 0.2
OVER_BARE = 1.3


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
        return self._answer(store, origin).table

    def fetch_at(self, now: datetime) -> pa.Table:
        """What partitions answer at another instant."""
        return self._answer(self.cold, "cache", now).table

    def _answer(self, store: Store, origin: str, now: datetime = NOW) -> Any:
        options = {"filters": self.filters, "resolution": self.resolution, "origin": origin, "now": now}
        return fetch(store, self.world.source, self.query, self.window, **options)

    def bare(self) -> tuple[Any, int]:
        """A reading of the same files, columns and rows by DuckDB alone, as Arrow; and how many files."""
        builds = {segment.build for segment in self._answer(self.cold, "cache").receipt.segments}
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


def run(world: World, far: World | None) -> Iterator[Row]:
    """Every query over every length the worlds hold; then what has a budget of its own.

    ``far`` is a longer history of fewer units, for lengths that ``world`` does not reach.
    """
    for query in CATALOGUE:
        for days in LENGTHS:
            held = world if days <= world.days else far
            if held is not None and days <= held.days:
                fewer = "" if held is world else " (of 110 units)"
                yield from _lengths(Asked.of(held, query, days, _resolution(query, days)), f"{days} d{fewer}")
    yield from _lengths(Asked.of(world, "capacity_factor", 30, "30min", duid=["HPR1"]), "30 d, one unit")
    yield from _lengths(Asked.of(world, "capacity_factor", 365, "1d", duid=["HPR1"]), "365 d, one unit")
    settled = Window(datetime(2026, 8, 1), datetime(2026, 8, 31))
    yield from _lengths(Asked.of(world, "generation_by_fuel", settled, "30min"), "30 d of a settled month")


def _resolution(query: str, days: int) -> str:
    """The finest within 2,200 points; capacity_factor stores no five minutes."""
    if days <= 7:
        return "30min" if query == "capacity_factor" else "5min"
    return "30min" if days <= 30 else "1d"


def _lengths(asked: Asked, length: str) -> Iterator[Row]:
    bare, files = asked.bare()
    mine = asked.fetch(asked.cold)
    # Within a region nothing is added up on read, so bare rows are ours but for the ratios.
    check(bare().num_rows == mine.num_rows, f"{asked.query}, {length}: bare DuckDB")
    check(agree(asked.fetch(asked.store), mine), f"{asked.query}, {length}: memory")
    ways = {
        "partitions": lambda: asked.fetch(asked.cold),
        "bare DuckDB": bare,
        "memory": lambda: asked.fetch(asked.store),
    }
    with_live = (asked.window.end - asked.window.start).days <= LIVE_UP_TO
    if with_live:
        check(agree(mine, asked.fetch(asked.cold, "live")), f"{asked.query}, {length}: live")
        ways["live"] = lambda: asked.fetch(asked.cold, "live")
    taken = race(ways, seconds=2.0)
    case = f"{asked.query}, {length} at {asked.resolution}"
    own, factor = _budgets(asked, length)
    budgets = {"bare DuckDB": {"ratio_at_most": OVER_BARE, "note": f"{files} files"}, "live": {"times_better": factor}}
    memory = taken.pop("memory")
    rows = list(beside("reads", case, "partitions", taken, budgets))
    rows.append(Row("reads", case, "partitions", rows[0].mine, spread=rows[0].spread, at_most=own)) if own else None
    yield from rows
    yield from beside(
        "reads",
        case,
        "memory",
        {"memory": memory, "partitions": taken["partitions"]},
        {"partitions": {"at_most": IN_MEMORY_MS}},
    )


def _budgets(asked: Asked, length: str) -> tuple[float | None, float | None]:
    """Of the reading in ms, and how many times faster than live it has to be."""
    one_unit = "duid" in asked.filters
    factors = {"generation_by_fuel": 100.0, "regional_price": 25.0, "capacity_factor": 30.0 if one_unit else 50.0}
    if length.startswith("365 d"):
        own = {"generation_by_fuel": 8.0, "regional_price": 12.0}
        return own.get(asked.query), factors.get(asked.query)
    if asked.query == "generation_by_fuel":
        own_by_length = {"30 d": 20.0, "30 d of a settled month": 10.0}
        return (30.0 if length.startswith("1826 d") else own_by_length.get(length)), None
    return None, None


def agree(one: pa.Table, other: pa.Table) -> bool:
    """Equal to rounding: floats are summed in another order each time."""
    if one.num_rows != other.num_rows or one.column_names != other.column_names:
        return False
    return all(_column_agrees(one[name].combine_chunks(), other[name].combine_chunks()) for name in one.column_names)


def _column_agrees(one: pa.Array, other: pa.Array) -> bool:
    if not pa.types.is_floating(one.type):
        return one.equals(other)
    apart = pc.max(pc.abs(pc.subtract(one, other))).as_py() or 0.0
    scale = pc.max(pc.abs(one)).as_py() or 1.0
    return one.is_null().equals(other.is_null()) and apart <= 1e-9 * scale + 1e-9
