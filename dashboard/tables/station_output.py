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
    hours, is_rated, possible = data["held_hours"], ~data["is_load"], data["potential_mwh"]
    out = shape.per_bucket(
        data,
        mean_mw=data["energy_mwh"] / hours,
        charge_mw=-data["charge_mwh"] / hours,
        capacity_mw=np.where(is_rated, possible / hours, np.nan),
        unknown=1.0 * (is_rated & np.isnan(possible)),
    )
    # One unit of unknown capacity, and the station's is unknown.
    out["capacity_mw"] = np.where(out.pop("unknown") > 0, np.nan, out["capacity_mw"])
    out["price"] = np.full(len(out["mean_mw"]), np.nan)
    if price is not None:
        paid = shape.columns(price, ("interval_start", "twa_price", "demand_weighted_price"))
        either = np.where(np.isnan(paid["twa_price"]), paid["demand_weighted_price"], paid["twa_price"])
        out["price"] = shape.on(out["interval_start"], paid["interval_start"], either)
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
