"""The live data, read-only: what a source holds for a window, as relations for a query to run on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nem.arrays import as_arrow
from nem.errors import SourceEmptyError, SourceFormatError, SourceUnavailableError, TableAbsentError
from nem.files import list_folder
from nem.lake import SAMPLE_MARK, UNITS_FILE, day_file, day_name, days_among
from nem.layouts.folder import Folder, find_layout
from nem.layouts.units import Registry
from nem.remote import FILE
from nem.share import current, stamp, stamps
from nem.tables import TABLES, UNITS, no_rows
from nem.windows import INTERVAL, Window, bucket_edges, day_window, joined, utc_time

_EMPTY = "absent"  # the version of a day a table has no file for


@dataclass(frozen=True, slots=True)
class Source:
    """A folder of market data: our lake or another layout. It holds no connection: queries bring a cursor to ``attach``.

    ``coverage`` and ``attach`` speak of one table that paces a query: what that table has landed is what the source
    can answer for. A path without data fails at use, as does a folder of no known layout (``SourceFormatError``).
    """

    root: Path

    def coverage(self, table: str, window: Window) -> list[Window]:
        """The parts of ``window`` that ``table`` has landed, whole days from its first label to its last.

        Raises:
            SourceUnavailableError: there is no source, or it has no such table.
        """
        return _covered(self._layout(), table, window)

    def span(self, table: str) -> Window:
        """From the start of the table's first interval to its newest label.

        Raises:
            SourceUnavailableError: there is no source, or it has no such table.
        """
        return self._layout().span(table)

    def newest_labels(self, tables: Iterable[str] = TABLES) -> dict[str, datetime]:
        """The newest label AEMO gave of each of ``tables`` that the source holds; none where there is no source.

        Raises:
            SourceUnavailableError: it cannot be read.
        """
        layout, found = self._layout(), {}
        for table in tables:
            with suppress(SourceEmptyError, TableAbsentError):
                found[table] = layout.span(table).end
        return found

    def versions(self, tables: Iterable[str], window: Window) -> dict[str, str]:
        """Per table a cheap token that changes when its rows in the days of ``window`` may have; ``units`` is the registry."""
        layout = self._layout()
        return {table: _digest(_version(layout, table, day) for day in window.days()) for table in tables}

    def attach(self, cursor: duckdb.DuckDBPyConnection, tables: tuple[str, ...], window: Window) -> None:
        """Give ``cursor`` a relation per table over the days of ``window``, and ``dispatch_interval``.

        ``dispatch_interval(settlement_date)`` holds the covered labels of ``tables[0]``, which paces the query. A table
        without files is an empty relation of its declared types, never an error: its values are unknown, not zero.

        Raises:
            SourceUnavailableError: there is no source, the pacing table is absent, or a file cannot be read.
        """
        layout = self._layout()
        labels = [bucket_edges(part, "5min")[1:] for part in _covered(layout, tables[0], window)]
        dates = np.concatenate([*labels, np.array([], "datetime64[us]")])
        cursor.register("dispatch_interval", pa.table({"settlement_date": as_arrow(dates)}))
        # The registry first: a unit's mean power is derived with it.
        for table in sorted(tables, key=lambda name: name != "units"):
            try:
                cursor.register(table, layout.relation(cursor, table, window))
            except duckdb.Error as error:
                raise SourceUnavailableError(f"{table} for {window} cannot be read: {error}") from error

    def names(self, cursor: duckdb.DuckDBPyConnection, table: str, column: str) -> set[str]:
        """Every value of ``column`` in all of ``table``; of years of readings it takes seconds.

        Raises:
            SourceUnavailableError: there is no source, it has no such table, or a file cannot be read.
        """
        layout = self._layout()
        window = layout.span("unit_scada" if table == "units" else table)
        try:
            rows = layout.given(cursor, table, window).select(column).distinct().fetchall()
        except duckdb.Error as error:
            raise SourceUnavailableError(f"{table} cannot be read: {error}") from error
        return {name for (name,) in rows if name}

    def now(self) -> datetime:
        """The instant freshness is judged at, UTC: of a lake that replays a bundled past, when its newest label was due."""
        is_replayed = stamp(self.root, SAMPLE_MARK, stamps(self.root))
        newest = self.newest_labels(("unit_scada", "regional_price")).values() if is_replayed else ()
        return utc_time(max(newest)) if newest else datetime.now(UTC)

    def notes(self) -> list[str]:
        """What is left out of the source's files, a sentence each, for people."""
        return self._layout().notes()

    def _layout(self) -> Folder | _Lake:
        """Found anew at each use: a lake may land, or a file appear, while a page is open."""
        foreign = None if is_lake(self.root) else find_layout(self.root)
        return foreign or _Lake(self.root, stamps(self.root))


@dataclass(frozen=True, slots=True)
class _Lake:
    """Our own layout, asked the same as a ``Folder``: what is derived was worked out when it landed, and a file is a day.

    ``shared`` are its stamps.
    """

    root: Path
    shared: Mapping[str, str] | None
    _listed: dict[str, list[date]] = field(default_factory=dict)

    def span(self, table: str) -> Window:
        if not (days := self._landed(table)):
            absent = any(self._landed(other) for other in TABLES)
            raise (TableAbsentError if absent else SourceEmptyError)(
                f"the source lake at {self.root} has no {table}: land some with `nemwarm ingest`"
            )
        # Between half-hour points rows are drawn, and held for a step past the newest, which is the newest AEMO gave.
        step = TABLES[table].step
        held = step if step > INTERVAL else timedelta(0)
        start, end = self._labelled(table, days[0]).start, self._labelled(table, days[-1]).end
        return Window(start, max(end - held, start + INTERVAL))

    def days(self, table: str, window: Window) -> list[date]:
        wanted = set(window.days())
        return [day for day in self._landed(table) if day in wanted]

    def token(self, table: str, day: date) -> str:
        return stamp(self.root, day_name(table, day), self.shared)

    def registry_version(self, day: date) -> str:
        at = stamp(self.root, UNITS_FILE, self.shared)
        held = current(self.root, [UNITS_FILE]) if at else []
        return _registry(held[0], at).version(day) if held else ""

    def relation(self, cursor: duckdb.DuckDBPyConnection, table: str, window: Window) -> duckdb.DuckDBPyRelation:
        if files := self._files(table, window):
            return cursor.sql(
                "FROM read_parquet($files, hive_partitioning = false, union_by_name = true)", params={"files": files}
            )
        return cursor.sql(no_rows(UNITS if table == "units" else TABLES[table].columns))

    def given(self, cursor: duckdb.DuckDBPyConnection, table: str, window: Window) -> duckdb.DuckDBPyRelation:
        return self.relation(cursor, table, window)

    def notes(self) -> list[str]:
        return []

    def _landed(self, table: str) -> list[date]:
        """The days it has, listed once for all that is asked of this layout: a folder of years takes milliseconds."""
        if table not in self._listed:
            self._listed[table] = days_among(self.root, table, self.shared)
        return self._listed[table]

    def _files(self, table: str, window: Window) -> list[str]:
        names = [UNITS_FILE] if table == "units" else [day_name(table, day) for day in self.days(table, window)]
        return [str(path) for path in current(self.root, names)]

    def _labelled(self, table: str, day: date) -> Window:
        """From a day file's first interval to its last label; the whole day where it cannot be read.

        Then only a query that touches that day fails, when it reads the file.
        """
        try:
            (path,) = current(self.root, [day_name(table, day)]) or [day_file(self.root, table, day)]
            first, last = _labels(path, self.token(table, day))
        except SourceFormatError:
            return day_window(day)
        return Window(first - INTERVAL, last)


def is_lake(root: Path) -> bool:
    """Whether ``root`` holds a lake, or the beginnings of one. Raises SourceUnavailableError: that cannot be told."""
    marks = {*TABLES, UNITS_FILE, SAMPLE_MARK, FILE}
    return any(entry.name in marks for entry in list_folder(root))


def check_ours(root: Path) -> None:
    """Refuse to land in a folder of another layout: it is read where it lies, and a lake in it would hide its files.

    Raises:
        SourceUnavailableError: it is one.
        SourceFormatError: it holds data files of no known layout.
    """
    if not is_lake(root) and find_layout(root):
        raise SourceUnavailableError(
            f"{root} is somebody else's folder of data, read where it lies: nothing is landed there. Set NEMWARM_LAKE to "
            "a folder of its own to land into, or leave it unset"
        )


def _covered(layout: Folder | _Lake, table: str, window: Window) -> list[Window]:
    """The parts of ``window`` that ``table`` has landed, whole days from its first label to its last."""
    held = layout.span(table).overlap(window)
    if held is None:
        return []
    return joined(part for day in layout.days(table, held) if (part := day_window(day).overlap(held)))


def _version(layout: Folder | _Lake, table: str, day: date) -> str:
    return (layout.registry_version(day) if table == "units" else layout.token(table, day)) or _EMPTY


def open_source(path: Path | str) -> Source:
    """The source at ``path``: our lake, or a folder of a layout in ``nem.layouts``, which is told by its files' names.

    Nothing is read until it is asked, so a source that is away fails at use.
    """
    return Source(Path(path).expanduser())


def _digest(tokens: Iterable[str]) -> str:
    """One token for a run of days; that of a single day is itself."""
    held = list(tokens)
    return held[0] if len(held) == 1 else hashlib.sha256(" ".join(held).encode()).hexdigest()[:16]


@lru_cache(maxsize=4096)
def _labels(path: Path, _token: str) -> tuple[datetime, datetime]:
    """The first and last label of a file, from its footer."""
    try:
        metadata = pq.read_metadata(path)
        schema = metadata.schema.to_arrow_schema()
        column = schema.get_field_index("settlement_date")
        if column < 0 or schema.field(column).type not in {pa.timestamp("us"), pa.timestamp("ns"), pa.timestamp("ms")}:
            raise SourceFormatError(f"{path.name} of {path.parent.name} has no naive settlement_date")
        groups = [metadata.row_group(i).column(column).statistics for i in range(metadata.num_row_groups)]
        if any(group.min is None for group in groups):
            raise SourceFormatError(f"{path.name} of {path.parent.name} has rows without settlement_date")
        return min(group.min for group in groups), max(group.max for group in groups)
    except (OSError, pa.ArrowException, ValueError, TypeError, AttributeError) as error:
        raise SourceFormatError(f"{path.name} of {path.parent.name} is not a readable Parquet file: {error}") from error


@lru_cache(maxsize=4)
def _registry(path: Path, _stamp: str) -> Registry:
    try:
        return Registry(pq.read_table(path, columns=list(UNITS)))
    except (OSError, pa.ArrowException) as error:
        raise SourceFormatError(f"the registry {path.name} cannot be read: {error}") from error
