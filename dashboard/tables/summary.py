"""A region's day in a few figures, beside the same hours of the day before and of a year before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np

from cache_store.answer import Receipt
from dashboard.data import Export, Market, Question, only, year_before
from dashboard.tables import shape
from dashboard.tables.supply import fuel_rows, renewable_share
from nem.regions import NEM
from nem.windows import INTERVAL, Window, floor


@dataclass(frozen=True, slots=True)
class Day:
    """From midnight to the newest interval's time of day. ``mean_price`` of the NEM is weighted by demand.

    ``rrp_max`` and ``rrp_min`` are the highest and lowest 5-minute price, and in which region.
    """

    window: Window
    mean_price: float | None
    rrp_max: float | None
    rrp_max_in: str | None
    rrp_min: float | None
    rrp_min_in: str | None
    supply_mwh: float | None
    demand_mwh: float | None
    renewable_share: float | None
    gas_share: float | None
    coal_share: float | None
    questions: tuple[Question, ...]
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """``yesterday`` and ``last_year`` are None where the data does not reach over all of their hours, or has a gap there."""

    today: Day
    yesterday: Day | None
    last_year: Day | None
    receipts: tuple[Receipt, ...]
    export: Export


def load_summary(market: Market, region: str, extent: Window) -> Summary:
    """The day of the newest interval so far, and the same hours of the two days it is compared with."""
    midnight = floor(extent.end - INTERVAL, "1d")
    today = Window(max(midnight, extent.start), extent.end)
    before = (
        Window(today.start - timedelta(days=1), today.end - timedelta(days=1)),
        Window(year_before(today.start), year_before(today.end)),
    )
    days = [_load_day(market, region, window, extent) for window in (today, *before)]
    assert days[0] is not None  # it ends where the data does
    held = [day for day in days if day]
    receipts = tuple(receipt for day in held for receipt in day.receipts)
    return Summary(days[0], days[1], days[2], receipts, _export(held))


def _load_day(market: Market, region: str, window: Window, extent: Window) -> Day | None:
    """A day; None where the data does not reach, or has a gap."""
    if window.overlap(extent) != window:
        return None
    filters = only(region)
    fuels = Question("generation_by_fuel", window, "1d", filters)
    # Prices of every region for the whole market: its highest and lowest are some region's.
    prices = Question("regional_price", window, "1d", {} if region == NEM else filters)
    generation, price = market.answer_beside(fuels), market.answer_beside(prices)
    if not (generation.receipt.coverage or price.receipt.coverage):
        return None
    groups = {row.band.id: row for row in fuel_rows(generation, "simplified")}
    data = shape.columns(price.table)

    def share(band: str) -> float | None:
        return groups[band].share if band in groups else 0.0 if groups else None

    return Day(
        window=window,
        mean_price=shape.mean_price(data, region),
        **_extreme(data, "rrp_max", np.nanargmax),
        **_extreme(data, "rrp_min", np.nanargmin),
        supply_mwh=sum(row.energy_mwh for row in groups.values() if row.band.supplies) if groups else None,
        demand_mwh=shape.total(data["demand_mwh"]),
        renewable_share=renewable_share(generation, region),
        gas_share=share("gas"),
        coal_share=share("coal"),
        questions=(fuels, prices),
        receipts=(generation.receipt, price.receipt),
    )


def _extreme(data: shape.Columns, name: str, find: Callable[[shape.Array], Any]) -> dict[str, Any]:
    known = not np.isnan(data[name]).all()
    price, region = (data[column][find(data[name])] if known else None for column in (name, "region_id"))
    return {name: price, f"{name}_in": region}


def _export(days: list[Day]) -> Export:
    names = (
        "rrp_max",
        "rrp_min",
        "mean_price",
        "supply_mwh",
        "demand_mwh",
        "renewable_share",
        "gas_share",
        "coal_share",
    )
    edges = {"interval_start": attrgetter("window.start"), "interval_end": attrgetter("window.end")}
    questions = tuple(question for day in days for question in day.questions)
    make = partial(shape.listed, days, *names, **edges)
    return Export("summary", "The daily summary", questions, make, dict.fromkeys(("rrp_max", "rrp_min"), "$/MWh"))
