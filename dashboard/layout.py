"""What a tab's module builds, and the pieces every tab is laid out from.

They are Bokeh's models as they are: a pane of Panel's around each was a third of a session's memory.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from html import escape, unescape
from typing import Any

from bokeh.models import Column, LayoutDOM
from panel.models.markup import HTML

from dashboard.charts import Drawing, lighten, show_points
from dashboard.markup import asset, sheet
from dashboard.tables.shape import Columns


@dataclass(frozen=True, slots=True)
class View:
    """A built tab: its layout, which stays, and ``show``, which puts the tab's tables into it."""

    layout: LayoutDOM
    show: Callable[[Any], None]


class Text:
    """A piece of HTML in the dashboard's style, changed by setting ``html``."""

    __slots__ = ("model",)

    def __init__(self) -> None:
        made: Any = HTML
        self.model = made(disable_math=True, stylesheets=[sheet(asset("parts.css"))], **_WIDE)

    @property
    def html(self) -> str:
        """What it says."""
        return unescape(self.model.text)

    @html.setter
    def html(self, html: str) -> None:
        self.model.text = escape(html)  # as Panel's model wants it


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart that stays in place: ``show(form, data, draw)`` changes its points, and draws anew when its form changed."""

    model: Column
    show: Callable[[Hashable, Columns, Callable[[Columns], Drawing]], None]


Part = LayoutDOM | Text | Chart
_WIDE: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0, "min_width": 0}


def card(*parts: Part, kind: str = "") -> Column:
    """A panel of the page around its parts."""
    return pile(*parts, classes=["card", *kind.split()])


def grid(*cards: Column, kind: str) -> Column:
    """Cards side by side where there is room; ``kind`` names their proportions."""
    return pile(*cards, classes=["grid", kind])


def pile(*parts: Part, classes: list[str] | None = None) -> Column:
    """Parts one under another."""
    models: list[Any] = [part if isinstance(part, LayoutDOM) else part.model for part in parts]
    return Column(children=models, css_classes=classes or [], stylesheets=[sheet(asset("cards.css"))], **_WIDE)


def chart() -> Chart:
    """An empty chart."""
    model = Column(**_WIDE)
    last: dict[str, Any] = {}

    def show(form: Hashable, data: Columns, draw: Callable[[Columns], Drawing]) -> None:
        if last.get("form") == form:
            show_points(last["drawing"], data)
        else:
            former = last.get("drawing")
            last.update(form=form, drawing=lighten(draw(data)))
            model.children = [*last["drawing"].figures]
            if former:
                former.source.destroy()  # its numbers would stay until garbage is looked for

    return Chart(model, show)
