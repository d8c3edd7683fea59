"""Capacity factor by fuel over time: a line per band, and each band's factor over the range."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dashboard import markup
from dashboard.definitions import FACTOR
from dashboard.layout import Text, View, card, chart, grid
from dashboard.palette import REGION_NAMES
from dashboard.stacks import band_lines
from dashboard.tables.factors import Factors

HEADS = (
    (
        "Fuel",
        "storage has none: what it gives back it has drawn; nor has rooftop, whose capacity AEMO does not register",
    ),
    ("Capacity factor", FACTOR),
)
_TIP = "of all the capacity registered, whether or not it reported"


def build(_: Callable[..., None]) -> View:
    """The view, empty."""
    head, receipt, whole = (Text() for _ in range(3))
    lines = chart()

    def show(tables: Factors) -> None:
        head.html = markup.header(f"Capacity factor, {REGION_NAMES[tables.region]}", f"%, {_TIP}")
        lines.model.visible = bool(tables.bands)
        if tables.bands:
            lines.show(tables.bands, tables.columns, partial(band_lines, bands=tables.bands, height=460))
        none = "" if tables.bands else '<p class="note">No unit of known capacity is registered in this range.</p>'
        told = markup.receipt_line(tables.receipts)
        receipt.html = none + told
        when = markup.stretch(tables.window)
        whole.html = markup.header("Over the range", when) + _table(tables) + told

    return View(grid(card(head, lines, receipt), card(whole), kind="two-one"), show)


def _table(tables: Factors) -> str:
    rows = []
    for band in tables.bands:
        value = tables.whole[band.id]
        cells: list[tuple[str, object]] = [
            (f"{markup.swatch(band.colour)}{band.label}", band.label),
            (markup.bar(value, band.colour, markup.factor(value)), value),
        ]
        rows.append((f'data-band="{band.id}"', cells))
    return f"<nw-table>{markup.table(HEADS, rows, kind='fuels')}</nw-table>"
