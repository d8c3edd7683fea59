"""What a part's module builds, and the pieces that tabs and the page's frame are laid out from.

They are models of Bokeh's core: a pane of Panel's around each was a third of a session's memory, and any widget would have
every page load and run a script of widgets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import panel as pn
from bokeh.document import Document
from bokeh.models import Column, InlineStyleSheet, LayoutDOM
from bokeh.models.dom import HTML
from bokeh.models.ui import Pane, UIElement

from dashboard.markup import asset

WIDE: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0, "min_width": 0}


@dataclass(frozen=True, slots=True)
class View:
    """What is built of a tab, or of one of its parts: a layout that stays, and ``show``, which puts tables into it."""

    layout: LayoutDOM
    show: Callable[[Any], None]


class Text:
    """A piece of HTML in the dashboard's style, changed by setting ``html``."""

    __slots__ = ("_told", "model")

    def __init__(self, html: str = "") -> None:
        self._told = HTML(html=html)
        self.model = Pane(elements=[self._told], stylesheets=[sheet(asset("parts.css"))])

    @property
    def html(self) -> str:
        """What it says."""
        return str(self._told.html)

    @html.setter
    def html(self, html: str) -> None:
        self._told.html = html


def card(*parts: LayoutDOM | Text, kind: str = "") -> Column:
    """A panel of the page around its parts."""
    return pile(*parts, classes=["card", *kind.split()])


def grid(*cards: Column, kind: str = "one") -> Column:
    """Cards side by side where there is room; ``kind`` names their proportions."""
    return pile(*cards, classes=["grid", kind])


def pile(*parts: LayoutDOM | Text, classes: list[str] | None = None) -> Column:
    """Parts one under another."""
    models: list[UIElement] = [part.model if isinstance(part, Text) else part for part in parts]
    return Column(children=models, css_classes=classes or [], stylesheets=[sheet(asset("cards.css"))], **WIDE)


# By document, which holds its models: here they are held by nobody.
_sent: WeakKeyDictionary[Document, WeakValueDictionary[str, InlineStyleSheet]] = WeakKeyDictionary()


def sheet(css: str) -> InlineStyleSheet:
    """``css`` as the one model that a page has of it."""
    if pn.state.curdoc is None:
        return InlineStyleSheet(css=css)
    sent = _sent.setdefault(pn.state.curdoc, WeakValueDictionary())
    return sent.setdefault(css, sent.get(css) or InlineStyleSheet(css=css))
