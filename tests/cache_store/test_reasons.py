"""One world per reason a receipt can give: explain and fetch give it, the numbers are right, and behind it is mended."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

import pyarrow.parquet as pq
import pytest

from cache_store import CATALOGUE, Store, explain, open_store
from cache_store.answer import Reason
from nem.source import Source
from nem.windows import Window
from tests.cache_store.worlds import only
from tests.oracle import compare
from tests.tiny_nem import FIRST_OF_MARCH, LEAP_DAY, WINDOW

AN_HOUR = Window(datetime(2024, 3, 1, 9), datetime(2024, 3, 1, 10))
BEYOND = Window(FIRST_OF_MARCH.start, FIRST_OF_MARCH.end + timedelta(days=1))


def at(world, moment):
    """The world at the instant its partitions of the leap day reach that moment."""
    (entry,) = [e for e in world.store.manifest().series(*series("1d")) if e.period == "2024-02-29"]
    return replace(world, now=getattr(entry.freshness, moment))


def series(grain):
    return "regional_price", CATALOGUE["regional_price"].fingerprint, grain


def without_the_second_day(world):
    only(world.store, [e for e in world.store.manifest().entries if e.period == "2024-02-29"])
    return world


def of_a_former_definition(world):
    only(world.store, [replace(entry, fingerprint="0" * 12) for entry in world.store.manifest().entries])
    return world


def spoilt(world):
    """The same, every partition of the second day full of garbage of its size."""
    for entry in world.store.manifest().entries:
        if entry.period == "2024-03-01":
            (world.store.root / entry.path).write_bytes(b"x" * entry.byte_count)
    return world


def met(world):
    """The same to others, after one reader met it."""
    world.fetch("regional_price", WINDOW, resolution="1d")
    return replace(world, store=open_store(world.store.root, memory_bytes=0))


def unchanged(world):
    return world


FRESH = ("cache", "fresh")
CASES = {
    "fresh": (unchanged, LEAP_DAY, {}, [FRESH]),
    "stale, served": (lambda world: at(world, "expires_at"), LEAP_DAY, {}, [("stale", "stale")]),
    "stale, past its grace": (lambda world: at(world, "swr_until"), LEAP_DAY, {}, [("live", "stale")]),
    "stale, for whom it is older than allowed": (
        lambda world: replace(world, now=world.now + timedelta(seconds=1)),
        LEAP_DAY,
        {"max_staleness": timedelta(0)},
        [("live", "stale")],
    ),
    "range_gap": (without_the_second_day, WINDOW, {}, [FRESH, ("live", "range_gap")]),
    "grain_too_coarse": (
        lambda world: (only(world.store, world.store.manifest().series(*series("1d"))), world)[1],
        AN_HOUR,
        {"resolution": "1h"},
        [("live", "grain_too_coarse")],
    ),
    "grain_not_stored": (
        unchanged,
        AN_HOUR,
        {"query": "capacity_factor", "resolution": "5min"},
        [("live", "grain_not_stored")],
    ),
    "fingerprint_mismatch": (of_a_former_definition, LEAP_DAY, {}, [("live", "fingerprint_mismatch")]),
    "corrupt": (lambda world: met(spoilt(world)), WINDOW, {}, [FRESH, ("live", "corrupt")]),
    "origin_live": (unchanged, LEAP_DAY, {"origin": "live"}, [("live", "origin_live")]),
    "empty_source": (unchanged, BEYOND, {}, [FRESH, ("live", "empty_source")]),
}


@pytest.fixture(params=CASES)
def case(request, tiny):
    """A world, what to ask of it, and the origins and reasons that should be given."""
    prepare, window, asked, wanted = CASES[request.param]
    world = prepare(replace(tiny, store=open_store(tiny.store.root, memory_bytes=0)))
    return world, window, {"query": "regional_price", "resolution": "1d", **asked}, wanted


def predicted(world, window, query="regional_price", **asked):
    return explain(world.store, world.source, query, window, **{"now": world.now, **asked})


def told(receipt):
    return [(segment.origin, segment.reason) for segment in receipt.segments]


def test_every_reason_has_a_case():
    assert {reason for *_, wanted in CASES.values() for _, reason in wanted} == set(get_args(Reason))


def test_fetch_gives_the_reason_and_the_right_rows(case):
    world, window, asked, wanted = case
    answer = world.fetch(window=window, **asked)
    assert told(answer.receipt) == wanted
    compare(answer.table, world.expected(asked["query"], window, asked["resolution"]))


def test_fetch_reads_what_explain_said(case):
    world, window, asked, _ = case
    said = predicted(world, window, **asked)
    assert world.fetch(window=window, **asked).receipt.segments == said.segments


def test_explain_opens_no_partition_and_runs_no_query(case, monkeypatch):
    world, window, asked, wanted = case
    for path in world.store.root.rglob("*.parquet"):
        path.write_bytes(b"x" * path.stat().st_size)
    monkeypatch.setattr(Source, "attach", None)
    monkeypatch.setattr(Store, "is_sound", None)
    assert told(predicted(world, window, **asked)) == wanted


# R10
@pytest.mark.parametrize("resolution", ["5min", "1d"])
def test_explain_says_what_its_files_hold(tiny, resolution):
    entries = {entry.build: entry for entry in tiny.store.manifest().entries}
    segments = predicted(tiny, WINDOW, resolution=resolution).segments
    assert len(segments) == 2
    for segment in segments:
        path = tiny.store.root / entries[segment.build].path
        assert (segment.row_count, segment.byte_count) == (pq.read_metadata(path).num_rows, path.stat().st_size)
    (live,) = predicted(tiny, AN_HOUR, origin="live").segments
    assert (live.row_count, live.byte_count) == (None, None)


def test_explain_takes_a_partition_at_its_word_till_a_reader_has_met_it(tiny):
    assert told(predicted(spoilt(tiny), WINDOW, resolution="1d")) == [FRESH, FRESH]


@pytest.mark.parametrize("name", ["stale, past its grace", "range_gap", "fingerprint_mismatch", "corrupt"])
def test_what_partitions_should_have_served_is_built_behind_the_answer(tiny, name):
    prepare, window, *_ = CASES[name]
    world = prepare(tiny)
    world = replace(world, store=open_store(world.store.root, read_through=True))
    assert "live" in {origin for origin, _ in told(world.fetch("regional_price", window, resolution="1d").receipt)}
    world.store.background.shutdown(wait=True)
    restarted = replace(world, store=open_store(world.store.root))
    answer = restarted.fetch("regional_price", window, resolution="1d", origin="cache")
    assert {origin for origin, _ in told(answer.receipt)} == {"cache"}
    compare(answer.table, world.expected("regional_price", window, "1d"))


@pytest.mark.parametrize("name", ["grain_too_coarse", "grain_not_stored", "origin_live", "empty_source"])
def test_what_no_partition_should_serve_has_nothing_built(tiny, name):
    prepare, window, asked, _ = CASES[name]
    world = prepare(tiny)
    before = world.store.manifest()
    world = replace(world, store=open_store(world.store.root, read_through=True))
    world.fetch(window=window, **{"query": "regional_price", "resolution": "1d", **asked})
    world.store.background.shutdown(wait=True)
    assert world.store.manifest() == before
