"""Price Analysis: for what share of the time the price was at or above a level."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from cache_store.errors import NothingHeldError
from dashboard.data import Export, Market, Question, Selection, Tables, compared_window, window_of
from dashboard.tables import shape
from dashboard.tables.intervals import RegionPrices, five_minute_prices
from dashboard.tables.price_series import shown_regions
from nem.caps import price_cap
from nem.windows import MAX_POINTS, Window

COMPARED = "compared"
SHARES = (0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_ENDS = 400  # of a curve are kept whole, either side: that is where the money is


@dataclass(frozen=True, slots=True)
class PriceDuration(Tables):
    """Duration curves.

    ``curves`` holds ``share`` (0 to 1, rising) and a column of $/MWh per region: the price that was reached or passed
    for that share of the region's priced intervals, an order statistic and never between two; ``levels`` has it at the
    shares of SHARES. ``compared`` is that of the selected region over ``compared_window``, which is None without a
    comparison, or if none of it is held; ``wanted_comparison`` is the whole range compared with.
    """

    window: Window
    shown: tuple[str, ...]
    curves: shape.Columns
    levels: Mapping[str, Mapping[float, float]]
    interval_counts: Mapping[str, int]
    wanted_comparison: Window | None
    compared_window: Window | None
    cap: float


def load(market: Market, selection: Selection) -> PriceDuration:
    """The curve of every region over the range, and of the selected one over the range it is compared with."""
    extent = market.extent("regional_price")
    window = window_of(selection, extent, market.clock)
    exact = five_minute_prices(market, window)
    prices = dict(exact.regions)
    questions, receipts = [exact.question], [exact.receipt]
    wanted = compared_window(selection, window)
    compared = wanted.overlap(extent) if wanted else None
    if compared:
        with suppress(NothingHeldError):  # a gap in what is held
            other = five_minute_prices(market, compared)
            questions.append(other.question)
            receipts.append(other.receipt)
            if selection.region in other.regions:
                prices[COMPARED] = other.regions[selection.region]
    curves = duration_curves(prices)
    regions = tuple(name for name in prices if name != COMPARED)
    return PriceDuration(
        window=window,
        shown=shown_regions(selection, regions),
        curves=curves,
        levels={name: levels(one) for name, one in prices.items()},
        interval_counts={name: len(one.rrp) for name, one in prices.items()},
        wanted_comparison=wanted,
        compared_window=compared if COMPARED in prices else None,
        cap=max(price_cap(one.end.date()) for one in (window, compared) if one),
        selection=selection,
        receipts=tuple(receipts),
        exports=(_export(tuple(questions), curves),),
    )


def _export(questions: tuple[Question, ...], curves: shape.Columns) -> Export:
    units = {name: "0-1" if name == "share" else "$/MWh" for name in curves}
    return Export("price-duration", "Price-duration curve", questions, lambda: shape.arrow(curves), units)


def levels(prices: RegionPrices) -> dict[float, float]:
    """The price reached or passed for each share of SHARES; none without a price."""
    falling = np.sort(prices.rrp)[::-1]
    # Rounded first: 0.95 x 20 is a hair above 19.
    return {share: float(falling[math.ceil(round(share * len(falling), 6)) - 1]) for share in SHARES if len(falling)}


def duration_curves(prices: Mapping[str, RegionPrices]) -> shape.Columns:
    """``share`` and a column per entry, at no more than 2,200 shares, each column exact at every one of them."""
    most = max((len(one.rrp) for one in prices.values()), default=0)
    ranks = np.arange(1, most + 1)
    if most > MAX_POINTS:
        between = np.linspace(_ENDS, most - _ENDS, MAX_POINTS - 2 * _ENDS).round().astype(int)
        ranks = np.unique(np.concatenate([ranks[:_ENDS], between, ranks[-_ENDS:]]))
    columns: shape.Columns = {"share": ranks / most if most else ranks.astype(float)}
    for name, one in prices.items():
        falling = np.sort(one.rrp)[::-1]
        # In whole numbers: a share times a count may fall a hair short of the rank it stands for.
        columns[name] = falling[-(-ranks * len(falling) // most) - 1] if len(falling) else np.full(len(ranks), np.nan)
    return columns
