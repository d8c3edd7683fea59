"""The last 24 hours, for the NEM Overview tab."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from cache_store.answer import Answer
from cache_store.errors import NothingHeldError
from dashboard.data import Export, Market, Question, Selection, Tables, extent_of, only, window_of
from dashboard.tables import flows as interconnectors
from dashboard.tables import shape
from dashboard.tables.flows import Flows
from dashboard.tables.generation import stack_export
from dashboard.tables.records import Records, load_records
from dashboard.tables.summary import Summary, load_summary
from dashboard.tables.supply import FuelRow, Stack, fuel_rows, renewable_share, renewable_shares, stack
from nem.regions import NEM, REGIONS
from nem.windows import Window

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
class Overview(Tables):
    """The last 24 hours, with the selected region in detail.

    The stack's are those of ``window``, the prices' those of ``price_window``: each its own newest, and one where
    neither lags. ``receipts`` are of generation, of the region's price beside it, and of every region's newest prices.
    """

    window: Window
    price_window: Window
    tiles: list[Tile]
    stack: Stack
    rows: list[FuelRow]
    day_price: float | None
    share_day: float | None
    share_now: float | None
    recent: RecentPrices
    records: Records
    summary: Summary
    flows: Flows


def load(market: Market, selection: Selection) -> Overview:
    """The last 24 hours of every region, and of the selected one in detail."""
    extent = window_of(replace(selection, range="all"), extent_of(market, "overview"), market.clock)
    window = Window(max(extent.start, extent.end - DAY), extent.end)
    day = replace(selection, range="1d", resolution="5min")
    price_window = window
    with suppress(NothingHeldError):
        price_window = market.window("regional_price", day)
    region, every_price = selection.region, Question("regional_price", price_window, "5min")
    asked = tuple(Question(query, window, "5min", only(region)) for query in ("generation_by_fuel", "regional_price"))
    generation, price, market_price = map(
        market.answer_beside, (replace(asked[0], filters={}), every_price, replace(every_price, filters=only(NEM)))
    )
    told = {*price.table["region_id"].to_pylist(), *generation.table["region_id"].to_pylist()}
    paid = {NEM: market_price, **{name: _only(price, name) for name in REGIONS if name in told}}
    own = _only(generation, region)
    own_price = paid.get(region, price) if price_window == window else market.answer_beside(asked[1])
    supply = stack(own, own_price, region, selection.grouping)
    summary = load_summary(market, region, extent)
    flows = interconnectors.load(market, replace(day, region=NEM))
    drawn = stack_export("last-24-hours", "The last 24 hours", asked, supply)
    prices = Export("prices", "Prices of the last 24 hours", (every_price,), lambda: price.table)
    return Overview(
        window=window,
        price_window=price_window,
        tiles=[_tile(name, _only(generation, name), newest) for name, newest in paid.items()],
        stack=supply,
        rows=fuel_rows(own, selection.grouping),
        day_price=shape.mean_price(shape.columns(own_price.table), region),
        share_day=renewable_share(own, region),
        share_now=_share_now(own, region),
        recent=recent_prices(paid, price_window),
        records=load_records(market, region, extent),
        summary=summary,
        flows=flows,
        selection=selection,
        receipts=(generation.receipt, own_price.receipt, price.receipt),
        exports=(drawn, prices, summary.export, *flows.exports),
    )


def _only(answer: Answer, region: str) -> Answer:
    """The region's rows of an answer about all of them; for the whole market every row."""
    return answer if region == NEM else replace(answer, table=shape.where(answer.table, "region_id", [region]))


def _share_now(generation: Answer, region: str) -> float | None:
    """The newest interval's share."""
    shares = renewable_shares(generation, region)
    if not len(shares["generated"]) or np.isnan(shares["generated"][-1]):
        return None
    return shape.ratio(float(shares["renewable"][-1]), float(shares["generated"][-1]))


def _tile(region: str, generation: Answer, price: Answer) -> Tile:
    data = shape.columns(price.table)
    paid = data[shape.price_column(region)]
    held, demand = paid[~np.isnan(paid)], data["demand_mw"]
    return Tile(
        region_id=region,
        price=float(held[-1]) if held.size else None,
        day_price=shape.mean_price(data, region),
        demand_mw=float(demand[-1]) if demand.size and not np.isnan(demand[-1]) else None,
        renewable_share=renewable_share(generation, region),
        trace=[float(value) for value in held[:: max(1, len(held) // 72)]],
    )


def recent_prices(paid: Mapping[str, Answer], window: Window, periods: int = 7) -> RecentPrices:
    """The newest settlement periods of each region and, last and weighted by demand, of the market."""
    step = timedelta(minutes=5 if window.end > FIVE_MINUTE_SETTLEMENT else 30)
    ends = [
        window.end - step * back for back in reversed(range(periods)) if window.end - step * (back + 1) >= window.start
    ]
    rows = {}
    for region in sorted(paid, key=lambda name: name == NEM):
        data = shape.columns(paid[region].table)
        if len(data["interval_start"]):
            cells = [_between(data, region, end - step, end) for end in ends]
            hour, day = (_between(data, region, window.end - back, window.end) for back in (timedelta(hours=1), DAY))
            rows[region] = (cells, hour, day)
    return RecentPrices(ends, rows)


def _between(data: shape.Columns, region: str, start: datetime, end: datetime) -> float | None:
    starts = data["interval_start"]
    inside = (starts >= np.datetime64(start)) & (starts < np.datetime64(end))
    return shape.mean_price({name: values[inside] for name, values in data.items()}, region)
