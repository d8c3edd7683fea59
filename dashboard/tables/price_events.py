"""Price Analysis: unbroken runs of high prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from dashboard.data import Export, Market, Selection, Tables
from dashboard.tables import shape
from dashboard.tables.intervals import RegionPrices, five_minute_prices, hours_of, runs
from dashboard.tables.statistics import CAP_STRIKE
from nem.caps import price_cap
from nem.regions import NEM
from nem.windows import INTERVAL, Window


@dataclass(frozen=True, slots=True)
class PriceEvent:
    """Intervals in a row at 300 $/MWh or more; its edges are those of the first and the last.

    ``peak_at`` is the label of the highest; ``cap_payout_aud_per_mw`` what a 300 $ cap paid, $ per MW.
    """

    region_id: str
    interval_start: datetime
    interval_end: datetime
    hours: float
    peak: float
    peak_at: datetime
    mean: float
    cap_payout_aud_per_mw: float
    demand_value_aud: float | None


@dataclass(frozen=True, slots=True)
class PriceEvents(Tables):
    """Every event of the selected region, or of all regions, dearest first."""

    window: Window
    events: tuple[PriceEvent, ...]
    cap: float


def load(market: Market, selection: Selection) -> PriceEvents:
    """The events of the range; for NEM those of each region, for an event is of a region's own price."""
    window = market.window("regional_price", selection)
    exact = five_minute_prices(market, window)
    found = [
        event
        for region, prices in exact.regions.items()
        if region != NEM and selection.region in {NEM, region}
        for event in high_price_events(region, prices)
    ]
    events = tuple(
        sorted(found, key=lambda event: (-event.cap_payout_aud_per_mw, event.interval_start, event.region_id))
    )
    make = partial(shape.listed, events, *PriceEvent.__slots__)
    units = {"peak": "$/MWh", "mean": "$/MWh"}
    return PriceEvents(
        window=window,
        events=events,
        cap=price_cap(window.end.date()),
        selection=selection,
        receipts=(exact.receipt,),
        exports=(Export("price-events", "High-price events", (exact.question,), make, units),),
    )


def high_price_events(region: str, prices: RegionPrices) -> list[PriceEvent]:
    """The runs of ``prices`` at or above the strike, in time order."""
    found = []
    for first, last in zip(*runs(prices.rrp >= CAP_STRIKE, prices.ends), strict=True):
        inside = slice(first, last + 1)
        rrp, ends = prices.rrp[inside], prices.ends[inside]
        found.append(
            PriceEvent(
                region,
                interval_start=ends[0].item() - INTERVAL,
                interval_end=ends[-1].item(),
                hours=hours_of(len(rrp)),
                peak=float(rrp.max()),
                peak_at=ends[rrp.argmax()].item(),
                mean=float(rrp.mean()),
                cap_payout_aud_per_mw=hours_of(float((rrp - CAP_STRIKE).sum())),
                demand_value_aud=shape.total(prices.value_aud[inside]),
            )
        )
    return found
