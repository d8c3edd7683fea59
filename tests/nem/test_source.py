"""What a source says it holds, and whether that has changed."""

from __future__ import annotations

import re
import shutil
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from nem.errors import NemError, SourceUnavailableError
from nem.lake import day_file, land, land_units
from nem.source import open_source
from nem.tables import TABLES, UNITS
from nem.windows import INTERVAL, Window
from tests.nem.versions import version_of
from tests.tiny_nem import FIRST_OF_MARCH, LEAP_DAY, WINDOW, raw_tables, units_with

TINY = raw_tables()
DAY, NEXT = date(2024, 2, 29), date(2024, 3, 1)
EVER = Window(datetime(2000, 1, 1), datetime(2050, 1, 1))


def readings(*labels: datetime) -> pa.Table:
    return pa.table({"settlement_date": labels, "duid": ["A"] * len(labels), "scada_mw": [1.0] * len(labels)})


def test_coverage_is_whole_days_but_for_a_ragged_first_and_last(tmp_path):
    land(tmp_path, "unit_scada", readings(datetime(2024, 2, 28, 18), datetime(2024, 2, 29, 9), datetime(2024, 3, 1, 6)))
    source, whole = open_source(tmp_path), Window(datetime(2024, 2, 28, 17, 55), datetime(2024, 3, 1, 6))
    assert (source.coverage("unit_scada", EVER), source.span("unit_scada")) == ([whole], whole)
    assert source.coverage("unit_scada", LEAP_DAY) == [LEAP_DAY]


# P4
def test_a_day_without_a_file_is_a_hole_in_the_coverage(tmp_path):
    land(tmp_path, "unit_scada", readings(datetime(2024, 2, 27, 12), datetime(2024, 2, 29, 12), datetime(2024, 3, 1)))
    source = open_source(tmp_path)
    assert source.coverage("unit_scada", EVER) == [
        Window(datetime(2024, 2, 27, 11, 55), datetime(2024, 2, 28)),
        LEAP_DAY,
    ]
    hole = Window(datetime(2024, 2, 28), datetime(2024, 2, 29))
    assert source.coverage("unit_scada", hole) == []


@pytest.mark.parametrize(
    ("start", "end", "covered"),
    [
        (
            datetime(2024, 2, 29, 12),
            datetime(2024, 3, 1, 12),
            [Window(datetime(2024, 2, 29, 12), datetime(2024, 3, 1, 12))],
        ),
        (datetime(2024, 2, 28), datetime(2024, 2, 29, 0, 5), [Window(LEAP_DAY.start, datetime(2024, 2, 29, 0, 5))]),
        (datetime(2024, 2, 1), LEAP_DAY.start, []),
        (WINDOW.end, datetime(2024, 4, 1), []),
    ],
)
def test_coverage_is_cut_to_the_window_asked(two_days, start, end, covered):
    assert open_source(two_days).coverage("unit_scada", Window(start, end)) == covered


# A page holds its source for weeks: a folder is listed once for what is asked at a time, and again for what is asked next.
def test_a_day_that_lands_is_covered_for_whoever_holds_the_source(tiny):
    assert tiny.span("unit_scada") == WINDOW
    for later in (datetime(2024, 3, 3, 6), datetime(2024, 3, 3, 6, 5)):
        land(tiny.root, "unit_scada", readings(later))
        assert tiny.span("unit_scada") == Window(WINDOW.start, later)
        assert tiny.coverage("unit_scada", EVER)[-1] == Window(datetime(2024, 3, 3), later)


# P2: the newest label is the pacing table's, not the newest of all.
def test_each_table_has_its_own_span(tiny):
    land(tiny.root, "unit_scada", readings(WINDOW.end + INTERVAL))
    assert tiny.span("unit_scada").end == WINDOW.end + INTERVAL
    assert tiny.span("regional_price").end == WINDOW.end


@pytest.mark.parametrize("made", [lambda _: None, lambda path: (path / "unit_scada").mkdir(parents=True), Path.touch])
def test_where_no_lake_is_a_source_is_unavailable_at_use_and_not_before(tmp_path, made):
    made(tmp_path / "lake")
    source = open_source(tmp_path / "lake")
    for asked in (lambda: source.span("unit_scada"), lambda: source.coverage("unit_scada", EVER)):
        with pytest.raises(SourceUnavailableError, match=r"has no unit_scada: land some with `nemwarm ingest"):
            asked()


def test_rows_held_past_the_newest_point_of_rooftop_make_it_no_newer(sample_lake):
    source = open_source(sample_lake)
    assert set(source.newest_labels().values()) == {datetime(2017, 11, 5)}
    assert source.coverage("rooftop_pv", EVER)[-1].end == datetime(2017, 11, 5)


def test_a_lake_that_cannot_be_read_is_no_empty_one(tmp_path):
    """A link to itself, as a folder without permission or a disk that is away."""
    source = open_source(tmp_path / "lake")
    assert source.newest_labels() == {}
    for broken in (tmp_path / "lake" / "unit_scada", tmp_path / "lake"):
        shutil.rmtree(tmp_path / "lake", ignore_errors=True)
        broken.parent.mkdir(exist_ok=True)
        broken.symlink_to(broken)
        for asked in (
            source.newest_labels,
            lambda: source.span("unit_scada"),
            lambda: land_units(source.root, TINY["units"]),
        ):
            with pytest.raises(SourceUnavailableError, match=re.escape(str(broken))):
                asked()


# C6, C4: and it takes only its own day down.
@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda _: b"garbage", lambda _: b""])
@pytest.mark.parametrize(
    ("day", "window", "other"), [(DAY, LEAP_DAY, FIRST_OF_MARCH), (NEXT, FIRST_OF_MARCH, LEAP_DAY)]
)
def test_a_damaged_file_is_a_typed_error_for_its_day_alone(tiny, damage, day, window, other):
    path = day_file(tiny.root, "unit_scada", day)
    path.write_bytes(damage(path.read_bytes()))
    for asked in (window, WINDOW):
        with duckdb.connect() as con, pytest.raises(NemError, match=r"unit_scada"):
            tiny.attach(con, ("regional_price", "unit_scada"), asked)
    with duckdb.connect() as con:
        tiny.attach(con, ("unit_scada", "regional_price"), other)
        assert con.execute("SELECT count(*) > 0 FROM unit_scada").fetchone() == (True,)


# P3
def test_a_day_has_the_same_version_until_its_rows_change(tiny):
    before = {day: tiny.versions(TABLES, day_window) for day, day_window in ((DAY, LEAP_DAY), (NEXT, FIRST_OF_MARCH))}
    for name in TABLES.keys() & TINY:
        land(tiny.root, name, TINY[name])
    assert tiny.versions(TABLES, LEAP_DAY) == before[DAY]
    noon = datetime(2024, 2, 29, 12)
    land(tiny.root, "regional_price", pa.table({"settlement_date": [noon], "region_id": ["SA1"], "rrp": [41.0]}))
    assert tiny.versions(TABLES, FIRST_OF_MARCH) == before[NEXT]
    after = tiny.versions(TABLES, LEAP_DAY)
    assert {name for name in TABLES if after[name] != before[DAY][name]} == {"regional_price"}


def test_a_period_has_one_version_that_any_of_its_days_moves(tiny):
    month = Window(datetime(2024, 2, 1), datetime(2024, 3, 1))
    before = tiny.versions(["unit_scada"], month), tiny.versions(["unit_scada"], FIRST_OF_MARCH)
    land(tiny.root, "unit_scada", readings(datetime(2024, 2, 10, 12)))  # a day that had no file
    assert tiny.versions(["unit_scada"], month) != before[0]
    assert tiny.versions(["unit_scada"], FIRST_OF_MARCH) == before[1]


def test_a_changed_capacity_moves_the_version_of_the_days_it_applies_to_alone(tiny):
    before = [version_of(tiny, "units", day) for day in (DAY, NEXT)]
    land_units(tiny.root, units_with("HYDRO1", NEXT, capacity_maximum_mw=100.0))
    after = [version_of(tiny, "units", day) for day in (DAY, NEXT)]
    assert [a != b for a, b in zip(before, after, strict=True)] == [False, True]
    land_units(tiny.root, TINY["units"])
    assert [version_of(tiny, "units", day) for day in (DAY, NEXT)] == before


def test_a_day_without_a_file_has_a_version_of_its_own(tiny):
    absent = version_of(tiny, "unit_scada", date(2024, 5, 1))
    assert version_of(open_source(tiny.root / "nowhere"), "units", DAY) == absent != version_of(tiny, "units", DAY)


# T1: the 00:05 label of a day never reads the file of the day before.
def test_attached_tables_hold_the_days_of_the_window_and_the_labels_covered(tiny):
    window = Window(datetime(2024, 2, 29, 23, 50), datetime(2024, 3, 1))
    with duckdb.connect() as con:
        tiny.attach(con, ("unit_scada", "units"), window)
        labels = con.execute("SELECT settlement_date FROM dispatch_interval ORDER BY 1").fetchall()
        days = con.execute(
            "SELECT DISTINCT CAST(settlement_date - INTERVAL 5 MINUTE AS DATE) FROM unit_scada"
        ).fetchall()
    assert labels == [(window.start + INTERVAL,), (window.end,)]
    assert days == [(DAY,)]


def test_a_table_that_never_landed_is_empty_and_typed(tmp_path):
    land(tmp_path, "unit_scada", TINY["unit_scada"])
    with duckdb.connect() as con:
        open_source(tmp_path).attach(con, ("unit_scada", "units", "regional_price"), WINDOW)
        assert con.execute("SELECT count(*) FROM regional_price").fetchone() == (0,)
        kinds = dict(con.execute("SELECT column_name, column_type FROM (DESCRIBE units)").fetchall())
    assert kinds == UNITS
