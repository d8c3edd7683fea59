"""A file of AEMO's, and later the same with one value revised: what changes, and that the cache follows."""

from __future__ import annotations

import shutil
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest

from cache_store import CATALOGUE, Store, fetch, open_store
from cache_store.due import due
from cache_store.warm import warm
from nem.landing import land_files
from nem.source import Source, open_source
from nem.windows import Window, day_window, utc_time
from tests.aemo_files import DATA
from tests.nem import naive
from tests.nem.versions import version_of

MONTH = DATA / "aemo/Data_Archive/Wholesale_Electricity/MMSDM/2020/MMSDM_2020_01/MMSDM_Historical_Data_SQLLoader/DATA"
SCADA, PRICE = (MONTH / f"PUBLIC_DVD_{table}_202001010000.zip" for table in ("DISPATCH_UNIT_SCADA", "DISPATCHPRICE"))
DAYS = [date(2020, 1, day) for day in (1, 2, 3, 30, 31)]
TABLES = ("unit_scada", "regional_price", "units")
QUERIES = ("generation_by_fuel", "capacity_factor", "regional_price")


def revised(tmp_path: Path, packed: Path, starts: str, place: int, value: str) -> Path:
    """The CSV in ``packed``, with another value in the line that ``starts`` so."""
    (content,) = naive.unzipped(packed.read_bytes(), packed.name)
    lines = content.decode().splitlines()
    (at,) = (at for at, line in enumerate(lines) if line.replace('"', "").startswith(starts))
    cells = lines[at].split(",")
    cells[place] = value
    lines[at] = ",".join(cells)
    path = tmp_path / f"{packed.stem}.CSV"
    path.write_text("\n".join([*lines, ""]))
    return path


def versions(source: Source) -> dict[tuple[str, date], str]:
    return {(table, day): version_of(source, table, day) for table in TABLES for day in DAYS}


def warm_what_is_due(store: Store, source: Source, now: datetime) -> dict[str, set[str]]:
    """The periods it built, by query."""
    tasks = {name: due(store, source, CATALOGUE[name], now=now) for name in QUERIES}
    for name, found in tasks.items():
        assert warm(store, source, CATALOGUE[name], found, now=now).failed == {}
    return {name: {task.period for task in found} for name, found in tasks.items() if found}


@pytest.fixture(scope="module")
def first_landed(tmp_path_factory) -> Path:
    """The lake of both files, and a store warmed from it."""
    folder = tmp_path_factory.mktemp("first")
    land_files(folder / "lake", [SCADA, PRICE], strict=False)
    source, store = open_source(folder / "lake"), open_store(folder / "store")
    now = utc_time(source.span("unit_scada").end)
    assert warm_what_is_due(store, source, now).keys() == set(QUERIES)
    assert set().union(*warm_what_is_due(store, source, now).values()) <= {"2020"}  # a year is made of days that stand
    return folder


@pytest.mark.parametrize(
    ("packed", "starts", "place", "table", "changed", "queries"),
    [
        (SCADA, "D,DISPATCH,UNIT_SCADA,1,2020/01/02 12:00:00,HDWF2,", 6, "unit_scada", [DAYS[1]], QUERIES[:2]),
        # The first reading of a day completes the last mean of the day before.
        (SCADA, "D,DISPATCH,UNIT_SCADA,1,2020/01/02 00:05:00,HDWF2,", 6, "unit_scada", DAYS[:2], QUERIES[:2]),
        # A price values what was generated, so it moves all three.
        (PRICE, "D,DISPATCH,PRICE,1,2020/01/31 12:00:00,1,SA1,20200131096,0,", 9, "regional_price", [DAYS[4]], QUERIES),
    ],
)
def test_a_revised_file_changes_its_days_alone_and_the_cache_follows(
    tmp_path, first_landed, packed, starts, place, table, changed, queries
):
    shutil.copytree(first_landed, tmp_path, dirs_exist_ok=True)
    lake, fresh, store = tmp_path / "lake", tmp_path / "fresh", open_store(tmp_path / "store")
    source = open_source(lake)
    span = source.span("unit_scada")
    now = utc_time(span.end)
    before = versions(source)
    revision = revised(tmp_path, packed, starts, place, "123.4")
    landing = land_files(lake, [revision], strict=False)
    assert landing.days == {table: changed}
    assert {key for key, version in versions(source).items() if version != before[key]} == {(table, d) for d in changed}
    assert warm_what_is_due(store, source, now) == {name: {day.isoformat() for day in changed} for name in queries}

    other = PRICE if packed is SCADA else SCADA
    land_files(fresh, [other, revision], strict=False)
    window = Window(day_window(changed[0]).start, day_window(changed[-1]).end)
    for name in QUERIES:
        for grain in CATALOGUE[name].grains:
            cached, live = (
                fetch(
                    store, open_source(root), name, window, now=now, resolution=grain, origin=origin
                ).table.to_pandas()
                for root, origin in ((lake, "cache"), (fresh, "live"))
            )
            pd.testing.assert_frame_equal(cached, live, rtol=1e-9, atol=1e-9)
            assert len(cached) > 0


def test_the_same_files_in_any_order_change_no_day(tmp_path):
    """A mean of the same six prices, added up in another order, differs in its last bit."""
    files = [SCADA, PRICE]
    land_files(tmp_path, files, strict=False)
    for again in (files[::-1], files, files[::-1]):
        assert not any(land_files(tmp_path, again, strict=False).days.values())
