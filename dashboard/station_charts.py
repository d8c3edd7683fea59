"""Bokeh figures of a station: its power over its region's price, and its capacity factor by month."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, DatetimeTickFormatter, Quad, Range1d
from bokeh.models.annotations import Span

from dashboard.charts import Drawing, area, closed, frame, hair_line, hover, line, time_range, tip_row
from dashboard.palette import CAPACITY, PRICE
from dashboard.price_axis import FEW_TICKS, heights
from dashboard.price_charts import hybrid
from dashboard.tables.shape import Columns

_FILLED = ("mean_mw", "charge_mw")


def _power_points(data: Columns, cap: float) -> dict[str, Any]:
    # An area cannot break: in a gap it falls to zero while the lines stop.
    filled = {f"{name}_area": np.nan_to_num(data[name]) for name in _FILLED}
    return closed({**data, **filled, "price_y": heights(data["price"], cap)})


def power_over_price(data: Columns, colour: str, edge: str, cap: float, *, height: int = 310) -> Drawing:
    """A station's power under its capacity line, charging below zero, and its region's price beneath."""
    points = partial(_power_points, cap=cap)
    source, x_range, cross = ColumnDataSource(points(data)), time_range(data), hair_line()
    plot = frame(x_range, height, "0,0", last=False)
    for name, alpha in (("mean_mw_area", 0.85), ("charge_mw_area", 0.5)):
        area(plot, source, name, colour, alpha)
    line(plot, source, "capacity_mw", CAPACITY, line_dash=[5, 3], line_width=1.3)
    for name in _FILLED:
        line(plot, source, name, edge, line_width=1)
    charges = bool(np.any(np.nan_to_num(data["charge_mw"]) != 0))
    rows = [tip_row("Output", "mean_mw", "0,0.0", "MW", colour)]
    rows += [tip_row("Drawn", "charge_mw", "0,0.0", "MW", colour)] if charges else []
    rows += [tip_row("Capacity", "capacity_mw", "0,0.0", "MW", CAPACITY)]
    hover(plot, source, "mean_mw", "".join([*rows, tip_row("Price", "price", "0,0.00", "$/MWh", PRICE)]), cross)
    strip = frame(x_range, 170, "0")
    hybrid(strip, cap, FEW_TICKS)
    line(strip, source, "price_y", PRICE)
    hover(strip, source, "price_y", tip_row("Price", "price", "0,0.00", "$/MWh", PRICE), cross)
    return Drawing((plot, strip), source, x_range, points)


def _month_points(months: Columns) -> dict[str, Any]:
    alpha = np.where(months["is_whole"], 0.9, 0.45)
    times = {name: months[name].astype("M8[ms]") for name in ("interval_start", "interval_end")}
    return {**months, **times, "alpha": alpha}


def factors_by_month(months: Columns, colour: str, edge: str, *, height: int = 260) -> Drawing:
    """A bar per month as high as its capacity factor, paler where only part of it is held."""
    source, x_range = ColumnDataSource(_month_points(months)), time_range(months)
    plot = frame(x_range, height, "0%", monthly=True)
    plot.xaxis.formatter = DatetimeTickFormatter(days="%b %Y", months="%b %Y", years="%b %Y")
    plot.add_layout(Span(location=1, dimension="width", line_color=CAPACITY, line_width=1, line_dash=[5, 3]))
    top = float(np.nanmax(months["capacity_factor"], initial=0.0))
    plot.y_range = Range1d(
        start=min(0.0, float(np.nanmin(months["capacity_factor"], initial=0.0))), end=max(top * 1.1, 0.1)
    )
    bars = Quad(left="interval_start", right="interval_end", bottom=0, top="capacity_factor", line_color=edge)
    bars.fill_color, bars.fill_alpha, bars.line_width = colour, "alpha", 1
    plot.add_glyph(source, bars)
    rows = tip_row("Capacity factor", "capacity_factor", "0.0%", "", colour) + tip_row(
        "Energy", "energy_mwh", "0,0", "MWh"
    )
    hover(plot, source, "capacity_factor", rows, hair_line())
    return Drawing((plot,), source, x_range, _month_points)
