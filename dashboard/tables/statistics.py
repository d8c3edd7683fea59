"""Statistics of five-minute prices, each exact: nothing is averaged before it is counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from dashboard.tables import shape
from dashboard.tables.intervals import RegionPrices, hours_of, runs
from nem.regions import NEM

CAP_STRIKE = 300.0
# Half-open and exhaustive: a price of exactly 300 is in the third.
BANDS = {
    "below $0": (-np.inf, 0.0),
    "$0 to $300": (0.0, 300.0),
    "$300 to $1,000": (300.0, 1_000.0),
    "$1,000 and above": (1_000.0, np.inf),
}


@dataclass(frozen=True, slots=True)
class Band:
    """A price band: hours in it, share of the priced time, what it adds to the mean, and what demand paid in it."""

    label: str
    hours: float
    share: float
    contribution: float
    demand_value_aud: float | None


@dataclass(frozen=True, slots=True)
class PriceStatistics:
    """Of one region's five-minute prices; the whole market's price is weighted by demand in every interval.

    Prices are $/MWh, times are the labels of their intervals. All but the region is None without a price.
    """

    region_id: str
    interval_count: int = 0
    twa_price: float | None = None
    demand_weighted_price: float | None = None
    p5: float | None = None
    median: float | None = None
    p95: float | None = None
    deviation: float | None = None
    lowest: float | None = None
    lowest_at: datetime | None = None
    highest: float | None = None
    highest_at: datetime | None = None
    negative_count: int | None = None
    negative_share: float | None = None
    longest_negative_hours: float | None = None
    cap_payout_aud_per_mw: float | None = None
    bands: tuple[Band, ...] = ()


def statistics(region: str, prices: RegionPrices) -> PriceStatistics:
    """The statistics of one region."""
    rrp = prices.rrp
    if not rrp.size:
        return PriceStatistics(region)
    p5, median, p95 = map(float, np.quantile(rrp, [0.05, 0.5, 0.95]))
    first, last = runs(rrp < 0, prices.ends)
    return PriceStatistics(
        region,
        interval_count=len(rrp),
        twa_price=float(rrp.mean()),
        demand_weighted_price=shape.ratio(shape.total(prices.value_aud), shape.total(prices.demand_mwh)),
        p5=p5,
        median=median,
        p95=p95,
        deviation=float(rrp.std()),
        lowest=float(rrp.min()),
        lowest_at=prices.ends[rrp.argmin()].item(),
        highest=float(rrp.max()),
        highest_at=prices.ends[rrp.argmax()].item(),
        negative_count=int((rrp < 0).sum()),
        negative_share=float((rrp < 0).mean()),
        longest_negative_hours=hours_of(int((last - first).max()) + 1) if first.size else 0.0,
        # A cap is on a region's price: there is none on the market's.
        cap_payout_aud_per_mw=None if region == NEM else hours_of(float(np.maximum(rrp - CAP_STRIKE, 0).sum())),
        bands=tuple(_band(label, *edges, prices) for label, edges in BANDS.items()),
    )


def _band(label: str, low: float, high: float, prices: RegionPrices) -> Band:
    inside = (prices.rrp >= low) & (prices.rrp < high)
    return Band(
        label,
        hours=hours_of(int(inside.sum())),
        share=float(inside.mean()),
        contribution=float(prices.rrp[inside].sum() / len(prices.rrp)),
        demand_value_aud=shape.total(prices.value_aud[inside]),
    )
