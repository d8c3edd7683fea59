"""The registry: which unit stands where, of what fuel and how large, as of a day.

AEMO's own tables say where and how large, with dates, and know no fuel; its registration workbook says the fuel, with no
dates. What ships here (``curated/``) is a snapshot of the first, and a fuel for every unit seen. Source: AEMO.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache, partial
from importlib.resources import as_file, files
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nem.aemo import AEMO_TYPES, REGISTRATION
from nem.errors import SourceFormatError
from nem.files import publish
from nem.lake import REGISTRY, landing, replace_units
from nem.share import Draft, commit
from nem.tables import UNITS, no_rows
from nem.workbook import WORKBOOK_COLUMNS, read_workbook

BUNDLED_AS_OF = date(2025, 2, 1)  # the snapshot that ships with this package is of January 2025

_OPTIONAL = {"MAXSTORAGECAPACITY", "SCHEDULE_TYPE"}  # not in AEMO's older files
_CURATED_NUMBERS = {name: kind for name, kind in UNITS.items() if kind == "DOUBLE"}


@cache
def excluded_units() -> frozenset[str]:
    """DUIDs that generate nothing: dummies, demand-side units, and the ends of Basslink, whose flow would count twice."""
    return frozenset(_curated("units").filter(pc.field("excluded").is_valid())["duid"].to_pylist())


@cache
def bundled_registry() -> pa.Table:
    """The registry that ships with this package, in the columns of ``nem.tables.UNITS``."""
    with duckdb.connect() as con:
        return _registry(con, _curated("registered"), None)


def land_bundled_registry(root: Path) -> list[date]:
    """Make the lake's registry the best that is known: what ships here, and all that was landed; see ``land_units``."""
    return land_registry(root, {}, as_of=BUNDLED_AS_OF)


def land_registry(root: Path, tables: Mapping[str, pa.Table], *, as_of: date) -> list[date]:
    """Land AEMO's registration tables, as they were on ``as_of``, and return the days that this changed.

    ``tables`` are of ``nem.aemo.REGISTRATION``, under AEMO's column names. Each is a whole history, so of two the later counts.

    Raises:
        SourceFormatError: a table is not of these, lacks a column, or holds what is no date or number.
        SourceUnavailableError: the lake cannot be written.
    """
    return _land(root, typed(tables), as_of)


def land_workbook(root: Path, path: Path) -> list[date]:
    """Land AEMO's registration workbook: fuels of units that are new, and units AEMO's tables do not have yet.

    Those are in force from when the workbook was last changed.

    Raises:
        SourceFormatError: it cannot be read, is not that workbook, or is larger than it should be.
        SourceUnavailableError: the lake cannot be written.
    """
    rows, changed = read_workbook(path)
    dated = rows.append_column("effective_date", pa.array([changed] * rows.num_rows, pa.date32()))
    return _land(root, {"workbook": dated}, changed)


def registered(tables: Mapping[str, pa.Table]) -> pa.Table:
    """What the tables of one snapshot, as ``typed``, say of each unit, a row for each stretch of days that is alike."""
    with duckdb.connect() as con:
        for name, columns in REGISTRATION.items():
            absent = con.sql(no_rows({column.lower(): AEMO_TYPES.get(column, "DOUBLE") for column in columns}))
            con.register(name.lower(), tables.get(name, absent))
        return con.sql(_sql("registered")).to_arrow_table()


def _registry(con: duckdb.DuckDBPyConnection, registered_rows: pa.Table, workbook: pa.Table | None) -> pa.Table:
    con.register("curated", _curated("units"))
    con.register("registered", registered_rows)
    absent = con.sql(no_rows({name: UNITS[name] for name in WORKBOOK_COLUMNS} | {"effective_date": "DATE"}))
    con.register("workbook", absent if workbook is None else workbook)
    return con.sql(_sql("registry"), params={"curated_from": BUNDLED_AS_OF}).to_arrow_table()


def _landed_registered(con: duckdb.DuckDBPyConnection, inputs: Mapping[str, pa.Table | None]) -> pa.Table:
    """What shipped here, unit by unit replaced by what landed since."""
    bundled = _curated("registered")
    landed = {name: rows for name in REGISTRATION if (rows := inputs[name]) is not None}
    if not {"DUDETAIL", "DUDETAILSUMMARY"} <= landed.keys():  # the one has no place, the other no capacity
        return bundled
    con.register("bundled", bundled)
    con.register("newer", registered(landed))
    return con.sql(
        "FROM newer UNION ALL BY NAME FROM bundled WHERE duid NOT IN (SELECT duid FROM newer)"
    ).to_arrow_table()


@cache
def _curated(name: str) -> pa.Table:
    with as_file(files("nem") / "curated" / f"{name}.csv") as path, duckdb.connect() as con:
        return con.sql(
            "FROM read_csv($path, types = $types)", params={"path": str(path), "types": _CURATED_NUMBERS}
        ).to_arrow_table()


def _sql(name: str) -> str:
    return (files("nem") / "sql" / f"{name}.sql").read_text()


def typed(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """AEMO's registration tables in the columns that are read, typed; an open end, 2999, is past pandas and stays a date.

    Raises:
        SourceFormatError: as ``land_registry``.
    """
    with duckdb.connect() as con:
        return {name: _typed(con, name, rows) for name, rows in tables.items()}


def _typed(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> pa.Table:
    if name not in REGISTRATION:
        raise SourceFormatError(f"{name} is no registration table; those are {', '.join(REGISTRATION)}")
    given = {column.upper(): column for column in rows.column_names}
    if missing := [column for column in REGISTRATION[name] if column not in given and column not in _OPTIONAL]:
        raise SourceFormatError(f"{name} lacks {', '.join(missing)}; it has {', '.join(rows.column_names)}")
    # Names come from nem.aemo; what the file calls them is quoted.
    select = ", ".join(f"{_cast(column, given.get(column))} AS {column.lower()}" for column in REGISTRATION[name])
    con.register("given", rows)
    try:
        return con.sql(f"SELECT {select} FROM given").to_arrow_table()  # noqa: S608
    except duckdb.Error as error:
        raise SourceFormatError(f"{name} cannot be read: {error}") from error


def _cast(column: str, given: str | None) -> str:
    kind = AEMO_TYPES.get(column, "DOUBLE")
    if given is None:
        return f"CAST(NULL AS {kind})"
    text = f"nullif(trim(CAST(\"{given}\" AS VARCHAR), E' \\t\\r\\n'), '')"
    if kind == "DATE":  # 2999/12/31 00:00:00 in a file, a date or a time in Parquet
        return f"CAST(replace(left({text}, 10), '/', '-') AS DATE)"
    return f"CAST({text} AS DOUBLE)" if kind == "DOUBLE" else f"upper({text})" if column.endswith("ID") else text


def _land(root: Path, arriving: Mapping[str, pa.Table], as_of: date) -> list[date]:
    with landing(root, "the registry"):
        return commit(root, lambda lake: _replace(lake, arriving, as_of))


def _replace(lake: Draft, arriving: Mapping[str, pa.Table], as_of: date) -> list[date]:
    """Land the registry that follows from ``arriving`` and from what was kept before; keep what of it is news."""
    kept = {name: _kept(lake, name) for name in (*REGISTRATION, "workbook")}
    news = {name: rows for name, rows in arriving.items() if _is_news(name, kept[name], as_of)}
    inputs = kept | news
    with duckdb.connect() as con:
        days = replace_units(lake, _registry(con, _landed_registered(con, inputs), inputs["workbook"]))
    # Only now: a snapshot that the lake refuses must not stand in the way of the next.
    for name, rows in news.items():
        noted = rows.replace_schema_metadata({"as_of": as_of.isoformat(), "attribution": "Source: AEMO"})
        publish(lake.out / _name(name), partial(pq.write_table, noted))
    return days


def _is_news(name: str, kept: pa.Table | None, as_of: date) -> bool:
    """Whether ``as_of`` is not before what is ``kept`` of ``name``, or what ships here."""
    is_newest = kept is None or date.fromisoformat(kept.schema.metadata[b"as_of"].decode()) <= as_of
    return is_newest and (name == "workbook" or as_of >= BUNDLED_AS_OF)


def _kept(lake: Draft, name: str) -> pa.Table | None:
    for path in lake.held(_name(name)):
        try:
            rows = pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise SourceFormatError(
                f"{path} cannot be read: {error}: remove it, and AEMO's next snapshot lands anew"
            ) from error
        if b"as_of" not in (rows.schema.metadata or {}):
            raise SourceFormatError(
                f"{path} does not say of when it is: remove it, and AEMO's next snapshot lands anew"
            )
        return rows
    return None


def _name(table: str) -> str:
    return f"{REGISTRY}/{table}.parquet"
