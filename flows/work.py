"""What a warm run has to do, in batches, and what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from cache_store import Query, Store
from cache_store.errors import CacheStoreError, RequestError
from cache_store.manifest import period_window
from cache_store.plan import BuildReason, Due, due
from nem import Source, Window
from nem.errors import NemError
from nem.windows import EPOCH, HORIZON, INTERVAL, floor, parse_time

DAYS_PER_BATCH = 8  # one publication, so also what a kill costs; a month is a batch of its own


@dataclass(frozen=True, slots=True)
class Batch:
    """Periods of one query that are due for one reason, newest first: the work of one task."""

    query: str
    reason: BuildReason
    periods: tuple[str, ...]

    @property
    def is_renewal(self) -> bool:
        """Whether nothing moved but the clock, so that nothing is rebuilt."""
        return self.reason == "ageing"

    @property
    def tasks(self) -> list[Due]:
        """The same, as the store counts them."""
        return [Due(self.query, period, self.reason) for period in self.periods]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: the causes of its failed periods, and what was published for the others."""

    batch: Batch
    failed: Mapping[str, str] = field(default_factory=dict)
    row_count: int = 0
    byte_count: int = 0
    seconds: float = 0.0

    @property
    def warmed(self) -> int:
        """Periods published and read back."""
        return len(self.batch.periods) - len(self.failed)


@dataclass(frozen=True, slots=True)
class Work:
    """What is due, newest first; and by query, how many periods are fresh, or why none could be planned."""

    batches: tuple[Batch, ...]
    fresh: Mapping[str, int]
    unplanned: Mapping[str, str]


def check_range(start: str | None, end: str | None, days: int | None) -> Window | None:
    """The window asked for, open ends filled in; None for no bound, or one counted in days.

    Raises:
        RequestError: ``days`` with an edge, or below 1.
        WindowError: an edge is no NEM time, or the window is reversed.
    """
    if days is not None and (start or end or days < 1):
        raise RequestError(f"give days (1 or more), or start and end; not days={days}, start={start}, end={end}")
    if not start and not end:
        return None
    return Window(parse_time(start) if start else EPOCH, parse_time(end) if end else HORIZON)


def find_work(
    store: Store,
    source: Source,
    queries: Iterable[Query],
    *,
    now: datetime,
    window: Window | None = None,
    days: int | None = None,
    force: bool = False,
) -> Work:
    """What ``queries`` are due for over ``window``, or the last ``days`` of their data, or all of it.

    A query that cannot be planned does not stop the others.
    """
    batches: list[Batch] = []
    fresh: dict[str, int] = {}
    unplanned: dict[str, str] = {}
    for query in queries:
        try:
            asked = _last_days(source, query, days) if days else window
            found = due(store, source, query, now=now, window=asked, force=force)
            fresh[query.name] = _count_fresh(store, query, asked, [one.period for one in found])
        except (NemError, CacheStoreError) as error:
            unplanned[query.name] = str(error)
            continue
        for reason, alike in groupby(sorted(found, key=lambda one: one.reason), key=lambda one: one.reason):
            batches += [Batch(query.name, reason, part) for part in _parts([one.period for one in alike])]
    newest_first = sorted(batches, key=lambda batch: period_window(batch.periods[0]).end, reverse=True)
    return Work(tuple(newest_first), fresh, unplanned)


def _last_days(source: Source, query: Query, days: int) -> Window:
    newest = source.span(query.sources[0]).end
    return Window(floor(newest - INTERVAL, "1d") - timedelta(days=days - 1), newest)


def _count_fresh(store: Store, query: Query, asked: Window | None, due_periods: Sequence[str]) -> int:
    """Partitions asked for that stay as they are; days that a month is due to replace do not."""
    held = [entry.covers for entry in store.manifest().series(query.name, query.fingerprint, query.grains[-1])]
    replaced = [period_window(period) for period in due_periods]
    return sum(
        (asked is None or covers.overlap(asked) is not None) and not any(covers.overlap(other) for other in replaced)
        for covers in held
    )


def _parts(periods: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Days some at a time, months one by one; in the order given."""
    days = [period for period in periods if period_window(period).hours <= 24]
    for i in range(0, len(days), DAYS_PER_BATCH):
        yield tuple(days[i : i + DAYS_PER_BATCH])
    yield from ((period,) for period in periods if period not in days)
