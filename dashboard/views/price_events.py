"""Price Analysis: every unbroken run of high prices, drawn at its peak and listed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from dashboard import markup
from dashboard.charts import milliseconds
from dashboard.layout import Text, View, card, chart, grid
from dashboard.palette import REGION_COLOURS, REGION_NAMES
from dashboard.price_axis import heights
from dashboard.price_charts import event_marks
from dashboard.tables.price_events import PriceEvent, PriceEvents
from dashboard.tables.shape import Columns
from dashboard.views.price_series import region_cell

MOST_ROWS = 500
HEADS = (
    ("Region", ""),
    ("From", "start of the first 5-minute interval at $300 or more, NEM time"),
    ("Lasted", "without a break"),
    ("Peak", "the highest 5-minute price; beneath, when its interval ended"),
    ("Mean", "of the event's 5-minute prices"),
    ("Cap payout", "the sum of (price - 300) x hours, $ per MW"),
    ("Demand paid", "price times the region's demand energy, added up"),
)


def build(_: Callable[..., None]) -> View:
    """The part, empty."""
    head, receipt, table, table_receipt = (Text() for _ in range(4))
    marks = chart()

    def show(tables: PriceEvents) -> None:
        count = len(tables.events)
        hours = sum(event.hours for event in tables.events)
        aside = f"<span>{count:,} event{'' if count == 1 else 's'}, <b>{markup.number(hours, ',.1f', ' h')}</b></span>"
        head.html = markup.header(
            f"Prices of $300 and more, {REGION_NAMES[tables.region]}", "$/MWh, at the peak", aside
        )
        edges = (milliseconds(tables.window.start), milliseconds(tables.window.end))
        draw = partial(event_marks, window=edges, cap=tables.cap)
        marks.model.visible = count > 0
        if count:
            marks.show((edges, tables.cap, tables.events), _points(tables), draw)
        receipt.html = markup.receipt_line(tables.receipts)
        left = f", the {MOST_ROWS} dearest" if count > MOST_ROWS else ", dearest first"
        table.html = markup.header("Events", f"by what a $300 cap paid{left}") + _table(tables)
        table_receipt.html = markup.receipt_line(tables.receipts)

    return View(grid(card(head, marks, receipt), card(table, table_receipt), kind="one"), show)


def _points(tables: PriceEvents) -> Columns:
    events = tables.events
    return {
        "start": np.array([event.start for event in events], "M8[ms]"),
        "end": np.array([event.end for event in events], "M8[ms]"),
        "region": np.array([event.region_id for event in events], object),
        "peak": np.array([event.peak for event in events]),
        "peak_y": heights(np.array([event.peak for event in events]), tables.cap),
        "minutes": np.array([event.hours * 60 for event in events]),
        "size": np.array([6 + 4 * np.sqrt(event.hours) for event in events]),
        "colour": np.array([REGION_COLOURS[event.region_id] for event in events], object),
    }


def _table(tables: PriceEvents) -> str:
    if not tables.events:
        return '<p class="note">No 5-minute price of the range is $300/MWh or more.</p>'
    rows = [("", _cells(event)) for event in tables.events[:MOST_ROWS]]
    return f'<nw-table class="tall">{markup.table(HEADS, rows, kind="statistics events")}</nw-table>'


def _cells(event: PriceEvent) -> list[tuple[str, object]]:
    return [
        region_cell(event.region_id),
        (f"{event.start:%d %b %Y %H:%M}", event.start.isoformat()),
        (_lasted(event.hours), event.hours),
        (f"{markup.dollars(event.peak)}<small>{event.peak_at:%d %b %H:%M}</small>", event.peak),
        (markup.dollars(event.mean), event.mean),
        (markup.dollars(event.cap_payout, ",.0f"), event.cap_payout),
        (markup.millions(event.demand_value_aud), event.demand_value_aud),
    ]


def _lasted(hours: float) -> str:
    minutes = round(hours * 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
