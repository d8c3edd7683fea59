"""A folder of a known layout, as its files were when it was listed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import duckdb
import pyarrow as pa

from nem.derive import derivation, reach, winning
from nem.errors import SourceFormatError, TableAbsentError
from nem.files import list_folder, stamp_of
from nem.layouts.kinds import LAYOUTS, Edition, Layout
from nem.layouts.rows import File, Kind, bounds, csv_rows, digests, held, kinds, selection
from nem.layouts.units import Registry, registry_of
from nem.registry import excluded_units
from nem.tables import TABLES, Table, no_rows
from nem.windows import Window, day_window

# What else in a folder is no data.
_DATA = re.compile(r"[^.].*\.(parquet|csv|gz|feather|pkl|pickle|zip)", re.IGNORECASE)

# Per day the edition it is read from, and the files that hold it.
Days = Mapping[date, tuple[Edition, tuple[File, ...]]]


def find_layout(root: Path) -> Folder | None:
    """The folder at ``root`` if its files are named as in a layout; None if it holds no data, or is not there.

    Raises:
        SourceFormatError: it holds data files of no known layout.
        SourceUnavailableError: it cannot be listed.
    """
    files = _listed(root)
    for layout in LAYOUTS:
        patterns = [edition.files for editions in layout.editions.values() for edition in editions]
        if any(pattern.fullmatch(file.path.name) for pattern in patterns for file in files):
            return Folder(root, layout, files)
    if not files:
        return None
    known = "; ".join(f"{layout.name} ({layout.looks_like})" for layout in LAYOUTS)
    raise SourceFormatError(
        f"{root} holds {files[0].path.name} and the like, which is no layout known here. Looked for: {known}; a source "
        "lake (unit_scada/2024-01-31.parquet). Pickles are never opened; save them as Parquet, feather files too"
    )


def _listed(root: Path) -> tuple[File, ...]:
    found = sorted(Path(entry.path) for entry in list_folder(root) if _DATA.fullmatch(entry.name))
    return tuple(File(path, stamp) for path in found if (stamp := stamp_of(path)) and path.is_file())


@dataclass(frozen=True, slots=True, eq=False)
class Folder:
    """A source's tables in the files of ``layout``; what ``nem.source`` asks of a layout, it answers."""

    root: Path
    layout: Layout
    files: tuple[File, ...]

    def span(self, table: str) -> Window:
        """From the start of the table's first interval to its newest label."""
        placed = [(span, edition, file) for edition, file in self._files(table) if (span := bounds(edition, file))]
        edges = []
        for edition, file in _outermost(placed):
            edges += [label for labels in held(edition, file).days.values() for label in labels]
        if not edges:
            absent = f"{self.root}, {self.layout.name}, has no {table}"
            raise TableAbsentError(absent)
        return Window(min(edges) - timedelta(minutes=5), max(edges))

    def days(self, table: str, window: Window) -> list[date]:
        """The days of ``window`` that the table holds any label of, in order."""
        return sorted(self._served(table, window))

    def token(self, table: str, day: date) -> str:
        """Changes when the rows of ``day``, or those they are derived from, may have; empty where there are none."""
        declared = TABLES[table]
        served = self._served(table, reach(declared, day_window(day)))
        used = {(edition, file) for edition, files in served.values() for file in files}
        if not self.layout.grows:
            tokens = {file.path.name: file.token for _, file in used}
        else:
            tokens = {file.path.name: digests(edition, file, declared.reaches).get(day, "") for edition, file in used}
        marks = " ".join(f"{name} {token}" for name, token in sorted(tokens.items()) if token)
        return hashlib.sha256(marks.encode()).hexdigest()[:16] if marks else ""

    def registry_version(self, day: date) -> str:
        """Changes when a unit in force that day does."""
        return self._registry().version(day)

    def _registry(self) -> Registry:
        own = [file for file in self.files if self.layout.units and self.layout.units.fullmatch(file.path.name)]
        return registry_of(own[0] if own else None)

    def relation(self, cursor: duckdb.DuckDBPyConnection, table: str, window: Window) -> duckdb.DuckDBPyRelation:
        """The lake's rows for the days of ``window``, derived as they are when they land; ``units`` is the registry.

        Raises:
            SourceUnavailableError, SourceFormatError: a file cannot be read, or lacks a column.
        """
        if table == "units":
            return cursor.from_arrow(self._registry().table)
        days = list(window.days())
        whole = Window(day_window(days[0]).start, day_window(days[-1]).end)
        declared = TABLES[table]
        near = reach(declared, whole)
        rows, parameters = self._rows(cursor, declared, near)
        units = ""
        if table == "unit_scada":
            cursor.register("registered", self._registry().table)
            units = "units AS (FROM registered), "
        edges = {"start": near.start, "end": near.end, "step": declared.step}
        # Relations are run when they are used: each table's rows need a name of their own.
        cursor.register(f"landed_{table}", cursor.sql(winning(declared, rows), params={**parameters, **edges}))
        return cursor.sql(
            f"WITH {units}landed AS (FROM landed_{table}) FROM ({derivation(table)})",
            params={"start": whole.start, "end": whole.end},
        )

    def given(self, cursor: duckdb.DuckDBPyConnection, table: str, window: Window) -> duckdb.DuckDBPyRelation:
        """The rows of ``relation`` as the files have them: several of a key, nothing derived, which takes longer."""
        if table == "units":
            return self.relation(cursor, table, window)
        rows, parameters = self._rows(cursor, TABLES[table], window)
        return cursor.sql(rows, params=parameters)

    def notes(self) -> list[str]:
        """What is left out of this folder's files, for people."""
        said = []
        for table in self.layout.editions:
            for edition, file in self._files(table):
                if strays := held(edition, file).strays:
                    said.append(
                        f"{file.path.name}: {strays} rows are left out of {table}, since their {edition.shape.label} is "
                        f"not on the {edition.shape.minutes}-minute grid"
                    )
        return said

    def _files(self, table: str) -> Iterator[tuple[Edition, File]]:
        """The table's files, those of the edition to be preferred first."""
        for edition in self.layout.editions.get(table, ()):
            for file in self.files:
                if edition.files.fullmatch(file.path.name):
                    yield edition, file

    def _served(self, table: str, window: Window) -> Days:
        served: dict[date, tuple[Edition, tuple[File, ...]]] = {}
        wanted = set(window.days())
        for edition, file in self._files(table):
            span = bounds(edition, file)
            if span is None or not span.overlap(window):
                continue
            for day in wanted & held(edition, file).days.keys():
                taken = served.get(day)
                if taken is None:
                    served[day] = edition, (file,)
                elif taken[0] is edition:
                    served[day] = edition, (*taken[1], file)
        return served

    def _rows(self, cursor: duckdb.DuckDBPyConnection, table: Table, window: Window) -> tuple[str, dict[str, object]]:
        """SQL for the table's rows labelled in ``window``, edition after edition, and its parameters."""
        parts, parameters = [f"({no_rows(table.landed | {'arrival': 'BIGINT'})})"], dict[str, object]()
        served = self._served(table.name, window)
        for edition, days in groupby(sorted(served), key=lambda day: served[day][0]):
            run = list(days)
            files = {file: None for day in run for file in served[day][1]}
            edges = Window(day_window(run[0]).start, day_window(run[-1]).end).overlap(window)
            if edges is None:
                continue
            for given, have, known in _given(cursor, edition, list(files), len(parts)):
                sql, needed = selection(edition, table, given, have, edges, len(parts))
                parts.append(f"({sql})")
                parameters |= {**needed, **known}
        rows = " UNION ALL BY NAME ".join(parts)
        if table.name == "unit_scada":
            rows = f"FROM ({rows}) WHERE duid NOT IN (SELECT unnest($excluded))"
            parameters["excluded"] = sorted(excluded_units())
        return rows, parameters


def _outermost(placed: list[tuple[Window, Edition, File]]) -> Iterator[tuple[Edition, File]]:
    """The files that hold the first and the last day of all: of each end, the outermost that holds any row."""
    for ends in (sorted(placed, key=lambda it: it[0].start), sorted(placed, key=lambda it: it[0].end, reverse=True)):
        for _, edition, file in ends:
            if held(edition, file).days:
                yield edition, file
                break


def _given(
    cursor: duckdb.DuckDBPyConnection, edition: Edition, files: list[File], start: int
) -> Iterator[tuple[str, Mapping[str, Kind], dict[str, object]]]:
    """Relations over ``files``, one for all that are written alike, what they have, and their parameters."""
    alike: dict[tuple[tuple[str, Kind], ...], list[File]] = {}
    for file in files:
        alike.setdefault(tuple(sorted(kinds(edition, file).items())), []).append(file)
    for i, (have, group) in enumerate(alike.items(), start):
        if group[0].is_csv:
            name = f"given_{edition.shape.columns[2].lower()}_{i}"
            cursor.register(name, pa.concat_tables([csv_rows(file) for file in group], promote_options="default"))
            yield name, dict(have), {}
        else:
            # The later of two rows is the one in the later file, or further down.
            arrival = f"CAST({i} * 4503599627370496 + file_index * 68719476736 + file_row_number AS BIGINT)"
            rows = f"(SELECT *, {arrival} AS arrival FROM read_parquet($files_{i}, union_by_name = true))"  # noqa: S608 - no data in it
            yield rows, dict(have), {f"files_{i}": [str(file.path) for file in group]}
