"""What AEMO sends again: rows landed over others, and the raw set as it then is."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa

from nem.lake import land, land_units
from nem.tables import UNITS
from nem.windows import INTERVAL
from tests.cache_store.worlds import World

# By table, its key and the measure that is revised.
REVISED = {
    "unit_scada": ("duid", "scada_mw"),
    "regional_price": ("region_id", "rrp"),
    "regional_demand": ("region_id", "demand_operational_mw"),
    "interconnector_flow": ("interconnector_id", "metered_flow_mw"),
    "rooftop_pv": ("region_id", "rooftop_mw"),
}
Row = dict[str, Any]


def land_revised(world: World, revised: Mapping[str, list[Row]]) -> World:
    """The world whose lake got those rows, by table, and whose oracle knows it; of ``units``, all rows are given."""
    raw = dict(world.raw)
    for table, rows in revised.items():
        raw[table] = pa.Table.from_pylist(rows, raw[table].schema)
        if table == "units":
            land_units(world.source.root, raw[table].select([n for n in raw[table].column_names if n in UNITS]))
            continue
        land(world.source.root, table, raw[table])
        keys = ["settlement_date", REVISED[table][0]]
        former, later = (one.select(keys).to_pandas() for one in (world.raw[table], raw[table]))
        is_kept = ~pd.MultiIndex.from_frame(former).isin(pd.MultiIndex.from_frame(later))
        raw[table] = pa.concat_tables([world.raw[table].filter(pa.array(is_kept)), raw[table]])
    return replace(world, raw=raw)


def some_revisions(raw: Mapping[str, pa.Table], days: set[date]) -> dict[str, list[Row]]:
    """A few rows of every table on each of ``days`` with other values or none, and a unit of another capacity."""
    chance = random.Random(20171014)
    revised: dict[str, list[Row]] = {}
    for table, (_, measure) in REVISED.items():
        labels = raw[table]["settlement_date"].to_pylist()
        for day in sorted(days):
            held = [i for i, label in enumerate(labels) if (label - INTERVAL).date() == day]
            for i in sorted(chance.sample(held, min(len(held), 8))):
                (row,) = raw[table].slice(i, 1).to_pylist()
                revised.setdefault(table, []).append(row | {measure: chance.choice([None, 0.0, 37.5, -60.0, 1600.0])})
    units = raw["units"].to_pylist()
    chance.choice([unit for unit in units if unit["capacity_maximum_mw"]])["capacity_maximum_mw"] = 77.0
    return revised | {"units": units}
