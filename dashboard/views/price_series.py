"""Price Analysis, first part: the price of every region on the hybrid axis, statistics, and the bands prices fall in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import numpy as np

from dashboard import markup
from dashboard.layout import Text, View, card, chart, grid
from dashboard.palette import REGION_COLOURS
from dashboard.parts import region_keys, region_label
from dashboard.price_charts import price_series
from dashboard.tables.price_series import PriceSeries
from dashboard.tables.statistics import Band, PriceStatistics
from nem.regions import NEM

_MARKET = "; for NEM, of the price weighted by demand in every interval"
HEADS = (
    ("Region", "click a row to select it"),
    ("Mean", f"time-weighted: the mean of the 5-minute prices{_MARKET}"),
    ("Demand-wtd", "demand-weighted: price times demand energy, added up, over the demand energy that has a price"),
    ("Median", f"of the 5-minute prices, exact{_MARKET}"),
    ("p5", "5 % of the 5-minute prices are below"),
    ("p95", "95 % of the 5-minute prices are below"),
    ("Std dev", "standard deviation of the 5-minute prices"),
    ("Lowest", "lowest 5-minute price; beneath, when its interval ended"),
    ("Highest", "highest 5-minute price; beneath, when its interval ended"),
    ("Negative", "5-minute intervals below $0, and their share of those with a price"),
    ("Longest run", "the longest unbroken run below $0"),
    ("Cap payout", "what a $300 cap paid: the sum of (price - 300) x hours where the price is above 300, $ per MW"),
)
_BAND = (
    "half-open, from the lower bound to just below the upper: hours, share of the time, and what it adds to the mean"
)


def build(_: Callable[..., None]) -> View:
    """The part, empty; its clicks reach the selection through the page."""
    head, receipt, statistics, bands = (Text() for _ in range(4))
    lines = chart()

    def show(tables: PriceSeries) -> None:
        regions = [row.region_id for row in tables.statistics]
        head.html = markup.header("Spot price", "$/MWh", region_keys(regions, tables.shown, tables.region)) + _notes(
            tables
        )
        styles = {name: (region_label(name), REGION_COLOURS[name]) for name in tables.shown}
        cap = float(np.nanmax(tables.series["cap"], initial=1_000.0))
        form = (tables.shown, tables.region, cap, bool(np.isfinite(tables.series["lowest"]).any()))
        lines.show(form, tables.series, partial(price_series, regions=styles, chosen=tables.region, cap=cap))
        receipt.html = markup.receipt_line(tables.receipts[:1])
        stretch = f"$/MWh, {markup.stretch(tables.window)}"
        told = markup.receipt_line(tables.receipts[1:])
        statistics.html = markup.header("Statistics", stretch) + _statistics(tables) + told
        unit = "hours, share of the time, $/MWh added to the mean"
        bands.html = markup.header("Price bands", unit) + _bands(tables) + told

    return View(grid(card(head, lines, receipt), card(statistics), card(bands), kind="one"), show)


def _notes(tables: PriceSeries) -> str:
    count = int(np.isfinite(tables.series["provisional"]).sum())
    if not count:
        return ""
    many = "points are" if count > 1 else "point is"
    return f'<p class="note warn">{count} {many} provisional: AEMO has not confirmed the price, or is reviewing it.</p>'


def _statistics(tables: PriceSeries) -> str:
    rows = [(row_attributes(row.region_id, tables.region), _cells(row)) for row in tables.statistics]
    return f"<nw-table>{markup.table(HEADS, rows, kind='statistics prices')}</nw-table>"


def row_attributes(region: str, chosen: str) -> str:
    """A table row that selects its region when clicked."""
    kinds = [kind for kind, holds in (("total", region == NEM), ("chosen", region == chosen)) if holds]
    return f'class="{" ".join(kinds)}" data-pick="region={region}"'


def _cells(row: PriceStatistics) -> list[tuple[str, object]]:
    prices = (row.twa_price, row.demand_weighted_price, row.median, row.p5, row.p95, row.deviation)
    count, hours, payout = row.negative_count, row.longest_negative_hours, row.cap_payout_aud_per_mw
    return [
        region_cell(row.region_id),
        *((markup.dollars(price), price) for price in prices),
        _extreme(row.lowest),
        _extreme(row.highest),
        (f"{markup.number(count)}<small>{markup.percent(row.negative_share)}</small>", count),
        (markup.number(hours, ",.1f", " h"), hours),
        (markup.dollars(payout, ",.0f"), payout),
    ]


def region_cell(region: str) -> tuple[str, object]:
    """A region's colour and name."""
    return f"{markup.swatch(REGION_COLOURS[region])}{region}", region


def _extreme(found: tuple[float, datetime] | None) -> tuple[str, object]:
    if found is None:
        return markup.MISSING, None
    return f"{markup.dollars(found[0])}<small>{found[1]:%d %b %Y %H:%M}</small>", found[0]


def _bands(tables: PriceSeries) -> str:
    priced = [row for row in tables.statistics if row.bands]
    if not priced:
        return f"<p>{markup.MISSING}</p>"
    heads = [("Region", ""), *((band.label, _BAND) for band in priced[0].bands), ("Mean", "the contributions added up")]
    rows = []
    for row in priced:
        mean = sum(band.contribution for band in row.bands)
        cells = [region_cell(row.region_id), *((_band(band), band.hours) for band in row.bands)]
        rows.append((row_attributes(row.region_id, tables.region), [*cells, (markup.dollars(mean), mean)]))
    return f"<nw-table>{markup.table(heads, rows, kind='bands')}</nw-table>"


def _band(band: Band) -> str:
    if not band.hours:
        return f'<span class="zero">{markup.MISSING}</span>'
    paid = "" if band.demand_value_aud is None else f"demand paid {markup.millions(band.demand_value_aud)} in it"
    return (
        f'<span title="{paid}">{markup.number(band.hours, ",.1f", " h")}'
        f"<small>{markup.percent(band.share)}, adds {markup.dollars(band.contribution)}</small></span>"
    )
