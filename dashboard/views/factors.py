"""Capacity factor by fuel over time: a line per band, and each band's factor over the range."""

from __future__ import annotations

from dashboard import markup
from dashboard.charts import Chart
from dashboard.definitions import FACTOR
from dashboard.layout import Text, View, card, grid
from dashboard.markup import Field
from dashboard.palette import REGION_NAMES
from dashboard.stacks import band_lines
from dashboard.tables.factors import Factors

_NONE_OF = "storage has none: what it gives back it has drawn; nor has rooftop, whose capacity AEMO does not register"
_TIP = "of all the capacity registered, whether or not it reported"


def build() -> View:
    """The part, empty."""
    lines, whole = Chart(), Text()

    def show(tables: Factors) -> None:
        head = markup.header(f"Capacity factor, {REGION_NAMES[tables.selection.region]}", f"%, {_TIP}")
        told = markup.receipt_line(tables.receipts)
        if tables.bands:
            lines.draw(head, told, band_lines, tables.columns, bands=tables.bands)
        else:
            lines.show(head, f'<p class="note">No unit of known capacity is registered in this range.</p>{told}')
        whole.html = markup.header("Over the range", markup.stretch(tables.window)) + _table(tables) + told

    return View(grid(lines.card, card(whole), kind="two-one"), show)


def _table(tables: Factors) -> str:
    columns: list[Field] = [
        ("Fuel", _NONE_OF, lambda band: markup.named(band.colour, band.label)),
        (
            "Capacity factor",
            FACTOR,
            lambda band: markup.cell(
                lambda share: markup.bar(share, band.colour, markup.factor(share)), tables.whole[band.id]
            ),
        ),
    ]
    rows = [markup.told(columns, band, f'data-band="{band.id}"') for band in tables.bands]
    return markup.sorted_table(columns, rows, "fuels")
