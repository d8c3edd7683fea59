"""Stations for the Station Analysis tab: a league table over the range, and one station over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.data import Market, Selection, preset_window
from dashboard.tables import shape
from nem.regions import NEM
from nem.windows import Window

if TYPE_CHECKING:
    import pyarrow as pa

    from cache_store.answer import Receipt

_MEASURES = ("energy_mwh", "priced_energy_mwh", "charge_mwh", "market_value_aud", "charge_value_aud", "running_count")


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

    ``series`` holds ``interval_start``, ``interval_end``, ``mean_mw``, ``charge_mw`` (negative), ``capacity_mw``
    and ``price``; ``capture_rate`` is the station's price over its region's mean price.
    """

    region: str
    window: Window
    league: list[StationRow]
    names: list[str]
    chosen: list[StationRow]
    series: shape.Columns
    capture_rate: float | None
    receipts: tuple[Receipt, ...]


def load(market: Market, selection: Selection) -> Stations:
    """Every station's totals over the range, and the selected (or else the largest) station's MW beside its price."""
    window = preset_window(selection.preset, market.extent("capacity_factor"))
    units = market.ask("capacity_factor", window, resolution="1M")
    rows = league(units.table)
    shown = [row for row in rows if selection.region in {NEM, row.region_id}]
    chosen = [row for row in rows if row.station_name == selection.station] or _largest(shown or rows)
    region = chosen[0].region_id
    duids = [duid for row in chosen for duid in row.duids]
    series = market.ask("capacity_factor", window, filters={"duid": duids})
    price = market.ask("regional_price", window, filters={"region_id": [region]}, resolution=series.receipt.resolution)
    return Stations(
        region=selection.region,
        window=window,
        league=shown,
        names=sorted({row.station_name for row in rows}),
        chosen=chosen,
        series=station_series(series.table, price.table),
        capture_rate=shape.ratio(_dwa_price(units.table, duids), shape.mean_price(shape.columns(price.table), region)),
        receipts=(series.receipt, price.receipt, units.receipt),
    )


def _largest(rows: list[StationRow]) -> list[StationRow]:
    most = max(rows, key=lambda row: row.energy_mwh or 0.0)
    return [row for row in rows if row.station_name == most.station_name]


def _dwa_price(units: pa.Table, duids: list[str]) -> float | None:
    data = shape.columns(shape.where(units, "duid", duids), ("market_value_aud", "priced_energy_mwh"))
    return shape.ratio(*(shape.total(values.astype(float)) for values in data.values()))


def league(units: pa.Table) -> list[StationRow]:
    """One row per station and fuel, the highest capacity factor first, unknown capacity last."""
    data = shape.columns(units)
    name, fuel = data["station_name"].astype(str), data["fueltech_id"].astype(str)
    label = np.char.add(np.char.add(name, "\t"), fuel)
    rows = [_station(data, np.flatnonzero(label == one)) for one in np.unique(label)]
    return sorted(rows, key=lambda row: (row.capacity_factor is None, -(row.capacity_factor or 0.0), row.station_name))


def _station(data: shape.Columns, rows: shape.Array) -> StationRow:
    mine = {name: values[rows] for name, values in data.items()}
    measure = {name: shape.total(mine[name].astype(float)) for name in _MEASURES}
    potential, known = mine["potential_mwh"].astype(float), mine["potential_mwh"].astype(float) > 0
    value, charge_value = measure["market_value_aud"], measure["charge_value_aud"]
    peaks = mine["max_mw"].astype(float)
    return StationRow(
        station_name=str(mine["station_name"][0]),
        region_id=str(mine["region_id"][0]),
        fuel_id=str(mine["fueltech_id"][0]),
        duids=tuple(sorted(set(mine["duid"].astype(str)))),
        energy_mwh=measure["energy_mwh"],
        capacity_mw=_capacity_mw(mine),
        capacity_factor=shape.ratio(
            shape.total(mine["energy_mwh"].astype(float)[known]), shape.total(potential[known])
        ),
        dwa_price=shape.ratio(value, measure["priced_energy_mwh"]),
        revenue_aud=None if value is None else value - (charge_value or 0.0),
        running_hours=(measure["running_count"] or 0.0) / 12,
        max_mw=float(np.nanmax(peaks)) if np.isfinite(peaks).any() else None,
    )


def _capacity_mw(mine: shape.Columns) -> float | None:
    """The capacity of the newest bucket's units together; None while one of them is unknown."""
    newest = mine["interval_start"] == mine["interval_start"].max()
    with np.errstate(divide="ignore", invalid="ignore"):
        capacity = mine["potential_mwh"].astype(float)[newest] / _hours(mine)[newest]
    return float(capacity.sum()) if np.isfinite(capacity).all() else None


def _hours(data: shape.Columns) -> shape.Array:
    """Hours each row's mean is taken over, as its own energy and mean power tell; a bucket's length without them."""
    length = (data["interval_end"] - data["interval_start"]) / shape.HOUR
    with np.errstate(divide="ignore", invalid="ignore"):
        told = data["energy_mwh"].astype(float) / data["mean_mw"].astype(float)
    return np.where(np.isfinite(told) & (told > 0), told, length)


def station_series(units: pa.Table, price: pa.Table) -> shape.Columns:
    """The units' power summed per bucket (never averaged), their capacity, and the price of their region."""
    data, paid = shape.columns(units), shape.columns(price, ("interval_start", "twa_price"))
    starts, first, row = np.unique(data["interval_start"], return_index=True, return_inverse=True)
    duration = _hours(data)
    out = {"interval_start": starts, "interval_end": data["interval_end"][first]}
    for name, values in {
        "mean_mw": data["mean_mw"].astype(float),
        "charge_mw": -data["charge_mwh"].astype(float) / duration,
        "capacity_mw": data["potential_mwh"].astype(float) / duration,
    }.items():
        summed = np.full(len(starts), np.nan)
        for bucket in np.unique(row[~np.isnan(values)]):
            summed[bucket] = np.nansum(values[row == bucket])
        out[name] = summed
    held = np.isin(paid["interval_start"], starts)
    out["price"] = shape.on(starts, paid["interval_start"][held], paid["twa_price"][held].astype(float))
    return shape.break_gaps(out)
