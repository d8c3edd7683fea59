"""Two sessions that chose alike are shown the same tables, until anything they are made of changes."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest

from cache_store.errors import NothingHeldError
from dashboard.contents import TABS, load
from dashboard.data import Market, Selection
from dashboard.shared import load_once
from dashboard.tabs import _fingerprint
from nem.windows import Window

SELECTION = Selection(tab="generation", region="SA1", range="all")


@pytest.fixture
def market(tiny_market) -> Market:
    """One that has kept nothing yet."""
    return Market(tiny_market.ask, tiny_market.extent, tiny_market.clock)


def test_the_same_choice_is_worked_out_once_in_every_part(market):
    for tab in TABS:
        for part in tab.parts:
            dates = {"range": "all"} if tab.dated else {}  # the overview's tables are of no range
            selection = Selection(tab=tab.name, view=part.word, region="SA1", **dates)
            first = load_once(market, selection)
            assert load_once(market, selection) is first, part
            assert load_once(market, replace(selection, region="NSW1")) is not first
            assert _fingerprint(first) == _fingerprint(load(market, selection))


def test_the_overview_is_one_whatever_range_another_tab_was_left_at(market):
    first = load_once(market, Selection(region="SA1"))
    assert load_once(market, Selection(region="SA1", range="1d", resolution="1h", unit="share")) is first
    assert load_once(market, Selection(region="SA1", grouping="simplified")) is not first


def test_another_table_extent_receipt_or_minute_makes_them_anew(market):
    first = load_once(market, SELECTION)

    def told_anew(query, window, **options):
        answer = market.ask(query, window, **options)
        return _copied(answer) if query == "capacity_factor" else answer

    def doubted(query, window, **options):
        answer = market.ask(query, window, **options)
        return replace(answer, receipt=replace(answer.receipt, notes=("doubtful",)))

    def shorter(query):
        held = market.extent(query)
        return Window(held.start, held.end - timedelta(hours=1))

    for change in (
        {"ask": told_anew},
        {"ask": doubted},
        {"extent": shorter},
        {"clock": lambda: market.clock() + timedelta(minutes=1)},
    ):
        market.kept.clear()
        first = load_once(market, SELECTION)
        assert load_once(replace(market, **change), SELECTION) is not first


def test_an_answer_that_nobody_keeps_is_never_the_same(market):
    kept = replace(market, ask=lambda *words, **options: _copied(market.ask(*words, **options)))
    assert load_once(kept, SELECTION) is not load_once(kept, SELECTION)


def _copied(answer):
    return replace(answer, table=answer.table.slice(0))


def test_what_is_not_held_may_come(market):
    def none_yet(query, *_window, **_options):
        raise NothingHeldError(f"no {query}")

    def ask(query, window, **options):
        return none_yet(query) if query == "regional_price" else market.ask(query, window, **options)

    lacking = replace(market, ask=ask)
    first = load_once(lacking, SELECTION)
    assert load_once(lacking, SELECTION) is first
    assert load_once(market, SELECTION) is not first
    with pytest.raises(NothingHeldError):
        load_once(replace(market, extent=none_yet), SELECTION)


def test_rows_are_not_kept_for_being_compared(market):
    rows: list[weakref.ref[pa.Table]] = []

    def ask(query, window, **options):
        answer = market.ask(query, window, **options)
        copied = pa.table(answer.table.to_pydict(), answer.table.schema)
        rows.append(weakref.ref(copied))
        return replace(answer, table=copied)

    load_once(replace(market, ask=ask), SELECTION)
    gc.collect()
    assert rows
    assert not any(one() for one in rows)
