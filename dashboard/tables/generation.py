"""Generation by fuel over the selected range, for the Generation tab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.data import Market, Selection, window_of
from dashboard.tables import shape
from nem.regions import NEM
from nem.windows import Window

if TYPE_CHECKING:
    from cache_store.answer import Receipt


@dataclass(frozen=True, slots=True)
class Generation:
    """One region over the selected range."""

    region: str
    window: Window
    stack: shape.Stack
    fuels: list[shape.FuelRow]
    flows_mwh: dict[str, float]
    renewable_share: float | None
    mean_price: float | None
    receipts: tuple[Receipt, ...]


def load(market: Market, selection: Selection) -> Generation:
    """Generation by fuel with price and demand, and each fuel's totals."""
    window = window_of(selection, market.extent("generation_by_fuel"), market.clock)
    region = {"region_id": [selection.region]}
    generation = market.ask("generation_by_fuel", window, filters=region)
    price = market.ask("regional_price", window, filters=region, resolution=generation.receipt.resolution)
    units = market.ask("capacity_factor", window, filters=region, resolution="1M")
    data = shape.columns(price.table)
    flows = (
        {}
        if selection.region == NEM
        else {name: shape.total(data[f"{name[:-1]}_mwh"].astype(float)) or 0.0 for name in ("imports", "exports")}
    )
    return Generation(
        region=selection.region,
        window=window,
        stack=shape.stack(generation, price, selection.region),
        fuels=shape.fuel_rows(generation.table, shape.held_hours(generation.receipt), units.table),
        flows_mwh=flows,
        renewable_share=shape.renewable_share(generation.table),
        mean_price=shape.mean_price(data, selection.region),
        receipts=(generation.receipt, price.receipt, units.receipt),
    )
