"""AEMO's files as rows of the lake: what each of its tables gives, by the shapes of ``nem.aemo``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from nem.aemo import (
    AEMO_TYPES,
    FLOW,
    INITIAL_MW,
    PRICE,
    PRICE_REVISION,
    REGION_SUM,
    REGISTRATION,
    ROOFTOP,
    SCADA,
    TRADING_PRICE,
    Shape,
    interval_labels,
)
from nem.checks import check_given, check_labels
from nem.errors import SourceFormatError
from nem.feeds import choose_tables, is_whole_month
from nem.mms import Columns, Report, read_mms
from nem.registry import excluded_units
from nem.tables import TABLES
from nem.windows import HALF_HOUR
from nem.zips import Rejected, read_csvs

# A forecast or a broken clock, not a measurement: the label of a file is at most one interval ahead of its making.
FURTHEST_AHEAD = timedelta(hours=1)

# What lands in the lake's tables, from which of AEMO's. The blank names are those of the daily roll-up.
_GIVES: dict[str, tuple[tuple[str, Shape], ...]] = {
    "DISPATCH.UNIT_SCADA": (("unit_scada", SCADA),),
    "DISPATCH.UNIT_SOLUTION": (("unit_scada", INITIAL_MW),),
    "DUNIT.": (("unit_scada", INITIAL_MW),),
    "DISPATCH.PRICE": (("regional_price", PRICE),),
    "PRICELOAD.PRICE_REVISION": (("regional_price", PRICE_REVISION),),
    "TRADING.PRICE": (("regional_price", TRADING_PRICE),),
    "DREGION.": (("regional_price", PRICE), ("regional_demand", REGION_SUM)),
    "DISPATCH.REGIONSUM": (("regional_demand", REGION_SUM),),
    "DISPATCH.INTERCONNECTORRES": (("interconnector_flow", FLOW),),
    "ROOFTOP.ACTUAL": (("rooftop_pv", ROOFTOP),),
}
OF_REGISTRATION = "PARTICIPANT_REGISTRATION."  # of the registration tables
_DECIDING = {"INTERVENTION", "TYPE", "BIDTYPE"}  # which of several rows counts: without them, any would
_ARROW = {"TIMESTAMP": pa.timestamp("us"), "VARCHAR": pa.string(), "INTEGER": pa.int32()}


def read_reports(path: Path, *, strict: bool = True) -> Iterator[Report | Rejected]:
    """Each file at ``path`` (a CSV, a zip, a zip of zips, of a whole month those of use), checked: all of it can land.

    Of its tables some give rows of the lake, see ``lake_rows``; the others are of registration. A file that breaks the
    format, has rows that cannot be, or cannot be read is ``Rejected`` by itself. With ``strict``, so is one whose last line
    counts other lines than there are; without, that line must still be there.
    """

    def read(name: str, handle: BinaryIO) -> Report:
        report = read_mms(name, handle, _wanted(), strict=strict)
        for table, rows in report.tables.items():
            _check(table, rows, report.created)
        return report

    return read_csvs(path, read, choose_tables if is_whole_month(path.name) else None)


def lake_rows(con: duckdb.DuckDBPyConnection, tables: Mapping[str, list[pa.Table]]) -> dict[str, pa.Table]:
    """What ``nem.lake.land`` takes, by table of the lake, from the ``tables`` of any number of reports."""
    parts: dict[str, list[pa.Table]] = {}
    for name, given in tables.items():
        con.register("given", _completed(name, pa.concat_tables(given, promote_options="default")))
        for lake_table, shape in _GIVES[name]:
            sql, parameters = _selection(lake_table, shape)
            parts.setdefault(lake_table, []).append(con.sql(sql, params=parameters).to_arrow_table())
        con.unregister("given")
    return {name: pa.concat_tables(rows, promote_options="default") for name, rows in parts.items()}


@cache
def _wanted() -> dict[str, Columns]:
    wanted = {}
    for name, given in _GIVES.items():
        columns = {column for _, shape in given for column in shape.columns}
        types = {column: _ARROW.get(AEMO_TYPES.get(column, "DOUBLE"), pa.float64()) for column in columns}
        needed = {column for _, shape in given for column in shape.columns[:3]} | (columns & _DECIDING)
        wanted[name] = Columns(types, tuple(sorted(needed)))
    for name, columns_of in REGISTRATION.items():
        wanted[f"{OF_REGISTRATION}{name}"] = Columns(dict.fromkeys(columns_of, pa.string()), columns_of[:1])
    return wanted


def _check(name: str, table: pa.Table, created: datetime) -> None:
    """Raise SourceFormatError where a row has no key, or a label that cannot be."""
    for lake_table, shape in _GIVES.get(name, ()):
        label, key = shape.columns[:2]
        check_given(name, label, table[label])
        check_given(name, key, table[key])
        check_labels(name, table[label], TABLES[lake_table].step)
        if until := shape.half_hours_until:
            half_hours = pc.less_equal(table[label], pa.scalar(until, pa.timestamp("us")))
            check_labels(name, table[label].filter(half_hours), HALF_HOUR)
        # A label far ahead would stand as the market's newest for as long as it is ahead.
        newest = pc.max(table[label]).as_py()
        if newest and newest > created + FURTHEST_AHEAD:
            raise SourceFormatError(f"made at {created}, and {name} is labelled {newest}, which is to come")


def _completed(name: str, table: pa.Table) -> pa.Table:
    """``table`` with all the columns that are read of it: older files have fewer."""
    for column, kind in _wanted()[name].types.items():
        if column not in table.column_names:
            table = table.append_column(column, pa.nulls(table.num_rows, kind))
    return table


def _selection(lake_table: str, shape: Shape) -> tuple[str, dict[str, object]]:
    """SQL for what ``shape`` gives of the relation ``given``, and its parameters."""
    label = interval_labels(shape.label, shape.half_hours_until)
    where, parameters = shape.where, dict[str, object]()
    if lake_table == "unit_scada":
        where = f"{where} AND duid NOT IN (SELECT unnest($excluded))"
        parameters["excluded"] = sorted(excluded_units())
    gives = ", ".join(f"{sql} AS {column}" for column, sql in shape.gives.items())
    # Names come from nem.aemo, never from data.
    return f"SELECT {label} AS settlement_date, {gives} FROM given WHERE {where}", parameters  # noqa: S608
