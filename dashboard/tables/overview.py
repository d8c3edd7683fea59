"""The last 24 hours, for the NEM Overview tab."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from dashboard.data import Market, Selection
from dashboard.tables import shape
from nem.regions import NEM, REGIONS
from nem.windows import Window

if TYPE_CHECKING:
    import pyarrow as pa

    from cache_store.answer import Receipt

DAY = timedelta(days=1)
FIVE_MINUTE_SETTLEMENT = datetime(2021, 10, 1)  # before it a price holds for half an hour


@dataclass(frozen=True, slots=True)
class Tile:
    """A region now: its newest price beside the day's, demand, and the day's renewable share."""

    region_id: str
    price: float | None
    day_price: float | None
    demand_mw: float | None
    renewable_share: float | None
    trace: list[float]


@dataclass(frozen=True, slots=True)
class RecentPrices:
    """The last settlement periods: their ends, and per region the prices with the last hour's and day's mean."""

    ends: list[datetime]
    rows: dict[str, tuple[list[float | None], float | None, float | None]]


@dataclass(frozen=True, slots=True)
class Overview:
    """The last 24 hours."""

    region: str
    tiles: list[Tile]
    stack: shape.Stack
    fuels: list[shape.FuelRow]
    day_price: float | None
    share_day: float | None
    share_now: float | None
    recent: RecentPrices
    receipts: tuple[Receipt, ...]


def load(market: Market, selection: Selection) -> Overview:
    """The last 24 hours of every region, and of the selected one in detail."""
    extent = market.extent("generation_by_fuel")
    window = Window(max(extent.start, extent.end - DAY), extent.end)
    region = selection.region
    generation = market.ask("generation_by_fuel", window, resolution="5min")
    price = market.ask("regional_price", window, resolution="5min")
    chosen = market.ask("generation_by_fuel", window, filters={"region_id": [region]}, resolution="5min")
    market_price = market.ask("regional_price", window, filters={"region_id": [NEM]}, resolution="5min")
    chosen_price = market_price
    if region != NEM:
        chosen_price = market.ask("regional_price", window, filters={"region_id": [region]}, resolution="5min")
    own = _rows_of(generation.table, region)
    return Overview(
        region=region,
        tiles=[
            _tile(
                name,
                _rows_of(generation.table, name),
                market_price.table if name == NEM else _rows_of(price.table, name),
            )
            for name in (NEM, *(name for name in REGIONS if name in set(price.table["region_id"].to_pylist())))
        ],
        stack=shape.stack(chosen, chosen_price, region),
        fuels=shape.fuel_rows(chosen.table, shape.held_hours(chosen.receipt)),
        day_price=shape.mean_price(shape.columns(chosen_price.table), region),
        share_day=shape.renewable_share(own),
        share_now=shape.renewable_share(_newest(own)),
        recent=recent_prices(price.table, market_price.table, window),
        receipts=(chosen.receipt, chosen_price.receipt, price.receipt),
    )


def _rows_of(table: pa.Table, region: str) -> pa.Table:
    return table if region == NEM else shape.where(table, "region_id", [region])


def _newest(table: pa.Table) -> pa.Table:
    starts = shape.columns(table, ("interval_start",))["interval_start"]
    return table.filter(starts == starts.max()) if len(starts) else table


def _tile(region: str, generation: pa.Table, price: pa.Table) -> Tile:
    data = shape.columns(price)
    paid = data[shape.price_column(region)].astype(float)
    held, demand = paid[~np.isnan(paid)], data["demand_mw"].astype(float)
    return Tile(
        region_id=region,
        price=float(held[-1]) if held.size else None,
        day_price=shape.mean_price(data, region),
        demand_mw=float(demand[-1]) if demand.size and not np.isnan(demand[-1]) else None,
        renewable_share=shape.renewable_share(generation),
        trace=[float(value) for value in held[:: max(1, len(held) // 72)]],
    )


def recent_prices(price: pa.Table, market_price: pa.Table, window: Window, periods: int = 7) -> RecentPrices:
    """The newest settlement periods of each region and, weighted by demand, of the market."""
    step = timedelta(minutes=5 if window.end > FIVE_MINUTE_SETTLEMENT else 30)
    ends = [
        window.end - step * back for back in reversed(range(periods)) if window.end - step * (back + 1) >= window.start
    ]
    rows = {}
    for region in (*REGIONS, NEM):
        data = shape.columns(market_price if region == NEM else shape.where(price, "region_id", [region]))
        if len(data["interval_start"]):
            cells = [_between(data, region, end - step, end) for end in ends]
            hour, day = (_between(data, region, window.end - back, window.end) for back in (timedelta(hours=1), DAY))
            rows[region] = (cells, hour, day)
    return RecentPrices(ends, rows)


def _between(data: shape.Columns, region: str, start: datetime, end: datetime) -> float | None:
    starts = data["interval_start"]
    inside = (starts >= np.datetime64(start)) & (starts < np.datetime64(end))
    return shape.mean_price({name: values[inside] for name, values in data.items()}, region)
