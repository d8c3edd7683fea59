"""Price Analysis: every unbroken run of high prices, drawn at its peak and listed."""

from __future__ import annotations

import numpy as np

from dashboard import markup
from dashboard.charts import Chart, milliseconds
from dashboard.layout import Text, View, card, grid
from dashboard.markup import Field, dollars, of
from dashboard.palette import REGION_COLOURS, REGION_NAMES
from dashboard.parts import region_cell
from dashboard.price_axis import heights
from dashboard.price_charts import event_marks
from dashboard.tables.price_events import PriceEvents
from dashboard.tables.shape import Columns


def _lasted(hours: float) -> str:
    minutes = round(hours * 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


MOST_ROWS = 500
COLUMNS: tuple[Field, ...] = (
    ("Region", "", lambda event: region_cell(event.region_id)),
    (
        "From",
        "start of the first 5-minute interval at $300 or more, NEM time",
        lambda event: (f"{event.interval_start:%d %b %Y %H:%M}", event.interval_start.isoformat()),
    ),
    ("Lasted", "without a break", of(_lasted, "hours")),
    (
        "Peak",
        "the highest 5-minute price; beneath, when its interval ended",
        lambda event: (f"{dollars(event.peak)}<small>{event.peak_at:%d %b %H:%M}</small>", event.peak),
    ),
    ("Mean", "of the event's 5-minute prices", of(dollars, "mean")),
    (
        "Cap payout",
        "the sum of (price - 300) x hours, $ per MW",
        lambda event: (dollars(event.cap_payout_aud_per_mw, ",.0f"), event.cap_payout_aud_per_mw),
    ),
    ("Demand paid", "price times the region's demand energy, added up", of(markup.millions, "demand_value_aud")),
)


def build() -> View:
    """The part, empty."""
    marks, table, table_receipt = Chart(), Text(), Text()

    def show(tables: PriceEvents) -> None:
        count = len(tables.events)
        hours = sum(event.hours for event in tables.events)
        aside = f"<span>{count:,} event{'' if count == 1 else 's'}, <b>{markup.number(hours, ',.1f', ' h')}</b></span>"
        head = markup.header(
            f"Prices of $300 and more, {REGION_NAMES[tables.selection.region]}", "$/MWh, at the peak", aside
        )
        told = markup.receipt_line(tables.receipts)
        if count:
            edges = (milliseconds(tables.window.start), milliseconds(tables.window.end))
            marks.draw(head, told, event_marks, _points(tables), window=edges, cap=tables.cap)
        else:
            marks.show(head, told)
        left = f", the {MOST_ROWS} dearest" if count > MOST_ROWS else ", dearest first"
        table.html = markup.header("Events", f"by what a $300 cap paid{left}") + _table(tables)
        table_receipt.html = told

    return View(grid(marks.card, card(table, table_receipt)), show)


def _points(tables: PriceEvents) -> Columns:
    events = tables.events
    return {
        "start": np.array([event.interval_start for event in events], "M8[ms]"),
        "end": np.array([event.interval_end for event in events], "M8[ms]"),
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
    rows = [markup.told(COLUMNS, event) for event in tables.events[:MOST_ROWS]]
    return markup.sorted_table(COLUMNS, rows, "statistics events", ' class="tall"')
