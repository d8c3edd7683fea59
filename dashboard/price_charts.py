"""Bokeh figures of prices: the series and the duration curve on the hybrid axis, the day's profile, hours by days, events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    CustomJSTickFormatter,
    FixedTicker,
    LinearColorMapper,
    NoOverlap,
    Range1d,
    Scatter,
)
from bokeh.models.annotations import Label, Span
from bokeh.plotting import figure

from dashboard.charts import (
    Drawing,
    area,
    closed,
    frame,
    hover,
    line,
    milliseconds,
    numbers,
    plain,
    price_row,
    time_range,
    tip_row,
    tooltip,
)
from dashboard.palette import CAPACITY, PROVISIONAL
from dashboard.price_axis import KNEE, TICKS, ZERO, heights, ticks
from dashboard.tables.shape import Columns

_DAY_MS = 86_400_000
DAYS = {"all": ("All days", "solid"), "weekday": ("Weekdays", "dashed"), "weekend": ("Weekend", "dotted")}
# From a price below zero over the ordinary to the cap: distinct in lightness too, and on either page.
HEAT = [
    "#2A4BA0",
    "#3F6CC0",
    "#6C97D8",
    "#A9C6E8",
    "#DCE6EE",
    "#F2ECD9",
    "#F4DDA6",
    "#F1C36B",
    "#ECA24A",
    "#E37B38",
    "#D2512C",
    "#B22A2C",
    "#8A1535",
    "#5E0B3A",
]
HEAT_EDGES = (-150.0, 2_000.0)  # the prices of the first colour and the last


def hybrid(plot: figure, cap: float, prices: Sequence[int] = TICKS) -> None:
    """Make the y axis of ``plot`` the hybrid price axis up to ``cap``: what is drawn on it are heights."""
    marks = ticks(cap, prices)
    plot.y_range = Range1d(start=-0.012, end=1.02)
    plot.yaxis[0].ticker = FixedTicker(ticks=list(marks))
    labels: Any = marks
    plot.yaxis[0].major_label_overrides = labels
    plot.yaxis[0].major_label_policy = NoOverlap(min_distance=1)
    for where, dash in ((ZERO, "solid"), (KNEE, [2, 4])):
        plot.add_layout(Span(location=where, dimension="width", line_color=CAPACITY, line_width=0.8, line_dash=dash))


def _series_points(data: Columns, names: tuple[str, ...], cap: float) -> dict[str, Any]:
    """The columns to draw: true prices, and under ``<name>_y`` their heights."""
    drawn = closed(data)
    for name in (*names, "lowest", "highest", "cap"):
        drawn[f"{name}_y"] = heights(drawn[name], cap)
    # A mark stands in the middle of its bucket, and none on the closing point.
    middle = drawn["interval_start"] + (drawn["interval_end"] - drawn["interval_start"]) / 2
    marks = heights(drawn["provisional"], cap)
    if len(marks):
        marks[-1] = np.nan
    return {**drawn, "middle": middle, "provisional_y": marks}


def price_series(
    data: Columns, regions: Mapping[str, tuple[str, str]], chosen: str, cap: float, ranged: bool
) -> Drawing:
    """A step line per region (id to label and colour) on the hybrid axis, the chosen one in front of its own range.

    ``ranged`` is whether prices differ within a bucket.
    """
    points = partial(_series_points, names=tuple(regions), cap=cap)
    source = ColumnDataSource(points(data))
    plot = frame(time_range(data), 380, "0")
    hybrid(plot, cap)
    plot.y_range.update(end=1.07)  # room for the cap's label
    if chosen in regions:
        area(plot, source, "highest_y", regions[chosen][1], 0.16, bottom="lowest_y")
    for region in sorted(regions, key=lambda name: name == chosen):
        width, alpha = (2.0, 1.0) if region == chosen else (1.1, 0.75)
        line(plot, source, f"{region}_y", regions[region][1], line_width=width, line_alpha=alpha)
    line(plot, source, "cap_y", CAPACITY, line_width=1, line_dash=[5, 3])
    plot.add_layout(Span(location=0, dimension="width", line_color=CAPACITY, line_width=1, line_dash=[5, 3]))
    for where, text in ((1.0, f"cap ${cap:,.0f}"), (0.0, "floor \N{MINUS SIGN}$1,000")):
        plot.add_layout(_note(where, text))
    mark = Scatter(x="middle", y="provisional_y", size=5, marker="circle", line_color=PROVISIONAL, line_width=1.4)
    mark.fill_color = None
    plot.add_glyph(source, mark)
    rows = [price_row(label, region, colour) for region, (label, colour) in regions.items()]
    if ranged:
        rows += ["<hr>", *(price_row(name, name) for name in ("lowest", "highest"))]
    hover(plot, source, f"{chosen if chosen in regions else next(iter(regions))}_y", "".join(rows))
    return Drawing((plot,), source, points)


def _note(where: float, text: str) -> Label:
    return Label(
        x=6, x_units="screen", y=where, y_units="data", y_offset=2, text=text,
        text_font_size="10.5px", text_baseline="bottom",
    )  # fmt: skip


def duration(curves: Columns, lines: Mapping[str, tuple[str, str, str]], chosen: str, cap: float) -> Drawing:
    """A falling line per name (label, colour, dash): the price that was reached for a share of the time."""
    points = partial(_duration_points, names=tuple(lines), cap=cap)
    source = ColumnDataSource(points(curves))
    x_range = Range1d(start=0, end=1, bounds=(0, 1), min_interval=0.0005)
    plot = plain(x_range, 400)
    hybrid(plot, cap)
    plot.xaxis.formatter = numbers("0.[00]%")
    plot.xaxis.axis_label = "share of the time at or above the price"
    for name in sorted(lines, key=lambda one: one == chosen):
        _, colour, dash = lines[name]
        width = 2.2 if name == chosen else 1.4
        line(plot, source, f"{name}_y", colour, x="share", mode="before", line_width=width, line_dash=dash)
    rows = [price_row(label, name, colour) for name, (label, colour, _) in lines.items()]
    field = f"{chosen if chosen in lines else next(iter(lines))}_y"
    when = "@share{0.00%} of the time at or above"
    hover(plot, source, field, "".join(rows), when=when, edges=("from_share", "share"))
    return Drawing((plot,), source, points)


def _duration_points(curves: Columns, names: tuple[str, ...], cap: float) -> dict[str, Any]:
    before = np.concatenate([[0.0], curves["share"][:-1]])
    return {**curves, "from_share": before, **{f"{name}_y": heights(curves[name], cap) for name in names}}


def day_profile(profile: Columns, lines: Mapping[str, tuple[str, str, Any]], unit: str, number: str) -> Drawing:
    """A line per name (label, colour, dash) over the hours of a day."""
    source = ColumnDataSource(_slots(profile))
    x_range = Range1d(start=0, end=24, bounds=(0, 24), min_interval=1)
    plot = plain(x_range, 260)
    plot.yaxis[0].formatter = numbers(number)
    plot.yaxis[0].ticker = BasicTicker(desired_num_ticks=5)
    plot.add_layout(Span(location=0, dimension="width", line_color=CAPACITY, line_width=0.8))
    _clock_axis(plot.xaxis)
    plot.xaxis.axis_label = "time of day, NEM time (UTC+10)"
    for name, (_, colour, dash) in lines.items():
        line(plot, source, name, colour, x="hour", line_width=2.0 if dash == "solid" else 1.4, line_dash=dash)
    rows = [tip_row(label, name, "0,0.00", unit, colour) for name, (label, colour, _) in lines.items()]
    hover(plot, source, next(iter(lines)), "".join(rows), when="@clock", edges=("hour", "to_hour"))
    return Drawing((plot,), source, _slots)


def _slots(profile: Columns) -> dict[str, Any]:
    hours = profile["hour"]
    ends = np.concatenate([hours[1:], [24.0]])
    out: dict[str, Any] = {name: np.append(values, values[-1:]) for name, values in profile.items()}
    out["hour"] = np.append(hours, 24.0)
    out["to_hour"] = np.append(ends, 24.0)
    out["clock"] = [f"{_clock(start)} to {_clock(end)}" for start, end in zip(hours, ends, strict=True)] + [""]
    return out


def _clock(hours: float) -> str:
    return f"{int(hours):02}:{round(hours % 1 * 60):02}"


def _clock_axis(axis: Any) -> None:
    axis.ticker = FixedTicker(ticks=list(range(0, 25, 3)))
    axis.formatter = CustomJSTickFormatter(code="return `${String(tick).padStart(2, '0')}:00`")


def hours_by_days(data: Columns, days: tuple[np.datetime64, int], cap: float) -> Drawing:
    """Every hour of every day of ``data``'s ``grid``, midnight at the top, coloured by its price on the hybrid axis.

    ``days`` are the first and how many.
    """
    start, length = milliseconds(days[0]), days[1] * _DAY_MS
    points = partial(_cells, start=start, cap=cap)
    source = ColumnDataSource(points(data))
    x_range = Range1d(start=start, end=start + length, bounds=(start, start + length), min_interval=_DAY_MS)
    plot = frame(x_range, 300, "0")
    plot.y_range = Range1d(start=24, end=0)
    plot.ygrid.visible = False
    _clock_axis(plot.yaxis[0])
    low, high = heights(np.array(HEAT_EDGES), cap)
    mapper = LinearColorMapper(palette=list(HEAT), low=low, high=high, nan_color="rgba(0, 0, 0, 0)")
    canvas: Any = plot  # its stubs know no image of numbers
    image = canvas.image(
        image="heights", source=source, x=start, y=0, dw=length, dh=24, color_mapper=mapper, origin="bottom_left"
    )
    when = "@day{%a %d %b %Y}, @hour{00}:00 to the next hour"
    plot.add_tools(tooltip(image, when, price_row("Mean price", "price")))
    return Drawing((plot,), source, points)


def _cells(data: Columns, start: int, cap: float) -> dict[str, Any]:
    grid = data["grid"]
    places: Any = np.indices(grid.shape)
    hour, day = places
    shown = {"heights": heights(grid, cap), "price": grid, "hour": hour}
    return {"day": [start + day * float(_DAY_MS)]} | {name: [cells.astype("f4")] for name, cells in shown.items()}


def event_marks(events: Columns, window: tuple[int, int], cap: float) -> Drawing:
    """A disc per event at its start and its peak on the hybrid axis, as large as it was long."""
    source = ColumnDataSource(dict(events))
    x_range = Range1d(start=window[0], end=window[1], bounds=window, min_interval=3_600_000)
    plot = frame(x_range, 280, "0")
    hybrid(plot, cap)
    plot.y_range = Range1d(start=0.66, end=1.02)
    marks = Scatter(x="start", y="peak_y", size="size", marker="circle", fill_color="colour", fill_alpha=0.55)
    marks.line_color, marks.line_alpha = "colour", 0.9
    when = "@region, @start{%a %d %b %Y %H:%M} to @end{%H:%M}"
    rows = price_row("Peak", "peak") + tip_row("Lasted", "minutes", "0,0", "min")
    plot.add_tools(tooltip(plot.add_glyph(source, marks), when, rows))
    return Drawing((plot,), source, dict)
