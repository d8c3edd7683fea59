"""The average day of the selected range, for the Generation tab: what runs at which time of day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import numpy as np

from cache_store.answer import Answer
from dashboard.data import Export, Grouping, Market, Question, Selection, Tables, Unit, only
from dashboard.tables import shape
from dashboard.tables.supply import EXCHANGES, Stack, drawn_bands, fuel_groups, percent_of_supply, signed
from nem.regions import NEM
from nem.windows import Resolution, Window

# Half hours: what is warmed at that grain is read at once. Of a longer range, the newest year.
RESOLUTION: Resolution = "30min"
LONGEST = timedelta(days=366)
_STEP = np.timedelta64(30, "m")
_SLOTS = 48
_DAY = np.datetime64("2000-01-01", "us")  # any day: only its times are shown


@dataclass(frozen=True, slots=True)
class Daytime(Tables):
    """``stack`` is of one day in half hours: the mean over every day of ``window``, of which there are ``days``."""

    window: Window
    shortened: bool
    days: float
    stack: Stack


def load(market: Market, selection: Selection) -> Daytime:
    """The stack's mean MW and the mean price at each half hour of the day."""
    chosen = market.window("generation_by_fuel", selection)
    window = Window(max(chosen.start, chosen.end - LONGEST), chosen.end)
    questions = tuple(
        Question(query, window, RESOLUTION, only(selection.region))
        for query in ("generation_by_fuel", "regional_price")
    )
    generation, price = market.answer(questions[0]), market.answer_beside(questions[1])
    day = average_day(generation, price, selection.region, selection.grouping, selection.unit)
    slots = np.datetime_as_string(day.columns["interval_start"], "m")
    columns = {"from": np.array([slot[11:] for slot in slots], dtype=object)}
    columns |= {name: day.columns[name] for name in day.units}
    export = Export("time-of-day", "The average day", questions, partial(shape.arrow, columns), day.units)
    return Daytime(
        window=window,
        shortened=window != chosen,
        days=shape.held_hours(generation.receipt) / 24,
        stack=day,
        selection=selection,
        receipts=(generation.receipt, price.receipt),
        exports=(export,),
    )


def average_day(generation: Answer, price: Answer, region: str, grouping: Grouping, unit: Unit) -> Stack:
    """Energy over hours per half hour of the day, summed over the days and then divided; share as a stack's."""
    starts, ends, energy = shape.spread(generation.table, "fueltech_id", "energy_mwh", fuel_groups(grouping))
    market = shape.columns(price.table)
    slot, market_slot = _slot(starts), _slot(market["interval_start"])
    hours = _summed(slot, shape.bucket_hours({"interval_start": starts, "interval_end": ends}, generation.receipt))
    means = {name: np.nan_to_num(_summed(slot, values)) / hours for name, values in energy.items()}
    priced = shape.bucket_hours(market, price.receipt)

    def mean(column: str) -> shape.Array:
        values = market[column]
        return _summed(market_slot, values) / _summed(market_slot, np.where(np.isnan(values), np.nan, priced))

    if region != NEM:
        means |= {name: np.nan_to_num(mean(column)) for name, column in EXCHANGES.items()}
    bands = drawn_bands(means, grouping, unit)
    grid = _DAY + np.arange(_SLOTS) * _STEP
    times = {"interval_start": grid, "interval_end": grid + _STEP}
    factor = percent_of_supply([means[band.id] for band in bands], _SLOTS) if unit == "share" else 1.0
    out = signed(times, means, bands, factor, 1.0)
    out["demand"] = mean("demand_mwh") * (np.nan if unit == "share" else 1)
    over, under = shape.price_measures(region)
    paid, weight = (_summed(market_slot, market[name]) for name in (over, under))
    out["price"] = shape.ratios(paid, weight)
    out["marked"], out["unconfirmed"] = np.zeros(_SLOTS), np.full(_SLOTS, np.nan)  # a mean of days is neither
    return Stack(out, tuple(bands), "%" if unit == "share" else "MW")


def _slot(starts: shape.Array) -> shape.Array:
    return np.asarray((starts - starts.astype("M8[D]")) // _STEP, dtype=int)


def _summed(slot: shape.Array, values: shape.Array) -> shape.Array:
    return shape.added(slot, values, _SLOTS)
