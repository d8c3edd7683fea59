"""Five-minute prices, whole: what order statistics, duration curves and events are exact from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from cache_store.errors import NothingHeldError
from dashboard.data import Market, Question
from dashboard.tables import shape
from nem.regions import NEM, REGIONS
from nem.windows import Window, floor

if TYPE_CHECKING:
    from cache_store.answer import Answer, Receipt

STEP = np.timedelta64(5, "m")
_MEASURES = ("rrp_sum", "priced_demand_mwh", "demand_value_aud")
_ASKED_AT_ONCE = timedelta(days=62)


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

    A long window is asked for month by month: what is settled of it stays in memory while time moves on.

    Raises:
        NothingHeldError: none of it is held.
    """
    question = Question("regional_price", window, "5min", measures=_MEASURES)
    parts: list[dict[str, RegionPrices]] = []
    receipts: list[Receipt] = []
    for piece in _pieces(window):
        answer = market.answer_beside(replace(question, window=piece))
        parts.append(_by_region(answer))
        receipts.append(answer.receipt)
    if not any(receipt.coverage for receipt in receipts):
        raise NothingHeldError(f"no price of {window} is held; {receipts[0].notes[0]}")
    return Intervals(_joined(parts), question, _one_receipt(receipts, window))


def _pieces(window: Window) -> list[Window]:
    if window.end - window.start <= _ASKED_AT_ONCE:
        return [window]
    pieces, start = [], window.start
    while start < window.end:
        month_after = floor(floor(start, "1M") + timedelta(days=32), "1M")
        end = min(window.end, month_after)
        pieces.append(Window(start, end))
        start = end
    return pieces


def _by_region(answer: Answer) -> dict[str, RegionPrices]:
    data = shape.columns(answer.table, ("interval_end", "region_id", *_MEASURES))
    known = ~np.isnan(data["rrp_sum"])
    held = {name: values[known] for name, values in data.items()}
    found = {}
    for region in REGIONS:
        mine = held["region_id"] == region
        if mine.any():
            found[region] = RegionPrices(
                held["interval_end"][mine].astype("M8[s]"),
                held["rrp_sum"][mine],
                held["priced_demand_mwh"][mine],
                held["demand_value_aud"][mine],
            )
    return found


def _joined(parts: Sequence[Mapping[str, RegionPrices]]) -> dict[str, RegionPrices]:
    found = {}
    for region in REGIONS:
        mine = [part[region] for part in parts if region in part]
        if mine:
            columns = (np.concatenate([getattr(one, name) for one in mine]) for name in RegionPrices.__slots__)
            found[region] = RegionPrices(*columns)
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


def _one_receipt(receipts: Sequence[Receipt], window: Window) -> Receipt:
    return replace(
        receipts[0],
        window=window,
        segments=tuple(segment for one in receipts for segment in one.segments),
        from_memory=all(one.from_memory for one in receipts),
        notes=tuple(dict.fromkeys(note for one in receipts for note in one.notes)),
    )


def runs(flags: shape.Array, ends: shape.Array) -> tuple[shape.Array, shape.Array]:
    """First and last place of every run of flagged intervals; a gap in time ends a run."""
    follows = np.concatenate([[False], np.diff(ends) == STEP])
    goes_on = flags & follows & np.concatenate([[False], flags[:-1]])
    ends_here = ~np.concatenate([goes_on[1:], [False]])
    return np.flatnonzero(flags & ~goes_on), np.flatnonzero(flags & ends_here)


def hours_of(intervals: float) -> float:
    """So many five-minute intervals, in hours."""
    return intervals / shape.PER_HOUR
