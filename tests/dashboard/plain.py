"""A tab of one card, in place of Generation: whatever the frame does, without what the real tabs draw."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from html import escape
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from dashboard.data import Export, Question, Selection, resolution_of, window_of
from dashboard.layout import Text, View, card
from dashboard.markup import receipt_line

if TYPE_CHECKING:
    import pyarrow as pa

STATION = 'O\'Hara "Ridge" / <b>Unit</b> 1'


@dataclass(frozen=True, slots=True)
class Plain:
    text: str
    selection: Selection
    table: pa.Table
    receipts: tuple[Any, ...]
    exports: tuple[Export, ...]


def load(market, selection) -> Plain:
    window = window_of(selection, market.extent("generation_by_fuel"), market.clock)
    filters = {"region_id": (selection.region,)}
    resolution = resolution_of(selection, window)
    answer = market.ask("generation_by_fuel", window, filters=filters, resolution=resolution)
    question = Question("generation_by_fuel", window, answer.receipt.resolution, filters)
    table = answer.table.select(["interval_start", "interval_end", "fueltech_id", "energy_mwh"])
    told = f"{selection.region} {window} {answer.receipt.resolution} {selection.view} {selection.station or ''}"
    export = Export("plain", "Energy by fuel", (question,), lambda: table, {"energy_mwh": "MWh"})
    return Plain(told, selection, table, (answer.receipt,), (export,))


def build() -> View:
    text, receipt = Text(), Text()

    def show(tables: Plain) -> None:
        picks = {"station": STATION, "view": "second", "nonsense": "1", "region": "WA1"}
        buttons = "".join(
            f'<button data-pick="{escape(f"{name}={value}")}">{name}</button>' for name, value in picks.items()
        )
        text.html = f'<p class="told">{escape(tables.text)}</p>{buttons}'
        receipt.html = receipt_line(tables.receipts)

    return View(card(text, receipt), show)


@pytest.fixture
def plain_tab(monkeypatch, tiny_market):
    """The tab Generation, made plain."""
    tiny_market.kept.clear()  # what the real one made
    monkeypatch.setattr(Plain, "__module__", "dashboard.tables.generation")  # by which its view is found
    for place, facts in (("tables", {"load": load, "Plain": Plain}), ("views", {"build": build})):
        module = ModuleType(f"dashboard.{place}.generation")
        vars(module).update(facts)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    yield
    tiny_market.kept.clear()
