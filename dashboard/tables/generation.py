"""Generation over the selected range, for the Generation tab: the stack and a row per band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from dashboard.data import (
    Export,
    Grouping,
    Market,
    Question,
    Selection,
    Unit,
    ask,
    ask_beside,
    resolution_of,
    window_of,
)
from dashboard.tables import shape
from dashboard.tables.supply import FuelRow, Stack, fuel_rows, renewable_share, stack
from nem.regions import NEM
from nem.windows import Window

if TYPE_CHECKING:
    from cache_store.answer import Receipt

ROW_UNITS = {"energy_mwh": "MWh", "mean_mw": "MW", "dwa_price": "$/MWh", "market_value_aud": "$"}


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
class Generation:
    """The tab's first view."""

    grouping: Grouping
    unit: Unit
    supply: Supply
    receipts: tuple[Receipt, ...]
    exports: tuple[Export, ...]


def load(market: Market, selection: Selection) -> Generation:
    """The tab's first view."""
    supply = load_supply(market, selection, window_of(selection, market.extent("generation_by_fuel"), market.clock))
    return Generation(
        grouping=selection.grouping,
        unit=selection.unit,
        supply=supply,
        receipts=supply.receipts,
        exports=(stack_export(supply), rows_export(supply)),
    )


def load_supply(market: Market, selection: Selection, window: Window) -> Supply:
    """The selected region over ``window``, in the selection's grouping and unit, at the resolution that fits it."""
    region, resolution = {"region_id": (selection.region,)}, resolution_of(selection, window)
    questions = (
        Question("generation_by_fuel", window, resolution, region),
        Question("regional_price", window, resolution, region),
        Question("capacity_factor", window, "1M", region),
    )
    generation, (price, units) = ask(market, questions[0]), (ask_beside(market, one) for one in questions[1:])
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


def stack_export(supply: Supply, name: str = "generation", title: str = "The stack, with demand and price") -> Export:
    """The chart's table."""
    return Export(name, title, supply.questions[:2], lambda: stack_table(supply.stack), stack_units(supply.stack))


def stack_table(drawn: Stack) -> pa.Table:
    """A stack as drawn, a column per band with loads and exports negative."""
    names = ("interval_start", "interval_end", *stack_units(drawn))
    return shape.arrow({name: drawn.columns[name] for name in names})


def stack_units(drawn: Stack) -> dict[str, str]:
    """The units of its columns."""
    names = (*(band.id for band in drawn.bands), "supply", "demand")
    return {**dict.fromkeys(names, drawn.unit), "price": "$/MWh"}


def rows_export(supply: Supply) -> Export:
    """The table of bands, signs as told."""
    return Export("fuels", "The table of fuels", supply.questions, lambda: rows_table(supply.rows), ROW_UNITS)


def rows_table(rows: list[FuelRow]) -> pa.Table:
    """Rows as an Arrow table: loads and exports have negative energy, power and value."""
    return pa.table(
        {
            "band": pa.array([row.band.id for row in rows], pa.string()),
            "energy_mwh": pa.array([row.sign * row.energy_mwh for row in rows], pa.float64()),
            "share": pa.array([row.share for row in rows], pa.float64()),
            "mean_mw": pa.array([signed(row, row.mean_mw) for row in rows], pa.float64()),
            "capacity_factor": pa.array([row.capacity_factor for row in rows], pa.float64()),
            "dwa_price": pa.array([row.dwa_price for row in rows], pa.float64()),
            "market_value_aud": pa.array([signed(row, row.market_value_aud) for row in rows], pa.float64()),
        }
    )


def signed(row: FuelRow, value: float | None) -> float | None:
    """``value`` on the row's side of zero."""
    return None if value is None else row.sign * value
