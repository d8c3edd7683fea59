"""What AEMO's files mean, worked out a row at a time with Python's csv: slow, and nothing of the product's in it."""

from __future__ import annotations

import csv
import io
import math
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

Row = dict[str, str]
# By table of the lake: (label, key) -> the values that count.
Lake = dict[str, dict[tuple[datetime, str], dict[str, object]]]

REGIONS = {"NSW1", "QLD1", "SA1", "TAS1", "VIC1"}
STEP, SETTLED_BY_FIVE, NEVER = timedelta(minutes=5), datetime(2021, 10, 1), datetime(1900, 1, 1)
DEMAND = {
    "demand_mw": "TOTALDEMAND",
    "demand_operational_mw": "DEMAND_AND_NONSCHEDGEN",
    "net_interchange_mw": "NETINTERCHANGE",
    "solar_uigf_mw": "SS_SOLAR_UIGF",
    "solar_cleared_mw": "SS_SOLAR_CLEAREDMW",
    "wind_uigf_mw": "SS_WIND_UIGF",
    "wind_cleared_mw": "SS_WIND_CLEAREDMW",
}
FLOWS = {
    "metered_flow_mw": "METEREDMWFLOW",
    "target_flow_mw": "MWFLOW",
    "export_limit_mw": "EXPORTLIMIT",
    "import_limit_mw": "IMPORTLIMIT",
    "losses_mw": "MWLOSSES",
}


def unzipped(content: bytes, name: str) -> Iterator[bytes]:
    """The CSV files in ``content``, which is one or a zip of such."""
    if not name.lower().endswith(".zip"):
        yield content
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.namelist():
            yield from unzipped(archive.read(entry), entry)


def d_rows(content: bytes) -> Iterator[tuple[str, Row]]:
    """Table and cells of each D line that means something here, by the I line above it."""
    names: list[str] = []
    for line in content.decode(errors="surrogateescape").split("\n"):
        if line.startswith("D,") and ".".join(line.split(",", 3)[1:3]) not in _MEANINGS:
            continue  # damage to what nobody reads is none
        cells = next(csv.reader([line.rstrip("\r")]), []) or [""]  # no value of AEMO's goes over a line's end
        if cells[0] == "I":
            names = [name.strip().upper() for name in cells[4:]]
        elif cells[0] == "D":
            yield f"{cells[1]}.{cells[2]}", dict(zip(names, cells[4:], strict=False))


def row_counts(contents: Iterable[bytes]) -> Counter[str]:
    """D lines by table, of all the files."""
    return Counter(
        ".".join(cell.decode() for cell in line.split(b",", 3)[1:3])
        for content in contents
        for line in content.splitlines()
        if line.startswith(b"D,")
    )


def lake_of(contents: Iterable[bytes], excluded: frozenset[str] = frozenset()) -> Lake:
    """What the lake holds of these files, the greatest priority, then LASTCHANGED, then the latest file winning."""
    won: dict[str, dict[tuple[datetime, str], tuple[tuple[int, datetime, int], dict[str, object]]]] = {}
    arrival = 0
    for content in contents:
        for table, row in d_rows(content):
            arrival += 1
            for lake_table, label, key, priority, values in _meaning(table, row):
                if lake_table == "unit_scada" and key in excluded:
                    continue
                rank = (priority, _time(row.get("LASTCHANGED")) or NEVER, arrival)
                held = won.setdefault(lake_table, {}).get((label, key))
                if held is None or rank > held[0]:
                    won[lake_table][label, key] = (rank, values)
    return {table: {key: values for key, (_, values) in rows.items()} for table, rows in won.items()}


Given = Iterator[tuple[str, datetime, str, int, dict[str, object]]]  # lake's table, label, key, priority, values


def _meaning(table: str, row: Row) -> Given:
    for means in _MEANINGS.get(table, ()):
        yield from means(row)


def _scada(row: Row) -> Given:
    yield "unit_scada", _label(row), _id(row["DUID"]), 1, {"scada_mw": _number(row["SCADAVALUE"])}


def _initial(row: Row) -> Given:
    yield "unit_scada", _label(row), _id(row["DUID"]), 0, {"scada_mw": _number(row["INITIALMW"])}


def _price(row: Row) -> Given:
    if _run(row) == 0:
        yield "regional_price", _label(row), _id(row["REGIONID"]), 1, {"rrp": _number(row["RRP"])}


def _trading_price(row: Row) -> Given:
    for back in range(6 if _label(row) <= SETTLED_BY_FIVE else 1):
        yield "regional_price", _label(row) - back * STEP, _id(row["REGIONID"]), 0, {"rrp": _number(row["RRP"])}


def _demand(row: Row) -> Given:
    yield "regional_demand", _label(row), _id(row["REGIONID"]), _run(row), _numbers(row, DEMAND)


def _flow(row: Row) -> Given:
    yield "interconnector_flow", _label(row), _id(row["INTERCONNECTORID"]), _run(row), _numbers(row, FLOWS)


def _rooftop(row: Row) -> Given:
    label, power = _time(row["INTERVAL_DATETIME"]), _number(row["POWER"])
    quality = _number(row.get("QI", ""))
    if label and power is not None and row["REGIONID"] in REGIONS and (quality is None or quality > 0):
        priority = {"DAILY": 2, "MEASUREMENT": 1, "SATELLITE": 0}.get(row["TYPE"], -1)
        yield "rooftop_pv", label, row["REGIONID"], priority, {"rooftop_mw": power}


_MEANINGS: dict[str, tuple[Callable[[Row], Given], ...]] = {
    "DISPATCH.UNIT_SCADA": (_scada,),
    "DISPATCH.UNIT_SOLUTION": (_initial,),
    "DUNIT.": (_initial,),
    "DISPATCH.PRICE": (_price,),
    "DREGION.": (_price, _demand),
    "TRADING.PRICE": (_trading_price,),
    "DISPATCH.REGIONSUM": (_demand,),
    "DISPATCH.INTERCONNECTORRES": (_flow,),
    "ROOFTOP.ACTUAL": (_rooftop,),
}


def _label(row: Row) -> datetime:
    return datetime.strptime(row["SETTLEMENTDATE"], "%Y/%m/%d %H:%M:%S")


def _run(row: Row) -> int:
    return int(float(row.get("INTERVENTION") or 0))


def _time(text: str | None) -> datetime | None:
    return datetime.strptime(text, "%Y/%m/%d %H:%M:%S") if text else None


def _id(text: str) -> str:
    return text.strip().upper()


def _number(text: str) -> float | None:
    value = float(text) if text else None
    return value if value is None or math.isfinite(value) else None


def _numbers(row: Row, columns: dict[str, str]) -> dict[str, object]:
    return {ours: _number(row.get(theirs, "")) for ours, theirs in columns.items()}
