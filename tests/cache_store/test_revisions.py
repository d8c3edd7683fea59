"""What AEMO revises between warming and reading: served old while that is allowed, and new from then on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache_store import CATALOGUE
from cache_store.due import due
from cache_store.warm import warm
from nem.windows import INTERVAL, RESOLUTIONS, Window, ceil, floor
from tests.cache_store.revised import REVISED, Row, land_revised
from tests.cache_store.worlds import World
from tests.oracle import compare
from tests.tiny_nem import WINDOW

# By table, whom a revision may be of. A row may be one AEMO had not sent before.
NAMES = {
    "unit_scada": ["COAL1", "BATT1", "PUMP1", "HYDRO1", "IDLE1", "MYSTERY1"],
    "regional_price": ["NSW1", "SA1"],
    "regional_demand": ["NSW1", "SA1"],
    "interconnector_flow": ["NSW1-SA1", "NEW-LINK1"],
    "rooftop_pv": ["NSW1", "SA1"],
}
LABELS = int(WINDOW.hours * 12)


@st.composite
def revisions(draw: st.DrawFn, raw: Mapping[str, pa.Table], query: str) -> dict[str, list[Row]]:
    """Rows by table, one at least of a table ``query`` reads; of the registry all rows, one with another capacity."""
    tables = draw(st.lists(st.sampled_from(CATALOGUE[query].sources), min_size=1, max_size=3, unique=True))
    revised: dict[str, list[Row]] = {}
    for table in tables:
        if table == "units":
            units = raw["units"].to_pylist()
            draw(st.sampled_from(units))["capacity_maximum_mw"] = float(draw(st.integers(1, 500)))
            revised["units"] = units
            continue
        key, measure = REVISED[table]
        grid = 6 if table == "rooftop_pv" else 1
        places = st.tuples(st.integers(1, LABELS // grid), st.sampled_from(NAMES[table]))
        for step, name in draw(st.lists(places, min_size=1, max_size=3, unique=True)):
            at = {"settlement_date": WINDOW.start + step * grid * INTERVAL, key: name}
            former = next((row for row in raw[table].to_pylist() if at.items() <= row.items()), {})
            value = draw(st.none() | st.integers(-60, 1600).map(float))
            revised.setdefault(table, []).append({**former, **at, measure: value})
    return revised


def partitioned(query: str, window: Window) -> Window | None:
    """The part of ``window`` that partitions can serve without the source."""
    grain = CATALOGUE[query].grains[0]
    start, end = ceil(window.start, grain), floor(window.end, grain)
    return Window(start, end) if start < end else None


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, Window, str]:
    query = draw(st.sampled_from(list(CATALOGUE)))
    resolution = draw(st.sampled_from(RESOLUTIONS[RESOLUTIONS.index(CATALOGUE[query].grains[0]) :]))
    start = draw(st.integers(0, LABELS - 1))
    length = draw(st.integers(1, LABELS - start))
    if draw(st.booleans()):
        start, length = 0, LABELS
    window = Window(WINDOW.start + start * INTERVAL, WINDOW.start + (start + length) * INTERVAL)
    return query, partitioned(query, window) or WINDOW, resolution


# C1, P3, R3, R5
@given(data=st.data())
def test_a_revision_is_answered_once_freshness_or_a_warming_asks_for_it(tiny_world, data):
    query, window, resolution = data.draw(requests())
    with TemporaryDirectory() as folder:
        old = tiny_world.copied_to(Path(folder))
        asked = {"resolution": resolution}
        before = old.expected(query, window, resolution)
        if data.draw(st.booleans()):  # so that memory holds the old answer, too
            compare(old.fetch(query, window, **asked).table, before)
        new = land_revised(old, data.draw(revisions(old.raw, query)))
        after = new.expected(query, window, resolution)

        fresh = new.fetch(query, window, **asked)
        assert fresh.receipt.origin in {"cache", "memory"}
        compare(fresh.table, before)
        compare(new.fetch(query, window, origin="live", **asked).table, after)

        entries = [entry for entry in new.store.manifest().entries if entry.query == query]
        stale_from, live_from = (
            max(getattr(e.freshness, edge) for e in entries) for edge in ("expires_at", "swr_until")
        )
        stale = new.fetch(query, window, now=stale_from, **asked)
        assert stale.receipt.origin == "stale"
        compare(stale.table, before)
        a_second_on = {"now": new.now + timedelta(seconds=1), "max_staleness": timedelta(0)}
        for demanding in ({"now": live_from}, a_second_on):
            answer = new.fetch(query, window, **demanding, **asked)
            assert answer.receipt.origin == "live"
            compare(answer.table, after)

        declared = CATALOGUE[query]
        warm(new.store, new.source, declared, due(new.store, new.source, declared, now=new.now), now=new.now)
        warmed = new.fetch(query, window, **asked)
        assert warmed.receipt.origin in {"cache", "memory"}  # memory, where no partition read was rebuilt
        compare(warmed.table, after)


# A reading is taken at its interval's start: it ends the interval before, and begins its own. Both are in this hour.
def test_a_revised_and_a_withdrawn_reading_by_hand(tiny):
    noon = datetime(2024, 2, 29, 12)
    hour = Window(noon - timedelta(hours=1), noon)
    query = CATALOGUE["generation_by_fuel"]

    def energy(world: World) -> float | None:
        warm(world.store, world.source, query, due(world.store, world.source, query, now=world.now), now=world.now)
        answer = world.fetch(query.name, hour, resolution="1h", filters={"fueltech_id": ["hydro"]}, origin="cache")
        (row,) = answer.table.to_pylist()
        return row["energy_mwh"]

    def revised(reading: float | None) -> World:
        return land_revised(tiny, {"unit_scada": [{"settlement_date": noon, "duid": "HYDRO1", "scada_mw": reading}]})

    assert energy(tiny) == pytest.approx(30)
    assert energy(revised(42.0)) == pytest.approx(10 * 2.5 + 2 * (30 + 42) / 2 / 12)
    assert energy(revised(None)) == pytest.approx(11 * 2.5)
