"""What landing makes of AEMO's rows: one row per key, power over the interval, the price energy settles at."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nem import lake
from nem.errors import SourceFormatError, SourceUnavailableError
from nem.lake import day_file, land, land_units, landed_days
from nem.landing import land_files
from nem.source import open_source
from nem.tables import TABLES
from nem.windows import INTERVAL, Window
from tests.nem.versions import version_of
from tests.tiny_nem import LEAP_DAY, raw_tables, units_with

DAY, NEXT = date(2024, 2, 29), date(2024, 3, 1)
MIDNIGHT = datetime(2024, 3, 1)  # the label that closes DAY
NOON = datetime(2024, 2, 29, 12)
HALF_HOUR = timedelta(minutes=30)
TINY = raw_tables()


def table_of(name: str, rows: Iterable[tuple[object, ...]]) -> pa.Table:
    """Rows of (label, key, value[, last_changed]) as AEMO's table ``name``."""
    value = {"unit_scada": "scada_mw", "regional_price": "rrp", "rooftop_pv": "rooftop_mw"}[name]
    schema = pa.schema(
        [
            ("settlement_date", pa.timestamp("us")),
            (TABLES[name].key[1], pa.string()),
            (value, pa.float64()),
            ("last_changed", pa.timestamp("us")),
        ]
    )
    return pa.Table.from_pylist([dict(zip(schema.names, (*row, None)[:4], strict=True)) for row in rows], schema)


def scada(*rows: tuple[object, ...]) -> pa.Table:
    return table_of("unit_scada", rows)


def prices(*rows: tuple[object, ...]) -> pa.Table:
    return table_of("regional_price", rows)


def rooftop(*rows: tuple[object, ...]) -> pa.Table:
    return table_of("rooftop_pv", rows)


def registry(*rows: dict[str, object]) -> pa.Table:
    fuels = {"GENERATOR": "coal_black", "LOAD": "pumps", "BIDIRECTIONAL": "battery"}
    usual = {"region_id": "NSW1", "effective_date": datetime(2020, 1, 1), "end_date": None}
    return pa.Table.from_pylist(
        [{**usual, "fueltech_id": fuels.get(str(row["dispatch_type"]), "wind"), **row} for row in rows]
    )


def stored(root: Path, table: str, *days: date) -> list[dict[str, object]]:
    return [
        row for day in days or landed_days(root, table) for row in pq.read_table(day_file(root, table, day)).to_pylist()
    ]


def column(root: Path, table: str, name: str, *days: date) -> list[object]:
    return [row[name] for row in stored(root, table, *days)]


def identities(root: Path) -> dict[str, tuple[int, int]]:
    """Every file with what a rewrite would change."""
    return {str(p.relative_to(root)): (p.stat().st_ino, p.stat().st_mtime_ns) for p in root.rglob("*.parquet")}


# Upserting


def test_landing_the_same_rows_again_touches_no_file(tiny):
    before = identities(tiny.root)
    assert land_units(tiny.root, TINY["units"]) == []
    assert {name: land(tiny.root, name, TINY[name]) for name in TABLES.keys() & TINY} == {
        name: [] for name in TABLES.keys() & TINY
    }
    assert identities(tiny.root) == before


def test_landing_leaves_one_file_per_day_and_no_other(tiny):
    days = [f"{table}/{day}.parquet" for table in TABLES.keys() & TINY for day in ("2024-02-29", "2024-03-01")]
    assert sorted(str(p.relative_to(tiny.root)) for p in tiny.root.rglob("*") if p.is_file()) == sorted(
        [*days, ".lock", "units.parquet"]
    )


# T3
def test_the_midnight_label_lands_in_the_day_before(tmp_path):
    assert land(tmp_path, "unit_scada", scada((MIDNIGHT, "A", 1.0), (MIDNIGHT + INTERVAL, "A", 1.0))) == [DAY, NEXT]
    assert column(tmp_path, "unit_scada", "settlement_date", DAY) == [MIDNIGHT]


# J3, P3
@given(st.permutations([(1.0, 1), (2.0, 2), (3.0, 3), (9.0, None)]), st.integers(0, 4))
def test_the_greatest_last_changed_wins_in_whatever_order_rows_arrive(revisions, cut):
    rows = [(NOON, "A", value, minutes and NOON + timedelta(minutes=minutes)) for value, minutes in revisions]
    with tempfile.TemporaryDirectory() as folder:
        for part in (rows[:cut], rows[cut:]):
            land(Path(folder), "unit_scada", scada(*part))
        assert column(Path(folder), "unit_scada", "scada_mw") == [3.0]


def test_among_equals_the_later_arrival_wins(tmp_path):
    for value in (1.0, 2.0):
        land(tmp_path, "unit_scada", scada((NOON, "A", value, NOON)))
    assert column(tmp_path, "unit_scada", "scada_mw") == [2.0]
    land(tmp_path, "unit_scada", scada((NOON, "A", 3.0, NOON), (NOON, "A", 4.0, NOON)))
    assert column(tmp_path, "unit_scada", "scada_mw") == [4.0]


def lake_of(table: str, chunks: Iterable[list[tuple[object, ...]]]) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if table == "unit_scada":
            land_units(root, registry({"duid": "A", "dispatch_type": "GENERATOR"}))
        for chunk in chunks:
            land(root, table, table_of(table, chunk))
        return stored(root, table)


def chunked(rows: list[tuple[object, ...]]) -> st.SearchStrategy[list[list[tuple[object, ...]]]]:
    """``rows`` in any order, cut anywhere, each changed at any time."""
    changes = st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows))
    return st.tuples(st.permutations(range(len(rows))), changes, st.sets(st.integers(0, len(rows)), max_size=2)).map(
        lambda drawn: [
            [(*rows[i], NOON + timedelta(days=drawn[1][i])) for i in drawn[0][a:b]]
            for a, b in zip([0, *sorted(drawn[2])], [*sorted(drawn[2]), len(rows)], strict=True)
        ]
    )


AROUND_MIDNIGHT = {
    "unit_scada": [(MIDNIGHT + n * INTERVAL, duid, 10.0 * n) for n in range(-2, 3) for duid in ("A", "B")],
    "regional_price": [(datetime(2021, 10, 1) + n * INTERVAL, "SA1", 60.0 * n) for n in range(-7, 3)],
    "rooftop_pv": [(MIDNIGHT + n * HALF_HOUR, "SA1", 12.0 * n + 60) for n in (-3, -2, 0, 1, 2)],
}


@pytest.mark.parametrize(("table", "rows"), AROUND_MIDNIGHT.items(), ids=AROUND_MIDNIGHT)
@given(st.data())
def test_rows_make_the_same_lake_in_whatever_order_they_arrive(table, rows, data):
    chunks = data.draw(chunked(rows))
    assert lake_of(table, chunks) == lake_of(table, [[row for chunk in chunks for row in chunk]])


@pytest.mark.parametrize("older", [DAY, NEXT])
def test_a_day_beside_one_that_was_landed_before_a_column_existed_lands(tmp_path, older):
    land(tmp_path, "unit_scada", scada((MIDNIGHT, "A", 1.0, NOON), (MIDNIGHT + INTERVAL, "A", 3.0, NOON)))
    path = day_file(tmp_path, "unit_scada", older)
    pq.write_table(pq.read_table(path).drop_columns(["last_changed"]), path)
    land(tmp_path, "unit_scada", scada((MIDNIGHT + INTERVAL, "A", 5.0, MIDNIGHT)))
    held = [pq.read_table(day_file(tmp_path, "unit_scada", day)) for day in (DAY, NEXT)]
    assert [table["mean_mw"].to_pylist() for table in held] == [[3.0], [5.0]]
    assert held[1].column_names == list(TABLES["unit_scada"].columns)


def test_a_rooftop_point_older_than_the_one_before_it_still_lands(tmp_path):
    land(tmp_path, "rooftop_pv", rooftop((NOON, "SA1", 60.0, NOON + timedelta(days=1))))  # revised a day later
    land(tmp_path, "rooftop_pv", rooftop((NOON + HALF_HOUR, "SA1", 120.0, NOON + HALF_HOUR)))
    assert [row["rooftop_mw"] for row in stored(tmp_path, "rooftop_pv") if row["rooftop_mw"] is not None] == [60, 120]


# Power over an interval


@pytest.mark.parametrize(
    ("readings", "means"),
    [
        ([(0, 10.0), (1, 30.0)], [(20, False), (30, True)]),
        ([(0, 10.0), (3, 30.0)], [(10, True), (30, True)]),  # labelled later than five minutes on: not its next reading
        (
            [(0, 10.0), (1, None), (2, 8.0)],
            [(10, True), (None, False), (8, True)],
        ),  # a null has no mean, completes none
    ],
)
def test_mean_power_is_halfway_to_the_next_reading_without_one_the_last_and_provisional(tmp_path, readings, means):
    land(tmp_path, "unit_scada", scada(*((NOON + n * INTERVAL, "A", mw) for n, mw in readings)))
    assert [(row["mean_mw"], row["is_provisional"]) for row in stored(tmp_path, "unit_scada")] == means


def test_the_next_days_first_reading_completes_the_day_before_and_changes_its_version_alone(tmp_path):
    source = open_source(tmp_path)
    land(tmp_path, "unit_scada", scada((NOON - timedelta(days=1), "A", 4.0), (NOON, "A", 4.0), (MIDNIGHT, "A", 10.0)))
    days = [DAY - timedelta(days=1), DAY, NEXT]
    before = [version_of(source, "unit_scada", day) for day in days]
    assert land(tmp_path, "unit_scada", scada((MIDNIGHT + INTERVAL, "A", 30.0))) == [DAY, NEXT]
    after = [version_of(source, "unit_scada", day) for day in days]
    assert [a != b for a, b in zip(before, after, strict=True)] == [False, True, True]
    assert column(tmp_path, "unit_scada", "mean_mw", DAY) == [4, 20]


# P3
def test_one_revised_reading_changes_its_day_alone(tiny):
    before = {day: version_of(tiny, "unit_scada", day) for day in (DAY, NEXT)}
    assert land(tiny.root, "unit_scada", scada((NOON, "COAL1", 61.0))) == [DAY]
    assert version_of(tiny, "unit_scada", DAY) != before[DAY]
    assert version_of(tiny, "unit_scada", NEXT) == before[NEXT]


def test_a_revised_first_reading_changes_the_day_before_too(tiny):
    assert land(tiny.root, "unit_scada", scada((MIDNIGHT + INTERVAL, "COAL1", 80.0))) == [DAY, NEXT]


def test_a_generators_auxiliary_load_counts_as_nothing(tmp_path):
    land_units(tmp_path, registry({"duid": "A", "dispatch_type": "GENERATOR"}))
    land(
        tmp_path, "unit_scada", scada((NOON, "A", -4.0), (NOON + INTERVAL, "A", 10.0), (NOON + 2 * INTERVAL, "A", -4.0))
    )
    assert column(tmp_path, "unit_scada", "mean_mw") == [5, 5, 0]  # clamped before the mean, not after
    assert column(tmp_path, "unit_scada", "scada_mw") == [-4, 10, -4]


# J11
@pytest.mark.parametrize("kind", ["LOAD", "BIDIRECTIONAL", None])
def test_any_other_units_reading_keeps_its_sign(tmp_path, kind):
    if kind:
        land_units(tmp_path, registry({"duid": "A", "dispatch_type": kind}))
    land(tmp_path, "unit_scada", scada((NOON, "A", -4.0), (NOON + INTERVAL, "A", -8.0)))
    assert column(tmp_path, "unit_scada", "mean_mw") == [-6, -8]


def test_a_unit_is_clamped_only_while_it_is_registered_a_generator(tmp_path):
    land_units(
        tmp_path,
        registry(
            {"duid": "A", "dispatch_type": "GENERATOR", "end_date": MIDNIGHT},
            {"duid": "A", "dispatch_type": "BIDIRECTIONAL", "effective_date": MIDNIGHT},
        ),
    )
    land(tmp_path, "unit_scada", scada((MIDNIGHT, "A", -4.0), (MIDNIGHT + INTERVAL, "A", -4.0)))
    assert column(tmp_path, "unit_scada", "mean_mw") == [0, -4]


# J2
def test_a_duid_is_normalised_in_readings_as_in_the_registry(tmp_path):
    land_units(tmp_path, registry({"duid": " coal1\n", "dispatch_type": "GENERATOR"}))
    land(tmp_path, "unit_scada", scada((NOON, "Coal1 ", -4.0)))
    assert pq.read_table(tmp_path / "units.parquet")["duid"].to_pylist() == ["COAL1"]
    assert [(row["duid"], row["mean_mw"]) for row in stored(tmp_path, "unit_scada")] == [("COAL1", 0)]


# The registry


# J2, P1. Registered units are counted by day, so a row holds for whole days; a battery that is a LOAD would be a load to one
# query and a generator to the other.
@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"end_date": datetime(2024, 3, 2)}, {"effective_date": MIDNIGHT}], "A has two rows in force on 2024-03-01"),
        ([{}, {"duid": "a "}], "A has two rows in force"),
        ([{"end_date": datetime(2019, 1, 1)}], "A is in force from .* give midnights, in order"),
        ([{"effective_date": NOON}], "A is in force from .* give midnights, in order"),
        ([{"fueltech_id": "plutonium"}], "A has the fueltech_id 'plutonium'"),
        ([{"dispatch_type": "SOMETIMES"}], "A has the dispatch_type 'SOMETIMES'"),
        ([{"fueltech_id": "battery"}], "battery goes with BIDIRECTIONAL"),
        ([{"fueltech_id": "battery", "dispatch_type": "GENERATOR"}], "battery goes with BIDIRECTIONAL"),
        ([{"fueltech_id": "hydro", "dispatch_type": "BIDIRECTIONAL"}], "battery goes with BIDIRECTIONAL"),
    ],
)
def test_a_registry_that_cannot_be_is_refused_and_leaves_the_old_one(tiny, rows, says):
    before = identities(tiny.root)
    with pytest.raises(SourceFormatError, match=says):
        land_units(tiny.root, registry(*({"duid": "A", "dispatch_type": "LOAD", **row} for row in rows)))
    assert identities(tiny.root) == before


def test_a_row_may_begin_the_instant_another_ends(tmp_path):
    land_units(
        tmp_path,
        registry(
            {"duid": "A", "dispatch_type": "LOAD", "end_date": MIDNIGHT},
            {"duid": "A", "dispatch_type": "LOAD", "effective_date": MIDNIGHT},
        ),
    )
    assert pq.read_table(tmp_path / "units.parquet").num_rows == 2


# J15
def test_a_unit_may_have_no_fuel_and_no_capacity(tmp_path):
    unknown = {"fueltech_id": None, "capacity_registered_mw": None, "capacity_maximum_mw": 0.0}
    land_units(tmp_path, registry({"duid": "A", "dispatch_type": "LOAD", **unknown}))
    assert pq.read_table(tmp_path / "units.parquet")["fueltech_id"].to_pylist() == [None]


def test_a_changed_dispatch_type_derives_power_again(tiny):
    before = version_of(tiny, "unit_scada", DAY)
    assert land_units(tiny.root, units_with("COAL1", dispatch_type="LOAD")) == [DAY]
    first = next(row for row in stored(tiny.root, "unit_scada", DAY) if row["duid"] == "COAL1")
    assert first["mean_mw"] == -0.6
    assert version_of(tiny, "unit_scada", DAY) != before


def test_a_changed_capacity_leaves_the_readings_as_they_are(tiny):
    before = identities(tiny.root)
    assert land_units(tiny.root, units_with("COAL1", capacity_maximum_mw=240.0)) == []
    assert {name for name, found in identities(tiny.root).items() if found != before[name]} == {"units.parquet"}


# Prices

HALVES = datetime(2021, 10, 1)  # the last label of half-hourly settlement


def test_until_october_2021_energy_settles_at_the_mean_of_its_half_hour(tmp_path):
    rows = [(HALVES - n * INTERVAL, "SA1", 60.0 * n) for n in range(6)]
    other = [(HALVES - n * INTERVAL, "NSW1", 1000.0) for n in range(6)]
    land(tmp_path, "regional_price", prices(*rows, *other))
    found = [row["settlement_rrp"] for row in stored(tmp_path, "regional_price") if row["region_id"] == "SA1"]
    assert found == [150.0] * 6


def test_a_half_hour_with_five_prices_has_no_settlement_price_yet(tmp_path):
    rows = [(HALVES - n * INTERVAL, "SA1", 60.0 * n) for n in range(6)]
    for missing in (rows[5], (*rows[5][:2], None)):
        land(tmp_path, "regional_price", prices(*rows[:5], *([missing] if missing[2] is None else [])))
        assert set(column(tmp_path, "regional_price", "settlement_rrp")) == {None}
    land(tmp_path, "regional_price", prices(rows[5]))
    assert column(tmp_path, "regional_price", "settlement_rrp") == [150.0] * 6


def test_from_october_2021_on_energy_settles_at_its_own_price(tmp_path):
    land(tmp_path, "regional_price", prices(*[(HALVES + n * INTERVAL, "SA1", 60.0 * n) for n in (0, 1, 2)]))
    assert column(tmp_path, "regional_price", "settlement_rrp") == [None, 60, 120]


# Rooftop


def fifths(root: Path) -> list[tuple[str, float, bool]]:
    return [
        (f"{row['settlement_date']:%H:%M}", pytest.approx(row["mean_mw"]), row["is_provisional"])
        for row in stored(root, "rooftop_pv")
    ]


# P9
def test_rooftop_climbs_evenly_between_two_points(tmp_path):
    land(tmp_path, "rooftop_pv", rooftop((NOON, "SA1", 60.0), (NOON + HALF_HOUR, "SA1", 120.0)))
    assert [row for row in fifths(tmp_path) if not row[2]] == [
        ("12:05", 65, False),
        ("12:10", 75, False),
        ("12:15", 85, False),
        ("12:20", 95, False),
        ("12:25", 105, False),
        ("12:30", 115, False),
    ]


def test_a_lone_rooftop_point_is_held_half_an_hour_either_way_and_provisional(tmp_path):
    land(tmp_path, "rooftop_pv", rooftop((NOON, "SA1", 60.0)))
    labels = [f"{NOON + n * INTERVAL:%H:%M}" for n in range(-5, 7)]
    assert fifths(tmp_path) == [(label, 60, True) for label in labels]


def test_a_half_hour_of_rooftop_without_either_end_has_no_row(tmp_path):
    land(tmp_path, "rooftop_pv", rooftop((NOON, "SA1", 60.0), (NOON + 3 * HALF_HOUR, "SA1", 30.0)))
    clocks = [clock for clock, _, _ in fifths(tmp_path)]
    assert not {f"{NOON + HALF_HOUR + n * INTERVAL:%H:%M}" for n in range(1, 7)} & set(clocks)
    assert len(clocks) == 24


def test_a_null_rooftop_point_is_missing_not_zero(tmp_path):
    land(tmp_path, "rooftop_pv", rooftop((NOON, "SA1", 60.0), (NOON + HALF_HOUR, "SA1", None)))
    assert [mean for _, mean, _ in fifths(tmp_path)] == [60] * 12


def test_rooftop_reaches_over_midnight(tmp_path):
    land(tmp_path, "rooftop_pv", rooftop((MIDNIGHT, "SA1", 60.0), (MIDNIGHT + HALF_HOUR, "SA1", 120.0)))
    assert column(tmp_path, "rooftop_pv", "mean_mw", NEXT)[:6] == pytest.approx([65, 75, 85, 95, 105, 115])


def test_the_last_point_of_a_day_is_held_into_the_next(tmp_path):
    land(tmp_path, "rooftop_pv", rooftop((MIDNIGHT, "SA1", 60.0)))
    assert column(tmp_path, "rooftop_pv", "mean_mw", DAY, NEXT) == [60] * 12


# J8
def test_rooftop_of_a_sub_area_adds_nothing_to_its_region(tiny):
    before = identities(tiny.root)
    assert land(tiny.root, "rooftop_pv", rooftop((NOON, "QLDC", 900.0))) == []
    assert identities(tiny.root) == before


# What is refused


def one(label: object, mw: object = 1.0) -> pa.Table:
    """A reading of unit A as it may be given: of any types."""
    return pa.table({"settlement_date": [label], "duid": ["A"], "scada_mw": [mw]})


# E4, E5, T1, T2: a cast would go through the host's zone, and an offset in text would be dropped, and ten hours with it.
@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            one(NOON).append_column("mean_mw", pa.array([1.0])),
            r"unit_scada has no column mean_mw.*it has settlement_date, duid",
        ),
        (one(NOON).drop_columns("duid"), "lack duid"),
        (scada((NOON, None, 1.0)), "1 rows have no duid"),
        (scada((None, "A", 1.0)), "1 rows have no settlement_date"),
        (one(NOON + timedelta(minutes=1)), "off its 5-minute grid"),
        (one(NOON + timedelta(seconds=1)), "off its 5-minute grid"),
        (rooftop((NOON + INTERVAL, "SA1", 60.0)), "off its 30-minute grid"),
        (one(NOON.replace(tzinfo=UTC)), "settlement_date is .*give naive timestamps"),
        (one("2024-02-29T12:00:00Z"), "give naive timestamps"),
        (one("2024-02-29 12:00"), "give naive timestamps"),
        (one(NOON, "n/a"), "unit_scada cannot be landed"),
        (one(datetime(1998, 12, 13)), "outside 1998-12-13 to 2100-01-01"),
        (one(datetime(1970, 1, 1)), "outside 1998-12-13 to 2100-01-01"),
        (one(datetime(2100, 1, 1, 0, 5)), "outside 1998-12-13 to 2100-01-01"),
    ],
)
def test_rows_that_cannot_be_are_refused(tmp_path, rows, says):
    with pytest.raises(SourceFormatError, match=says):
        land(tmp_path, "rooftop_pv" if "rooftop_mw" in rows.column_names else "unit_scada", rows)


def test_a_refused_landing_writes_nothing(tiny):
    before = identities(tiny.root)
    with pytest.raises(SourceFormatError):
        land(tiny.root, "unit_scada", scada((NOON, "COAL1", 99.0), (NOON + timedelta(minutes=1), "COAL1", 1.0)))
    assert identities(tiny.root) == before


def test_a_lake_that_cannot_be_written_is_unavailable(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SourceUnavailableError, match="unit_scada cannot be landed"):
        land(tmp_path / "file" / "lake", "unit_scada", scada((NOON, "A", 1.0)))
    with pytest.raises(SourceUnavailableError, match="units cannot be landed"):
        land_units(tmp_path / "file" / "lake", TINY["units"])


# What is odd, killed or contested


def test_a_registry_landed_by_a_killed_process_is_finished_by_the_next(tiny, monkeypatch):
    """The new registry was published, the days were not yet derived from it."""
    changed = units_with("COAL1", dispatch_type="LOAD")

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

    threads = [
        threading.Thread(target=land, args=(tmp_path, "regional_price", prices((NOON, region, 50.0))))
        for region in regions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert column(tmp_path, "regional_price", "region_id") == regions


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_missing(tmp_path, odd):
    land(tmp_path, "regional_price", prices((NOON, "SA1", odd)))
    assert column(tmp_path, "regional_price", "rrp") == [None]


def test_the_markets_first_label_lands(tmp_path):
    assert land(tmp_path, "unit_scada", one(datetime(1998, 12, 13, 0, 5))) == [date(1998, 12, 13)]


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


def test_a_sample_that_lost_a_table_still_has_its_now(tmp_path):
    land(tmp_path, "unit_scada", one(NOON))
    (tmp_path / "sample.json").write_text("{}")
    assert open_source(tmp_path).now().isoformat() == "2024-02-29T02:00:00+00:00"


# The bundled sample


def test_the_sample_lands_22_days_and_says_what_its_now_is(sample_lake):
    source = open_source(sample_lake)
    # The last point of rooftop, at midnight, is held into the day after.
    assert {name: len(landed_days(sample_lake, name)) for name in TABLES if landed_days(sample_lake, name)} == {
        "unit_scada": 22,
        "regional_price": 22,
        "regional_demand": 22,
        "rooftop_pv": 23,
    }
    assert source.now() == datetime(2017, 11, 4, 14, tzinfo=UTC)
    assert source.coverage("unit_scada", Window(datetime(2017, 1, 1), datetime(2018, 1, 1))) == [
        Window(datetime(2017, 10, 14), datetime(2017, 11, 5))
    ]
    assert sum(pq.read_metadata(file).num_rows for file in (source.root / "unit_scada").iterdir()) == 931_392
    assert sum(pq.read_metadata(file).num_rows for file in (source.root / "regional_price").iterdir()) == 31_680


def test_a_lake_of_ones_own_is_judged_by_the_clock(tiny):
    before = datetime.now(UTC)
    assert before <= tiny.now() <= datetime.now(UTC)
