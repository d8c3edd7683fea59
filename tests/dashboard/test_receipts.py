"""No number without its provenance: a receipt on every card of every part of every tab."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from bokeh.models import Column
from bokeh.models.dom import HTML

from cache_store.errors import NothingHeldError
from dashboard.contents import TABS, load, tab_of
from dashboard.data import Selection
from dashboard.parts import build_tab
from dashboard.picture import paint


def cards_of(market, **selected) -> list[str]:
    """The cards of a part that is built and drawn, each as HTML, but those it hides."""
    tables = load(market, Selection(**selected))
    view = build_tab(tab_of(selected["tab"]))
    view.show(tables)
    return [text for one in columns_in(view.layout) if "card" in one.css_classes and (text := paint(one))]


def columns_in(layout) -> Iterator[Column]:
    """From the top down."""
    yield layout
    for child in layout.children:
        if isinstance(child, Column):
            yield from columns_in(child)


@pytest.mark.parametrize("region", ["NEM", "SA1"])
@pytest.mark.parametrize(("tab", "view"), [(tab.name, part.word) for tab in TABS for part in tab.parts])
def test_every_card_carries_a_receipt(tiny_market, tab, view, region):
    cards = cards_of(tiny_market, tab=tab, view=view, region=region, range="1d")
    assert cards
    assert [card for card in cards if '<details class="receipt' not in card] == []


def test_without_flows_the_prices_take_their_place_and_say_so(tiny_market):
    def extent(query):
        if query == "interconnector_flow":
            raise NothingHeldError("none")
        return tiny_market.extent(query)

    prices = cards_of(replace(tiny_market, extent=extent), tab="overview")[-1]
    assert prices.startswith('<div class="card wide">')
    assert "Latest prices" in prices
    assert "holds no interconnector flows" in prices
    assert cards_of(tiny_market, tab="overview")[-2].startswith('<div class="card">')


@pytest.mark.parametrize("tab_view", [("generation", "compare"), ("prices", "duration")])
def test_days_of_the_readers_own_can_be_compared_with(tiny_market, tab_view):
    """The pop-up offers the days compared with, and says them once they are chosen."""
    tab, view = tab_view
    selected = {"tab": tab, "view": view, "region": "SA1", "range": "1d"}
    for compare, word in (("previous", "Other days"), ("2024-02-27..2024-03-01", "2024-02-27 to 2024-02-29")):
        tables = load(tiny_market, Selection(**selected, compare=compare))
        built = build_tab(tab_of(tab))
        built.show(tables)
        (bar,) = [
            text for one in built.layout.select({"type": HTML}) if 'nw-dates field="compare"' in (text := one.html)
        ]
        assert f'<summary aria-label="Choose days to compare with">{word}</summary>' in bar
        assert 'name="last" value="2024-02-29"' in bar
