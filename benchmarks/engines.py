"""Live rivals: energy by region, fuel and bucket straight out of the lake's files, by DuckDB, polars and chDB.

They work out energy alone; ours brings every measure. Peak memory of each is taken in a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.apart import apart
from benchmarks.measure import Row, Way, beside, installed, race
from benchmarks.reads import Asked
from benchmarks.world import Size, World
from nem.lake import UNITS_FILE, day_file

LENGTHS = ((1, "30min"), (30, "30min"), (365, "1d"))
_MINUTES = {"30min": 30, "1d": 1440}
_KEY = ["interval_end", "region_id", "fueltech_id"]


def run(world: World, size: Size) -> Iterator[Row]:
    """Partitions beside the engines, by length; then the peak memory of each."""
    engines, absent = installed(ENGINES)
    yield from absent
    lengths = [(days, resolution) for days, resolution in LENGTHS if days <= world.days]
    for days, resolution in lengths:
        asked = Asked.of(world, "generation_by_fuel", days, resolution)
        ways: dict[str, Way] = {"partitions": lambda asked=asked: asked.fetch(asked.cold)}
        for name, engine in engines.items():
            ways[name] = partial(engine, *_files(world, days), _MINUTES[resolution])
        case = f"energy by fuel, {days} d at {resolution}"
        taken = race(case, ways, seconds=size.seconds, same=same_energy)
        yield from beside(case, taken, picture="reads", along=days)
    days, resolution = lengths[-1]
    peaks = {
        name: apart(answer_once, name, world.home, world.days, days, resolution)[1] for name in ("partitions", *engines)
    }
    for name in engines:
        case = f"peak memory, energy by fuel, {days} d at {resolution}"
        yield Row(case, "partitions", peaks["partitions"], "MB", rival=name, theirs=peaks[name])


def answer_once(name: str, home: str, held_days: str, days: str, resolution: str) -> None:
    """One answer of one engine."""
    world = World.at(Path(home), held_days)
    if name == "partitions":
        asked = Asked.of(world, "generation_by_fuel", int(days), resolution)
        asked.fetch(asked.cold)
    else:
        ENGINES[name][0](*_files(world, int(days)), _MINUTES[resolution])


def _files(world: World, days: int) -> tuple[list[str], str]:
    window = world.last(days)
    files = [str(day_file(world.lake, "unit_scada", day)) for day in window.days()]
    return files, str(world.lake / UNITS_FILE)


def _duckdb(files: list[str], units: str, minutes: int) -> pa.Table:
    statement = """
        SELECT time_bucket(to_minutes($minutes), settlement_date - INTERVAL 5 MINUTE) + to_minutes($minutes)
                AS interval_end,
            region_id,
            CASE WHEN fueltech_id <> 'battery' THEN fueltech_id
                WHEN mean_mw < 0 THEN 'battery_charging' ELSE 'battery_discharging' END AS fueltech_id,
            sum(abs(mean_mw)) * 5 / 60 AS energy_mwh
        FROM read_parquet($files) JOIN read_parquet($units) USING (duid) GROUP BY ALL ORDER BY ALL"""
    with duckdb.connect() as con:
        return con.sql(statement, params={"files": files, "units": units, "minutes": minutes}).to_arrow_table()


def _polars(files: list[str], units: str, minutes: int) -> pa.Table:
    import polars as pl

    mean, fuel, step = pl.col("mean_mw"), pl.col("fueltech_id"), f"{minutes}m"
    energy = (
        pl.scan_parquet(files)
        .join(pl.scan_parquet(units).select("duid", "region_id", "fueltech_id"), on="duid")
        .with_columns(
            interval_end=(pl.col("settlement_date") - pl.duration(minutes=5)).dt.truncate(step).dt.offset_by(step),
            fueltech_id=pl.when((fuel == "battery") & (mean < 0))
            .then(pl.lit("battery_charging"))
            .when(fuel == "battery")
            .then(pl.lit("battery_discharging"))
            .otherwise(fuel),
        )
        .group_by(_KEY)
        .agg(energy_mwh=mean.abs().sum() * (5 / 60))
        .sort(_KEY)
        .collect()
    )
    return energy.to_arrow()


def _chdb(files: list[str], units: str, minutes: int) -> pa.Table:
    import chdb

    folder, names = Path(files[0]).parent, ",".join(Path(file).stem for file in files)
    chosen = f"{folder}/{{{names}}}.parquet" if len(files) > 1 else files[0]
    # Times without a zone are UTC's here: the buckets of naive labels.
    statement = f"""
        SELECT toDateTime64(toStartOfInterval(settlement_date - INTERVAL 5 MINUTE, INTERVAL {minutes} MINUTE, 'UTC')
                + INTERVAL {minutes} MINUTE, 6, 'UTC') AS interval_end,
            region_id,
            multiIf(u.fueltech_id <> 'battery', u.fueltech_id, mean_mw < 0, 'battery_charging', 'battery_discharging')
                AS fueltech,
            sum(abs(mean_mw)) * 5 / 60 AS energy_mwh
        FROM file('{chosen}', Parquet) AS s JOIN file('{units}', Parquet) AS u USING (duid)
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
    found = chdb.query(statement, "ArrowTable").rename_columns([*_KEY, "energy_mwh"])
    return found.set_column(0, "interval_end", found["interval_end"].cast(pa.timestamp("us")))


# And the module each needs.
ENGINES: dict[str, tuple[Callable[[list[str], str, int], pa.Table], str]] = {
    "DuckDB, energy alone": (_duckdb, "duckdb"),
    "polars, energy alone": (_polars, "polars"),
    "chDB, energy alone": (_chdb, "chdb"),
}


def same_energy(mine: pa.Table, theirs: pa.Table) -> bool:
    """Whether the energy is the same, but for rooftop solar, which is no unit's."""
    if mine is theirs:
        return True
    mine = mine.filter(pc.not_equal(mine["fueltech_id"], "solar_rooftop")).select([*_KEY, "energy_mwh"])
    with duckdb.connect() as con:
        con.register("mine", mine)
        con.register("theirs", theirs)
        # Batteries at rest are a row of ours, and of theirs where they stood at 0.
        apart = con.execute("""
            SELECT count(*) FILTER (abs(coalesce(mine.energy_mwh, 0) - coalesce(theirs.energy_mwh, 0))
                > 1e-9 * abs(coalesce(mine.energy_mwh, 0)) + 1e-6), count(mine.energy_mwh)
            FROM mine FULL JOIN (
                SELECT interval_end::TIMESTAMP AS interval_end, region_id::VARCHAR AS region_id,
                    fueltech_id::VARCHAR AS fueltech_id, energy_mwh FROM theirs
            ) AS theirs USING (interval_end, region_id, fueltech_id)""").fetchone()
    return apart is not None and apart[0] == 0 and apart[1] > 0
