"""What the dashboard knows of the world: a `Market` to ask, what a session has selected, and the window that means.

It holds no store, source or clock of its own. `tables/` asks and shapes, `views/` draws.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

import pyarrow as pa
from cachetools import LRUCache

from cache_store import Answer, empty_answer
from cache_store.answer import Receipt
from cache_store.errors import NothingHeldError
from nem.errors import WindowError
from nem.regions import NEM
from nem.windows import (
    EPOCH,
    HORIZON,
    INTERVAL,
    RESOLUTIONS,
    Resolution,
    Window,
    choose_resolution,
    floor,
    market_time,
    parse_time,
)

RANGES: dict[str, timedelta | None] = {
    "1d": timedelta(days=1),
    "3d": timedelta(days=3),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "1y": timedelta(days=365),
    "all": None,
}
LATE_MINUTES = 45  # from which on what lags is called so
# What a tab's range is anchored on: the first of these queries of which anything is held.
PACED_BY: Mapping[str, tuple[str, ...]] = {
    "overview": ("generation_by_fuel", "regional_price"),
    "generation": ("generation_by_fuel",),
    "prices": ("regional_price",),
    "stations": ("capacity_factor",),
}
# How a column's name ends: its unit.
_UNITS = {
    "_mwh": "MWh",
    "_mw": "MW",
    "_aud": "$",
    "_aud_per_mw": "$/MW",
    "price": "$/MWh",
    "hours": "h",
    "_count": "intervals",
    **dict.fromkeys(("share", "_factor", "_rate"), "0-1"),
}
BETWEEN = ".."  # of a custom range's two times
Grouping = Literal["detailed", "simplified", "renewable", "sources"]
Unit = Literal["mw", "energy", "share"]


@dataclass(frozen=True, slots=True)
class Market:
    """Everything the pages may ask: ``ask(query, window, *, filters, resolution, measures)`` blocks and is thread-safe.

    ``extent`` is what store and source hold for a query, in NEM time; ``clock`` the aware UTC now. ``kept`` is for
    `dashboard.shared`.
    """

    ask: Callable[..., Answer]
    extent: Callable[[str], Window]
    clock: Callable[[], datetime]
    kept: LRUCache[Any, Any] = field(default_factory=partial(LRUCache, 32), compare=False, repr=False)

    def window(self, query: str, selection: Selection) -> Window:
        """The selected range of what is held for ``query``; raises as ``window_of`` does, and where nothing is."""
        return window_of(selection, self.extent(query), self.clock)

    def answer(self, question: Question) -> Answer:
        """The answer to ``question``."""
        filters, measures = question.filters, question.measures
        return self.ask(
            question.query, question.window, filters=filters, resolution=question.resolution, measures=measures
        )

    def answer_beside(self, question: Question) -> Answer:
        """The answer to a question beside another: where nothing of it is held, no rows and a receipt that says so.

        One series that lags, or has a gap, leaves the others to be shown. A failure is raised as ever.
        """
        try:
            return self.answer(question)
        except NothingHeldError as error:
            query, window, resolution = question.query, question.window, question.resolution
            return empty_answer(query, window, resolution, now=self.clock(), why=str(error))


@dataclass(frozen=True, slots=True)
class Selection:
    """What a session has chosen, all of it in the page's address; ``dashboard.state`` bounds what may stand there.

    ``range`` is a key of RANGES, ``fy2024`` (the financial year that ends in June 2024) or two NEM times with ``..``
    between: never a worked-out window, which is found anew at every question. ``compare`` is empty, ``previous``,
    ``last_year`` or such a pair. ``view`` names a part of the open tab, ``""`` its first; ``regions`` are laid over.
    """

    tab: str = "overview"
    region: str = NEM
    range: str = "7d"
    resolution: str = "auto"
    grouping: Grouping = "detailed"
    unit: Unit = "mw"
    view: str = ""
    station: str | None = None
    compare: str = ""
    regions: tuple[str, ...] = ()
    fuel: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """The arguments of ``ask`` that bring an answer back."""

    query: str
    window: Window
    resolution: Resolution
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    measures: tuple[str, ...] = ()  # none: all


@dataclass(frozen=True, slots=True)
class Export:
    """A table as a reader sees it, to take away, and what was asked for it (the first question names the file).

    ``make`` makes the table when it is wanted: with ``interval_start`` and ``interval_end`` (naive NEM time) where it is
    over time. ``units`` has those that a column's name does not end with, such as ``{"wind": "MW"}``.
    """

    name: str
    title: str
    questions: tuple[Question, ...]
    make: Callable[[], pa.Table]
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def table(self) -> pa.Table:
        """The table, made now."""
        return self.make()

    def unit_of(self, column: str) -> str:
        """A column's unit; empty for what has none."""
        name = re.sub("_(now|then)$", "", column)
        return self.units.get(column) or next((unit for end, unit in _UNITS.items() if name.endswith(end)), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What a part of a tab shows: its own facts, for whom, where they came from, and what of them can be taken away."""

    selection: Selection
    receipts: tuple[Receipt, ...]
    exports: tuple[Export, ...]


def extent_of(market: Market, tab: str) -> Window:
    """What is held of the query that paces ``tab``.

    Raises:
        NothingHeldError: nothing is.
    """
    *before, last = PACED_BY[tab]
    for query in before:
        with suppress(NothingHeldError):
            return market.extent(query)
    return market.extent(last)


def only(region: str) -> Mapping[str, tuple[str, ...]]:
    """The filter by one region, or for the sum of all."""
    return {"region_id": (region,)}


def window_of(selection: Selection, extent: Window, clock: Callable[[], datetime]) -> Window:
    """The selected range within ``extent``, up to the newest data; never past the label that is under way now.

    Raises:
        NothingHeldError: nothing of the range is held.
        WindowError: the range is not one (``dashboard.state`` lets none through).
    """
    newest = min(extent.end, max(extent.start + INTERVAL, _label_under_way(clock())))
    held = Window(extent.start, newest)
    if selection.range in RANGES:
        length = RANGES[selection.range]
        return held if length is None else Window(max(held.start, held.end - length), held.end)
    asked = parse_range(selection.range)
    found = asked.overlap(held)
    if found is None:
        raise NothingHeldError(f"nothing of {asked} is held: the data reaches from {held.start} to {held.end} NEM time")
    return found


def _label_under_way(now: datetime) -> datetime:
    # A label closes its interval and is published soon after the interval began; one more allows for a clock that is slow.
    return floor(market_time(now), "5min") + 2 * INTERVAL


def parse_range(text: str) -> Window:
    """The window of ``fy2024`` or of ``2024-01-01..2024-02-01``; a date means its 00:00.

    Raises:
        WindowError: anything else, and what no window may be.
    """
    if re.fullmatch(r"fy[0-9]{4}", text) and EPOCH.year < int(text[2:]) < HORIZON.year:
        return financial_year(int(text[2:]))
    start, between, end = text.partition(BETWEEN)
    if not between:
        raise WindowError(f"{text!r} is no range: one of {', '.join(RANGES)}, fy2024, or 2024-01-01..2024-02-01")
    return Window(parse_time(start), parse_time(end))


def financial_year(ends_in: int) -> Window:
    """July to June, named by the year it ends in."""
    return Window(datetime(ends_in - 1, 7, 1), datetime(ends_in, 7, 1))


def resolutions_within(window: Window) -> list[Resolution]:
    """The resolutions that keep a series over ``window`` within 2,200 points."""
    return list(RESOLUTIONS[RESOLUTIONS.index(choose_resolution(window)) :])


def resolution_of(selection: Selection, window: Window) -> Resolution:
    """What to ask ``window`` at: as selected, or the finest where that is left open or would be too many points."""
    offered = resolutions_within(window)
    return next((step for step in offered if step == selection.resolution), offered[0])


def compared_window(selection: Selection, window: Window) -> Window | None:
    """What the selection compares ``window`` with; None if nothing. It may reach past what is held.

    Raises:
        WindowError: ``compare`` is not a range.
    """
    if selection.compare == "previous":
        return Window(window.start - (window.end - window.start), window.start)
    if selection.compare == "last_year":
        return Window(*(year_before(edge) for edge in (window.start, window.end)))
    return parse_range(selection.compare) if selection.compare else None


def year_before(time: datetime) -> datetime:
    """The same instant one calendar year earlier; 29 February gives the 28th."""
    is_leap_day = (time.month, time.day) == (2, 29)
    return time.replace(year=time.year - 1, day=28 if is_leap_day else time.day)
