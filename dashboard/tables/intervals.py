"""Five-minute prices, whole: what order statistics, duration curves and events are exact from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cache_store.answer import Answer, Receipt
from cache_store.errors import NothingHeldError
from dashboard.data import Market, Question
from dashboard.tables import shape
from nem.regions import NEM, REGIONS
from nem.windows import Window

STEP = np.timedelta64(5, "m")
_MEASURES = ("rrp_sum", "priced_demand_mwh", "demand_value_aud")  # few: of a year all would be 120 MB


@dataclass(frozen=True, slots=True)
class RegionPrices:
    """One region's priced intervals in time order: label, $/MWh, and the demand that has a price."""

    ends: shape.Array
    rrp: shape.Array
    demand_mwh: shape.Array
    value_aud: shape.Array


@dataclass(frozen=True, slots=True)
class Intervals:
    """Five-minute prices by region; that of ``NEM`` weighted by demand, interval by interval."""

    regions: Mapping[str, RegionPrices]
    question: Question
    receipt: Receipt


def five_minute_prices(market: Market, window: Window) -> Intervals:
    """Every region's prices, and the market's.

    Raises:
        NothingHeldError: none of it is held.
    """
    question = Question("regional_price", window, "5min", measures=_MEASURES)
    answer = market.answer_beside(question)
    if not answer.receipt.coverage:
        raise NothingHeldError(f"no price of {window} is held; {answer.receipt.notes[0]}")
    return Intervals(_by_region(answer), question, answer.receipt)


def _by_region(answer: Answer) -> dict[str, RegionPrices]:
    data = shape.columns(answer.table, ("interval_end", "region_id", *_MEASURES))
    data["interval_end"] = data["interval_end"].astype("M8[s]")
    found = {}
    for region in REGIONS:
        mine = (data["region_id"] == region) & ~np.isnan(data["rrp_sum"])
        if mine.any():
            found[region] = RegionPrices(*(data[name][mine] for name in ("interval_end", *_MEASURES)))
    return {**found, NEM: whole_market(found)} if found else {}


def whole_market(regions: Mapping[str, RegionPrices]) -> RegionPrices:
    """The regions' demand and its value added up, and of each interval the price they make: value over demand."""
    ends = np.unique(np.concatenate([one.ends for one in regions.values()]))
    demand, value = np.zeros(len(ends)), np.zeros(len(ends))
    for one in regions.values():
        known = ~np.isnan(one.demand_mwh)
        place = np.searchsorted(ends, one.ends[known])
        demand[place] += one.demand_mwh[known]
        value[place] += one.value_aud[known]
    priced = demand > 0
    return RegionPrices(ends[priced], value[priced] / demand[priced], demand[priced], value[priced])


def runs(flags: shape.Array, ends: shape.Array) -> tuple[shape.Array, shape.Array]:
    """First and last place of every run of flagged intervals; a gap in time ends a run."""
    follows = np.concatenate([[False], np.diff(ends) == STEP])
    goes_on = flags & follows & np.concatenate([[False], flags[:-1]])
    ends_here = ~np.concatenate([goes_on[1:], [False]])
    return np.flatnonzero(flags & ~goes_on), np.flatnonzero(flags & ends_here)


def hours_of(intervals: float) -> float:
    """So many five-minute intervals, in hours."""
    return intervals / shape.PER_HOUR
