"""The registry: AEMO's tables of a snapshot, the workbook, and our fuels, as of a day."""

from __future__ import annotations

import io
import shutil
from datetime import date, datetime

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from nem.errors import SourceFormatError
from nem.fuels import FUELS
from nem.lake import UNITS_FILE
from nem.registry import (
    BUNDLED_AS_OF,
    bundled_registry,
    excluded_units,
    land_bundled_registry,
    land_registry,
    land_workbook,
    registered,
    typed,
)
from nem.workbook import fuel_of, read_workbook
from tests.aemo_files import REGISTRY
from tests.nem.mms_files import misnamed, workbook, zipped

WORKBOOK = REGISTRY / "NEM-Registration-and-Exemption-List_2026-03.xlsx"


def aemo_tables() -> dict[str, pa.Table]:
    names = ("DUDETAIL", "DUDETAILSUMMARY", "GENUNITS", "STATION")
    return {name: pq.read_table(REGISTRY / f"mmsdm_2025-01_{name}.parquet") for name in names}


def units(table: pa.Table, duid: str) -> list[tuple[date, date, float]]:
    rows = table.filter(pc.field("duid") == duid).to_pylist()
    return [(row["effective_date"], row["end_date"], row["capacity_maximum_mw"]) for row in rows]


def test_capacity_is_as_of_a_date():
    # Hallett: 180 to 217 MW registered, 220 to 255 MW maximum, on 2020-01-20.
    assert units(registered(typed(aemo_tables())), "AGLHAL") == [
        (date(2001, 12, 18), date(2003, 10, 22), 220.0),  # registered 220, then 180
        (date(2003, 10, 22), date(2020, 1, 20), 220.0),
        (date(2020, 1, 20), date(2999, 12, 31), 255.0),
    ]


def test_what_ships_is_aemos_snapshot():
    made = registered(typed(aemo_tables()))
    with duckdb.connect() as con:
        con.register("made", made)
        con.register("shipped", con.sql("FROM read_csv('nem/curated/registered.csv')").to_arrow_table())
        columns = "upper(duid) AS duid, region_id, dispatch_type, capacity_maximum_mw, effective_date, end_date"
        strays = con.execute(
            f"SELECT {columns} FROM shipped EXCEPT SELECT {columns} FROM made"  # noqa: S608 - no data in it
        ).fetchall()
    assert strays == []


def test_every_bundled_unit_has_a_known_fuel_and_place():
    rows = bundled_registry().to_pylist()
    assert {row["fueltech_id"] for row in rows} <= {*FUELS, "battery"}
    assert {row["region_id"] for row in rows} == {"NSW1", "QLD1", "SA1", "TAS1", "VIC1"}
    assert not {row["duid"] for row in rows} & excluded_units()
    assert {"BLNKTAS", "BLNKVIC", "RT_NSW1", "DRXNDA01"} <= excluded_units()  # what generates nothing


def test_snowy_counts_where_its_units_went():
    rows = bundled_registry().filter(pc.field("duid") == "TUMUT3").to_pylist()
    assert {row["region_id"] for row in rows} == {"NSW1"}


def test_a_battery_is_a_pair_until_it_is_one(tmp_path):
    land_bundled_registry(tmp_path)
    rows = pq.read_table(tmp_path / UNITS_FILE).to_pylist()
    hornsdale = {row["duid"]: row for row in rows if row["duid"] in {"HPRG1", "HPRL1", "HPR1"}}
    assert {duid: row["fueltech_id"] for duid, row in hornsdale.items()} == {
        "HPRG1": "battery_discharging",
        "HPRL1": "battery_charging",
        "HPR1": "battery",
    }
    assert hornsdale["HPRG1"]["end_date"] == datetime(2024, 10, 2)
    assert hornsdale["HPR1"]["effective_date"] == datetime(2024, 9, 12)


def test_landing_aemos_tables_replaces_what_shipped_unit_by_unit(tmp_path):
    tables = aemo_tables()
    later = {
        "EFFECTIVEDATE": [date(2025, 6, 1)],
        "DUID": ["AGLHAL"],
        "VERSIONNO": [1],
        "DISPATCHTYPE": ["GENERATOR"],
        "REGISTEREDCAPACITY": [300.0],
        "MAXCAPACITY": [310.0],
    }
    tables["DUDETAIL"] = pa.concat_tables(
        [tables["DUDETAIL"].select(list(later)).cast(pa.table(later).schema), pa.table(later)]
    )
    land_registry(tmp_path, tables, as_of=date(2025, 7, 1))
    assert units(pq.read_table(tmp_path / UNITS_FILE), "AGLHAL")[-1] == (
        datetime(2025, 6, 1),
        datetime(2999, 12, 31),
        310.0,
    )
    # A unit registered after AEMO's snapshot stays as it shipped, and an older snapshot changes nothing.
    assert units(pq.read_table(tmp_path / UNITS_FILE), "WDBESS2")[0][0] == datetime(2025, 2, 1)
    land_registry(tmp_path, aemo_tables(), as_of=date(2025, 3, 1))
    assert units(pq.read_table(tmp_path / UNITS_FILE), "AGLHAL")[-1][2] == 310.0


def test_a_snapshot_older_than_what_ships_changes_nothing(tmp_path):
    land_bundled_registry(tmp_path)
    before = (tmp_path / UNITS_FILE).stat().st_mtime_ns
    old = {name: table.slice(0, 50) for name, table in aemo_tables().items()}
    assert land_registry(tmp_path, old, as_of=date(2021, 4, 1)) == []
    assert (tmp_path / UNITS_FILE).stat().st_mtime_ns == before


def tables_with_a_new_unit() -> dict[str, pa.Table]:
    """AEMO's, and NEWSF9 beside what Hallett is by now."""
    tables = aemo_tables()
    for name in ("DUDETAIL", "DUDETAILSUMMARY"):
        rows = tables[name].filter(pc.field("DUID") == "AGLHAL").to_pylist()
        new = [{**row, "DUID": "NEWSF9", "SCHEDULE_TYPE": "SEMI-SCHEDULED"} for row in rows[-1:]]
        new = [{key: row[key] for key in tables[name].column_names} for row in new]
        tables[name] = pa.Table.from_pylist([*tables[name].to_pylist(), *new])
    return tables


def test_a_unit_nobody_knows_a_fuel_of_is_kept(tmp_path):
    land_registry(tmp_path, tables_with_a_new_unit(), as_of=BUNDLED_AS_OF)
    row = next(row for row in pq.read_table(tmp_path / UNITS_FILE).to_pylist() if row["duid"] == "NEWSF9")
    assert (row["fueltech_id"], row["region_id"], row["station_name"]) == (None, "SA1", "Hallett Power Station")


def test_the_workbook_and_our_fuels_agree_on_every_unit():
    rows, changed = read_workbook(WORKBOOK)
    said = dict(zip(rows["duid"].to_pylist(), rows["fueltech_id"].to_pylist(), strict=True))
    ours = {row["duid"]: row["fueltech_id"] for row in bundled_registry().to_pylist()}
    both = said.keys() & ours.keys()
    # Of a pair that is one unit since, the workbook has the pair's name no more; so all agree.
    assert {duid: (said[duid], ours[duid]) for duid in both if said[duid] != ours[duid]} == {}
    assert (len(both) > 500, changed) == (True, date(2026, 3, 24))


def test_the_workbooks_traps():
    rows, _ = read_workbook(WORKBOOK)
    duids = rows["duid"].to_pylist()
    assert {"ERB01", "HUNTER1", "HASTING1"} <= set(duids)  # written 'ERB01 ' and 'HASTING1\n'
    assert "-" not in duids
    assert duids.count("ADPBA1") == 1


def test_a_row_may_end_before_its_last_columns(tmp_path):
    unit = ("New", "NSW1", "Generating Unit", "Wind", "Wind", "Wind - Onshore", "10")
    (tmp_path / "list.xlsx").write_bytes(workbook(["NEW1", *unit], ["NEW2"], [], ["NEW3", *unit, "12", "-"]))
    rows, _ = read_workbook(tmp_path / "list.xlsx")
    assert [(row["duid"], row["capacity_registered_mw"], row["capacity_maximum_mw"]) for row in rows.to_pylist()] == [
        ("NEW1", 10.0, None),
        ("NEW3", 10.0, 12.0),
    ]


@pytest.mark.parametrize(
    ("words", "fuel"),
    [
        (("Fossil", "Natrual Gas/ Diesel", "Open Cycle Gas turbines (OCGT)"), "gas_ocgt"),
        (("Fossil", "Natural Gas / Diesel", "Open Cycle Gas turbines (OCGT)"), "gas_ocgt"),
        (("Fossil", "Diesel", "Compression Reciprocating Engine"), "distillate"),
        (("solar ", "Solar", "Photovoltalic Flat Panel"), "solar_utility"),
        (("Renewable/ Biomass / Waste", "Sewerage / Waste Water", "Pump Storage"), "bioenergy_biogas"),
        (("Fossil", "Waste Coal Mine Gas", "Spark Ignition Reciprocating Engine"), "gas_wcmg"),
        (("Fusion", "Hope", "Tokamak"), None),
    ],
)
def test_fuels_are_told_by_aemos_words(words, fuel):
    assert fuel_of("ANY1", "GENERATOR", *words) == fuel


def test_a_load_pumps_only_if_it_is_known_to():
    words = ("Hydro", "Water", "Pump Storage")
    assert (fuel_of("SHPUMP", "LOAD", *words), fuel_of("DRXNDA01", "LOAD", *words)) == ("pumps", None)


def test_a_workbook_adds_units_that_are_new_from_when_it_was_changed_and_dates_no_other_anew(tmp_path):
    path, wind = tmp_path / "list.xlsx", ("NSW1", "Generating Unit", "Wind", "Wind", "Wind - Onshore", 10, 12, "-")
    path.write_bytes(workbook(["NEW1", "New", *wind], ["WDBESS2", "Another", *wind]))
    _, changed = read_workbook(path)
    land_workbook(tmp_path / "lake", path)
    rows = {row["duid"]: row for row in pq.read_table(tmp_path / "lake" / UNITS_FILE).to_pylist()}
    new = rows["NEW1"]
    assert (new["station_name"], new["fueltech_id"], new["capacity_maximum_mw"]) == ("New", "wind", 12.0)
    assert new["effective_date"].date() == changed
    assert rows["WDBESS2"]["fueltech_id"] == "battery"
    assert rows["WDBESS2"]["effective_date"] == datetime(2025, 2, 1)  # known here before


def book_without_the_sheet() -> bytes:
    held = io.BytesIO()
    openpyxl.Workbook().save(held)
    return held.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", ""),
        (b"PK\x03\x04 not really", ""),
        (b"<html>403 Forbidden</html>", ""),
        (misnamed(WORKBOOK.read_bytes()), ""),
        (zipped({"xl/worksheets/sheet1.xml": b" " * (101 * 2**20)}), "unpacks to 101 MB"),
        (book_without_the_sheet(), "PU and Scheduled Loads"),
        (None, "cannot be read: .*symbolic links"),
    ],
    ids=["empty", "half", "a page", "misnamed", "a bomb", "another book", "a link to itself"],
)
def test_what_is_no_workbook_is_refused(tmp_path, content, says):
    path = tmp_path / "list.xlsx"
    path.symlink_to(path) if content is None else path.write_bytes(content)
    with pytest.raises(SourceFormatError, match=rf"list\.xlsx.*{says}"):
        land_workbook(tmp_path / "lake", path)
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize(
    ("name", "table", "says"),
    [
        ("DUDETAIL", {"DUID": ["A"]}, "lacks EFFECTIVEDATE"),
        ("STATION", {"STATIONID": ["A"]}, "lacks STATIONNAME"),
        ("BIDS", {"DUID": ["A"]}, "no registration table"),
        ("GENUNITS", {"GENSETID": ["A"], "CO2E_EMISSIONS_FACTOR": ["much"]}, "GENUNITS cannot be read"),
    ],
)
def test_a_table_that_is_not_as_declared_is_refused(tmp_path, name, table, says):
    with pytest.raises(SourceFormatError, match=says):
        land_registry(tmp_path, {name: pa.table(table)}, as_of=BUNDLED_AS_OF)
    assert not (tmp_path / UNITS_FILE).exists()


@pytest.mark.parametrize("held", [b"torn", None])
def test_a_torn_input_is_named(tmp_path, held):
    land_registry(tmp_path, aemo_tables(), as_of=date(2025, 7, 1))
    torn = tmp_path / "registry" / "DUDETAIL.parquet"
    if held:
        torn.write_bytes(held)
    else:
        pq.write_table(pa.table({"duid": ["A"]}), torn)
    with pytest.raises(SourceFormatError, match=rf"{torn}.*remove it"):
        land_bundled_registry(tmp_path)


def test_a_lost_input_leaves_what_ships(tmp_path):
    land_registry(tmp_path, aemo_tables(), as_of=date(2025, 7, 1))
    shutil.rmtree(tmp_path / "registry")
    land_bundled_registry(tmp_path)
    assert pq.read_table(tmp_path / UNITS_FILE).num_rows == bundled_registry().num_rows
