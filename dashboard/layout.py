"""What a tab's module builds, and the pieces every tab is laid out from."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import panel as pn
from bokeh.layouts import column

from dashboard.charts import Drawing, lighten, show_points
from dashboard.markup import asset
from dashboard.tables.shape import Columns


@dataclass(frozen=True, slots=True)
class View:
    """A built tab: its layout, which stays, and ``show``, which puts the tab's tables into it."""

    layout: pn.viewable.Viewable
    show: Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart that stays in place: ``show(form, data, draw)`` changes its points, and draws anew when its form changed."""

    pane: pn.pane.Bokeh
    show: Callable[[Hashable, Columns, Callable[[Columns], Drawing]], None]


def card(*parts: pn.viewable.Viewable, kind: str = "") -> pn.Column:
    """A panel of the page around its parts."""
    return _column(parts, ["card", *kind.split()])


def grid(*cards: pn.viewable.Viewable, kind: str) -> pn.Column:
    """Cards side by side where there is room; ``kind`` names their proportions."""
    return _column(cards, ["grid", kind])


def _column(parts: tuple[pn.viewable.Viewable, ...], classes: list[str]) -> pn.Column:
    return pn.Column(
        *parts, css_classes=classes, stylesheets=[asset("cards.css")], sizing_mode="stretch_width", margin=0
    )


def chart() -> Chart:
    """An empty chart."""
    # A new drawing goes into this column, past Panel: to replace a pane's object it looks through all models several times.
    drawn = column(sizing_mode="stretch_width", spacing=0)
    pane = pn.pane.Bokeh(drawn, sizing_mode="stretch_width", margin=0)
    last: dict[str, Any] = {}

    def show(form: Hashable, data: Columns, draw: Callable[[Columns], Drawing]) -> None:
        if last.get("form") == form:
            show_points(last["drawing"], data)
        else:
            last.update(form=form, drawing=lighten(draw(data)))
            drawn.children = [*last["drawing"].figures]

    return Chart(pane, show)
