"""Bokeh figures of the power tabs: the stack over its price strip, a line per band, and a panel per interconnector."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, Quad, Range1d, VStrip
from bokeh.plotting import figure
from bokeh.transform import stack

from dashboard.bands import Band
from dashboard.charts import (
    WHEN,
    Drawing,
    area,
    closed,
    drawn,
    frame,
    hair_line,
    hover,
    line,
    price_row,
    time_range,
    tip_row,
)
from dashboard.palette import AT_LIMIT, CAPACITY, DEMAND, FLOW, PRICE, PROVISIONAL
from dashboard.tables.shape import Columns

NUMBERS = {"MW": "0,0", "MWh": "0,0", "GWh": "0,0.0", "%": "0,0.0"}
DAY_TIMES = "@interval_start{%H:%M} to @interval_end{%H:%M}"


def stack_over_price(
    data: Columns,
    *,
    bands: Sequence[Band],
    unit: str,
    price_label: str,
    height: int,
    when: str = WHEN,
    top_range: tuple[float, float] | None = None,
) -> Drawing:
    """A stack with its demand line, and beneath it a price strip on the same time axis.

    Buckets that are partial or provisional are hatched. ``top_range`` fixes the y axis, ``when`` words the tooltip's time.
    """
    names = tuple(band.id for band in bands)
    points = partial(_stack_points, filled=names)
    source, x_range, cross = ColumnDataSource(points(data)), time_range(data), hair_line()
    number = NUMBERS[unit]
    plot = frame(x_range, height, "0,0" if unit != "%" else "0", last=False)
    if span := top_range or ((0, 100) if unit == "%" else None):
        plot.y_range = Range1d(start=span[0], end=span[1])
    _paint(plot, source, bands)
    rows = [tip_row(band.label, band.id, number, unit, band.colour) for band in reversed(bands)]
    if unit != "%":
        line(plot, source, "demand", "#FFFFFF", line_width=3, line_alpha=0.7)  # a rim, to be seen on every fuel
        line(plot, source, "demand", DEMAND, line_width=1.25)
        rows += ["<hr>", tip_row("Supply", "supply", number, unit)]
        rows.append(tip_row("Demand", "demand", number, unit, DEMAND))
    rows.append(price_row(price_label, "price", PRICE))
    hover(plot, source, "supply", "".join(rows), cross, when)
    strip = frame(x_range, 130, "$0,0")
    line(strip, source, "price", PRICE)
    line(strip, source, "unconfirmed", PROVISIONAL, line_width=4, line_alpha=0.8)
    hover(strip, source, "price", price_row(price_label, "price", PRICE), cross, when)
    for each in (plot, strip):
        _hatch(each, source)
        if when == DAY_TIMES:
            each.xaxis.formatter.update(days="%H:%M", hours="%H:%M", months="%H:%M")
    return Drawing((plot, strip), source, points)


def _paint(plot: figure, source: ColumnDataSource, bands: Sequence[Band]) -> None:
    for below in (True, False):
        side = [band for band in bands if band.below_zero == below]
        if below:
            side.reverse()
        # Painted from the outermost inwards, each down to zero: neighbours that only touched would show a seam.
        for count in range(len(side), 0, -1):
            edge = stack(*(band.id for band in side[:count]))
            area(plot, source, edge, side[count - 1].colour)
            if outline := side[count - 1].edge:
                line(plot, source, edge, outline, line_width=0.75)


def _stack_points(data: Columns, filled: tuple[str, ...]) -> dict[str, Any]:
    points = drawn(data, filled)
    # Hatched from here on; a strip that has no start is not drawn.
    start = points["interval_start"].astype(float)
    points["marked"] = np.where(points["marked"] > 0, start, np.nan)
    return points


def _hatch(plot: figure, source: ColumnDataSource) -> None:
    """Lines over the buckets that are ``marked``."""
    strip = VStrip(x0="marked", x1="interval_end", fill_alpha=0, line_alpha=0)
    strip.update(hatch_pattern="/", hatch_color=CAPACITY, hatch_alpha=0.55, hatch_scale=8, hatch_weight=1)
    plot.add_glyph(source, strip)


def band_lines(data: Columns, bands: Sequence[Band]) -> Drawing:
    """A step line per band, in percent."""
    source = ColumnDataSource(closed(data))
    plot = frame(time_range(data), 460, "0")
    for band in reversed(bands):
        line(plot, source, band.id, band.edge or band.colour, line_width=1.75)
    rows = [tip_row(band.label, band.id, "0.0", "%", band.colour) for band in bands]
    hover(plot, source, bands[0].id, "".join(rows))
    return Drawing((plot,), source, closed)


def flow_panels(data: Columns, links: Sequence[tuple[str, str, str]]) -> Drawing:
    """A panel per interconnector (id, name, tooltip's words for forward): flow between its limits, red while at one."""
    points = partial(drawn, filled=tuple(f"{link}.{part}" for link, _, _ in links for part in ("flow", "at")))
    source, x_range, cross = ColumnDataSource(points(data)), time_range(data), hair_line()
    figures = []
    for place, (link, name, direction) in enumerate(links):
        last = place == len(links) - 1
        plot = frame(x_range, 144 if last else 120, "0,0", last=last)
        plot.left[0].update(axis_label=name, axis_label_text_font_size="11px", axis_label_text_font_style="normal")
        area(plot, source, f"{link}.flow", FLOW, 0.55)
        red = Quad(left="interval_start", right="interval_end", bottom=0, top=f"{link}.at", line_color=None)
        red.update(fill_color=AT_LIMIT, fill_alpha=0.75)
        plot.add_glyph(source, red)
        line(plot, source, f"{link}.flow", FLOW, line_width=1)
        for side in ("forward", "reverse"):
            line(plot, source, f"{link}.{side}", CAPACITY, line_dash=[5, 3], line_width=1.2)
        rows = [
            tip_row(direction, f"{link}.flow", "0,0", "MW", FLOW),
            tip_row("Limit", f"{link}.forward", "0,0", "MW", CAPACITY),
            tip_row("Limit, other way", f"{link}.reverse", "0,0", "MW", CAPACITY),
        ]
        hover(plot, source, f"{link}.flow", "".join(rows), cross)
        figures.append(plot)
    return Drawing(tuple(figures), source, points)
