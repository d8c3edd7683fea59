"""The page of the installation's health: facts from files, told as they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from cache_store import CATALOGUE, fetch, materialise, open_store
from cache_store.build import publish_entries
from cache_store.errors import StoreUnavailableError
from cache_store.history import Run, record_run
from cli.health import look
from dashboard.health import Feed, page_of, render
from nem.lake import land
from nem.source import open_source
from nem.taken import Taken
from nem.windows import utc_time
from tests.tiny_nem import LEAP_DAY, WINDOW, land_raw, raw_tables

NOW = utc_time(WINDOW.end)


@pytest.fixture(scope="module")
def installation(two_days, tmp_path_factory):
    source, store = open_source(two_days), open_store(tmp_path_factory.mktemp("health") / "store", read_through=True)
    for day in ("2024-02-29", "2024-03-01"):
        publish_entries(store, materialise(store, source, CATALOGUE["regional_price"], day, now=NOW))
    fetch(store, source, "regional_price", WINDOW, now=NOW, resolution="1d")
    store.usage.flush(store.root)
    began = datetime(2024, 3, 2, 3, tzinfo=UTC)
    record_run(store.root, Run("warm-recent", "hourly", began, 4.2, "failed", "<b>the lake is gone</b>"))
    yield store, source
    store.background.shutdown()


def test_facts_come_from_source_store_and_history(installation):
    found = look(*installation, NOW)
    assert {feed.table: feed.lag for feed in found.feeds}["unit_scada"] == timedelta(0)
    warmed = [row for row in found.store.series if row.partitions]
    assert {(row.query, row.grain, row.fresh) for row in warmed} == {
        ("regional_price", grain, 2) for grain in ("5min", "30min", "1d")
    }
    assert warmed[0].built_at == NOW
    assert found.day.unknown == ("LATE1",)  # J1: registered without a fuel
    assert {asked: one.count for asked, one in found.use.items()} == {("regional_price", "1d"): 1}


def test_prices_aemo_changed_today_are_told_from_those_that_were_merely_late(tmp_path):
    source = land_raw(tmp_path / "lake", raw_tables())
    before = NOW - timedelta(minutes=1)
    known = look(open_store(tmp_path / "store", memory_bytes=0), source, before).day
    midnight = WINDOW.end - timedelta(days=1)
    changed = {  # label: last changed
        midnight - timedelta(days=3): midnight + timedelta(hours=9),  # today, of an earlier day
        midnight + timedelta(hours=2): midnight + timedelta(hours=2, minutes=31),
        midnight + timedelta(hours=3): midnight + timedelta(hours=3, minutes=20),  # an ordinary delay
        midnight - timedelta(hours=3): midnight - timedelta(hours=1),  # yesterday
    }
    rows = [
        {"settlement_date": label, "region_id": "SA1", "rrp": 1.0, "price_status": "NOT FIRM", "last_changed": last}
        for label, last in changed.items()
    ]
    land(source.root, "regional_price", pa.Table.from_pylist(rows))
    day = look(open_store(tmp_path / "store", memory_bytes=0), source, before).day
    assert (known.revised, day.revised) == (0, 2)
    assert day.unconfirmed - known.unconfirmed == 2  # those of the newest 24 hours


@pytest.mark.parametrize("late", [True, False])
def test_prices_a_day_late_or_not_there_leave_the_rest_of_the_day_told(tmp_path, late):
    tables = raw_tables()
    prices = tables.pop("regional_price")
    if late:
        tables["regional_price"] = prices.filter(pc.less_equal(prices["settlement_date"], LEAP_DAY.end))
    source = land_raw(tmp_path / "lake", tables)
    found = look(open_store(tmp_path / "store", memory_bytes=0), source, NOW)
    assert (found.day.window.end, found.day.unknown, found.day.unconfirmed) == (WINDOW.end, ("LATE1",), None)
    assert '<td data-v="">\N{EN DASH}</td>' in render(found)


def test_prices_alone_have_a_day(tmp_path):
    tables = raw_tables()
    del tables["unit_scada"]
    day = look(open_store(tmp_path / "store", memory_bytes=0), land_raw(tmp_path / "lake", tables), NOW).day
    assert (day.window.end, day.readings, day.unknown, day.unconfirmed) == (WINDOW.end, None, None, 3)  # [53]


def test_the_page_tells_lag_unknown_units_partitions_and_runs(installation):
    store, source = installation
    text = page_of(lambda: look(store, source, NOW))
    for words in ("LATE1", "unit_scada", "regional_price", "warm-recent", "4.2 s", "Source: AEMO", "Behind"):
        assert words in text
    assert "&lt;b&gt;the lake is gone" in text
    assert '<td data-v="">regional_price</td><td data-v="">1 day</td><td data-v="">1</td>' in text


def test_the_last_build_of_a_grain_is_told_with_what_it_took(installation):
    found = look(*installation, NOW)
    one = next(row for row in found.store.series if row.partitions)
    told = render(replace(found, store=replace(found.store, series=[replace(one, build_seconds=1.25)])))
    assert '<td data-v="">2024-03-01 14:00</td><td data-v="">1.25 s</td>' in told


def test_what_was_taken_from_aemo_is_told_with_why_it_was_refused(installation):
    seen = datetime(2024, 3, 2, 4, tzinfo=UTC)
    taken = Taken(
        "scada", seen, landed=7, rejected_count=1, rejected={"BAD.zip": "cut <short>"}, failed={"a folder": "404"}
    )
    text = render(replace(look(*installation, NOW), taken=[taken]))
    for words in ("scada", "2024-03-02 04:00", '<td data-v="">7</td>', "BAD.zip: cut &lt;short&gt;", "a folder: 404"):
        assert words in text


def test_late_feeds_stand_out(installation):
    found = replace(look(*installation, NOW), feeds=[Feed("unit_scada", WINDOW.end, timedelta(hours=3))])
    assert '<b class="late flag">3.0 h</b>' in render(found)


def test_a_source_with_nothing_and_a_store_that_is_gone_still_give_a_page(tmp_path):
    empty = look(open_store(tmp_path / "store"), open_source(tmp_path / "lake"), NOW)
    assert empty.day is None
    assert "The source holds nothing" in render(empty)

    def gone():
        raise StoreUnavailableError("the store cannot be read")

    assert "the store cannot be read" in page_of(gone)
