"""What is asked: requests counted in relative form, so that a flow can warm what is asked most.

Yesterday's "last seven days" and today's are one shape. Counts are kept per process, in files of their own under
``usage/``, and added up when read; a killed process loses what it counted since its last flush.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from math import ceil as round_up
from pathlib import Path
from typing import Any

from cache_store.answer import Receipt, Segment
from cache_store.catalogue import CATALOGUE, Query
from cache_store.manifest import Manifest
from cache_store.request import Request
from nem.files import publish_bytes
from nem.windows import EPOCH, HORIZON, RESOLUTIONS, Resolution, Window, ceil, floor, market_time

FOLDER = "usage"
_FLUSH_SECONDS = 60.0
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shape:
    """A request with its times counted back from now in whole days; ``filters`` are what was asked, NEM included."""

    query: str
    resolution: Resolution
    days: int
    age_days: int
    filters: tuple[tuple[str, tuple[str, ...]], ...]

    def window(self, span: Window, *, now: datetime) -> Window | None:
        """The whole days this shape means at ``now``, within ``span``; None if nothing of them is held."""
        end = ceil(market_time(now) - self.age_days * _DAY, "1d")
        return Window(end - self.days * _DAY, end).overlap(span)


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a shape was asked, how often the source had to answer, and how long that took in all.

    ``live_hours`` are those of the windows the source was asked for; ``read_rows`` and ``read_seconds`` are of what
    partitions answered alone, without memory.
    """

    count: int = 0
    live_count: int = 0
    live_seconds: float = 0.0
    seconds: float = 0.0
    live_hours: float = 0.0
    read_rows: int = 0
    read_seconds: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def ms_per_live_hour(self) -> float | None:
        """What the source took for each hour of data; None where it was never asked."""
        return 1000 * self.live_seconds / self.live_hours if self.live_hours else None

    @property
    def ms_per_row_read(self) -> float | None:
        """What partitions took for each row they hold; None where none was read."""
        return 1000 * self.read_seconds / self.read_rows if self.read_rows else None

    @property
    def seconds_saved(self) -> float:
        """What the source would have taken for what it was not asked, less what that took; 0 where it never was asked."""
        if not self.live_count:
            return 0.0
        spared = self.count - self.live_count
        return spared * self.live_seconds / self.live_count - (self.seconds - self.live_seconds)

    @property
    def score(self) -> float:
        """The seconds readers would wait if every asking went live; by what it did take where none ever did."""
        each = self.live_seconds / self.live_count if self.live_count else self.seconds / self.count
        return self.count * each


@dataclass(slots=True)
class Usage:
    """This process's counts. ``note`` says when they want flushing; whoever holds a background does it there."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _tallies: dict[Shape, Tally] = field(default_factory=dict)
    _name: str = field(default_factory=lambda: f"{secrets.token_hex(6)}.json")
    _flushed_at: float = field(default_factory=time.monotonic)

    def note(self, request: Request, receipt: Receipt, *, seconds: float) -> bool:
        """Count one request and its answer; True when a minute has passed since the last flush."""
        with self._lock:
            shape = shape_of(request, receipt.now)
            self._tallies[shape] = self._tallies.get(shape, Tally()) + _tally_of(receipt, seconds)
            is_due = time.monotonic() - self._flushed_at > _FLUSH_SECONDS
            if is_due:
                self._flushed_at = time.monotonic()
            return is_due

    def flush(self, root: Path) -> None:
        """Write the counts so far, in place of this process's earlier file.

        Raises:
            OSError: the root cannot be written.
        """
        with self._lock:
            rows = [asdict(shape) | asdict(tally) for shape, tally in self._tallies.items()]
        publish_bytes(root / FOLDER / self._name, json.dumps(rows).encode())


def _tally_of(receipt: Receipt, seconds: float) -> Tally:
    if receipt.from_memory:
        return Tally(1, seconds=seconds)
    live_hours = sum(s.window.hours for s in receipt.segments if s.origin == "live" and s.reason != "empty_source")
    if live_hours:
        return Tally(1, 1, seconds, seconds, live_hours=live_hours)
    rows = sum(segment.row_count or 0 for segment in receipt.segments)
    return Tally(1, seconds=seconds, read_rows=rows, read_seconds=seconds)


def shape_of(request: Request, now: datetime) -> Shape:
    """``request`` in relative form at ``now``."""
    window = request.window
    first, last = floor(window.start, "1d"), ceil(window.end, "1d")
    age = ceil(market_time(now).replace(second=0, microsecond=0), "1d") - last
    filters = request.filters + ((("region_id", ("NEM",)),) if request.sum_regions else ())
    return Shape(
        query=request.query.name,
        resolution=request.resolution,
        days=round_up((last - first) / _DAY),
        age_days=max(0, age // _DAY),
        filters=filters,
    )


def read_usage(root: Path) -> dict[Shape, Tally]:
    """All processes' counts, added up. A file that is not one of ours is passed over: usage is only ever advice."""
    tallies: dict[Shape, Tally] = {}
    for path in sorted((root / FOLDER).glob("*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError, StopIteration):
            for shape, tally in [(_shape(row), _tally(row)) for row in json.loads(path.read_text())]:
                tallies[shape] = tallies.get(shape, Tally()) + tally
    return tallies


def most_asked(tallies: Mapping[Shape, Tally], top: int) -> list[Shape]:
    """The ``top`` shapes by what warming them saves. One-off scans, and what no partition could serve, are left out."""
    worth = (
        (tally.score, repr(shape), shape) for shape, tally in tallies.items() if tally.count > 1 and _is_warmable(shape)
    )
    return [shape for *_, shape in sorted(worth, reverse=True)[:top]]


def affordable(shapes: Iterable[Shape], byte_budget: int, manifest: Manifest, *, now: datetime) -> list[Shape]:
    """Of ``shapes``, in their order, those whose partitions take no more than ``byte_budget`` together.

    Days that several shapes mean count once, each as much as a day of their query takes in ``manifest`` on average, in
    all grains. Of a query that nothing is held of it counts nothing: once it is warmed, its size is known.
    """
    taken: dict[str, list[Window]] = defaultdict(list)
    chosen = []
    left = float(byte_budget)
    for shape in shapes:
        window = shape.window(Window(EPOCH, HORIZON), now=now)
        more = window.minus(taken[shape.query]) if window else []
        cost = sum(part.hours for part in more) * (_bytes_per_hour(manifest, CATALOGUE[shape.query]) or 0)
        if cost <= left:
            left -= cost
            taken[shape.query] += more
            chosen.append(shape)
    return chosen


def build_cost(
    query: Query, window: Window, manifest: Manifest, tallies: Mapping[Shape, Tally]
) -> tuple[float | None, float | None]:
    """About how many milliseconds the source takes for ``window``, and how many bytes its partitions will.

    None where no reader was timed at the source, or nothing is held of the query.
    """
    ms, size = _pace(query.name, tallies).ms_per_live_hour, _bytes_per_hour(manifest, query)
    return _times(ms, window.hours), _times(size, window.hours)


def _bytes_per_hour(manifest: Manifest, query: Query) -> float | None:
    """Of all grains together; None where none is held."""
    held = (manifest.series(query.name, query.fingerprint, grain) for grain in query.grains)
    sizes = [sum(e.byte_count for e in entries) / sum(e.covers.hours for e in entries) for entries in held if entries]
    return sum(sizes) if sizes else None


def estimated_ms(receipt: Receipt, tallies: Mapping[Shape, Tally]) -> list[float | None]:
    """How long each segment takes at the pace that readers of its query met; None where none was timed.

    A part of a file counts as the whole of it, and what a statement costs whatever it reads is spread over its rows: so
    rows are at the pace of readings about as long.
    """
    pace, days = _pace(receipt.query, tallies), receipt.window.hours / 24
    read = {shape: tally for shape, tally in tallies.items() if shape.query == receipt.query and tally.read_rows}
    nearest = min((shape.days for shape in read), key=lambda each: abs(each - days), default=0)
    alike = sum((tally for shape, tally in read.items() if shape.days == nearest), Tally())

    def ms(segment: Segment) -> float | None:
        if segment.reason == "empty_source":
            return 0.0
        if segment.row_count is None:
            return _times(pace.ms_per_live_hour, segment.window.hours)
        return _times(alike.ms_per_row_read, segment.row_count)

    return [ms(segment) for segment in receipt.segments]


def _times(each: float | None, count: float) -> float | None:
    return None if each is None else each * count


def _pace(query: str, tallies: Mapping[Shape, Tally]) -> Tally:
    """All that was asked of ``query``, added up."""
    return sum((tally for shape, tally in tallies.items() if shape.query == query), Tally())


def _is_warmable(shape: Shape) -> bool:
    query = CATALOGUE.get(shape.query)
    return query is not None and RESOLUTIONS.index(shape.resolution) >= RESOLUTIONS.index(query.grains[0])


def _shape(row: Mapping[str, Any]) -> Shape:
    resolution = next(known for known in RESOLUTIONS if known == row["resolution"])
    filters = tuple((str(key), tuple(map(str, values))) for key, values in row["filters"])
    return Shape(str(row["query"]), resolution, int(row["days"]), int(row["age_days"]), filters)


def _tally(row: Mapping[str, Any]) -> Tally:
    return Tally(**{name: type(zero)(row[name]) for name, zero in asdict(Tally()).items()})
