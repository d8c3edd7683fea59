"""Station Analysis: every station by how hard it ran."""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import attrgetter

import numpy as np
import pyarrow as pa

from cache_store.answer import Answer
from dashboard.data import Export, Market, Selection, Tables
from dashboard.tables import shape
from dashboard.tables.station_patterns import year_to
from dashboard.tables.station_units import Place, Totals, fuels_of, places, totals, unit_columns, units_of
from nem.regions import NEM
from nem.windows import Window

COMMISSIONED_FROM = 0.9  # of its capacity: what never gave more is still being brought into service


@dataclass(frozen=True, slots=True)
class StationRow:
    """A station over the range, all its units of one fuel together."""

    station_name: str
    region_id: str
    fuel_id: str
    duids: tuple[str, ...]
    totals: Totals
    is_commissioning: bool


@dataclass(frozen=True, slots=True)
class StationLeague(Tables):
    """The stations of the selected region and fuel, the highest capacity factor first, unknown capacity last.

    ``places`` are all there are to find, ``fuels`` those of all stations in the region, in no order.
    """

    window: Window
    places: tuple[Place, ...]
    fuels: tuple[str, ...]
    rows: tuple[StationRow, ...]


def load(market: Market, selection: Selection) -> StationLeague:
    """The league of the range."""
    units = units_of(market, selection)
    year = market.answer(replace(units.question, window=year_to(units.window, market.extent("capacity_factor"))))
    data = units.data
    if selection.region != NEM:
        data = shape.kept(data, data["region_id"] == selection.region)
    fuels = tuple(map(str, np.unique(data["fueltech_id"].astype(str))))
    if selection.fuel:
        data = shape.kept(data, np.isin(data["fueltech_id"], fuels_of(selection.fuel)))
    rows = league(data, commissioning(year))
    return StationLeague(
        window=units.window,
        places=places(units.data),
        fuels=fuels,
        rows=rows,
        selection=selection,
        receipts=(units.answer.receipt, year.receipt),
        exports=(Export("stations", "Stations by capacity factor", (units.question,), lambda: _league_table(rows)),),
    )


def league(data: shape.Columns, new: frozenset[str]) -> tuple[StationRow, ...]:
    """A row per station and fuel; ``new`` are the units being commissioned."""
    label = np.char.add(np.char.add(data["station_name"].astype(str), "\t"), data["fueltech_id"].astype(str))
    rows = (_row(shape.kept(data, group), new) for group in shape.groups(label).values())
    return tuple(sorted(rows, key=_rank))


def _rank(row: StationRow) -> tuple[bool, float, str]:
    factor = row.totals.capacity_factor
    return factor is None, -(factor or 0.0), row.station_name


def _row(mine: shape.Columns, new: frozenset[str]) -> StationRow:
    duids = tuple(sorted(set(map(str, mine["duid"]))))
    return StationRow(
        station_name=str(mine["station_name"][-1]),
        region_id=str(mine["region_id"][-1]),
        fuel_id=str(mine["fueltech_id"][-1]),
        duids=duids,
        totals=totals(mine),
        is_commissioning=not new.isdisjoint(duids),
    )


def commissioning(history: Answer) -> frozenset[str]:
    """The units registered since the first month of ``history`` that never gave 90 % of their capacity.

    One that was registered before is told nothing of: a calm month would make a newcomer of every wind farm.
    """
    data = unit_columns(history)
    capacity = np.nan_to_num(data["potential_mwh"] / data["held_hours"])
    found = set()
    for duid, rows in shape.groups(data["duid"]).items():
        came, most = data["interval_start"][rows].min(), capacity[rows].max()
        full = (data["max_mw"][rows] > COMMISSIONED_FROM * most).any()
        if came > data["interval_start"].min() and most > 0 and not full and not data["is_load"][rows].any():
            found.add(duid)
    return frozenset(found)


def _league_table(rows: tuple[StationRow, ...]) -> pa.Table:
    """All DUIDs with it."""
    return shape.listed(
        rows,
        *("station_name", "region_id", "is_commissioning"),
        fueltech_id=lambda row: row.fuel_id,
        duids=lambda row: " ".join(row.duids),
        **{name: attrgetter(f"totals.{name}") for name in Totals.__slots__},
    )
