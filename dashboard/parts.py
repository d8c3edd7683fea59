"""A tab as it is built: one of its parts is open, under a bar that leads to the others; and what parts have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dashboard.bands import GROUPING_WORDS
from dashboard.contents import Tab
from dashboard.layout import Text, View, pile
from dashboard.markup import Cell, days_form, named, swatch, switch
from dashboard.palette import REGION_COLOURS, fuel_label
from nem.regions import NEM

if TYPE_CHECKING:
    from dashboard.tables.station_units import Place
    from nem.windows import Window

COMPARISONS = {"previous": "Previous", "last_year": "Same last year"}
UNIT_WORDS = {"mw": "MW", "energy": "Energy", "share": "Share"}


def build_tab(tab: Tab) -> View:
    """``tab``, which shows the part its tables are of, built and asked for when first chosen."""
    bar, finder, body = Text(), Text(), pile()
    built: dict[str, View] = {}
    found: dict[str, int] = {}

    def show(tables: Any) -> None:
        name = part_of(tables)
        if name not in built:
            built[name] = import_module(f"dashboard.views.{name}").build()
        if len(tab.parts) > 1:
            bar.html = _bar(tab, name, tables)
        if hasattr(tables, "places"):
            # What is found in the league is shown in the first part; the others show it themselves.
            then = "view=" if name == "station_league" else ""
            mark = hash((tables.places, then))  # not the places themselves: this stays as long as the session
            if found.get("mark") != mark:
                found["mark"] = mark
                finder.html = search_box(tables.places, then)
        built[name].show(tables)
        body.children = [built[name].layout]

    return View(pile(bar, finder, body), show)


def part_of(tables: Any) -> str:
    """The module of the part that ``tables`` are of: a part's tables and its view are modules of one name."""
    return type(tables).__module__.rpartition(".")[2]


def _bar(tab: Tab, shown: str, tables: Any) -> str:
    """The parts, and the groupings and units of the one that is ``shown``."""
    words = {part.word: part.label for part in tab.parts if part.label}
    part = next(part for part in tab.parts if part.module == shown)
    more = ""
    if "grouping" in part.offers:
        more += switch("Grouping", "grouping", GROUPING_WORDS, tables.selection.grouping)
    if "unit" in part.offers:
        units = {unit: word for unit, word in UNIT_WORDS.items() if shown != "daytime" or unit != "energy"}
        more += switch("Unit", "unit", units, tables.selection.unit)
    return f'<div class="switches">{switch("View", "view", words, part.word)}<div class="more">{more}</div></div>'


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


def pick(label: str, choice: str, chosen: bool, mark: str = "", tip: str = "") -> str:
    """A button that changes the selection; ``mark`` is HTML before its label."""
    state = ' class="key chosen" aria-pressed="true"' if chosen else ' class="key" aria-pressed="false"'
    title = f' title="{escape(tip)}"' if tip else ""
    return f'<button type="button"{state} data-pick="{escape(choice)}"{title}>{mark}{escape(label)}</button>'


def compare_bar(compare: str, asked: Window, *, nothing: str = "") -> str:
    """What to compare with: a word, or days of the reader's own; ``asked`` are the days meant.

    ``nothing`` words the choice to compare with nothing, where there is one.
    """
    words = {"": nothing, **COMPARISONS} if nothing else COMPARISONS
    days = days_form("Choose days to compare with", asked, "Other days" if compare in words else "", field="compare")
    choice = switch("Compare with", "compare", words, compare)
    return f'<div class="switches"><span class="with">Compared with</span>{choice}{days}</div>'


def region_keys(regions: Sequence[str], shown: Sequence[str], chosen: str) -> str:
    """A legend of regions that takes each in or out; the selected one stays."""
    keys = []
    for region in regions:
        wanted = {*shown, chosen} ^ ({region} - {chosen})
        names = "" if wanted >= set(regions) else ",".join(one for one in regions if one in wanted)
        tip = "the selected region" if region == chosen else "show or hide"
        keys.append(
            pick(region_label(region), f"regions={names}", region in shown, swatch(REGION_COLOURS[region]), tip)
        )
    return f'<span class="keys legend">{"".join(keys)}</span>'


def region_label(region: str) -> str:
    """A region's name in a legend; the whole market says how its price is made."""
    return "NEM (demand-weighted)" if region == NEM else region


def region_cell(region: str) -> Cell:
    """A region's colour and name."""
    return named(REGION_COLOURS[region], region)


def region_row(region: str, chosen: str) -> str:
    """The attributes of a table's row that selects its region when clicked."""
    kinds = [kind for kind, holds in (("total", region == NEM), ("chosen", region == chosen)) if holds]
    return f'class="{" ".join(kinds)}" data-pick="region={region}"'


def dash_key(lines: Iterable[tuple[str, str, str]]) -> str:
    """A legend of lines: (label, colour, and solid, dashed or dotted)."""
    told = (
        f'<span><i style="border-top-color:{colour};border-top-style:{dash}"></i>{label}</span>'
        for label, colour, dash in lines
    )
    return f'<div class="keys dashes note">{"".join(told)}</div>'
