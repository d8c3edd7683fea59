"""What must hold of rows before they land: their columns and types, their keys and labels, and a registry's rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from nem.errors import SourceFormatError
from nem.fuels import FUELS
from nem.tables import DISPATCH_TYPES
from nem.windows import EPOCH, HORIZON


def check_columns(name: str, columns: Mapping[str, str], required: Iterable[str], rows: pa.Table) -> None:
    """Raise SourceFormatError where ``rows`` have a column that is not declared or of another kind, or lack a key."""
    given = set(rows.column_names)
    if unknown := given - set(columns):
        raise SourceFormatError(f"{name} has no column {', '.join(sorted(unknown))}; it has {', '.join(columns)}")
    if missing := set(required) - given:
        raise SourceFormatError(f"rows for {name} lack {', '.join(sorted(missing))}")
    for column in required:
        check_given(name, column, rows[column])
    for column in given:
        kind = rows.schema.field(column).type
        if columns[column] == "TIMESTAMP" and not _is_naive_time(kind):
            raise SourceFormatError(f"{name}: {column} is {kind}; give naive timestamps in NEM time")


def check_given(name: str, column: str, values: pa.ChunkedArray) -> None:
    """Raise SourceFormatError where a value of a key is null or blank."""
    absent = values.null_count
    if not absent and pa.types.is_string(values.type):
        absent = sum(not value.strip() for value in pc.unique(values).to_pylist())
    if absent:
        raise SourceFormatError(f"{name}: {absent} rows have no {column}")


def check_labels(name: str, labels: pa.ChunkedArray, step: timedelta) -> None:
    """Raise SourceFormatError where a label is off a grid of ``step``, or of a time without a market."""
    if not len(labels):
        return
    minutes = int(step.total_seconds()) // 60
    try:
        labels = labels.cast(pa.timestamp("us"))
    except pa.ArrowInvalid as error:
        raise SourceFormatError(f"{name}: a label is off its {minutes}-minute grid: {error}") from error
    on_grid = pc.equal(pc.floor_temporal(labels, minutes, "minute"), labels)
    if not pc.all(on_grid).as_py():
        stray = labels.filter(pc.invert(on_grid))[0].as_py()
        raise SourceFormatError(f"{name}: label {stray} is off its {minutes}-minute grid")
    span = pc.min_max(labels).as_py()
    for label in span.values():
        if not EPOCH < label <= HORIZON:
            raise SourceFormatError(f"{name}: label {label} is outside {EPOCH:%Y-%m-%d} to {HORIZON:%Y-%m-%d}")


def _is_naive_time(kind: pa.DataType) -> bool:
    return (pa.types.is_timestamp(kind) and kind.tz is None) or pa.types.is_date(kind) or pa.types.is_null(kind)


def check_units(con: duckdb.DuckDBPyConnection) -> None:
    """Raise SourceFormatError where the relation ``arriving`` breaks a rule of the registry."""
    overlap = con.execute(
        "SELECT a.duid, b.effective_date FROM arriving a JOIN arriving b ON a.duid = b.duid AND a.rowid <> b.rowid "
        "AND a.effective_date <= b.effective_date AND b.effective_date < a.end_date LIMIT 1"
    ).fetchone()
    if overlap:
        raise SourceFormatError(f"units: {overlap[0]} has two rows in force on {overlap[1]:%Y-%m-%d}")
    stray = con.execute(
        "SELECT duid, effective_date, end_date FROM arriving WHERE end_date <= effective_date "
        "OR date_trunc('day', effective_date) <> effective_date OR date_trunc('day', end_date) <> end_date LIMIT 1"
    ).fetchone()
    if stray:
        raise SourceFormatError(
            f"units: {stray[0]} is in force from {stray[1]} to {stray[2]}: give midnights, in order"
        )
    for column, valid in (("dispatch_type", DISPATCH_TYPES), ("fueltech_id", (*FUELS, "battery"))):
        # The column is one of the two literals above.
        stray = con.execute(
            f"SELECT duid, {column} FROM arriving WHERE NOT list_contains($valid, {column}) LIMIT 1",  # noqa: S608
            {"valid": list(valid)},
        ).fetchone()
        if stray:
            raise SourceFormatError(f"units: {stray[0]} has the {column} {stray[1]!r}; known are {', '.join(valid)}")
    stray = con.execute(
        "SELECT duid, fueltech_id, dispatch_type FROM arriving "
        "WHERE (fueltech_id IS NOT DISTINCT FROM 'battery') <> (dispatch_type = 'BIDIRECTIONAL') LIMIT 1"
    ).fetchone()
    if stray:
        raise SourceFormatError(
            f"units: {stray[0]} is {stray[1]} and {stray[2]}: battery goes with BIDIRECTIONAL, which is split by sign, "
            "and one-way units are battery_charging or battery_discharging"
        )
