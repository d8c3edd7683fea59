"""A region's day in a few figures, beside the same hours of the day before and of a year before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import numpy as np

from cache_store.answer import Receipt
from dashboard.data import Export, Market, Question, only, year_before
from dashboard.tables import shape
from dashboard.tables.supply import fuel_rows, renewable_share
from nem.regions import NEM
from nem.windows import INTERVAL, Window, floor

_BOUNDS = {"high": ("rrp_max", np.nanargmax), "low": ("rrp_min", np.nanargmin)}


@dataclass(frozen=True, slots=True)
class Extreme:
    """A 5-minute price, and whose."""

    rrp: float
    region_id: str


@dataclass(frozen=True, slots=True)
class Day:
    """From midnight to the newest interval's time of day. ``mean_price`` of the NEM is weighted by demand."""

    window: Window
    mean_price: float | None
    high: Extreme | None
    low: Extreme | None
    supply_mwh: float | None
    demand_mwh: float | None
    renewable_share: float | None
    gas_share: float | None
    coal_share: float | None


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
    loaded = [_load_day(market, region, window, extent) for window in (today, *before)]
    days = [day for day, _, _ in loaded]
    assert days[0] is not None  # it ends where the data does
    questions = tuple(question for _, asked, _ in loaded for question in asked)
    receipts = tuple(receipt for _, _, answered in loaded for receipt in answered)
    return Summary(days[0], days[1], days[2], receipts, _export(days, questions))


def _load_day(
    market: Market, region: str, window: Window, extent: Window
) -> tuple[Day | None, tuple[Question, ...], tuple[Receipt, ...]]:
    """A day with what was asked for it; None where the data does not reach, or has a gap."""
    if window.overlap(extent) != window:
        return None, (), ()
    filters = only(region)
    fuels = Question("generation_by_fuel", window, "1d", filters)
    # Prices of every region for the whole market: its highest and lowest are some region's.
    prices = Question("regional_price", window, "1d", {} if region == NEM else filters)
    generation, price = market.answer_beside(fuels), market.answer_beside(prices)
    if not (generation.receipt.coverage or price.receipt.coverage):
        return None, (), ()
    groups = {row.band.id: row for row in fuel_rows(generation, "simplified")}
    data = shape.columns(price.table)

    def share(band: str) -> float | None:
        return groups[band].share if band in groups else 0.0 if groups else None

    day = Day(
        window=window,
        mean_price=shape.mean_price(data, region),
        high=_extreme(data, "high"),
        low=_extreme(data, "low"),
        supply_mwh=sum(row.energy_mwh for row in groups.values() if row.band.supplies) if groups else None,
        demand_mwh=shape.total(data["demand_mwh"]),
        renewable_share=renewable_share(generation, region),
        gas_share=share("gas"),
        coal_share=share("coal"),
    )
    return day, (fuels, prices), (generation.receipt, price.receipt)


def _extreme(data: shape.Columns, which: str) -> Extreme | None:
    column, place = _BOUNDS[which]
    values = data[column]
    if np.isnan(values).all():
        return None
    at = int(place(values))
    return Extreme(float(values[at]), str(data["region_id"][at]))


def _export(days: list[Day | None], questions: tuple[Question, ...]) -> Export:
    make = partial(
        shape.listed,
        [day for day in days if day is not None],
        *("mean_price", "supply_mwh", "demand_mwh", "renewable_share", "gas_share", "coal_share"),
        interval_start=lambda day: day.window.start,
        interval_end=lambda day: day.window.end,
        rrp_max=lambda day: day.high and day.high.rrp,
        rrp_min=lambda day: day.low and day.low.rrp,
    )
    return Export("summary", "The daily summary", questions, make, dict.fromkeys(("rrp_max", "rrp_min"), "$/MWh"))
