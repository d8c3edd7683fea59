"""Refreshing after five new minutes and after one revised row, beside SQLMesh and PostgreSQL; and as history grows."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.generate import LAST, chosen_units, generating, make_day
from benchmarks.measure import MS, Row, check, spread, timed
from benchmarks.postgres import MissingPostgresError, Postgres
from benchmarks.reads import Asked, agree
from benchmarks.sqlmesh_rival import SqlMesh
from benchmarks.world import END, World, byte_count, make_world, warm_all
from cache_store import CATALOGUE
from cache_store.due import due
from cache_store.warm import warm
from nem.lake import day_file, land
from nem.tables import TABLES
from nem.windows import INTERVAL, Window, floor, utc_time

TICKS, REVISIONS = 12, 5
PACING = "generation_by_fuel"


class Rival(Protocol):
    """One query's answer kept up to date by something else: energy by region, fuel and five minutes."""

    name: str
    lands: bool  # whether its time includes taking the readings in, or the lake has them already

    def tick(self, readings: pa.Table) -> float:
        """Take in ``readings`` (settlement_date, duid, mean_mw) of a new label and refresh; ms."""
        ...

    def revise(self, day: date, readings: pa.Table) -> float:
        """The same of one old reading that changed."""
        ...

    def answer(self, window: Window) -> pa.Table:
        """What it holds: interval_end, region_id, fueltech_id, energy_mwh."""
        ...


def run(world: World, lake: Path, histories: tuple[int, ...]) -> Iterator[Row]:
    """Ticks on every length of history, in turn; then one month beside the rivals."""
    worlds = [world if days == world.days else _warmed(world, lake, days) for days in histories]
    grown = [Feed(one) for one in worlds]
    for feed in grown:
        feed.tick()  # the first opens the new day
        feed.tick()
    times = [[feed.tick() for feed in grown] for _ in range(TICKS)]
    by_history = {one.days: [row[i] for row in times] for i, one in enumerate(worlds)}
    shortest = worlds[0].days
    for days, mine in by_history.items():
        is_longest = days == worlds[-1].days
        yield Row(
            "refresh",
            f"five new minutes, every query, {days} d of history",
            "land and warm",
            statistics.median(mine),
            spread=spread(mine),
            rival=f"{shortest} d of history" if days != shortest else "",
            theirs=statistics.median(by_history[shortest]) if days != shortest else None,
            at_most=600.0,
            ratio_at_most=1.2 if is_longest and days != shortest else None,
        )
    yield from _beside_rivals(worlds[0], grown[0])


def _warmed(world: World, lake: Path, days: int) -> World:
    shorter = make_world(world.home.with_name(f"{world.home.name}-{days}d"), lake, days)
    warm_all(shorter.source, shorter.store)
    return shorter


class Feed:
    """What arrives in a world's lake after its end, and what that makes due."""

    def __init__(self, world: World):
        self.world, self.newest = world, END
        with generating(chosen_units(550)) as generator:
            self.coming = {name: make_day(generator, name, LAST + timedelta(days=1)) for name in TABLES}

    def tick(self) -> float:
        """Land the next label of every table and warm what that makes due, of every query; ms."""
        arriving = self.next_label()
        return self._land(arriving) + self._warm(list(CATALOGUE))

    def tick_of(self, arriving: dict[str, pa.Table], query: str) -> tuple[float, float]:
        """Land, and warm one query alone; ms of each."""
        return self._land(arriving), self._warm([query])

    def next_label(self) -> dict[str, pa.Table]:
        """The rows of the next label, as they land."""
        self.newest += INTERVAL
        label = pa.scalar(self.newest, pa.timestamp("us"))
        due_now = {
            name: rows
            for name, rows in self.coming.items()
            if TABLES[name].step == INTERVAL or floor(self.newest, "30min") == self.newest
        }
        return {
            name: rows.filter(pc.equal(rows["settlement_date"], label)).select(list(TABLES[name].landed))
            for name, rows in due_now.items()
        }

    def revise_price(self, days_back: int) -> float:
        """Land one price of some days ago anew, and warm every query; ms."""
        label = self.newest - timedelta(days=days_back)
        row = {"settlement_date": [label], "region_id": ["NSW1"], "rrp": [float(days_back)], "priority": [9]}
        return self._land({"regional_price": pa.table(row)}) + self._warm(list(CATALOGUE))

    def _land(self, arriving: dict[str, pa.Table]) -> float:
        days: list[date] = []

        def run() -> None:
            for name, rows in arriving.items():
                if rows.num_rows:
                    days.extend(land(self.world.lake, name, rows))

        taken = timed(run)
        check(bool(days), "nothing landed")
        return taken

    def _warm(self, queries: list[str]) -> float:
        return timed(lambda: self._warm_due(queries))

    def _warm_due(self, queries: list[str]) -> None:
        now = utc_time(self.newest)
        for query in (CATALOGUE[name] for name in queries):
            tasks = due(self.world.store, self.world.source, query, now=now)
            done = warm(self.world.store, self.world.source, query, tasks, now=now)
            check(not done.failed, f"{query.name}: {done.failed}")


def _beside_rivals(world: World, feed: Feed) -> Iterator[Row]:
    """One query on one month: a new label taken in by each, then a reading of some days ago that changed."""
    revised = [feed.revise_price(back) for back in range(1, REVISIONS + 1)]
    yield Row(
        "refresh", "one revised price, every query", "land and warm", statistics.median(revised), spread=spread(revised)
    )
    held: list[Rival] = [SqlMesh(world)]
    try:
        held.append(Postgres(world))
    except MissingPostgresError as error:
        yield Row("refresh", f"PostgreSQL was not measured: {error}", "-", 0.0, "")
    try:
        for rival in held:
            rival.tick(_now_of(world, END.date()))  # what the lake took in before they joined
            _same(world, feed, rival)
        yield from _in_turn(world, feed, held)
    finally:
        for rival in held:
            rival.close()  # type: ignore[attr-defined]


def _in_turn(world: World, feed: Feed, held: list[Rival]) -> Iterator[Row]:
    mine: dict[str, list[tuple[float, float]]] = {"five new minutes": [], "one revised reading": []}
    theirs: dict[str, dict[str, list[float]]] = {rival.name: {step: [] for step in mine} for rival in held}
    for back in range(2, 2 + REVISIONS):
        arriving = feed.next_label()
        mine["five new minutes"].append(feed.tick_of(arriving, PACING))
        # mean_mw is worked out when a reading lands, its own and the one before it: all take the lake's.
        fresh = _now_of(world, END.date(), feed.newest - 2 * INTERVAL)
        for rival in held:
            theirs[rival.name]["five new minutes"].append(rival.tick(fresh))
        day = LAST - timedelta(days=back)
        label = datetime(day.year, day.month, day.day, 12)
        row = pa.table({"settlement_date": [label], "duid": ["BW01"], "scada_mw": [100.0 + back], "priority": [9]})
        mine["one revised reading"].append(feed.tick_of({"unit_scada": row}, PACING))
        changed = _now_of(world, day, label - 2 * INTERVAL, label)
        for rival in held:
            theirs[rival.name]["one revised reading"].append(rival.revise(day, changed))
    for rival in held:
        _same(world, feed, rival)
    for step, parts in mine.items():
        for rival in held:
            times, taken = [landed * rival.lands + warmed for landed, warmed in parts], theirs[rival.name][step]
            yield Row(
                "refresh",
                f"{step}, energy by fuel, {world.days} d of history",
                "land and warm one query" if rival.lands else "warm one query",
                statistics.median(times),
                spread=spread(times),
                rival=rival.name,
                theirs=statistics.median(taken),
                their_spread=spread(taken),
            )


def _now_of(world: World, day: date, after: datetime | None = None, until: datetime | None = None) -> pa.Table:
    """The lake's readings of a day, those in ``(after, until]`` alone."""
    with duckdb.connect() as con:
        return con.sql(
            "SELECT settlement_date, duid, mean_mw FROM read_parquet($file) "
            "WHERE settlement_date > coalesce($after, TIMESTAMP '2000-01-01') "
            "AND settlement_date <= coalesce($until, TIMESTAMP '2100-01-01')",
            params={"file": str(day_file(world.lake, "unit_scada", day)), "after": after, "until": until},
        ).to_arrow_table()


def _same(world: World, feed: Feed, rival: Rival) -> None:
    """Check that the rival holds our energy, to rounding, over the last days and the new one."""
    window = Window(END - timedelta(days=9), feed.newest)
    asked = Asked.of(world, PACING, window, "5min")
    mine = asked.fetch_at(utc_time(feed.newest))
    mine = mine.filter(pc.not_equal(mine["fueltech_id"], "solar_rooftop"))
    names = ["interval_end", "region_id", "fueltech_id", "energy_mwh"]
    ordered = [mine.select(names), rival.answer(window).select(names)]
    with duckdb.connect() as con:
        rows = []
        for one in ordered:
            con.register("one", one)
            # Rows without energy are ours alone: a fuel that is registered and silent.
            rows.append(
                con.sql(
                    "SELECT interval_end::TIMESTAMP AS interval_end, region_id::VARCHAR AS region_id, "
                    "fueltech_id::VARCHAR AS fueltech_id, energy_mwh::DOUBLE AS energy_mwh FROM one "
                    "WHERE energy_mwh <> 0 ORDER BY ALL"
                ).to_arrow_table()
            )
    check(agree(*rows), f"{rival.name}: {rows[0].num_rows} rows of ours, {rows[1].num_rows} of its")


def warm_from_nothing(world: World) -> Iterator[Row]:
    """All of ``world`` into its empty store, by a process of its own whose peak memory is noted."""
    shutil.rmtree(world.store.root, ignore_errors=True)
    command = [sys.executable, "-m", "benchmarks.refresh", str(world.lake), str(world.store.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    seconds, peak = (float(word) for word in done.stdout.split())
    case = f"warm {world.days} d of 550 units from nothing"
    budget = 45.0 * world.days / 365
    yield Row("refresh", case, "one process", seconds, "s", at_most=budget)
    yield Row("refresh", f"{case}: peak memory", "one process", peak, "MB", at_most=1000.0)
    lake, store = byte_count(world.lake) / 1e6, byte_count(world.store.root) / 1e6
    yield Row("refresh", f"bytes on disk, {world.days} d", "store", store, "MB", rival="the lake", theirs=lake)
    for query in CATALOGUE.values():
        for grain in query.grains:
            held = byte_count(world.store.root / query.name / query.fingerprint / grain) / 1e6
            yield Row("refresh", f"bytes on disk, {world.days} d: {query.name} at {grain}", "store", held, "MB")


if __name__ == "__main__":
    from benchmarks.engines import peak_of_this_process
    from cache_store import open_store
    from nem.source import open_source

    lake, root = sys.argv[1:]
    taken = timed(lambda: warm_all(open_source(Path(lake)), open_store(Path(root))))
    print(taken / MS, peak_of_this_process())
