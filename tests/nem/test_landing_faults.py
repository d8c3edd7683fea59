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
from tests.tiny_nem import LEAP_DAY, raw_tables

NOON = datetime(2024, 2, 29, 12)


def test_a_registry_landed_by_a_killed_process_is_finished_by_the_next(tiny, monkeypatch):
    """The new registry was published, the days were not yet derived from it."""
    units = raw_tables()["units"]
    kinds = ["LOAD" if unit["duid"] == "COAL1" else unit["dispatch_type"] for unit in units.to_pylist()]
    changed = units.set_column(units.column_names.index("dispatch_type"), "dispatch_type", pa.array(kinds))

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(lake, "_rewrite", die)
        with pytest.raises(KeyboardInterrupt):
            land_units(tiny.root, changed)
    assert land_units(tiny.root, changed) != []
    assert land_units(tiny.root, changed) == []


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


def test_the_markets_first_label_lands(tmp_path):
    first = datetime(1998, 12, 13, 0, 5)
    rows = pa.table({"settlement_date": [first], "duid": ["A"], "scada_mw": [1.0]})
    assert land(tmp_path, "unit_scada", rows) == [first.date()]


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
