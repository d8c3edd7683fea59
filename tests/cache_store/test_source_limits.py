"""The source takes so many readers at once, and none of them for ever."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from cache_store import open_store, stitch
from cache_store.errors import NoAnswerError
from cache_store.store import LIVE_AT_ONCE
from tests.oracle import compare
from tests.tiny_nem import LEAP_DAY


def endless(source, attached_in):
    """``source`` with prices that never come to an end, of which the first statement comes after so many seconds."""

    def attach(self, cursor, *arguments):
        type(source).attach(self, cursor, *arguments)
        time.sleep(attached_in)
        cursor.execute(
            "CREATE TEMP VIEW for_ever AS SELECT settlement_date, 'SA1' AS region_id, sin(n * m) AS rrp, "
            "sin(n * m) AS settlement_rrp, 'FIRM' AS price_status, 'NOT_MII' AS mii_status, 'NOT_OCD' AS ocd_status, "
            "0 AS apc_flag FROM dispatch_interval, range(1000000000) AS one(n), range(1000) AS other(m)"
        )
        cursor.register("regional_price", cursor.table("for_ever"))

    return type("Endless", (type(source),), {"attach": attach, "__slots__": ()})(source.root)


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr(stitch, "LIVE_TIMEOUT", timedelta(milliseconds=50))


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("attached_in", [0, 0.2], ids=["in a statement", "between two"])
def test_a_live_query_that_takes_too_long_is_ended_and_said(tiny, tmp_path, attached_in):
    world = replace(tiny, source=endless(tiny.source, attached_in), store=open_store(tmp_path / "cold"))
    with pytest.raises(NoAnswerError, match=r"regional_price over .* was not answered within 0.05 s; warm it"):
        world.fetch("regional_price", LEAP_DAY, resolution="1d")
    assert all(world.store.at_source.acquire(blocking=False) for _ in range(LIVE_AT_ONCE))  # each place is given back


@pytest.mark.usefixtures("hasty")
def test_where_the_source_has_no_place_left_nobody_can_tell_a_misspelt_name(tiny):
    store = open_store(tiny.store.root)
    for _ in range(LIVE_AT_ONCE):
        store.at_source.acquire()
    answer = replace(tiny, store=store).fetch("capacity_factor", LEAP_DAY, resolution="1d", filters={"duid": ["NOPE"]})
    assert (answer.table.num_rows, answer.receipt.origin) == (0, "cache")


@pytest.mark.usefixtures("hasty")
def test_where_the_source_has_no_place_left_partitions_answer_inside_their_longer_grace(tiny):
    late = max(entry.freshness.swr_until for entry in tiny.store.manifest().entries)
    for _ in range(LIVE_AT_ONCE):
        tiny.store.at_source.acquire()
    answer = tiny.fetch("regional_price", LEAP_DAY, resolution="1d", now=late)
    assert answer.receipt.origin == "stale"
    compare(answer.table, tiny.expected("regional_price", LEAP_DAY, "1d"))
    with pytest.raises(NoAnswerError, match="the source had no place for it"):
        tiny.fetch("capacity_factor", LEAP_DAY, resolution="5min")
