"""AEMO's files, small enough to read, or a real one as bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

MADE = "2024/02/29,12:00:06"
FIRST = f"C,NEMP.WORLD,DISPATCHIS,AEMO,PUBLIC,{MADE},0000000300000000,DISPATCHIS,0000000299999999"
SCADA = "I,DISPATCH,UNIT_SCADA,1,SETTLEMENTDATE,DUID,SCADAVALUE,LASTCHANGED"
PRICE = "I,DISPATCH,PRICE,5,SETTLEMENTDATE,RUNNO,REGIONID,DISPATCHINTERVAL,INTERVENTION,RRP,ROP,LASTCHANGED"
ROOFTOP = "I,ROOFTOP,ACTUAL,2,INTERVAL_DATETIME,REGIONID,POWER,QI,TYPE,LASTCHANGED"


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
