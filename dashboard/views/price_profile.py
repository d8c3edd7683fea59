"""Price Analysis: the mean price by time of day, and every hour of every day as a map."""

from __future__ import annotations

from dashboard import markup
from dashboard.charts import Chart
from dashboard.layout import View, grid
from dashboard.palette import REGION_COLOURS, REGION_NAMES
from dashboard.parts import dash_key
from dashboard.price_charts import DAYS, HEAT, HEAT_EDGES, day_profile, hours_by_days
from dashboard.tables.price_profile import PriceProfile
from nem.regions import NEM

_LOW, _HIGH = (markup.dollars(price, ",.0f") for price in HEAT_EDGES)
_SCALE = (
    f'<span class="scale">{_LOW} and below<i style="background:linear-gradient(90deg,{",".join(HEAT)})"></i>'
    f"{_HIGH} and above</span>"
)


def build() -> View:
    """The part, empty."""
    lines, heat = Chart(), Chart()

    def show(tables: PriceProfile) -> None:
        how = "weighted by demand" if tables.selection.region == NEM else "mean of the 5-minute prices"
        colour = REGION_COLOURS[tables.selection.region]
        styles = {name: (label, colour, dash) for name, (label, dash) in DAYS.items()}
        head = markup.header(f"Price by time of day, {REGION_NAMES[tables.selection.region]}", f"$/MWh, {how}")
        told = markup.receipt_line(tables.receipts)
        head += dash_key(styles.values())
        lines.draw(head, told, day_profile, tables.profile, lines=styles, unit="$/MWh", number="$0,0")
        head = markup.header("Every hour of every day", "mean $/MWh", _SCALE)
        if tables.grid.size:
            days = tables.first_day, tables.grid.shape[1]
            heat.draw(head, told, hours_by_days, {"grid": tables.grid}, days=days, cap=tables.cap)
        else:
            heat.show(head, told)

    return View(grid(lines.card, heat.card), show)
