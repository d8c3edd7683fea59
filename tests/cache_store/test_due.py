"""What is due: the partitions whose source, definition or file changed, and no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest

from cache_store import CATALOGUE, Query, materialise, open_store
from cache_store.build import publish_entries, renew
from cache_store.due import Due, due
from cache_store.freshness import CLOSES_AFTER, SETTLES_AFTER, TTL_RECENT, TTL_SETTLED
from nem.errors import SourceUnavailableError
from nem.lake import land, land_units
from nem.source import open_source
from nem.windows import INTERVAL, RESOLUTIONS, Window, utc_time
from tests.cache_store.worlds import World, arriving, warm
from tests.oracle import compare
from tests.tiny_nem import WINDOW, units_with

QUERIES = list(CATALOGUE)
NOON = datetime(2024, 2, 29, 12)
FIRST, SECOND = "2024-02-29", "2024-03-01"


def what_is_due(world: World, **asked: object) -> list[tuple[str, str, str]]:
    return [
        (task.query, task.period, task.reason)
        for query in CATALOGUE.values()
        for task in due(world.store, world.source, query, **{"now": world.now, **asked})
    ]


def test_everything_is_due_in_an_empty_store_newest_first(tiny, tmp_path):
    empty = replace(tiny, store=open_store(tmp_path / "empty"))
    assert what_is_due(empty) == [(query, day, "missing") for query in QUERIES for day in (SECOND, FIRST)]


def reading(label: datetime) -> dict[str, list[object]]:
    return {"settlement_date": [label], "duid": ["COAL1"], "scada_mw": [9.0]}


# P3, R5, R6: a first reading of a day completes the day before; a capacity counts from its date on.
@pytest.mark.parametrize(
    ("table", "rows", "days"),
    [
        ("regional_price", {"settlement_date": [NOON], "region_id": ["SA1"], "rrp": [41.0]}, [FIRST]),
        ("unit_scada", reading(NOON), [FIRST]),
        ("unit_scada", reading(datetime(2024, 3, 1, 0, 5)), [SECOND, FIRST]),
        ("units", {"duid": "HYDRO1", "since": date(2024, 3, 1), "capacity_maximum_mw": 95.0}, [SECOND]),
    ],
)
def test_what_was_revised_makes_its_days_due_for_the_queries_that_read_it_alone(tiny, table, rows, days):
    if table == "units":
        land_units(tiny.source.root, units_with(**rows))
    else:
        land(tiny.source.root, table, pa.table(rows))
    needing = [query for query in QUERIES if table in CATALOGUE[query].sources]
    assert what_is_due(tiny) == [(query, day, "source_changed") for query in needing for day in days]


def test_warming_what_is_due_builds_that_alone_and_leaves_nothing_due(tiny):
    revised = pa.table({"settlement_date": [NOON], "region_id": ["SA1"], "rrp": [41.0]})
    land(tiny.source.root, "regional_price", revised)
    untouched = {entry.build for entry in tiny.store.manifest().entries if entry.period == SECOND}
    warm(tiny.store, tiny.source, tiny.now)
    assert what_is_due(tiny) == []
    assert untouched == {entry.build for entry in tiny.store.manifest().entries if entry.period == SECOND}


def test_a_day_that_went_on_arriving_is_due(tiny, tmp_path):
    store = open_store(tmp_path / "arriving")
    early = arriving(tiny.source, datetime(2024, 3, 1, 10, 35))
    warm(store, early, tiny.now)
    later = arriving(tiny.source, datetime(2024, 3, 1, 10, 40))
    assert [(task.period, task.reason) for task in due(store, later, CATALOGUE["regional_price"], now=tiny.now)] == [
        (SECOND, "source_changed")
    ]


# R5: an append while a build reads is kept.
def test_a_source_that_moves_during_a_build_leaves_it_due(tiny):
    query = CATALOGUE["regional_price"]
    revised = pa.table({"settlement_date": [NOON], "region_id": ["SA1"], "rrp": [41.0]})

    class Moving(type(tiny.source)):
        def attach(self, *arguments):
            super().attach(*arguments)
            land(self.root, "regional_price", revised)

    publish_entries(tiny.store, materialise(tiny.store, Moving(tiny.source.root), query, FIRST, now=tiny.now))
    assert (query.name, FIRST, "source_changed") in what_is_due(tiny)


def test_a_window_limits_what_is_due_to_the_periods_it_touches(tiny, tmp_path):
    empty = replace(tiny, store=open_store(tmp_path / "empty"))
    midnight = Window(datetime(2024, 2, 29, 23, 55), datetime(2024, 3, 1))
    assert {period for _, period, _ in what_is_due(empty, window=midnight)} == {FIRST}
    beyond = Window(datetime(2024, 3, 1, 23, 55), datetime(2024, 4, 1))
    assert {period for _, period, _ in what_is_due(empty, window=beyond)} == {SECOND}
    assert what_is_due(empty, window=Window(WINDOW.end, datetime(2024, 4, 1))) == []


def test_force_makes_everything_due(tiny):
    assert what_is_due(tiny, force=True) == [(query, day, "forced") for query in QUERIES for day in (SECOND, FIRST)]


# R4: half of its TTL ahead, or a warming every half TTL would find it a moment short of expiry every other time.
# Up to a tenth of it earlier still, each at its own moment, so that what was built together is not renewed together.
def test_a_partition_is_due_for_renewal_from_half_its_ttl_on(tiny):
    half = tiny.now + TTL_RECENT.fresh / 2
    early = tiny.now + TTL_RECENT.fresh * 0.4
    ageing = [(query, day, "ageing") for query in QUERIES for day in (SECOND, FIRST)]
    assert what_is_due(tiny, now=early - timedelta(microseconds=1)) == []
    assert what_is_due(tiny, now=half) == ageing
    assert what_is_due(tiny, now=tiny.now + 10 * TTL_RECENT.fresh) == ageing


# R4
def test_an_ageing_partition_is_renewed_without_touching_its_file(tiny):
    later = tiny.now + TTL_RECENT.fresh
    files = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in tiny.store.root.rglob("*.parquet")}
    before = {entry.build: entry for entry in tiny.store.manifest().entries}
    for query in CATALOGUE.values():
        for day in (FIRST, SECOND):
            publish_entries(tiny.store, [], renew(tiny.store, query, day, now=later))
    assert {p: (p.stat().st_ino, p.stat().st_mtime_ns) for p in tiny.store.root.rglob("*.parquet")} == files
    after = {entry.build: entry for entry in tiny.store.manifest().entries}
    assert set(after) == set(before)
    for build, entry in after.items():
        assert entry.built_at == before[build].built_at
        assert entry.freshness.verified_at == later
        assert entry.freshness.expires_at == later + TTL_RECENT.fresh
    assert what_is_due(tiny, now=later) == []


# R4
def test_renewing_an_arriving_day_on_a_frozen_source_does_not_make_it_fresh(tiny, tmp_path):
    store, frozen = open_store(tmp_path / "frozen"), arriving(tiny.source, datetime(2024, 3, 1, 10, 35))
    query = CATALOGUE["regional_price"]
    publish_entries(store, materialise(store, frozen, query, SECOND, now=utc_time(datetime(2024, 3, 1, 10, 35))))
    before = [entry.freshness.expires_at for entry in store.manifest().entries]
    later = utc_time(datetime(2024, 3, 1, 12))
    # It is not due: nothing would come of it.
    assert [task for task in due(store, frozen, query, now=later) if task.period == SECOND] == []
    publish_entries(store, [], renew(store, query, SECOND, now=later))
    assert [entry.freshness.expires_at for entry in store.manifest().entries] == before
    assert max(before) < later


def test_a_source_that_is_away_is_unavailable(tiny):
    with pytest.raises(SourceUnavailableError):
        due(tiny.store, open_source(tiny.source.root / "nowhere"), CATALOGUE["regional_price"], now=tiny.now)


# Definitions


def redefined(query: Query, sql: str) -> Query:
    """``query`` as it would be with other SQL."""
    other = replace(query)
    other.__dict__["sql"] = sql
    return other


# R6
@pytest.mark.parametrize("query", QUERIES)
def test_a_comment_or_white_space_leaves_the_fingerprint(query):
    declared = CATALOGUE[query]
    for sql in ("-- said otherwise\n" + declared.sql, declared.sql.replace("\n", "\n\n  "), declared.sql + "\n"):
        assert redefined(declared, sql).fingerprint == declared.fingerprint


# R6
@pytest.mark.parametrize("query", QUERIES)
def test_a_constant_a_column_or_a_source_changes_the_fingerprint(query):
    declared = CATALOGUE[query]
    variants = [
        redefined(declared, declared.sql.replace("$interval_hours", "2 * $interval_hours")),
        replace(declared, columns={**declared.columns, "more_mwh": declared.columns[declared.measures[-1]]}),
        replace(declared, columns=dict(list(declared.columns.items())[:-1])),
        replace(declared, sources=(*declared.sources, "rooftop_pv")),
    ]
    fingerprints = {variant.fingerprint for variant in variants}
    assert len(fingerprints) == len(variants)
    assert declared.fingerprint not in fingerprints


# R6: never a mixed read.
def test_partitions_of_another_definition_are_not_read_and_are_due(tiny, tmp_path):
    store = open_store(tmp_path / "former")
    query = CATALOGUE["regional_price"]
    former = redefined(query, query.sql.replace("AS rrp_sum", "* 2 AS rrp_sum"))
    for day in (FIRST, SECOND):
        publish_entries(store, materialise(store, tiny.source, former, day, now=tiny.now))
    world = replace(tiny, store=store)
    answer = world.fetch(query.name, tiny.span, resolution="1d")
    assert [(s.origin, s.reason) for s in answer.receipt.segments] == [("live", "fingerprint_mismatch")]
    compare(answer.table, tiny.expected(query.name, tiny.span, "1d"))
    found = due(store, tiny.source, query, now=tiny.now)
    assert [(task.period, task.reason) for task in found] == [
        (SECOND, "definition_changed"),
        (FIRST, "definition_changed"),
    ]
    publish_entries(store, materialise(store, tiny.source, query, FIRST, now=tiny.now))
    receipt = world.fetch(query.name, tiny.span, resolution="1d").receipt
    assert [(s.origin, s.reason) for s in receipt.segments] == [("cache", "fresh"), ("live", "fingerprint_mismatch")]
    publish_entries(store, materialise(store, tiny.source, query, SECOND, now=tiny.now))
    assert world.fetch(query.name, tiny.span, resolution="1d").receipt.origin == "cache"


# Months


@pytest.fixture(scope="module")
def warmed_month(month_world):
    """Warmed by days while their month is open, and asked then; then settled."""
    days = warm(month_world.store, month_world.source, month_world.now)
    answers = {
        query: month_world.fetch(query, month_world.span, resolution="1h", origin="cache").table for query in QUERIES
    }
    settled = month_world.now + SETTLES_AFTER
    return month_world, days, answers, settled, warm(month_world.store, month_world.source, settled)


def test_days_of_an_open_month_are_day_partitions(warmed_month):
    _, days, *_ = warmed_month
    assert len(days) == len(QUERIES) * 30
    assert {len(period) for _, period, _ in days} == {10}


def test_a_closed_whole_month_replaces_its_days(warmed_month):
    world, _, _, _, done = warmed_month
    assert {(query, period) for query, period, reason in done if reason != "ageing"} == {
        (query, "2024-02") for query in QUERIES
    }
    for query in CATALOGUE.values():
        for grain in query.grains:
            periods = [entry.period for entry in world.store.manifest().series(query.name, query.fingerprint, grain)]
            assert periods == ["2024-02", "2024-03-01"]


def test_a_month_is_not_closed_a_moment_earlier(month_world):
    query, store = CATALOGUE["regional_price"], open_store(month_world.store.root / "none")
    month_end = utc_time(datetime(2024, 3, 1))
    for at, count in ((timedelta(0), 2), (timedelta(microseconds=-1), 30)):
        found = due(store, month_world.source, query, now=month_end + CLOSES_AFTER + at)
        assert len(found) == count


# A tick warms the day it landed: however long the history is, it is not looked through.
def test_what_a_window_makes_due_is_told_from_its_months_alone(month_world):
    class Watched(type(month_world.source)):
        def coverage(self, table, window):
            looked_at.append(window)
            return super().coverage(table, window)

    looked_at, query = [], CATALOGUE["regional_price"]
    watched, store = Watched(month_world.source.root), open_store(month_world.store.root / "none")
    for window, months in (
        (Window(datetime(2024, 2, 10), datetime(2024, 2, 11)), Window(month_world.span.start, datetime(2024, 3, 1))),
        (Window(datetime(2024, 3, 1), datetime(2024, 3, 2)), Window(datetime(2024, 3, 1), month_world.span.end)),
        (None, month_world.span),
    ):
        assert due(store, watched, query, now=month_world.now, window=window)
        assert looked_at.pop() == months


@pytest.mark.parametrize("query", QUERIES)
def test_answers_from_a_month_are_those_from_its_days(warmed_month, query):
    world, _, answers, settled, _ = warmed_month
    answer = world.fetch(query, world.span, resolution="1h", origin="cache", now=settled)
    assert answer.table.schema == answers[query].schema
    compare(answer.table, answers[query].to_pandas())
    compare(answer.table, world.expected(query, world.span, "1h"))


def test_a_settled_month_is_renewed_not_rebuilt(warmed_month):
    world, _, _, settled, _ = warmed_month
    later = settled + TTL_SETTLED.fresh / 2
    found = due(world.store, world.source, CATALOGUE["regional_price"], now=later)
    assert Due("regional_price", "2024-02", "ageing") in found
    assert {task.reason for task in found if task.period != "2024"} == {"ageing"}


# R7, J6: facts of a unit may change within a bucket; whoever answers must choose its rows alike.
@pytest.mark.parametrize("chosen", [{"region_id": ["NSW1"]}, {"region_id": ["SA1"]}, {"region_id": ["VIC1"]}, None])
@pytest.mark.parametrize("resolution", RESOLUTIONS[2:])
def test_a_unit_that_moves_is_answered_alike_cached_and_live(warmed_month, resolution, chosen):
    world, _, _, settled, _ = warmed_month
    window = Window(datetime(2024, 2, 10, 6), datetime(2024, 2, 20, 18))
    for origin in ("cache", "live"):
        answer = world.fetch(
            "capacity_factor", window, resolution=resolution, filters=chosen, origin=origin, now=settled
        )
        compare(answer.table, world.expected("capacity_factor", window, resolution, chosen))


# J6: whatever describes a unit picks its rows while it does so: parts by station, region or fuel add up to the whole.
@pytest.mark.parametrize("origin", ["cache", "live"])
@pytest.mark.parametrize(
    ("fact", "former", "later"),
    [("station_name", "Before", "After"), ("region_id", "NSW1", "SA1"), ("fueltech_id", "gas_ocgt", "wind")],
)
def test_a_unit_that_changes_counts_in_each_for_its_time_there(warmed_month, origin, fact, former, later):
    world, _, _, settled, _ = warmed_month
    window = Window(datetime(2024, 2, 10), datetime(2024, 2, 20))

    def mover(**chosen: list[str]) -> dict[str, object]:
        filters = {"duid": ["MOVER1"], **chosen}
        asked = {"resolution": "1M", "filters": filters, "origin": origin, "now": settled}
        table = world.fetch("capacity_factor", window, **asked).table
        compare(table, world.expected("capacity_factor", window, "1M", filters))
        (row,) = table.to_pylist()
        return row

    before, after, whole = mover(**{fact: [former]}), mover(**{fact: [later]}), mover()
    assert (before[fact], after[fact], whole[fact]) == (former, later, later)
    assert before["potential_mwh"] == pytest.approx(5 * 24 * 100)  # 10 to 14 February, 100 MW
    for measure in ("energy_mwh", "potential_mwh", "market_value_aud", "running_count"):
        assert before[measure] + after[measure] == pytest.approx(whole[measure])


def test_one_interval_of_a_month_is_the_oracles(warmed_month):
    world, _, _, settled, _ = warmed_month
    window = Window(datetime(2024, 2, 15), datetime(2024, 2, 15) + INTERVAL)
    answer = world.fetch("generation_by_fuel", window, resolution="1M", now=settled)
    compare(answer.table, world.expected("generation_by_fuel", window, "1M"))
