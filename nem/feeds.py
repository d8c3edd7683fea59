"""What AEMO's file server holds that lands here: the current feeds, their archives, the monthly archive. Pure.

A file's time is read from its name, in NEM time: that of its label, or of its making. Source: nemweb's listings, 2026-04.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from urllib.parse import urljoin, urlsplit

from nem.aemo import REGISTRATION
from nem.errors import UnknownFeedError
from nem.windows import EPOCH, HORIZON, Window

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
# An archive's file begins and ends within an hour of what its name says: a week of TradingIS runs from 00:30 to 00:25.
EDGE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Feed:
    """A folder of the server that gains files all day.

    ``stem`` is what their names begin with, ``step`` how far apart their times are, None where they come as they come.
    Its folder is looked at ``every`` so often, the first time no further back than ``look_back``. ``archived`` is what one
    file of its archive holds, None where there is none; ``monthly_tables`` are those of the monthly archive that hold it too.
    """

    name: str
    folder: str
    stem: str
    step: timedelta | None
    every: timedelta
    look_back: timedelta
    archived: Literal["day", "week", "month"] | None
    monthly_tables: tuple[str, ...] = ()

    def time_of(self, file_name: str) -> datetime | None:
        """The time in a current file's name; None for another feed's file."""
        found = re.fullmatch(
            rf"{self.stem}_(\d{{14}}|\d{{12}}|\d{{8}})_\d{{1,20}}\.(zip|csv)", file_name, re.IGNORECASE
        )
        return _time(found[1]) if found else None

    def period_of(self, file_name: str) -> Window | None:
        """From when to when a file of the archive holds this feed, by its name; None for another's."""
        found = re.fullmatch(rf"{self.stem}_(\d{{8}})(?:_(\d{{8}}))?\.zip", file_name, re.IGNORECASE)
        start = _time(found[1]) if found else None
        if found is None or start is None:
            return None
        if found[2]:
            last = _time(found[2])
            return Window(start, last + _DAY) if last and last >= start else None
        if self.archived == "month":
            return Window(start, (start + 31 * _DAY).replace(day=1))
        return Window(start, start + (7 if self.archived == "week" else 1) * _DAY)


# Prices, demand and flows come with one file, units' readings with another: these two are what a tick is for.
FEEDS: Mapping[str, Feed] = {
    feed.name: feed
    for feed in (
        Feed(
            "dispatch",
            "DispatchIS_Reports",
            "PUBLIC_DISPATCHIS",
            step=5 * _MINUTE,
            every=_MINUTE,
            look_back=2 * _DAY,
            archived="day",
            monthly_tables=("DISPATCHPRICE", "DISPATCHREGIONSUM", "DISPATCHINTERCONNECTORRES"),
        ),
        Feed(
            "scada",
            "Dispatch_SCADA",
            "PUBLIC_DISPATCHSCADA",
            step=5 * _MINUTE,
            every=_MINUTE,
            look_back=2 * _DAY,
            archived="day",
            monthly_tables=("DISPATCH_UNIT_SCADA",),
        ),
        Feed(
            "rooftop",
            "ROOFTOP_PV/ACTUAL",
            "PUBLIC_ROOFTOP_PV_ACTUAL_(?:MEASUREMENT|SATELLITE)",
            step=30 * _MINUTE,
            every=10 * _MINUTE,
            look_back=14 * _DAY,
            archived="week",
            monthly_tables=("ROOFTOP_PV_ACTUAL",),
        ),
        Feed(
            "trading",
            "TradingIS_Reports",
            "PUBLIC_TRADINGIS",
            step=5 * _MINUTE,
            every=30 * _MINUTE,  # since 2021-10 it only fills what dispatch lacks, and 4,000 files are listed
            look_back=_DAY,
            archived="week",
            monthly_tables=("TRADINGPRICE",),
        ),
        Feed(
            "adjusted_prices",
            "Adjusted_Prices_Reports",
            "PUBLIC_PRICE_REVISION_DISPATCH",
            step=None,
            every=30 * _MINUTE,
            look_back=7 * _DAY,
            archived="month",
        ),
        Feed(
            "price_revisions",
            "DISPATCHIS_PRICE_REVISIONS",
            "PUBLIC_PRICE_REVISION_DISPATCHIS",
            step=None,
            every=30 * _MINUTE,
            look_back=7 * _DAY,
            archived=None,
        ),
        Feed(
            "next_day",
            "Next_Day_Dispatch",
            "PUBLIC_NEXT_DAY_DISPATCH",
            step=_DAY,
            every=60 * _MINUTE,
            look_back=2 * _DAY,  # ten megabytes a day, a year of them kept: it only fills readings that scada lacks
            archived="month",
        ),
    )
}


def choose_feeds(names: Iterable[str]) -> tuple[Feed, ...]:
    """The feeds of these names, in the order to take them.

    Raises:
        UnknownFeedError: one is none, or there are none.
    """
    wanted = set(names)
    if unknown := sorted(wanted - set(FEEDS)) or (not wanted and ["no name"]):
        raise UnknownFeedError(f"{', '.join(unknown)} is no feed; there are {', '.join(FEEDS)}")
    return tuple(feed for feed in FEEDS.values() if feed.name in wanted)


# Of the monthly archive, in the order to land: what a unit is decides what its readings mean.
MONTHLY = (*REGISTRATION, *(table for feed in FEEDS.values() for table in feed.monthly_tables))
_MONTHLY_NAME = re.compile(
    r"PUBLIC_(?:DVD_(?P<old>[A-Z0-9_]+?)_(?P<month>\d{6})010000"
    r"|ARCHIVE(?:#|%23)(?P<new>[A-Z0-9_]+)(?:#|%23)FILE(?P<part>\d{2})(?:#|%23)(?P<since>\d{6})010000)\.(?:zip|csv)",
    re.IGNORECASE,
)
_WHOLE_MONTH = re.compile(r"MMSDM_\d{4}_\d{2}\.zip", re.IGNORECASE)


def table_of(file_name: str) -> str | None:
    """AEMO's table that a file of the monthly archive holds, or a part of; None for any other file.

    Two schemes of names: up to July 2024 ``PUBLIC_DVD_X_YYYYMM010000.zip``, since then ``PUBLIC_ARCHIVE#X#FILE01#…``,
    where the server's own name has ``%23`` for ``#``, and more than one part may come.
    """
    found = _MONTHLY_NAME.fullmatch(file_name)
    return (found["old"] or found["new"]).upper() if found else None


def landing_order(file_name: str) -> tuple[int, str]:
    """Registration first, what a unit is decides what its readings mean; else by name: a later version lands later."""
    table = table_of(file_name)
    return (MONTHLY.index(table) if table in MONTHLY else len(MONTHLY), file_name)


def is_whole_month(file_name: str) -> bool:
    """Whether a file is a month of the archive as one zip, which is all there is of the months before 2015."""
    return _WHOLE_MONTH.fullmatch(file_name) is not None


def choose_tables(names: Sequence[str]) -> list[str]:
    """The files to land of such a zip, in order, by the ``names`` in it.

    It holds what the month's folder did, in folders or not: of the tables under one name, those of ``DATA`` are reports;
    ``BCP_DATA`` has the same rows for another loader.
    """
    found = []
    for name in names:
        folder, _, file = name.replace("\\", "/").rpartition("/")
        if folder.rpartition("/")[2].upper() in {"", "DATA"} and table_of(file) in MONTHLY:
            found.append((landing_order(file), name))
    return [name for _, name in sorted(found)]


def _time(digits: str) -> datetime | None:
    try:
        time = datetime.strptime(digits, {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}[len(digits)])
    except ValueError:
        return None
    # Windows around it have to be of the market's time, too.
    return time if EPOCH + 31 * _DAY < time < HORIZON - 62 * _DAY else None


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where on the server everything is. Paths are templates; AEMO has moved its files before.

    Raises:
        ValueError: a template has a field it should not, or does not make an address.
    """

    url: str = "https://www.nemweb.com.au"
    current: str = "/Reports/CURRENT/{folder}/"
    archive: str = "/Reports/ARCHIVE/{folder}/"
    month: str = (
        "/Data_Archive/Wholesale_Electricity/MMSDM/{year}/MMSDM_{year}_{month}/MMSDM_Historical_Data_SQLLoader/DATA/"
    )
    whole_month: str = "/Data_Archive/Wholesale_Electricity/MMSDM/{year}/MMSDM_{year}_{month}.zip"

    def __post_init__(self) -> None:
        feed, day = next(iter(FEEDS.values())), date(2024, 7, 1)
        for made in (self.of_current(feed), self.of_archive(feed), self.of_month(day), self.of_whole_month(day)):
            parts = urlsplit(made)
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                raise ValueError(f"{made!r} is no http or https address")

    def of_current(self, feed: Feed) -> str:
        """The folder of a feed."""
        return self._made(self.current, folder=feed.folder)

    def of_archive(self, feed: Feed) -> str:
        """The folder of a feed's archive."""
        return self._made(self.archive, folder=feed.folder)

    def of_month(self, month: date) -> str:
        """The folder of a month's tables."""
        return self._made(self.month, year=f"{month:%Y}", month=f"{month:%m}")

    def of_whole_month(self, month: date) -> str:
        """A month as one zip."""
        return self._made(self.whole_month, year=f"{month:%Y}", month=f"{month:%m}")

    def _made(self, template: str, **fields: str) -> str:
        try:
            return urljoin(self.url, template.format(**fields))
        except (LookupError, ValueError, AttributeError) as error:
            raise ValueError(f"{template!r} has a field that is none of {', '.join(fields)}") from error
