"""Price Analysis, first part: a series per region, exact statistics, and the bands prices fall in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from operator import attrgetter

import numpy as np
import pyarrow as pa

from dashboard.data import Export, Market, Question, Selection, Tables, only, resolution_of
from dashboard.tables import shape
from dashboard.tables.intervals import five_minute_prices
from dashboard.tables.statistics import PriceStatistics, statistics
from nem.caps import price_cap
from nem.regions import NEM
from nem.windows import Window


@dataclass(frozen=True, slots=True)
class PriceSeries(Tables):
    """Prices over the selected range.

    ``series`` holds ``interval_start``, ``interval_end``, a column of mean $/MWh per region and NEM (weighted by
    demand), and of the selected region ``lowest`` and ``highest`` within each bucket (NaN for NEM), ``provisional``
    (the mean where AEMO may still change it) and ``cap``. ``shown`` are the regions to draw,
    ``receipts`` those of the series and of the five-minute prices.
    """

    window: Window
    shown: tuple[str, ...]
    series: shape.Columns
    statistics: tuple[PriceStatistics, ...]


def load(market: Market, selection: Selection) -> PriceSeries:
    """Every region's price over the range, and statistics of the five-minute prices themselves."""
    window = market.window("regional_price", selection)
    resolution = resolution_of(selection, window)
    asked = (
        Question("regional_price", window, resolution),
        Question("regional_price", window, resolution, only(NEM)),
    )
    series, whole = (market.answer(question) for question in asked)
    exact = five_minute_prices(market, window)
    found = price_series(series.table, whole.table, selection.region)
    told = tuple(statistics(region, prices) for region, prices in exact.regions.items())
    regions = tuple(row.region_id for row in told)
    names = ("interval_start", "interval_end", *(region for region in regions if region in found))
    make = partial(shape.arrow, {name: found[name] for name in names})
    drawn = Export("prices", "Spot price", asked, make, dict.fromkeys(regions, "$/MWh"))
    units = dict.fromkeys(_PRICES, "$/MWh")
    rows = Export("price-statistics", "Price statistics", (exact.question,), lambda: statistics_table(told), units)
    return PriceSeries(
        window=window,
        shown=shown_regions(selection, regions),
        series=found,
        statistics=told,
        selection=selection,
        receipts=(series.receipt, exact.receipt),
        exports=(drawn, rows),
    )


def shown_regions(selection: Selection, regions: tuple[str, ...]) -> tuple[str, ...]:
    """What is laid over what: the selected region and those chosen with it; all of them where none are."""
    wanted = {selection.region, *selection.regions} if selection.regions else {*regions, NEM}
    return tuple(region for region in regions if region in wanted)


def price_series(table: pa.Table, whole: pa.Table, region: str) -> shape.Columns:
    """The columns of ``PriceSeries.series``."""
    starts, ends, wide = shape.spread(table, "region_id", "twa_price")
    market = shape.columns(whole, ("interval_start", "demand_weighted_price"))
    wide[NEM] = shape.on(starts, market["interval_start"], market["demand_weighted_price"])
    for name, column in (("lowest", "rrp_min"), ("highest", "rrp_max")):
        wide[name] = shape.spread(table, "region_id", column)[2].get(region, np.full(len(starts), np.nan))
    review = shape.spread(table, "region_id", "provisional_count")[2]
    # Of the whole market, as soon as one region's is.
    open_counts = [review[region]] if region in review else list(review.values()) if region == NEM else []
    is_open = np.nansum([np.zeros(len(starts)), *open_counts], axis=0) > 0
    wide["provisional"] = np.where(is_open, wide.get(region, np.full(len(starts), np.nan)), np.nan)
    data = shape.break_gaps({"interval_start": starts, "interval_end": ends, **wide})
    days, place = np.unique(data["interval_start"].astype("M8[D]"), return_inverse=True)
    caps = np.array([price_cap(day) for day in days.tolist()], dtype=float)
    return {**data, "cap": caps[place]}


_BANDS = ("below_0", "0_300", "300_1000", "1000_up")  # in the order of `statistics.BANDS`
_PRICES = ("p5", "median", "p95", "deviation", "lowest", "highest", *(f"{band}_contribution" for band in _BANDS))


def statistics_table(rows: tuple[PriceStatistics, ...]) -> pa.Table:
    """The statistics and bands, a row per region."""
    bands = {
        f"{band}_{what}": partial(_of_band, place=place, what=what)
        for what in ("hours", "contribution")
        for place, band in enumerate(_BANDS)
    }
    return shape.listed(rows, *PriceStatistics.__slots__[1:-1], region_id=attrgetter("region_id"), **bands)


def _of_band(row: PriceStatistics, place: int, what: str) -> float | None:
    return getattr(row.bands[place], what) if row.bands else None
