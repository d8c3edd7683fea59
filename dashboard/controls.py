"""The controls of a page's frame: region, range, resolution, and the hidden fields through which browser and page talk.

A control shows the selection and reports a change of it; it never holds one. What `page.js` sends comes through
``pick`` (a click, told as ``name=value``) and ``address`` (Back and Forward); ``file`` carries a download.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import panel as pn

from cache_store.errors import NothingHeldError
from dashboard.contents import tab_of
from dashboard.data import (
    LATE_MINUTES,
    RANGES,
    Market,
    Selection,
    extent_of,
    financial_year,
    parse_range,
    resolutions_within,
    window_of,
)
from dashboard.errors import say_ignored
from dashboard.layout import Text
from dashboard.markup import RESOLUTION_WORDS, asset, days_form, lag, moment
from dashboard.state import write_address
from nem.regions import NEM, REGIONS
from nem.windows import Window, utc_time

# The address is pushed by whoever changed the page, not by one who travelled to it.
_PUSH = "if (cb_obj.value !== location.search) history.pushState(null, '', location.pathname + cb_obj.value)"
_SAVE = """
if (!cb_obj.value) return
const [name, kind, data] = cb_obj.value.split("\\n")
const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0))
cb_obj.value = ""
if (kind === "text/html") return window.nemwarm_show(new TextDecoder().decode(bytes))
const link = Object.assign(document.createElement("a"), { download: name, href: URL.createObjectURL(new Blob([bytes], { type: kind })) })
link.click()
setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
"""


@dataclass(frozen=True, slots=True)
class Held:
    """What the page stands on at one moment: the data there is, and the window the selection means, in it if it can."""

    extent: Window
    window: Window
    late_minutes: float


@dataclass(frozen=True, slots=True)
class Controls:
    """Every root of the page but its tabs, by the names `page.html` embeds them under."""

    region: pn.widgets.RadioButtonGroup
    range: pn.widgets.RadioButtonGroup
    year: pn.widgets.Select
    dates: Text
    resolution: pn.widgets.Select
    exports: Text
    newest: Text
    notice: Text
    progress: Text
    pick: pn.widgets.TextInput
    address: pn.widgets.TextInput
    file: pn.widgets.TextInput


def open_controls(selection: Selection, choose: Callable[..., None]) -> Controls:
    """The controls, showing ``selection``; ``choose`` takes changes of it."""
    controls = Controls(
        region=_choice({name: name for name in (NEM, *REGIONS)}, selection.region),
        range=_choice({name.replace("all", "All"): name for name in RANGES}, None),
        year=_select({"Fin. year": ""}, "Financial year", 98),
        dates=Text(sizing_mode=None),
        resolution=_select({"Auto": "auto"}, "Resolution", 86),
        exports=Text(sizing_mode=None),
        newest=Text(),
        notice=Text(),
        progress=Text(),
        **{name: pn.widgets.TextInput(visible=False, tags=[name]) for name in ("pick", "address", "file")},
    )
    controls.address.value = write_address(selection)
    controls.address.jscallback(value=_PUSH)
    controls.file.jscallback(value=_SAVE)
    show_selection(controls, selection)
    controls.region.param.watch(lambda event: choose(region=event.new), "value")
    for widget in (controls.range, controls.year):  # None and "" say that the other one holds the range
        widget.param.watch(lambda event: choose(range=event.new) if event.new else None, "value")
    controls.resolution.param.watch(lambda event: choose(resolution=event.new), "value")
    return controls


def _choice(options: dict[str, str], value: str | None) -> pn.widgets.RadioButtonGroup:
    return pn.widgets.RadioButtonGroup(options=options, value=value, stylesheets=[asset("controls.css")], margin=0)


def _select(options: dict[str, str], label: str, width: int) -> pn.widgets.Select:
    # The style sheet hides the label from the eye; a screen reader says it.
    return pn.widgets.Select(
        options=options, label=label, width=width, margin=0, stylesheets=[asset("controls.css")], css_classes=["quiet"]
    )


def show_selection(controls: Controls, selection: Selection) -> None:
    """Let every control stand where the selection is, without reporting it back."""
    controls.region.value = selection.region
    controls.range.value = selection.range if selection.range in RANGES else None
    _set(controls.year, selection.range if selection.range.startswith("fy") else "", selection.range.upper())
    _set(controls.resolution, selection.resolution, RESOLUTION_WORDS.get(selection.resolution, "Auto"))
    dated = tab_of(selection.tab).dated
    for control in (controls.range, controls.year, controls.dates.model, controls.resolution):
        control.visible = dated


def _set(select: pn.widgets.Select, value: str, label: str) -> None:
    """Choose ``value``, which may come from an address before it is known to be on offer."""
    if value not in select.options.values():
        select.options = {**select.options, label: value}
    select.value = value


def look(market: Market, selection: Selection) -> Held:
    """What there is to stand on; blocks, and raises as ``extent_of`` does."""
    extent = extent_of(market, selection.tab)
    late = (market.clock() - utc_time(extent.end)).total_seconds() / 60
    try:
        window = window_of(selection, extent, market.clock)
    except NothingHeldError:  # a range without data: the controls lead out of it
        window = parse_range(selection.range)
    return Held(extent, window, late)


def show_held(controls: Controls, selection: Selection, held: Held) -> None:
    """Offer what applies to the data there is: years, days, and resolutions of few enough points."""
    controls.newest.html = _newest(held)
    years = {"Fin. year": "", **financial_years(held.extent)}
    if selection.range.startswith("fy"):
        years.setdefault(selection.range.upper(), selection.range)
    _offer(controls.year, years)
    words = {"Auto": "auto", **{RESOLUTION_WORDS[one]: one for one in resolutions_within(held.window)}}
    if selection.resolution not in words.values():
        words[f"{RESOLUTION_WORDS[selection.resolution]}: too fine, auto"] = selection.resolution
    _offer(controls.resolution, words)
    controls.dates.html = _dates(selection, held)


def _offer(select: pn.widgets.Select, options: dict[str, str]) -> None:
    if select.options != options:
        select.options = options


def financial_years(extent: Window) -> dict[str, str]:
    """Label and range of every financial year with data, newest first."""
    years = range(extent.start.year, extent.end.year + 2)
    touched = (year for year in reversed(years) if extent.overlap(financial_year(year)))
    return {f"{year - 1}\N{EN DASH}{year % 100:02}": f"fy{year}" for year in touched}


def _dates(selection: Selection, held: Held) -> str:
    custom = selection.range not in RANGES and not selection.range.startswith("fy")
    shown = parse_range(selection.range) if custom else held.window
    return days_form("Choose dates", shown, "" if custom else "Dates", within=held.extent)


def _newest(held: Held) -> str:
    late = held.late_minutes
    warning = f' <b class="late">{lag(late)} behind</b>' if late > LATE_MINUTES else ""
    return f'<span class="newest">Data to <b>{moment(held.extent.end)}</b> NEM time{warning}</span>'


def show_ignored(controls: Controls, ignored: tuple[str, ...]) -> None:
    """Say which parts of an address were not understood; nothing if all were."""
    controls.notice.html = say_ignored(ignored) if ignored else ""


def show_progress(controls: Controls, what: str = "") -> None:
    """Count the seconds of a question that takes more than one, with a way to give it up; nothing without ``what``."""
    controls.progress.html = (
        f'<div class="progress" role="status"><span>{escape(what)}</span> <nw-clock>0 s</nw-clock>'
        '<button type="button" data-pick="cancel=1">Stop</button></div>'
        if what
        else ""
    )


def send_file(controls: Controls, name: str, kind: str, data: Any) -> None:
    """Have the browser save base64 ``data`` under ``name``."""
    controls.file.value = f"{name}\n{kind}\n{data}"
