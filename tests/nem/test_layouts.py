"""Other people's folders, read where they lie: the same relations as the lake's, from their files."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cache_store import CATALOGUE, fetch, open_store
from cache_store.due import due
from cache_store.warm import warm
from nem.errors import NemError, SourceFormatError, SourceUnavailableError, TableAbsentError
from nem.lake import land
from nem.layouts import rows, units
from nem.layouts.kinds import LAYOUTS
from nem.registry import excluded_units
from nem.source import Source, open_source
from nem.tables import TABLES, UNITS
from nem.windows import INTERVAL, Window, day_window, utc_time
from tests.aemo_files import GOLDEN, REGISTRY
from tests.nem.versions import version_of

SAMPLE = Path(__file__).parents[2] / "nem" / "sample"
SPAN = Window(datetime(2017, 10, 14), datetime(2017, 11, 5))
NEW_YEAR = Window(datetime(2022, 1, 1), datetime(2022, 1, 1, 4))
APRIL = Window(datetime(2024, 4, 1), datetime(2024, 5, 1))
EVER = Window(datetime(2000, 1, 1), datetime(2050, 1, 1))
NOON = datetime(2020, 1, 31, 12)
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="session")
def curated():
    """What the bundled registry may say, for all time: of the sample's stations, and of AEMO's units of today."""
    typed = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in UNITS.items())
    read = "FROM read_csv($files, all_varchar = true, union_by_name = true)"
    always = "REPLACE (DATE '1998-12-13' AS effective_date, DATE '2999-12-31' AS end_date)"
    one = "QUALIFY row_number() OVER (PARTITION BY duid ORDER BY effective_date NULLS LAST) = 1"
    query = f"SELECT {typed} FROM (SELECT * {always} {read} WHERE dummy IS DISTINCT FROM 'True' {one})"  # noqa: S608 - no data in it
    files = [str(SAMPLE / "units.csv"), str(REGISTRY / "units_current.csv")]
    return duckdb.sql(query, params={"files": files}).to_arrow_table()


@pytest.fixture(autouse=True)
def bundled(monkeypatch, curated):
    monkeypatch.setattr(units, "bundled_registry", lambda: curated)
    units.registry_of.cache_clear()
    yield
    units.registry_of.cache_clear()


def held(source: Source, table: str, window: Window) -> pd.DataFrame:
    """What a query on ``table`` is given for the days of ``window``."""
    with duckdb.connect() as con:
        source.attach(con, (table,), window)
        return con.sql(f"FROM {table} ORDER BY ALL").df()


def at(frame: pd.DataFrame, label: datetime, **key: str) -> dict[str, object]:
    for column, value in {"settlement_date": label, **key}.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return frame.iloc[0].to_dict()


def write(path: Path, columns: Mapping[str, Sequence[object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def as_text(frame: Mapping[str, Sequence[object]]) -> dict[str, list[str | None]]:
    """Columns as NEMOSIS keeps them."""
    return {
        name: [
            f"{value:%Y/%m/%d %H:%M:%S}" if isinstance(value, datetime) else None if value is None else str(value)
            for value in values
        ]
        for name, values in frame.items()
    }


def land_frame(root: Path, table: str, frame: pd.DataFrame) -> None:
    rows = pa.Table.from_pandas(frame, preserve_index=False)
    land(root, table, rows.set_column(0, "settlement_date", rows["settlement_date"].cast("timestamp[us]")))


def contents(root: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(root.rglob("*"))}


# --- NEMOSIS ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "file", "key", "columns"),
    [
        ("unit_scada", "DISPATCHLOAD", "DUID", {"scada_mw": "INITIALMW"}),
        ("regional_price", "DISPATCHPRICE", "REGIONID", {"rrp": "RRP", "settlement_rrp": "RRP"}),
        (
            "regional_demand",
            "DISPATCHREGIONSUM",
            "REGIONID",
            {
                "demand_mw": "TOTALDEMAND",
                "demand_operational_mw": "DEMAND_AND_NONSCHEDGEN",
                "net_interchange_mw": "NETINTERCHANGE",
            },
        ),
    ],
)
def test_a_nemosis_cache_gives_its_text_as_numbers(table, file, key, columns):
    found = held(open_source(GOLDEN), table, NEW_YEAR)
    given = pq.read_table(next(GOLDEN.glob(f"{file}_*.parquet"))).to_pandas()
    given["settlement_date"] = pd.to_datetime(given["SETTLEMENTDATE"], format="%Y/%m/%d %H:%M:%S")
    if key == "DUID":
        given = given[~given[key].isin(excluded_units())]  # dummies and demand-side units generate nothing
    name = TABLES[table].key[1]
    both = found.merge(given, left_on=["settlement_date", name], right_on=["settlement_date", key], validate="1:1")
    assert len(both) == len(found) == len(given) > 200
    for ours, aemos in columns.items():
        assert (both[ours] == both[aemos].astype(float)).all()


def test_a_reading_is_made_mean_power_as_when_it_lands():
    found = held(open_source(GOLDEN), "unit_scada", NEW_YEAR)
    given = pq.read_table(next(GOLDEN.glob("DISPATCHLOAD_*.parquet"))).to_pandas().query("DUID == 'BW01'")
    initial = dict(zip(given["SETTLEMENTDATE"], given["INITIALMW"].astype(float), strict=True))
    first = at(found, datetime(2022, 1, 1, 0, 5), duid="BW01")
    assert first["mean_mw"] == (initial["2022/01/01 00:05:00"] + initial["2022/01/01 00:10:00"]) / 2
    assert not first["is_provisional"]
    last = at(found, datetime(2022, 1, 1, 4), duid="BW01")
    assert last["mean_mw"] == max(initial["2022/01/01 04:00:00"], 0)
    assert last["is_provisional"]


@pytest.mark.parametrize(
    "names",
    [
        ("PUBLIC_DVD_DISPATCHPRICE_202201010000.parquet", "PUBLIC_DVD_DISPATCHPRICE_202202010000.parquet"),
        (
            "PUBLIC_ARCHIVE#DISPATCHPRICE#FILE01#202201010000.parquet",
            "PUBLIC_ARCHIVE#DISPATCHPRICE#FILE02#202201010000.parquet",
        ),
        ("DISPATCHPRICE_2022_01.parquet", "DISPATCHPRICE_2022_02.parquet"),
        ("public_dvd_dispatchprice_202201010000.PARQUET", "PUBLIC_DVD_DISPATCHPRICE_202202010000.parquet"),
    ],
)
def test_a_nemosis_cache_may_be_named_in_any_of_its_ways_and_split(tmp_path, names):
    given = pq.read_table(next(GOLDEN.glob("DISPATCHPRICE_*.parquet")))
    pq.write_table(given.slice(0, 100), tmp_path / names[0])
    pq.write_table(given.slice(100).drop(["PRICE_STATUS"]), tmp_path / names[1])
    whole = held(open_source(GOLDEN), "regional_price", NEW_YEAR)
    split = held(open_source(tmp_path), "regional_price", NEW_YEAR)
    assert split["price_status"].isna().sum() == 140
    pd.testing.assert_frame_equal(split.drop(columns="price_status"), whole.drop(columns="price_status"))


def test_another_table_of_a_like_name_is_not_taken_for_ours(tmp_path):
    shutil.copy(next(GOLDEN.glob("DISPATCHLOAD_*")), tmp_path / "PUBLIC_DVD_DISPATCHLOAD_BNC_202201010000.parquet")
    shutil.copy(next(GOLDEN.glob("DISPATCHPRICE_*")), tmp_path / "DISPATCHPRICE.parquet")
    with pytest.raises(TableAbsentError, match="has no unit_scada"):
        open_source(tmp_path).span("unit_scada")


BOTH_RUNS = {"SETTLEMENTDATE": [NOON, NOON], "INTERVENTION": [0, 1], "LASTCHANGED": [NOON, NOON - INTERVAL]}


# J3: nem-domain 1.4. As text and as numbers, in either order.
@pytest.mark.parametrize("written", [as_text, dict])
@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_prices_are_of_the_pricing_run_and_the_rest_of_the_physical(tmp_path, written, order):
    def put(table: str, columns: Mapping[str, Sequence[object]]) -> None:
        both = {name: [values[i] for i in order] for name, values in {**BOTH_RUNS, **columns}.items()}
        write(tmp_path / f"PUBLIC_DVD_{table}_202001010000.parquet", written(both))

    put("DISPATCHPRICE", {"REGIONID": ["SA1"] * 2, "RRP": [14_700.0, 80.5], "ROP": [119_721.0, 80.5]})
    put("DISPATCHREGIONSUM", {"REGIONID": ["SA1"] * 2, "TOTALDEMAND": [1500.0] * 2, "NETINTERCHANGE": [-100.0, 25.0]})
    put(
        "DISPATCHINTERCONNECTORRES",
        {"INTERCONNECTORID": ["V-SA"] * 2, "METEREDMWFLOW": [1.0] * 2, "MWFLOW": [7.0, 9.5]},
    )
    source = open_source(tmp_path)
    assert at(held(source, "regional_price", EVER_NOON), NOON, region_id="SA1")["rrp"] == 14_700
    assert at(held(source, "regional_demand", EVER_NOON), NOON, region_id="SA1")["net_interchange_mw"] == 25
    assert at(held(source, "interconnector_flow", EVER_NOON), NOON, interconnector_id="V-SA")["target_flow_mw"] == 9.5


EVER_NOON = day_window(NOON.date())


def test_of_two_rows_of_a_key_the_one_changed_last_wins(tmp_path):
    write(
        tmp_path / "DISPATCH_UNIT_SCADA_2020_01.parquet",
        as_text(
            {
                "SETTLEMENTDATE": [NOON] * 2,
                "DUID": [" hdwf2", "HDWF2 "],
                "SCADAVALUE": [2, 1],
                "LASTCHANGED": [NOON, NOON - INTERVAL],
            }
        ),
    )
    assert at(held(open_source(tmp_path), "unit_scada", EVER_NOON), NOON, duid="HDWF2")["scada_mw"] == 2


# nem-domain 1.12; J8
def test_rooftop_is_of_the_best_type_and_of_the_five_regions(tmp_path):
    half_past = NOON + timedelta(minutes=30)
    write(
        tmp_path / "PUBLIC_DVD_ROOFTOP_PV_ACTUAL_202001010000.parquet",
        as_text(
            {
                "INTERVAL_DATETIME": [NOON, NOON, NOON, half_past, half_past, NOON],
                "REGIONID": ["QLD1"] * 5 + ["QLDN"],
                "POWER": [100, 90, None, 160, 40, 30],
                "TYPE": ["SATELLITE", "MEASUREMENT", "DAILY", "MEASUREMENT", "SATELLITE", "MEASUREMENT"],
            }
        ),
    )
    found = held(open_source(tmp_path), "rooftop_pv", EVER_NOON)
    assert set(found["region_id"]) == {"QLD1"}
    # DAILY says nothing at noon, so the measurement stands: 90 MW, and 160 half an hour later.
    assert at(found, NOON + INTERVAL, region_id="QLD1")["mean_mw"] == pytest.approx(90 + 70 * 0.5 / 6)
    assert at(found, half_past, region_id="QLD1")["rooftop_mw"] == 160


def test_a_trading_price_stands_in_on_days_without_dispatch_prices(tmp_path):
    half_hour = datetime(2021, 9, 30, 0, 30)
    write(
        tmp_path / "DISPATCHPRICE_2021_10.parquet",
        as_text(
            {"SETTLEMENTDATE": [datetime(2021, 10, 1, 0, 30)], "REGIONID": ["SA1"], "INTERVENTION": [0], "RRP": [50]}
        ),
    )
    write(
        tmp_path / "TRADINGPRICE_2021_10.parquet",
        as_text(
            {"SETTLEMENTDATE": [half_hour, datetime(2021, 10, 1, 0, 25)], "REGIONID": ["SA1"] * 2, "RRP": [12, 99]}
        ),
    )
    source = open_source(tmp_path)
    window = Window(datetime(2021, 9, 30), datetime(2021, 10, 2))
    found = held(source, "regional_price", window)
    assert list(found["settlement_date"]) == [half_hour - n * INTERVAL for n in (5, 4, 3, 2, 1, 0)] + [
        datetime(2021, 10, 1, 0, 30)
    ]
    assert list(found["rrp"]) == list(found["settlement_rrp"]) == [12] * 6 + [50]
    assert source.span("regional_price") == Window(datetime(2021, 9, 30), datetime(2021, 10, 1, 0, 30))


# P4
def test_a_day_without_rows_in_a_month_file_is_a_hole(tmp_path):
    labels = [datetime(2020, 1, 1, 12), datetime(2020, 1, 3, 12), datetime(2020, 1, 5)]
    write(
        tmp_path / "DISPATCH_UNIT_SCADA_2020_01.parquet",
        as_text({"SETTLEMENTDATE": labels, "DUID": ["HDWF2"] * 3, "SCADAVALUE": [1, 2, 3]}),
    )
    assert open_source(tmp_path).coverage("unit_scada", EVER) == [
        Window(datetime(2020, 1, 1, 11, 55), datetime(2020, 1, 2)),
        Window(datetime(2020, 1, 3), datetime(2020, 1, 5)),
    ]


def test_a_months_file_moves_the_version_of_its_days_and_of_what_leans_on_them(tmp_path):
    for month in (1, 2):
        labels = [datetime(2020, month, 1, 12) + timedelta(days=n) for n in range(28)]
        put = {"SETTLEMENTDATE": labels, "DUID": ["HDWF2"] * 28, "SCADAVALUE": range(28)}
        write(tmp_path / f"DISPATCH_UNIT_SCADA_2020_0{month}.parquet", as_text(put))
        prices = {"SETTLEMENTDATE": labels, "REGIONID": ["SA1"] * 28, "RRP": range(28)}
        write(tmp_path / f"DISPATCHPRICE_2020_0{month}.parquet", as_text(prices))
    source = open_source(tmp_path)
    days = [date(2020, 1, 28), date(2020, 1, 31), date(2020, 2, 1), date(2020, 2, 27)]
    before = {table: [version_of(source, table, day) for day in days] for table in ("unit_scada", "regional_price")}
    for table in ("DISPATCH_UNIT_SCADA", "DISPATCHPRICE"):
        path = tmp_path / f"{table}_2020_02.parquet"
        shutil.copy(path, tmp_path / "copy")
        (tmp_path / "copy").replace(path)  # the same rows, but who could tell without reading them
    after = {table: [version_of(source, table, day) for day in days] for table in ("unit_scada", "regional_price")}
    moved = {table: [a != b for a, b in zip(before[table], after[table], strict=True)] for table in before}
    # The last reading of January is completed by the first of February; prices stand alone.
    assert moved == {"unit_scada": [False, True, True, True], "regional_price": [False, False, True, True]}
    assert version_of(source, "rooftop_pv", days[0]) == version_of(source, "rooftop_pv", days[-1])


# --- PRICE_AND_DEMAND ------------------------------------------------------------------------------------------------

PUBLISHED = GOLDEN / "price_and_demand"


@pytest.fixture(scope="module")
def published():
    frames = [pd.read_csv(path) for path in sorted(PUBLISHED.glob("PRICE_AND_DEMAND_202404_*.csv.gz"))]
    frame = pd.concat(frames)
    frame["settlement_date"] = pd.to_datetime(frame["SETTLEMENTDATE"], format="%Y/%m/%d %H:%M:%S")
    return frame.rename(columns={"REGION": "region_id", "RRP": "rrp", "TOTALDEMAND": "demand_mw"})


def test_price_and_demand_files_give_their_rows(published):
    source = open_source(PUBLISHED)
    for table, column in (("regional_price", "rrp"), ("regional_demand", "demand_mw")):
        both = held(source, table, APRIL).merge(published, on=["settlement_date", "region_id"], validate="1:1")
        assert len(both) == len(published) == 30 * 288 * 5
        assert (both[f"{column}_x"] == both[f"{column}_y"]).all()
        assert table != "regional_price" or (both["settlement_rrp"] == both["rrp_y"]).all()


def price_and_demand(path: Path, rows: Sequence[tuple[str, float, float]]) -> None:
    lines = ["REGION,SETTLEMENTDATE,TOTALDEMAND,RRP,PERIODTYPE", *(f"SA1,{t},{mw},{rrp},TRADE" for t, mw, rrp in rows)]
    text = "\r\n".join(lines).encode() + b"\r\n"
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "CSV"])
def test_before_five_minute_settlement_a_row_stands_for_its_half_hour(tmp_path, suffix):
    price_and_demand(
        tmp_path / f"PRICE_AND_DEMAND_202109_SA1.{suffix}",
        [("2021/09/30 23:30:00", 1400.5, 30.25), ("2021/10/01 00:00:00", 1300, 24)],
    )
    price_and_demand(tmp_path / f"PRICE_AND_DEMAND_202110_SA1.{suffix}", [("2021/10/01 00:05:00", 1200, 18)])
    source = open_source(tmp_path)
    assert source.coverage("regional_price", EVER) == [Window(datetime(2021, 9, 30, 23), datetime(2021, 10, 1, 0, 5))]
    window = Window(datetime(2021, 9, 30), datetime(2021, 10, 2))
    prices, demand = held(source, "regional_price", window), held(source, "regional_demand", window)
    labels = [datetime(2021, 9, 30, 23, 5) + n * INTERVAL for n in range(13)]
    assert list(prices["settlement_date"]) == list(demand["settlement_date"]) == labels
    assert list(prices["rrp"]) == list(prices["settlement_rrp"]) == [30.25] * 6 + [24] * 6 + [18]
    assert list(demand["demand_mw"]) == [1400.5] * 6 + [1300] * 6 + [1200]


def test_price_and_demand_hold_no_generation():
    with pytest.raises(TableAbsentError, match=r"PRICE_AND_DEMAND.*has no unit_scada"):
        open_source(PUBLISHED).coverage("unit_scada", APRIL)


def test_a_csv_larger_than_a_month_can_be_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "CSV_BYTES", 1000)
    price_and_demand(tmp_path / "PRICE_AND_DEMAND_202204_SA1.csv.gz", [("2022/04/01 00:05:00", 1, 1)] * 100)
    with pytest.raises(SourceFormatError, match="PRICE_AND_DEMAND_202204_SA1"):
        open_source(tmp_path).span("regional_price")


# --- the flat files of the older updater -----------------------------------------------------------------------------

LABELS = {  # nem-domain 1.8, its last line
    **dict.fromkeys(("coal_black", "coal_brown"), "Coal"),
    "gas_ccgt": "CCGT",
    "gas_ocgt": "OCGT",
    "gas_steam": "Gas other",
    "gas_wcmg": "Gas other",
    "solar_utility": "Solar",
    "wind": "Wind",
    "hydro": "Water",
    "bioenergy_biomass": "Biomass",
    "distillate": "Other",
}


def sample_table(name: str) -> pd.DataFrame:
    return pd.read_parquet(SAMPLE / f"{name}.parquet")


def half_hourly(frame: pd.DataFrame, value: str, key: str) -> pd.DataFrame:
    """Means over the half hour that each label of :00 and :30 closes, as the updater makes them."""
    closes = (frame["settlement_date"] - pd.Timedelta("5min")).dt.floor("30min") + pd.Timedelta("30min")
    return frame.groupby([closes, key], as_index=False)[value].mean()


def updater_folder(root: Path) -> Path:
    """The sample as the updater keeps it, with its faults: see E5 and J2."""
    root.mkdir(parents=True)
    scada = sample_table("unit_scada").dropna().sort_values(["settlement_date", "duid"], ignore_index=True)
    halves = half_hourly(scada, "scada_mw", "duid").assign(scada_mw=-1.0)  # to be seen if it is used
    scada["duid"] = np.where(scada.index % 3, scada["duid"].str.lower(), " " + scada["duid"] + " \n")
    flat = {
        "scada5": scada.rename(columns={"scada_mw": "scadavalue"}),
        "scada30": halves.rename(columns={"scada_mw": "scadavalue"}),
        "prices5": sample_table("regional_price").rename(columns={"region_id": "regionid"}),
        "demand30": contaminated(
            half_hourly(sample_table("regional_demand"), "demand_operational_mw", "region_id")
        ).rename(columns={"region_id": "regionid", "demand_operational_mw": "demand"}),
        "rooftop30": contaminated(sample_table("rooftop_pv")).rename(
            columns={"region_id": "regionid", "rooftop_mw": "power"}
        ),
    }
    for name, frame in flat.items():
        frame = frame.rename(columns={"settlement_date": "settlementdate"})
        frame["settlementdate"] = frame["settlementdate"].astype("datetime64[ns]")
        frame.to_parquet(root / f"{name}.parquet", compression="snappy", index=False)
    units_csv(root / "gen_info.csv")
    return root


def contaminated(frame: pd.DataFrame) -> pd.DataFrame:
    """With 5-minute rows between the half hours of the last days, and some rows twice."""
    late = frame[frame["settlement_date"] > datetime(2017, 11, 1)]
    value = frame.columns[-1]
    stray = [late.assign(settlement_date=late["settlement_date"] - n * INTERVAL, **{value: 9_999.0}) for n in (1, 2)]
    return pd.concat([*stray, frame, late.head(50)], ignore_index=True)


def units_csv(path: Path) -> None:
    given = pd.read_csv(SAMPLE / "units.csv")
    best = given["capacity_maximum_mw"].where(given["capacity_maximum_mw"] > 0, given["capacity_registered_mw"])
    pd.DataFrame(
        {
            "Region": given["region_id"],
            "Site Name": given["station_name"],
            "Owner": 'O\'Hara, "Sons" & Co',
            "DUID": given["duid"].str.lower() + " ",
            "Capacity(MW)": best,
            "Storage(MWh)": 0.0,
            "Fuel": given["fueltech_id"].map(LABELS),
        }
    ).to_csv(path, index=False)


@pytest.fixture(scope="session")
def flat_folder(tmp_path_factory):
    return updater_folder(tmp_path_factory.mktemp("updater") / "data")


@pytest.fixture(scope="session")
def landed(sample_lake, tmp_path_factory):
    """The sample's lake, its demand held over the half hour, which is all the updater keeps of it."""
    root = tmp_path_factory.mktemp("landed") / "lake"
    shutil.copytree(sample_lake, root, ignore=shutil.ignore_patterns("regional_demand"))
    halves = half_hourly(sample_table("regional_demand"), "demand_operational_mw", "region_id")
    six = pd.concat([halves.assign(settlement_date=halves["settlement_date"] - n * INTERVAL) for n in range(6)])
    land_frame(root, "regional_demand", six)
    return root


def same(folder: Path, one: Source, other: Source, query: str, window: Window, resolution: str) -> None:
    """Both answer alike, at 1e-9."""
    tables = [
        fetch(open_store(folder / name), source, query, window, now=NOW, resolution=resolution).table.to_pandas()
        for name, source in (("one", one), ("other", other))
    ]
    assert len(tables[0]) > 0
    pd.testing.assert_frame_equal(*tables, rtol=1e-9, atol=1e-9)


# E5, J2
@pytest.mark.parametrize("resolution", ["30min", "1d"])
@pytest.mark.parametrize("query", ["generation_by_fuel", "regional_price", "capacity_factor"])
def test_an_updaters_folder_answers_as_the_same_data_landed(tmp_path, flat_folder, landed, query, resolution):
    start = datetime(2017, 10, 28) if resolution == "1d" else datetime(2017, 10, 31, 7, 20)
    window = Window(start, SPAN.end if resolution == "1d" else datetime(2017, 11, 3))
    same(tmp_path, open_source(flat_folder), open_source(landed), query, window, resolution)


def test_rows_between_the_half_hours_are_left_out_and_said_to_be(flat_folder):
    notes = open_source(flat_folder).notes()
    # Four days of 48 labels, two strays before each, for five regions.
    assert [note.partition(" are")[0] for note in notes] == [
        "demand30.parquet: 1920 rows",
        "rooftop30.parquet: 1920 rows",
    ]


@pytest.mark.parametrize(("table", "file"), [("unit_scada", "scada"), ("regional_price", "prices")])
def test_half_hour_means_are_used_on_days_without_five_minute_rows(tmp_path, table, file):
    key, ours, theirs = ("duid", "scada_mw", "scadavalue") if file == "scada" else ("region_id", "rrp", "rrp")
    column = key.replace("_", "")
    first, second = datetime(2024, 5, 1, 0, 30), datetime(2024, 5, 2, 0, 30)
    write(tmp_path / f"{file}5.parquet", {"settlementdate": [second], column: ["A"], theirs: [7.0]})
    write(tmp_path / f"{file}30.parquet", {"settlementdate": [first, second], column: ["A"] * 2, theirs: [3.0, 9.0]})
    found = held(open_source(tmp_path), table, Window(datetime(2024, 5, 1), datetime(2024, 5, 3)))
    assert list(found[ours]) == [3.0] * 6 + [7.0]
    assert found["settlement_date"].min() == datetime(2024, 5, 1, 0, 5)


def test_flows_of_an_updater_have_their_columns(tmp_path):
    write(
        tmp_path / "transmission5.parquet",
        {
            "settlementdate": [NOON, NOON + INTERVAL],
            "interconnectorid": ["V-SA"] * 2,
            "meteredmwflow": [10.0, 20.0],
            "mwflow": [12.0, 22.0],
            "exportlimit": [560.5, 560.5],
            "importlimit": [-501.25, -501.25],
            "mwlosses": [0.5, 0.75],
        },
    )
    found = held(open_source(tmp_path), "interconnector_flow", EVER_NOON)
    row = at(found, NOON, interconnector_id="V-SA")
    kept = ("metered_flow_mw", "target_flow_mw", "export_limit_mw", "import_limit_mw", "losses_mw", "mean_mw")
    assert [row[name] for name in kept] == [10, 12, 560.5, -501.25, 0.5, 15]


def copy_of(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def rewritten(path: Path, change) -> None:
    change(pd.read_parquet(path)).to_parquet(path, index=False)


def changed_days(source: Source, table: str, before: list[str]) -> list[date]:
    return [day for day, was in zip(SPAN.days(), before, strict=True) if version_of(source, table, day) != was]


# P3: one file has all of time, yet a day moves alone, and the day before it only with the reading that completes it.
@pytest.mark.parametrize(
    ("label", "moved"),
    [(datetime(2017, 10, 20, 12), [20]), (datetime(2017, 10, 20, 0, 5), [19, 20]), (datetime(2017, 10, 21), [20, 21])],
)
def test_a_changed_reading_moves_the_version_of_its_day_alone(tmp_path, flat_folder, label, moved):
    root = copy_of(flat_folder, tmp_path)
    source = open_source(root)
    before = [version_of(source, "unit_scada", day) for day in SPAN.days()]

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        one = frame.index[frame["settlementdate"] == label][0]
        frame.loc[one, "scadavalue"] += 0.001
        return frame

    rewritten(root / "scada5.parquet", change)
    assert changed_days(source, "unit_scada", before) == [date(2017, 10, day) for day in moved]


def test_rows_in_another_order_move_no_version_and_new_ones_only_the_last(tmp_path, flat_folder):
    root = copy_of(flat_folder, tmp_path)
    source = open_source(root)
    before = [version_of(source, "regional_price", day) for day in SPAN.days()]
    rewritten(root / "prices5.parquet", lambda frame: frame.sample(frac=1, random_state=1))
    assert changed_days(source, "regional_price", before) == []
    rewritten(root / "prices5.parquet", lambda frame: frame[frame["settlementdate"] < SPAN.end])
    assert changed_days(source, "regional_price", before) == [date(2017, 11, 4)]


def test_a_changed_unit_moves_the_version_of_the_registry(tmp_path, flat_folder):
    root = copy_of(flat_folder, tmp_path)
    before = version_of(open_source(root), "units", date(2017, 10, 20))
    (root / "gen_info.csv").write_text((root / "gen_info.csv").read_text().replace("Bayswater", "Baywater"))
    assert version_of(open_source(root), "units", date(2017, 10, 20)) != before


def test_a_unit_table_says_the_capacity_and_the_curated_registry_what_a_label_lumps_together(tmp_path):
    listed = [
        ("NSW1", "Bayswater", "BW01", "660", "0", "Coal"),
        ("VIC1", "Loy Yang", "LYA1", "560", "0", "Coal"),
        ("NSW1", "Appin", "APPIN", "55.6", "", "Gas other"),
        ("QLD1", "Wivenhoe Pump", "PUMP2", "-", "0", "Water"),
        ("VIC1", "New Brown", "NOBODY1", "100", "0", "coal "),
        ("SA1", "New Battery", "NOBODY2", "50", "100", "Battery Storage"),
        ("SA1", "Hornsdale", "HPRG1", "100", "129", "Battery Storage"),
        ("SA1", "Odd", "NOBODY3", "1-3", "0", "Fusion"),
        ("", "Nowhere", "NOBODY4", "inf", "nan", "Wind"),
        ("NSW1", "Roofs", "ROOFTOP_NSW", "0", "0", "Rooftop Solar"),
        ("NSW1", "Twice", "BW01", "1", "0", "Wind"),
        ("NSW1", "None", "-", "1", "0", "Wind"),
    ]
    lines = ["Region,Site Name,DUID,Capacity(MW),Storage(MWh),Fuel", *(",".join(row) for row in listed)]
    (tmp_path / "gen_info.csv").write_text("\n".join(lines))
    write(tmp_path / "scada5.parquet", {"settlementdate": [NOON], "duid": ["BW01"], "scadavalue": [1.0]})
    with duckdb.connect() as con:
        open_source(tmp_path).attach(con, ("unit_scada", "units"), EVER_NOON)
        found = {
            row[0]: row[1:]
            for row in con.sql(
                "SELECT duid, fueltech_id, dispatch_type, capacity_registered_mw, storage_mwh FROM units"
            ).fetchall()
        }
        regions = con.sql("SELECT region_id FROM units WHERE duid = 'NOBODY4'").fetchall()
    assert found == {
        "BW01": ("coal_black", "GENERATOR", 660, None),
        "LYA1": ("coal_brown", "GENERATOR", 560, None),
        "APPIN": ("gas_wcmg", "GENERATOR", 55.6, None),
        "PUMP2": ("pumps", "LOAD", None, None),
        "NOBODY1": ("coal_brown", "GENERATOR", 100, None),
        "NOBODY2": ("battery", "BIDIRECTIONAL", 50, 100),
        "HPRG1": ("battery_discharging", "GENERATOR", 100, 129),
        "NOBODY3": (None, "GENERATOR", None, None),
        "NOBODY4": ("wind", "GENERATOR", None, None),
    }
    assert regions == [("unknown",)]


@pytest.mark.parametrize(("column", "values"), [("duid", [b"BW01"]), ("scadavalue", [[1.0]])])
def test_a_column_of_another_kind_is_an_error_and_no_empty_answer(tmp_path, column, values):
    rows = {"settlementdate": [NOON], "duid": ["BW01"], "scadavalue": [1.0]} | {column: values}
    pq.write_table(pa.table(rows), tmp_path / "scada5.parquet")
    with pytest.raises(SourceFormatError, match=f"{column.upper()} holds neither text nor numbers"):
        open_source(tmp_path).span("unit_scada")


def test_a_column_of_nothing_is_of_any_kind(tmp_path):
    pq.write_table(
        pa.table({"settlementdate": [NOON], "duid": ["BW01"], "scadavalue": pa.nulls(1)}), tmp_path / "scada5.parquet"
    )
    with duckdb.connect() as con:
        open_source(tmp_path).attach(con, ("unit_scada", "units"), EVER_NOON)
        assert con.sql("SELECT duid, scada_mw FROM unit_scada").fetchall() == [("BW01", None)]


def test_a_table_that_names_a_column_twice_is_said_to(tmp_path):
    (tmp_path / "gen_info.csv").write_text(
        "Region,Site Name,DUID,Capacity(MW),Storage(MWh),Fuel,DUID\nSA1,A,B,1,0,Wind,C"
    )
    write(tmp_path / "scada5.parquet", {"settlementdate": [NOON], "duid": ["BW01"], "scadavalue": [1.0]})
    with duckdb.connect() as con, pytest.raises(SourceFormatError, match=r"gen_info.csv names DUID twice"):
        open_source(tmp_path).attach(con, ("unit_scada", "units"), EVER_NOON)


# --- every layout ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def folders(flat_folder):
    return {
        "flat": (flat_folder, Window(datetime(2017, 10, 31), datetime(2017, 11, 2))),
        "nemosis": (GOLDEN, NEW_YEAR),
        "price_and_demand": (PUBLISHED, Window(datetime(2024, 4, 29), datetime(2024, 5, 2))),
    }


LAYOUT_NAMES = ("flat", "nemosis", "price_and_demand")


def test_every_layout_is_tried_here():
    assert len(LAYOUTS) == len(LAYOUT_NAMES)


@pytest.mark.parametrize("layout", LAYOUT_NAMES)
def test_columns_and_types_are_the_lakes(folders, layout):
    root, window = folders[layout]
    with duckdb.connect() as con:
        open_source(root).attach(con, ("regional_price", *TABLES.keys() - {"regional_price"}, "units"), window)
        for table, columns in {**{name: t.columns for name, t in TABLES.items()}, "units": UNITS}.items():
            described = con.execute(f"SELECT column_name, column_type FROM (DESCRIBE {table})").fetchall()  # noqa: S608 - our own name
            assert dict(described) == dict(columns)
            if table == "unit_scada":  # a relation is laid out as the lake's
                assert [name for name, _ in described] == list(columns)


@pytest.mark.parametrize("layout", LAYOUT_NAMES)
def test_names_are_those_of_the_rows(folders, layout):
    root, _ = folders[layout]
    source, told = open_source(root), 0
    for table, column in (
        ("unit_scada", "duid"),
        ("interconnector_flow", "interconnector_id"),
        ("regional_price", "region_id"),
    ):
        with duckdb.connect() as con, suppress(TableAbsentError):
            source.attach(con, (table, *({"units"} if table == "unit_scada" else ())), source.span(table))
            assert source.names(con, table, column) == {
                name for (name,) in con.table(table).select(column).distinct().fetchall()
            }
            told += 1
    assert told


# C5
@pytest.mark.parametrize("layout", LAYOUT_NAMES)
def test_cached_and_live_answers_over_each_layout_agree_and_nothing_is_written_there(tmp_path, folders, layout):
    root, window = folders[layout]
    before = contents(root)
    source, store, now = open_source(root), open_store(tmp_path / "store"), utc_time(window.end)
    answered = 0
    for query in CATALOGUE.values():
        try:
            source.span(query.sources[0])
        except TableAbsentError:
            continue
        tasks = due(store, source, query, now=now, window=window)
        assert warm(store, source, query, tasks, now=now).failed == {}
        assert due(store, source, query, now=now, window=window) == []
        for resolution in query.grains:
            live, cached = (
                fetch(
                    store, source, query.name, window, now=now, resolution=resolution, origin=origin
                ).table.to_pandas()
                for origin in ("live", "cache")
            )
            pd.testing.assert_frame_equal(cached, live, rtol=1e-9, atol=1e-9)
            answered += len(live)
    assert answered > 0
    assert contents(root) == before


# --- what is no layout, and what is broken ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["gen_info.pkl", "prices.parquet", "notes.csv", "PUBLIC_DVD_DISPATCHPRICE_202204010000.feather"]
)
def test_a_folder_of_no_known_layout_is_told_what_was_looked_for(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x80\x04never to be opened")
    source = open_source(tmp_path)
    for asked in (lambda: source.span("regional_price"), lambda: source.versions(["units"], EVER_NOON)):
        with pytest.raises(SourceFormatError, match=rf"{name}.*scada5\.parquet.*DISPATCHPRICE.*PRICE_AND_DEMAND"):
            asked()


def test_what_is_no_data_is_no_layout(tmp_path):
    (tmp_path / "readme.txt").write_text("nothing here")
    with pytest.raises(SourceUnavailableError, match="has no unit_scada: land some"):
        open_source(tmp_path).span("unit_scada")


def test_a_lake_stays_a_lake_whatever_lies_in_it(tmp_path):
    land(tmp_path, "regional_price", pa.table({"settlement_date": [NOON], "region_id": ["SA1"], "rrp": [1.0]}))
    shutil.copy(next(GOLDEN.glob("DISPATCHPRICE_*")), tmp_path)
    assert open_source(tmp_path).span("regional_price") == Window(NOON - INTERVAL, NOON)


def test_a_source_follows_a_folder_that_becomes_one(tmp_path):
    source = open_source(tmp_path)
    with pytest.raises(SourceUnavailableError):
        source.span("regional_price")
    write(tmp_path / "prices5.parquet", {"settlementdate": [NOON], "regionid": ["SA1"], "rrp": [1.0]})
    assert source.span("regional_price") == Window(NOON - INTERVAL, NOON)


ONE = {"settlementdate": [NOON], "duid": ["A"], "scadavalue": [1.0]}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({name: ONE[name] for name in ("settlementdate", "duid")}, "has no column SCADAVALUE"),
        ({**ONE, "settlementdate": pa.array([NOON], pa.timestamp("us", "UTC"))}, "no naive times"),
        ({**ONE, "settlementdate": [12.5]}, "no naive times"),
        ({**ONE, "settlementdate": ["31/01/2020 12:00"]}, "no SETTLEMENTDATE is a time"),
        ({**ONE, "settlementdate": [NOON + timedelta(minutes=2)]}, "5-minute grid"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_a_typed_error(tmp_path, columns, said):
    write(tmp_path / "scada5.parquet", columns)
    source = open_source(tmp_path)
    for asked in (lambda: source.coverage("unit_scada", EVER), lambda: version_of(source, "unit_scada", NOON.date())):
        with pytest.raises(SourceFormatError, match=rf"scada5\.parquet.*{said}"):
            asked()


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda _: b"garbage", lambda _: b""])
def test_a_damaged_file_is_a_typed_error(tmp_path, damage):
    path = write(tmp_path / "scada5.parquet", ONE)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(NemError, match=r"scada5\.parquet"):
        open_source(tmp_path).coverage("unit_scada", EVER)


@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda _: b"garbage", lambda _: b"", lambda _: b"\x1f\x8b"]
)
@pytest.mark.parametrize("name", ["PRICE_AND_DEMAND_202204_SA1.csv", "PRICE_AND_DEMAND_202204_SA1.csv.gz"])
def test_a_damaged_csv_is_a_typed_error_or_has_fewer_rows(tmp_path, damage, name):
    price_and_demand(tmp_path / name, [("2022/04/01 00:05:00", 1.5, 2.5)] * 3)
    (tmp_path / name).write_bytes(damage((tmp_path / name).read_bytes()))
    try:
        open_source(tmp_path).coverage("regional_price", EVER)
    except NemError as error:
        assert name in str(error)  # noqa: PT017 - either is right


def test_an_empty_file_holds_nothing(tmp_path):
    write(tmp_path / "scada5.parquet", {name: pa.array([], pa.array(values).type) for name, values in ONE.items()})
    with pytest.raises(TableAbsentError):
        open_source(tmp_path).span("unit_scada")


def test_stray_rows_take_no_other_down(tmp_path):
    write(
        tmp_path / "scada5.parquet",
        {
            "settlementdate": [NOON, None, NOON + timedelta(minutes=1), datetime(1970, 1, 1)],
            "duid": ["A"] * 4,
            "scadavalue": [1.0, 2.0, 3.0, float("nan")],
        },
    )
    source = open_source(tmp_path)
    assert source.coverage("unit_scada", EVER) == [Window(NOON - INTERVAL, NOON)]
    assert len(held(source, "unit_scada", EVER_NOON)) == 1
    assert source.notes()[0].startswith("scada5.parquet: 3 rows")


def test_a_number_that_is_none_is_missing(tmp_path):
    write(tmp_path / "prices5.parquet", {"settlementdate": [NOON], "regionid": ["SA1"], "rrp": [float("nan")]})
    assert np.isnan(at(held(open_source(tmp_path), "regional_price", EVER_NOON), NOON, region_id="SA1")["rrp"])
