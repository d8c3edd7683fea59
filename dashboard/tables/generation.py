"""Generation over the selected range, for the Generation tab: the stack and a row per band."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from dashboard.data import Export, Market, Question, Selection, Tables, only, resolution_of
from dashboard.tables import shape
from dashboard.tables.supply import FuelRow, Stack, fuel_rows, renewable_share, stack
from nem.regions import NEM
from nem.windows import Window


@dataclass(frozen=True, slots=True)
class Generation(Tables):
    """One region over a window: its stack, its bands' totals, and the figures beside them.

    ``receipts`` are of generation, prices and units; of these the second export, that of ``rows``, was asked.
    """

    window: Window
    stack: Stack
    rows: list[FuelRow]
    renewable_share: float | None
    mean_price: float | None


def load(market: Market, selection: Selection) -> Generation:
    """The selected range."""
    return load_window(market, selection, market.window("generation_by_fuel", selection))


def load_window(market: Market, selection: Selection, window: Window) -> Generation:
    """The selected region over ``window``, in the selection's grouping and unit, at the resolution that fits it."""
    region, resolution = only(selection.region), resolution_of(selection, window)
    questions = (
        Question("generation_by_fuel", window, resolution, region),
        Question("regional_price", window, resolution, region),
        Question("capacity_factor", window, "1M", region),
    )
    generation, (price, units) = market.answer(questions[0]), (market.answer_beside(one) for one in questions[1:])
    drawn = stack(generation, price, selection.region, selection.grouping, selection.unit)
    rows = fuel_rows(generation, selection.grouping, None if selection.region == NEM else price, units.table)
    names = ("energy_mwh", "mean_mw", "market_value_aud", "share", "capacity_factor", "dwa_price")
    make = partial(shape.listed, rows, *names, band=lambda row: row.band.id)
    return Generation(
        window=window,
        stack=drawn,
        rows=rows,
        renewable_share=renewable_share(generation, selection.region),
        mean_price=shape.mean_price(shape.columns(price.table), selection.region),
        selection=selection,
        receipts=(generation.receipt, price.receipt, units.receipt),
        exports=(
            stack_export("generation", "The stack, with demand and price", questions[:2], drawn),
            Export("fuels", "The table of fuels", questions, make),
        ),
    )


def stack_export(name: str, title: str, questions: tuple[Question, ...], drawn: Stack) -> Export:
    """A stack as drawn, a column per band with loads and exports negative."""
    names = ("interval_start", "interval_end", *drawn.units)
    make = partial(shape.arrow, {name: drawn.columns[name] for name in names})
    return Export(name, title, questions, make, drawn.units)
