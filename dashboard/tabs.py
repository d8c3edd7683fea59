"""One session's page: what is selected, and four tabs that are imported, built and asked for when first opened.

Work that blocks (imports, questions) runs on Panel's worker threads; whatever changes a pane is scheduled on the
session's event loop. Each tab does one piece of work at a time and always ends on the newest selection, however
many clicks arrive meanwhile.
"""

from __future__ import annotations

import logging
import pickle
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import panel as pn

from dashboard import errors
from dashboard.data import RANGES, Market, Selection
from dashboard.markup import asset, moment, pane
from nem.regions import NEM, REGIONS
from nem.windows import utc_time

if TYPE_CHECKING:
    from dashboard.layout import View

log = logging.getLogger(__name__)

REFRESH_MS = 20_000
LATE_MINUTES = 45


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab's title, and the name its modules have in `tables` and in `views`."""

    title: str
    name: str


TABS = (
    Tab("NEM Overview", "overview"),
    Tab("Generation", "generation"),
    Tab("Price Analysis", "prices"),
    Tab("Station Analysis", "stations"),
)


@dataclass(slots=True)
class Slot:
    """Where a tab stands in the page, and how far it has come."""

    tab: Tab
    holder: pn.Column
    lock: threading.Lock = field(default_factory=threading.Lock)
    wanted: bool = False
    working: bool = False
    view: View | None = None
    drawn: Hashable = None


@dataclass(slots=True)
class Page:
    """A session's selection, controls and tabs."""

    market: Market
    selection: Selection
    slots: tuple[Slot, ...]
    tabs: pn.Tabs
    region: pn.widgets.RadioButtonGroup
    preset: pn.widgets.RadioButtonGroup
    pick: pn.widgets.TextInput
    newest: pn.pane.HTML


def open_page(market: Market) -> Page:
    """A page whose tabs are all placeholders."""
    selection = Selection()
    slots = tuple(Slot(tab, _holder(tab)) for tab in TABS)
    page = Page(
        market=market,
        selection=selection,
        slots=slots,
        tabs=pn.Tabs(
            *((slot.tab.title, slot.holder) for slot in slots),
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[asset("tabs.css")],
        ),
        region=_choice([NEM, *REGIONS], selection.region),
        preset=_choice(list(RANGES), selection.range),
        pick=pn.widgets.TextInput(visible=False, tags=["pick"]),
        newest=pane(),
    )
    page.preset.visible = False
    page.region.param.watch(lambda event: choose(page, region=event.new), "value")
    page.preset.param.watch(lambda event: choose(page, range=event.new), "value")
    page.pick.param.watch(lambda event: _picked(page, event.new), "value")
    page.tabs.param.watch(lambda _: _opened(page), "active")
    return page


def start(page: Page) -> None:
    """Fill the active tab once the browser is there, and keep the visible one up to date until the session ends."""
    pn.state.onload(partial(refresh, page))
    pn.state.add_periodic_callback(partial(refresh, page, quiet=True), period=REFRESH_MS)


def _holder(tab: Tab) -> pn.Column:
    waiting = f'<div class="skeleton" role="status"><span>Loading {tab.title}<small>Nothing warmed covers it: asking the source</small></span><i></i><i></i><i></i></div>'
    return pn.Column(
        pane(waiting), sizing_mode="stretch_width", margin=0, stylesheets=[asset("cards.css")], css_classes=["holder"]
    )


def _choice(options: list[str], value: str) -> pn.widgets.RadioButtonGroup:
    return pn.widgets.RadioButtonGroup(options=options, value=value, stylesheets=[asset("controls.css")], margin=0)


def choose(page: Page, **changes: Any) -> None:
    """Change the selection and redraw what is shown; the other tabs follow when they are next opened."""
    selection = replace(page.selection, **changes)
    if selection != page.selection:
        page.selection = selection
        refresh(page)


def _picked(page: Page, text: str) -> None:
    """A click inside a table or tile, told as ``name=value``."""
    name, _, value = text.partition("=")
    if name == "region" and value in page.region.options:
        page.region.value = value
    elif name == "station" and value:
        choose(page, station=value)
    page.pick.value = ""


def _opened(page: Page) -> None:
    page.preset.visible = page.tabs.active != 0
    refresh(page)


def refresh(page: Page, *, quiet: bool = False) -> None:
    """Bring the visible tab up to its selection. ``quiet``: on the timer, without showing that it works."""
    slot = page.slots[page.tabs.active]
    with slot.lock:
        slot.wanted = True
        if slot.working:
            return
        slot.working = True
    while _take(slot):
        _work(page, slot, quiet=quiet)


def _take(slot: Slot) -> bool:
    """Whether there is something left to do; if not, the slot is free again."""
    with slot.lock:
        slot.working, slot.wanted = slot.wanted, False
        return slot.working


def _work(page: Page, slot: Slot, *, quiet: bool) -> None:
    selection = page.selection
    if not quiet and slot.drawn is not None:  # before that, its placeholder shows that it works
        _schedule(partial(_mark, slot, busy=True))
    try:
        view = slot.view or import_module(f"dashboard.views.{slot.tab.name}").build(partial(choose, page))
        tables = import_module(f"dashboard.tables.{slot.tab.name}").load(page.market, selection)
    except Exception as error:  # noqa: BLE001 - a tab that fails says so: without this boundary it would spin for ever
        _schedule(partial(_fail, page, slot, error, keep=quiet))
        return
    slot.view = view
    _schedule(partial(_draw, page, slot, selection, tables))


def _schedule(change: Callable[[], None]) -> None:
    pn.state.execute(change, schedule=True)


def _mark(slot: Slot, *, busy: bool) -> None:
    slot.holder.css_classes = ["holder", "busy"] if busy else ["holder"]


def _draw(page: Page, slot: Slot, selection: Selection, tables: Any) -> None:
    """Put the tables into the tab, unless it already shows them."""
    assert slot.view is not None
    facts = tuple((one.query, one.window, one.resolution, one.segments) for one in tables.receipts)
    # A live answer's facts stay the same while AEMO revises its numbers: those are compared as well.
    key = (selection, facts, hash(pickle.dumps(replace(tables, receipts=()))))
    try:
        if key != slot.drawn:
            slot.view.show(tables)
            slot.drawn = key
    except Exception as error:  # noqa: BLE001 - as in _work
        _fail(page, slot, error, keep=False)
        return
    if list(slot.holder) != [slot.view.layout]:
        slot.holder[:] = [slot.view.layout]
    _mark(slot, busy=False)
    _tell_newest(page)


def _fail(page: Page, slot: Slot, error: Exception, *, keep: bool) -> None:
    """Show what went wrong and a way to retry; what was drawn stays only if it is still what was asked for."""
    log.error("the tab %s failed", slot.tab.title, exc_info=error)
    retry = pn.widgets.Button(
        label="Retry", on_click=lambda _: refresh(page), stylesheets=[asset("controls.css")], margin=0
    )
    card = pn.Column(
        pane(errors.card(errors.describe(error))),
        retry,
        css_classes=["card"],
        stylesheets=[asset("cards.css")],
        margin=0,
    )
    drawn = slot.drawn is not None and slot.view is not None and keep
    slot.holder[:] = [card, slot.view.layout] if drawn and slot.view else [card]
    slot.drawn = slot.drawn if drawn else None
    _mark(slot, busy=False)


def _tell_newest(page: Page) -> None:
    newest = page.market.extent("generation_by_fuel").end
    late = (page.market.clock() - utc_time(newest)).total_seconds() / 60
    warning = f' <b class="late">{late / 60:,.1f} h behind</b>' if late > LATE_MINUTES else ""
    page.newest.object = f'<span class="newest">Data to <b>{moment(newest)}</b> NEM time{warning}</span>'
