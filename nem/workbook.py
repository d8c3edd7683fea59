"""AEMO's registration workbook (NEM Registration and Exemption List): fuels and capacities, with no dates."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from nem.errors import SourceFormatError
from nem.regions import REGIONS

SHEET = "PU and Scheduled Loads"
MOST_BYTES, MOST_ROWS = 100 * 2**20, 10_000  # packed or not; the one of 2026 unpacks to 13 MB and has 573 rows

# What openpyxl raises where a zip or the parts of a workbook are not as they should be; SyntaxError: XML that is none,
# OSError: no part is a workbook. It is given bytes, so none of it is the disk's.
_BROKEN = (
    *(SyntaxError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, EOFError, OSError),
    *(zipfile.BadZipFile, zlib.error),
)

WORKBOOK_COLUMNS = {
    "duid": pa.string(),
    "station_name": pa.string(),
    "region_id": pa.string(),
    "fueltech_id": pa.string(),
    "dispatch_type": pa.string(),
    "capacity_registered_mw": pa.float64(),
    "capacity_maximum_mw": pa.float64(),
    "storage_mwh": pa.float64(),
}
_GIVEN = {
    "duid": "duid",
    "station name": "station_name",
    "region": "region_id",
    "dispatch type": "dispatch_type",
    "fuel source - primary": "fuel",
    "fuel source - descriptor": "descriptor",
    "technology type - descriptor": "technology",
    "reg cap generation (mw)": "capacity_registered_mw",
    "max cap generation (mw)": "capacity_maximum_mw",
    "maximum storage capacity": "storage_mwh",
}
_DISPATCH = {"generating unit": "GENERATOR", "load": "LOAD", "bidirectional unit": "BIDIRECTIONAL"}

# The first that fits "fuel / descriptor / technology" counts. AEMO types these by hand: "Natrual Gas/ Diesel", "solar ".
_FUELS = tuple(
    (re.compile(pattern), fuel)
    for pattern, fuel in (
        (r"battery", "battery"),
        (r"^solar|photovolta", "solar_utility"),
        (r"^wind", "wind"),
        (r"landfill|biogas|sew[ae]rage|waste water", "bioenergy_biogas"),
        (r"bagasse|biomass|bio", "bioenergy_biomass"),
        (r"^hydro", "hydro"),
        (r"brown coal", "coal_brown"),
        (r"waste coal mine", "gas_wcmg"),
        (r"black coal", "coal_black"),
        (r"^fossil / (diesel|kerosene)", "distillate"),
        (r"combined cycle", "gas_ccgt"),
        (r"open cycle|ocgt", "gas_ocgt"),
        (r"(gas|methane|ethane).*steam", "gas_steam"),
        (r"(gas|methane|ethane).*reciprocating", "gas_recip"),
    )
)
_PUMPS = frozenset({"SNOWYP", "SHPUMP", "PUMP1", "PUMP2"})  # the only loads that pump


def read_workbook(path: Path) -> tuple[pa.Table, date]:
    """Its units, one row per DUID in ``WORKBOOK_COLUMNS`` (``fueltech_id`` null if unknown), and when it was changed.

    Raises:
        SourceFormatError: it cannot be read, is no such workbook, or is larger than it should be.
    """
    # Imported here: a workbook lands a few times a year.
    import openpyxl

    try:
        with path.open("rb") as file:
            content = io.BytesIO(file.read(MOST_BYTES))
    except OSError as error:
        raise SourceFormatError(f"{path.name} cannot be read: {error}") from error
    try:
        _check_size(path, content)
        book = openpyxl.load_workbook(content, read_only=True, data_only=True)
        rows = list(book[SHEET].iter_rows(max_row=MOST_ROWS, values_only=True))
        changed = book.properties.modified.date()
    except _BROKEN as error:
        raise SourceFormatError(f"{path.name} is no registration workbook with a sheet {SHEET!r}: {error}") from error
    return _units(path, rows), changed


def _check_size(path: Path, content: io.BytesIO) -> None:
    with zipfile.ZipFile(content) as archive:
        size = sum(info.file_size for info in archive.infolist())
    if size > MOST_BYTES:
        raise SourceFormatError(
            f"{path.name} unpacks to {size >> 20} MB: a registration workbook has under {MOST_BYTES >> 20}"
        )


def _units(path: Path, rows: list[tuple[Any, ...]]) -> pa.Table:
    header = [_text(cell).casefold() for cell in rows[0]] if rows else []
    if missing := [name for name in _GIVEN if name not in header]:
        raise SourceFormatError(f"{path.name}, sheet {SHEET}, has no column {', '.join(missing)}")
    units: dict[str, dict[str, Any]] = {}
    for row in rows[1:]:
        cells = dict(zip(header, row, strict=False))  # a row ends with the last cell that holds anything
        unit = _unit({ours: cells.get(name) for name, ours in _GIVEN.items()})
        if unit and unit["region_id"] in REGIONS:
            units.setdefault(unit["duid"], unit)  # ADPBA1 stands there twice, a line for each half of its aggregation
    return pa.Table.from_pylist(list(units.values()), schema=pa.schema(list(WORKBOOK_COLUMNS.items())))


def _unit(cells: dict[str, Any]) -> dict[str, Any] | None:
    duid, kind = _text(cells["duid"]).upper(), _text(cells["dispatch_type"]).casefold()
    if duid in {"", "-"} or kind not in _DISPATCH:
        return None
    dispatch_type = _DISPATCH[kind]
    return {
        "duid": duid,
        "station_name": _text(cells["station_name"]),
        "region_id": _text(cells["region_id"]).upper(),
        "fueltech_id": fuel_of(duid, dispatch_type, *(cells[name] for name in ("fuel", "descriptor", "technology"))),
        "dispatch_type": dispatch_type,
        **{name: _number(cells[name]) for name, type_ in WORKBOOK_COLUMNS.items() if type_ == pa.float64()},
    }


def fuel_of(duid: str, dispatch_type: str, *words: Any) -> str | None:
    """The fuel technology of a unit by AEMO's words for its fuel, its descriptor and its technology; None if unknown."""
    said = " / ".join(_text(word).casefold() for word in words)
    fuel = next((fuel for pattern, fuel in _FUELS if pattern.search(said)), None)
    if fuel == "battery":
        return {"GENERATOR": "battery_discharging", "LOAD": "battery_charging"}.get(dispatch_type, fuel)
    if dispatch_type == "LOAD":
        return "pumps" if duid in _PUMPS else None
    return fuel


def _text(cell: Any) -> str:
    return " ".join(str(cell).split()) if cell is not None else ""


def _number(cell: Any) -> float | None:
    try:
        return float(_text(cell)) or None
    except ValueError:  # '-' and '1-3' among them
        return None
