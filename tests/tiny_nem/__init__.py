"""A hand-made source: nine units in two regions over 2024-02-29 and 2024-03-01. Its arithmetic is in the README.

Raw tables only, as AEMO gives them: nothing here is derived. Readings are labelled by the end of their interval
and were taken at its start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from nem.lake import land, land_units
from nem.source import Source, open_source
from nem.tables import TABLES, UNITS
from nem.windows import INTERVAL, Window

WINDOW = Window(datetime(2024, 2, 29), datetime(2024, 3, 2))
LEAP_DAY = Window(datetime(2024, 2, 29), datetime(2024, 3, 1))
FIRST_OF_MARCH = Window(datetime(2024, 3, 1), datetime(2024, 3, 2))

_LABEL = pa.timestamp("us")
_SCHEMAS = {
    "unit_scada": pa.schema([("settlement_date", _LABEL), ("duid", pa.string()), ("scada_mw", pa.float64())]),
    "regional_price": pa.schema(
        [
            ("settlement_date", _LABEL),
            ("region_id", pa.string()),
            ("rrp", pa.float64()),
            ("price_status", pa.string()),
            ("mii_status", pa.string()),
            ("ocd_status", pa.string()),
        ]
    ),
    "regional_demand": pa.schema(
        [
            ("settlement_date", _LABEL),
            ("region_id", pa.string()),
            ("demand_mw", pa.float64()),
            ("demand_operational_mw", pa.float64()),
            ("net_interchange_mw", pa.float64()),
        ]
    ),
    "interconnector_flow": pa.schema(
        [
            ("settlement_date", _LABEL),
            ("interconnector_id", pa.string()),
            ("metered_flow_mw", pa.float64()),
            ("target_flow_mw", pa.float64()),
            ("export_limit_mw", pa.float64()),
            ("import_limit_mw", pa.float64()),
            ("losses_mw", pa.float64()),
        ]
    ),
    "rooftop_pv": pa.schema([("settlement_date", _LABEL), ("region_id", pa.string()), ("rooftop_mw", pa.float64())]),
    "units": pa.schema(
        [
            ("duid", pa.string()),
            ("station_name", pa.string()),
            ("region_id", pa.string()),
            ("fueltech_id", pa.string()),
            ("dispatch_type", pa.string()),
            ("capacity_registered_mw", pa.float64()),
            ("capacity_maximum_mw", pa.float64()),
            ("storage_mwh", pa.float64()),
            ("emission_factor_t_mwh", pa.float64()),
            ("effective_date", pa.date32()),
            ("end_date", pa.date32()),
        ]
    ),
}


def raw_tables() -> dict[str, pa.Table]:
    """Every raw table by name."""
    rows = {
        "unit_scada": _unit_scada(),
        "regional_price": _regional_price(),
        "regional_demand": _regional_demand(),
        "interconnector_flow": _interconnector_flow(),
        "rooftop_pv": _rooftop_pv(),
        "units": _units(),
    }
    return {
        name: pa.Table.from_pylist([dict(zip(_SCHEMAS[name].names, row, strict=True)) for row in found], _SCHEMAS[name])
        for name, found in rows.items()
    }


def units_with(duid: str, since: date | None = None, **facts: object) -> pa.Table:
    """The registry where a unit, or only its row that begins ``since``, has other ``facts``."""
    rows = [dict(zip(_SCHEMAS["units"].names, row, strict=True)) for row in _units()]
    changed = [row for row in rows if row["duid"] == duid and since in (None, row["effective_date"])]
    for row in changed:
        row |= facts
    assert changed
    return pa.Table.from_pylist(rows, _SCHEMAS["units"])


def land_raw(root: Path, raw: Mapping[str, pa.Table]) -> Source:
    """The lake of a raw set, landed at ``root``."""
    land_units(root, raw["units"].select([name for name in raw["units"].column_names if name in UNITS]))
    for name in TABLES.keys() & raw.keys():
        land(root, name, raw[name])
    return open_source(root)


def _labels() -> Iterator[tuple[datetime, int, str]]:
    """Each label with its NEM day (29 or 1) and the clock it shows; midnight closing a day shows ``24:00``."""
    label = WINDOW.start
    while label < WINDOW.end:
        day = label.day
        label += INTERVAL
        yield label, day, "24:00" if label.day != day else f"{label:%H:%M}"


def _unit_scada() -> Iterator[tuple[datetime, str, float | None]]:
    for label, day, clock in _labels():
        readings = {
            "COAL1": _coal(day, clock),
            "SOLAR1": 48.0 if "09:05" <= clock <= "15:00" else 0.0,
            "BATT1": _battery(day, clock),
            "PUMP1": 12.0 if "02:05" <= clock <= "04:00" else -0.24 if (day, clock) == (29, "05:00") else 0.0,
            "HYDRO1": 30.0,
            "WIND1": 12.0,
        }
        if day == 29 and "06:05" <= clock <= "07:00":
            readings["MYSTERY1"] = 6.0 if clock <= "06:45" else -6.0
        if day == 1:
            readings["LATE1"] = 6.0
        for duid, reading in readings.items():
            if (duid, day, clock) == ("COAL1", 1, "12:00"):
                continue  # a missing row
            yield label, duid, None if (duid, day, clock) == ("WIND1", 1, "03:00") else reading


def _coal(day: int, clock: str) -> float:
    if day == 29 and clock <= "01:00":
        return -0.6  # auxiliary load
    return 84.0 if (day, clock) == (1, "11:55") else 60.0


def _battery(day: int, clock: str) -> float:
    if day == 29 and "11:15" <= clock <= "12:10":
        return -36.0
    return 24.0 if day == 29 and "12:15" <= clock <= "13:10" else 0.0


def _regional_price() -> Iterator[tuple[datetime, str, float, *tuple[str | None, ...]]]:
    spikes = {"18:05": 400.0, "18:10": 1500.0, "18:15": 1000.0, "18:20": 300.0}
    open_status = {
        "23:50": ("NOT FIRM", "NOT_MII", "NOT_OCD"),
        "23:55": ("FIRM", "MII_SUBJECT_TO_REVIEW", "NOT_OCD"),
        "24:00": ("FIRM", "NOT_MII", "OCD_UNRESOLVED"),
    }
    for label, day, clock in _labels():
        status = ("FIRM", "MII_PRICE_ACCEPTED", "OCD_RESOLVED")
        yield (
            label,
            "NSW1",
            spikes.get(clock, 50.0) if day == 29 else 50.0,
            *(open_status.get(clock, status) if day == 1 else status),
        )
        if day == 29:
            yield label, "SA1", -20.0 if "11:05" <= clock <= "13:00" else 40.0, None, None, None
        elif clock != "10:00":
            yield label, "SA1", 0.0 if clock == "09:00" else 40.0, None, None, None


def _regional_demand() -> Iterator[tuple[datetime, str, float | None, float, float]]:
    for label, day, clock in _labels():
        flow = 18.0 if clock <= "12:00" else -6.0
        yield label, "NSW1", 240.0 if day == 29 and "18:05" <= clock <= "18:20" else 120.0, 126.0, flow
        if day == 29:
            yield label, "SA1", 60.0, 66.0, -flow
        elif clock != "20:00":
            yield label, "SA1", None if clock <= "12:00" else 60.0, 66.0, -flow


def _interconnector_flow() -> Iterator[tuple[datetime, str, *tuple[float | None, ...]]]:
    for label, day, clock in _labels():
        if (day, clock) != (1, "12:00"):
            yield (
                label,
                "NSW1-SA1",
                _metered(day, clock),
                _target(day, clock),
                *_limits(day, clock),
                _losses(day, clock),
            )
        if day == 1 and clock > "12:00":
            yield label, "NEW-LINK1", 12.0, None, None, None, None


def _metered(day: int, clock: str) -> float | None:
    if day == 29:
        return 60.0 if clock <= "12:15" else -36.0
    if clock == "15:00":
        return None
    return -24.0 if "03:05" <= clock <= "04:00" else 24.0


def _target(day: int, clock: str) -> float | None:
    if day == 1:
        return None if clock == "10:00" else 96.0 if clock == "05:00" or "08:05" <= clock <= "09:00" else 24.0
    near = {"02:05": 119.99, "02:10": 119.97, "02:15": 121.0, "20:05": -12.0, "20:10": -12.0}
    if "01:05" <= clock <= "02:00":
        return 120.0
    if "13:05" <= clock <= "14:00":
        return -48.0
    return -12.0 if "18:05" <= clock <= "18:30" else near.get(clock, 50.0 if clock <= "18:00" else -36.0)


def _limits(day: int, clock: str) -> tuple[float, float | None]:
    if day == 1:
        return 96.0, None if clock <= "06:00" else -48.0
    if clock <= "18:00":
        return 120.0, -48.0
    return -12.0, -12.0 if clock in {"20:05", "20:10"} else -60.0


def _losses(day: int, clock: str) -> float | None:
    return None if day == 1 and clock <= "12:00" else 1.2


def _rooftop_pv() -> Iterator[tuple[datetime, str, float]]:
    leap_day = datetime(2024, 2, 29)
    for hours, power in ((11.0, 12.0), (11.5, 60.0), (12.0, 60.0), (13.0, 24.0), (13.5, 6.0)):  # 12:30 is missing
        yield leap_day + timedelta(hours=hours), "NSW1", power
    for hours, power in ((23.5, 6.0), (24.0, 6.0), (24.5, 18.0)):
        yield leap_day + timedelta(hours=hours), "SA1", power


def _units() -> list[tuple[object, ...]]:
    start, midnight = date(2020, 1, 1), date(2024, 3, 1)
    return [
        ("COAL1", "Colliery", "NSW1", "coal_black", "GENERATOR", 100.0, 120.0, None, 0.9, start, None),
        ("SOLAR1", "Sunfield", "SA1", "solar_utility", "GENERATOR", 50.0, None, None, 0.0, start, None),
        ("BATT1", "Big Battery", "SA1", "battery", "BIDIRECTIONAL", 30.0, 40.0, 80.0, 0.0, start, None),
        ("PUMP1", "Upper Lake", "NSW1", "pumps", "LOAD", 20.0, 20.0, None, None, start, None),
        ("WIND1", "O'Hara's Ridge", "SA1", "wind", "GENERATOR", None, 0.0, None, 0.0, start, None),
        ("HYDRO1", "Old Dam", "NSW1", "hydro", "GENERATOR", 60.0, 60.0, None, 0.0, start, midnight),
        ("HYDRO1", "Old Dam", "NSW1", "hydro", "GENERATOR", 90.0, 90.0, None, 0.0, midnight, None),
        ("IDLE1", "Standby", "SA1", "gas_ocgt", "GENERATOR", 100.0, 100.0, None, 0.6, start, None),
        ("LATE1", "Newcomer", "NSW1", None, "GENERATOR", 10.0, 10.0, None, None, midnight, None),
    ]
