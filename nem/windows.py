"""Market time: dispatch-interval labels, windows of them, days and buckets. Pure; it never asks for the time.

Every time here is NEM time (UTC+10 all year), naive. A label closes its interval, so a window is
``(start, end]`` over labels, which is ``[start, end)`` over interval starts: all bucketing works on the latter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Literal, get_args

from nem.errors import WindowError

if TYPE_CHECKING:
    import numpy as np

INTERVAL = timedelta(minutes=5)
HALF_HOUR = timedelta(minutes=30)
INTERVAL_HOURS = 5 / 60
MARKET_ZONE = timezone(timedelta(hours=10), "NEM")
EPOCH = datetime(1998, 12, 13)  # the market's first day: nothing is labelled before it
HORIZON = datetime(2100, 1, 1)  # no window reaches past it: bounds what a hand-made request can ask for
MAX_POINTS = 2_200

Resolution = Literal["5min", "30min", "1h", "1d", "1M"]
RESOLUTIONS: tuple[Resolution, ...] = get_args(Resolution)  # finest first
_STEPS: dict[Resolution, timedelta] = {
    "5min": INTERVAL,
    "30min": HALF_HOUR,
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
}


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Labels in ``(start, end]``, both edges on the 5-minute grid, in naive NEM time.

    Raises:
        WindowError: an edge is zone-aware, off the grid or out of range, or the window holds no label.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for edge in (self.start, self.end):
            _check_edge(edge)
        if self.start >= self.end:
            raise WindowError(
                f"the window {self} holds no interval: its end must come after its start (windows are (start, end])"
            )

    def __str__(self) -> str:
        return f"({self.start:%Y-%m-%dT%H:%M}, {self.end:%Y-%m-%dT%H:%M}]"

    @property
    def hours(self) -> float:
        """Length in hours."""
        return (self.end - self.start).total_seconds() / 3600

    def overlap(self, other: Window) -> Window | None:
        """The labels in both, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Window(start, end) if start < end else None

    def minus(self, taken: Iterable[Window]) -> list[Window]:
        """What is left of this window, in time order, without the labels in ``taken``."""
        left, start = [], self.start
        for gone in sorted(taken):
            if gone.end <= start or gone.start >= self.end:
                continue
            if start < gone.start:
                left.append(Window(start, gone.start))
            start = gone.end
        if start < self.end:
            left.append(Window(start, self.end))
        return left

    def days(self) -> Iterator[date]:
        """The NEM days this window touches. Label 00:00 closes the day before it."""
        day, last = self.start.date(), (self.end - INTERVAL).date()
        while day <= last:
            yield day
            day += timedelta(days=1)


def _check_edge(edge: object) -> None:
    if not isinstance(edge, datetime):
        raise WindowError(f"a window's edge must be a datetime in NEM time, not {edge!r}")
    if edge.tzinfo is not None:
        raise WindowError(f"{edge.isoformat()} carries a time zone: give naive NEM time (UTC+10, no daylight saving)")
    if edge.minute % 5 or edge.second or edge.microsecond:
        raise WindowError(f"{edge.isoformat()} is off the 5-minute grid")
    if not EPOCH <= edge <= HORIZON:
        raise WindowError(f"{edge.isoformat()} is outside {EPOCH:%Y-%m-%d} to {HORIZON:%Y-%m-%d}")


def parse_time(text: str) -> datetime:
    """A date (its 00:00) or ``YYYY-MM-DDTHH:MM`` as NEM time.

    Raises:
        WindowError: not a time, or one with a time zone.
    """
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise WindowError(f"{text!r} is not a date or a YYYY-MM-DDTHH:MM in NEM time") from error
    _check_edge(time)
    return time


def day_window(day: date) -> Window:
    """The 288 labels of a NEM day: 00:05 to the next day's 00:00."""
    start = datetime(day.year, day.month, day.day)
    return Window(start, start + timedelta(days=1))


def floor(time: datetime, resolution: Resolution) -> datetime:
    """The last bucket edge at or before ``time``."""
    midnight = datetime(time.year, time.month, time.day)
    if resolution == "1M":
        return midnight.replace(day=1)
    return midnight + (time - midnight) // _STEPS[resolution] * _STEPS[resolution]


def ceil(time: datetime, resolution: Resolution) -> datetime:
    """The first bucket edge at or after ``time``."""
    edge = floor(time, resolution)
    if edge == time:
        return edge
    if resolution == "1M":
        return (edge + timedelta(days=32)).replace(day=1)
    return edge + _STEPS[resolution]


def joined(windows: Iterable[Window]) -> list[Window]:
    """The same labels in as few windows as hold them, in time order."""
    found: list[Window] = []
    for window in sorted(windows):
        if found and window.start <= found[-1].end:
            found[-1] = Window(found[-1].start, max(found[-1].end, window.end))
        else:
            found.append(window)
    return found


def months_of(window: Window, now: datetime) -> list[Window]:
    """The parts of ``window`` by month, newest first, of the months that have begun at ``now`` (UTC).

    Raises:
        WindowError: none of them has.
    """
    parts, end = [], min(window.end, ceil(market_time(now), "1M"))
    while end > window.start:
        start = max(window.start, floor(end - INTERVAL, "1M"))
        parts.append(Window(start, end))
        end = start
    if not parts:
        raise WindowError(f"{window} is of months to come")
    return parts


def bucket_edges(window: Window, resolution: Resolution) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    """The edges of the buckets that hold ``window``, from the first's start to the last's end, in microseconds."""
    import numpy as np  # not above: a process that is starting reads its settings, and with them this module, first

    start, end = floor(window.start, resolution), ceil(window.end, resolution)
    if resolution == "1M":
        months = np.arange(np.datetime64(start, "M"), np.datetime64(end, "M") + 1)
        return months.astype("datetime64[us]")
    step = np.timedelta64(_STEPS[resolution])
    return np.arange(np.datetime64(start, "us"), np.datetime64(end, "us") + step, step)


def choose_resolution(window: Window) -> Resolution:
    """The finest resolution that keeps a series over ``window`` within ``MAX_POINTS``; 1M where none does."""
    for resolution, step in _STEPS.items():
        if (ceil(window.end, resolution) - floor(window.start, resolution)) // step <= MAX_POINTS:
            return resolution
    return "1M"


def check_instant(now: datetime) -> datetime:
    """``now`` itself.

    Raises:
        WindowError: it is naive, so it would be read in the host's zone.
    """
    if now.tzinfo is None:
        raise WindowError(f"{now.isoformat()} carries no time zone: give an aware instant, such as datetime.now(UTC)")
    return now


def market_time(utc: datetime) -> datetime:
    """An aware instant as naive NEM time. Raises WindowError for a naive one."""
    return check_instant(utc).astimezone(MARKET_ZONE).replace(tzinfo=None)


def newest_due(now: datetime, step: timedelta = INTERVAL) -> datetime:
    """The newest label, of those ``step`` apart, that has begun at ``now`` (UTC): what a source not behind holds."""
    label = ceil(market_time(now).replace(microsecond=0), "5min")
    return label - (label - EPOCH) % step


def utc_time(market: datetime) -> datetime:
    """A naive NEM time as an aware instant in UTC."""
    return market.replace(tzinfo=MARKET_ZONE).astimezone(UTC)
