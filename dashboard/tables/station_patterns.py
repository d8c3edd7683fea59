"""Station Analysis: a station by time of day, and its capacity factor month by month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from cache_store.answer import Answer
from dashboard.data import Export, Market, Question, Selection, Tables
from dashboard.tables import shape
from dashboard.tables.price_profile import slots_of, time_of_day
from dashboard.tables.station_units import Chosen, Place, choose_units, places, unit_columns, units_of
from nem.windows import Window, floor


@dataclass(frozen=True, slots=True)
class StationPatterns(Tables):
    """Of the chosen station or unit.

    ``profile`` holds ``hour`` (where the slot starts), the mean MW of ``all`` days, of each ``weekday`` and
    ``weekend``, and of ``charge`` (negative). ``months`` holds ``interval_start``, ``interval_end``,
    ``capacity_factor``, ``energy_mwh`` and ``is_whole`` of the months to the range's end, twelve at least where held.
    """

    window: Window
    places: tuple[Place, ...]
    chosen: Chosen
    profile: shape.Columns
    months: shape.Columns


def load(market: Market, selection: Selection) -> StationPatterns:
    """The selected station, or the largest, by the clock and by the month."""
    units = units_of(market, selection)
    chosen = choose_units(units, selection)
    resolution, slot_hours = slots_of(units.window)
    year = year_to(units.window, market.extent("capacity_factor"))
    asked = (
        Question("capacity_factor", units.window, resolution, {"duid": chosen.duids}),
        Question("capacity_factor", year, "1M", {"duid": chosen.duids}),
    )
    detail, monthly = (market.answer(question) for question in asked)
    profile, months = power_by_time_of_day(detail, slot_hours), factors_by_month(monthly)
    return StationPatterns(
        window=units.window,
        places=places(units.data),
        chosen=chosen,
        profile=profile,
        months=months,
        selection=selection,
        receipts=(detail.receipt, monthly.receipt),
        exports=(
            Export("station-time-of-day", f"{chosen.title} by time of day", asked[:1], lambda: shape.arrow(profile), {"hour": "h"} | dict.fromkeys(("all", "weekday", "weekend", "charge"), "MW")),
            Export("station-months", f"{chosen.title} by month", asked[1:], lambda: shape.arrow(months)),
        ),
    )  # fmt: skip


def year_to(window: Window, extent: Window) -> Window:
    """The twelve months to the window's end, or the window where it is longer, as far as they are held."""
    start = floor(window.end - timedelta(days=365), "1M")
    return Window(max(extent.start, min(window.start, start)), window.end)


def power_by_time_of_day(units: Answer, slot_hours: float) -> shape.Columns:
    """Mean power of the units together in each slot of the day."""
    data = unit_columns(units)
    sums = shape.per_bucket(data, output=data["energy_mwh"], charge=data["charge_mwh"])
    starts, hours = sums["interval_start"], shape.bucket_hours(sums, units.receipt)
    profile = time_of_day(starts, sums["output"], hours, slot_hours)
    return {**profile, "charge": -time_of_day(starts, sums["charge"], hours, slot_hours)["all"]}


def factors_by_month(units: Answer) -> shape.Columns:
    """The capacity factor and energy of each month; a month held in part says so."""
    data = unit_columns(units)
    names = ("rated_energy_mwh", "potential_mwh")
    rated = {name: np.where(data["is_load"], np.nan, data[name]) for name in names}
    found = shape.per_bucket(data, **rated, energy_mwh=data["energy_mwh"], cut=1.0 - data["complete"])
    return {
        "interval_start": found["interval_start"],
        "interval_end": found["interval_end"],
        "capacity_factor": shape.ratios(*(found[name] for name in names)),
        "energy_mwh": found["energy_mwh"],
        "is_whole": found["cut"] == 0,
    }
