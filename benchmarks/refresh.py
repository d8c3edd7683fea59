"""Refreshing after five new minutes and after one revised row, beside SQLMesh and PostgreSQL; and as history grows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.engines import same_energy
from benchmarks.generate import LAST, UNITS, chosen_units, generating, make_day
from benchmarks.measure import MissingRivalError, Row, check, line, timed
from benchmarks.postgres import Postgres
from benchmarks.reads import Asked
from benchmarks.sqlmesh_rival import SqlMesh
from benchmarks.world import END, Size, World, copied_world
from cache_store import CATALOGUE
from cache_store.due import due
from cache_store.warm import warm
from nem.lake import day_file, land
from nem.tables import TABLES
from nem.windows import INTERVAL, Window, day_window, floor, joined, utc_time

PACING = "generation_by_fuel"
THREE_YEARS = 1095  # days


# Each keeps energy by region, fuel and five minutes, and has the same verbs: tick, revise, answer, close. ``lands`` says
# whether its time includes taking the readings in, or the lake has them already.
Rival = SqlMesh | Postgres


def run(world: World, size: Size) -> Iterator[Row]:
    """Ticks on every length of history, in turn; then the shortest beside the rivals."""
    feeds = [Feed(copied_world(world, world.home / f"ticks-{days}", days)) for days in size.histories]
    for feed in feeds:
        feed.tick()  # the first opens the new day
        feed.tick()
    times: dict[int, list[float]] = {days: [] for days in size.histories}
    for _ in range(2 * size.rounds):
        for feed in feeds:
            times[feed.world.days].append(feed.tick())
    case = "five new minutes, every query, {} d of history"
    for days, taken in times.items():
        yield line(case.format(days), "land and warm", taken, budget="tick", picture="ticks", along=days)
    shortest, longest = min(times), max(times)
    yield line(
        case.format(longest), "land and warm", times[longest], f"{shortest} d of history", times[shortest],
        budget="flat" if longest >= THREE_YEARS else "",
    )  # fmt: skip
    yield from _beside_rivals(feeds[0], size.rounds)


class Feed:
    """What arrives in a world's lake after its end, and what that makes due."""

    def __init__(self, world: World):
        self.world, self.newest = world, END
        with generating(chosen_units(UNITS)) as generator:
            self.coming = {name: make_day(generator, name, LAST + timedelta(days=1)) for name in TABLES}

    def tick(self) -> float:
        """Land the next label of every table and warm what that makes due, of every query; ms."""
        return sum(self.take(self.next_label(), *CATALOGUE))

    def take(self, arriving: dict[str, pa.Table], *queries: str) -> tuple[float, float]:
        """Land, and warm what is due of ``queries`` on the days that changed, as the flow does; ms of each."""
        days: set[date] = set()
        landed = timed(lambda: days.update(day for name, rows in arriving.items() for day in self._land(name, rows)))
        check(bool(days), "nothing landed")
        return landed, timed(lambda: self._warm(queries, joined(map(day_window, sorted(days)))))

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
        return sum(self.take({"regional_price": pa.table(row)}, *CATALOGUE))

    def _land(self, table: str, rows: pa.Table) -> Iterable[date]:
        return land(self.world.lake, table, rows) if rows.num_rows else ()

    def _warm(self, queries: Iterable[str], windows: Sequence[Window]) -> None:
        store, source, now = self.world.store, self.world.source, utc_time(self.newest)
        for query in (CATALOGUE[name] for name in queries):
            tasks = [task for window in windows for task in due(store, source, query, now=now, window=window)]
            done = warm(store, source, query, tasks, now=now)
            check(not done.failed, f"{query.name}: {done.failed}")


def _beside_rivals(feed: Feed, rounds: int) -> Iterator[Row]:
    """One query on one month: a new label taken in by each, then a reading of some days ago that changed."""
    world = feed.world
    revised = [feed.revise_price(1 + i % world.days) for i in range(rounds)]
    yield line("one revised price, every query", "land and warm", revised)
    held: list[Rival] = []
    try:
        for kind in (SqlMesh, Postgres):
            try:
                held.append(kind(world))
            except MissingRivalError as error:
                yield Row(f"{kind.name} was not measured: {error}")
        for rival in held:
            rival.tick(_now_of(world, END.date()))  # what the lake took in before they joined
            _same(feed, rival)
        yield from _in_turn(feed, held, rounds)
    finally:
        for rival in held:
            rival.close()


def _in_turn(feed: Feed, held: list[Rival], rounds: int) -> Iterator[Row]:
    world = feed.world
    mine: dict[str, list[tuple[float, float]]] = {"five new minutes": [], "one revised reading": []}
    theirs: dict[str, dict[str, list[float]]] = {rival.name: {step: [] for step in mine} for rival in held}
    for i in range(rounds):
        arriving = feed.next_label()
        mine["five new minutes"].append(feed.take(arriving, PACING))
        # mean_mw is worked out when a reading lands, its own and the one before it: all take the lake's.
        fresh = _now_of(world, END.date(), feed.newest - 2 * INTERVAL)
        for rival in held:
            theirs[rival.name]["five new minutes"].append(rival.tick(fresh))
        day = LAST - timedelta(days=i % world.days)
        label = datetime(day.year, day.month, day.day, 12)
        row = pa.table({"settlement_date": [label], "duid": ["BW01"], "scada_mw": [100.0 + i], "priority": [9]})
        mine["one revised reading"].append(feed.take({"unit_scada": row}, PACING))
        changed = _now_of(world, day, label - 2 * INTERVAL, label)
        for rival in held:
            theirs[rival.name]["one revised reading"].append(rival.revise(day, changed))
    for rival in held:
        _same(feed, rival)
    for step, parts in mine.items():
        case = f"{step}, energy by fuel, {world.days} d of history"
        for rival in held:
            ours = "land and warm one query" if rival.lands else "warm one query"
            times = [landed * rival.lands + warmed for landed, warmed in parts]
            yield line(case, ours, times, rival.name, theirs[rival.name][step])


def _now_of(world: World, day: date, after: datetime | None = None, until: datetime | None = None) -> pa.Table:
    """The lake's readings of a day, those in ``(after, until]`` alone."""
    with duckdb.connect() as con:
        return con.sql(
            "SELECT settlement_date, duid, mean_mw FROM read_parquet($file) "
            "WHERE settlement_date > coalesce($after, TIMESTAMP '2000-01-01') "
            "AND settlement_date <= coalesce($until, TIMESTAMP '2100-01-01')",
            params={"file": str(day_file(world.lake, "unit_scada", day)), "after": after, "until": until},
        ).to_arrow_table()


def _same(feed: Feed, rival: Rival) -> None:
    """Check that the rival holds our energy, to rounding, over the last days and the new one."""
    window = Window(END - timedelta(days=min(feed.world.days, 9)), feed.newest)
    asked = Asked.of(feed.world, PACING, window, "5min")
    mine = asked.answer(asked.cold, now=utc_time(feed.newest)).table
    check(same_energy(mine, rival.answer(window)), rival.name)
