"""Station Analysis: a station by time of day, and its capacity factor month by month."""

from __future__ import annotations

import numpy as np

from dashboard import markup
from dashboard.charts import Chart
from dashboard.layout import View, grid
from dashboard.palette import EDGES, fuel_colour
from dashboard.parts import dash_key
from dashboard.price_charts import DAYS, day_profile
from dashboard.station_charts import factors_by_month
from dashboard.tables.station_patterns import StationPatterns
from dashboard.views.station_output import station_head


def build() -> View:
    """The part, empty."""
    profile, months = Chart(), Chart()

    def show(tables: StationPatterns) -> None:
        chosen = tables.chosen
        colour = fuel_colour(chosen.fuel_id)
        edge = EDGES.get(chosen.fuel_id, colour)
        lines = {name: (label, edge, dash) for name, (label, dash) in DAYS.items()}
        if np.any(np.nan_to_num(tables.profile["charge"]) != 0):
            lines["charge"] = ("Drawn", colour, "solid")
        profile.draw(
            station_head(chosen, "mean MW by time of day") + dash_key(lines.values()),
            markup.receipt_line(tables.receipts[:1]),
            day_profile,
            tables.profile,
            lines=lines,
            unit="MW",
            number="0,0",
        )
        found = tables.months["capacity_factor"]
        span = float(np.nanmin(found, initial=0.0)), float(np.nanmax(found, initial=0.0))
        months.draw(
            markup.header("Capacity factor by month", "paler where only part of the month is held"),
            markup.receipt_line(tables.receipts[1:]),
            factors_by_month,
            tables.months,
            colour=colour,
            edge=edge,
            span=span,
        )

    return View(grid(profile.card, months.card), show)
