"""The average day: the stack and the price by time of day."""

from __future__ import annotations

from dashboard import markup
from dashboard.charts import Chart
from dashboard.layout import View, grid
from dashboard.palette import REGION_NAMES
from dashboard.stacks import DAY_TIMES, stack_over_price
from dashboard.tables.daytime import Daytime
from dashboard.views.generation import stack_form


def build() -> View:
    """The part, empty."""
    power = Chart()

    def show(tables: Daytime) -> None:
        shown = tables.stack
        unit = "mean MW" if shown.unit == "MW" else "% of the region's own supply"
        power.draw(
            markup.header(
                f"The average day, {REGION_NAMES[tables.selection.region]}", f"{unit} by half hour", _span(tables)
            ),
            _note(tables) + markup.receipt_line(tables.receipts),
            stack_over_price,
            shown.columns,
            **stack_form(shown, tables.selection.region, 460),
            when=DAY_TIMES,
        )

    return View(grid(power.card), show)


def _span(tables: Daytime) -> str:
    days = markup.number(tables.days, ",.0f" if tables.days >= 2 else ",.1f", " days")
    return f"<span>over <b>{days}</b></span><span>{markup.stretch(tables.window)}</span>"


def _note(tables: Daytime) -> str:
    if not tables.shortened:
        return ""
    return '<p class="note">The newest year of the range: half hours of more would be long in reading.</p>'
