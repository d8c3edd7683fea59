"""The NEM Overview: a tile per region, the last 24 hours, the day in figures, renewable share, newest prices and flows."""

from __future__ import annotations

import math

from dashboard import markup
from dashboard.charts import Chart
from dashboard.data import LATE_MINUTES
from dashboard.definitions import RENEWABLE
from dashboard.layout import Text, View, card, grid
from dashboard.markup import gwh
from dashboard.palette import REGION_COLOURS, REGION_NAMES
from dashboard.stacks import stack_over_price
from dashboard.tables.overview import Overview, RecentPrices, Tile
from dashboard.tables.records import Record, Records
from dashboard.tables.supply import FuelRow
from dashboard.views.days import day_facts
from dashboard.views.generation import hide_swatch, stack_form, stack_note
from dashboard.views.links import flow_list, flow_map
from nem.regions import NEM

_MIX_WORDS = {"simplified": "Simplified", "detailed": "Detailed"}


def build() -> View:
    """The tab, empty; its clicks reach the selection through the page."""
    tiles, gauge, day, recent, flows = (Text() for _ in range(5))
    power, recent_card, flows_card = Chart(), card(recent), card(flows)

    def show(tables: Overview) -> None:
        tiles.html = _tiles(tables)
        _show_stack(power, tables)
        day.html = day_facts(tables.summary, tables.selection.region) + markup.receipt_line(tables.summary.receipts)
        gauge.html = _renewables(tables)
        recent.html = _latest(tables)
        # Without flows the prices take their place too.
        flows_card.visible = bool(tables.flows.links)
        recent_card.css_classes = ["card"] if flows_card.visible else ["card", "wide"]
        if flows_card.visible:
            prices = {tile.region_id: tile.price for tile in tables.tiles}
            told = flow_map(tables.flows, prices, tables.selection.region) + flow_list(tables.flows)
            flows.html = told + markup.receipt_line(tables.flows.receipts)

    cards = (card(tiles, kind="plain wide"), power.card, card(gauge), card(day, kind="wide"), recent_card, flows_card)
    return View(grid(*cards, kind="two-one"), show)


def _show_stack(power: Chart, tables: Overview) -> None:
    aside = f"<span>average price <b>{markup.dollars(tables.day_price)}</b>/MWh</span>"
    power.draw(
        markup.header(f"{REGION_NAMES[tables.selection.region]}, last 24 hours", "MW", aside),
        stack_note(tables.stack) + markup.receipt_line(tables.receipts[:2]),
        stack_over_price,
        tables.stack.columns,
        **stack_form(tables.stack, tables.selection.region, 480),
    )


def _tiles(tables: Overview) -> str:
    every = "".join(_tile(tile, tile.region_id == tables.selection.region) for tile in tables.tiles)
    receipt = markup.receipt_line((tables.receipts[0], tables.receipts[2]))
    return f'{_reach(tables)}<div class="tiles">{every}</div>{receipt}'


def _reach(tables: Overview) -> str:
    """Which lags, where generation and prices are not of one time."""
    apart = abs(tables.price_window.end - tables.window.end)
    if apart.total_seconds() / 60 <= LATE_MINUTES:
        return ""
    ends = [markup.moment(window.end) for window in (tables.price_window, tables.window)]
    return (
        f'<p class="notice" role="status">Prices and demand reach to {ends[0]}, generation to {ends[1]} NEM time: '
        "each is shown as far as it goes.</p>"
    )


def _tile(tile: Tile, chosen: bool) -> str:
    change = None if tile.price is None or tile.day_price is None else tile.price - tile.day_price
    direction = "" if change is None else "up" if change > 0 else "down"
    note = "demand-weighted" if tile.region_id == NEM else f"{tile.region_id}"
    return (
        f'<button class="tile{" chosen" if chosen else ""}" data-pick="region={tile.region_id}" aria-pressed="{str(chosen).lower()}">'
        f'<span class="name">{REGION_NAMES[tile.region_id]}<small>{note}</small></span>'
        f'<span class="price">{markup.dollars(tile.price)}<small>/MWh</small></span>{_trace(tile)}'
        f'<span class="line {direction}" title="against the mean of the last 24 hours">{_signed(change)} <small>vs 24 h average</small></span>'
        f'<span class="pair"><span>{markup.number(tile.demand_mw, unit=" MW")}<small>demand</small></span>'
        f'<span title="{RENEWABLE}">{markup.percent(tile.renewable_share, 0)}<small>renewable, 24 h</small></span></span></button>'
    )


def _signed(change: float | None) -> str:
    if change is None:
        return markup.MISSING
    return f"{'▲' if change > 0 else '▼'} {markup.dollars(abs(change))}"


def _trace(tile: Tile) -> str:
    """The day's prices as a thin line."""
    if len(tile.trace) < 2:
        return '<svg class="trace"></svg>'
    low, high = min(tile.trace), max(tile.trace)
    span = (high - low) or 1.0
    points = " ".join(
        f"{place * 100 / (len(tile.trace) - 1):.1f},{26 - (value - low) * 24 / span:.1f}"
        for place, value in enumerate(tile.trace)
    )
    colour = REGION_COLOURS[tile.region_id]
    return (
        '<svg class="trace" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">'
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5" vector-effect="non-scaling-stroke"/></svg>'
    )


def _renewables(tables: Overview) -> str:
    head = markup.header("Renewable share", REGION_NAMES[tables.selection.region])
    receipt = markup.receipt_line((*tables.receipts[:1], *tables.records.receipts))
    return head + _gauge(tables) + _records(tables.records) + _mix(tables) + receipt


def _gauge(tables: Overview) -> str:
    """Half a ring filled to the day's share, with a needle at the newest interval's."""
    day, now = tables.share_day, tables.share_now
    arc = f"M{_on_ring(0)} A80 80 0 0 1 "
    filled = f'<path class="filled" d="{arc}{_on_ring(day)}"/>' if day else ""
    needle = "" if now is None else f'<path class="needle" d="M{_on_ring(now, 66)} L{_on_ring(now, 94)}"/>'
    return (
        f'<div class="gauge" title="{RENEWABLE}"><svg viewBox="0 0 200 112" role="img" aria-label="renewable share {markup.percent(day)}">'
        f'<path class="ring" d="{arc}{_on_ring(1)}"/>{filled}{needle}'
        f'<text x="100" y="86" class="big">{markup.percent(day)}</text><text x="100" y="106" class="small">last 24 hours</text></svg>'
        f'<p><i class="tick"></i>newest interval <b>{markup.percent(now)}</b></p></div>'
    )


def _on_ring(share: float, radius: float = 80) -> str:
    angle = math.pi * (1 - min(max(share, 0.0), 1.0))
    return f"{100 + radius * math.cos(angle):.2f} {100 - radius * math.sin(angle):.2f}"


def _records(records: Records) -> str:
    """The highest shares there have been, each with when, and over which span."""
    hour = records.hour_of_day
    told = [
        ("Highest hour", records.hour, records.hours, "%d %b %Y, %H:%M"),
        (f"Highest {hour:02d}:00 to {(hour + 1) % 24:02d}:00", records.at_this_hour, records.hours, "%d %b %Y"),
        ("Highest day", records.day, records.days, "%d %b %Y"),
    ]
    rows = "".join(
        f'<li title="over whole hours and days with every input, from {span.start:%d %b %Y} on"><span>{name}</span>'
        f"<em>{_when(record, form)}</em><b>{markup.percent(record.share if record else None)}</b></li>"
        for name, record, span, form in told
    )
    spans = f"Hours since {records.hours.start:%d %b %Y}, days since {records.days.start:%d %b %Y}."
    return f'<ul class="mix records">{rows}</ul><p class="note">{spans}</p>'


def _when(record: Record | None, form: str) -> str:
    return f"{record.start:{form}}" if record else "inputs missing"


def _mix(tables: Overview) -> str:
    rows = "".join(map(_part, (row for row in tables.rows if row.band.kind != "exchange")))
    choice = markup.switch("Fuels", "grouping", _MIX_WORDS, tables.selection.grouping)
    return f'<div class="mix-head"><h3>Last 24 hours</h3>{choice}</div><ul class="mix">{rows}</ul>'


def _part(row: FuelRow) -> str:
    return (
        f"<li>{hide_swatch(row.band)}<span>{row.band.label}</span>"
        f"<em>{gwh(row.energy_mwh, ' GWh')}</em><b>{markup.percent(row.share)}</b></li>"
    )


def _latest(tables: Overview) -> str:
    head = markup.header("Latest prices", "$/MWh by settlement period, labelled at its end")
    note = "" if tables.flows.links else f'<p class="note">{tables.flows.why_none}</p>'
    return head + _recent(tables.recent) + note + markup.receipt_line(tables.receipts[2:])


def _recent(recent: RecentPrices) -> str:
    heads = [("Region", "")]
    heads += [(f"{end:%H:%M}", f"period ending {markup.moment(end)} NEM time") for end in recent.ends]
    heads += [("1 h", "mean of the last hour's 5-minute prices"), ("24 h", "mean of the last day's 5-minute prices")]
    rows = []
    for region, (prices, hour, day) in recent.rows.items():
        note = ' <small title="weighted by demand">demand-weighted</small>' if region == NEM else ""
        name = f"{markup.swatch(REGION_COLOURS[region])}{REGION_NAMES[region]}{note}"
        cells = [(name, region), *((_price(price), price) for price in (*prices, hour)), (f"<b>{_price(day)}</b>", day)]
        rows.append((f'class="{"total" if region == NEM else ""}"', cells))
    return markup.table(heads, rows, kind="prices")


def _price(price: float | None) -> str:
    kind = "" if price is None else "negative" if price < 0 else "high" if price >= 300 else ""
    return f'<span class="{kind}">{markup.dollars(price)}</span>'
