"""Landing files: AEMO's CSVs, zipped and nested, its registration tables and its workbook, into the source lake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nem.errors import SourceFormatError
from nem.lake import UNITS_FILE, land
from nem.mms import Report
from nem.registry import land_bundled_registry, land_registry, land_workbook
from nem.reports import OF_REGISTRATION, lake_rows, read_reports
from nem.share import current
from nem.zips import Rejected

# Rows wait until there is so much of them: 288 files of a day rewrite it once, and a month of every unit is one batch.
BATCH_BYTES = 256 * 2**20
_WORKBOOKS = (".xlsx", ".xls")  # AEMO names its workbook either way; it is always the former inside


@dataclass(frozen=True, slots=True)
class Landing:
    """What came of landing some files.

    ``days`` are those whose file changed, by table of the lake; under "units" those derived anew because the registry
    changed. A file given is in the lake to the last row or among the ``refused``, which say why: the first thing in it that
    was rejected, or that there is no table of use here. What else one of those holds is in the lake. ``row_counts`` are the
    D rows read by AEMO's "NAMESPACE.TABLE"; ``unknown_units`` have readings and no registration.
    """

    days: Mapping[str, list[date]]
    refused: Mapping[Path, str]
    row_counts: Mapping[str, int]
    unknown_units: tuple[str, ...]


def land_files(root: Path, paths: Iterable[Path], *, strict: bool = True) -> Landing:
    """Land what is at ``paths``: CSVs of AEMO's, zips of them, zips of such zips, registration workbooks.

    A file that is not as it should be is rejected by itself, and the others land. ``strict`` is ``nem.reports.read_reports``'s.
    A lake without a registry is given the one that ships here first.

    Raises:
        SourceUnavailableError: the lake cannot be written; what landed before stays.
    """
    if not current(root, [UNITS_FILE]):
        land_bundled_registry(root)
    with duckdb.connect() as con:
        landing = _Landing(root, con)
        for path in paths:
            if path.suffix.lower() in _WORKBOOKS:
                landing.take_workbook(path)
            else:
                landing.take(path, strict=strict)
        landing.flush()
    return Landing(
        {table: sorted(days) for table, days in landing.days.items()},
        landing.refused,
        landing.row_counts,
        tuple(sorted(landing.units_seen - _registered_units(root))),
    )


def _registered_units(root: Path) -> set[str]:
    try:
        found = [pq.read_table(path, columns=["duid"]) for path in current(root, [UNITS_FILE])]
    except (OSError, pa.ArrowException) as error:
        raise SourceFormatError(f"the registry {root / UNITS_FILE} cannot be read: {error}") from error
    return {duid for rows in found for duid in rows["duid"].to_pylist()}


@dataclass(slots=True)
class _Landing:
    """A landing under way: rows read that wait for their turn, and what came of all before."""

    root: Path
    con: duckdb.DuckDBPyConnection
    tables: dict[str, list[pa.Table]] = field(default_factory=dict)  # AEMO's, by its names
    byte_count: int = 0
    days: dict[str, set[date]] = field(default_factory=dict)
    refused: dict[Path, str] = field(default_factory=dict)
    row_counts: Counter[str] = field(default_factory=Counter)
    units_seen: set[str] = field(default_factory=set)

    def take(self, path: Path, *, strict: bool) -> None:
        """Read one file, and land what waits whenever it is a batch."""
        is_used = False
        for report in read_reports(path, strict=strict):
            try:
                is_used = self._add(report) or is_used
            except SourceFormatError as error:
                self.refused.setdefault(path, _why(path, report.name, str(error)))
            if self.byte_count >= BATCH_BYTES:
                self.flush()
        if not is_used:
            self.refused.setdefault(path, "holds no row of a table known here")

    def take_workbook(self, path: Path) -> None:
        """Land a registration workbook."""
        try:
            self._note("units", land_workbook(self.root, path))
        except SourceFormatError as error:
            self.refused[path] = str(error).removeprefix(f"{path.name} ")

    def flush(self) -> None:
        """Land the rows that wait."""
        tables, self.tables, self.byte_count = self.tables, {}, 0
        rows = lake_rows(self.con, tables)
        tables.clear()  # of a month of every unit, each copy is 200 MB, which Arrow would keep for itself half of the time
        pa.default_memory_pool().release_unused()
        for table in list(rows):
            if table == "unit_scada":
                self.units_seen.update(duid.strip().upper() for duid in pc.unique(rows[table]["duid"]).to_pylist())
            self._note(table, land(self.root, table, rows.pop(table)))

    def _add(self, report: Report | Rejected) -> bool:
        """Whether the report is of use; its rows wait, its registry lands: all of a snapshot is there at once."""
        if isinstance(report, Rejected):
            raise SourceFormatError(report.reason)
        registry = {name: table for name, table in report.tables.items() if name.startswith(OF_REGISTRATION)}
        if registry:
            named = {name.removeprefix(OF_REGISTRATION): table for name, table in registry.items()}
            self._note("units", land_registry(self.root, named, as_of=report.created.date()))
        for name, table in report.tables.items():
            if name not in registry:
                self.tables.setdefault(name, []).append(table)
                self.byte_count += table.nbytes
        self.row_counts.update(report.row_counts)
        return bool(report.tables)

    def _note(self, table: str, days: Iterable[date]) -> None:
        self.days.setdefault(table, set()).update(days)


def _why(path: Path, name: str, reason: str) -> str:
    """Why the file is refused; for which entry of it, where that is not called as the file is."""
    entry = name.partition("/")[2]
    is_named = entry and Path(entry).stem != unquote(path.stem)
    return f"{entry}: {reason}" if is_named else reason
