"""A tab of several parts, of which one is open: the words of `Selection.view` choose it, and only it is built and asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from importlib import import_module
from types import MappingProxyType
from typing import Any

from dashboard.contents import tab_of
from dashboard.layout import Part, Text, View, pile
from dashboard.markup import days_form, swatch, switch
from dashboard.palette import REGION_COLOURS
from nem.regions import NEM
from nem.windows import Window

COMPARISONS = {"previous": "Previous", "last_year": "Same last year"}


def part_of(tables: Any) -> str:
    """The module of the part that ``tables`` are of: a part's tables and its view are modules of one name."""
    return type(tables).__module__.rpartition(".")[2]


def in_parts(
    tab: str,
    choose: Callable[..., None],
    *above: Part,
    switches: Callable[[Any], str] = lambda _: "",
    own: Mapping[str, Callable[[], View]] = MappingProxyType({}),
) -> View:
    """The ``tab`` that shows the part its tables are of, under a bar that leads to the others and whatever stands ``above``.

    ``switches`` adds to the bar what else the open part lets choose; ``own`` builds parts that have no module of a view.
    """
    bar, body = Text(), pile()
    built: dict[str, View] = {}

    def show(tables: Any) -> None:
        name = part_of(tables)
        if name not in built:
            built[name] = own[name]() if name in own else import_module(f"dashboard.views.{name}").build(choose)
        bar.html = _bar(tab, name, switches(tables))
        built[name].show(tables)
        body.children = [built[name].layout]

    return View(pile(bar, *above, body), show)


def _bar(tab: str, shown: str, more: str) -> str:
    words = {part.word: part.label for part in tab_of(tab).parts if part.label}
    word = next(part.word for part in tab_of(tab).parts if part.module == shown)
    return f'<div class="switches">{switch("View", "view", words, word)}<div class="more">{more}</div></div>'


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


def dash_key(lines: Iterable[tuple[str, str, str]]) -> str:
    """A legend of lines: (label, colour, and solid, dashed or dotted)."""
    told = (
        f'<span><i style="border-top-color:{colour};border-top-style:{dash}"></i>{label}</span>'
        for label, colour, dash in lines
    )
    return f'<div class="keys dashes note">{"".join(told)}</div>'


def region_label(region: str) -> str:
    """A region's name in a legend; the whole market says how its price is made."""
    return "NEM (demand-weighted)" if region == NEM else region
