"""Price Analysis: duration curves of regions, and of the selected one over another period."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from dashboard import markup
from dashboard.layout import Text, View, card, chart, grid
from dashboard.palette import REGION_COLOURS
from dashboard.parts import compare_bar, region_keys, region_label
from dashboard.price_charts import duration
from dashboard.tables.price_duration import COMPARED, SHARES, PriceDuration
from dashboard.views.price_series import region_cell, row_attributes

_TIP = "the price that was reached or passed for that share of the 5-minute intervals: one of them, never between two"


def build(_: Callable[..., None]) -> View:
    """The part, empty."""
    head, receipt, levels = (Text() for _ in range(3))
    lines = chart()

    def show(tables: PriceDuration) -> None:
        regions = [name for name in tables.curves if name not in {"share", COMPARED}]
        head.html = (
            markup.header("Price-duration curve", "$/MWh", region_keys(regions, tables.shown, tables.region))
            + compare_bar(tables.comparison, tables.wanted_comparison or tables.window, nothing="Nothing")
            + _note(tables)
        )
        styles: dict[str, tuple[str, str, Any]] = {
            name: (region_label(name), REGION_COLOURS[name], "solid") for name in tables.shown
        }
        if COMPARED in tables.curves:
            styles[COMPARED] = (f"{tables.region}, compared", REGION_COLOURS[tables.region], [5, 3])
        form = (tuple(styles), tables.region, tables.cap)
        lines.show(form, tables.curves, partial(duration, lines=styles, chosen=tables.region, cap=tables.cap))
        receipt.html = markup.receipt_line(tables.receipts)
        reached = markup.header("Levels", "$/MWh reached for a share of the time") + _levels(tables)
        levels.html = reached + receipt.html

    return View(grid(card(head, lines, receipt), card(levels), kind="one"), show)


def _note(tables: PriceDuration) -> str:
    if tables.comparison == "":
        return ""
    found = tables.compared_window
    if found is None:
        return f'<p class="note warn">Nothing is held of the period to compare with, {tables.wanted_comparison}.</p>'
    part = "" if found == tables.wanted_comparison else ", all that is held of it"
    return f'<p class="note">Dashed: {tables.region} from {markup.stretch(found)}{part}.</p>'


def _levels(tables: PriceDuration) -> str:
    heads = [
        ("Region", ""),
        *((f"{share:.1%}".replace(".0%", "%"), _TIP) for share in SHARES),
        ("Intervals", "with a price"),
    ]
    rows = []
    for name in (*tables.shown, *([COMPARED] if COMPARED in tables.curves else [])):
        reached = [tables.levels[name].get(share) for share in SHARES]
        first = region_cell(name) if name != COMPARED else (f"{tables.region}, compared", name)
        cells: list[tuple[str, object]] = [first, *((markup.dollars(price), price) for price in reached)]
        cells.append((markup.number(tables.interval_counts[name]), tables.interval_counts[name]))
        rows.append(("" if name == COMPARED else row_attributes(name, tables.region), cells))
    return f"<nw-table>{markup.table(heads, rows, kind='statistics')}</nw-table>"
