"""The average day: the stack and the price by time of day."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dashboard import markup
from dashboard.layout import Text, View, card, chart, grid
from dashboard.palette import REGION_NAMES
from dashboard.stacks import DAY_TIMES, stack_over_price
from dashboard.tables.daytime import Daytime
from dashboard.views.generation import price_label


def build(_: Callable[..., None]) -> View:
    """The view, empty."""
    head, receipt = Text(), Text()
    power = chart()

    def show(tables: Daytime) -> None:
        shown, label = tables.stack, price_label(tables.region)
        unit = "mean MW" if shown.unit == "MW" else "% of the region's own supply"
        head.html = markup.header(
            f"The average day, {REGION_NAMES[tables.region]}", f"{unit} by half hour", _span(tables)
        )
        draw = partial(stack_over_price, shown=shown, price_label=label, height=460, when=DAY_TIMES)
        power.show((shown.bands, shown.unit, label), shown.columns, draw)
        receipt.html = _note(tables) + markup.receipt_line(tables.receipts)

    return View(grid(card(head, power, receipt), kind="one"), show)


def _span(tables: Daytime) -> str:
    days = markup.number(tables.days, ",.0f" if tables.days >= 2 else ",.1f", " days")
    return f"<span>over <b>{days}</b></span><span>{markup.stretch(tables.window)}</span>"


def _note(tables: Daytime) -> str:
    if not tables.shortened:
        return ""
    return '<p class="note">The newest year of the range: half hours of more would be long in reading.</p>'
