"""The Station Analysis tab: a search over all stations, and a bar of parts, of which one is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from dashboard.layout import Text, View
from dashboard.palette import fuel_label
from dashboard.parts import in_parts, part_of
from dashboard.tables.station_units import Place


def build(choose: Callable[..., None]) -> View:
    """The tab, empty."""
    search = Text()
    parts = in_parts("stations", choose, search)
    known: dict[str, Any] = {}

    def show(tables: Any) -> None:
        # What is found in the league is shown in the first part; the others show it themselves.
        then = "view=" if part_of(tables) == "station_league" else ""
        mark = hash((tables.places, then))  # not the places themselves: this stays as long as the session
        if known.get("shown") != mark:
            known["shown"] = mark
            search.html = search_box(tables.places, then)
        parts.show(tables)

    return View(parts.layout, show)


def search_box(places: Sequence[Place], then: str = "") -> str:
    """A box that finds a station by its name or a unit's DUID, a letter or two amiss as well.

    ``then`` is chosen with it.
    """
    options = "".join(
        f'<option value="{escape(place.station_name)}" data-units="{escape(" ".join(place.duids))}" '
        f'data-where="{escape(_where(place))}"></option>'
        for place in places
    )
    return (
        f'<div class="finder"><nw-search then="{then}"><input type="text" role="combobox" aria-label="Find a station or a unit" '
        f'aria-expanded="false" aria-autocomplete="list" autocomplete="off" spellcheck="false" maxlength="60" '
        f'placeholder="Find a station or DUID"><ul role="listbox" hidden></ul>'
        f"<template>{options}</template></nw-search></div>"
    )


def _where(place: Place) -> str:
    return f"{place.region_id}, {', '.join(dict.fromkeys(map(fuel_label, place.fuel_ids)))}"
