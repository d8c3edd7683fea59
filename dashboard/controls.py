"""The controls of a page's frame: region, range, resolution, and the hidden fields through which browser and page talk.

A control shows the selection and never holds one. What is chosen in the page, `page.js` tells through ``pick`` (as
``name=value``) and ``address`` (Back and Forward); ``file`` carries a download.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from html import escape
from typing import Any

from bokeh.models import CustomJS
from bokeh.models.dom import Text as Field
from bokeh.models.ui import Pane

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
from dashboard.markup import RESOLUTION_WORDS, days_form, lag, moment, options, switch
from dashboard.state import write_address
from nem.regions import NEM, REGIONS
from nem.windows import Window, utc_time

# The address is pushed by whoever changed the page, not by one who travelled to it.
_PUSH = "if (cb_obj.content !== location.search) history.pushState(null, '', location.pathname + cb_obj.content)"
_SAVE = """
if (!cb_obj.content) return
const [name, kind, data] = cb_obj.content.split("\\n")
const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0))
cb_obj.content = ""
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
    """The page's frame but its tabs: what is seen, and last the fields that are not."""

    region: Text = field(default_factory=Text)
    dated: Text = field(default_factory=Text)
    exports: Text = field(default_factory=Text)
    newest: Text = field(default_factory=Text)
    notice: Text = field(default_factory=Text)
    progress: Text = field(default_factory=Text)
    pick: Field = field(default_factory=lambda: Field(name="pick"))
    address: Field = field(default_factory=lambda: Field(name="address"))
    file: Field = field(default_factory=lambda: Field(name="file"))


def open_controls(selection: Selection) -> Controls:
    """The controls, showing ``selection``."""
    controls = Controls()
    controls.address.content = write_address(selection)
    controls.address.js_on_change("content", CustomJS(code=_PUSH))
    controls.file.js_on_change("content", CustomJS(code=_SAVE))
    show_selection(controls, selection, None)
    return controls


def roots(controls: Controls) -> dict[str, Pane]:
    """The models of the frame, by the names `page.html` embeds them under."""
    parts = {one.name: getattr(controls, one.name) for one in fields(controls)}
    seen = {name: part.model for name, part in parts.items() if isinstance(part, Text)}
    return seen | {"fields": Pane(elements=[controls.pick, controls.address, controls.file], visible=False)}


def show_selection(controls: Controls, selection: Selection, held: Held | None) -> None:
    """Let every control stand where the selection is, and offer what applies to the data ``held``, once that is known."""
    regions = switch("Region", "region", {name: name for name in (NEM, *REGIONS)}, selection.region)
    controls.region.html = f'<div class="choices">{regions}</div>'
    controls.dated.model.visible = tab_of(selection.tab).dated
    ranges = {name: name.replace("all", "All") for name in RANGES}
    years, resolutions = {"": "Fin. year"}, {"auto": "Auto"}
    if held:
        controls.newest.html = _newest(held)
        years |= financial_years(held.extent)
        resolutions |= {one: RESOLUTION_WORDS[one] for one in resolutions_within(held.window)}
    if selection.range.startswith("fy"):
        years.setdefault(selection.range, selection.range.upper())
    too_fine = f"{RESOLUTION_WORDS.get(selection.resolution)}{': too fine, auto' if held else ''}"
    resolutions.setdefault(selection.resolution, too_fine)
    year = selection.range if selection.range in years else ""
    controls.dated.html = (
        f'<div class="choices">{switch("Range", "range", ranges, selection.range)}'
        f"{options('Financial year', 'range', years, year)}{_dates(selection, held) if held else ''}"
        f"{options('Resolution', 'resolution', resolutions, selection.resolution)}</div>"
    )


def look(market: Market, selection: Selection) -> Held:
    """What there is to stand on; blocks, and raises as ``extent_of`` does."""
    extent = extent_of(market, selection.tab)
    late = (market.clock() - utc_time(extent.end)).total_seconds() / 60
    try:
        window = window_of(selection, extent, market.clock)
    except NothingHeldError:  # a range without data: the controls lead out of it
        window = parse_range(selection.range)
    return Held(extent, window, late)


def financial_years(extent: Window) -> dict[str, str]:
    """Range and label of every financial year with data, newest first."""
    years = range(extent.start.year, extent.end.year + 2)
    touched = (year for year in reversed(years) if extent.overlap(financial_year(year)))
    return {f"fy{year}": f"{year - 1}\N{EN DASH}{year % 100:02}" for year in touched}


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
    controls.file.content = f"{name}\n{kind}\n{data}"
