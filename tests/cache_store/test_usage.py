"""What is asked most is found out, and only what is asked more than once."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cache_store import CATALOGUE, Receipt, Segment, fetch, open_store
from cache_store.due import due
from cache_store.freshness import freshness
from cache_store.manifest import Entry, Manifest
from cache_store.request import check_request
from cache_store.upkeep import KEEP_USAGE, sweep
from cache_store.usage import (
    Shape,
    Tally,
    Usage,
    affordable,
    build_cost,
    estimated_ms,
    most_asked,
    read_usage,
    shape_of,
)
from cache_store.warm import warm
from nem.windows import Window, utc_time

DAY = timedelta(days=1)
WHEN = datetime(2024, 3, 2, tzinfo=UTC)


def last(world, days, age=0):
    end = world.span.end - age * DAY
    return Window(end - days * DAY, end)


def shaped(world, window, now=None, query="regional_price", **options):
    asked = {"filters": None, "resolution": "1d", "origin": "auto", "max_staleness": None} | options
    return shape_of(check_request(query, window, **asked), now or world.now)


def test_todays_last_week_and_tomorrows_are_one_shape(sample_world):
    today = shaped(sample_world, last(sample_world, 7))
    tomorrow = Window(sample_world.span.end - 6 * DAY, sample_world.span.end + DAY)
    assert shaped(sample_world, tomorrow, sample_world.now + DAY) == today
    assert (today.days, today.age_days) == (7, 0)
    assert shaped(sample_world, last(sample_world, 7, age=3)).age_days == 3


def test_a_shape_means_its_days_counted_from_now(sample_world):
    shape = shaped(sample_world, last(sample_world, 7, age=1))
    assert shape.window(sample_world.span, now=sample_world.now) == last(sample_world, 7, age=1)
    assert shape.window(sample_world.span, now=sample_world.now - DAY) == last(sample_world, 7, age=2)
    assert shape.window(sample_world.span, now=sample_world.now + 400 * DAY) is None


def test_ragged_edges_are_asked_for_whole_days(sample_world):
    end = sample_world.span.end - timedelta(hours=5)
    shape = shaped(sample_world, Window(end - timedelta(hours=30), end), sample_world.now - timedelta(hours=5))
    assert (shape.days, shape.age_days) == (2, 0)


def test_the_whole_market_is_not_the_same_as_every_region(sample_world):
    window = last(sample_world, 1)
    whole = shaped(sample_world, window, filters={"region_id": ["NEM"]})
    assert whole.filters == (("region_id", ("NEM",)),)
    assert shaped(sample_world, window).filters == ()


SHAPE = Shape("regional_price", "1d", 7, 0, ())


def test_a_score_is_the_wait_that_warming_saves():
    assert Tally(10, 2, 0.4, 0.5).score == pytest.approx(10 * 0.2)
    assert Tally(10, 0, 0.0, 0.5).score == pytest.approx(0.5)


def test_what_was_asked_once_is_not_admitted():
    scan = Shape("regional_price", "5min", 365, 0, ())
    assert most_asked({SHAPE: Tally(2, 2, 0.1, 0.1), scan: Tally(1, 1, 60.0, 60.0)}, 10) == [SHAPE]


def test_what_no_partition_could_serve_is_not_admitted():
    fine = Shape("capacity_factor", "5min", 7, 0, ())
    gone = Shape("a_query_of_last_year", "1d", 7, 0, ())
    assert most_asked({fine: Tally(9, 9, 9.0, 9.0), gone: Tally(9, 9, 9.0, 9.0)}, 10) == []


def test_counts_of_all_processes_are_added_up(tmp_path, sample_world):
    week = last(sample_world, 7)
    request = check_request("regional_price", week, None, "1d", "auto", None)
    asked, asked_live = (
        sample_world.fetch("regional_price", week, resolution="1d", origin=origin).receipt
        for origin in ("auto", "live")
    )
    for seconds in (0.25, 0.5):
        usage = Usage()
        usage.note(request, asked_live, seconds=seconds)
        usage.note(request, asked, seconds=0.125)
        usage.note(request, replace(asked_live, from_memory=True), seconds=0.0)
        usage.flush(tmp_path)
        usage.flush(tmp_path)  # in place of its own earlier file
    tally = Tally(6, 2, 0.75, 1.0, live_hours=2 * 168, read_rows=2 * 35, read_seconds=0.25)
    assert read_usage(tmp_path) == {shape_of(request, sample_world.now): tally}


def part(hours, **facts):
    window = Window(datetime(2024, 3, 1), datetime(2024, 3, 1) + timedelta(hours=hours))
    return Segment(window, **{"origin": "live", "reason": "range_gap", "grain": "5min", **facts})


def receipt_of(*segments):
    return Receipt("regional_price", segments[0].window, "1h", 1, WHEN, segments)


# R10: 12 hours live of 48 in 3 s, 200 rows of 600 in 0.1 s: what a week took says less of half a day than a day does.
def test_an_estimate_is_at_the_pace_that_readers_of_the_query_met():
    planned = receipt_of(
        part(12),
        part(6, origin="cache", reason="fresh", build="b", row_count=200, byte_count=1),
        part(6, reason="empty_source"),
    )
    other = replace(SHAPE, days=1)
    tallies = {
        SHAPE: Tally(live_seconds=2.0, live_hours=40.0, read_rows=400, read_seconds=0.4),
        other: Tally(live_seconds=1.0, live_hours=8.0, read_rows=600, read_seconds=0.1),
        replace(SHAPE, query="capacity_factor"): Tally(live_seconds=99.0, live_hours=1.0),
    }
    assert estimated_ms(planned, tallies) == pytest.approx([750, 100 / 3, 0])
    assert estimated_ms(planned, {}) == [None, None, 0]


# R10: prices take 300 bytes a day and 125 ms an hour.
def test_the_cost_of_a_build_is_known_before_it():
    query, day = CATALOGUE["regional_price"], part(24).window
    manifest = Manifest.of(1, held(query, 48, 480, 96, 24))
    tallies = {SHAPE: Tally(live_seconds=6.0, live_hours=48.0), replace(SHAPE, query="other"): Tally(live_hours=9.0)}
    assert build_cost(query, day, manifest, tallies) == pytest.approx((3_000, 300))
    assert build_cost(query, day, Manifest(), {}) == (None, None)


# What the source answered in part took the source's time, however stale the rest.
def test_a_stale_answer_with_a_live_part_is_counted_as_live(sample_world, tmp_path):
    usage = Usage()
    stale = part(12, origin="stale", reason="stale", build="b", row_count=200, byte_count=1)
    request = check_request("regional_price", last(sample_world, 1), None, "1d", "auto", None)
    usage.note(request, receipt_of(stale, part(12)), seconds=1.0)
    usage.flush(tmp_path)
    assert list(read_usage(tmp_path).values()) == [Tally(1, 1, 1.0, 1.0, live_hours=12.0)]


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"query": "x"}]', json.dumps([{"resolution": "7min"}])])
def test_a_file_that_is_not_usage_is_passed_over(tmp_path, content):
    (tmp_path / "usage").mkdir()
    (tmp_path / "usage" / "odd.json").write_text(content)
    assert read_usage(tmp_path) == {}


def test_a_reader_counts_what_it_is_asked_and_how_it_answered(tiny_world, tmp_path):
    store = open_store(tmp_path / "store", read_through=True)
    for _ in range(2):
        fetch(store, tiny_world.source, "regional_price", tiny_world.span, now=tiny_world.now, resolution="1d")
    fetch(store, tiny_world.source, "regional_price", tiny_world.span, now=tiny_world.now, origin="live")
    store.background.shutdown(wait=True)
    store.usage.flush(store.root)
    (tally,) = read_usage(store.root).values()
    assert (tally.count, tally.live_count) == (2, 1)  # the second from memory; asking for live alone is no use


def test_old_usage_is_swept(tiny):
    usage = Usage()
    receipt = tiny.fetch("regional_price", tiny.span, resolution="1d").receipt
    usage.note(check_request("regional_price", tiny.span, None, "1d", "auto", None), receipt, seconds=1.0)
    usage.flush(tiny.store.root)
    (path,) = (tiny.store.root / "usage").iterdir()
    written = utc_time(tiny.span.end).fromtimestamp(path.stat().st_mtime, tiny.now.tzinfo)
    sweep(tiny.store, now=written + KEEP_USAGE)
    assert path.exists()
    sweep(tiny.store, now=written + KEEP_USAGE + timedelta(seconds=1))
    assert not path.exists()


def held(query, hours, *byte_counts):
    """A partition of that many bytes per stored grain, from 2024-03-01 on."""
    covers = Window(datetime(2024, 3, 1), datetime(2024, 3, 1) + timedelta(hours=hours))
    entry = Entry(
        query.name, query.fingerprint, "5min", "", "", covers, 0, 0, "", WHEN, {}, freshness(covers, covers.end, WHEN)
    )
    grains = zip(query.grains, byte_counts, strict=True)
    return [replace(entry, grain=grain, byte_count=byte_count) for grain, byte_count in grains]


# R11: a day of prices takes 240 + 48 + 12 bytes, one of capacity factors 90 + 10.
def test_what_is_asked_most_is_warmed_within_a_budget():
    manifest = Manifest.of(
        1, [*held(CATALOGUE["regional_price"], 48, 480, 96, 24), *held(CATALOGUE["capacity_factor"], 24, 90, 10)]
    )
    week, day, before = SHAPE, replace(SHAPE, days=1), replace(SHAPE, days=1, age_days=7)
    units = replace(SHAPE, query="capacity_factor", days=3)
    unknown = replace(SHAPE, query="generation_by_fuel", days=3_000)

    def chosen(byte_budget, *shapes):
        return affordable(shapes, byte_budget, manifest, now=WHEN)

    assert chosen(2_100, week, day, before) == [week, day]  # the day is of the week
    assert chosen(2_099, week, day, before) == [day, before]
    assert chosen(2_500, week, units, before) == [week, units]
    assert chosen(0, week, unknown) == [unknown]


# R11
def test_warming_the_few_shapes_asked_most_serves_most_of_what_is_asked(sample_world, tmp_path):
    """Four hundred requests over sixty shapes by Zipf's law: what half the bytes allow serves four in five."""
    chance = random.Random(20171014)
    asked = [(query, days, age) for query in CATALOGUE for days in (1, 3) for age in range(10)]
    chance.shuffle(asked)
    weights = [1 / rank for rank in range(1, len(asked) + 1)]
    usage = Usage()

    def replay(see):
        for query, days, age in chance.choices(asked, weights, k=400):
            see(check_request(query, last(sample_world, days, age), None, "30min", "auto", None))

    whole_day = replace(receipt_of(part(24)), now=sample_world.now)
    replay(lambda request: usage.note(request, whole_day, seconds=0.1))
    usage.flush(tmp_path)
    store = open_store(tmp_path)
    full = sample_world.store.manifest()
    budget = sum(entry.byte_count for entry in full.entries) // 2
    for shape in affordable(most_asked(read_usage(tmp_path), 60), budget, full, now=sample_world.now):
        window = shape.window(sample_world.span, now=sample_world.now)
        query = CATALOGUE[shape.query]
        tasks = due(store, sample_world.source, query, now=sample_world.now, window=window)
        assert warm(store, sample_world.source, query, tasks, now=sample_world.now).failed == {}
    outcome = Counter()

    def ask(request):
        answer = fetch(
            store, sample_world.source, request.query.name, request.window, now=sample_world.now, resolution="30min"
        )
        outcome[answer.receipt.coverage == 1 and all(one.origin == "cache" for one in answer.receipt.segments)] += 1

    replay(ask)
    assert outcome[True] / outcome.total() >= 0.8
    taken = sum(entry.byte_count for entry in store.manifest().entries)
    assert budget / 2 < taken <= budget * 1.05  # one day takes a little more than another
