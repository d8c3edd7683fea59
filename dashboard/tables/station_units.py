"""Stations and their units: what can be searched for, which is chosen, and what it did in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cache_store.answer import Answer
from cache_store.errors import NothingHeldError
from dashboard.data import Market, Question, Selection
from dashboard.tables import shape
from nem.fuels import FUELS, LOADS
from nem.regions import NEM, REGIONS
from nem.windows import Window

STORAGE = ("battery", "battery_discharging", "battery_charging")
Kind = Literal["generator", "storage", "load"]


@dataclass(frozen=True, slots=True)
class Place:
    """A station as it can be found: by its name, or by the DUID of one of its units."""

    station_name: str
    region_id: str
    fuel_ids: tuple[str, ...]
    duids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Units:
    """Every unit's totals over the range: an answer at one row per unit and month, and its columns.

    ``data`` has, beside the answer's, ``is_load`` and ``held_hours`` of the row's bucket.
    """

    window: Window
    answer: Answer
    question: Question
    data: shape.Columns


@dataclass(frozen=True, slots=True)
class Chosen:
    """A whole station, or one of its units. ``missing`` is what was asked for instead, and not found.

    ``fuel_id`` is the one that gave most; ``siblings`` are all units of the station, with their fuels.
    """

    title: str
    station_name: str
    is_whole: bool
    region_id: str
    fuel_id: str
    kind: Kind
    duids: tuple[str, ...]
    siblings: tuple[tuple[str, str], ...]
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What some units did over the range, together. Energy is MWh, capacities are MW, prices $/MWh.

    A capacity is of the range's newest month, and counts what generates or discharges, never a battery twice.
    ``reading_share`` is that of the registered intervals that sent a reading.
    """

    energy_mwh: float | None
    capacity_mw: float | None
    storage_mwh: float | None
    capacity_factor: float | None
    dwa_price: float | None
    market_value_aud: float | None
    charge_mwh: float | None
    charge_price: float | None
    charge_value_aud: float | None
    net_revenue_aud: float | None
    running_hours: float
    reading_share: float | None


def units_of(market: Market, selection: Selection) -> Units:
    """What every unit did over the range."""
    window = market.window("capacity_factor", selection)
    question = Question("capacity_factor", window, "1M")
    answer = market.answer(question)
    return Units(window, answer, question, unit_columns(answer))


def unit_columns(answer: Answer) -> shape.Columns:
    """The columns of an answer about units, whether each is a load, and the hours its row covers."""
    data = shape.columns(answer.table)
    data["is_load"] = np.isin(data["fueltech_id"], LOADS)
    data["held_hours"] = shape.bucket_hours(data, answer.receipt)
    return data


def places(data: shape.Columns) -> tuple[Place, ...]:
    """Every station, by name (J14: units are one station where they share its name, not where their ids look alike)."""
    facts = (data["region_id"], data["fueltech_id"], data["duid"])

    def place(name: str, rows: shape.Array) -> Place:
        regions, fuels, duids = (tuple(dict.fromkeys(map(str, fact[rows]))) for fact in facts)
        return Place(name, regions[0], fuels, tuple(sorted(duids)))

    return tuple(place(name, rows) for name, rows in shape.groups(data["station_name"]).items())


def choose_units(units: Units, selection: Selection) -> Chosen:
    """What is selected: a station by its name, else a unit by its DUID, else the region's largest.

    Raises:
        NothingHeldError: no unit was registered in the range.
    """
    data = units.data
    stations, duids = data["station_name"].astype(str), data["duid"].astype(str)
    wanted = (selection.station or "").strip()
    for title, mine in ((wanted, stations == wanted), (wanted.upper(), duids == wanted.upper())):
        if mine.any():
            return _chosen(data, mine, title)
    if not len(stations):
        raise NothingHeldError(f"no unit is registered in {units.window}")
    largest = _largest(data, selection.region)
    return _chosen(data, stations == largest, largest, missing=wanted or None)


def _largest(data: shape.Columns, region: str) -> str:
    here = (data["region_id"] == region) | (region == NEM)
    mine = shape.kept(data, here) if here.any() else data
    energy, stations = np.maximum(np.nan_to_num(mine["energy_mwh"]), 0), shape.groups(mine["station_name"])
    return max(stations, key=lambda name: float(energy[stations[name]].sum()))


def _chosen(data: shape.Columns, mine: shape.Array, title: str, missing: str | None = None) -> Chosen:
    rows = shape.kept(data, mine)
    station = str(rows["station_name"][-1])
    moved = np.nan_to_num(rows["energy_mwh"]) + np.nan_to_num(rows["charge_mwh"])
    fuels, place = np.unique(rows["fueltech_id"].astype(str), return_inverse=True)
    # Of a battery that is two units, the one that gives back names it.
    weight = np.bincount(place, weights=np.where(rows["is_load"], moved * 0, moved) + moved * 1e-9)
    siblings = data["station_name"].astype(str) == station
    pairs = {
        str(duid): str(fuel) for duid, fuel in zip(data["duid"][siblings], data["fueltech_id"][siblings], strict=True)
    }
    duids = tuple(sorted(set(map(str, rows["duid"]))))
    fuel = str(fuels[weight.argmax()])
    return Chosen(
        title=title,
        station_name=station,
        is_whole=len(duids) == len(pairs),
        region_id=str(rows["region_id"][-1]),
        fuel_id=fuel,
        kind="storage" if fuel in STORAGE else "load" if rows["is_load"].all() else "generator",
        duids=duids,
        siblings=tuple(sorted(pairs.items())),
        missing=missing,
    )


def price_region(chosen: Chosen) -> str:
    """The region whose price the units earn; the whole market where their own is not known."""
    return chosen.region_id if chosen.region_id in REGIONS else NEM


def totals(rows: shape.Columns) -> Totals:
    """Everything in ``rows`` (of ``unit_columns``) added up."""
    measure = shape.totals(rows)
    rated = shape.kept(rows, ~rows["is_load"])
    stores = shape.kept(rated, np.isin(rated["fueltech_id"], STORAGE))
    value, cost = measure["market_value_aud"], measure["charge_value_aud"]
    known = [part for part in (value, None if cost is None else -cost) if part is not None]
    intervals = float(rows["held_hours"].sum() * shape.PER_HOUR)
    return Totals(
        energy_mwh=measure["energy_mwh"],
        capacity_mw=_newest(rated, rated["potential_mwh"] / rated["held_hours"]),
        storage_mwh=_newest(stores, stores["storage_mwh"]),
        capacity_factor=shape.ratio(shape.total(rated["rated_energy_mwh"]), shape.total(rated["potential_mwh"])),
        dwa_price=shape.ratio(value, measure["priced_energy_mwh"]),
        market_value_aud=value,
        charge_mwh=measure["charge_mwh"],
        charge_price=shape.ratio(cost, measure["priced_charge_mwh"]),
        charge_value_aud=cost,
        net_revenue_aud=sum(known) if known else None,
        running_hours=(measure["running_count"] or 0.0) / shape.PER_HOUR,
        reading_share=shape.ratio(intervals - (measure["missing_count"] or 0.0), intervals),
    )


def _newest(rows: shape.Columns, values: shape.Array) -> float | None:
    """The sum over the units of the newest bucket; None while that of one of them is unknown."""
    if not len(values):
        return None
    mine = values[rows["interval_start"] == rows["interval_start"].max()]
    return float(mine.sum()) if np.isfinite(mine).all() else None


def fuels_of(selected: str) -> Sequence[str]:
    """The unit fuels that a selected fuel or group stands for."""
    if selected in STORAGE or selected == "battery":
        return STORAGE
    return tuple(fuel.id for fuel in FUELS.values() if selected in {fuel.id, fuel.group})
