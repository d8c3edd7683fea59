"""One session's page: opened on what its address says, kept up to date while somebody looks, and let go when they leave."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import partial, wraps
from pathlib import Path
from typing import Any

import panel as pn
from bokeh.document import Document
from bokeh.models import CustomJS, TabPanel, Tabs
from panel.io.state import set_curdoc

from dashboard import export
from dashboard.contents import TAB_NAMES
from dashboard.controls import open_controls, send_file, show_ignored
from dashboard.data import Market, Selection
from dashboard.markup import asset
from dashboard.picture import save
from dashboard.state import KEYS, read_address, read_fields
from dashboard.tabs import Page, Slot, choose, open_slots, refresh, schedule, settle, stop, work

REFRESH_MS = 20_000
PICTURE_SECONDS = 300
log = logging.getLogger(__name__)


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
    tabs = Tabs(
        tabs=[TabPanel(title=slot.tab.title, child=slot.holder) for slot in slots],
        active=TAB_NAMES.index(selection.tab),
        sizing_mode="stretch_width",
        margin=0,
        stylesheets=[asset("tabs.css")],
    )
    controls = open_controls(selection)
    page: Page
    page = Page(market, selection, slots, tabs, controls, pool, on_drawn=lambda slot: _offer(page, slot, picture))
    show_ignored(controls, ignored)
    document = pn.state.curdoc
    controls.pick.on_change("content", _of(document, lambda _, __, told: _picked(page, told)))
    controls.address.on_change("content", _of(document, lambda _, __, query: _travelled(page, query)))
    tabs.on_change("active", _of(document, lambda _, __, place: choose(page, tab=TAB_NAMES[place])))
    return page


def _of(document: Document | None, act: Callable[..., None]) -> Callable[..., None]:
    """``act`` as a callback of Bokeh's, which tells whose document it is about in a place that all threads share."""

    @wraps(act)
    def called(*arguments: Any) -> None:
        with set_curdoc(document):
            act(*arguments)

    return called


def read_arguments(arguments: Mapping[str, list[bytes]]) -> tuple[Selection, tuple[str, ...]]:
    """The selection that an address' parsed arguments mean, and the keys that were not understood."""
    texts = {name: arguments[key][-1] for name, key in KEYS.items() if arguments.get(key)}
    return read_fields({name: text.decode(errors="replace") for name, text in texts.items()})


def start(page: Page, document: Document) -> None:
    """Ask for the open tab and draw it, and look for what is new until the session ends."""
    document.on_session_destroyed(lambda _: end(page))
    # A session that is gone (a laptop slept, the server began anew) is not to be had back: its page is opened anew.
    document.js_on_event("connection_lost", CustomJS(code="window.nemwarm_lost()"))
    document.js_on_event("document_ready", CustomJS(code="window.nemwarm_ready()"))
    document.on_event("document_ready", _of(document, lambda _: _arrived(page)))
    look = _of(document, partial(_look, page))
    document.add_periodic_callback(look, REFRESH_MS)
    # Not at once: Bokeh's session is half made, and a thread would ask it for a tick.
    document.add_next_tick_callback(look)


def _look(page: Page) -> None:
    if not page.waiting:  # a browser's tab nobody looks at may be laid out in hours: what waits is enough
        work(partial(refresh, page))


def _arrived(page: Page) -> None:
    page.is_laid_out = True
    settle(page)


def end(page: Page) -> None:
    """Drop what is being asked for somebody who has left."""
    page.ended = True


def _travelled(page: Page, query: str) -> None:
    """Back or Forward in the browser; what this page itself wrote there changes nothing."""
    selection, ignored = read_address(query)
    show_ignored(page.controls, ignored)
    choose(page, travelled=True, **{name: getattr(selection, name) for name in KEYS})


def _picked(page: Page, text: str) -> None:
    """A click inside a table, a tile or a menu, told as ``name=value`` lines and a number; anything else is nobody's click."""
    wanted = dict(line.partition("=")[::2] for line in text.split("\n"))
    wanted.pop("", None)  # the number, by which the same click again is another
    if "cancel" in wanted:
        stop(page)
    elif "retry" in wanted:
        work(partial(refresh, page))
    elif "export" in wanted:
        work(partial(_save, page, wanted["export"]))
    else:
        # Without a value: back to what the page opens with.
        chosen, ignored = read_fields({name: value for name, value in wanted.items() if value and name in KEYS})
        if not ignored and wanted.keys() <= KEYS.keys():
            choose(page, **{name: getattr(chosen, name) for name in wanted})


def _offer(page: Page, slot: Slot, picture: Path | None) -> None:
    if picture and slot.view and slot.drawn and slot.drawn[0] == Selection() and _is_old(picture):
        try:
            save(picture, slot.view.layout)
        except OSError as error:
            log.warning("the overview could not be painted for the next start: %s", error)
    if slot is page.open_slot:
        page.controls.exports.html = export.menu(slot.exports)


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
        schedule(page, partial(send_file, page.controls, f"{export.file_stem(one)}.{form}", kind, data))
