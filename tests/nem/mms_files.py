"""AEMO's files, small enough to read, or a real one as bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import openpyxl
import pyarrow as pa

from nem.mms import Columns, Report, read_mms
from nem.workbook import SHEET
from nem.zips import Rejected, read_csvs

MADE = "2024/02/29,12:00:06"
FIRST = f"C,NEMP.WORLD,DISPATCHIS,AEMO,PUBLIC,{MADE},0000000300000000,DISPATCHIS,0000000299999999"
SCADA = "I,DISPATCH,UNIT_SCADA,1,SETTLEMENTDATE,DUID,SCADAVALUE,LASTCHANGED"
PRICE = "I,DISPATCH,PRICE,5,SETTLEMENTDATE,RUNNO,REGIONID,DISPATCHINTERVAL,INTERVENTION,RRP,ROP,LASTCHANGED"
ROOFTOP = "I,ROOFTOP,ACTUAL,2,INTERVAL_DATETIME,REGIONID,POWER,QI,TYPE,LASTCHANGED"
NOON = "2024/02/29 12:00:00"
TYPES = {"SETTLEMENTDATE": pa.timestamp("us"), "DUID": pa.string(), "SCADAVALUE": pa.float64()}
WANTED = {"DISPATCH.UNIT_SCADA": Columns(TYPES, ("SETTLEMENTDATE", "DUID"))}


def report(*lines: str, first: str = FIRST, stated: int | None = None) -> bytes:
    """A report of these I and D lines, its first and last line added; ``stated`` if not as many as there are."""
    count = len(lines) + 2 if stated is None else stated
    return "\n".join([first, *lines, f'C,"END OF REPORT",{count}', ""]).encode()


def scada(label: str, duid: str, mw: object, changed: str = "") -> str:
    return f'D,DISPATCH,UNIT_SCADA,1,"{label}",{duid},{mw},{changed}'


def zipped(entries: Mapping[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of ``entries``, as bytes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", kind) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content, kind)  # without the hour it was made
    return held.getvalue()


def workbook(*rows: Sequence[object]) -> bytes:
    """A registration workbook of these units, as bytes; as some programs write them, without the sheet's dimension."""
    book, held = openpyxl.Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet(SHEET)
    sheet.append(
        [
            *("DUID", "Station Name", "Region", "Dispatch Type", "Fuel Source - Primary", "Fuel Source - Descriptor"),
            *("Technology Type - Descriptor", "Reg Cap generation (MW)", "Max Cap generation (MW)"),
            "Maximum storage capacity",
        ]
    )
    for row in rows:
        sheet.append(row)
    book.save(held)
    return held.getvalue()


def misnamed(packed: bytes) -> bytes:
    """A zip whose first name is not in the encoding that its directory says."""
    held = bytearray(packed)
    at = held.index(b"PK\x01\x02")
    held[at + 9] |= 8  # UTF-8
    held[at + 46] = 0x80
    return bytes(held)


GOOD = report(SCADA, scada(NOON, "BW01", 660))


def read(tmp_path: Path, content: bytes, name: str = "FILE.CSV", *, strict: bool = True) -> list[Report | Rejected]:
    path = tmp_path / name
    path.write_bytes(content)
    return list(read_csvs(path, lambda name, handle: read_mms(name, handle, WANTED, strict=strict)))


def rows_of(files: list[Report | Rejected]) -> list[tuple[object, ...]]:
    (file,) = files
    assert isinstance(file, Report), file
    return [tuple(row.values()) for row in file.tables["DISPATCH.UNIT_SCADA"].to_pylist()]


def reason(files: list[Report | Rejected]) -> str:
    (file,) = files
    assert isinstance(file, Rejected), file
    return file.reason
