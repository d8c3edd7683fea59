"""Years: their closed days once more in one file, which no revision, break or renewal may leave wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cache_store import CATALOGUE, manifest, open_store
from cache_store.build import compact, publish_entries, renew
from cache_store.due import due
from cache_store.errors import PartitionCorruptError
from cache_store.freshness import SETTLES_AFTER, TTL_SETTLED, freshness
from cache_store.manifest import closed_parts, facts, period_window, read_manifest
from cache_store.upkeep import check, rebuild_manifest, repair, sweep
from cache_store.warm import warm
from dashboard.data import RANGES
from nem.source import open_source
from nem.windows import EPOCH, INTERVAL, RESOLUTIONS, Window, choose_resolution, utc_time
from tests.cache_store.worlds import World, arriving, only
from tests.oracle import compare
from tests.tiny_nem import raw_tables

QUERY = CATALOGUE["regional_price"]
YEAR = Window(datetime(2023, 1, 1), datetime(2024, 1, 1))
SPAN = Window(datetime(2022, 12, 31), datetime(2024, 1, 2))
SETTLED = utc_time(YEAR.end) + SETTLES_AFTER
MONTHS = [f"2023-{month:02}" for month in range(1, 13)]
JULY = [f"2023-07-{day:02}" for day in range(1, 32)]
JULY_10 = datetime(2023, 7, 10)


def priced(rises: float = 0.0, at: datetime = datetime(2023, 5, 20, 12)) -> dict[str, pa.Table]:
    """Raw tables with two prices a day; the one ``at`` a noon is raised."""
    days = [SPAN.start + timedelta(days=i) for i in range(round(SPAN.hours / 24))]
    labels = [SPAN.start + INTERVAL, *(day + timedelta(hours=hour) for day in days for hour in (12, 24))]
    prices = [float(i * 37 % 401 - 50) for i in range(len(labels))]
    prices[labels.index(at)] += rises
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


def test_what_was_published_is_what_its_file_says(world):
    """A process goes on with what it published: it reads that only where another wrote since."""
    again = renew(world.store, QUERY, "2023-05", now=world.now + timedelta(days=1, microseconds=7))
    published = publish_entries(world.store, [], again)
    assert read_manifest(world.store.root) is published
    manifest._newest.clear()
    read = read_manifest(world.store.root)
    assert read is not published
    assert read == published
    assert [facts(entry) for entry in read.entries] == [facts(entry) for entry in published.entries]


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


def test_a_year_stands_beside_its_months_at_the_coarsest_grain(world):
    assert sorted(periods(world.store)) == ["2022-12-31", "2023", *MONTHS, "2024-01-01"]
    assert "2023" not in periods(world.store, "30min") + periods(world.store, "5min")
    assert what_is_due(world) == []


def so_far(tmp_path):
    """The world as it stood on 10 July, the labels up to then landed and warmed; not yet its year."""
    write(priced(), tmp_path / "lake")
    source = arriving(open_source(tmp_path / "lake"), JULY_10)
    world = World(priced(), source, open_store(tmp_path / "store"), utc_time(JULY_10), Window(SPAN.start, JULY_10))
    rewarm(world)
    return world


def test_a_year_so_far_is_its_closed_months_and_days(tmp_path):
    world = so_far(tmp_path)
    assert what_is_due(world) == [("2023", "missing")]
    rewarm(world)
    assert entry_of(world.store, "2023").covers == Window(YEAR.start, datetime(2023, 7, 7))
    check_answer(world, Window(SPAN.start, JULY_10), ["2022-12-31", "2023", *JULY[6:9]])
    check_answer(world, Window(YEAR.start, datetime(2023, 7, 6)), [*MONTHS[:6], *JULY[:5]])


def test_a_year_so_far_grows_by_the_day_that_closes_and_stays_while_others_arrive(tmp_path):
    world = so_far(tmp_path)
    rewarm(world)
    for until, grows in ((JULY_10 + timedelta(hours=12), False), (JULY_10 + timedelta(days=1), True)):
        source = arriving(open_source(world.source.root), until)
        world = replace(world, source=source, now=utc_time(until))
        assert ("2023", "source_changed") not in rewarm(world) or grows
        assert entry_of(world.store, "2023").covers.end == datetime(2023, 7, 7 + grows)
    check_answer(world, Window(YEAR.start, until), ["2023", *JULY[7:10]])


# R5
def test_a_revised_day_takes_the_year_so_far_away_until_it_is_made_of_the_new_one(tmp_path):
    world = so_far(tmp_path)
    rewarm(world)
    revised = replace(world, raw=priced(1000.0, at=datetime(2023, 7, 3, 12)))
    write(revised.raw, revised.source.root)
    assert rewarm(revised) == [("2023-07-03", "source_changed")]
    assert "2023" not in periods(revised.store)
    check_answer(revised, Window(YEAR.start, JULY_10), [*MONTHS[:6], *JULY[:9]])
    assert rewarm(revised) == [("2023", "missing")]
    check_answer(revised, Window(YEAR.start, JULY_10), ["2023", *JULY[6:9]])


def test_a_year_begins_after_the_last_gap_in_it(months, tmp_path):
    world = months.copied_to(tmp_path)
    only(world.store, [entry for entry in world.store.manifest().entries if entry.period != "2023-04"])
    entry = compact(world.store, QUERY, "2023", now=world.now)
    assert entry.covers == Window(datetime(2023, 5, 1), YEAR.end)


def test_of_one_part_there_is_no_year(months):
    assert closed_parts(months.store.manifest(), QUERY, "2022", months.now) != []
    assert what_is_due(months) == [("2023", "missing")]


def test_a_year_is_due_to_whoever_looks_at_a_part_of_it(months):
    assert what_is_due(months, window=period_window("2023-05")) == [("2023", "missing")]
    assert what_is_due(months, window=period_window("2022-12-31")) == []


@pytest.mark.parametrize("resolution", ["1d", "1M"])
def test_a_year_is_read_whole_or_left_to_its_months(world, resolution):
    check_answer(world, YEAR, ["2023"], resolution)
    check_answer(world, SPAN, ["2022-12-31", "2023", "2024-01-01"], resolution)
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
def test_a_year_stands_only_beside_the_builds_it_was_made_of(world, month):
    entries = world.store.manifest().entries
    only(world.store, [replace(one, build="another") if one.period == month else one for one in entries])
    assert "2023" not in periods(world.store)
    assert {*MONTHS} <= {*periods(world.store)}


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
    with pytest.raises(PartitionCorruptError, match="not all of 2023"):
        compact(world.store, QUERY, "2023", now=world.now)
    world.fetch("regional_price", YEAR, resolution="1d")  # a reader meets it
    assert rewarm(world) == [("2023-07", "broken")]
    assert rewarm(world) == [("2023", "missing")]
    check_answer(world, YEAR, ["2023"])


# R3, R4
def test_a_year_is_as_fresh_as_the_part_verified_longest_ago_and_never_renewed_by_itself(world):
    later = replace(world, now=world.now + TTL_SETTLED.fresh / 2)
    for renewing, verified in ((MONTHS[1:], world.now), (MONTHS[:1], later.now)):
        renewed = [entry for month in renewing for entry in renew(world.store, QUERY, month, now=later.now)]
        publish_entries(world.store, [], renewed)
        assert entry_of(world.store, "2023").freshness == freshness(YEAR, YEAR.end, verified)
        assert "2023" not in dict(what_is_due(later))
    check_answer(replace(world, now=later.now), YEAR, ["2023"])


# R4
def test_months_are_renewed_and_none_takes_the_place_of_their_year(world):
    before = {entry.build for entry in world.store.manifest().entries}
    later = replace(world, now=world.now + TTL_SETTLED.fresh / 2)
    assert sorted(period for period, reason in rewarm(later) if reason == "ageing" and len(period) < 10) == MONTHS
    assert {entry.build for entry in later.store.manifest().entries} == before


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
