"""Station Analysis, first part: a station's power over time, its region's price, and what it did in all."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from cache_store.answer import Answer
from dashboard.data import Export, Market, Question, Selection, Tables, only, resolution_of
from dashboard.tables import shape
from dashboard.tables.price_profile import slots_of
from dashboard.tables.station_units import (
    Chosen,
    Place,
    Totals,
    choose_units,
    places,
    price_region,
    totals,
    unit_columns,
    units_of,
)
from nem.windows import Resolution, Window


@dataclass(frozen=True, slots=True)
class StationOutput(Tables):
    """The chosen station or unit; ``places`` are all there are to find.

    ``series`` holds ``interval_start``, ``interval_end``, ``mean_mw``, ``charge_mw`` (negative), ``capacity_mw`` and
    ``price``. ``starts`` counts half hours with output after one without, unit by unit: None past a year.
    ``peak_mw`` is the highest of the series, all units together, over ``resolution``.
    """

    window: Window
    places: tuple[Place, ...]
    chosen: Chosen
    totals: Totals
    series: shape.Columns
    resolution: Resolution
    capture_rate: float | None
    starts: int | None
    peak_mw: float | None


def load(market: Market, selection: Selection) -> StationOutput:
    """The selected station, or the largest, over the range."""
    units = units_of(market, selection)
    chosen = choose_units(units, selection)
    duids, region = list(chosen.duids), price_region(chosen)
    resolution = stored_resolution(selection, units.window)
    questions = (
        Question("capacity_factor", units.window, resolution, {"duid": chosen.duids}),
        Question("regional_price", units.window, resolution, only(region)),
    )
    detail, price = market.answer(questions[0]), market.answer_beside(questions[1])
    whole = totals(shape.kept(units.data, np.isin(units.data["duid"].astype(str), duids)))
    series = station_series(detail, price.table)
    return StationOutput(
        window=units.window,
        places=places(units.data),
        chosen=chosen,
        totals=whole,
        series=series,
        resolution=resolution,
        capture_rate=shape.ratio(whole.dwa_price, shape.mean_price(shape.columns(price.table), region)),
        starts=_starts(market, questions[0], detail),
        peak_mw=float(np.nanmax(series["mean_mw"])) if np.isfinite(series["mean_mw"]).any() else None,
        selection=selection,
        receipts=(detail.receipt, price.receipt, units.answer.receipt),
        exports=(Export("station", chosen.title, questions, lambda: shape.arrow(series)),),
    )


def stored_resolution(selection: Selection, window: Window) -> Resolution:
    """As selected; left to itself never finer than half hours, the finest that units are stored at."""
    found = resolution_of(selection, window)
    return "30min" if found == "5min" and selection.resolution != found else found


def station_series(units: Answer, price: pa.Table | None) -> shape.Columns:
    """The units' power summed per bucket before anything else (J7), their capacity, and the price of their region."""
    data = unit_columns(units)
    starts, first, row = np.unique(data["interval_start"], return_index=True, return_inverse=True)
    hours, load = data["held_hours"], data["is_load"]
    out = {"interval_start": starts, "interval_end": data["interval_end"][first]}
    for name, values in {
        "mean_mw": data["energy_mwh"] / hours,
        "charge_mw": -data["charge_mwh"] / hours,
        "capacity_mw": np.where(load, np.nan, data["potential_mwh"] / hours),
    }.items():
        out[name] = shape.added(row, values, len(starts))
    # One unit of unknown capacity, and the station's is unknown.
    unknown = np.bincount(row, weights=~load & np.isnan(data["potential_mwh"]), minlength=len(starts))
    out["capacity_mw"] = np.where(unknown > 0, np.nan, out["capacity_mw"])
    out["price"] = np.full(len(starts), np.nan)
    if price is not None and len(starts):
        paid = shape.columns(price, ("interval_start", "twa_price", "demand_weighted_price"))
        mean, weighted = paid["twa_price"], paid["demand_weighted_price"]
        held = np.isin(paid["interval_start"], starts)
        out["price"] = shape.on(starts, paid["interval_start"][held], np.where(np.isnan(mean), weighted, mean)[held])
    return shape.break_gaps(out)


def _starts(market: Market, question: Question, detail: Answer) -> int | None:
    if question.resolution == "30min":
        return starts_of(detail.table)
    if slots_of(question.window)[0] != "30min":
        return None
    return starts_of(market.answer(replace(question, resolution="30min")).table)


def starts_of(halves: pa.Table) -> int:
    """How often a unit ran in a half hour right after one in which it reported, and did not run."""
    data = shape.columns(halves, ("interval_start", "interval_end", "duid", "energy_mwh", "running_count"))
    order = np.lexsort((data["interval_start"], data["duid"].astype(str)))
    data = shape.kept(data, order)
    ran, told = data["running_count"] > 0, ~np.isnan(data["energy_mwh"])
    same = (data["duid"][1:] == data["duid"][:-1]) & (data["interval_start"][1:] == data["interval_end"][:-1])
    return int((same & ran[1:] & ~ran[:-1] & told[:-1]).sum())
