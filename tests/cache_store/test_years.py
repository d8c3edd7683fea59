"""Settled years: their days once more in one file, which no revision, break or renewal may leave wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cache_store import CATALOGUE, open_store
from cache_store.build import compact, publish_entries, renew, versions_of_year
from cache_store.due import due
from cache_store.errors import PartitionCorruptError
from cache_store.freshness import SETTLES_AFTER, TTL_SETTLED
from cache_store.manifest import months_of, period_window
from cache_store.upkeep import check, rebuild_manifest, repair, sweep
from cache_store.warm import warm
from dashboard.data import RANGES
from nem.source import open_source
from nem.windows import EPOCH, INTERVAL, RESOLUTIONS, Window, choose_resolution, utc_time
from tests.cache_store.worlds import World, only
from tests.oracle import compare
from tests.tiny_nem import raw_tables

QUERY = CATALOGUE["regional_price"]
YEAR = Window(datetime(2023, 1, 1), datetime(2024, 1, 1))
SPAN = Window(datetime(2022, 12, 31), datetime(2024, 1, 3))
SETTLED = utc_time(YEAR.end) + SETTLES_AFTER
MONTHS = [f"2023-{month:02}" for month in range(1, 13)]


def priced(rises: float = 0.0) -> dict[str, pa.Table]:
    """Raw tables with two prices a day; that of noon on 20 May is raised."""
    days = [SPAN.start + timedelta(days=i) for i in range(round(SPAN.hours / 24))]
    labels = [SPAN.start + INTERVAL, *(day + timedelta(hours=hour) for day in days for hour in (12, 24))]
    prices = [float(i * 37 % 401 - 50) for i in range(len(labels))]
    prices[labels.index(datetime(2023, 5, 20, 12))] += rises
    rows = {"settlement_date": labels, "region_id": ["SA1"] * len(labels), "rrp": prices}
    empty = {name: table.slice(0, 0) for name, table in raw_tables().items()}
    return empty | {"regional_price": pa.table(rows)}


def write(raw: dict[str, pa.Table], folder) -> None:
    """One file of all prices: a folder of days would take longer to land than all else here."""
    folder.mkdir(exist_ok=True)
    names = {"settlement_date": "SETTLEMENTDATE", "region_id": "REGIONID", "rrp": "RRP"}
    table = raw["regional_price"]
    pq.write_table(table.rename_columns([names[name] for name in table.column_names]), folder / "prices5.parquet")


@pytest.fixture(scope="module")
def months(tmp_path_factory):
    """A year and some days, warmed once it is settled: its months, that is."""
    folder, raw = tmp_path_factory.mktemp("year"), priced()
    write(raw, folder / "lake")
    world = World(raw, open_source(folder / "lake"), open_store(folder / "store"), SETTLED, SPAN)
    rewarm(world)
    return world


@pytest.fixture
def world(months, tmp_path):
    """The same, and then its year, for one test."""
    copy = months.copied_to(tmp_path)
    assert rewarm(copy) == [("2023", "missing")]
    return copy


def what_is_due(world, **asked):
    return [(task.period, task.reason) for task in due(world.store, world.source, QUERY, **{"now": world.now, **asked})]


def rewarm(world):
    tasks = due(world.store, world.source, QUERY, now=world.now)
    assert warm(world.store, world.source, QUERY, tasks, now=world.now).failed == {}
    return [(task.period, task.reason) for task in tasks]


def periods(store, grain="1d"):
    return [entry.period for entry in store.manifest().series("regional_price", QUERY.fingerprint, grain)]


def entry_of(store, period):
    (entry,) = [e for e in store.manifest().series("regional_price", QUERY.fingerprint, "1d") if e.period == period]
    return entry


def check_answer(world, window, builds_of, resolution="1d"):
    """The oracle's rows, from the 1d partitions of those periods and no other."""
    forgetful = replace(world, store=open_store(world.store.root, memory_bytes=0))
    answer = forgetful.fetch("regional_price", window, resolution=resolution, origin="cache")
    compare(answer.table, world.expected("regional_price", window, resolution))
    named = {entry.build: entry.period for entry in world.store.manifest().entries}
    assert [named[segment.build] for segment in answer.receipt.segments] == builds_of


def test_a_settled_whole_year_stands_beside_its_months_at_the_coarsest_grain(world):
    assert sorted(periods(world.store)) == ["2022-12-31", "2023", *MONTHS, "2024-01-01", "2024-01-02"]
    assert "2023" not in periods(world.store, "30min") + periods(world.store, "5min")
    assert what_is_due(world) == []


@pytest.mark.parametrize(("early", "reasons"), [(timedelta(0), ["missing"]), (timedelta(microseconds=1), [])])
def test_a_year_is_due_once_it_is_settled(months, early, reasons):
    assert [reason for period, reason in what_is_due(months, now=SETTLED - early) if period == "2023"] == reasons


def test_a_year_is_due_only_where_all_of_it_is_looked_at(months):
    assert what_is_due(months, window=YEAR) == [("2023", "missing")]
    assert what_is_due(months, window=Window(YEAR.start + timedelta(days=1), SPAN.end)) == []


@pytest.mark.parametrize("resolution", ["1d", "1M"])
def test_a_year_is_read_whole_or_left_to_its_months(world, resolution):
    check_answer(world, YEAR, ["2023"], resolution)
    check_answer(world, SPAN, ["2022-12-31", "2023", "2024-01-01", "2024-01-02"], resolution)
    autumn = Window(datetime(2023, 4, 10), datetime(2023, 6, 20))
    check_answer(world, autumn, MONTHS[3:6], resolution)


# R5
def test_a_revision_rebuilds_its_month_and_leaves_no_year_that_held_the_former_day(world):
    revised = replace(world, raw=priced(1000.0))
    write(revised.raw, world.source.root)
    assert rewarm(revised) == [("2023-05", "source_changed")]
    assert "2023" not in periods(revised.store)
    check_answer(revised, YEAR, MONTHS)
    assert rewarm(revised) == [("2023", "missing")]
    check_answer(revised, YEAR, ["2023"])


@pytest.mark.parametrize("month", [MONTHS[0], MONTHS[6], MONTHS[11]])
def test_a_year_made_of_another_version_of_any_month_is_due(world, month):
    entries, year = world.store.manifest().entries, entry_of(world.store, "2023")
    held = months_of(world.store.manifest(), QUERY, "2023")
    former = [replace(one, sources=dict.fromkeys(one.sources, "?")) if one.period == month else one for one in held]
    made_of_it = replace(year, sources=versions_of_year(QUERY, former))
    only(world.store, [made_of_it if entry == year else entry for entry in entries])
    assert what_is_due(world) == [("2023", "source_changed")]


# R12
def test_a_broken_year_is_answered_from_its_months_and_mended(world):
    entry = entry_of(world.store, "2023")
    (world.store.root / entry.path).write_bytes(b"x" * entry.byte_count)
    check_answer(world, YEAR, MONTHS)
    found = check(world.store, world.source, now=world.now)
    assert [(finding.problem, finding.entry) for finding in found] == [("altered", entry)]
    assert repair(world.store, world.source, found, now=world.now) == [("regional_price", "2023")]
    check_answer(world, YEAR, ["2023"])


@pytest.mark.parametrize("harm", ["missing", "altered"])
def test_a_year_is_not_made_of_months_that_are_not_whole(months, tmp_path, harm):
    world = months.copied_to(tmp_path)
    entry = entry_of(world.store, "2023-07")
    path = world.store.root / entry.path
    path.unlink() if harm == "missing" else path.write_bytes(b"x" * entry.byte_count)
    with pytest.raises(PartitionCorruptError, match="not all months of 2023"):
        compact(world.store, QUERY, "2023", now=world.now)
    world.fetch("regional_price", YEAR, resolution="1d")  # a reader meets it
    assert rewarm(world) == [("2023-07", "broken")]
    assert rewarm(world) == [("2023", "missing")]
    check_answer(world, YEAR, ["2023"])


def test_a_year_is_as_fresh_as_the_month_verified_longest_ago(months, tmp_path):
    world = months.copied_to(tmp_path)
    later = replace(world, now=world.now + timedelta(days=3))
    renewed = [entry for month in MONTHS[1:] for entry in renew(world.store, QUERY, month, now=later.now)]
    publish_entries(world.store, [], renewed)
    entry = compact(world.store, QUERY, "2023", now=later.now)
    assert (entry.built_at, entry.freshness.verified_at) == (later.now, world.now)
    assert entry.freshness.expires_at == world.now + TTL_SETTLED.fresh


# R4
def test_months_are_renewed_and_then_their_year_and_none_takes_the_others_place(world):
    before = {entry.build: entry.path for entry in world.store.manifest().entries}
    later = replace(world, now=world.now + TTL_SETTLED.fresh / 2)
    for settled in (MONTHS, ["2023"]):  # nothing but its months says that a year still holds
        assert entry_of(later.store, "2023").freshness.verified_at == world.now
        assert sorted(period for period, reason in rewarm(later) if reason == "ageing" and len(period) < 10) == settled
        assert {entry_of(later.store, period).freshness.verified_at for period in settled} == {later.now}
    assert {entry.build for entry in later.store.manifest().entries} == before.keys()
    check_answer(later, YEAR, ["2023"])


# R3
def test_a_year_is_renewed_no_further_than_the_month_verified_longest_ago(world):
    later = replace(world, now=world.now + TTL_SETTLED.fresh / 2)
    renewed = [entry for month in MONTHS[1:] for entry in renew(world.store, QUERY, month, now=later.now)]
    publish_entries(world.store, [], renewed)
    assert "2023" not in dict(what_is_due(later))
    assert [entry.freshness for entry in renew(world.store, QUERY, "2023", now=later.now)] == [
        entry_of(world.store, MONTHS[0]).freshness
    ]


# R8: whoever renews what was superseded meanwhile publishes nothing of it.
def test_a_renewal_that_comes_too_late_brings_nothing_back(world):
    late = renew(world.store, QUERY, "2023-05", now=world.now + timedelta(hours=1))
    revised = replace(world, raw=priced(1000.0))
    write(revised.raw, world.source.root)
    rewarm(revised)
    before = revised.store.manifest().entries
    publish_entries(revised.store, [], late)
    assert revised.store.manifest().entries == before


def test_a_manifest_rebuilt_from_footers_knows_the_year_and_whether_it_still_holds(world):
    published = set(periods(world.store))
    (world.store.root / "manifest.json").unlink()
    rebuild_manifest(world.store, now=world.now)
    assert set(periods(world.store)) == published
    revised = replace(world, raw=priced(1000.0), now=world.now + timedelta(hours=1))
    write(revised.raw, world.source.root)
    rewarm(revised)
    (world.store.root / "manifest.json").unlink()
    rebuild_manifest(world.store, now=revised.now)  # the year's file is still there
    assert set(periods(world.store)) == published - {"2023"}
    check_answer(revised, YEAR, MONTHS)


# R9: never the only copy of what pages are drawn from by themselves.
@pytest.mark.parametrize("query", CATALOGUE.values(), ids=lambda query: query.name)
@pytest.mark.parametrize("length", [length for length in RANGES.values() if length])
def test_a_quota_leaves_what_every_range_of_the_pages_is_drawn_from(query, length):
    resolution = choose_resolution(Window(SPAN.end - length, SPAN.end))
    fitting = [grain for grain in query.grains if RESOLUTIONS.index(grain) <= RESOLUTIONS.index(resolution)]
    drawn_from = (fitting or query.grains[:1])[-1]  # a page asks for no finer grain than is stored
    assert query.keeps(drawn_from, length)


def test_a_quarter_is_answered_after_a_quota_took_all_it_may(world):
    assert sweep(world.store, now=world.now, byte_quota=0).evicted
    window = Window(SPAN.end - RANGES["90d"], SPAN.end)
    answer = world.fetch("regional_price", window, origin="cache")
    compare(answer.table, world.expected("regional_price", window, answer.receipt.resolution))


def test_what_a_quota_took_is_missed_only_by_who_asks_for_its_window(world):
    taken = {path.split("/")[-1].split(".")[0] for path in sweep(world.store, now=world.now, byte_quota=0).evicted}
    assert taken == {"2022-12-31", *MONTHS[:10]}
    assert what_is_due(world) == []
    assert what_is_due(world, window=period_window("2023-05")) == [("2023-05", "missing")]


def test_a_grain_that_no_quota_takes_is_missed(world):
    entries = world.store.manifest().entries
    only(world.store, [entry for entry in entries if (entry.period, entry.grain) != ("2023-11", "5min")])
    assert what_is_due(world) == [("2023-11", "missing")]
    only(world.store, [entry for entry in entries if (entry.period, entry.grain) != ("2023-05", "1d")])
    assert what_is_due(world) == [("2023-05", "missing")]


def test_the_first_month_of_the_market_begins_with_it():
    assert period_window("1998-12") == Window(EPOCH, datetime(1999, 1, 1))
    assert period_window("1998") == Window(EPOCH, datetime(1999, 1, 1))
