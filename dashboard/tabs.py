"""One session's tabs: imported, built and asked for when first opened, each always ending on the newest selection.

Work that blocks (imports, questions) runs on Panel's worker threads; whatever changes a pane is scheduled on the
session's event loop. Each tab does one piece of work at a time; a choice made meanwhile has it dropped and done anew.
"""

from __future__ import annotations

import io
import logging
import pickle
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import panel as pn
from bokeh.models import Column, Tabs

from cache_store.answer import Receipt
from dashboard import errors
from dashboard.asking import SupersededError, while_wanted
from dashboard.contents import TAB_NAMES, TABS, Tab
from dashboard.controls import Controls, Held, look, show_ignored, show_progress, show_selection
from dashboard.data import Export, Market, Selection
from dashboard.layout import Text, card, pile
from dashboard.shared import load_once
from dashboard.state import write_address

if TYPE_CHECKING:
    from dashboard.layout import View

log = logging.getLogger(__name__)
_RETRY = '<button type="button" class="retry" data-pick="retry=1">Retry</button>'


@dataclass(slots=True)
class Slot:
    """Where a tab stands in the page, and how far it has come. ``part`` is the sub-view it was left at."""

    tab: Tab
    holder: Column
    lock: threading.Lock = field(default_factory=threading.Lock)
    wanted: bool = False
    working: bool = False
    stopped: bool = False
    part: str = ""
    view: View | None = None
    drawn: tuple[Selection, Hashable] | None = None
    exports: tuple[Export, ...] = ()
    failed: tuple[errors.Words, bool] | None = None  # the failure shown, and whether above what was drawn


@dataclass(slots=True, weakref_slot=True)
class Page:
    """A session's selection, controls and tabs. ``pool`` bounds questions over all sessions; None asks directly."""

    market: Market
    selection: Selection
    slots: tuple[Slot, ...]
    tabs: Tabs
    controls: Controls
    pool: Executor | None
    on_drawn: Callable[[Slot], None]
    held: Held | None = None  # what was last looked at
    ended: bool = False
    is_laid_out: bool = False
    waiting: list[Callable[[], None]] = field(default_factory=list)  # changes, while a browser lays out the page

    @property
    def open_slot(self) -> Slot:
        """The tab that is shown."""
        return self.slots[TAB_NAMES.index(self.selection.tab)]


def open_slots() -> tuple[Slot, ...]:
    """Four placeholders."""
    return tuple(Slot(tab, pile(Text(_waiting(tab)), classes=["holder"])) for tab in TABS)


def _waiting(tab: Tab) -> str:
    return f'<div class="skeleton" role="status"><span>Loading {tab.title}<small>Nothing warmed covers it: asking the source</small></span><i></i><i></i><i></i></div>'


def choose(page: Page, *, travelled: bool = False, **changes: Any) -> None:
    """Change the selection and redraw what is shown; the other tabs follow when they are next opened. On the event loop.

    ``travelled``: the browser's address has changed already, by Back or Forward.
    """
    former, selection = page.selection, replace(page.selection, **changes)
    if selection == former:
        return
    page.open_slot.part = former.view
    if selection.tab != former.tab and not travelled and "view" not in changes:
        selection = replace(selection, view=page.slots[TAB_NAMES.index(selection.tab)].part)
    page.selection = selection
    _make(page, partial(_show_chosen, page, travelled))
    work(partial(refresh, page))


def _show_chosen(page: Page, travelled: bool) -> None:
    selection = page.selection
    page.tabs.active = TAB_NAMES.index(selection.tab)
    show_selection(page.controls, selection, page.held)
    page.on_drawn(page.open_slot)  # what it offers to take away
    if not travelled:
        page.controls.address.content = write_address(selection)
        show_ignored(page.controls, ())


def stop(page: Page) -> None:
    """Give up the question the reader is waiting for."""
    if page.open_slot.working:
        page.open_slot.stopped = True


def refresh(page: Page) -> None:
    """Bring the visible tab up to its selection; where it already shows that, without showing that it works."""
    slot = page.open_slot
    with slot.lock:
        slot.wanted = True
        if slot.working:
            return
        slot.working = True
    while _take(slot):
        _work(page, slot)


def _take(slot: Slot) -> bool:
    """Whether there is something left to do; if not, the slot is free again."""
    with slot.lock:
        slot.working, slot.wanted = slot.wanted, False
        return slot.working


def _work(page: Page, slot: Slot) -> None:
    selection = page.selection
    shown = slot.drawn is not None and slot.drawn[0] == selection
    slot.stopped = False

    def is_wanted() -> bool:
        return page.selection == selection and not page.ended and not slot.stopped

    market = while_wanted(page.market, page.pool, is_wanted)
    if not shown:
        schedule(page, partial(_mark, page, slot, busy=True))
    held = None
    try:
        held = page.held = look(market, selection)
        from dashboard.parts import build_tab  # with Bokeh's figures: when a tab is opened

        view = slot.view or build_tab(slot.tab)
        tables = load_once(market, selection)
    except SupersededError:
        if slot.stopped:
            schedule(page, partial(_fail, page, slot, errors.StoppedError(), keep=shown))
    except Exception as error:  # noqa: BLE001 - a tab that fails says so: without this boundary it would spin for ever
        schedule(page, partial(_fail, page, slot, error, keep=shown))
        if held:
            schedule(page, partial(show_selection, page.controls, selection, held))
    else:
        slot.view = view
        schedule(page, partial(_draw, page, slot, selection, tables, held))


def work(job: Callable[[], None]) -> None:
    """Run ``job``, which may block, on a worker thread of the session's; here, where there is no session."""
    document = pn.state.curdoc
    if document is None or document.session_context is None:
        return job()
    return pn.state.execute(job, schedule="thread")


def schedule(page: Page, change: Callable[[], None]) -> None:
    """Make ``change`` to the page on its session's event loop, and tell the browser all of it at once."""
    pn.state.execute(partial(_make, page, change), schedule=True)


def _make(page: Page, change: Callable[[], None]) -> None:
    page.waiting.append(change)
    if page.is_laid_out or not _has_browser():
        settle(page)


def _has_browser() -> bool:
    context: Any = pn.state.curdoc and pn.state.curdoc.session_context
    return bool(context and context.session and context.session.connection_count)


def settle(page: Page) -> None:
    """Make the changes that waited, on the session's event loop.

    What changes before a browser asks for the document is in it. While it lays that out, Bokeh (3.9.2) would build what
    is changed twice, and show both.
    """
    changes, page.waiting = page.waiting, []

    def make() -> None:
        for change in changes:
            change()

    _as_one(make)


def _as_one(change: Callable[[], None]) -> None:
    """Make ``change``, and have Bokeh send all of it, in order and under the document's lock.

    Panel (1.9.4) parks what meets a message under way, and forgets it if that one ends before the parked one's turn:
    under load two in a hundred pages stayed at their placeholder.
    """
    document = pn.state.curdoc
    if document is None:
        return change()
    document.hold()
    try:
        return change()
    finally:
        document.unhold()


def _mark(page: Page, slot: Slot, *, busy: bool) -> None:
    if slot.drawn is not None:  # before that, its placeholder shows that it works
        slot.holder.css_classes = ["holder", "busy"] if busy else ["holder"]
    show_progress(page.controls, f"Asking for {slot.tab.title}" if busy else "")


def _draw(page: Page, slot: Slot, selection: Selection, tables: Any, held: Held) -> None:
    """Put the tables into the tab, unless it already shows them."""
    if selection != page.selection:
        return  # a choice was made between the answer and now: what it means is under way
    assert slot.view is not None
    try:
        shown = _fingerprint(tables)
        if slot.drawn is None or slot.drawn[1] != shown:
            slot.view.show(tables)
        slot.drawn = selection, shown
    except Exception as error:  # noqa: BLE001 - as in _work
        _fail(page, slot, error, keep=False)
        return
    if slot.holder.children != [slot.view.layout]:
        slot.holder.children = [slot.view.layout]
    slot.failed = None
    slot.exports = getattr(tables, "exports", ())
    page.on_drawn(slot)
    _mark(page, slot, busy=False)
    show_selection(page.controls, selection, held)


class _Shown(pickle.Pickler):
    """Writes tables as they are shown: of receipts what they say, not when they were asked for; of files nothing."""

    def persistent_id(self, one: Any) -> Any:
        if isinstance(one, Export):
            return one.name
        return (one.query, one.resolution, one.segments, one.notes) if isinstance(one, Receipt) else None


def _fingerprint(tables: Any) -> Hashable:
    # Numbers too: a live answer's receipt stays the same while AEMO revises them.
    written = io.BytesIO()
    _Shown(written).dump(tables)
    return hash(written.getvalue())


def _fail(page: Page, slot: Slot, error: Exception, *, keep: bool) -> None:
    """Show what went wrong and a way to retry; what was drawn stays only if it is still what was asked for."""
    if not isinstance(error, errors.StoppedError):
        log.error("the tab %s failed", slot.tab.title, exc_info=error)
    words = errors.describe(error)
    drawn = slot.drawn is not None and keep
    if slot.failed != (words, drawn):  # each look may fail again: whoever stands on its button stays there
        kept = [slot.view.layout] if drawn and slot.view else []
        slot.holder.children = [card(Text(errors.card(words) + _RETRY)), *kept]
        slot.failed = words, drawn
    slot.drawn = slot.drawn if drawn else None
    slot.exports = slot.exports if drawn else ()
    page.on_drawn(slot)
    _mark(page, slot, busy=False)
    slot.holder.css_classes = ["holder"]
