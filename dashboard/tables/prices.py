"""The price statistics of the Price Analysis tab: series by region, and exact statistics of 5-minute prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from dashboard.data import Market, Selection, window_of
from dashboard.tables import shape
from nem.regions import NEM, REGIONS
from nem.windows import Window

if TYPE_CHECKING:
    import pyarrow as pa

    from cache_store.answer import Receipt

BANDS = {
    "below_0": "below $0",
    "0_300": "$0 to $300",
    "300_1000": "$300 to $1,000",
    "1000_up": "$1,000 and above",
}
_QUANTILES = {"p5": 0.05, "median": 0.5, "p95": 0.95}


@dataclass(frozen=True, slots=True)
class Band:
    """A half-open price band: hours in it, share of the priced time, and what it adds to the mean."""

    label: str
    hours: float
    share: float
    contribution: float


@dataclass(frozen=True, slots=True)
class PriceStatistics:
    """Statistics of one region's 5-minute prices; only the two means and demand exist for the whole market."""

    region_id: str
    twa_price: float | None
    demand_weighted_price: float | None
    demand_mwh: float | None
    p5: float | None = None
    median: float | None = None
    p95: float | None = None
    deviation: float | None = None
    lowest: tuple[float, datetime] | None = None
    highest: tuple[float, datetime] | None = None
    negative_share: float | None = None
    negative_hours: float | None = None
    longest_negative_hours: float | None = None
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices over the selected range: a series per region, and statistics per region and for the market."""

    region: str
    window: Window
    series: shape.Columns  # interval_start, interval_end and one column of $/MWh per region
    statistics: list[PriceStatistics]
    receipts: tuple[Receipt, ...]


def load(market: Market, selection: Selection) -> Prices:
    """Every region's price over the range; statistics from the 5-minute prices themselves."""
    window = window_of(selection, market.extent("regional_price"), market.clock)
    series = market.ask("regional_price", window)
    whole = market.ask("regional_price", window, filters={"region_id": [NEM]}, resolution=series.receipt.resolution)
    exact = market.ask("regional_price", window, resolution="5min")
    regions = [name for name in REGIONS if name in set(series.table["region_id"].to_pylist())]
    return Prices(
        region=selection.region,
        window=window,
        series=price_series(series.table, whole.table),
        statistics=[statistics(name, shape.where(exact.table, "region_id", [name])) for name in regions]
        + [_market_statistics(whole.table)],
        receipts=(series.receipt, exact.receipt),
    )


def price_series(table: pa.Table, whole: pa.Table) -> shape.Columns:
    """One column of mean price per region, and the demand-weighted one of the market."""
    starts, ends, wide = shape.spread(table, "region_id", "twa_price")
    market = shape.columns(whole, ("interval_start", "demand_weighted_price"))
    held = np.isin(market["interval_start"], starts)
    wide[NEM] = shape.on(starts, market["interval_start"][held], market["demand_weighted_price"][held].astype(float))
    return shape.break_gaps({"interval_start": starts, "interval_end": ends, **wide})


def statistics(region: str, table: pa.Table) -> PriceStatistics:
    """The statistics of one region from rows at 5 minutes, where ``rrp_sum`` is the price itself."""
    data = shape.columns(table)
    known = ~np.isnan(data["rrp_sum"].astype(float))
    rrp, ends = data["rrp_sum"].astype(float)[known], data["interval_end"][known]
    means = (shape.mean_price(data, region), shape.mean_price(data, NEM), shape.total(data["demand_mwh"].astype(float)))
    if not rrp.size:
        return PriceStatistics(region, *means)
    quantiles = dict(zip(_QUANTILES, map(float, np.quantile(rrp, list(_QUANTILES.values()))), strict=True))
    return PriceStatistics(
        region,
        *means,
        deviation=float(rrp.std()),
        lowest=(float(rrp.min()), ends[rrp.argmin()].astype("datetime64[s]").item()),
        highest=(float(rrp.max()), ends[rrp.argmax()].astype("datetime64[s]").item()),
        negative_share=float((rrp < 0).mean()),
        negative_hours=float((rrp < 0).sum() / 12),
        longest_negative_hours=longest_run(rrp < 0, ends) / 12,
        bands=bands(table),
        **quantiles,
    )


def _market_statistics(whole: pa.Table) -> PriceStatistics:
    data = shape.columns(whole)
    return PriceStatistics(NEM, None, shape.mean_price(data, NEM), shape.total(data["demand_mwh"].astype(float)))


def longest_run(flags: shape.Array, ends: shape.Array) -> int:
    """The most 5-minute intervals in a row that carry the flag; a gap in time ends a run."""
    longest = run = 0
    adjacent = np.concatenate([[False], np.diff(ends) == np.timedelta64(5, "m")])
    for flag, follows in zip(flags, adjacent, strict=True):
        run = (run if follows else 0) + 1 if flag else 0
        longest = max(longest, run)
    return longest


def bands(table: pa.Table) -> tuple[Band, ...]:
    """Hours, share and contribution of each band over the rows; the contributions add up to the mean price."""
    data = shape.columns(table)
    intervals = shape.total(data["interval_count"].astype(float))
    if not intervals:
        return ()
    found = []
    for name, label in BANDS.items():
        count = shape.total(data[f"band_{name}_count"].astype(float)) or 0.0
        paid = shape.total(data[f"band_{name}_rrp_sum"].astype(float)) or 0.0
        found.append(Band(label, count / 12, count / intervals, paid / intervals))
    return tuple(found)
