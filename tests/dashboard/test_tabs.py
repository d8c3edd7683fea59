"""Laziness, selection and failure of the page, asserted on its models without a browser."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from datetime import timedelta
from itertools import count

import panel as pn
import pytest
from bokeh.document import Document
from bokeh.io.doc import patch_curdoc
from bokeh.models import Div, InlineStyleSheet
from bokeh.models.dom import HTML
from bokeh.models.ui import Pane
from bokeh.plotting import figure
from panel.io.state import set_curdoc

from benchmarks import eager
from cache_store.errors import NoAnswerError
from dashboard import app, tabs
from dashboard import page as frame
from dashboard.contents import TABS
from dashboard.data import Market
from dashboard.markup import asset
from dashboard.page import open_page
from dashboard.tabs import choose, refresh, schedule
from nem.errors import SourceUnavailableError
from nem.windows import Window


class Asking:
    """A market that counts what it is asked, and can be told to fail or to wait."""

    def __init__(self, market: Market):
        self.real, self.asked = market, []
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.market = replace(market, ask=self.ask)

    def ask(self, query, window, **options):
        assert self.gate.wait(10)
        self.asked.append((query, options.get("filters"), window))
        if self.error is not None:
            raise self.error
        return self.real.ask(query, window, **options)


@pytest.fixture
def asking(tiny_market):
    return Asking(tiny_market)


@pytest.fixture
def page(asking):
    with set_curdoc(Document()):
        yield open_page(asking.market)


def text_of(layout) -> str:
    return " ".join(one.html for one in layout.select({"type": HTML}))


_clicks = count()


def pick(page, text: str) -> None:
    """What the browser tells of a click."""
    page.controls.pick.content = f"{text}\n={next(_clicks)}"


def drawn(page) -> list[bool]:
    return [slot.view is not None for slot in page.slots]


def test_opening_the_app_builds_and_asks_nothing(page, asking):
    assert drawn(page) == [False] * 4
    assert asking.asked == []
    assert "Loading NEM Overview" in text_of(page.slots[0].holder)


def test_the_first_tab_fills_itself_and_no_other(page):
    refresh(page)
    assert drawn(page) == [True, False, False, False]


def test_what_is_ready_while_a_browser_lays_out_the_page_waits_for_it(page, asking, monkeypatch):
    """Bokeh would build it twice, and show both. What is chosen meanwhile is what is shown."""
    monkeypatch.setattr(tabs, "_has_browser", lambda: True)
    refresh(page)
    pick(page, "region=SA1")
    pick(page, "region=NSW1")
    assert asking.asked
    assert "Loading NEM Overview" in text_of(page.slots[0].holder)
    waiting = len(page.waiting)
    frame._look(page)
    assert len(page.waiting) == waiting, "a tab in the background is not laid out, and its session must not grow"
    frame._arrived(page)
    assert "New South Wales, last 24 hours" in text_of(page.slots[0].holder)
    assert page.controls.address.content == "?region=NSW1"
    pick(page, "region=SA1")
    assert "South Australia, last 24 hours" in text_of(page.slots[0].holder)


def test_a_callback_is_about_its_own_page():
    """Bokeh tells whose it is in a place where the threads of other sessions write at the same time."""
    ours, seen = Document(), []
    callback = frame._of(ours, lambda: seen.append(pn.state.curdoc))
    with patch_curdoc(Document()):
        callback()
    assert seen == [ours]


def test_opening_one_tab_imports_and_builds_that_one(page):
    for name in [name for name in sys.modules if name.startswith("dashboard.views.")]:
        sys.modules.pop(name)
    page.tabs.active = 2
    assert drawn(page) == [False, False, True, False]
    assert {name for name in sys.modules if name.startswith("dashboard.views.")} == {
        "dashboard.views.price_series",  # of its parts, the one that is open
    }


def test_opening_twice_builds_once_and_keeps_the_title(page):
    """U3."""
    page.tabs.active = 1
    view, layout = page.slots[1].view, list(page.slots[1].holder.children)
    page.tabs.active = 0
    page.tabs.active = 1
    assert page.slots[1].view is view
    assert page.slots[1].holder.children == layout
    assert [one.title for one in page.tabs.tabs] == [tab.title for tab in TABS]
    assert page.tabs.tabs[1].child is page.slots[1].holder


def test_two_quick_clicks_load_once(page, asking):
    """U3: the second finds the first at work and leaves its wish with it."""
    refresh(page)
    once = len(asking.asked)
    asking.asked.clear()
    asking.gate.clear()
    first = threading.Thread(target=refresh, args=(page,))
    first.start()
    while not page.slots[0].working:
        pass
    for _ in range(5):
        refresh(page)  # returns at once: one is at work
    asking.gate.set()
    first.join(10)
    assert len(asking.asked) == 2 * once  # the work under way, and once more for all five wishes
    assert not page.slots[0].working


def test_a_selection_made_while_loading_is_what_is_drawn_last(page, asking):
    asking.gate.clear()
    first = threading.Thread(target=refresh, args=(page,))
    first.start()
    while not page.slots[0].working:
        pass
    choose(page, region="SA1")
    asking.gate.set()
    first.join(10)
    assert "South Australia, last 24 hours" in text_of(page.slots[0].holder)


def test_a_new_region_or_range_changes_panes_that_stay(page):
    """T7, U5: nothing is rebuilt, only the open tab asks."""
    page.tabs.active = 1
    (layout,) = page.slots[1].holder.children
    pick(page, "region=NSW1")
    assert "Generation, New South Wales" in text_of(page.slots[1].holder)
    pick(page, "range=1d")
    assert page.slots[1].holder.children == [layout]
    assert drawn(page) == [False, True, False, False]


def test_the_same_fuels_keep_their_figures_and_get_new_numbers(page):
    held = page.market.extent("generation_by_fuel")
    page.market = replace(page.market, extent=lambda _: Window(held.start, held.end - timedelta(hours=6)))
    pick(page, "region=SA1")
    page.tabs.active = 1
    layout = page.slots[1].view.layout
    figures = list(layout.select({"type": figure}))
    ends = lambda: len(figures[0].renderers[0].data_source.data["interval_end"])  # noqa: E731
    before = ends()
    page.market = replace(page.market, extent=lambda _: held)
    refresh(page)
    assert list(layout.select({"type": figure})) == figures
    assert (before, ends()) == (42 * 12 + 1, 48 * 12 + 1)
    assert figures[0].x_range.reset_start == figures[0].x_range.start


@pytest.mark.parametrize("tab", range(4))
def test_a_look_that_finds_nothing_new_draws_nothing(page, tiny_market, tab):
    """Every twenty seconds for every open page; receipts tell when they were asked for, wherever they stand in the tables."""
    later = timedelta(seconds=61)

    def ask(*question, **options):
        answer = tiny_market.ask(*question, **options)
        return replace(answer, receipt=replace(answer.receipt, now=answer.receipt.now + later))

    page.tabs.active = tab
    refresh(page)
    shown, drawings = page.slots[tab].view, []
    page.slots[tab].view = replace(shown, show=drawings.append)
    page.market = replace(tiny_market, ask=ask, clock=lambda: tiny_market.clock() + later)
    refresh(page)
    assert drawings == []
    page.market = replace(tiny_market, extent=lambda query: Window(*_an_hour_ago(tiny_market.extent(query))))
    refresh(page)
    assert len(drawings) == 1


def _an_hour_ago(window):
    return window.start, window.end - timedelta(hours=1)


def test_a_hidden_tab_follows_when_it_is_shown_again(page, asking):
    page.tabs.active = 1
    page.tabs.active = 0
    asking.asked.clear()
    pick(page, "region=SA1")
    assert "capacity_factor" not in {query for query, _, _ in asking.asked}  # the hidden tab's own question
    page.tabs.active = 1
    assert "Generation, South Australia" in text_of(page.slots[1].holder)


def test_the_range_is_offered_where_it_applies(page):
    refresh(page)
    assert not page.controls.dated.model.visible
    page.tabs.active = 1
    assert page.controls.dated.model.visible


def test_a_click_inside_a_table_selects(page):
    page.tabs.active = 3
    pick(page, "station=O'Hara's Ridge")
    assert page.selection.station == "O'Hara's Ridge"
    for _ in range(2):  # the same click again is another
        pick(page, "region=SA1")
        assert 'data-pick="region=SA1" aria-pressed="true"' in page.controls.region.html
        assert page.selection.region == "SA1"
        pick(page, "region=NEM")
    pick(page, "region=SA1")
    pick(page, "region=nowhere")
    assert page.selection.region == "SA1"


@pytest.mark.parametrize("error", [SourceUnavailableError("the lake is gone"), NoAnswerError("nothing holds it")])
def test_a_failure_shows_its_reason_and_a_retry(page, asking, error):
    """C4, U1: neither an empty chart nor an endless spinner."""
    asking.error = error
    page.tabs.active = 1
    shown = page.slots[1].holder
    assert str(error) in text_of(shown)
    assert "busy" not in shown.css_classes
    asking.error = None
    assert 'data-pick="retry=1"' in text_of(shown)
    pick(page, "retry=1")
    assert "Generation, National market" in text_of(shown)
    assert "Retry" not in text_of(shown)


def test_a_fault_of_the_program_tells_nothing_of_its_inside(page, asking):
    asking.error = ZeroDivisionError("secret/path.py line 3")
    page.tabs.active = 1
    assert "Something went wrong" in text_of(page.slots[1].holder)
    assert "secret" not in text_of(page.slots[1].holder)


def test_a_failure_on_the_timer_keeps_what_was_drawn(page, asking):
    page.tabs.active = 1
    asking.error = SourceUnavailableError("the lake is gone")
    refresh(page)
    assert "the lake is gone" in text_of(page.slots[1].holder)
    assert "Generation, National market" in text_of(page.slots[1].holder)
    shown = page.slots[1].holder.children
    refresh(page)
    assert page.slots[1].holder.children is shown  # and whoever stands on its button stays there
    asking.error = SourceUnavailableError("another reason")
    refresh(page)
    assert "another reason" in text_of(page.slots[1].holder)
    asking.error = None
    refresh(page)
    assert "the lake is gone" not in text_of(page.slots[1].holder)


def test_a_failure_after_a_choice_hides_what_was_not_chosen(page, asking):
    page.tabs.active = 1
    asking.error = SourceUnavailableError("the lake is gone")
    pick(page, "region=SA1")
    assert "National market" not in text_of(page.slots[1].holder)


def test_late_data_is_told(page, tiny_market):
    """U9."""
    refresh(page)
    assert "behind" not in page.controls.newest.html
    page.market = replace(tiny_market, clock=lambda: tiny_market.clock() + timedelta(hours=2))
    refresh(page)
    assert "2.0 h behind" in page.controls.newest.html


def test_every_control_and_the_tabs_are_in_the_page(asking):
    document = Document()
    app.build_app(document, asking.market)
    roots = [one.name for one in document.roots]
    assert roots[-1] == "tabs"
    assert all(f"embed(roots.{name})" in asset("page.html") for name in roots)


def test_the_timer_is_under_the_shortest_ttl():
    assert 15_000 <= frame.REFRESH_MS <= 30_000


def test_a_change_is_told_as_one_also_when_it_fails(page):
    """What Panel sends while a message is under way may be forgotten: Bokeh sends it, when all is changed."""
    document, shown, told = Document(), Div(), []
    document.add_root(shown)
    document.on_change(lambda event: told.append(event.new))

    def change():
        shown.text = "first"
        shown.text = "last"
        assert told == []

    def broken():
        shown.text = "half"
        raise LookupError("no more")

    with set_curdoc(document):
        schedule(page, change)
        assert told == ["last"]
        with pytest.raises(LookupError, match="no more"):
            schedule(page, broken)
    assert told == ["last", "half"]


def test_a_browser_is_sent_a_style_sheet_once(asking):
    document = Document()
    app.build_app(document, asking.market)
    sheets = [one.css for one in document.models if isinstance(one, InlineStyleSheet)]
    for name in ("parts.css", "cards.css"):
        assert sheets.count(asset(name)) == 1
    texts = [
        one for one in document.models if isinstance(one, Pane) and any(isinstance(it, HTML) for it in one.elements)
    ]
    assert len(texts) > 8
    assert {len(one.stylesheets) for one in texts} == {1}


def test_the_variant_that_benchmarks_stand_beside_has_every_tab_before_the_page_is_sent(asking, page):
    eager.start(page, Document())
    assert all(any(slot.holder.select({"type": figure})) for slot in page.slots)
    assert {query for query, *_ in asking.asked} >= {"generation_by_fuel", "regional_price", "capacity_factor"}
