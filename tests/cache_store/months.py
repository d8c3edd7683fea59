"""A made-up source of thirty days, for what only shows over a month."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pyarrow as pa

from tests.tiny_nem import raw_tables

FIRST, LAST = datetime(2024, 2, 1), datetime(2024, 3, 2)
MOVES = date(2024, 2, 15)


def month_tables() -> dict[str, pa.Table]:
    """Two units and two regions; every number differs from its neighbours, by no rule a sum could hide."""
    five = np.timedelta64(5, "m")
    labels = np.arange(np.datetime64(FIRST) + five, np.datetime64(LAST) + five, five, "datetime64[us]")
    n = np.arange(len(labels))
    series = {
        "unit_scada": ("duid", "scada_mw", {"MOVER1": 20 + n * 7 % 31, "STEADY1": 40 + n * 11 % 53}),
        "regional_price": ("region_id", "rrp", {"NSW1": 30 + n * 13 % 401, "SA1": n * 17 % 97 - 20}),
        "regional_demand": ("region_id", "demand_mw", {"NSW1": 90 + n % 41, "SA1": 50 + n % 19}),
        "interconnector_flow": ("interconnector_id", "metered_flow_mw", {"NSW1-SA1": n * 19 % 103 - 50}),
    }
    tiny = raw_tables()
    tables = {"rooftop_pv": tiny["rooftop_pv"].slice(0, 0)}
    for name, (key, value, found) in series.items():
        tables[name] = pa.table(
            {
                "settlement_date": pa.array(np.tile(labels, len(found)), pa.timestamp("us")),
                key: pa.array(np.repeat(list(found), len(labels)), pa.string()),
                value: pa.array([float(v) for column in found.values() for v in column], pa.float64()),
            }
        )
    registered = {"dispatch_type": "GENERATOR", "capacity_registered_mw": 100.0, "effective_date": date(2020, 1, 1)}
    units = [
        {"duid": "MOVER1", "station_name": "Before", "region_id": "NSW1", "fueltech_id": "gas_ocgt", "end_date": MOVES},
        {"duid": "MOVER1", "station_name": "After", "region_id": "SA1", "fueltech_id": "wind", "effective_date": MOVES},
        {"duid": "STEADY1", "station_name": "Steady", "region_id": "NSW1", "fueltech_id": "coal_black"},
    ]
    units = [{**registered, **unit} for unit in units]
    return {**tables, "units": pa.Table.from_pylist(units, tiny["units"].schema)}
