"""Price Analysis, first part: the price of every region on the hybrid axis, statistics, and the bands prices fall in."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from dashboard import markup
from dashboard.charts import Chart
from dashboard.layout import Text, View, card, grid
from dashboard.markup import Cell, Field, cell, dollars, number, of
from dashboard.palette import REGION_COLOURS
from dashboard.parts import region_cell, region_keys, region_label, region_row
from dashboard.price_charts import price_series
from dashboard.tables.price_series import PriceSeries
from dashboard.tables.statistics import Band


def _extreme(price: float | None, at: datetime | None) -> Cell:
    return (dollars(price) + (f"<small>{at:%d %b %Y %H:%M}</small>" if at else "")), price


_MARKET = "; for NEM, of the price weighted by demand in every interval"
COLUMNS: tuple[Field, ...] = (
    ("Region", "click a row to select it", lambda row: region_cell(row.region_id)),
    ("Mean", f"time-weighted: the mean of the 5-minute prices{_MARKET}", of(dollars, "twa_price")),
    (
        "Demand-wtd",
        "demand-weighted: price times demand energy, added up, over the demand energy that has a price",
        of(dollars, "demand_weighted_price"),
    ),
    ("Median", f"of the 5-minute prices, exact{_MARKET}", of(dollars, "median")),
    ("p5", "5 % of the 5-minute prices are below", of(dollars, "p5")),
    ("p95", "95 % of the 5-minute prices are below", of(dollars, "p95")),
    ("Std dev", "standard deviation of the 5-minute prices", of(dollars, "deviation")),
    (
        "Lowest",
        "lowest 5-minute price; beneath, when its interval ended",
        lambda row: _extreme(row.lowest, row.lowest_at),
    ),
    (
        "Highest",
        "highest 5-minute price; beneath, when its interval ended",
        lambda row: _extreme(row.highest, row.highest_at),
    ),
    (
        "Negative",
        "5-minute intervals below $0, and their share of those with a price",
        lambda row: (
            f"{number(row.negative_count)}<small>{markup.percent(row.negative_share)}</small>",
            row.negative_count,
        ),
    ),
    (
        "Longest run",
        "the longest unbroken run below $0",
        lambda row: (number(row.longest_negative_hours, ",.1f", " h"), row.longest_negative_hours),
    ),
    (
        "Cap payout",
        "what a $300 cap paid: the sum of (price - 300) x hours where the price is above 300, $ per MW",
        lambda row: (dollars(row.cap_payout_aud_per_mw, ",.0f"), row.cap_payout_aud_per_mw),
    ),
)
_BAND = (
    "half-open, from the lower bound to just below the upper: hours, share of the time, and what it adds to the mean"
)


def build() -> View:
    """The part, empty; its clicks reach the selection through the page."""
    lines, statistics, bands = Chart(), Text(), Text()

    def show(tables: PriceSeries) -> None:
        regions = [row.region_id for row in tables.statistics]
        head = markup.header("Spot price", "$/MWh", region_keys(regions, tables.shown, tables.selection.region))
        styles = {name: (region_label(name), REGION_COLOURS[name]) for name in tables.shown}
        cap = float(np.nanmax(tables.series["cap"], initial=1_000.0))
        ranged = bool((tables.series["lowest"] < tables.series["highest"]).any())
        form = {"regions": styles, "chosen": tables.selection.region, "cap": cap, "ranged": ranged}
        told = markup.receipt_line(tables.receipts[:1])
        lines.draw(head + _notes(tables), told, price_series, tables.series, **form)
        stretch = f"$/MWh, {markup.stretch(tables.window)}"
        told = markup.receipt_line(tables.receipts[1:])
        rows = [
            markup.told(COLUMNS, row, region_row(row.region_id, tables.selection.region)) for row in tables.statistics
        ]
        table = markup.sorted_table(COLUMNS, rows, "statistics prices")
        statistics.html = markup.header("Statistics", stretch) + table + told
        unit = "hours, share of the time, $/MWh added to the mean"
        bands.html = markup.header("Price bands", unit) + _bands(tables) + told

    return View(grid(lines.card, card(statistics), card(bands)), show)


def _notes(tables: PriceSeries) -> str:
    count = int(np.isfinite(tables.series["provisional"]).sum())
    if not count:
        return ""
    many = "points are" if count > 1 else "point is"
    return f'<p class="note warn">{count} {many} provisional: AEMO has not confirmed the price, or is reviewing it.</p>'


def _bands(tables: PriceSeries) -> str:
    priced = [row for row in tables.statistics if row.bands]
    if not priced:
        return f"<p>{markup.MISSING}</p>"
    heads = [("Region", ""), *((band.label, _BAND) for band in priced[0].bands), ("Mean", "the contributions added up")]
    rows = []
    for row in priced:
        mean = sum(band.contribution for band in row.bands)
        cells = [region_cell(row.region_id), *((_band(band), band.hours) for band in row.bands), cell(dollars, mean)]
        rows.append((region_row(row.region_id, tables.selection.region), cells))
    return markup.sorted_table(heads, rows, "bands")


def _band(band: Band) -> str:
    if not band.hours:
        return f'<span class="zero">{markup.MISSING}</span>'
    paid = "" if band.demand_value_aud is None else f"demand paid {markup.millions(band.demand_value_aud)} in it"
    return (
        f'<span title="{paid}">{number(band.hours, ",.1f", " h")}'
        f"<small>{markup.percent(band.share)}, adds {dollars(band.contribution)}</small></span>"
    )
