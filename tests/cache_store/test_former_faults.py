"""Faults that were, each held by what shows it."""

from __future__ import annotations

import dataclasses
import os
import threading
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from cache_store import CATALOGUE, explain, fetch, materialise, open_store
from cache_store.due import due
from cache_store.flight import take_turn
from cache_store.freshness import SETTLES_AFTER
from cache_store.manifest import publish_manifest
from cache_store.upkeep import GRACE, check, repair, sweep
from cache_store.warm import warm
from nem.errors import SourceUnavailableError
from nem.lake import land
from nem.source import open_source
from nem.windows import HORIZON, Window, day_window, utc_time

PRICE = CATALOGUE["regional_price"]


@pytest.fixture
def january(tmp_path):
    """A lake of one price a day over January 2024 and a day more, and a store that holds the settled month."""
    days = [datetime(2024, 1, 1, 12) + timedelta(days=i) for i in range(32)]
    edges = [datetime(2024, 1, 1, 0, 5), datetime(2024, 2, 2)]
    labels = sorted({*days, *edges})
    rows = {"settlement_date": labels, "region_id": ["SA1"] * len(labels), "rrp": [50.0] * len(labels)}
    land(tmp_path / "lake", "regional_price", pa.table(rows))
    source, store = open_source(tmp_path / "lake"), open_store(tmp_path / "store")
    now = utc_time(datetime(2024, 2, 2)) + SETTLES_AFTER
    warm_price(store, source, now)
    return source, store, now


def warm_price(store, source, now, **asked):
    return warm(store, source, PRICE, due(store, source, PRICE, now=now, **asked), now=now)


def periods(store):
    return sorted({entry.period for entry in store.manifest().entries})


def test_a_rebuilt_day_brings_the_other_days_of_its_month_along(january):
    source, store, now = january
    assert periods(store) == ["2024-01", "2024-02-01"]
    (source.root / "regional_price" / "2024-01-20.parquet").unlink()
    assert warm_price(store, source, now, window=day_window(datetime(2024, 1, 3).date())).failed == {}
    assert len(periods(store)) == 31
    assert "2024-01-20" not in periods(store)


def test_a_month_with_a_hole_is_not_built_as_if_it_had_none(january):
    source, store, now = january
    (source.root / "regional_price" / "2024-01-20.parquet").unlink()
    with pytest.raises(SourceUnavailableError, match="lacks days of 2024-01"):
        materialise(store, source, PRICE, "2024-01", now=now)


def test_a_repair_waits_for_whoever_builds(tiny):
    """Else a renewal under way would publish the broken partition again."""
    entry = tiny.store.manifest().series("regional_price", PRICE.fingerprint, "1d")[0]
    (tiny.store.root / entry.path).write_bytes(b"x")
    found = check(tiny.store, tiny.source, now=tiny.now)
    mending = threading.Thread(target=repair, args=(tiny.store, tiny.source, found), kwargs={"now": tiny.now})
    with take_turn(tiny.store.root, "regional_price"):
        mending.start()
        mending.join(1)
        assert mending.is_alive()
        publish_manifest(tiny.store.root, lambda newest: newest.entries)  # as a renewal does
    mending.join(60)
    assert entry.build not in {one.build for one in tiny.store.manifest().entries}
    assert check(tiny.store, tiny.source, now=tiny.now, sample=100)[0].problem == "unpublished"


def test_what_is_unpublished_has_its_grace_from_then_on_however_old_it_is(tiny):
    entry, now = tiny.store.manifest().entries[0], datetime.now(UTC)
    os.utime(tiny.store.root / entry.path, (0, 0))
    publish_manifest(tiny.store.root, lambda newest: [one for one in newest.entries if one != entry])
    publish_manifest(tiny.store.root, lambda newest: newest.entries)  # as the next tick does
    assert sweep(tiny.store, now=now + GRACE).files == ()
    assert sweep(tiny.store, now=now + GRACE + timedelta(minutes=1)).files == (entry.path,)


def test_explain_is_stale_where_fetch_is_while_the_source_is_away(tiny):
    late = max(entry.freshness.swr_until for entry in tiny.store.manifest().entries)
    away = dataclasses.replace(tiny, source=open_source(tiny.source.root / "away"))
    asked = (away.store, away.source, "regional_price", tiny.span)
    assert (
        explain(*asked, now=late, resolution="1d").segments == fetch(*asked, now=late, resolution="1d").receipt.segments
    )


def test_a_century_at_five_minutes_costs_what_is_held(tiny_world):
    answer = tiny_world.fetch("regional_price", Window(tiny_world.span.start, HORIZON), resolution="5min")
    assert (
        answer.table.num_rows == tiny_world.fetch("regional_price", tiny_world.span, resolution="5min").table.num_rows
    )
