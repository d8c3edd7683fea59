"""AEMO's files as rows of the lake: what each of its tables gives, by the shapes of ``nem.aemo``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from nem.aemo import (
    AEMO_TYPES,
    FIVE_MINUTE_SETTLEMENT,
    FLOW,
    INITIAL_MW,
    PRICE,
    REGION_SUM,
    ROOFTOP,
    SCADA,
    TRADING_PRICE,
    Shape,
)
from nem.errors import SourceFormatError
from nem.mms import Columns, MmsFile, Rejected, read_mms
from nem.registry import REGISTRY_TABLES, excluded_units
from nem.tables import TABLES

# A forecast or a broken clock, not a measurement: the label of a file is at most one interval ahead of its making.
FURTHEST_AHEAD = timedelta(hours=1)

# What lands in the lake's tables, from which of AEMO's. The blank names are those of the daily roll-up.
_GIVES: dict[str, tuple[tuple[str, Shape], ...]] = {
    "DISPATCH.UNIT_SCADA": (("unit_scada", SCADA),),
    "DISPATCH.UNIT_SOLUTION": (("unit_scada", INITIAL_MW),),
    "DUNIT.": (("unit_scada", INITIAL_MW),),
    "DISPATCH.PRICE": (("regional_price", PRICE),),
    "DISPATCH.PRICE_REVISION": (("regional_price", PRICE),),
    "PRICE_REVISION.DISPATCH": (("regional_price", PRICE),),
    "TRADING.PRICE": (("regional_price", TRADING_PRICE),),
    "DREGION.": (("regional_price", PRICE), ("regional_demand", REGION_SUM)),
    "DISPATCH.REGIONSUM": (("regional_demand", REGION_SUM),),
    "DISPATCH.INTERCONNECTORRES": (("interconnector_flow", FLOW),),
    "ROOFTOP.ACTUAL": (("rooftop_pv", ROOFTOP),),
}
_REGISTRATION = "PARTICIPANT_REGISTRATION"
_ARROW = {"TIMESTAMP": pa.timestamp("us"), "VARCHAR": pa.string()}  # whole numbers are read as DOUBLE: "0" or "0.0"


@dataclass(frozen=True, slots=True)
class Report:
    """One file of AEMO's.

    ``rows`` are what ``nem.lake.land`` takes, by table of the lake; ``registry`` what ``land_registry`` takes;
    ``row_counts`` the D rows by AEMO's "NAMESPACE.TABLE", whether they are of use here or not. ``created`` is NEM time.
    """

    name: str
    created: datetime | None
    rows: Mapping[str, pa.Table]
    registry: Mapping[str, pa.Table]
    row_counts: Mapping[str, int]


def read_reports(path: Path, *, strict: bool = True) -> Iterator[Report | Rejected]:
    """Each file at ``path`` (a CSV, a zip, a zip of zips), read; see ``nem.mms.read_mms``.

    Raises:
        SourceUnavailableError: ``path`` cannot be read.
    """
    with duckdb.connect() as con:
        for file in read_mms(path, _wanted(), strict=strict):
            if isinstance(file, Rejected):
                yield file
                continue
            try:
                yield _report(con, file)
            except SourceFormatError as error:
                yield Rejected(file.name, str(error))


@cache
def _wanted() -> dict[str, Columns]:
    wanted: dict[str, Columns] = {}
    for name, given in _GIVES.items():
        columns = {column for _, shape in given for column in shape.columns}
        wanted[name] = {column: _ARROW.get(AEMO_TYPES.get(column, "DOUBLE"), pa.float64()) for column in columns}
    for name, needed in REGISTRY_TABLES.items():
        wanted[f"{_REGISTRATION}.{name}"] = dict.fromkeys((*needed, "LASTCHANGED"), pa.string())
    return wanted


def _report(con: duckdb.DuckDBPyConnection, file: MmsFile) -> Report:
    parts: dict[str, list[pa.Table]] = {}
    registry = {}
    for name, table in file.tables.items():
        if name.startswith(f"{_REGISTRATION}."):
            registry[name.removeprefix(f"{_REGISTRATION}.")] = table
            continue
        for lake_table, shape in _GIVES[name]:
            parts.setdefault(lake_table, []).append(_shaped(con, file, name, lake_table, shape, table))
    rows = {name: pa.concat_tables(tables, promote_options="default") for name, tables in parts.items()}
    return Report(file.name, file.created, rows, registry, file.row_counts)


def _shaped(
    con: duckdb.DuckDBPyConnection, file: MmsFile, name: str, lake_table: str, shape: Shape, table: pa.Table
) -> pa.Table:
    """AEMO's rows as the lake's: those that count, under its names, in its types."""
    if missing := [column for column in shape.columns[:3] if column not in table.column_names]:
        raise SourceFormatError(f"{file.name}: {name} has no column {', '.join(missing)}")
    for column in shape.columns:
        if column not in table.column_names:  # older files have fewer
            table = table.append_column(column, pa.nulls(table.num_rows, _wanted()[name][column]))
    sql, parameters = _selection(lake_table, shape)
    con.register("given", table)
    try:
        rows = con.sql(sql, params=parameters).to_arrow_table()
    except duckdb.Error as error:
        raise SourceFormatError(f"{file.name}, {name}: {error}") from error
    _check_labels(file, name, rows)
    return rows


def _selection(lake_table: str, shape: Shape) -> tuple[str, dict[str, object]]:
    """SQL for what ``shape`` gives of the relation ``given``, and its parameters."""
    label, where, parameters = shape.columns[0], shape.where, dict[str, object]()
    if shape is TRADING_PRICE:  # of the half-hourly era it stands for its six intervals
        label = f"{label} - to_minutes(5 * unnest(range(CASE WHEN {label} <= $half_hours_until THEN 6 ELSE 1 END)))"
        parameters["half_hours_until"] = FIVE_MINUTE_SETTLEMENT
    if lake_table == "unit_scada":
        where = f"{where} AND duid NOT IN (SELECT unnest($excluded))"
        parameters["excluded"] = sorted(excluded_units())
    gives = ", ".join(
        f"CAST({shape.gives[column]} AS {kind}) AS {column}"
        for column, kind in TABLES[lake_table].landed.items()
        if column in shape.gives
    )
    # Names come from nem.aemo and nem.tables, never from data.
    return f"SELECT {label} AS settlement_date, {gives} FROM given WHERE {where}", parameters  # noqa: S608


def _check_labels(file: MmsFile, name: str, rows: pa.Table) -> None:
    """A label far ahead would stand as the market's newest for as long as it is ahead."""
    newest = pc.max(rows["settlement_date"]).as_py()
    if file.created and newest and newest > file.created + FURTHEST_AHEAD:
        raise SourceFormatError(f"{file.name}, made at {file.created}: {name} is labelled {newest}, which is to come")
