"""AEMO's CSV files: their sections as Arrow tables, checked as they say of themselves.

A file is lines of C (comment), I (header: namespace, table, version, columns) and D (data under the I above it). Columns
go by name: their order and number change under one version. The last line says how many lines there are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from nem.aemo import AEMO_TIME
from nem.errors import SourceFormatError
from nem.zips import MOST_CSV_BYTES

BLOCK_BYTES, PARSED_BYTES = 16 * 2**20, 4 * 2**20
MOST_ROWS = 20_000_000  # of use here, in one file: a month of every unit's readings has 4.5 million


class Columns(NamedTuple):
    """What is read of a table, by AEMO's names: wherever the file has it, and what it must have."""

    types: Mapping[str, pa.DataType]
    needed: tuple[str, ...]


_TIME = re.compile(r"^\d{4}/\d{2}/\d{2} \d{2}:\d{2}:\d{2}$")
_ABSENT = re.compile(r"(Unnamed: \d+)?")  # a table without a name of its own: DREGION, DUNIT


@dataclass(frozen=True, slots=True)
class Report:
    """One CSV file of AEMO's, whole.

    ``tables`` are those asked for, by "NAMESPACE.TABLE"; ``row_counts`` are the D rows of every table in it.
    """

    name: str
    created: datetime  # NEM time, by its first line
    tables: Mapping[str, pa.Table]
    row_counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Section:
    """The I line in force: what its D lines are called, how each must begin, and their columns."""

    table: str  # "NAMESPACE.TABLE"
    prefix: bytes
    columns: list[str]
    end: re.Pattern[bytes]  # the line break before what is no D line of this table and version


@dataclass(slots=True)
class _Reading:
    """How far a file has been read."""

    wanted: Mapping[str, Columns]
    created: datetime | None = None
    section: _Section | None = None
    line_count: int = 0
    stated: int | None = None
    parts: dict[str, list[pa.Table]] = field(default_factory=dict)
    row_counts: dict[str, int] = field(default_factory=dict)


def read_mms(name: str, handle: BinaryIO, wanted: Mapping[str, Columns], *, strict: bool = True) -> Report:
    """The CSV file in ``handle``: what is ``wanted`` of it, by "NAMESPACE.TABLE".

    Raises:
        SourceFormatError: it breaks the format or is not whole: it does not end as it should or, with ``strict``, its last
            line counts other lines than there are.
    """
    reading = _Reading(wanted)
    for block in _blocks(handle):
        _take_block(reading, block)
    if reading.stated is None:
        raise SourceFormatError(f"has no END OF REPORT after its {reading.line_count} lines: it is not whole")
    if strict and reading.stated != reading.line_count:
        raise SourceFormatError(
            f"has {reading.line_count} lines and says it has {reading.stated}: it is not whole, or was shortened on "
            "purpose (then --trimmed lands it)"
        )
    if reading.created is None:
        raise SourceFormatError("its first line does not say when it was made")
    tables = {table: pa.concat_tables(parts, promote_options="default") for table, parts in reading.parts.items()}
    return Report(name, reading.created, tables, reading.row_counts)


def _blocks(handle: BinaryIO) -> Iterator[bytes]:
    """Whole lines, some megabytes at a time."""
    kept = b""
    total = 0
    while read := handle.read(BLOCK_BYTES):
        total += len(read)
        if total > MOST_CSV_BYTES:
            raise SourceFormatError(f"is longer than {MOST_CSV_BYTES >> 30} GiB")
        block = kept + read
        end = block.rfind(b"\n") + 1
        kept = block[end:]
        if len(kept) > BLOCK_BYTES:
            raise SourceFormatError(f"has a line of more than {BLOCK_BYTES >> 20} MiB")
        if end:
            yield block[:end]
    if kept:
        yield kept + b"\n"


def _take_block(reading: _Reading, block: bytes) -> None:
    at = 0
    while at < len(block):
        section = reading.section
        if section and block.startswith(section.prefix, at):
            ended = section.end.search(block, at)
            end = ended.end() if ended else len(block)
            _take_data(reading, section, block[at:end])
        else:
            end = block.index(b"\n", at) + 1
            _take_line(reading, block[at:end])
        at = end


def _take_line(reading: _Reading, line: bytes) -> None:
    """A C or an I line."""
    reading.line_count += 1
    try:
        cells = next(csv.reader([line.decode("utf-8-sig").rstrip("\r\n")], strict=True), [])
    except (UnicodeError, csv.Error) as error:
        raise SourceFormatError(f"line {reading.line_count}: {error}") from error
    if reading.stated is not None:
        raise SourceFormatError(f"goes on after its END OF REPORT, at line {reading.line_count}")
    kind = cells[0] if cells else ""
    if kind == "C" and cells[1:2] == ["END OF REPORT"]:
        reading.stated = int(cells[2]) if len(cells) > 2 and re.fullmatch(r"[0-9]{1,12}", cells[2]) else -1
    elif kind == "C":
        reading.created = reading.created or _created(cells)
    elif kind == "I" and len(cells) > 4:
        reading.section = _section(reading, cells)
    elif kind == "D" and len(cells) > 4:
        header = f"the header of {reading.section.table}" if reading.section else "no header"
        raise SourceFormatError(f"line {reading.line_count}: data of {cells[1:4]} under {header}")
    else:
        raise SourceFormatError(f"line {reading.line_count} is no line of AEMO's: {cells[:4]}")


def _section(reading: _Reading, cells: list[str]) -> _Section:
    namespace, table, version = cells[1], "" if _ABSENT.fullmatch(cells[2]) else cells[2], cells[3]
    columns = [cell.strip().upper() for cell in cells[4:]]
    named = [name for name in columns if name]
    if len(set(named)) < len(named):
        raise SourceFormatError(f"line {reading.line_count}: {namespace} {table} names a column twice")
    prefix = f"D,{namespace},{table},{version},".encode()
    end = re.compile(b"\n(?!" + re.escape(prefix) + b")")
    return _Section(f"{namespace}.{table}".upper(), prefix, columns, end)


def _created(cells: list[str]) -> datetime | None:
    try:
        return datetime.strptime(" ".join(cells[5:7]), AEMO_TIME)
    except ValueError:
        return None


def _take_data(reading: _Reading, section: _Section, run: bytes) -> None:
    count = run.count(b"\n")
    first = reading.line_count + 1
    reading.line_count += count
    if reading.stated is not None:
        raise SourceFormatError(f"goes on after its END OF REPORT, at line {first}")
    reading.row_counts[section.table] = reading.row_counts.get(section.table, 0) + count
    if columns := reading.wanted.get(section.table):
        if reading.row_counts[section.table] > MOST_ROWS:
            raise SourceFormatError(f"has more than {MOST_ROWS:,} rows of {section.table}")
        rows = _parse(section, columns, run, first)
        if rows.num_rows != count:
            raise SourceFormatError(f"from line {first}: {count} lines make {rows.num_rows} rows")
        reading.parts.setdefault(section.table, []).append(rows)


def _parse(section: _Section, columns: Columns, run: bytes, line: int) -> pa.Table:
    """The run's rows, in those of ``columns`` that the header has."""
    if missing := [column for column in columns.needed if column not in section.columns]:
        raise SourceFormatError(f"line {line}: {section.table} has no column {', '.join(missing)}")
    have = {column: kind for column, kind in columns.types.items() if column in section.columns}
    # A header may end in nameless columns; each needs a name here, and none is read.
    names = [f"__{place}" for place in range(4)]
    names += [column or f"__{place}" for place, column in enumerate(section.columns, start=4)]
    try:
        rows = pyarrow.csv.read_csv(
            io.BytesIO(run),
            read_options=pyarrow.csv.ReadOptions(
                column_names=names, block_size=PARSED_BYTES, use_threads=len(run) > PARSED_BYTES
            ),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=False),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={column: _as_read(kind) for column, kind in have.items()},
                include_columns=list(have),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
        return pa.table({column: _typed(rows[column], kind) for column, kind in have.items()})
    except (pa.ArrowException, UnicodeError) as error:
        raise SourceFormatError(f"{section.table} from line {line}: {error}") from error


def _as_read(kind: pa.DataType) -> pa.DataType:
    """What Arrow's reader is to make of a column: whole numbers are written as 0 or 0.0."""
    if pa.types.is_timestamp(kind):
        return pa.dictionary(pa.int32(), pa.string())
    return pa.float64() if pa.types.is_integer(kind) else kind


def _typed(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_timestamp(kind):
        return _times(values)
    if pa.types.is_floating(kind) and not pc.all(pc.is_finite(values)).as_py():
        # 1e400 and NaN are no measurement: another row may hold one.
        return pc.if_else(pc.is_finite(values), values, None)
    return values.cast(kind)  # refuses a flag that is no whole number


def _times(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """AEMO's times, exactly: Arrow's own parser of this format makes 1 March of 30 February."""
    chunks = []
    for chunk in texts.chunks:
        values = chunk.dictionary
        wrong = pc.invert(pc.match_substring_regex(values, _TIME.pattern))
        if pc.any(wrong).as_py():
            raise pa.ArrowInvalid(f"{values.filter(wrong)[0]} is no time as 2024/02/29 12:00:00")
        chunks.append(pc.replace_substring(values, "/", "-").cast(pa.timestamp("us")).take(chunk.indices))
    return pa.chunked_array(chunks, pa.timestamp("us"))
