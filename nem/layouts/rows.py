"""What one file of an edition holds, and its rows in the lake's columns. A file is read where it lies, never changed."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from nem.aemo import AEMO_TIME, AEMO_TYPES, Shape, interval_count, interval_labels
from nem.errors import SourceFormatError, SourceUnavailableError
from nem.layouts.kinds import Edition
from nem.tables import Table
from nem.windows import EPOCH, HALF_HOUR, HORIZON, INTERVAL, Window

CSV_BYTES = 64 * 2**20  # unpacked; a month of PRICE_AND_DEMAND is half a megabyte

Kind = Literal["time", "text", "number"]


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was when its folder was listed: ``token`` changes when it is written anew."""

    path: Path
    token: str

    @property
    def is_csv(self) -> bool:
        """Whether it is CSV, packed or not; else it is Parquet."""
        return not self.path.name.lower().endswith(".parquet")


@dataclass(frozen=True, slots=True)
class Held:
    """The first and last label of each day a file holds, and how many of its rows are labelled off its edition's grid."""

    days: Mapping[date, tuple[datetime, datetime]]
    strays: int


@contextmanager
def reading(file: File) -> Iterator[None]:
    """A failure to read ``file`` in this package's words.

    Raises:
        SourceUnavailableError: it cannot be read, or not now: whoever keeps it may be writing it.
    """
    try:
        yield
    except (OSError, EOFError, UnicodeError, pa.ArrowException, duckdb.Error) as error:
        raise SourceUnavailableError(f"{file.path.name} cannot be read: {error}") from error


@lru_cache(maxsize=4096)
def kinds(edition: Edition, file: File) -> Mapping[str, Kind]:
    """What ``file`` has of the edition's columns, by AEMO's names.

    Raises:
        SourceUnavailableError: it cannot be read.
        SourceFormatError: it lacks its label, key or measure, its label is no naive time, or another is of no kind.
    """
    with reading(file):
        schema = csv_rows(file).schema if file.is_csv else pq.read_schema(file.path)
    given = {name.upper(): _kind(schema.field(i).type) for i, name in enumerate(schema.names)}
    if missing := [name for name in edition.shape.columns[:3] if name not in given]:
        raise SourceFormatError(
            f"{file.path.name} has no column {', '.join(missing)}; it has {', '.join(schema.names)}"
        )
    label = edition.shape.label
    if given[label] not in {"time", "text"}:
        raise SourceFormatError(f"{file.path.name}: {label} holds no naive times in NEM time")
    if odd := [name for name in edition.shape.columns[:3] if given[name] is None]:
        raise SourceFormatError(f"{file.path.name}: {', '.join(odd)} holds neither text nor numbers")
    return {name: kind for name in edition.shape.columns if (kind := given.get(name))}


def _kind(kind: pa.DataType) -> Kind | None:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_timestamp(kind):
        return "time" if kind.tz is None else None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "text"
    is_number = (pa.types.is_floating, pa.types.is_integer, pa.types.is_decimal, pa.types.is_null)
    return "number" if any(fits(kind) for fits in is_number) else None


@lru_cache(maxsize=128)
def csv_rows(file: File) -> pa.Table:
    """A CSV file, every column text, its rows numbered in ``arrival``.

    Raises:
        SourceUnavailableError, SourceFormatError: it cannot be read, is no CSV, or is larger than it should be.
    """
    with reading(file):
        opened = gzip.open if file.path.suffix.lower() == ".gz" else open
        with opened(file.path, "rb") as handle:
            text = handle.read(CSV_BYTES + 1)
        if len(text) > CSV_BYTES:
            raise SourceFormatError(f"{file.path.name} holds more than {CSV_BYTES >> 20} MB: it is no month of AEMO's")
        header = next(csv.reader(io.StringIO(text.partition(b"\n")[0].decode("utf-8-sig"))), [])
        as_text = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string()))
        rows = pyarrow.csv.read_csv(io.BytesIO(text), convert_options=as_text)
    return rows.append_column("arrival", pa.array(range(rows.num_rows), pa.int64()))


@lru_cache(maxsize=4096)
def held(edition: Edition, file: File) -> Held:
    """The days of ``file``, from its labels alone.

    Raises:
        SourceUnavailableError: it cannot be read.
        SourceFormatError: as ``kinds``, or none of its rows is the edition's.
    """
    found = _of_labels(
        edition, file, "NULL", "SELECT day, min(first_label), max(label), sum(row_count) FROM label GROUP BY day", {}
    )
    strays = sum(count for day, _, _, count in found if day is None)
    days = {day: (first, last) for day, first, last, _ in found if day is not None}
    if strays and not days:
        raise SourceFormatError(
            f"{file.path.name}: no {edition.shape.label} is a time on the {edition.shape.minutes}-minute grid, such as "
            f"2022/01/31 00:{edition.shape.minutes:02}:00"
        )
    return Held(days, strays)


@lru_cache(maxsize=64)
def digests(edition: Edition, file: File, reaches: timedelta) -> Mapping[date, str]:
    """Per day a digest of the rows it is derived from: its own, and those within ``reaches`` of it.

    Raises:
        SourceUnavailableError, SourceFormatError: as ``held``.
    """
    columns = ", ".join(f'"{name}"' for name in kinds(edition, file))
    found = _of_labels(
        edition,
        file,
        f"sum(hash({columns}))",  # a sum, since the order of rows is no change
        "SELECT near, sum(row_count), sum(mark) FROM (SELECT *, unnest(list_distinct([day, "
        "CAST(first_label - $interval - $reaches AS DATE), CAST(label - $interval + $reaches AS DATE)])) AS near "
        "FROM label WHERE day IS NOT NULL) GROUP BY near",
        {"interval": INTERVAL, "reaches": reaches},
    )
    return {day: f"{count:x}-{mark:x}" for day, count, mark in found}


def _of_labels(
    edition: Edition, file: File, mark: str, query: str, parameters: dict[str, object]
) -> list[tuple[Any, ...]]:
    """What ``query`` finds in ``label``: a row per label of the file, its day null where it is not the edition's."""
    label = edition.shape.label
    given, path = ("given", {}) if file.is_csv else ("read_parquet($file)", {"file": str(file.path)})
    # Column names come from nem.layouts.kinds, never from data.
    sql = f"""
        WITH written AS (SELECT "{label}" AS label, count(*) AS row_count, {mark} AS mark FROM {given} GROUP BY ALL),
        typed AS (SELECT * REPLACE ({_time("label", kinds(edition, file)[label])} AS label) FROM written),
        label AS (
            SELECT
                *,
                label - to_minutes(5 * ({interval_count("label", edition.shape.half_hours_until)} - 1)) AS first_label,
                CASE WHEN {_fits(edition.shape)} THEN CAST(label - INTERVAL 5 MINUTE AS DATE) END AS day
            FROM typed
        )
        {query}
    """  # noqa: S608
    with reading(file), duckdb.connect() as con:
        if file.is_csv:
            con.register("given", csv_rows(file))
        return con.execute(sql, {**path, **parameters}).fetchall()


def bounds(edition: Edition, file: File) -> Window | None:
    """Whole days no row of ``file`` is outside of, by its name or its footer; None where it holds none of the edition's.

    Raises:
        SourceUnavailableError, SourceFormatError: as ``held``.
    """
    edges = _named_month(edition, file) if file.is_csv else _noted(edition, file)
    if edges is None and (days := held(edition, file).days):
        edges = min(first for first, _ in days.values()), max(last for _, last in days.values())
    if edges is None:
        return None
    start, end = (datetime(edge.year, edge.month, edge.day) for edge in edges)
    start, end = max(start - timedelta(days=1), EPOCH), min(end + timedelta(days=1), HORIZON)
    return Window(start, end) if start < end else None


def _named_month(edition: Edition, file: File) -> tuple[datetime, datetime] | None:
    named = edition.files.fullmatch(file.path.name)
    try:
        month = datetime.strptime(named["month"], "%Y%m") if named else None
    except ValueError:
        return None
    return (month, month + timedelta(days=31)) if month else None


@lru_cache(maxsize=4096)
def _noted(edition: Edition, file: File) -> tuple[datetime, datetime] | None:
    """The least and the greatest label in a Parquet footer, if it says; rows that are not the edition's may be among them."""
    label = edition.shape.label
    kind = kinds(edition, file)[label]
    with reading(file):
        metadata = pq.read_metadata(file.path)
    at = next(i for i in range(metadata.num_columns) if metadata.schema.column(i).name.upper() == label)
    groups = [metadata.row_group(i).column(at).statistics for i in range(metadata.num_row_groups)]
    if not groups or any(group is None or not group.has_min_max for group in groups):
        return None
    least, greatest = min(group.min for group in groups), max(group.max for group in groups)
    if kind == "time":
        return least, greatest
    try:
        return datetime.strptime(least, AEMO_TIME), datetime.strptime(greatest, AEMO_TIME)
    except ValueError:
        return None


def selection(
    edition: Edition, table: Table, given: str, have: Mapping[str, Kind], window: Window, name: int
) -> tuple[str, dict[str, object]]:
    """SQL for the rows of ``given`` labelled in ``window``, as the lake's columns and ``arrival``, and its parameters.

    The statement may be one of several in another, so its parameters carry ``name``.
    """
    label = edition.shape.label
    edges = {f"after_{name}": window.start, f"until_{name}": window.end}
    # A row may stand for labels up to 25 minutes before its own. Compared as written, so that footers can rule groups out.
    near: dict[str, Any] = {
        f"near_after_{name}": window.start,
        f"near_until_{name}": min(window.end + HALF_HOUR, HORIZON),
    }
    if have[label] == "text":
        near = {key: edge.strftime(AEMO_TIME) for key, edge in near.items()}
    typed = ", ".join(f"{_typed(column, have.get(column))} AS {column}" for column in edition.shape.columns[1:])
    gives = ", ".join(
        f"CAST({edition.shape.gives.get(column, 'NULL')} AS {kind}) AS {column}"
        for column, kind in table.landed.items()
        if column != "settlement_date"
    )
    # Names come from nem.layouts.kinds and nem.tables, never from data.
    sql = f"""
        SELECT settlement_date, {gives}, arrival
        FROM (
            SELECT {interval_labels("label", edition.shape.half_hours_until)} AS settlement_date, *
            FROM (
                SELECT {_time(f'"{label}"', have[label])} AS label, {typed}, arrival
                FROM {given}
                WHERE "{label}" > $near_after_{name} AND "{label}" <= $near_until_{name}
            )
            WHERE {_fits(edition.shape)} AND {edition.shape.where}
        )
        WHERE settlement_date > $after_{name} AND settlement_date <= $until_{name}
    """  # noqa: S608
    return sql, {**edges, **near}


def _time(column: str, kind: Kind) -> str:
    # What is no time is null, and so a stray: one bad row takes no other down.
    return f"CAST({column} AS TIMESTAMP)" if kind == "time" else f"try_strptime({column}, '{AEMO_TIME}')"


def _typed(column: str, kind: Kind | None) -> str:
    """SQL for a column as its declared type; null where the file has none."""
    declared = AEMO_TYPES.get(column, "DOUBLE")
    if kind is None:
        return f"CAST(NULL AS {declared})"
    given = f"nullif(upper(trim(\"{column}\", E' \\t\\r\\n')), '')" if kind == "text" else f'"{column}"'
    if declared == "TIMESTAMP":
        return _time(given, kind)
    if declared == "INTEGER":
        return f"CAST(CAST({given} AS DOUBLE) AS INTEGER)"
    made = f"CAST({given} AS {declared})"
    return f"CASE WHEN isfinite({made}) THEN {made} END" if declared == "DOUBLE" else made


def _fits(shape: Shape) -> str:
    """SQL for whether a label is on the grid."""
    return (
        f"label > TIMESTAMP '{EPOCH}' AND label <= TIMESTAMP '{HORIZON}' "
        f"AND epoch_us(label) % (60000000 * greatest({shape.minutes}, 5 * {interval_count('label', shape.half_hours_until)})) = 0"
    )
