"""Generation over the selected range, for the Generation tab: the stack and a row per band."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from cache_store.answer import Receipt
from dashboard.data import Export, Market, Question, Selection, Tables, only, resolution_of
from dashboard.tables import shape
from dashboard.tables.supply import FuelRow, Stack, fuel_rows, renewable_share, stack
from nem.regions import NEM
from nem.windows import Window


@dataclass(frozen=True, slots=True)
class Supply:
    """One region over a window: its stack, its bands' totals, and the figures beside them.

    ``questions`` and ``receipts`` are of generation, prices and units.
    """

    region: str
    window: Window
    stack: Stack
    rows: list[FuelRow]
    renewable_share: float | None
    mean_price: float | None
    questions: tuple[Question, ...]
    receipts: tuple[Receipt, Receipt, Receipt]


@dataclass(frozen=True, slots=True)
class Generation(Tables):
    """The tab's first view."""

    supply: Supply


def load(market: Market, selection: Selection) -> Generation:
    """The tab's first view."""
    supply = load_supply(market, selection, market.window("generation_by_fuel", selection))
    return Generation(
        supply=supply,
        selection=selection,
        receipts=supply.receipts,
        exports=(
            stack_export("generation", "The stack, with demand and price", supply.questions[:2], supply.stack),
            rows_export(supply),
        ),
    )


def load_supply(market: Market, selection: Selection, window: Window) -> Supply:
    """The selected region over ``window``, in the selection's grouping and unit, at the resolution that fits it."""
    region, resolution = only(selection.region), resolution_of(selection, window)
    questions = (
        Question("generation_by_fuel", window, resolution, region),
        Question("regional_price", window, resolution, region),
        Question("capacity_factor", window, "1M", region),
    )
    generation, (price, units) = market.answer(questions[0]), (market.answer_beside(one) for one in questions[1:])
    return Supply(
        region=selection.region,
        window=window,
        stack=stack(generation, price, selection.region, selection.grouping, selection.unit),
        rows=fuel_rows(generation, selection.grouping, None if selection.region == NEM else price, units.table),
        renewable_share=renewable_share(generation, selection.region),
        mean_price=shape.mean_price(shape.columns(price.table), selection.region),
        questions=questions,
        receipts=(generation.receipt, price.receipt, units.receipt),
    )


def stack_export(name: str, title: str, questions: tuple[Question, ...], drawn: Stack) -> Export:
    """A stack as drawn, a column per band with loads and exports negative."""
    names = ("interval_start", "interval_end", *drawn.units)
    make = partial(shape.arrow, {name: drawn.columns[name] for name in names})
    return Export(name, title, questions, make, drawn.units)


def rows_export(supply: Supply) -> Export:
    """The table of bands."""
    names = ("energy_mwh", "mean_mw", "market_value_aud", "share", "capacity_factor", "dwa_price")
    make = partial(shape.listed, supply.rows, *names, band=lambda row: row.band.id)
    return Export("fuels", "The table of fuels", supply.questions, make)
