"""Landing what is odd, killed or contested: refused by name, or finished by the next one."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nem import lake
from nem.errors import SourceFormatError, SourceUnavailableError
from nem.lake import land, land_units, landed_days
from nem.landing import land_files
from nem.source import open_source
from nem.windows import Window
from tests.nem.versions import version_of
from tests.tiny_nem import LEAP_DAY, land_raw, raw_tables

NOON = datetime(2024, 2, 29, 12)


@pytest.fixture
def tiny(tmp_path):
    return land_raw(tmp_path / "lake", raw_tables())


def test_a_registry_landed_by_a_killed_process_is_finished_by_the_next(tiny, monkeypatch):
    """The new registry was published, the days were not yet derived from it."""
    units = raw_tables()["units"]
    position = units["duid"].to_pylist().index("COAL1")
    loads = units["dispatch_type"].to_pylist()
    loads[position] = "LOAD"
    changed = units.set_column(units.schema.get_field_index("dispatch_type"), "dispatch_type", pa.array(loads))

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(lake, "_rewrite", die)
        with pytest.raises(KeyboardInterrupt):
            land_units(tiny.root, changed)
    assert land_units(tiny.root, changed) != []
    assert land_units(tiny.root, changed) == []


# J8
def test_rooftop_of_a_sub_area_adds_nothing_to_its_region(tiny):
    def held():
        return pq.read_table(tiny.root / "rooftop_pv" / "2024-02-29.parquet")

    before = held()
    land(tiny.root, "rooftop_pv", pa.table({"settlement_date": [NOON], "region_id": ["QLDC"], "rooftop_mw": [900.0]}))
    assert held().equals(before)


def test_landings_at_once_lose_no_row(tmp_path):
    regions = ["NSW1", "QLD1", "SA1", "TAS1", "VIC1"]

    def price(region):
        land(tmp_path, "regional_price", pa.table({"settlement_date": [NOON], "region_id": [region], "rrp": [50.0]}))

    threads = [threading.Thread(target=price, args=[region]) for region in regions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pq.read_table(tmp_path / "regional_price" / "2024-02-29.parquet")["region_id"].to_pylist() == regions


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_missing(tmp_path, odd):
    land(tmp_path, "regional_price", pa.table({"settlement_date": [NOON], "region_id": ["SA1"], "rrp": [odd]}))
    assert pq.read_table(tmp_path / "regional_price" / "2024-02-29.parquet")["rrp"].to_pylist() == [None]


# T1: an offset in text would be dropped, and ten hours with it.
@pytest.mark.parametrize("text", ["2024-02-29T12:00:00Z", "2024-02-29 12:00"])
def test_times_as_text_are_refused(tmp_path, text):
    with pytest.raises(SourceFormatError, match="give naive timestamps"):
        land(tmp_path, "regional_price", pa.table({"settlement_date": [text], "region_id": ["SA1"], "rrp": [1.0]}))


@pytest.mark.parametrize("label", [datetime(1998, 12, 13), datetime(1970, 1, 1), datetime(2100, 1, 1, 0, 5)])
def test_a_label_outside_the_market_is_refused(tmp_path, label):
    with pytest.raises(SourceFormatError, match="outside 1998-12-13 to 2100-01-01"):
        land(tmp_path, "regional_price", pa.table({"settlement_date": [label], "region_id": ["SA1"], "rrp": [1.0]}))


def test_the_markets_first_label_lands(tmp_path):
    first = datetime(1998, 12, 13, 0, 5)
    rows = pa.table({"settlement_date": [first], "duid": ["A"], "scada_mw": [1.0]})
    assert land(tmp_path, "unit_scada", rows) == [first.date()]


# P1: a battery that is a load to one query and a generator to the other.
@pytest.mark.parametrize(("fuel", "kind"), [("battery", "LOAD"), ("battery", "GENERATOR"), ("hydro", "BIDIRECTIONAL")])
def test_only_a_battery_goes_both_ways(tiny, fuel, kind):
    row = raw_tables()["units"].slice(0, 1).to_pylist()[0] | {"fueltech_id": fuel, "dispatch_type": kind}
    with pytest.raises(SourceFormatError, match="battery goes with BIDIRECTIONAL"):
        land_units(tiny.root, pa.Table.from_pylist([row]))


@pytest.mark.parametrize("name", ["2017-13-99", "1997-01-01", "2100-06-01", "9999-99-99", "copy-of-day"])
def test_a_file_that_is_no_day_of_the_market_is_not_ours(tiny, name):
    before = tiny.span("unit_scada")
    (tiny.root / "unit_scada" / f"{name}.parquet").write_bytes(b"junk")
    assert landed_days(tiny.root, "unit_scada") == [date(2024, 2, 29), date(2024, 3, 1)]
    assert tiny.span("unit_scada") == before


@pytest.mark.parametrize(
    "labels",
    [
        pa.table({"duid": ["A"]}),
        pa.table({"settlement_date": ["2024-03-02"]}),
        pa.table({"settlement_date": pa.array([None], pa.timestamp("us"))}),
        pa.table({"settlement_date": pa.array([NOON], pa.timestamp("us", "UTC"))}),
    ],
)
def test_a_day_file_without_labels_fails_only_who_reads_it(tiny, labels):
    pq.write_table(labels, tiny.root / "regional_price" / "2024-03-02.parquet")
    assert tiny.span("regional_price") == Window(LEAP_DAY.start, LEAP_DAY.end + timedelta(days=2))


def test_a_torn_registry_is_named(tiny):
    (tiny.root / "units.parquet").write_bytes(b"torn")
    with pytest.raises(SourceFormatError, match=r"registry units\.parquet cannot be read"):
        version_of(tiny, "units", date(2024, 2, 29))
    with duckdb.connect() as con, pytest.raises(SourceUnavailableError, match="units"):
        open_source(tiny.root).attach(con, ("unit_scada", "units"), LEAP_DAY)
    with pytest.raises(SourceFormatError, match=r"registry .*units\.parquet cannot be read"):
        land_files(tiny.root, [])


def test_a_sample_that_lost_a_table_still_has_its_now(tmp_path: Path):
    land(tmp_path, "unit_scada", pa.table({"settlement_date": [NOON], "duid": ["A"], "scada_mw": [1.0]}))
    (tmp_path / "sample.json").write_text("{}")
    assert open_source(tmp_path).now().isoformat() == "2024-02-29T02:00:00+00:00"
