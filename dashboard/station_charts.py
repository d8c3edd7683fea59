"""Bokeh figures of a station: its power over its region's price, and its capacity factor by month."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, DatetimeTickFormatter, Quad, Range1d
from bokeh.models.annotations import Span

from dashboard.charts import Drawing, area, closed, frame, hair_line, hover, line, price_row, time_range, tip_row
from dashboard.palette import CAPACITY, PRICE
from dashboard.price_axis import FEW_TICKS, heights
from dashboard.price_charts import hybrid
from dashboard.tables.shape import Columns

_FILLED = ("mean_mw", "charge_mw")


def _power_points(data: Columns, cap: float) -> dict[str, Any]:
    # An area cannot break: in a gap it falls to zero while the lines stop.
    filled = {f"{name}_area": np.nan_to_num(data[name]) for name in _FILLED}
    return closed({**data, **filled, "price_y": heights(data["price"], cap)})


def power_over_price(data: Columns, colour: str, edge: str, cap: float, charges: bool) -> Drawing:
    """A station's power under its capacity line, charging below zero, and its region's price beneath."""
    points = partial(_power_points, cap=cap)
    source, x_range, cross = ColumnDataSource(points(data)), time_range(data), hair_line()
    plot = frame(x_range, 310, "0,0", last=False)
    for name, alpha in (("mean_mw_area", 0.85), ("charge_mw_area", 0.5)):
        area(plot, source, name, colour, alpha)
    line(plot, source, "capacity_mw", CAPACITY, line_dash=[5, 3], line_width=1.3)
    for name in _FILLED:
        line(plot, source, name, edge, line_width=1)
    rows = [tip_row("Output", "mean_mw", "0,0.0", "MW", colour)]
    rows += [tip_row("Drawn", "charge_mw", "0,0.0", "MW", colour)] if charges else []
    rows += [tip_row("Capacity", "capacity_mw", "0,0.0", "MW", CAPACITY)]
    price = price_row("Price", "price", PRICE)
    hover(plot, source, "mean_mw", "".join([*rows, price]), cross)
    strip = frame(x_range, 170, "0")
    hybrid(strip, cap, FEW_TICKS)
    line(strip, source, "price_y", PRICE)
    hover(strip, source, "price_y", price, cross)
    return Drawing((plot, strip), source, points)


def _month_points(months: Columns) -> dict[str, Any]:
    alpha = np.where(months["is_whole"], 0.9, 0.45)
    times = {name: months[name].astype("M8[ms]") for name in ("interval_start", "interval_end")}
    return {**months, **times, "alpha": alpha}


def factors_by_month(months: Columns, colour: str, edge: str, span: tuple[float, float]) -> Drawing:
    """A bar per month as high as its capacity factor, paler where only part of it is held; all are within ``span``."""
    source = ColumnDataSource(_month_points(months))
    plot = frame(time_range(months), 260, "0%", monthly=True)
    plot.xaxis.formatter = DatetimeTickFormatter(days="%b %Y", months="%b %Y", years="%b %Y")
    plot.add_layout(Span(location=1, dimension="width", line_color=CAPACITY, line_width=1, line_dash=[5, 3]))
    plot.y_range = Range1d(start=span[0], end=max(span[1] * 1.1, 0.1))
    bars = Quad(left="interval_start", right="interval_end", bottom=0, top="capacity_factor", line_color=edge)
    bars.fill_color, bars.fill_alpha, bars.line_width = colour, "alpha", 1
    plot.add_glyph(source, bars)
    rows = tip_row("Capacity factor", "capacity_factor", "0.0%", "", colour)
    hover(plot, source, "capacity_factor", rows + tip_row("Energy", "energy_mwh", "0,0", "MWh"))
    return Drawing((plot,), source, _month_points)
