"""The Price Analysis tab: a bar of parts, of which one is open."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.layout import View
from dashboard.parts import in_parts


def build(choose: Callable[..., None]) -> View:
    """The tab, empty; its clicks reach the selection through the page."""
    return in_parts("prices", choose)
