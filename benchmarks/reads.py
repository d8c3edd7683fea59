"""Reading: from memory and from partitions, beside bare DuckDB on the same files, other engines, and other caches."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.measure import Row, compare
from benchmarks.world import World
from cache_store import Store, fetch, open_store

CASES = (  # query, days, resolution, filters, budget in ms, how many times faster than live
    ("generation_by_fuel", 30, "30min", {}, 20.0, None),
    ("generation_by_fuel", 365, "1d", {}, 8.0, 100.0),
    ("regional_price", 365, "1d", {}, 12.0, 25.0),
    ("capacity_factor", 365, "1d", {"duid": ["HPR1"]}, None, 30.0),
    ("capacity_factor", 365, "1d", {}, None, 50.0),
    ("generation_by_fuel", 7, "5min", {}, None, None),
    ("generation_by_fuel", 1825, "1d", {}, 30.0, None),
)


def run(world: World) -> Iterator[Row]:
    """Every case the world is long enough for."""
    days = round(world.span.hours / 24)
    for query, length, resolution, filters, budget_ms, times_faster in CASES:
        if length <= days:
            asked = _Asked(world, query, length, resolution, filters)
            yield asked.beside_bare(budget_ms)
            if length <= 365:
                yield asked.beside_live(times_faster)
    yield from _beside_caches(_Asked(world, "generation_by_fuel", min(30, days), "30min", {}))
    yield _beside_polars(world, min(30, days))


class _Asked:
    """One request, in every way there is to answer it."""

    def __init__(self, world: World, query: str, days: int, resolution: str, filters: dict[str, list[str]]):
        self.world, self.query, self.resolution, self.filters = world, query, resolution, filters
        self.window = world.last(days)
        self.case = f"{query}, {days} d at {resolution}{''.join(f', one {key}' for key in filters)}"
        # A store without memory: what is timed is the reading.
        self.cold = open_store(world.store.root, memory_bytes=0)

    def fetch(self, store: Store, origin: str = "cache") -> pa.Table:
        options = {"filters": self.filters, "resolution": self.resolution, "origin": origin, "now": self.world.now}
        return fetch(store, self.world.source, self.query, self.window, **options).table

    def beside_bare(self, budget_ms: float | None) -> Row:
        """The same files, columns and predicate, in DuckDB alone, as Arrow."""
        receipt = fetch(
            self.cold, self.world.source, self.query, self.window,
            now=self.world.now, filters=self.filters, resolution=self.resolution, origin="cache",
        ).receipt  # fmt: skip
        builds = {segment.build for segment in receipt.segments}
        files = self.cold.files([entry for entry in self.cold.manifest().entries if entry.build in builds])
        where = " AND ".join(f"list_contains(${key}, {key})" for key in self.filters)
        bare = duckdb.connect()
        statement = f"FROM read_parquet($files, hive_partitioning = false) {f'WHERE {where}' if where else ''}"
        given = {"files": files} | self.filters

        def read() -> pa.Table:
            with bare.cursor() as cursor:
                return cursor.sql(statement, params=given).to_arrow_table()

        mine = self.fetch(self.cold)
        _check(read().num_rows == mine.num_rows or self.resolution not in {"5min", "30min", "1d"}, self.case)
        ways = (lambda: self.fetch(self.cold), read)
        return compare(
            f"{self.case}, {len(files)} files", "partitions", "bare DuckDB", ways, budget_ms=budget_ms, budget_ratio=1.3
        )

    def beside_live(self, times_faster: float | None) -> Row:
        """The same request, answered by the source."""
        mine, live = self.fetch(self.cold), self.fetch(self.cold, "live")
        _check(_agree(mine, live), self.case)
        ways = (lambda: self.fetch(self.cold), lambda: self.fetch(self.cold, "live"))
        return compare(self.case, "partitions", "live", ways, budget_ratio=times_faster, faster=True)


def _beside_caches(asked: _Asked) -> Iterator[Row]:
    """The memory tier and three caches that hold the same frame."""
    import diskcache
    import joblib
    from dogpile.cache import make_region

    table, key = asked.fetch(asked.cold), repr((asked.query, asked.window, asked.resolution))
    store = open_store(asked.world.store.root)
    with tempfile.TemporaryDirectory() as folder:
        held = diskcache.Cache(str(Path(folder, "diskcache")))
        held[key] = table
        region = make_region().configure("dogpile.cache.memory_pickle")
        region.set(key, table)
        remembered = joblib.Memory(str(Path(folder, "joblib")), verbose=0).cache(_the_same)
        rivals: dict[str, Callable[[], pa.Table]] = {
            "diskcache": lambda: held[key],
            "dogpile.cache, memory": lambda: region.get(key),
            "joblib.Memory": lambda: remembered(key, table),
        }
        for name, read in rivals.items():
            _check(_agree(read(), table), name)
            yield compare(
                asked.case, "memory", name, (lambda: asked.fetch(store), read), budget_ms=0.2, budget_ratio=1.0
            )
        held.close()


def _the_same(_key: str, table: pa.Table) -> pa.Table:
    return table


def _beside_polars(world: World, days: int) -> Row:
    """Energy by region, fuel and day out of the lake: polars, and our own live path."""
    import polars as pl

    asked = _Asked(world, "generation_by_fuel", days, "1d", {})
    lake = world.source.root
    units = pl.read_parquet(lake / "units.parquet").select("duid", "region_id", "fueltech_id")
    first = world.span.end - timedelta(days=days)
    files = [path for path in sorted((lake / "unit_scada").glob("*.parquet")) if path.stem >= f"{first:%Y-%m-%d}"]

    def read() -> pl.DataFrame:
        by = ["interval_start", "region_id", "fueltech_id"]
        mean = pl.col("mean_mw")
        fuel = pl.col("fueltech_id")
        return (
            pl.scan_parquet(files)
            .join(units.lazy(), on="duid")
            .with_columns(
                interval_start=(pl.col("settlement_date") - pl.duration(minutes=5)).dt.truncate("1d"),
                fueltech_id=pl.when((fuel == "battery") & (mean < 0))
                .then(pl.lit("battery_charging"))
                .when(fuel == "battery")
                .then(pl.lit("battery_discharging"))
                .otherwise(fuel),
            )
            .group_by(by)
            .agg(energy_mwh=mean.abs().sum() * (5 / 60))
            .sort(by)
            .collect()
        )

    live = pl.from_arrow(asked.fetch(asked.cold, "live")).filter(pl.col("fueltech_id") != "solar_rooftop")
    both = live.join(read(), on=["interval_start", "region_id", "fueltech_id"], suffix="_polars")
    apart = (both["energy_mwh"] - both["energy_mwh_polars"]).abs().max()
    _check(len(both) > 0 and apart < 1e-6 * both["energy_mwh"].max(), f"polars is {apart} MWh apart")
    ways = (lambda: asked.fetch(asked.cold, "live"), read)
    return compare(asked.case, "live, all measures", "polars, energy alone", ways)


def _agree(one: pa.Table, other: pa.Table) -> bool:
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


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise SystemExit(f"not timed, the answers differ: {what}")
