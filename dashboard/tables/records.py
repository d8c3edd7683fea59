"""How high the renewable share of a region has been: over all its days, and over a year of its hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from cache_store.answer import Receipt
from dashboard.data import Market, Question, only
from dashboard.tables.shape import Columns
from dashboard.tables.supply import renewable_shares
from nem.windows import INTERVAL, Resolution, Window, floor

YEAR = timedelta(days=365)  # of hours: more would take longer to read than the rest of the page


@dataclass(frozen=True, slots=True)
class Record:
    """The highest renewable share of an hour or a day, 0 to 1, and when that began."""

    share: float
    start: datetime


@dataclass(frozen=True, slots=True)
class Records:
    """Of whole days in ``days``, which is all that is held, and of whole hours in ``hours``.

    ``at_this_hour`` is of those at ``hour_of_day``, the newest interval's. None where no hour or day has every input.
    """

    days: Window
    hours: Window
    hour_of_day: int
    day: Record | None
    hour: Record | None
    at_this_hour: Record | None
    receipts: tuple[Receipt, ...]


def load_records(market: Market, region: str, extent: Window) -> Records:
    """The records of ``region`` up to ``extent``'s end."""
    hours = Window(max(extent.start, extent.end - YEAR), extent.end)
    days = _shares(market, region, extent, "1d")
    # What the current month does not change stays in memory as an answer of its own.
    cut = floor(hours.end - INTERVAL, "1M")
    pieces = [piece for piece in (hours.overlap(Window(extent.start, cut)) if cut > extent.start else None,) if piece]
    pieces += hours.minus(pieces)
    hourly = [_shares(market, region, piece, "1h") for piece in pieces]
    hour_of_day = (extent.end - INTERVAL).hour
    found = [record for columns, _ in hourly if (record := highest(columns, 1))]
    at_hour = [record for columns, _ in hourly if (record := highest(columns, 1, hour_of_day))]
    return Records(
        days=extent,
        hours=hours,
        hour_of_day=hour_of_day,
        day=highest(days[0], 24),
        hour=max(found, key=lambda record: record.share, default=None),
        at_this_hour=max(at_hour, key=lambda record: record.share, default=None),
        receipts=(days[1], *(receipt for _, receipt in hourly)),
    )


def _shares(market: Market, region: str, window: Window, resolution: Resolution) -> tuple[Columns, Receipt]:
    needed = ("energy_mwh", "reading_count")
    answer = market.answer_beside(Question("generation_by_fuel", window, resolution, only(region), needed))
    return renewable_shares(answer, region), answer.receipt


def highest(shares: Columns, length: int, hour_of_day: int | None = None) -> Record | None:
    """The highest share of a bucket of ``length`` whole hours, at ``hour_of_day`` if given; the earliest of equals."""
    whole = (shares["hours"] > length - 1e-9) & (shares["generated"] > 0)
    if hour_of_day is not None:
        starts = shares["interval_start"]
        whole &= (starts - starts.astype("M8[D]")).astype("m8[h]").astype(int) == hour_of_day
    if not whole.any():
        return None
    share = np.where(whole, shares["renewable"] / np.where(whole, shares["generated"], 1.0), -1.0)
    at = int(np.argmax(share))
    return Record(float(share[at]), shares["interval_start"][at].astype("M8[us]").item())
