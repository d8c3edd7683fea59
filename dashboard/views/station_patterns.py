"""Station Analysis: a station by time of day, and its capacity factor month by month."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from dashboard import markup
from dashboard.layout import Text, View, card, chart, grid
from dashboard.palette import EDGES, fuel_colour
from dashboard.parts import dash_key
from dashboard.price_charts import DAYS, day_profile
from dashboard.station_charts import factors_by_month
from dashboard.tables.station_patterns import StationPatterns
from dashboard.views.station_output import station_head


def build(_: Callable[..., None]) -> View:
    """The part, empty."""
    head, receipt, months_head, months_receipt = (Text() for _ in range(4))
    profile, months = chart(), chart()

    def show(tables: StationPatterns) -> None:
        chosen = tables.chosen
        head.html = station_head(chosen, "mean MW by time of day")
        for one in (profile, months):
            one.model.visible = chosen is not None
        months_head.html = markup.header("Capacity factor by month", "paler where only part of the month is held")
        receipt.html = markup.receipt_line(tables.receipts[:1])
        months_receipt.html = markup.receipt_line(tables.receipts[1:] or tables.receipts)
        if chosen is None:
            return
        colour = fuel_colour(chosen.fuel_id)
        edge = EDGES.get(chosen.fuel_id, colour)
        lines = {name: (label, edge, dash) for name, (label, dash) in DAYS.items()}
        if np.any(np.nan_to_num(tables.profile["charge"]) != 0):
            lines["charge"] = ("Drawn", colour, "solid")
        head.html += dash_key(lines.values())
        draw = partial(day_profile, lines=lines, unit="MW", number="0,0")
        profile.show((tuple(lines), colour, tables.slot_hours), tables.profile, draw)
        months.show(
            (colour, len(tables.months["interval_start"])),
            tables.months,
            partial(factors_by_month, colour=colour, edge=edge),
        )

    return View(grid(card(head, profile, receipt), card(months_head, months, months_receipt), kind="one"), show)
