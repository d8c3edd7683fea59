"""Stations for the Station Analysis tab: a league table over the range, and one station over time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dashboard.data import Market, Selection, window_of
from dashboard.tables import shape
from nem.fuels import LOADS
from nem.regions import NEM, REGIONS
from nem.windows import Window

if TYPE_CHECKING:
    import pyarrow as pa

    from cache_store.answer import Answer, Receipt

_MEASURES = (
    "energy_mwh",
    "rated_energy_mwh",
    "potential_mwh",
    "priced_energy_mwh",
    "charge_mwh",
    "market_value_aud",
    "charge_value_aud",
    "running_count",
)


@dataclass(frozen=True, slots=True)
class StationRow:
    """A station over the range, all its units of one fuel together. ``revenue_aud`` is net of what charging cost."""

    station_name: str
    region_id: str
    fuel_id: str
    duids: tuple[str, ...]
    energy_mwh: float | None
    capacity_mw: float | None
    capacity_factor: float | None
    dwa_price: float | None
    revenue_aud: float | None
    running_hours: float
    max_mw: float | None


@dataclass(frozen=True, slots=True)
class Stations:
    """The league of the selected region, every station's name, and the chosen station in detail.

    ``chosen`` is all of a station, whatever its fuels, under the fuel that gave most; ``series`` holds ``interval_start``, ``interval_end``, ``mean_mw``, ``charge_mw`` (negative), ``capacity_mw``
    and ``price``; ``capture_rate`` is the station's price over its region's mean price.
    """

    region: str
    window: Window
    league: list[StationRow]
    names: list[str]
    chosen: StationRow | None
    series: shape.Columns
    capture_rate: float | None
    receipts: tuple[Receipt, ...]


def load(market: Market, selection: Selection) -> Stations:
    """Every station's totals over the range, and the selected (or else the largest) station's MW beside its price."""
    window = window_of(selection, market.extent("capacity_factor"), market.clock)
    units = market.ask("capacity_factor", window, resolution="1M")
    data = _with_capacity(units)
    rows = league(data)
    shown = [row for row in rows if selection.region in {NEM, row.region_id}]
    chosen = _whole(data, rows, selection.station) or _whole(data, rows, _largest(shown or rows))
    region = chosen.region_id if chosen and chosen.region_id in REGIONS else NEM
    series = market.ask("capacity_factor", window, filters={"duid": list(chosen.duids)}) if chosen else units
    resolution = series.receipt.resolution
    price = market.ask("regional_price", window, filters={"region_id": [region]}, resolution=resolution)
    return Stations(
        region=selection.region,
        window=window,
        league=shown,
        names=sorted({row.station_name for row in rows}),
        chosen=chosen,
        series=station_series(series, price.table),
        capture_rate=shape.ratio(
            chosen.dwa_price if chosen else None, shape.mean_price(shape.columns(price.table), region)
        ),
        receipts=(series.receipt, price.receipt, units.receipt),
    )


def _with_capacity(units: Answer) -> shape.Columns:
    data = shape.columns(units.table)
    data["capacity_mw"] = data["potential_mwh"].astype(float) / shape.bucket_hours(data, units.receipt)
    return data


def _largest(rows: list[StationRow]) -> str | None:
    return max(rows, key=lambda row: row.energy_mwh or 0.0).station_name if rows else None


def _whole(data: shape.Columns, rows: list[StationRow], name: str | None) -> StationRow | None:
    """All of a station: its rows of every fuel as one, named after the one that gave most."""
    mine = [row for row in rows if row.station_name == name]
    if not mine:
        return None
    main = max(mine, key=lambda row: row.energy_mwh or 0.0)
    whole = _station(data, np.flatnonzero(data["station_name"].astype(str) == name))
    return replace(whole, fuel_id=main.fuel_id, region_id=main.region_id)


def league(data: shape.Columns) -> list[StationRow]:
    """One row per station and fuel, the highest capacity factor first, unknown capacity last."""
    label = np.char.add(np.char.add(data["station_name"].astype(str), "\t"), data["fueltech_id"].astype(str))
    rows = [_station(data, np.flatnonzero(label == one)) for one in np.unique(label)]
    return sorted(rows, key=lambda row: (row.capacity_factor is None, -(row.capacity_factor or 0.0), row.station_name))


def _station(data: shape.Columns, rows: shape.Array) -> StationRow:
    mine = {name: values[rows] for name, values in data.items()}
    measure = {name: shape.total(mine[name].astype(float)) for name in _MEASURES}
    value, charge_value = measure["market_value_aud"], measure["charge_value_aud"]
    peaks, fuel = mine["max_mw"].astype(float), str(mine["fueltech_id"][0])
    is_load = fuel in LOADS
    return StationRow(
        station_name=str(mine["station_name"][0]),
        region_id=str(mine["region_id"][0]),
        fuel_id=fuel,
        duids=tuple(sorted(set(map(str, mine["duid"])))),
        energy_mwh=measure["energy_mwh"],
        capacity_mw=_capacity_mw(mine),
        capacity_factor=None if is_load else shape.ratio(measure["rated_energy_mwh"], measure["potential_mwh"]),
        dwa_price=shape.ratio(value, measure["priced_energy_mwh"]),
        revenue_aud=None if value is None else value - (charge_value or 0.0),
        running_hours=(measure["running_count"] or 0.0) / 12,
        max_mw=float(np.nanmax(peaks)) if np.isfinite(peaks).any() else None,
    )


def _capacity_mw(mine: shape.Columns) -> float | None:
    """The capacity of the newest bucket's units together, averaged over it; None while one of them is unknown."""
    capacity = mine["capacity_mw"][mine["interval_start"] == mine["interval_start"].max()]
    return float(capacity.sum()) if np.isfinite(capacity).all() else None


def station_series(units: Answer, price: pa.Table) -> shape.Columns:
    """The units' power summed per bucket (never averaged), their capacity, and the price of their region."""
    data, paid = shape.columns(units.table), shape.columns(price, ("interval_start", "twa_price"))
    starts, first, row = np.unique(data["interval_start"], return_index=True, return_inverse=True)
    hours = shape.bucket_hours(data, units.receipt)
    out = {"interval_start": starts, "interval_end": data["interval_end"][first]}
    for name, values in {
        "mean_mw": data["mean_mw"].astype(float),
        "charge_mw": -data["charge_mwh"].astype(float) / hours,
        "capacity_mw": data["potential_mwh"].astype(float) / hours,
    }.items():
        summed = np.full(len(starts), np.nan)
        for bucket in np.unique(row[~np.isnan(values)]):
            summed[bucket] = np.nansum(values[row == bucket])
        out[name] = summed
    held = np.isin(paid["interval_start"], starts)
    out["price"] = shape.on(starts, paid["interval_start"][held], paid["twa_price"][held].astype(float))
    return shape.break_gaps(out)
