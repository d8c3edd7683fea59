"""What a warm run has to do, in batches, and what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, groupby

from cache_store import Query, Store
from cache_store.due import BuildReason, Due, due
from cache_store.errors import CacheStoreError, RequestError
from cache_store.manifest import is_year, period_window
from cache_store.usage import Shape, affordable, most_asked, read_usage
from nem import Source, Window
from nem.errors import NemError, TableAbsentError
from nem.windows import EPOCH, HORIZON, INTERVAL, floor, parse_time

MOST_DAYS = (HORIZON - EPOCH).days  # the market has no more
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
    """What is due, newest first; and by query, how many periods are fresh, or why none could be planned.

    ``absent`` names the table that the source has never held, by query: no failure, since no run could mend it.
    """

    batches: tuple[Batch, ...] = ()
    fresh: Mapping[str, int] = field(default_factory=dict)
    unplanned: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)


def check_range(
    start: str | None, end: str | None, days: int | None, asked: int | None = None, budget_mb: int | None = None
) -> list[Window] | None:
    """The window asked for, open ends filled in; None for no bound, or one counted in days or taken from usage.

    Raises:
        RequestError: two ways to say a range, ``days`` or ``asked`` below 1, or a budget for nothing asked.
        WindowError: an edge is no NEM time, or the window is reversed.
    """
    for name, number in (("days", days), ("asked", asked)):
        if number is not None and (start or end or number < 1 or (days and asked)):
            raise RequestError(
                f"give {name} (1 or more) alone, or start and end; not {name}={number} with another range"
            )
    if budget_mb is not None and asked is None:
        raise RequestError("give budget_mb together with asked: it bounds what is warmed for being asked")
    if start is None and end is None:
        return None
    return [Window(EPOCH if start is None else parse_time(start), HORIZON if end is None else parse_time(end))]


def asked_most(store: Store, asked: int | None, budget_mb: int | None, now: datetime) -> list[Shape] | None:
    """The ``asked`` shapes that readers asked most, of which only what ``budget_mb`` allows; None to go by no usage."""
    if asked is None:
        return None
    shapes = most_asked(read_usage(store.root), asked)
    return shapes if budget_mb is None else affordable(shapes, budget_mb * 10**6, store.manifest(), now=now)


def find_work(
    store: Store,
    source: Source,
    queries: Iterable[Query],
    *,
    now: datetime,
    windows: Sequence[Window] | None = None,
    days: int | None = None,
    shapes: Sequence[Shape] | None = None,
    force: bool = False,
    named: bool = False,
) -> Work:
    """What ``queries`` are due for over ``windows``, the last ``days`` of their data, what ``shapes`` mean, or all of it.

    A query that cannot be planned does not stop the others. ``named`` queries are those the caller asked for by name:
    one whose table the source has never held cannot be planned; otherwise it is absent.
    """
    batches: list[Batch] = []
    fresh: dict[str, int] = {}
    unplanned: dict[str, str] = {}
    absent: dict[str, str] = {}
    for query in queries:
        try:
            asked = _asked(source, query, windows, days, shapes, now)
            tasks = [due(store, source, query, now=now, window=one, force=force) for one in asked]
            found = sorted(dict.fromkeys(chain.from_iterable(tasks)), key=_end, reverse=True)
            fresh[query.name] = _count_fresh(store, query, asked, [one.period for one in found])
        except (NemError, CacheStoreError) as error:
            if isinstance(error, TableAbsentError) and not named:
                absent[query.name] = query.sources[0]
            else:
                unplanned[query.name] = str(error)
            continue
        for reason, alike in groupby(sorted(found, key=lambda one: one.reason), key=lambda one: one.reason):
            batches += [Batch(query.name, reason, part) for part in _parts([one.period for one in alike])]
    newest_first = sorted(batches, key=lambda batch: _end(batch.tasks[0]), reverse=True)
    return Work(tuple(newest_first), fresh, unplanned, absent)


def _end(one: Due) -> datetime:
    return period_window(one.period).end


def _asked(
    source: Source,
    query: Query,
    windows: Sequence[Window] | None,
    days: int | None,
    shapes: Sequence[Shape] | None,
    now: datetime,
) -> Sequence[Window | None]:
    """The stretches to look at; None for all the source holds."""
    span = source.span(query.sources[0])
    if shapes is not None:
        return [one for shape in shapes if shape.query == query.name and (one := shape.window(span, now=now))]
    if days:
        first = floor(span.end - INTERVAL, "1d") - timedelta(days=min(days, MOST_DAYS) - 1)
        return [Window(max(first, span.start), span.end)]
    return [None] if windows is None else windows


def _count_fresh(store: Store, query: Query, asked: Sequence[Window | None], due_periods: Sequence[str]) -> int:
    """Partitions asked for that stay as they are; days that a month is due to replace do not, months of a year do."""
    held = [entry.covers for entry in store.manifest().series(query.name, query.fingerprint, query.grains[-1])]
    replaced = [period_window(period) for period in due_periods if not is_year(period)]
    return sum(
        any(one is None or covers.overlap(one) for one in asked) and not any(covers.overlap(one) for one in replaced)
        for covers in held
    )


def _parts(periods: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Days some at a time, months one by one; in the order given."""
    days = [period for period in periods if period_window(period).hours <= 24]
    for i in range(0, len(days), DAYS_PER_BATCH):
        yield tuple(days[i : i + DAYS_PER_BATCH])
    yield from ((period,) for period in periods if period not in days)
