"""What a request may say, and what it is told when it may not."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from cache_store import CATALOGUE, empty_answer, explain, extent, fetch, names, open_store
from cache_store.errors import (
    CacheStoreError,
    NoAnswerError,
    NothingHeldError,
    RequestError,
    UnknownNameError,
    UnknownQueryError,
)
from nem.errors import NemError, WindowError
from nem.source import open_source
from nem.windows import Window, utc_time
from tests.tiny_nem import FIRST_OF_MARCH, LEAP_DAY, WINDOW, land_raw, raw_tables

QUERIES = list(CATALOGUE)
AFTER = Window(datetime(2024, 5, 1), datetime(2024, 5, 2))


@pytest.fixture(params=[fetch, explain])
def ask(request, tiny_world):
    """``fetch`` and ``explain`` refuse alike."""
    return lambda query="regional_price", window=LEAP_DAY, **asked: request.param(
        tiny_world.store, tiny_world.source, query, window, **{"now": tiny_world.now} | asked
    )


REGIONS = "NSW1, QLD1, SA1, TAS1, VIC1, unknown, NEM"


# T5: letters of a name are names of nothing, and would answer with no rows.
@pytest.mark.parametrize(
    ("query", "asked", "says"),
    [
        ("regional_price", {"resolution": "15min"}, "no resolution '15min'; there are auto, 5min, 30min, 1h, 1d, 1M"),
        ("regional_price", {"origin": "memory"}, "no origin 'memory'; there are auto, cache, live"),
        *(
            ("regional_price", {"filters": {"region_id": [name]}}, f"no region_id '{name}'; there are {REGIONS}")
            for name in ("NSW", "nsw1", "WA1", "SNOWY1", "")
        ),
        (
            "regional_price",
            {"filters": {"region_id": ["NEM", "SA1"]}},
            "NEM is the sum of all regions: ask for it alone",
        ),
        *(
            (
                "generation_by_fuel",
                {"filters": {"fueltech_id": [name]}},
                f"no fueltech_id '{name}'; there are battery_ch",
            )
            for name in ("coal", "battery")
        ),
        ("regional_price", {"filters": {"duid": ["x"]}}, "cannot be filtered by duid; it can by region_id"),
        ("generation_by_fuel", {"filters": {"station_name": ["x"]}}, "filtered by station_name; it can by region_id"),
        ("capacity_factor", {"filters": {"energy_mwh": ["x"]}}, "cannot be filtered by energy_mwh; it can by duid"),
        *(
            ("interconnector_flow", {"filters": {"region_id": [place]}}, "by region_id; it can by interconnector_id")
            for place in ("NSW1", "NEM")
        ),
        *(
            ("capacity_factor", {"filters": {"duid": values}}, "filter duid by")
            for values in ("COAL1", 5, ["A", None], [1], {"A"}, [])
        ),
        ("regional_price", {"measures": ["energy_mwh"]}, "no measure 'energy_mwh'; it has rrp_sum"),
        ("regional_price", {"measures": "rrp_sum"}, "choose measures by a list of texts, not 'rrp_sum'"),
        *(
            ("regional_price", {"max_staleness": bound}, "max_staleness")
            for bound in (timedelta.max, timedelta(seconds=-1))
        ),
    ],
)
def test_what_is_not_there_to_be_asked_is_told_what_is(ask, query, asked, says):
    with pytest.raises(RequestError, match=says):
        ask(query, **asked)


def test_an_unknown_query_is_told_the_known_ones(ask):
    with pytest.raises(UnknownQueryError, match="no query 'prices'; there are generation_by_fuel, regional_price") as e:
        ask("prices")
    assert isinstance(e.value, KeyError)
    assert "\\" not in str(e.value)  # a message, not a key's repr


# T1
def test_a_naive_now_is_refused(ask):
    with pytest.raises(WindowError, match="time zone"):
        ask(now=datetime(2024, 3, 2))


def test_ids_are_found_in_any_case(tiny_world):
    for query, key, name in (
        ("capacity_factor", "duid", "coal1"),
        ("interconnector_flow", "interconnector_id", "nsw1-sa1"),
    ):
        table = tiny_world.fetch(query, LEAP_DAY, resolution="1d", filters={key: [f" {name} "]}).table
        assert table[key].to_pylist() == [name.upper()]


@pytest.mark.parametrize("origin", ["auto", "live"])
@pytest.mark.parametrize(
    ("query", "key", "asked", "said"),
    [
        ("capacity_factor", "duid", ["coal9"], "no duid 'COAL9'; did you mean COAL1[?] Leave duid out"),
        ("capacity_factor", "duid", ["COAL1", "XYZ"], "no duid 'XYZ', nor one spelt like it; leave duid out"),
        ("capacity_factor", "station_name", ["battery"], "no station_name 'battery'; did you mean Big Battery[?]"),
        ("capacity_factor", "station_name", ["Coliery", "Sun"], "'Coliery', 'Sun'; did you mean Colliery, Sunfield[?]"),
        (
            "interconnector_flow",
            "interconnector_id",
            ["NSW-SA"],
            "interconnector_id 'NSW-SA'; did you mean NSW1-SA1[?]",
        ),
    ],
)
def test_a_name_nobody_has_is_told_those_that_come_near(tiny_world, query, key, asked, said, origin):
    for _ in range(2):  # a failure is not remembered as an answer
        with pytest.raises(UnknownNameError, match=said):
            tiny_world.fetch(query, LEAP_DAY, resolution="1d", filters={key: asked}, origin=origin)


@pytest.mark.parametrize(
    ("key", "name", "window"),
    [
        ("duid", "LATE1", LEAP_DAY),  # registered from the day after on
        ("station_name", "Newcomer", LEAP_DAY),
        ("duid", "MYSTERY1", FIRST_OF_MARCH),  # read the day before, and registered nowhere
        ("station_name", "MYSTERY1", FIRST_OF_MARCH),
    ],
)
def test_a_name_that_did_nothing_in_the_window_is_an_answer_of_no_rows(tiny_world, key, name, window):
    for origin in ("auto", "live"):
        answer = tiny_world.fetch("capacity_factor", window, resolution="1d", filters={key: [name]}, origin=origin)
        assert (answer.table.num_rows, answer.receipt.coverage) == (0, 1)
        with pytest.raises(UnknownNameError, match=f"no {key} '{name[:-1]}'"):
            tiny_world.fetch("capacity_factor", window, resolution="1d", filters={key: [name[:-1]]}, origin=origin)


def test_where_the_source_is_away_or_not_to_be_asked_a_name_without_rows_is_answered(tiny_world, tmp_path):
    asked = {"now": tiny_world.now, "filters": {"duid": ["NOPE"]}, "resolution": "1d"}
    away = open_source(tmp_path / "nowhere")
    for source, origin in ((away, "auto"), (tiny_world.source, "cache")):
        answer = fetch(open_store(tiny_world.store.root), source, "capacity_factor", LEAP_DAY, origin=origin, **asked)
        assert (answer.table.num_rows, answer.receipt.origin) == (0, "cache")


def test_a_name_that_has_rows_is_not_looked_up(tiny_world, monkeypatch):
    looked_up = []
    monkeypatch.setattr(names, "_refuse_unknown", lambda *asked: looked_up.append(asked[-1]))
    for duids in (["COAL1", "SOLAR1"], ["COAL1", "NOPE"]):
        store = open_store(tiny_world.store.root)
        fetch(store, tiny_world.source, "capacity_factor", LEAP_DAY, now=tiny_world.now, filters={"duid": duids})
    assert looked_up == [{"NOPE"}]


# C1: equal requests are one request.
def test_the_order_and_repetition_of_filter_values_change_nothing(tiny_world):
    first, second = (
        fetch(
            tiny_world.store,
            tiny_world.source,
            "regional_price",
            LEAP_DAY,
            now=tiny_world.now,
            resolution="1d",
            filters={"region_id": regions},
        )
        for regions in (["SA1", "NSW1"], ("NSW1", "SA1", "SA1"))
    )
    assert second.receipt.origin == "memory"
    assert first.table.equals(second.table)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("origin", ["auto", "live"])
def test_a_window_nobody_holds_is_told_what_is_held(tiny_world, query, origin):
    with pytest.raises(
        NothingHeldError, match=r"nothing is held there; the source holds \(2024-02-29T00:00, 2024-03-02T00:00\]"
    ):
        tiny_world.fetch(query, AFTER, origin=origin)


@pytest.mark.parametrize("query", QUERIES)
def test_an_answer_of_nothing_has_the_columns_of_any_other(tiny_world, query):
    full = tiny_world.fetch(query, LEAP_DAY, resolution="1d")
    empty = empty_answer(query, LEAP_DAY, "1d", now=tiny_world.now, why="not landed")
    assert empty.table.num_rows == 0
    assert [(one.name, one.type) for one in empty.table.schema] == [
        (one.name, pa.string() if pa.types.is_dictionary(one.type) else one.type) for one in full.table.schema
    ]
    assert (empty.receipt.coverage, empty.receipt.data_through, empty.receipt.notes) == (0, None, ("not landed",))


@pytest.mark.parametrize("query", ["regional_price", "interconnector_flow"])
def test_a_table_that_never_landed_is_nothing_held_and_no_failure(tmp_path, query):
    tables = raw_tables()
    del tables[CATALOGUE[query].sources[0]]
    source, store = land_raw(tmp_path / "lake", tables), open_store(tmp_path / "store")
    for ask in (
        lambda: fetch(store, source, query, LEAP_DAY, now=utc_time(WINDOW.end)),
        lambda: extent(store, source, query),
    ):
        with pytest.raises(NothingHeldError, match=rf"has no {CATALOGUE[query].sources[0]}.*nemwarm ingest"):
            ask()


def test_neither_a_lake_nor_a_cache_is_told_what_to_do(tmp_path):
    store, source = open_store(tmp_path / "store"), open_source(tmp_path / "lake")
    with pytest.raises((CacheStoreError, NemError), match=r"nemwarm (ingest|warm)"):
        fetch(store, source, "regional_price", LEAP_DAY, now=datetime.fromisoformat("2024-03-02T00:00+00:00"))


def test_the_cache_alone_refuses_a_gap_and_names_it(ask):
    reach = Window(WINDOW.start, WINDOW.end + timedelta(hours=1))
    with pytest.raises(NoAnswerError, match=r"\(2024-03-02T00:00, 2024-03-02T01:00\].*range_gap.*the cache alone"):
        ask(window=reach, resolution="1d", origin="cache")


def test_live_opens_no_partition(tiny):
    for path in tiny.store.root.rglob("*.parquet"):
        path.write_bytes(b"broken")
    receipt = tiny.fetch("regional_price", LEAP_DAY, resolution="1d", origin="live").receipt
    assert [(s.origin, s.reason) for s in receipt.segments] == [("live", "origin_live")]


@pytest.mark.parametrize("query", QUERIES)
def test_the_extent_is_that_of_the_source_and_the_store(tiny, tmp_path, query):
    nowhere, empty = open_source(tmp_path / "nowhere"), open_store(tmp_path / "empty")
    assert extent(tiny.store, tiny.source, query) == WINDOW
    assert extent(tiny.store, nowhere, query) == WINDOW
    assert extent(empty, tiny.source, query) == WINDOW
    with pytest.raises(NoAnswerError, match="no partition is warmed"):
        extent(empty, nowhere, query)


# What is declared


@pytest.mark.parametrize("query", QUERIES)
def test_an_answer_has_the_declared_columns_and_types(tiny_world, query):
    declared = CATALOGUE[query]
    schema = tiny_world.fetch(query, LEAP_DAY, resolution="1d").table.schema
    kinds = {"VARCHAR": "string", "DOUBLE": "double", "BIGINT": "int64"}
    columns = {name: kinds[column.type] for name, column in declared.columns.items() if name != "settlement_date"}
    ratios = dict.fromkeys(declared.ratios, "double")
    edges = {"interval_start": "timestamp[us]", "interval_end": "timestamp[us]", "complete": "bool"}
    assert {name: str(kind) for name, kind in zip(schema.names, schema.types, strict=True)} == edges | columns | ratios
    assert schema.names == [*edges, *columns, *ratios]


@pytest.mark.parametrize("query", QUERIES)
def test_every_measure_merges_and_says_its_unit_in_its_name(query):
    for name, column in CATALOGUE[query].columns.items():
        assert column.about
        suffix = {"MWh": "_mwh", "$": "_aud", "MW": "_mw", "intervals": "_count"}.get(column.unit)
        if suffix:
            assert name.endswith(suffix), name
