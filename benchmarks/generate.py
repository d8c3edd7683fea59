"""A lake of generated rows, shaped like the market: as many units, fuels, labels and prices as there are, none real.

Units are the real registry's. Power follows the fuel (sun, wind in fronts, load-following, batteries by the clock) with
noise from a hash, so a day is the same however often it is made. Rows hold what landing derives, worked out alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from nem.lake import UNITS_FILE, day_file, land_units
from nem.regions import INTERCONNECTORS, REGIONS
from nem.registry import bundled_registry
from nem.tables import TABLES

LAST = date(2026, 10, 31)
UNITS = 550

_SQL = Path(__file__).parent / "sql"
# One label past the day is made, for the mean over its last interval: the next day's first, as that day makes it.
_LABELS = (
    "CREATE OR REPLACE TEMP TABLE label AS SELECT $day::TIMESTAMP + i * INTERVAL 5 MINUTE AS settlement_date, "
    "date_trunc('day', settlement_date - INTERVAL 5 MINUTE) AS day, ((i - 1) % 288 + 1) / 12 AS hour "
    "FROM range(1, 290) AS step(i)"
)
_NOISE = "CREATE TEMP MACRO noise(name, label) AS (hash(name || label::VARCHAR) % 10000) / 10000.0"


def days_before(last: date, count: int) -> Iterator[date]:
    """The ``count`` days up to ``last``, newest first."""
    return (last - timedelta(days=back) for back in range(count))


def write_lake(root: Path, *, days: int, units: int = UNITS) -> None:
    """Write ``days`` days of generated rows up to ``LAST``; days that are there are left as they are."""
    registry = chosen_units(units)
    if not (root / UNITS_FILE).exists():
        land_units(root, registry)
    with generating(registry) as con:
        for day in days_before(LAST, days):
            for table in TABLES:
                if not (path := day_file(root, table, day)).exists():
                    path.parent.mkdir(parents=True, exist_ok=True)
                    con.register("rows", make_day(con, table, day))
                    con.execute("COPY (FROM rows) TO $path (FORMAT parquet, COMPRESSION zstd)", {"path": str(path)})


def generating(registry: pa.Table) -> duckdb.DuckDBPyConnection:
    """A connection that ``make_day`` can use."""
    con = duckdb.connect()
    con.execute(_NOISE)
    con.register("unit", _unit_facts(con, registry))
    con.register("region", pa.table({"name": list(REGIONS)}))
    con.register("interconnector", pa.table({"name": list(INTERCONNECTORS)}))
    return con


def make_day(con: duckdb.DuckDBPyConnection, table: str, day: date) -> pa.Table:
    """A table's rows of one NEM day, as the lake holds them."""
    start = datetime(day.year, day.month, day.day)
    con.execute(_LABELS, {"day": start})
    made = (_SQL / f"generate_{table}.sql").read_text()
    given = {"end": start + timedelta(days=1)}
    # Names are nem.tables', the statement is a file of ours.
    columns = ", ".join(f"{name}::{kind} AS {name}" for name, kind in TABLES[table].columns.items())
    statement = f"SELECT {columns} FROM ({made}) WHERE settlement_date <= $end ORDER BY ALL"
    return con.sql(statement, params=given).to_arrow_table()


def chosen_units(count: int) -> pa.Table:
    """The real registry's units of known capacity, ``count`` of them, in force ever since."""
    with duckdb.connect() as con:
        con.register("registry", bundled_registry())
        return con.sql(
            "SELECT * REPLACE (TIMESTAMP '2009-01-01' AS effective_date, TIMESTAMP '2999-12-31' AS end_date) FROM ("
            "FROM registry WHERE coalesce(capacity_maximum_mw, capacity_registered_mw) > 0 "
            "QUALIFY row_number() OVER (PARTITION BY duid ORDER BY effective_date DESC) = 1) "
            "ORDER BY hash(duid) LIMIT $count",
            params={"count": count},
        ).to_arrow_table()


def _unit_facts(con: duckdb.DuckDBPyConnection, registry: pa.Table) -> pa.Table:
    con.register("registry", registry)
    return con.sql(
        "SELECT duid, region_id, fueltech_id, dispatch_type, "
        "coalesce(capacity_maximum_mw, capacity_registered_mw) AS capacity_mw FROM registry"
    ).to_arrow_table()
