"""NEMOSIS, the public tool of this trade, over the same monthly files: its rows and ours, one by one."""

from __future__ import annotations

import functools
import http.server
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from types import ModuleType
from urllib.parse import urlsplit

import duckdb
import pandas as pd
import pytest

from nem.landing import land_files
from nem.regions import REGIONS
from nem.source import Source, open_source
from nem.windows import Window
from tests.aemo_files import DATA

# It reads AEMO's times by guessing, writes by an old name of Parquet's options, and so on.
pytestmark = pytest.mark.filterwarnings("ignore")

ARCHIVE = DATA / "aemo" / "Data_Archive"
MONTHS = [
    datetime(*month, 1)
    for month in ((2018, 4), (2020, 1), (2021, 4), (2021, 12), (2024, 7), (2024, 8), (2024, 12), (2026, 3))
]
DAY = timedelta(days=1)
# By AEMO's table: ours, label and key, and what both give.
TABLES = {
    "DISPATCHPRICE": ("regional_price", ("SETTLEMENTDATE", "REGIONID"), {"RRP": "rrp"}),
    "DISPATCH_UNIT_SCADA": ("unit_scada", ("SETTLEMENTDATE", "DUID"), {"SCADAVALUE": "scada_mw"}),
    "ROOFTOP_PV_ACTUAL": ("rooftop_pv", ("INTERVAL_DATETIME", "REGIONID"), {"POWER": "rooftop_mw"}),
    "DISPATCHREGIONSUM": (
        "regional_demand",
        ("SETTLEMENTDATE", "REGIONID"),
        {"TOTALDEMAND": "demand_mw", "NETINTERCHANGE": "net_interchange_mw"},
    ),
    "DISPATCHINTERCONNECTORRES": (
        "interconnector_flow",
        ("SETTLEMENTDATE", "INTERCONNECTORID"),
        {"METEREDMWFLOW": "metered_flow_mw", "MWFLOW": "target_flow_mw"},
    ),
}
Compiler = Callable[[str, datetime, datetime], pd.DataFrame]


class _Server(http.server.SimpleHTTPRequestHandler):
    def translate_path(self, path: str) -> str:
        """AEMO's newer names hold %23 as such; this release of NEMOSIS asks for '#'."""
        return super().translate_path(path).replace("#", "%23")

    def log_message(self, *_: object) -> None:
        """A line per request helps nobody."""


@pytest.fixture(scope="module")
def nemosis() -> Iterator[ModuleType]:
    """The library, with AEMO's files where it looks for them."""
    import nemosis
    from nemosis import defaults

    logging.getLogger("nemosis").setLevel(logging.ERROR)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Server, directory=str(DATA / "aemo")))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    given, parts = defaults.aemo_mms_url, urlsplit(defaults.aemo_mms_url)
    defaults.aemo_mms_url = given.replace(f"{parts.scheme}://{parts.netloc}", f"http://127.0.0.1:{server.server_port}")
    yield nemosis
    defaults.aemo_mms_url = given
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def compiled(nemosis, tmp_path_factory) -> Compiler:
    cache = tmp_path_factory.mktemp("nemosis")

    def compile_rows(table: str, start: datetime, end: datetime) -> pd.DataFrame:
        times = (f"{time:%Y/%m/%d %H:%M:%S}" for time in (start, end))
        return nemosis.dynamic_data_compiler(*times, table, str(cache), fformat="parquet")

    return compile_rows


@pytest.fixture(scope="module")
def ours(tmp_path_factory) -> Source:
    root = tmp_path_factory.mktemp("lake")
    landing = land_files(
        root,
        sorted(path for path in ARCHIVE.rglob("*") if "TRADINGPRICE" not in path.name and path.is_file()),
        strict=False,
    )
    assert landing.refused == {}
    return open_source(root)


def rows_of(source: Source, table: str, window: Window) -> dict[tuple[datetime, str], tuple[float, ...]]:
    lake_table, (_, key), columns = TABLES[table]
    ours_key = {"REGIONID": "region_id", "DUID": "duid", "INTERCONNECTORID": "interconnector_id"}[key]
    with duckdb.connect() as con:
        source.attach(con, (lake_table,), window)
        sql = f"SELECT settlement_date, {ours_key}, {', '.join(columns.values())} FROM {lake_table} WHERE settlement_date > $start AND settlement_date <= $end"  # noqa: S608
        rows = con.execute(sql, {"start": window.start, "end": window.end}).fetchall()
    return {(label, name): tuple(values) for label, name, *values in rows if values != [None]}


def theirs(frame: pd.DataFrame, table: str) -> dict[tuple[datetime, str], tuple[float, ...]]:
    """Rows of NEMOSIS that its users are told to keep themselves: it returns every run, type and area."""
    _, (label, key), columns = TABLES[table]
    if "INTERVENTION" in frame:
        frame = frame.sort_values("INTERVENTION", ascending=table == "DISPATCHPRICE").drop_duplicates([label, key])
    if "TYPE" in frame:
        frame = frame[(frame["TYPE"] == "MEASUREMENT") & frame[key].isin(list(REGIONS))]
    return {
        (time.to_pydatetime(), name): tuple(map(float, values))
        for time, name, *values in frame[[label, key, *columns]].itertuples(index=False)
    }


@pytest.mark.parametrize("month", MONTHS, ids=lambda month: f"{month:%Y-%m}")
@pytest.mark.parametrize("table", TABLES)
def test_rows_are_those_of_nemosis(compiled, ours, table, month):
    if table == "ROOFTOP_PV_ACTUAL" and month.year == 2018:
        return  # no such file is published of that month
    end = (month + 31 * DAY).replace(day=1)
    expected = theirs(compiled(table, month, end), table)
    assert len(expected) > 200
    assert rows_of(ours, table, Window(month, end)) == expected


def test_nemosis_returns_both_runs_and_every_type(compiled):
    """What ``theirs`` leaves out is there: a user who does not ask has two prices of an interval."""
    prices = compiled("DISPATCHPRICE", datetime(2020, 1, 1), datetime(2020, 2, 1))
    assert set(prices["INTERVENTION"]) == {0, 1}
    rooftop = compiled("ROOFTOP_PV_ACTUAL", datetime(2020, 1, 1), datetime(2020, 2, 1))
    assert {"MEASUREMENT", "SATELLITE"} <= set(rooftop["TYPE"])


def boundary_windows() -> Iterator[tuple[datetime, datetime]]:
    """An hour from, an hour to, and from the eve into 00:00, 04:00 and 04:05 on a month's first day, where we hold the eve."""
    hour = timedelta(hours=1)
    for month in MONTHS:
        for time in (timedelta(0), timedelta(hours=4), timedelta(hours=4, minutes=5)):
            at = month + time
            yield at, at + hour
            if time or month == datetime(2024, 8, 1):
                yield at - hour, at
            if month == datetime(2024, 8, 1):
                yield month - hour, at + timedelta(minutes=5)


@pytest.mark.parametrize(("start", "end"), list(boundary_windows()), ids=str)
@pytest.mark.parametrize("table", ["DISPATCHPRICE", "DISPATCH_UNIT_SCADA", "DISPATCHREGIONSUM"])
def test_the_edges_of_a_window_are_those_of_nemosis(compiled, ours, table, start, end):
    """Labels close their interval: (start, end], over the ends of hours, market days, months and years."""
    rows = rows_of(ours, table, Window(start, end))
    assert rows == theirs(compiled(table, start, end), table)
    steps = (end - start) // timedelta(minutes=5)
    assert sorted({label for label, _ in rows}) == [start + n * timedelta(minutes=5) for n in range(1, steps + 1)]


@pytest.mark.parametrize("typed", [False, True], ids=["text", "typed"])
def test_a_cache_that_nemosis_made_answers_as_the_lake(nemosis, ours, tmp_path, typed):
    """Read where it lies: as text, as its users leave it, and typed, as it writes on request."""
    compile_cache = nemosis.cache_compiler if typed else nemosis.dynamic_data_compiler
    for month in (datetime(2020, 1, 1), datetime(2024, 8, 1)):
        end = (month + 31 * DAY).replace(day=1)
        for table in TABLES:
            compile_cache(
                *(f"{time:%Y/%m/%d %H:%M:%S}" for time in (month, end)), table, str(tmp_path), fformat="parquet"
            )
            window = Window(month, end)
            assert rows_of(open_source(tmp_path), table, window) == rows_of(ours, table, window)
