"""Price Analysis: the mean price by time of day, and every hour of every day as a map."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dashboard import markup
from dashboard.layout import Text, View, card, chart, grid, pile
from dashboard.palette import REGION_COLOURS, REGION_NAMES
from dashboard.parts import dash_key
from dashboard.price_charts import DAYS, HEAT, day_profile, heat_edges, hours_by_days
from dashboard.tables.price_profile import PriceProfile
from nem.regions import NEM


def build(_: Callable[..., None]) -> View:
    """The part, empty."""
    head, receipt, map_head, map_receipt = (Text() for _ in range(4))
    lines, heat = chart(), pile()

    def show(tables: PriceProfile) -> None:
        how = "weighted by demand" if tables.region == NEM else "mean of the 5-minute prices"
        colour = REGION_COLOURS[tables.region]
        styles = {name: (label, colour, dash) for name, (label, dash) in DAYS.items()}
        head.html = markup.header(f"Price by time of day, {REGION_NAMES[tables.region]}", f"$/MWh, {how}") + dash_key(
            styles.values()
        )
        draw = partial(day_profile, lines=styles, unit="$/MWh", number="$0,0")
        lines.show((tables.region, tables.slot_hours), tables.profile, draw)
        receipt.html = markup.receipt_line(tables.receipts)
        map_head.html = markup.header("Every hour of every day", "mean $/MWh", _scale(tables.cap))
        heat.children = [hours_by_days(tables.first_day, tables.grid, tables.cap)] if tables.grid.size else []
        map_receipt.html = markup.receipt_line(tables.receipts)

    return View(grid(card(head, lines, receipt), card(map_head, heat, map_receipt), kind="one"), show)


def _scale(cap: float) -> str:
    low, high = (markup.dollars(price, ",.0f") for price in heat_edges(cap))
    return (
        f'<span class="scale">{low} and below<i style="background:linear-gradient(90deg,'
        f'{",".join(HEAT)})"></i>{high} and above</span>'
    )
