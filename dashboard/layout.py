"""What a part's module builds, and the pieces it is laid out from.

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
    """What is built of a tab, or of one of its parts: a layout that stays, and ``show``, which puts tables into it."""

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


_WIDE: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0, "min_width": 0}


def card(*parts: LayoutDOM | Text, kind: str = "") -> Column:
    """A panel of the page around its parts."""
    return pile(*parts, classes=["card", *kind.split()])


def grid(*cards: Column, kind: str = "one") -> Column:
    """Cards side by side where there is room; ``kind`` names their proportions."""
    return pile(*cards, classes=["grid", kind])


def pile(*parts: LayoutDOM | Text, classes: list[str] | None = None) -> Column:
    """Parts one under another."""
    models: list[Any] = [part.model if isinstance(part, Text) else part for part in parts]
    return Column(children=models, css_classes=classes or [], stylesheets=[sheet(asset("cards.css"))], **_WIDE)


class Chart:
    """A card that stays in place: figures between the HTML above and the HTML below them."""

    def __init__(self) -> None:
        self._above, self._figures, self._below = Text(), Column(**_WIDE), Text()
        self.card = card(self._above, self._figures, self._below)
        self._form: Hashable = None
        self._drawing: Drawing | None = None

    def show(self, above: str, below: str) -> None:
        """Say what stands above and below no figure."""
        self._above.html, self._below.html, self._figures.visible = above, below, False

    def draw(self, above: str, below: str, form: Hashable, data: Columns, draw: Callable[[Columns], Drawing]) -> None:
        """Put ``data``'s points into the figures, drawn anew where their ``form`` has changed."""
        self._above.html, self._below.html, self._figures.visible = above, below, True
        former = self._drawing
        if former and self._form == form:
            show_points(former, data)
            return
        self._form, self._drawing = form, lighten(draw(data))
        self._figures.children = [*self._drawing.figures]
        if former:
            former.source.destroy()  # its numbers would stay until garbage is looked for
