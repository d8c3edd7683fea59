"""Landing: AEMO's rows into the source lake, one Parquet file per table and NEM day.

Rows are upserted by key; of several that hold their measure the greatest ``priority`` wins, then ``last_changed``, then the
later arrival. What a row derives from its neighbours (mean power, settlement price) is worked out here, once. A file whose
rows did not change is left untouched, so a day's ``Source.version`` moves only when its rows do.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

import duckdb
import pyarrow as pa

from nem.checks import check_columns, check_labels, check_units
from nem.derive import derivation, reach, winning
from nem.errors import SourceFormatError, SourceUnavailableError
from nem.files import list_folder, locked, publish, publish_bytes
from nem.share import Draft, attach_lake, commit, stamps
from nem.tables import FOREVER, TABLES, UNITS, Table, no_rows
from nem.windows import EPOCH, HORIZON, day_window

SAMPLE_MARK = "sample.json"  # in a lake that replays a bundled past: its now is its newest data
UNITS_FILE = "units.parquet"
REGISTRY = "registry"  # the folder of what the registry in force was worked out from
_DAY_FILE = re.compile(r"\d{4}-\d\d-\d\d\.parquet")
_DAYS_OF_OTHER_GENERATORS = """
    WITH generator AS (
        SELECT 'old' AS registry, * FROM held WHERE dispatch_type = 'GENERATOR'
        UNION ALL BY NAME
        SELECT 'new' AS registry, * FROM arriving WHERE dispatch_type = 'GENERATOR'
    ),
    running AS (
        SELECT day, duid
        FROM landed_day JOIN generator ON effective_date <= day AND day < end_date
        GROUP BY day, duid HAVING count(DISTINCT registry) = 1
    )
    SELECT DISTINCT day FROM running ORDER BY day
"""


def day_file(root: Path, table: str, day: date) -> Path:
    """Where the lake keeps a table's NEM day."""
    return root / day_name(table, day)


def day_name(table: str, day: date) -> str:
    """The name of that file in the lake."""
    return f"{table}/{day.isoformat()}.parquet"


def land(root: Path, table_name: str, rows: pa.Table) -> list[date]:
    """Upsert ``rows`` (a subset of the table's columns, its key included) and return the days whose file changed.

    Raises:
        SourceFormatError: a column is missing, unknown or of another type, a key is null, or a label is off the grid.
        SourceUnavailableError: the lake cannot be written.
    """
    table = TABLES[table_name]
    with landing(root, table_name), duckdb.connect() as con:
        check_columns(table_name, table.landed, table.key, rows)
        check_labels(table_name, rows["settlement_date"], table.step)
        _conform(con, table.landed, table.key, rows)
        days = _days_to_rewrite(con, table)
        return commit(root, lambda lake: _rewrite_days(con, lake, table, days))


def land_units(root: Path, rows: pa.Table) -> list[date]:
    """Replace the registry and return the days whose mean power changed, because a unit's dispatch type did.

    An absent ``end_date`` is open. Windows are ``[effective_date, end_date)`` over interval starts.

    Raises:
        SourceFormatError: two rows of a unit overlap, or a dispatch type or fuel is unknown.
        SourceUnavailableError: the lake cannot be written.
    """
    with landing(root, "units"):
        return commit(root, lambda lake: replace_units(lake, rows))


def replace_units(lake: Draft, rows: pa.Table) -> list[date]:
    """The same as a part of a change."""
    with duckdb.connect() as con:
        required = ("duid", "region_id", "dispatch_type", "effective_date")
        check_columns("units", UNITS, required, rows)
        _conform(con, UNITS, required, rows)
        con.execute("UPDATE arriving SET end_date = $forever WHERE end_date IS NULL", {"forever": FOREVER})
        check_units(con)
        unfinished = lake.out / ".units-unfinished"
        table = con.sql("FROM arriving ORDER BY duid, effective_date").to_arrow_table()
        there = lake.held(UNITS_FILE)
        held = _registry(con, there)
        days = landed_days(lake.root, "unit_scada")
        if not unfinished.exists():  # else a landing was killed among its days, and which are left is not known
            if there and held.equals(table):
                return []
            days = _days_of_other_generators(con, days, held)
        lake.out.mkdir(exist_ok=True)
        unfinished.touch()
        _write(con, table, lake.out / UNITS_FILE)
        scada = TABLES["unit_scada"]
        con.execute("DROP TABLE arriving")
        _conform(con, scada.landed, scada.key, con.sql(no_rows(scada.landed)).to_arrow_table())
        changed = _rewrite_days(con, lake, scada, days)
        unfinished.unlink()
        return changed


def _days_of_other_generators(con: duckdb.DuckDBPyConnection, days: list[date], held: pa.Table) -> list[date]:
    """The days on which ``arriving`` has other generators than ``held``: mean power depends on no more of a registry."""
    con.register("held", held)
    con.register("landed_day", pa.table({"day": pa.array(days, pa.date32())}))
    return [day for (day,) in con.execute(_DAYS_OF_OTHER_GENERATORS).fetchall()]


def land_sample(root: Path) -> dict[str, list[date]]:
    """Land the bundled real sample (22 days of October 2017, 147 stations) and return the days changed by table."""
    with as_file(files("nem") / "sample") as sample, duckdb.connect() as con:
        units = con.sql(
            "SELECT * EXCLUDE (source) REPLACE (CAST(effective_date AS TIMESTAMP) AS effective_date, "
            "CAST(end_date AS TIMESTAMP) AS end_date) FROM read_csv($file, all_varchar = true)",
            params={"file": str(sample / "units.csv")},
        )
        land_units(root, units.to_arrow_table())
        bundled = {name: sample / f"{name}.parquet" for name in TABLES}
        changed = {name: land(root, name, _read(con, [file])) for name, file in bundled.items() if file.exists()}
    mark = {"attribution": "Source: AEMO", "now": "newest data"}
    with landing(root, SAMPLE_MARK):
        commit(root, lambda lake: publish_bytes(lake.out / SAMPLE_MARK, json.dumps(mark).encode()))
    return changed


def end_sample(root: Path) -> None:
    """Have the lake be of today, and so its clock. Raises SourceUnavailableError: it cannot be written."""
    with landing(root, SAMPLE_MARK):
        commit(root, lambda _: None, without=[SAMPLE_MARK])


def attach(root: Path, url: str) -> int:
    """Make the lake at ``root`` a copy of the one in object storage at ``url``; how many files that has.

    What is held here is published there. Where there is a lake already, only a folder that holds nothing else joins it.

    Raises:
        SourceUnavailableError: ``url`` cannot be written or ignores conditions, or both hold a lake.
    """
    with landing(root, f"the lake at {url}"):
        names = [day_name(table, day) for table in TABLES for day in landed_days(root, table)]
        names += [f"{REGISTRY}/{path.name}" for path in (root / REGISTRY).glob("[!.]*.parquet")]
        return attach_lake(root, url, [*names, *(name for name in (UNITS_FILE, SAMPLE_MARK) if (root / name).exists())])


def landed_days(root: Path, table: str) -> list[date]:
    """The NEM days a table has a file for, in order. Files that are named otherwise are not ours.

    Raises:
        SourceUnavailableError: its folder cannot be listed.
    """
    return days_among(root, table, stamps(root))


def days_among(root: Path, table: str, shared: Mapping[str, str] | None) -> list[date]:
    """The same of a lake whose ``stamps`` are ``shared``."""
    return sorted(day for name in _names(root, table, shared) if (day := _day_of(name)))


@lru_cache(65_536)
def _day_of(name: str) -> date | None:
    """The day that a file of this name holds. Remembered: a folder of years is looked through at each question."""
    if _DAY_FILE.fullmatch(name):
        with suppress(ValueError):
            day = date.fromisoformat(name[:10])
            return day if EPOCH.date() <= day < HORIZON.date() else None
    return None


def _names(root: Path, table: str, shared: Mapping[str, str] | None) -> list[str]:
    """What a table's folder holds; of a shared lake, wherever it lies."""
    if shared is not None:
        prefix = f"{table}/"
        return [name.removeprefix(prefix) for name in shared if name.startswith(prefix)]
    return [entry.name for entry in list_folder(root / table)]


@contextmanager
def landing(root: Path, table: str) -> Iterator[None]:
    """One landing at a time on this host, its failures in this package's words."""
    try:
        with locked(root / ".lock"):
            yield
    except OSError as error:
        raise SourceUnavailableError(f"{table} cannot be landed: {error}") from error
    except duckdb.Error as error:
        raise SourceFormatError(f"{table} cannot be landed: {error}") from error


def _conform(
    con: duckdb.DuckDBPyConnection, columns: Mapping[str, str], required: tuple[str, ...], rows: pa.Table
) -> None:
    """Make ``rows`` the temporary table ``arriving``, typed as declared; columns not given are null."""
    given = set(rows.column_names)
    con.register("given", rows)

    def typed(column: str, kind: str) -> str:
        made = f"CAST({column if column in given else 'NULL'} AS {kind})"
        # AEMO's own lists hold 'ERB01 ' and 'HASTING1\n': an id is normalised once, here.
        if column in required and kind == "VARCHAR":
            return f"upper(trim({made}, $blank))"
        # One NaN would make a whole day's sum NaN: what is no number is missing.
        return f"CASE WHEN isfinite({made}) THEN {made} END" if kind == "DOUBLE" else made

    # Names and types come from nem.tables, never from data.
    select = ", ".join(f"{typed(column, kind)} AS {column}" for column, kind in columns.items())
    con.execute(f"CREATE TEMP TABLE arriving AS SELECT {select} FROM given", {"blank": " \t\r\n"})  # noqa: S608
    con.unregister("given")


def _days_to_rewrite(con: duckdb.DuckDBPyConnection, table: Table) -> list[date]:
    """The days that ``arriving`` touches, and the neighbours whose derived columns lean on its first or last rows."""
    spans = con.execute(
        "SELECT CAST(settlement_date - INTERVAL 5 MINUTE AS DATE) AS day, min(settlement_date), max(settlement_date) "
        "FROM arriving GROUP BY day"
    ).fetchall()
    days = {day for day, _, _ in spans}
    for day, first, last in spans:
        window = day_window(day)
        if first <= window.start + table.reaches:
            days.add(day - timedelta(days=1))
        if last > window.end - table.reaches:
            days.add(day + timedelta(days=1))
    return sorted(day for day in days if EPOCH.date() <= day < HORIZON.date())


def _rewrite_days(con: duckdb.DuckDBPyConnection, lake: Draft, table: Table, days: Iterable[date]) -> list[date]:
    """Rewrite those of ``days`` whose rows are not as they were."""
    con.register("units", _registry(con, lake.held(UNITS_FILE)))
    return [day for day in days if _rewrite(con, lake, table, day)]


def _rewrite(con: duckdb.DuckDBPyConnection, lake: Draft, table: Table, day: date) -> bool:
    """Merge, derive and publish one day; False when its rows are as they were."""
    window = day_window(day)
    near = reach(table, window)
    stored = lake.held(*(day_name(table.name, other) for other in near.days()))
    con.register("stored", _read(con, stored) if stored else con.sql(no_rows(table.landed)).to_arrow_table())
    # All columns of `arriving` as declared; an older stored file may lack some.
    rows = "SELECT *, 0 AS arrival FROM stored UNION ALL BY NAME SELECT *, 1 + rowid AS arrival FROM arriving"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE landed AS {winning(table, rows)}",
        {"start": near.start, "end": near.end, "step": table.step},
    )
    derived = con.sql(derivation(table.name), params={"start": window.start, "end": window.end}).to_arrow_table()
    name = day_name(table.name, day)
    held = lake.held(name)
    if _read(con, held).equals(derived) if held else not derived.num_rows:
        return False
    _write(con, derived, lake.out / name)
    return True


def _registry(con: duckdb.DuckDBPyConnection, there: list[Path]) -> pa.Table:
    return _read(con, there) if there else con.sql(no_rows(UNITS)).to_arrow_table()


def _read(con: duckdb.DuckDBPyConnection, paths: list[Path]) -> pa.Table:
    names = [str(path) for path in paths]
    return con.sql(
        "FROM read_parquet($files, hive_partitioning = false, union_by_name = true)", params={"files": names}
    ).to_arrow_table()


def _write(con: duckdb.DuckDBPyConnection, rows: pa.Table, path: Path) -> None:
    con.register("rows", rows)

    def write(temporary: Path) -> None:
        con.execute("COPY (FROM rows) TO $path (FORMAT parquet, COMPRESSION zstd)", {"path": str(temporary)})
        # A file is told by its size and time, and the kernel's clock stands still for milliseconds.
        moment = time.time_ns() // 10**6 * 10**6 + secrets.randbelow(1000) * 1000
        os.utime(temporary, ns=(moment, moment))

    publish(path, write)
