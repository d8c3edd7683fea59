"""Until when a partition is fresh, stale but served, or refused; judged by the ``now`` that is handed in."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cache_store import CATALOGUE, materialise, open_store
from cache_store.build import publish_entries, renew
from cache_store.errors import NoAnswerError, StalenessExceededError
from cache_store.flight import take_turn
from cache_store.freshness import PUBLICATION_DELAY, SETTLES_AFTER, TTL_OPEN, TTL_RECENT
from cache_store.status import status
from cache_store.upkeep import rebuild_manifest
from nem.lake import land
from nem.source import open_source
from nem.windows import INTERVAL, Window, utc_time
from tests.cache_store.worlds import World, arriving, warm
from tests.oracle import compare
from tests.tiny_nem import LEAP_DAY, WINDOW

TICK = timedelta(microseconds=1)
QUERIES = list(CATALOGUE)


def cut_off(world: World) -> World:
    """The same store to a process that remembers nothing, its source away."""
    nowhere = open_source(world.source.root / "nowhere")
    return replace(world, source=nowhere, store=open_store(world.store.root, memory_bytes=0))


def origins(world: World, now: datetime, **asked: object) -> list[tuple[str, str]]:
    answer = world.fetch("regional_price", LEAP_DAY, resolution="1d", now=now, **asked)
    compare(answer.table, world.expected("regional_price", LEAP_DAY, "1d"))
    return [(segment.origin, segment.reason) for segment in answer.receipt.segments]


@pytest.fixture
def moments(tiny):
    """The instants at which the leap day's partitions change state."""
    (entry,) = [
        e
        for e in tiny.store.manifest().entries
        if (e.query, e.grain, e.period) == ("regional_price", "1d", "2024-02-29")
    ]
    return entry.freshness


REFUSED = ("refused", "stale")
FRESH, STALE, LIVE = ("cache", "fresh"), ("stale", "stale"), ("live", "stale")
# By edge: before it, and from it on; with the source up, then away.
EDGES = {
    "expires_at": ([FRESH, STALE], [FRESH, STALE]),
    "swr_until": ([STALE, LIVE], [STALE, STALE]),
    "sie_until": ([LIVE, LIVE], [STALE, REFUSED]),
}


# C2, R3: whatever its TTL, every edge belongs to what comes after it.
@pytest.mark.parametrize("is_up", [True, False])
@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("age", [timedelta(0), SETTLES_AFTER])
def test_every_edge_of_freshness_to_the_microsecond(tiny, age, edge, is_up):
    entries = materialise(tiny.store, tiny.source, CATALOGUE["regional_price"], "2024-02-29", now=tiny.now + age)
    publish_entries(tiny.store, entries)
    world = tiny if is_up else cut_off(tiny)
    at = getattr(entries[0].freshness, edge)
    before, after = EDGES[edge][0 if is_up else 1]
    for now, found in ((at - TICK, before), (at, after), (at + TICK, after)):
        if found == REFUSED:
            with pytest.raises(
                StalenessExceededError, match=r"regional_price over .*past their bound.*nemwarm warm"
            ) as caught:
                origins(world, now)
            assert caught.value.age - caught.value.bound == now - at
        else:
            assert origins(world, now) == [found]


# R3, metabase#78339: who does not get to build obeys the bound like anybody else.
@pytest.mark.parametrize(("edge", "found"), [("expires_at", STALE), ("swr_until", LIVE)])
def test_a_reader_that_loses_the_turn_to_build_keeps_the_bound(tiny, moments, edge, found):
    world = replace(tiny, store=open_store(tiny.store.root, read_through=True, memory_bytes=0))
    before = world.store.manifest()
    with take_turn(world.store.root, "regional_price"):
        assert origins(world, getattr(moments, edge)) == [found]
        world.store.background.shutdown(wait=True)
        assert world.store.manifest() is before


# R3: nor does it give up the caller's own bound.
def test_a_reader_that_loses_the_turn_to_build_keeps_max_staleness(tiny):
    world = replace(tiny, store=open_store(tiny.store.root, read_through=True, memory_bytes=0))
    bound = timedelta(minutes=30)
    with take_turn(world.store.root, "regional_price"):
        assert origins(world, tiny.now + bound, max_staleness=bound) == [("cache", "fresh")]
        assert origins(world, tiny.now + bound + TICK, max_staleness=bound) == [LIVE]
        world.store.background.shutdown(wait=True)


def test_stale_marks_the_whole_answer(tiny, moments):
    receipt = tiny.fetch("regional_price", tiny.span, resolution="1d", now=moments.expires_at).receipt
    assert receipt.origin == "stale"
    assert receipt.now == moments.expires_at
    assert receipt.built_at == tiny.now


def test_the_cache_alone_refuses_what_is_past_its_grace(tiny, moments):
    assert origins(tiny, moments.swr_until - TICK, origin="cache") == [("stale", "stale")]
    with pytest.raises(StalenessExceededError, match="the request allows the cache alone"):
        origins(tiny, moments.swr_until, origin="cache")


# R3
def test_max_staleness_refuses_partitions_verified_longer_ago(tiny):
    bound = timedelta(minutes=30)
    for age, found in ((bound, ("cache", "fresh")), (bound + TICK, ("live", "stale"))):
        assert origins(tiny, tiny.now + age, max_staleness=bound) == [found]
    with pytest.raises(StalenessExceededError, match=r"0:30:00\.000001 old, 0:30:00 allowed") as caught:
        origins(cut_off(tiny), tiny.now + bound + TICK, max_staleness=bound)
    again = pickle.loads(pickle.dumps(caught.value))  # as it comes from another process
    assert (again.age, again.bound, str(again)) == (bound + TICK, bound, str(caught.value))


# R3, C2: memory must not outlive the bound either.
def test_max_staleness_holds_in_memory_for_the_part_verified_longest_ago(tiny):
    bound, renewed_at = timedelta(minutes=30), tiny.now + timedelta(minutes=20)
    publish_entries(tiny.store, [], renew(tiny.store, CATALOGUE["regional_price"], "2024-03-01", now=renewed_at))
    asked = {"resolution": "1d", "max_staleness": bound}
    assert tiny.fetch("regional_price", WINDOW, now=renewed_at, **asked).receipt.origin == "cache"
    assert tiny.fetch("regional_price", WINDOW, now=tiny.now + bound, **asked).receipt.origin == "memory"
    late = tiny.fetch("regional_price", WINDOW, now=tiny.now + bound + TICK, **asked)
    assert [(s.origin, s.reason) for s in late.receipt.segments] == [LIVE, FRESH]


def test_max_staleness_holds_for_live_answers_in_memory(tiny):
    bound = timedelta(minutes=1)
    asked = {"resolution": "1d", "max_staleness": bound, "origin": "live"}
    tiny.fetch("regional_price", LEAP_DAY, now=tiny.now, **asked)
    revised = {"settlement_date": [datetime(2024, 2, 29, 12)], "region_id": ["SA1"], "rrp": [4000.0]}
    land(tiny.source.root, "regional_price", tiny.raw["regional_price"].schema.empty_table().from_pydict(revised))
    late = tiny.fetch("regional_price", LEAP_DAY, now=tiny.now + bound + TICK, **asked)
    assert late.receipt.origin == "live"
    assert max(late.table["rrp_max"].to_pylist()) == 4000


# R4: an arriving day is as old as its data.
@pytest.fixture
def open_day(tiny, tmp_path):
    """The second day up to 10:35, warmed then."""
    until = datetime(2024, 3, 1, 10, 35)
    store, source = open_store(tmp_path / "open"), arriving(tiny.source, until)
    world = replace(tiny, store=store, source=source, now=utc_time(until), span=Window(WINDOW.start, until))
    warm(store, source, world.now)
    return world


def test_an_arriving_day_expires_by_its_data_and_not_by_its_build(open_day):
    expires_at = utc_time(datetime(2024, 3, 1, 10, 35)) + PUBLICATION_DELAY + TTL_OPEN.fresh
    entries = [entry for entry in open_day.store.manifest().entries if entry.period == "2024-03-01"]
    assert {entry.freshness.expires_at for entry in entries} == {expires_at}
    for later in (timedelta(minutes=3), timedelta(hours=2)):
        built = materialise(
            open_day.store, open_day.source, CATALOGUE["regional_price"], "2024-03-01", now=open_day.now + later
        )
        assert {entry.freshness.expires_at for entry in built} == {expires_at}
        assert {entry.freshness.verified_at for entry in built} == {open_day.now + later}


# R4, U9: a source that stands still ages its head, and its head alone, however often it is warmed.
def test_a_frozen_source_ages_however_often_it_is_warmed(open_day):
    open_day = replace(open_day, store=open_store(open_day.store.root, memory_bytes=0))
    window = open_day.span
    now = open_day.now
    while now < open_day.now + PUBLICATION_DELAY + TTL_OPEN.fresh:
        assert open_day.fetch("regional_price", window, resolution="1d", now=now).receipt.origin == "cache"
        now += timedelta(minutes=5)
        for query in CATALOGUE.values():
            publish_entries(open_day.store, [], renew(open_day.store, query, "2024-03-01", now=now))
    receipt = open_day.fetch("regional_price", window, resolution="1d", now=now).receipt
    assert [(s.origin, s.reason) for s in receipt.segments] == [("cache", "fresh"), ("stale", "stale")]


def test_an_arriving_day_is_stale_by_its_own_grace(open_day):
    day = Window(datetime(2024, 3, 1), datetime(2024, 3, 1, 10, 35))
    expires_at = open_day.now + PUBLICATION_DELAY + TTL_OPEN.fresh
    open_day = replace(open_day, store=open_store(open_day.store.root, memory_bytes=0))
    away = cut_off(open_day)
    swr_until, sie_until = expires_at + TTL_OPEN.stale_while_revalidate, expires_at + TTL_OPEN.stale_if_error
    for world, edge, before, after in (
        (open_day, expires_at, "cache", "stale"),
        (away, expires_at, "cache", "stale"),
        (open_day, swr_until, "stale", "live"),
        (away, swr_until, "stale", "stale"),
        (open_day, sie_until, "live", "live"),
        (away, sie_until, "stale", None),
    ):
        for now, origin in ((edge - TICK, before), (edge, after), (edge + TICK, after)):
            if origin is None:
                with pytest.raises(StalenessExceededError):
                    world.fetch("regional_price", day, resolution="1d", now=now)
            else:
                assert world.fetch("regional_price", day, resolution="1d", now=now).receipt.origin == origin


# R4: rebuilding the past changes nothing at the head.
def test_a_backfill_leaves_the_head_as_old_as_it_was(open_day):
    before = {entry.build for entry in open_day.store.manifest().entries if entry.period == "2024-03-01"}
    later = open_day.now + timedelta(hours=5)
    for query in CATALOGUE.values():
        publish_entries(open_day.store, materialise(open_day.store, open_day.source, query, "2024-02-29", now=later))
    assert before == {entry.build for entry in open_day.store.manifest().entries if entry.period == "2024-03-01"}
    receipt = open_day.fetch("regional_price", open_day.span, resolution="1d", now=later).receipt
    assert [(s.origin, s.reason) for s in receipt.segments] == [("cache", "fresh"), ("live", "stale")]


def test_a_failed_answer_is_not_remembered(tiny, tmp_path):
    empty = replace(tiny, store=open_store(tmp_path / "empty"))
    with pytest.raises(NoAnswerError, match="the source failed"):
        cut_off(empty).fetch("regional_price", LEAP_DAY, resolution="1d")
    assert origins(empty, tiny.now) == [("live", "range_gap")]


# Status


def test_status_counts_what_is_fresh_expired_and_behind(tiny, moments):
    for now, fresh in ((moments.expires_at - TICK, 2), (moments.expires_at, 0)):
        rows = {(row.query, row.grain): row for row in status(tiny.store, now=now)}
        assert set(rows) == {(query.name, grain) for query in CATALOGUE.values() for grain in query.grains}
        for row in rows.values():
            assert (row.partitions, row.fresh, row.expired) == (2, fresh, 2 - fresh)
            assert row.data_through == WINDOW.end
            assert row.lag == TTL_RECENT.fresh
    files = [path.stat().st_size for path in (tiny.store.root / "regional_price").rglob("*.parquet")]
    assert sum(row.byte_count for row in status(tiny.store, now=tiny.now) if row.query == "regional_price") == sum(
        files
    )


def test_status_tells_how_long_the_newest_partition_took(tiny, tmp_path):
    """Of those built in one go the last; a footer cannot tell, so a manifest made of footers does not know."""
    store, query = open_store(tmp_path), CATALOGUE["regional_price"]
    for day, seconds in (("2024-03-01", 2.5), ("2024-02-29", 7.0)):
        built = materialise(store, tiny.source, query, day, now=tiny.now)
        assert all(entry.build_seconds is not None for entry in built)
        publish_entries(store, [replace(entry, build_seconds=seconds) for entry in built])
    told = {row.grain: row.build_seconds for row in status(store, now=tiny.now) if row.query == query.name}
    assert told == {"5min": 2.5, "30min": 2.5, "1d": 2.5}
    rebuild_manifest(store, now=tiny.now)
    assert {row.build_seconds for row in status(store, now=tiny.now)} == {None}


def test_status_of_an_empty_store_names_every_series(tmp_path):
    rows = status(open_store(tmp_path), now=utc_time(WINDOW.end))
    assert {row.query for row in rows} == set(CATALOGUE)
    assert {(row.partitions, row.data_through, row.lag) for row in rows} == {(0, None, None)}


# The newest label lies in the future: 18:10 is published at 18:05.
def test_status_measures_lag_from_the_newest_label_due(tiny):
    for now, lag in ((timedelta(0), 0), (TICK, 0), (timedelta(seconds=1), 1), (INTERVAL, 1)):
        row = status(tiny.store, now=utc_time(WINDOW.end) + now)[0]
        assert row.lag == lag * INTERVAL
