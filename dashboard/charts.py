"""What every Bokeh figure of the tabs is made of: axes, steps, areas and tooltips.

A bucket is drawn from its start to its end, so every series ends with one closing point. Text, grid and background
come from the page's CSS variables (`--bk-*`), which is how one figure serves both themes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import (
    BasicTicker,
    Column,
    ColumnDataSource,
    CrosshairTool,
    CustomJS,
    CustomJSTicker,
    CustomJSTickFormatter,
    DatetimeTickFormatter,
    HoverTool,
    LinearAxis,
    NoOverlap,
    NumeralTickFormatter,
    Quad,
    Range1d,
    Step,
    VAreaStep,
)
from bokeh.models.annotations import Span
from bokeh.models.renderers import GlyphRenderer
from bokeh.plotting import figure

from dashboard.layout import WIDE, Text, card
from dashboard.palette import CAPACITY
from dashboard.tables.shape import Columns

TIP_STYLE = """<style>
:host{background:var(--card)!important;border:1px solid var(--line)!important;border-radius:8px;padding:8px 10px!important;opacity:.97!important;
  box-shadow:0 6px 20px rgb(0 0 0/.16)}
.bk-arrow{display:none}
.tip{font:12px/1.5 var(--font);font-variant-numeric:tabular-nums;color:var(--ink);min-width:200px}
.when{font-weight:650;margin-bottom:4px}
.row{display:grid;grid-template-columns:14px 1fr auto 44px;column-gap:4px;align-items:center}
i{width:9px;height:9px;border-radius:2px}
b{font-weight:600;text-align:right}
em{font-style:normal;color:var(--muted);font-size:11px}
hr{border:0;border-top:1px solid var(--line);margin:4px 0}
</style>"""
ZONE = "NEM time (UTC+10)"
WHEN = "@interval_start{%a %d %b %Y %H:%M} to @interval_end{%H:%M}"
_TIMES: Any = {f"@{name}": "datetime" for name in ("interval_start", "interval_end", "start", "end", "day")}
_MARGIN = 62  # of every figure's left side, so that stacked figures line up


@dataclass(frozen=True, slots=True)
class Drawing:
    """Figures, one under another, over one source and one x axis; ``points`` makes the source's columns of a tab's."""

    figures: tuple[figure, ...]
    source: ColumnDataSource
    points: Callable[[Columns], dict[str, Any]]


class Chart:
    """A card that stays in place: figures between the HTML above and the HTML below them."""

    def __init__(self) -> None:
        self._above, self._figures, self._below = Text(), Column(**WIDE), Text()
        self.card = card(self._above, self._figures, self._below)
        self._form: dict[str, Any] = {}
        self._drawing: Drawing | None = None

    def show(self, above: str, below: str) -> None:
        """Say what stands above and below no figure."""
        self._above.html, self._below.html, self._figures.visible = above, below, False

    def draw(self, above: str, below: str, make: Callable[..., Drawing], data: Columns, **form: Any) -> None:
        """Put ``data``'s points into the figures that ``make`` draws of it, anew where their ``form`` has changed."""
        self._above.html, self._below.html, self._figures.visible = above, below, True
        former = self._drawing
        if former and self._form == form:
            _show_points(former, data)
            return
        self._form, self._drawing = form, _lighten(make(data, **form))
        self._figures.children = [*self._drawing.figures]
        if former:
            former.source.destroy()  # its numbers would stay until garbage is looked for


def _show_points(drawing: Drawing, data: Columns) -> None:
    """Put new numbers into a drawing. A reader's zoom is kept unless the length of the range changed."""
    drawing.source.data = drawing.points(data)
    if "interval_start" not in data:  # its axis is no stretch of time, and stays
        return
    axis: Any = drawing.figures[0].x_range
    home, was = time_range(data), axis.bounds
    if (axis.start, axis.end) == tuple(was) or _length(home.bounds) != _length(was):
        axis.update(start=home.start, end=home.end)
    axis.update(bounds=home.bounds, reset_start=home.start, reset_end=home.end)


def _length(bounds: Any) -> float:
    return float(bounds[1] - bounds[0])


def closed(data: Columns) -> dict[str, Any]:
    """The columns with the last row repeated at its own end, for a step needs a point to end at.

    In single precision, seven digits: half of what a browser is sent, and of what a session keeps.
    """
    if not len(data["interval_start"]):
        return dict(data)
    out: dict[str, Any] = {
        name: np.append(values, values[-1:]).astype("f4" if values.dtype.kind == "f" else values.dtype)
        for name, values in data.items()
    }
    out["interval_start"][-1] = data["interval_end"][-1]
    for name in ("interval_start", "interval_end"):
        out[name] = out[name].astype("M8[ms]")
    return out


def time_range(data: Columns) -> Range1d:
    """The x axis from the first bucket's start to the last one's end."""
    if not len(data["interval_start"]):
        return Range1d(bounds=(0, 1))
    start, end = (milliseconds(data[name][place]) for name, place in (("interval_start", 0), ("interval_end", -1)))
    return Range1d(
        start=start, end=end, bounds=(start, end), min_interval=15 * 60_000, reset_start=start, reset_end=end
    )


def milliseconds(time: Any) -> int:
    """A time as axes count it."""
    return int(np.datetime64(time, "ms").astype(int))


def frame(x_range: Range1d, height: int, number: str, *, last: bool = True, monthly: bool = False) -> figure:
    """An empty figure over time; only the ``last`` of a pile carries the time axis, ticked by months alone if ``monthly``."""
    plot = plain(x_range, height)
    # Bokeh's own ticks of days begin anew with each month (1, 8, 15, 22, 1), and are thirteen models.
    plot.xaxis.ticker = CustomJSTicker(major_code=f"return nemwarm_ticks(cb_data.start, cb_data.end, {int(monthly)})")
    plot.xaxis.formatter = DatetimeTickFormatter(hours="%H:%M", days="%a %d %b", months="%b %Y", hourmin="%H:%M")
    plot.yaxis[0].formatter = numbers(number)  # not of the other, which is the right edge
    plot.yaxis[0].ticker = BasicTicker(desired_num_ticks=max(3, height // 60))
    plot.xaxis.visible = last
    if last:
        plot.xaxis.axis_label = ZONE
    plot.add_layout(Span(location=0, dimension="width", line_color=CAPACITY, line_width=0.8))
    return plot


def numbers(form: str) -> CustomJSTickFormatter:
    """Ticks in a numeral format, with the minus sign that tables have."""
    code = "return inner.doFormat([tick], { loc: 0 })[0].replace('-', '\N{MINUS SIGN}')"
    return CustomJSTickFormatter(args={"inner": NumeralTickFormatter(format=form)}, code=code)


def plain(x_range: Range1d, height: int) -> figure:
    """An empty figure as every one here looks."""
    plot = figure(height=height, x_range=x_range, sizing_mode="stretch_width", tools="xbox_zoom", toolbar_location=None)
    plot.update(
        min_border_left=_MARGIN,
        min_border_right=30,
        min_border_top=6,
        min_border_bottom=4,
        background_fill_alpha=0,
        border_fill_alpha=0,
        outline_line_alpha=0,
    )
    plot.xaxis.major_label_policy = NoOverlap(min_distance=8)
    plot.xgrid.grid_line_alpha = 0.5
    edge: Any = LinearAxis()
    edge.ticker = []
    plot.add_layout(edge, "right")
    for axis in plot.axis:
        axis.minor_tick_line_alpha, axis.major_tick_line_alpha = 0, 0
        axis.major_label_text_font_size = "11px"
    # The side axes' lines, in the card's colour, cover the frame's edge pixels: half covered there, every area under
    # another would show through.
    plot.xaxis.axis_line_alpha = 0
    plot.xaxis.axis_label_text_font_size, plot.xaxis.axis_label_text_font_style = "10px", "normal"
    plot.xaxis.axis_label_standoff = 2
    plot.js_on_event("doubletap", CustomJS(code="cb_obj.origin.reset.emit()"))
    return plot


def hover(
    plot: figure,
    source: ColumnDataSource,
    field: str,
    rows: str,
    cross: Span | None = None,
    when: str = WHEN,
    edges: tuple[str, str] = ("interval_start", "interval_end"),
) -> None:
    """A tooltip of HTML ``rows`` over every bucket that has ``field``, and a hair line, which a pile of figures shares.

    ``when`` words the bucket, which reaches from one of its ``edges`` to the other.
    """
    # Unseen bars catch the pointer: a step line has no test for it, and a bar is the bucket itself.
    left, right = edges
    bars = Quad(left=left, right=right, bottom=field, top=field, fill_color=None, line_color=None)
    tip = tooltip(plot.add_glyph(source, bars), when, rows)
    tip.mode = "vline"
    plot.add_tools(tip, CrosshairTool(overlay=cross or hair_line()))


def tooltip(drawn: GlyphRenderer[Any], when: str, rows: str) -> HoverTool:
    """What is told of whatever is ``drawn`` under the pointer, in HTML."""
    return HoverTool(
        renderers=[drawn],
        point_policy="follow_mouse",
        attachment="horizontal",
        tooltips=f"<div class='tip'>{TIP_STYLE}<div class='when'>{when}</div>{rows}</div>",
        formatters=_TIMES,
    )


def hair_line() -> Span:
    """The vertical line under the pointer."""
    return Span(dimension="height", line_color="#888888", line_width=1, line_dash="dotted")


def tip_row(label: str, field: str, number: str, unit: str, colour: str = "transparent") -> str:
    """One row of a tooltip: a swatch, a name, a number with its unit."""
    return f"<div class='row'><i style='background:{colour}'></i><span>{label}</span><b>@{{{field}}}{{{number}}}</b><em>{unit}</em></div>"


def price_row(label: str, field: str, colour: str = "transparent") -> str:
    """A row of a tooltip that tells a price."""
    return tip_row(label, field, "0,0.00", "$/MWh", colour)


def area(
    plot: figure, source: ColumnDataSource, top: Any, colour: str, alpha: float = 1, bottom: str | float = 0
) -> None:
    """Fill from ``bottom`` to ``top``, in steps."""
    # Not plot.varea_step(): it makes two more glyphs of each, for selections there never are.
    glyph = VAreaStep(x="interval_start", y1=bottom, y2=top, step_mode="after", fill_color=colour, fill_alpha=alpha)
    plot.add_glyph(source, glyph)


def line(plot: figure, source: ColumnDataSource, field: Any, colour: str, **style: Any) -> None:
    """A step line of ``field``; over time, unless ``style`` says what else."""
    step = {"x": "interval_start", "mode": "after", "line_width": 1.5, **style}
    plot.add_glyph(source, Step(y=field, line_color=colour, **step))


def _lighten(drawing: Drawing) -> Drawing:
    """``drawing`` with one view and one time ticker instead of one per glyph and figure: it is a session's memory."""
    models: Any = set().union(*(one.references() for one in drawing.figures))
    glyphs = [one for one in models if isinstance(one, GlyphRenderer)]
    axes = [one for one in models if isinstance(one, LinearAxis) and isinstance(one.ticker, CustomJSTicker)]
    for glyph in glyphs[1:]:
        glyph.view = glyphs[0].view
    for axis in axes[1:]:
        axis.ticker = axes[0].ticker
    return drawing


def drawn(data: Columns, filled: tuple[str, ...]) -> dict[str, Any]:
    """The columns to draw: an area cannot break, so in a gap it falls to zero while the lines stop."""
    return closed({name: np.nan_to_num(values) if name in filled else values for name, values in data.items()})
