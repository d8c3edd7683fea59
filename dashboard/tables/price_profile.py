"""Price Analysis: the mean price by time of day, and of every hour of every day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dashboard.data import Export, Market, Question, Selection, Tables, only
from dashboard.tables import shape
from nem.caps import price_cap
from nem.windows import MAX_POINTS, Resolution, Window

_YEAR_HOURS = 366 * 24
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class PriceProfile(Tables):
    """Mean prices by the clock, $/MWh; for NEM weighted by demand.

    ``profile`` holds ``hour`` (where the slot starts, 0 to 23.5) and the mean of ``all`` days, of each ``weekday`` and
    ``weekend`` (Saturday and Sunday; no holidays are known). ``grid`` is hour of day by day from ``first_day`` on.
    """

    window: Window
    profile: shape.Columns
    first_day: np.datetime64
    grid: shape.Array
    cap: float


def load(market: Market, selection: Selection) -> PriceProfile:
    """The selected region's price by time of day."""
    window = market.window("regional_price", selection)
    resolution, slot_hours = slots_of(window)
    question = Question("regional_price", window, resolution, only(selection.region))
    answer = market.answer(question)
    data = shape.columns(answer.table)
    over, under = shape.price_measures(selection.region)
    starts, tops, bottoms = data["interval_start"], data[over], data[under]
    profile = time_of_day(starts, tops, bottoms, slot_hours)
    first_day, grid = hours_by_day(starts, tops, bottoms)
    units = {"hour": "h"} | dict.fromkeys(("all", "weekday", "weekend"), "$/MWh")
    return PriceProfile(
        window=window,
        profile=profile,
        first_day=first_day,
        grid=grid,
        cap=price_cap(window.end.date()),
        selection=selection,
        receipts=(answer.receipt,),
        exports=(
            Export("price-time-of-day", "Price by time of day", (question,), lambda: shape.arrow(profile), units),
            Export("price-hours", "Price by hour and day", (question,), lambda: _grid_table(first_day, grid)),
        ),
    )


def slots_of(window: Window) -> tuple[Resolution, float]:
    """What a profile is asked at and its slots' hours: half hours, and hours of more than a year."""
    return ("30min", 0.5) if window.hours <= _YEAR_HOURS else ("1h", 1.0)


def time_of_day(starts: shape.Array, tops: shape.Array, bottoms: shape.Array, slot_hours: float) -> shape.Columns:
    """The sum of ``tops`` over that of ``bottoms`` in each slot of the day, by kind of day; NaN where none is known."""
    days = starts.astype("M8[D]")
    slot = ((starts - days) / shape.HOUR / slot_hours).astype(int)
    # 1 January 1970 was a Thursday.
    is_weekend = (days.astype(int) + 3) % 7 >= _SATURDAY
    count = round(24 / slot_hours)
    out: shape.Columns = {"hour": np.arange(count) * slot_hours}
    for name, kept in (("all", np.full(len(slot), True)), ("weekday", ~is_weekend), ("weekend", is_weekend)):
        out[name] = _means(slot[kept], tops[kept], bottoms[kept], count)
    return out


def hours_by_day(starts: shape.Array, tops: shape.Array, bottoms: shape.Array) -> tuple[np.datetime64, shape.Array]:
    """The first day, and the mean of each hour (24 rows, midnight first) of each day from it on; the newest 2,200 days."""
    days = starts.astype("M8[D]")
    if not len(days):
        return np.datetime64("1970-01-01"), np.full((24, 0), np.nan)
    first = max(days.min(), days.max() - (MAX_POINTS - 1))
    kept = days >= first
    width = int((days.max() - first).astype(int)) + 1
    hour = ((starts - days) / shape.HOUR).astype(int)
    cell = hour * width + (days - first).astype(int)
    return first, _means(cell[kept], tops[kept], bottoms[kept], 24 * width).reshape(24, width)


def _means(place: shape.Array, tops: shape.Array, bottoms: shape.Array, count: int) -> shape.Array:
    known = ~np.isnan(tops) & (bottoms > 0)
    over, under = (np.bincount(place[known], weights=one[known], minlength=count) for one in (tops, bottoms))
    return shape.ratios(over, under)


def _grid_table(first_day: np.datetime64, grid: shape.Array) -> pa.Table:
    hours, days = np.indices(grid.shape)
    starts = first_day.astype("M8[s]") + (days * 24 + hours).T.ravel() * np.timedelta64(3600, "s")
    return shape.arrow(
        {"interval_start": starts, "interval_end": starts + np.timedelta64(3600, "s"), "price": grid.T.ravel()}
    )
