"""Files into the lake: what landed, what was refused, and that the one never stops the other."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from nem import landing as landing_module
from nem.errors import SourceUnavailableError
from nem.lake import land
from nem.landing import Landing, land_files
from tests.aemo_files import DATA, REGISTRY
from tests.nem.mms_files import FIRST, PRICE, ROOFTOP, SCADA, report, scada, zipped

CURRENT = DATA / "aemo" / "Reports" / "CURRENT"
DISPATCHIS = CURRENT / "DispatchIS_Reports" / "PUBLIC_DISPATCHIS_202508201810_0000000477155219.zip"
SCADA_FILE = CURRENT / "Dispatch_SCADA" / "PUBLIC_DISPATCHSCADA_202109021255_0000000348376188.zip"
WORKBOOK = REGISTRY / "NEM-Registration-and-Exemption-List_2026-03.xlsx"
DAY, NOON = date(2024, 2, 29), "2024/02/29 12:00:00"
DUDETAIL = (
    "I,PARTICIPANT_REGISTRATION,DUDETAIL,4,EFFECTIVEDATE,DUID,VERSIONNO,DISPATCHTYPE,REGISTEREDCAPACITY,MAXCAPACITY"
)
SUMMARY = "I,PARTICIPANT_REGISTRATION,DUDETAILSUMMARY,6,DUID,START_DATE,END_DATE,DISPATCHTYPE,REGIONID,STATIONID,SCHEDULE_TYPE"
SOLUTION = "I,DISPATCH,UNIT_SOLUTION,3,SETTLEMENTDATE,DUID,INITIALMW"
TRADING = "I,TRADING,PRICE,3,SETTLEMENTDATE,REGIONID,RRP"
LATER = FIRST.replace("2024/02/29", "2026/03/05")  # than what ships here


def given(tmp_path: Path, **contents: bytes) -> list[Path]:
    paths = []
    for name, content in contents.items():
        paths.append(tmp_path / f"{name}.CSV")
        paths[-1].write_bytes(content)
    return paths


def land_lines(tmp_path: Path, *lines: str, first: str = FIRST) -> Landing:
    return land_files(tmp_path / "lake", given(tmp_path, FILE=report(*lines, first=first)))


def held(tmp_path: Path, table: str, *columns: str, day: date = DAY) -> list[tuple[object, ...]]:
    rows = pq.read_table(tmp_path / "lake" / table / f"{day}.parquet", columns=list(columns)).to_pylist()
    return [tuple(row.values()) for row in rows]


def price(region: str, rrp: float | str, changed: str = "", run: int = 0, label: str = NOON) -> str:
    return f"D,DISPATCH,PRICE,5,{label},1,{region},20240229001,{run},{rrp},{rrp},{changed}"


def test_a_refused_file_stops_no_other(tmp_path):
    broken = tmp_path / "PUBLIC_DISPATCHSCADA_202109021300_0000000348376189.zip"
    broken.write_bytes(SCADA_FILE.read_bytes()[:-100])
    landing = land_files(tmp_path / "lake", [broken, tmp_path / "GONE.zip", tmp_path, SCADA_FILE, DISPATCHIS])
    assert list(landing.refused) == [broken, tmp_path / "GONE.zip", tmp_path]
    assert landing.days["unit_scada"] == [date(2021, 9, 2)]
    assert landing.days["regional_price"] == [date(2025, 8, 20)]
    assert landing.row_counts["DISPATCH.UNIT_SCADA"] == 390


def test_what_is_whole_in_a_broken_archive_lands_and_the_archive_is_not_called_landed(tmp_path):
    (tmp_path / "DAY.zip").write_bytes(
        zipped(
            {"1.CSV": report(SCADA, scada(NOON, "BW01", 1)), "2.CSV": report(SCADA, scada(NOON, "BW02", 1), stated=9)}
        )
    )
    landing = land_files(tmp_path / "lake", [tmp_path / "DAY.zip"])
    assert list(landing.refused) == [tmp_path / "DAY.zip"]
    assert landing.refused[tmp_path / "DAY.zip"].startswith("2.CSV: has 4 lines")
    assert held(tmp_path, "unit_scada", "duid") == [("BW01",)]


@pytest.mark.parametrize(
    ("table", "measure", "lines", "other"),
    [
        (
            "unit_scada",
            "scada_mw",
            (SCADA, scada(NOON, "BW01", "")),
            (SOLUTION, f"D,DISPATCH,UNIT_SOLUTION,3,{NOON},BW01,55"),
        ),
        ("regional_price", "rrp", (PRICE, price("NSW1", "")), (TRADING, f"D,TRADING,PRICE,3,{NOON},NSW1,55")),
    ],
)
def test_a_row_without_its_measure_hides_none_that_has_it(tmp_path, table, measure, lines, other):
    land_lines(tmp_path, *lines)
    land_lines(tmp_path, *other)
    land_lines(tmp_path, *lines)
    assert held(tmp_path, table, measure) == [(55.0,)]


# J2
def test_a_unit_is_known_however_it_is_written(tmp_path):
    assert land_lines(tmp_path, SCADA, scada(NOON, " aglhal ", 5)).unknown_units == ()
    assert land_lines(tmp_path, SCADA, scada(NOON, "new01 ", 5)).unknown_units == ("NEW01",)


@pytest.mark.parametrize("batch_bytes", [1, 500, 10**9])
def test_however_many_files_make_a_batch_the_lake_is_the_same(tmp_path, monkeypatch, batch_bytes):
    monkeypatch.setattr(landing_module, "BATCH_BYTES", batch_bytes)
    labels = [f"2024/02/29 {hour:02}:00:00" for hour in range(1, 12)]
    paths = given(
        tmp_path,
        **{
            f"F{n:02}": report(SCADA, scada(label, "BW01", n), PRICE, price("NSW1", n, label=label))
            for n, label in enumerate(labels)
        },
    )
    landing = land_files(tmp_path / "lake", paths)
    assert landing.refused == {}
    assert held(tmp_path, "unit_scada", "scada_mw") == [(float(n),) for n in range(11)]
    assert held(tmp_path, "regional_price", "rrp") == [(float(n),) for n in range(11)]


def test_a_day_of_many_files_is_written_once(tmp_path, monkeypatch):
    landings = []

    def counted(root, table, rows):
        landings.append(table)
        return land(root, table, rows)

    monkeypatch.setattr(landing_module, "land", counted)
    paths = given(tmp_path, **{f"F{n:02}": report(SCADA, scada(f"2024/02/29 {n:02}:00:00", "A", n)) for n in range(24)})
    land_files(tmp_path / "lake", paths)
    assert landings == ["unit_scada"]


def test_a_file_counts_as_landed_only_once_its_rows_have(tmp_path, monkeypatch):
    """The lake breaks at the second table: what of the first landed stays, and neither file is called landed."""

    def breaking(root, table, rows):
        if table == "regional_price":
            raise SourceUnavailableError("disk full")
        return land(root, table, rows)

    paths = given(tmp_path, A=report(SCADA, scada(NOON, "BW01", 1)), B=report(PRICE, price("NSW1", 50)))
    with monkeypatch.context() as broken:
        broken.setattr(landing_module, "land", breaking)
        with pytest.raises(SourceUnavailableError, match="disk full"):
            land_files(tmp_path / "lake", paths)
    landing = land_files(tmp_path / "lake", paths)
    assert landing.refused == {}
    assert held(tmp_path, "regional_price", "rrp") == [(50.0,)]


@pytest.mark.parametrize(
    ("lines", "row_counts"),
    [
        (
            ["I,P5MIN,CASESOLUTION,2,RUN_DATETIME", "D,P5MIN,CASESOLUTION,2,2024/02/29 12:00:00"],
            {"P5MIN.CASESOLUTION": 1},
        ),
        ([SCADA], {}),  # a header without data
    ],
)
def test_a_file_without_a_row_of_use_has_not_landed_and_is_no_fault(tmp_path, lines, row_counts):
    landing = land_lines(tmp_path, *lines)
    assert landing.refused == {tmp_path / "FILE.CSV": "holds no row of a table known here"}
    assert (landing.row_counts, landing.days) == (row_counts, {})


# What is wrong with rows refuses their file, all of it


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([SCADA, scada("2024/02/29 12:00:01", "A", 1)], "off its 5-minute grid"),
        ([SCADA, scada("2024/02/29 12:03:00", "A", 1)], "off its 5-minute grid"),
        ([SCADA, scada("1997/01/01 00:05:00", "A", 1)], "outside 1998-12-13"),
        ([SCADA, scada("", "A", 1)], "have no SETTLEMENTDATE"),
        ([SCADA, scada(NOON, "", 1)], "have no DUID"),
        ([SCADA, scada(NOON, '"  "', 1)], "have no DUID"),
        ([SCADA, scada("2024/02/29 13:05:00", "A", 1)], "which is to come"),
        ([PRICE, price("NSW1", 1, run=1).replace(",1,1,1,", ",0.5,1,1,")], "truncated"),
        ([PRICE, price("NSW1", 1).replace(",0,1,1,", ",1e300,1,1,")], "truncated"),
        ([PRICE, price("NSW1", 1).replace(",0,1,1,", ",1e400,1,1,")], "truncated"),
        ([PRICE.replace("INTERVENTION", "RUN"), price("NSW1", 1, run=1)], "has no column INTERVENTION"),
        ([ROOFTOP.replace("TYPE", ""), f"D,ROOFTOP,ACTUAL,2,{NOON},NSW1,1,1,SATELLITE,{NOON}"], "has no column TYPE"),
        ([ROOFTOP, f"D,ROOFTOP,ACTUAL,2,2024/02/29 11:45:00,NSW1,10,1,MEASUREMENT,{NOON}"], "off its 30-minute grid"),
        ([TRADING, "D,TRADING,PRICE,3,2021/09/30 12:05:00,NSW1,55"], "off its 30-minute grid"),
    ],
)
def test_a_row_that_cannot_be_refuses_its_file(tmp_path, lines, says):
    good = given(tmp_path, GOOD=report(SCADA, scada(NOON, "BW01", 1)))
    bad = given(tmp_path, BAD=report(SCADA, scada("2024/02/29 11:55:00", "BW02", 1), *lines))
    landing = land_files(tmp_path / "lake", [*bad, *good])
    assert list(landing.refused) == bad
    assert says in landing.refused[bad[0]]
    assert held(tmp_path, "unit_scada", "duid") == [("BW01",)]


def test_a_file_that_does_not_say_when_it_was_made_is_refused(tmp_path):
    """Without it, a label of the future could not be told."""
    landing = land_lines(tmp_path, SCADA, scada(NOON, "A", 1), first="C,NEMP.WORLD,DISPATCHIS,AEMO,PUBLIC,soon")
    assert "does not say when it was made" in landing.refused[tmp_path / "FILE.CSV"]


def test_the_newest_label_is_ahead_of_its_file(tmp_path):
    assert land_lines(tmp_path, SCADA, scada("2024/02/29 13:00:00", "A", 1)).refused == {}


# Which row counts


def test_rows_out_of_order_and_twice_land_once_each(tmp_path):
    lines = [scada(f"2024/02/29 {hour:02}:00:00", "BW01", hour) for hour in (9, 3, 12, 3, 1, 9)]
    land_lines(tmp_path, SCADA, *lines)
    assert held(tmp_path, "unit_scada", "scada_mw") == [(1.0,), (3.0,), (9.0,), (12.0,)]


def test_a_price_is_of_the_pricing_run(tmp_path):
    land_lines(tmp_path, PRICE, price("SA1", 300, run=0), price("SA1", 14_000, run=1))
    assert held(tmp_path, "regional_price", "region_id", "rrp") == [("SA1", 300.0)]


def test_a_flow_is_of_the_physical_run(tmp_path):
    header = (
        "I,DISPATCH,INTERCONNECTORRES,3,SETTLEMENTDATE,INTERCONNECTORID,INTERVENTION,METEREDMWFLOW,MWFLOW,LASTCHANGED"
    )
    rows = [f"D,DISPATCH,INTERCONNECTORRES,3,{NOON},V-SA,{run},{100 + run},{200 + run},{NOON}" for run in (1, 0)]
    land_lines(tmp_path, header, *rows)
    assert held(tmp_path, "interconnector_flow", "metered_flow_mw", "target_flow_mw") == [(101.0, 201.0)]


def test_a_revised_price_wins_by_when_it_was_changed_not_by_when_it_came(tmp_path):
    header = "I,PRICELOAD,PRICE_REVISION,1,SETTLEMENTDATE,RUNNO,INTERVENTION,REGIONID,BIDTYPE,VERSIONNO,RRP_NEW,RRP_OLD,LASTCHANGED"
    revision = "D,PRICELOAD,PRICE_REVISION,1,{label},1,0,SA1,{kind},1,{new},300,2024/02/29 11:40:00"
    label = "2024/02/29 11:30:00"
    lines = [revision.format(label=label, kind=kind, new=new) for kind, new in (("ENERGY", 250), ("RAISE6SEC", 7))]
    first, late = given(
        tmp_path,
        REVISION=report(header, *lines),
        DISPATCH=report(PRICE, price("SA1", 300, changed="2024/02/29 11:25:03", label=label)),
    )
    assert land_files(tmp_path / "lake", [first]).days["regional_price"] == [DAY]
    assert land_files(tmp_path / "lake", [late]).days["regional_price"] == []
    assert held(tmp_path, "regional_price", "rrp") == [(250.0,)]


def test_rooftop_is_measured_before_it_is_seen_from_space(tmp_path):
    rows = [("NSW1", 10, 1, "SATELLITE"), ("NSW1", 12, 1, "MEASUREMENT"), ("NSW1", 14, 0.6, "SATELLITE")]
    rows += [
        ("QLDN", 99, 1, "MEASUREMENT"),
        ("VIC1", 20, 0, "MEASUREMENT"),
        ("VIC1", 21, 0.6, "SATELLITE"),
        ("TAS1", "", 1, "MEASUREMENT"),
    ]
    land_lines(
        tmp_path, ROOFTOP, *(f"D,ROOFTOP,ACTUAL,2,{NOON},{r},{mw},{qi},{kind},{NOON}" for r, mw, qi, kind in rows)
    )
    points = [row for row in held(tmp_path, "rooftop_pv", "region_id", "rooftop_mw") if row[1] is not None]
    assert points == [("NSW1", 12.0), ("VIC1", 21.0)]


def test_a_half_hourly_trading_price_stands_for_six_intervals_until_october_2021(tmp_path):
    header = "I,TRADING,PRICE,2,SETTLEMENTDATE,REGIONID,RRP,LASTCHANGED"
    labels = ("2021/10/01 00:00:00", "2021/10/01 00:05:00")
    land_lines(
        tmp_path, header, *(f"D,TRADING,PRICE,2,{label},SA1,{60 + n},{label}" for n, label in enumerate(labels)),
        first=FIRST.replace("2024/02/29", "2021/10/02"),
    )  # fmt: skip
    last = datetime(2021, 10, 1)
    assert held(tmp_path, "regional_price", "settlement_date", "rrp", "settlement_rrp", day=date(2021, 9, 30)) == [
        (last - back * timedelta(minutes=5), 60.0, 60.0) for back in range(5, -1, -1)
    ]
    assert held(tmp_path, "regional_price", "rrp", day=date(2021, 10, 1)) == [(61.0,)]


def test_a_dispatch_price_wins_over_a_trading_price_whichever_was_changed_last(tmp_path):
    header = "I,TRADING,PRICE,2,SETTLEMENTDATE,REGIONID,RRP,LASTCHANGED"
    trading = f"D,TRADING,PRICE,2,{NOON},SA1,60.46,2024/02/29 12:00:01"
    land_lines(tmp_path, PRICE, price("SA1", 60.4567, changed="2024/02/29 11:55:03"), header, trading)
    assert held(tmp_path, "regional_price", "rrp") == [(60.4567,)]


def test_the_ends_of_basslink_and_dummies_do_not_land(tmp_path):
    landing = land_lines(
        tmp_path, SCADA, *(scada(NOON, duid, 100) for duid in ("BLNKTAS", "BLNKVIC", "RT_SA1", "BW01"))
    )
    assert held(tmp_path, "unit_scada", "duid") == [("BW01",)]
    assert landing.unknown_units == ()


# The registry


def registration(duid: str, kind: str = "GENERATOR", end: str = "2999/12/31 00:00:00") -> list[str]:
    return [
        DUDETAIL,
        f"D,PARTICIPANT_REGISTRATION,DUDETAIL,4,2026/01/01 00:00:00,{duid},1,{kind},100,110",
        SUMMARY,
        f"D,PARTICIPANT_REGISTRATION,DUDETAILSUMMARY,6,{duid},2026/01/01 00:00:00,{end},{kind},SA1,NEWSTATION,SCHEDULED",
    ]


def units(tmp_path: Path, duid: str) -> list[dict[str, object]]:
    return [row for row in pq.read_table(tmp_path / "lake" / "units.parquet").to_pylist() if row["duid"] == duid]


def test_registration_tables_land_as_the_registry(tmp_path):
    landing = land_lines(tmp_path, *registration("NEWGEN1"), first=LATER)
    assert landing.refused == {}
    (unit,) = units(tmp_path, "NEWGEN1")
    assert (unit["region_id"], unit["fueltech_id"], unit["capacity_maximum_mw"]) == ("SA1", None, 110.0)
    assert units(tmp_path, "BW01")


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (registration("NEWGEN1", end="soon"), "soon"),
        (registration("NEWGEN1", kind="WINDMILL"), "WINDMILL"),
        ([line.replace("REGIONID", "REGION_NAME") for line in registration("NEWGEN1")], "lacks REGIONID"),
    ],
)
def test_registration_tables_that_are_wrong_are_refused_and_forgotten(tmp_path, lines, says):
    """Kept among the inputs, they would stand in the way of every registry after them."""
    assert says in land_lines(tmp_path, *lines, first=LATER).refused[tmp_path / "FILE.CSV"]
    assert land_lines(tmp_path, *registration("NEWGEN2"), first=LATER).refused == {}
    assert (units(tmp_path, "NEWGEN1"), len(units(tmp_path, "NEWGEN2"))) == ([], 1)


def test_a_new_generator_derives_its_days_again_and_no_other(tmp_path):
    label = "2026/03/05 11:00:00"
    land_lines(
        tmp_path, SCADA, scada(NOON, "NEWGEN1", -1), scada(label, "NEWGEN1", -1), scada(label, "BW01", 5), first=LATER
    )
    assert held(tmp_path, "unit_scada", "mean_mw", day=date(2026, 3, 5)) == [(5.0,), (-1.0,)]
    landing = land_lines(tmp_path, *registration("NEWGEN1"), first=LATER)
    assert landing.days["units"] == [date(2026, 3, 5)]  # not the day of 2024: it is registered from 2026 on
    assert held(tmp_path, "unit_scada", "mean_mw", day=date(2026, 3, 5)) == [(5.0,), (0.0,)]


def test_a_workbook_lands_as_the_registry(tmp_path):
    assert land_files(tmp_path, [WORKBOOK]).refused == {}
    assert pq.read_table(tmp_path / "units.parquet").num_rows > 700


def test_what_is_no_workbook_is_refused(tmp_path):
    odd = tmp_path / "LIST.XLSX"
    odd.write_bytes(SCADA_FILE.read_bytes())
    assert list(land_files(tmp_path / "lake", [odd, SCADA_FILE]).refused) == [odd]


def test_a_lake_that_cannot_take_a_workbook_is_no_fault_of_the_workbook(tmp_path):
    land_files(tmp_path, [])
    (tmp_path / ".lock").unlink()
    (tmp_path / ".lock").mkdir()
    with pytest.raises(SourceUnavailableError, match="the registry cannot be landed"):
        land_files(tmp_path, [WORKBOOK])
