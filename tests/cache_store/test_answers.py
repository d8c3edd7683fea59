"""Cached, live and both at once: the same rows, and those the oracle works out from raw tables."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache_store import CATALOGUE, Answer, Query, Receipt, explain, fetch, materialise, open_store
from cache_store.errors import NoAnswerError, UnknownNameError
from cache_store.freshness import Freshness
from cache_store.manifest import Entry
from nem.fuels import FUELS
from nem.regions import NEM, REGIONS
from nem.source import Source, open_source
from nem.windows import EPOCH, HORIZON, INTERVAL, RESOLUTIONS, Window, bucket_edges
from tests.cache_store.revised import land_revised, some_revisions
from tests.cache_store.worlds import Filters, World, only, partial
from tests.oracle import compare

QUERIES = list(CATALOGUE)


def in_place(query: str, place: str | None) -> dict[str, list[str]] | None:
    """The filter for a place; a link lies in none, so all of them."""
    return {"region_id": [place]} if place and "region_id" in CATALOGUE[query].filterable else None


def check_tiles(answer: Answer, window: Window) -> None:
    parts = [segment.window for segment in answer.receipt.segments]
    assert parts[0].start == window.start
    assert parts[-1].end == window.end
    assert all(a.end == b.start for a, b in itertools.pairwise(parts))


def check_both(world: World, query: str, window: Window, resolution: str, place: str | None) -> None:
    right = world.expected(query, window, resolution, in_place(query, place))
    for origin in ("auto", "live"):
        answer = world.fetch(query, window, resolution=resolution, filters=in_place(query, place), origin=origin)
        compare(answer.table, right)
        check_tiles(answer, window)


def check_same(actual: pa.Table, other: pa.Table) -> None:
    """Same schema, rows and order; numbers within the contract's tolerance. What ``compare`` says in words, in a tick."""
    assert actual.schema == other.schema
    for name in actual.schema.names:
        left, right = (table[name].combine_chunks() for table in (actual, other))
        if not pa.types.is_floating(left.type):
            assert left.equals(right), name
            continue
        assert left.is_null().equals(right.is_null()), name
        numbers = (column.to_numpy(zero_copy_only=False) for column in (left, right))
        np.testing.assert_allclose(*numbers, rtol=1e-9, atol=1e-6, err_msg=name)


# C5, E2, E9: every query and resolution; a day's totals agree whatever they were added up from.
@pytest.mark.parametrize("resolution", RESOLUTIONS)
@pytest.mark.parametrize("query", QUERIES)
def test_answers_are_the_oracles(tiny_world, query, resolution):
    start, end = tiny_world.span.start, tiny_world.span.end
    ragged = Window(start + timedelta(hours=10, minutes=35), end - timedelta(hours=7, minutes=55))
    for window, place in itertools.product([tiny_world.span, ragged], [None, "SA1", NEM]):
        check_both(tiny_world, query, window, resolution, place)


# J4: without prices there is energy and no value.
@pytest.mark.parametrize("resolution", RESOLUTIONS)
@pytest.mark.parametrize("query", QUERIES)
def test_answers_where_prices_stop_are_the_oracles(gap_world, query, resolution):
    stop = datetime(2017, 11, 5)
    around = Window(stop - timedelta(hours=1, minutes=25), stop + timedelta(hours=2, minutes=10))
    for window in [around] if resolution in ("5min", "30min") else [around, gap_world.span]:
        check_both(gap_world, query, window, resolution, None)


# C5
@pytest.mark.parametrize("resolution", ["1d", "1M"])
@pytest.mark.parametrize("query", QUERIES)
def test_three_weeks_of_the_sample_are_the_oracles(sample_world, query, resolution):
    answer = sample_world.fetch(query, sample_world.span, resolution=resolution)
    assert answer.receipt.origin == "cache"
    compare(answer.table, sample_world.expected(query, sample_world.span, resolution))


@pytest.mark.parametrize("place", [None, "TAS1", NEM])
@pytest.mark.parametrize("query", QUERIES)
def test_places_of_the_sample_are_the_oracles(sample_world, query, place):
    window = Window(datetime(2017, 10, 20, 19, 25), datetime(2017, 10, 22, 6, 10))
    check_both(sample_world, query, window, "1h", place)


@pytest.mark.parametrize("query", QUERIES)
def test_five_minutes_of_the_sample_are_the_oracles(sample_world, query):
    window = Window(datetime(2017, 10, 31, 22, 40), datetime(2017, 11, 1, 3, 5))
    check_both(sample_world, query, window, "5min", None)


# T3
def test_midnight_belongs_to_the_month_before(sample_world):
    window = Window(datetime(2017, 10, 31, 23, 55), datetime(2017, 11, 1))
    table = sample_world.fetch("regional_price", window, resolution="1M").table
    assert set(table["interval_start"].to_pylist()) == {datetime(2017, 10, 1)}
    assert set(table["complete"].to_pylist()) == {False}


# T4
@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("origin", ["auto", "live"])
@given(st.integers(1, 575))
def test_every_query_is_partition_separable(tiny_world, query, origin, cut):
    middle = tiny_world.span.start + cut * INTERVAL
    whole = Window(middle - timedelta(hours=3), middle + timedelta(hours=3)).overlap(tiny_world.span)
    parts = [Window(whole.start, middle), Window(middle, whole.end), whole]
    tables = [tiny_world.fetch(query, window, resolution="5min", origin=origin).table for window in parts]
    check_same(pa.concat_tables(tables[:2]), tables[2])


# R7: a month of days is a month of readings.
@pytest.mark.parametrize("query", QUERIES)
def test_a_month_from_days_is_a_month_from_readings(sample_world, query):
    warmed, live = (
        sample_world.fetch(query, sample_world.span, resolution="1M", origin=origin) for origin in ("cache", "live")
    )
    assert {segment.grain for segment in warmed.receipt.segments} == {"1d"}
    check_same(warmed.table, live.table)


# R7: sums of ratios' halves, never averages of ratios: idle at 10 MW and full at 660 MW is 0.09, not 0.54.
def test_a_capacity_factor_is_energy_over_potential_not_a_mean_of_factors(tiny_world):
    table = tiny_world.fetch("capacity_factor", tiny_world.span, resolution="1M", filters={"duid": ["HYDRO1"]}).table
    days = tiny_world.fetch("capacity_factor", tiny_world.span, resolution="1d", filters={"duid": ["HYDRO1"]}).table
    assert table["capacity_factor"].to_pylist() == pytest.approx([1 / 2, 1 / 3])
    assert days["capacity_factor"].to_pylist() == pytest.approx([1 / 2, 1 / 3])
    both = pc.sum(days["rated_energy_mwh"]).as_py() / pc.sum(days["potential_mwh"]).as_py()
    assert both == pytest.approx(1440 / 3600)


# The property: any window, whatever is warmed, any filter.


@dataclass(frozen=True)
class Patchwork:
    """Partitions to publish any choice of, in a store of their own; the source was revised after most were built."""

    world: World
    entries: list[Entry]
    former_raw: Mapping[str, pa.Table]
    former_builds: set[str]

    def expected(self, query: str, window: Window, resolution: str, filters: Filters, receipt: Receipt) -> pd.DataFrame:
        """The oracle's rows: those of before the revision where the receipt says that such a build was read."""
        old = [segment.window for segment in receipt.segments if segment.build in self.former_builds]
        return self.world.expected(query, window, resolution, filters, former=(self.former_raw, old))


@pytest.fixture(scope="session")
def patchwork(sample_world, tiny_world, tmp_path_factory):
    """Per world, besides its days, those of a last still arriving, of a first that begins late, a month, and revised days."""
    made = {}
    for name, world in (("sample", sample_world), ("tiny", tiny_world)):
        patched = world.copied_to(tmp_path_factory.mktemp(name))
        store, entries = patched.store, list(patched.store.manifest().entries)
        fresh = entries[0].freshness
        first, last = world.span.start, world.span.end - timedelta(days=1)

        def build(source: Source, query: Query, period: str, store=store, fresh=fresh) -> list[Entry]:
            built = materialise(store, source, query, period, now=fresh.verified_at)
            return [replace(entry, freshness=fresh) for entry in built]  # as if the rest had just come

        ragged = [
            *((last, EPOCH, last + cut) for cut in (INTERVAL, timedelta(hours=10, minutes=35), timedelta(hours=23.75))),
            *((first, first + cut, HORIZON) for cut in (timedelta(hours=7, minutes=10), timedelta(hours=23.75))),
        ]
        for (day, since, until), query in itertools.product(ragged, CATALOGUE.values()):
            entries += build(partial(world.source, since, until), query, f"{day:%Y-%m-%d}")
        for query in CATALOGUE.values():
            entries += build(world.source, query, f"{world.span.start:%Y-%m}")
        former = {entry.build for entry in entries}
        days = {first.date(), last.date(), *(first.date() + timedelta(days=n) for n in (5, 6, 12) if name == "sample")}
        revised = land_revised(patched, some_revisions(world.raw, days))
        for day, query in itertools.product(sorted(days), CATALOGUE.values()):
            entries += build(revised.source, query, f"{day:%Y-%m-%d}")
        made[name] = Patchwork(revised, entries, world.raw, former)
    return made


_LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
EXPIRED = Freshness(_LONG_AGO, 0, _LONG_AGO, _LONG_AGO, _LONG_AGO)


@st.composite
def choices(draw: st.DrawFn, entries: list[Entry]) -> list[Entry]:
    """Partitions that may be published together: in one series no two overlap. Some are past their bound."""
    kept: list[Entry] = []
    order = list(range(len(entries)))
    random.Random(draw(st.integers(0, 2**32 - 1))).shuffle(order)
    months = draw(st.booleans())
    holes = draw(st.sets(st.integers(0, len(entries) - 1), max_size=len(entries) // 2))
    expired = draw(st.sets(st.integers(0, len(entries) - 1), max_size=3))
    prefer = sorted(order, key=lambda i: (len(entries[i].period) == 10) == months)
    taken: dict[tuple[str, str], list[Window]] = {}
    for i in prefer:
        entry = entries[i]
        series = taken.setdefault((entry.query, entry.grain), [])
        if i not in holes and not any(entry.covers.overlap(window) for window in series):
            series.append(entry.covers)
            kept.append(replace(entry, freshness=EXPIRED) if i in expired else entry)
    return kept


@st.composite
def requests(draw: st.DrawFn, world: World) -> tuple[str, Window, str, dict[str, list[str]]]:
    query = draw(st.sampled_from(QUERIES))
    resolution = draw(st.sampled_from(RESOLUTIONS))
    total = int(world.span.hours * 12)
    longest = {"5min": 200, "30min": 1200}.get(resolution, total + 600)
    start = draw(st.integers(-300, total - 1))
    length = draw(st.integers(max(1, 1 - start), max(longest, 1 - start)))
    if draw(st.booleans()):  # on whole buckets half of the time
        start, length = start // 288 * 288, max(1, length // 288) * 288
    window = Window(world.span.start + start * INTERVAL, world.span.start + (start + length) * INTERVAL)
    filters: dict[str, list[str]] = {}
    place = draw(st.sampled_from([None, *REGIONS, "unknown", NEM]))
    if place and "region_id" in CATALOGUE[query].filterable:
        filters["region_id"] = [place]
    known = [*FUELS, "battery"] if query == "capacity_factor" else list(FUELS)
    if "fueltech_id" in CATALOGUE[query].filterable and draw(st.booleans()):
        filters["fueltech_id"] = sorted(draw(st.sets(st.sampled_from(known), min_size=1, max_size=6)))
    if query == "capacity_factor" and draw(st.booleans()):
        duids = sorted({*world.raw["units"]["duid"].to_pylist(), *world.raw["unit_scada"]["duid"].to_pylist()})
        filters["duid"] = sorted(draw(st.sets(st.sampled_from(duids), min_size=1, max_size=5)))
    if query == "interconnector_flow" and draw(st.booleans()):
        links = sorted(set(world.raw["interconnector_flow"]["interconnector_id"].to_pylist()))
        filters["interconnector_id"] = sorted(draw(st.sets(st.sampled_from(links), min_size=1, max_size=2)))
    return query, window, resolution, filters


# C1, C5, R2
@pytest.mark.parametrize("name", ["sample", "tiny"])
@given(data=st.data())
def test_cached_and_live_answers_agree(patchwork, name, data):
    world = patchwork[name].world
    query, window, resolution, filters = data.draw(requests(world))
    only(world.store, data.draw(choices([entry for entry in patchwork[name].entries if entry.query == query])))
    asked = {"resolution": resolution, "filters": filters}
    if window.overlap(world.span) is None:
        for origin in ("auto", "live"):
            with pytest.raises(NoAnswerError):
                world.fetch(query, window, origin=origin, **asked)
        return
    cached, live = (world.fetch(query, window, origin=origin, **asked) for origin in ("auto", "live"))
    compare(cached.table, patchwork[name].expected(query, window, resolution, filters, cached.receipt))
    compare(live.table, world.expected(query, window, resolution, filters))
    if not patchwork[name].former_builds & {segment.build for segment in cached.receipt.segments}:
        check_same(cached.table, live.table)
    check_tiles(cached, window)
    check_tiles(live, window)
    again = world.fetch(query, window, **asked)
    assert again.receipt.origin == "memory"
    assert again.table.equals(cached.table)


# C1: few columns are those of all, whatever they are read from.
@given(data=st.data())
def test_measures_asked_for_alone_are_those_of_the_whole(patchwork, data):
    world = patchwork["tiny"].world
    query, window, resolution, filters = data.draw(requests(world))
    if window.overlap(world.span) is None:
        return
    declared = CATALOGUE[query]
    names = data.draw(st.lists(st.sampled_from([*declared.measures, *declared.ratios]), min_size=1, max_size=4))
    only(world.store, data.draw(choices([entry for entry in patchwork["tiny"].entries if entry.query == query])))
    for origin in ("auto", "live"):
        asked = {"resolution": resolution, "filters": filters, "origin": origin}
        whole, few = (world.fetch(query, window, **asked, measures=measures) for measures in (None, names))
        columns = few.table.column_names
        kept = {*declared.keys[1:], *declared.filterable, *names}
        assert {"interval_start", "interval_end", "complete", *kept} <= set(columns)
        check_same(few.table, whole.table.select(columns))


# R2: covered history issues no live query.
@given(data=st.data())
def test_a_warmed_window_asks_no_source(sample_world, data):
    query, window, resolution, filters = data.draw(requests(sample_world))
    inside, finest = window.overlap(sample_world.span), CATALOGUE[query].grains[0]
    if inside is None or (finest, resolution) == ("30min", "5min"):
        return
    if finest == "30min":  # a five-minute edge would be live
        edges = bucket_edges(inside, "30min").tolist()
        inside = Window(edges[0], edges[-1])
    nowhere = open_source(sample_world.source.root / "nowhere")
    answer = fetch(
        sample_world.store, nowhere, query, inside, now=sample_world.now, resolution=resolution, filters=filters
    )
    assert {segment.origin for segment in answer.receipt.segments} == {"cache"}
    compare(answer.table, sample_world.expected(query, inside, resolution, filters))


def test_five_minute_capacity_factors_are_live_and_say_why(sample_world):
    window = Window(datetime(2017, 10, 20), datetime(2017, 10, 20, 1))
    receipt = sample_world.fetch("capacity_factor", window, resolution="5min").receipt
    assert [(segment.origin, segment.reason) for segment in receipt.segments] == [("live", "grain_not_stored")]
    with pytest.raises(NoAnswerError, match="coarser resolution"):
        sample_world.fetch("capacity_factor", window, resolution="5min", origin="cache")


def test_the_ragged_edges_of_a_warmed_window_are_read_from_finer_grains(sample_world):
    window = Window(datetime(2017, 10, 20, 10, 35), datetime(2017, 10, 23, 1, 40))
    receipt = sample_world.fetch("generation_by_fuel", window, resolution="1d").receipt
    hour = datetime(2017, 10, 20, 11), datetime(2017, 10, 23, 1, 30)
    assert {(segment.window.start, segment.window.end): segment.grain for segment in receipt.segments} == {
        (window.start, hour[0]): "5min",
        (hour[0], datetime(2017, 10, 21)): "30min",
        (datetime(2017, 10, 21), datetime(2017, 10, 22)): "1d",
        (datetime(2017, 10, 22), datetime(2017, 10, 23)): "1d",
        (datetime(2017, 10, 23), hour[1]): "30min",
        (hour[1], window.end): "5min",
    }


def test_the_tail_after_an_arriving_day_is_live(tiny_world, patchwork):
    half = datetime(2024, 3, 1, 10, 35)
    world = replace(tiny_world, store=open_store(patchwork["tiny"].world.store.root))
    only(world.store, [entry for entry in patchwork["tiny"].entries if entry.covers.end == half])
    answer = world.fetch("generation_by_fuel", Window(datetime(2024, 3, 1), world.span.end), resolution="1d")
    assert [(segment.window.end, segment.origin, segment.reason) for segment in answer.receipt.segments] == [
        (half, "cache", "fresh"),
        (world.span.end, "live", "range_gap"),
    ]
    assert answer.receipt.origin == "mixed"
    compare(answer.table, tiny_world.expected("generation_by_fuel", answer.receipt.window, "1d"))


# P4: what nobody holds is said, not filled in.
def test_what_the_source_does_not_hold_is_an_empty_segment_and_an_incomplete_bucket(tiny_world):
    window = Window(datetime(2024, 3, 1), datetime(2024, 3, 3))
    answer = tiny_world.fetch("regional_price", window, resolution="1d")
    assert [(segment.window, segment.reason) for segment in answer.receipt.segments] == [
        (Window(datetime(2024, 3, 1), datetime(2024, 3, 2)), "fresh"),
        (Window(datetime(2024, 3, 2), datetime(2024, 3, 3)), "empty_source"),
    ]
    assert answer.receipt.coverage == 0.5
    assert answer.receipt.data_through == datetime(2024, 3, 2)
    assert set(answer.table["interval_start"].to_pylist()) == {datetime(2024, 3, 1)}
    noon = tiny_world.fetch("regional_price", Window(window.start, datetime(2024, 3, 1, 12)), resolution="1d")
    assert set(noon.table["complete"].to_pylist()) == {False}


# C4: an empty answer from a complete source is valid.
def test_no_rows_is_an_answer(tiny_world):
    for origin in ("cache", "live"):
        answer = tiny_world.fetch(
            "generation_by_fuel", tiny_world.span, filters=in_place("generation_by_fuel", "TAS1"), origin=origin
        )
        assert answer.table.num_rows == 0
        assert answer.receipt.coverage == 1
        assert answer.table.schema == tiny_world.fetch("generation_by_fuel", tiny_world.span).table.schema


# C12
def test_a_name_with_an_apostrophe_filters(tiny_world):
    for origin in ("cache", "live"):
        filters = {"station_name": ["O'Hara's Ridge"]}
        for measures in (None, ["energy_mwh"]):
            asked = {"filters": filters, "origin": origin, "measures": measures}
            table = tiny_world.fetch("capacity_factor", tiny_world.span, resolution="1d", **asked).table
            assert set(table["duid"].to_pylist()) == {"WIND1"}
    hostile = {"duid": ["'; DROP TABLE units; --"]}
    with pytest.raises(UnknownNameError, match=r"there is no duid .*'; DROP TABLE UNITS; --"):
        tiny_world.fetch("capacity_factor", tiny_world.span, resolution="1d", filters=hostile)


# J6, J13
def test_the_nem_is_a_sum_whose_price_is_weighted_by_demand(tiny_world):
    day = Window(datetime(2024, 2, 29), datetime(2024, 3, 1))
    (row,) = tiny_world.fetch(
        "regional_price", day, resolution="1d", filters=in_place("regional_price", NEM)
    ).table.to_pylist()
    assert row["demand_weighted_price"] == pytest.approx(256_400 / 4_360)  # README of tiny_nem, line 35
    assert row["region_id"] == NEM
    assert row["twa_price"] is row["rrp_sum"] is row["import_mwh"] is None


# J9: a share is of the whole supply, whatever is chosen to be shown. README of tiny_nem, lines 20 and 21.
@pytest.mark.parametrize("origin", ["cache", "live"])
@pytest.mark.parametrize(("place", "share"), [("SA1", 288 / 605), (NEM, 288 / 2816.5)])
def test_choosing_a_fuel_changes_no_share(tiny_world, origin, place, share):
    day = Window(datetime(2024, 2, 29), datetime(2024, 3, 1))
    filters = {"region_id": [place], "fueltech_id": ["wind", "battery_charging"]}
    table = tiny_world.fetch("generation_by_fuel", day, resolution="1d", filters=filters, origin=origin).table
    wind = pytest.approx(share)
    assert {row["fueltech_id"]: row["share"] for row in table.to_pylist()} == {"wind": wind, "battery_charging": None}


# Asks for a fuel of what is warmed, then live, and says whether that brought pandas.
CHOOSE = """
import sys
from datetime import datetime
from cache_store import fetch, open_store
from nem import Window, open_source

root, lake, now, start, end = sys.argv[1:]
window, chosen = Window(datetime.fromisoformat(start), datetime.fromisoformat(end)), {"fueltech_id": ["wind", "hydro"]}
asked = {"now": datetime.fromisoformat(now), "filters": chosen, "resolution": "1d"}
for origin in ("cache", "live"):
    table = fetch(open_store(root), open_source(lake), "generation_by_fuel", window, origin=origin, **asked).table
    print(*sorted(set(table["fueltech_id"].to_pylist())), "pandas" in sys.modules)
"""


# Importing it takes the first who chooses a fuel half a second.
def test_choosing_fuels_needs_no_pandas(tiny_world):
    asked = [tiny_world.now, tiny_world.span.start, tiny_world.span.end]
    words = [tiny_world.store.root, tiny_world.source.root, *(moment.isoformat() for moment in asked)]
    done = subprocess.run([sys.executable, "-c", CHOOSE, *map(str, words)], capture_output=True, text=True, check=True)
    assert done.stdout == "hydro wind False\n" * 2


# J4
def test_demand_that_stood_in_is_noted(tiny_world):
    first = tiny_world.fetch("regional_price", Window(datetime(2024, 2, 29), datetime(2024, 3, 1)), resolution="1d")
    both = tiny_world.fetch("regional_price", tiny_world.span, resolution="1d")
    assert first.receipt.notes == ()
    assert both.receipt.notes == ("demand is DEMAND_AND_NONSCHEDGEN where TOTALDEMAND is absent",)
    alone = tiny_world.fetch("regional_price", tiny_world.span, resolution="1d", measures=["demand_weighted_price"])
    assert alone.receipt.notes == both.receipt.notes


def test_auto_is_the_finest_resolution_within_the_points(sample_world):
    week = Window(datetime(2017, 10, 14), datetime(2017, 10, 21))
    assert sample_world.fetch("regional_price", week).receipt.resolution == "5min"
    assert sample_world.fetch("regional_price", sample_world.span).receipt.resolution == "30min"


# explain


@given(data=st.data())
def test_explain_predicts_the_segments_of_fetch(patchwork, data):
    world = patchwork["sample"].world
    query, window, resolution, filters = data.draw(requests(world))
    if window.overlap(world.span) is None:
        return
    only(world.store, data.draw(choices([entry for entry in patchwork["sample"].entries if entry.query == query])))
    asked = {"now": world.now, "resolution": resolution, "filters": filters}
    predicted = explain(world.store, world.source, query, window, **asked)
    fetched = replace(world.fetch(query, window, **asked).receipt, from_memory=False)
    assert predicted.segments == fetched.segments
    assert (predicted.origin, predicted.generation, predicted.resolution) == (
        fetched.origin,
        fetched.generation,
        fetched.resolution,
    )


# C8
@pytest.mark.parametrize("origin", ["auto", "live"])
def test_eight_threads_get_their_own_answers(sample_world, origin):
    store = open_store(sample_world.store.root, memory_bytes=0)
    days = [Window(datetime(2017, 10, day), datetime(2017, 10, day + 1)) for day in range(14, 22)]
    right = {
        (query, day): fetch(store, sample_world.source, query, day, now=sample_world.now, resolution="1d").table
        for query in ("regional_price", "generation_by_fuel")
        for day in days
    }
    wrong: list[object] = []

    def ask(offset: int) -> None:
        for n in range(20 if origin == "auto" else 3):
            query, day = list(right)[(offset + n) % len(right)]
            try:
                answer = fetch(
                    store, sample_world.source, query, day, now=sample_world.now, resolution="1d", origin=origin
                )
                check_same(answer.table, right[query, day])
            except Exception as error:  # noqa: BLE001 - whatever a thread raises is the finding
                wrong.append(error)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
