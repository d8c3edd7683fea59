"""The Price Analysis tab: the price series of every region, their statistics, and the bands they fall in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from dashboard import markup
from dashboard.charts import price_lines
from dashboard.layout import View, card, chart, grid
from dashboard.palette import REGION_COLOURS, REGION_NAMES
from dashboard.tables.prices import Band, Prices, PriceStatistics
from nem.regions import NEM

HEADS = (
    ("Region", ""),
    ("Mean", "time-weighted: mean of the 5-minute prices"),
    ("Demand-wtd", "price times demand energy, summed, over the sum of demand energy"),
    ("Median", "of the 5-minute prices, exact"),
    ("p5", "5 % of 5-minute prices are below"),
    ("p95", "95 % of 5-minute prices are below"),
    ("Std dev", "standard deviation of the 5-minute prices"),
    ("Lowest", "hover for when its interval ended"),
    ("Highest", "hover for when its interval ended"),
    ("Negative", "share of the time below $0"),
    ("Longest", "longest run below $0"),
)


def build(_: Callable[..., None]) -> View:
    """The tab, empty; its clicks reach the selection through the page."""
    head, receipt, statistics, statistics_receipt, bands, bands_receipt = (markup.pane() for _ in range(6))
    lines = chart()

    def show(tables: Prices) -> None:
        names = [name for name in REGION_NAMES if name in tables.series]
        head.object = markup.header("Spot price", "$/MWh", _legend(names, tables.region))
        styles = {name: (_name(name), REGION_COLOURS[name]) for name in names}
        lines.show(
            (tuple(names), tables.region), tables.series, partial(price_lines, regions=styles, chosen=tables.region)
        )
        receipt.object = markup.receipt_line(tables.receipts[:1])
        stretch = f"$/MWh, {markup.moment(tables.window.start)} to {markup.moment(tables.window.end)}"
        statistics.object = markup.header("Statistics", stretch) + _statistics(tables)
        statistics_receipt.object = markup.receipt_line(tables.receipts[1:])
        bands.object = markup.header("Price bands", "hours in each, and $/MWh they add to the mean") + _bands(tables)
        bands_receipt.object = markup.receipt_line(tables.receipts[1:])

    layout = grid(
        card(head, lines.pane, receipt, kind="wide"),
        card(statistics, statistics_receipt),
        card(bands, bands_receipt),
        kind="three-two",
    )
    return View(layout, show)


def _name(region: str) -> str:
    return "NEM (demand-weighted)" if region == NEM else region


def _legend(names: list[str], chosen: str) -> str:
    items = (
        f'<button class="key{" chosen" if name == chosen else ""}" data-pick="region={name}">'
        f"{markup.swatch(REGION_COLOURS[name])}{_name(name)}</button>"
        for name in names
    )
    return f'<span class="keys">{"".join(items)}</span>'


def _statistics(tables: Prices) -> str:
    rows = [(_row_class(row.region_id, tables.region), _statistics_cells(row)) for row in tables.statistics]
    return f"<nw-table>{markup.table(HEADS, rows, kind='prices')}</nw-table>"


def _row_class(region: str, chosen: str) -> str:
    kinds = [kind for kind, holds in (("total", region == NEM), ("chosen", region == chosen)) if holds]
    return f'class="{" ".join(kinds)}" data-pick="region={region}"'


def _statistics_cells(row: PriceStatistics) -> list[tuple[str, object]]:
    prices = (row.twa_price, row.demand_weighted_price, row.median, row.p5, row.p95, row.deviation)
    hours = row.longest_negative_hours
    return [
        (f"{markup.swatch(REGION_COLOURS[row.region_id])}{row.region_id}", row.region_id),
        *((markup.dollars(price), price) for price in prices),
        _extreme(row.lowest),
        _extreme(row.highest),
        (markup.percent(row.negative_share), row.negative_share),
        (markup.number(hours, ",.1f", " h"), hours),
    ]


def _extreme(found: tuple[float, datetime] | None) -> tuple[str, object]:
    if found is None:
        return markup.MISSING, None
    return f'<span title="interval ended {markup.moment(found[1])} NEM time">{markup.dollars(found[0])}</span>', found[
        0
    ]


def _bands(tables: Prices) -> str:
    priced = [row for row in tables.statistics if row.bands]
    if not priced:
        return f"<p>{markup.MISSING}</p>"
    heads = [
        ("Region", ""),
        *((band.label, "half-open: from the lower bound to just below the upper") for band in priced[0].bands),
        ("Mean", ""),
    ]
    rows = []
    for row in priced:
        cells: list[tuple[str, object]] = [
            (f"{markup.swatch(REGION_COLOURS[row.region_id])}{row.region_id}", row.region_id)
        ]
        cells += [(_band(band), band.hours) for band in row.bands]
        cells.append((markup.dollars(sum(band.contribution for band in row.bands)), None))
        rows.append((_row_class(row.region_id, tables.region), cells))
    return markup.table(heads, rows, kind="bands")


def _band(band: Band) -> str:
    if not band.hours:
        return f'<span class="zero">{markup.MISSING}</span>'
    return f"{markup.number(band.hours, ',.1f', ' h')}<small>{markup.dollars(band.contribution)}</small>"
