"""The page's contents: its tabs and their parts, each a word of the address and a module of one name in `tables` and in `views`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from dashboard.data import Market, Selection


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a tab: what `Selection.view` calls it, its button's label (none: no button), its module's name.

    ``offers`` are the fields of the selection that it has switches of.
    """

    word: str
    label: str
    module: str
    offers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab's title, its name in the address and of its module in `views`, and its parts, of which one is open.

    One that is not ``dated`` shows a time of its own, whatever range is selected.
    """

    title: str
    name: str
    parts: tuple[Part, ...]
    dated: bool = True


TABS = (
    Tab("NEM Overview", "overview", (Part("", "", "overview"),), dated=False),
    Tab(
        "Generation",
        "generation",
        (
            Part("", "Generation", "generation", ("grouping", "unit")),
            Part("factors", "Capacity factor", "factors", ("grouping",)),
            Part("day", "Time of day", "daytime", ("grouping", "unit")),
            Part("compare", "Compare", "comparison", ("grouping", "unit")),
            Part("flows", "Interconnectors", "flows"),
        ),
    ),
    Tab(
        "Price Analysis",
        "prices",
        (
            Part("", "Price", "price_series"),
            Part("duration", "Duration curve", "price_duration"),
            Part("time_of_day", "Time of day", "price_profile"),
            Part("events", "High prices", "price_events"),
            Part("value", "Value of energy", "price_value"),
            Part("value_by_fuel", "", "price_value"),  # in another order
        ),
    ),
    Tab(
        "Station Analysis",
        "stations",
        (
            Part("", "Output", "station_output"),
            Part("patterns", "Time of day, months", "station_patterns"),
            Part("league", "All stations", "station_league"),
        ),
    ),
)
TAB_NAMES = tuple(tab.name for tab in TABS)


def tab_of(name: str) -> Tab:
    """The tab called so."""
    return TABS[TAB_NAMES.index(name)]


def load(market: Market, selection: Selection) -> Any:
    """The tables of the selected part, a frozen dataclass with ``receipts`` and ``exports``; of the tab's first for any other word."""
    parts = {part.word: part.module for part in tab_of(selection.tab).parts}
    module = parts.get(selection.view, parts[""])
    return import_module(f"dashboard.tables.{module}").load(market, selection)
