"""What a part's module builds, and the pieces that tabs and the page's frame are laid out from.

They are Bokeh's models as they are: a pane of Panel's around each was a third of a session's memory, and was sent its own
copy of the style sheets (20 kB).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape, unescape
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import panel as pn
from bokeh.document import Document
from bokeh.models import Column, InlineStyleSheet, LayoutDOM
from panel.models.markup import HTML

from dashboard.markup import asset

WIDE: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0, "min_width": 0}


@dataclass(frozen=True, slots=True)
class View:
    """What is built of a tab, or of one of its parts: a layout that stays, and ``show``, which puts tables into it."""

    layout: LayoutDOM
    show: Callable[[Any], None]


class Text:
    """A piece of HTML in the dashboard's style, changed by setting ``html``."""

    __slots__ = ("model",)

    def __init__(self, html: str = "", **layout: Any) -> None:
        made: Any = HTML
        self.model = made(disable_math=True, stylesheets=[sheet(asset("parts.css"))], **{**WIDE, **layout})
        self.html = html

    @property
    def html(self) -> str:
        """What it says."""
        return unescape(self.model.text)

    @html.setter
    def html(self, html: str) -> None:
        self.model.text = escape(html)  # as Panel's model wants it


def card(*parts: LayoutDOM | Text, kind: str = "") -> Column:
    """A panel of the page around its parts."""
    return pile(*parts, classes=["card", *kind.split()])


def grid(*cards: Column, kind: str = "one") -> Column:
    """Cards side by side where there is room; ``kind`` names their proportions."""
    return pile(*cards, classes=["grid", kind])


def pile(*parts: LayoutDOM | Text, classes: list[str] | None = None) -> Column:
    """Parts one under another."""
    models: list[Any] = [part.model if isinstance(part, Text) else part for part in parts]
    return Column(children=models, css_classes=classes or [], stylesheets=[sheet(asset("cards.css"))], **WIDE)


class Shown(pn.pane.Bokeh):
    """A model as Panel (1.9.4) wants what stands in its template and tabs; in its own style sheets, none of Panel's design."""

    def _process_param_change(self, params: dict[str, Any]) -> dict[str, Any]:
        properties: dict[str, Any] = super()._process_param_change(params)
        properties.pop("stylesheets", None)
        return properties


# By document, which holds its models: here they are held by nobody.
_sent: WeakKeyDictionary[Document, WeakValueDictionary[str, InlineStyleSheet]] = WeakKeyDictionary()


def sheet(css: str) -> InlineStyleSheet:
    """``css`` as the one model that a page has of it."""
    if pn.state.curdoc is None:
        return InlineStyleSheet(css=css)
    sent = _sent.setdefault(pn.state.curdoc, WeakValueDictionary())
    return sent.setdefault(css, sent.get(css) or InlineStyleSheet(css=css))
