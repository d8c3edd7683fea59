"""One session's page: opened on what its address says, kept up to date while somebody looks, and let go when they leave."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from functools import partial
from pathlib import Path

import panel as pn
from bokeh.models import CustomJS

from dashboard import export
from dashboard.contents import TAB_NAMES
from dashboard.controls import open_controls, send_file, show_ignored
from dashboard.data import Market, Selection
from dashboard.layout import Shown
from dashboard.markup import asset
from dashboard.picture import save
from dashboard.state import KEYS, read_address, read_fields
from dashboard.tabs import Page, Slot, choose, open_slots, refresh, schedule, stop

REFRESH_MS = 20_000
PICTURE_SECONDS = 300
log = logging.getLogger(__name__)
# Fields a click inside a tab may change; the frame's own controls have theirs.
_PICKED = ("tab", "region", "range", "grouping", "unit", "view", "station", "compare", "regions", "fuel")


def open_page(
    market: Market,
    arguments: Mapping[str, list[bytes]] | None = None,
    pool: Executor | None = None,
    picture: Path | None = None,
) -> Page:
    """A page whose tabs are all placeholders; ``arguments`` are those of its address.

    ``picture`` is where the overview is painted, for whoever comes while the app next starts.
    """
    selection, ignored = read_arguments(arguments or {})
    slots = open_slots()
    tabs = pn.Tabs(
        *((slot.tab.title, Shown(slot.holder)) for slot in slots),
        active=TAB_NAMES.index(selection.tab),
        sizing_mode="stretch_width",
        margin=0,
        stylesheets=[asset("tabs.css")],
    )
    page: Page
    controls = open_controls(selection, lambda **changes: choose(page, **changes))
    page = Page(market, selection, slots, tabs, controls, pool, on_drawn=lambda slot: _offer(page, slot, picture))
    show_ignored(controls, ignored)
    controls.pick.param.watch(lambda event: _picked(page, event.new), "value")
    controls.address.param.watch(lambda event: _travelled(page, event.new), "value")
    tabs.param.watch(lambda event: choose(page, tab=TAB_NAMES[event.new]), "active")
    return page


def read_arguments(arguments: Mapping[str, list[bytes]]) -> tuple[Selection, tuple[str, ...]]:
    """The selection that an address' parsed arguments mean, and the keys that were not understood."""
    texts = {name: arguments[key][-1] for name, key in KEYS.items() if arguments.get(key)}
    return read_fields({name: text.decode(errors="replace") for name, text in texts.items()})


def start(page: Page) -> None:
    """Ask for the open tab and draw it, and keep the visible one up to date while the browser is there."""

    def keep_fresh() -> None:
        pn.state.add_periodic_callback(partial(refresh, page), period=REFRESH_MS)

    pn.state.onload(keep_fresh)  # what is drawn before a browser asks for the document is in it
    pn.state.on_session_destroyed(lambda _: end(page))
    if pn.state.curdoc and pn.state.curdoc.session_context:
        # A session that is gone (a laptop slept, the server began anew) is not to be had back: its page is opened anew.
        pn.state.curdoc.js_on_event("connection_lost", CustomJS(code="window.nemwarm_lost()"))
        pn.state.curdoc.js_on_event("document_ready", CustomJS(code="window.nemwarm_ready()"))
        pn.state.execute(partial(refresh, page), schedule="thread")


def end(page: Page) -> None:
    """Drop what is being asked for somebody who has left."""
    page.ended = True


def _travelled(page: Page, query: str) -> None:
    """Back or Forward in the browser; what this page itself wrote there changes nothing."""
    selection, ignored = read_address(query)
    schedule(partial(show_ignored, page.controls, ignored))
    choose(page, travelled=True, **{name: getattr(selection, name) for name in KEYS})


def _picked(page: Page, text: str) -> None:
    """A click inside a table, a tile or a menu, told as ``name=value`` lines and a number; anything else is nobody's click."""
    wanted = dict(line.partition("=")[::2] for line in text.split("\n"))
    wanted.pop("", None)  # the number, by which the same click again is another
    if "cancel" in wanted:
        stop(page)
    elif "retry" in wanted:
        refresh(page)
    elif "export" in wanted:
        _save(page, wanted["export"])
    else:
        # Without a value: back to what the page opens with.
        chosen, ignored = read_fields({name: value for name, value in wanted.items() if value and name in _PICKED})
        if not ignored and wanted.keys() <= set(_PICKED):
            choose(page, **{name: getattr(chosen, name) for name in wanted})


def _offer(page: Page, slot: Slot, picture: Path | None) -> None:
    if picture and slot.view and slot.drawn and slot.drawn[0] == Selection() and _is_old(picture):
        try:
            save(picture, slot.view.layout)
        except OSError as error:
            log.warning("the overview could not be painted for the next start: %s", error)
    if slot is page.open_slot:
        menu = export.menu(slot.exports)
        if page.controls.exports.html != menu:
            page.controls.exports.html = menu


def _is_old(picture: Path) -> bool:
    try:
        return time.time() - picture.stat().st_mtime > PICTURE_SECONDS
    except OSError:
        return True


def _save(page: Page, wanted: str) -> None:
    """Make the file on this worker thread and hand it to the browser. ``wanted`` is such as ``0.csv``."""
    number, _, form = wanted.partition(".")
    exports = page.open_slot.exports
    if number.isdecimal() and len(number) < 4 and int(number) < len(exports) and form in export.FORMS:
        one = exports[int(number)]
        kind, data = export.encode(one, form)
        schedule(partial(send_file, page.controls, f"{export.file_stem(one)}.{form}", kind, data))
