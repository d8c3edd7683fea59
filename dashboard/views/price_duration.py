"""Price Analysis: duration curves of regions, and of the selected one over another period."""

from __future__ import annotations

from typing import Any

from dashboard import markup
from dashboard.charts import Chart
from dashboard.layout import Text, View, card, grid
from dashboard.markup import cell
from dashboard.palette import REGION_COLOURS
from dashboard.parts import compare_bar, region_cell, region_keys, region_label, region_row
from dashboard.price_charts import duration
from dashboard.tables.price_duration import COMPARED, SHARES, PriceDuration

_TIP = "the price that was reached or passed for that share of the 5-minute intervals: one of them, never between two"


def build() -> View:
    """The part, empty."""
    lines, levels = Chart(), Text()

    def show(tables: PriceDuration) -> None:
        regions = [name for name in tables.curves if name not in {"share", COMPARED}]
        head = (
            markup.header("Price-duration curve", "$/MWh", region_keys(regions, tables.shown, tables.selection.region))
            + compare_bar(tables.selection.compare, tables.wanted_comparison or tables.window, nothing="Nothing")
            + _note(tables)
        )
        styles: dict[str, tuple[str, str, Any]] = {
            name: (region_label(name), REGION_COLOURS[name], "solid") for name in tables.shown
        }
        if COMPARED in tables.curves:
            styles[COMPARED] = (f"{tables.selection.region}, compared", REGION_COLOURS[tables.selection.region], [5, 3])
        told = markup.receipt_line(tables.receipts)
        lines.draw(head, told, duration, tables.curves, lines=styles, chosen=tables.selection.region, cap=tables.cap)
        levels.html = markup.header("Levels", "$/MWh reached for a share of the time") + _levels(tables) + told

    return View(grid(lines.card, card(levels)), show)


def _note(tables: PriceDuration) -> str:
    if tables.selection.compare == "":
        return ""
    found = tables.compared_window
    if found is None:
        return f'<p class="note warn">Nothing is held of the period to compare with, {tables.wanted_comparison}.</p>'
    part = "" if found == tables.wanted_comparison else ", all that is held of it"
    return f'<p class="note">Dashed: {tables.selection.region} from {markup.stretch(found)}{part}.</p>'


def _levels(tables: PriceDuration) -> str:
    heads = [
        ("Region", ""),
        *((f"{share:.1%}".replace(".0%", "%"), _TIP) for share in SHARES),
        ("Intervals", "with a price"),
    ]
    rows = []
    for name in (*tables.shown, *([COMPARED] if COMPARED in tables.curves else [])):
        first = region_cell(name) if name != COMPARED else (f"{tables.selection.region}, compared", name)
        reached = [cell(markup.dollars, tables.levels[name].get(share)) for share in SHARES]
        attributes = "" if name == COMPARED else region_row(name, tables.selection.region)
        rows.append((attributes, [first, *reached, cell(markup.number, tables.interval_counts[name])]))
    return markup.sorted_table(heads, rows, "statistics")
