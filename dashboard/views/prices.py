"""The Price Analysis tab: a bar of parts, of which one is open."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.layout import View
from dashboard.parts import Part, in_parts

PARTS = (
    Part("", "Price", "price_series"),
    Part("duration", "Duration curve", "price_duration"),
    Part("time_of_day", "Time of day", "price_profile"),
    Part("events", "High prices", "price_events"),
    Part("value", "Value of energy", "price_value"),
)


def build(choose: Callable[..., None]) -> View:
    """The tab, empty; its clicks reach the selection through the page."""
    return in_parts(PARTS, choose)
