"""Which periods are due: missing, changed at the source or by definition, broken, or old enough to be verified again.

Looks at the manifest, at the source's versions and at the sizes of files; opens no data file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from cache_store.catalogue import Query
from cache_store.freshness import freshness
from cache_store.manifest import Entry, Manifest, closed_parts, is_closed, is_year, made_of, period_window
from cache_store.store import Store
from nem.source import Source
from nem.windows import INTERVAL, Window, ceil, floor

BuildReason = Literal["missing", "source_changed", "definition_changed", "broken", "forced", "ageing"]


@dataclass(frozen=True, slots=True)
class Due:
    """A period to build; with the reason ``ageing`` nothing moved, so its TTL is renewed without a rebuild."""

    query: str
    period: str
    reason: BuildReason


def due(
    store: Store, source: Source, query: Query, *, now: datetime, window: Window | None = None, force: bool = False
) -> list[Due]:
    """What to warm for ``query``, newest first: over ``window``, or all the source holds.

    Years come last, each once its parts are as they should be: they are made of those. Without a window, grains that
    a quota may have taken are not missed: a sweep and a warming of everything would undo each other every night.

    Raises:
        SourceUnavailableError: the source is away.
        StoreUnavailableError: the manifest cannot be read.
    """
    span = source.span(query.sources[0])
    is_all = window is None
    window = span if window is None else window.overlap(span)
    if window is None:
        return []
    manifest = store.manifest()
    # No further than the months it touches, which are built whole: a tick need not look through years.
    first, last = floor(window.start, "1M"), ceil(window.end, "1M")
    covered = source.coverage(query.sources[0], Window(max(first, span.start), min(last, span.end)))
    window = _with_whole_months(manifest, query, covered, window, now)
    held = _Held.of(store, manifest, query, newest=span.end if is_all else None)
    found: list[Due] = []
    for period in _periods(covered, window, now):
        whole = period_window(period)
        # One part: it is a day, or a month that is covered whole.
        covers = next(part for one in covered if (part := one.overlap(whole)))
        versions = partial(source.versions, query.sources, whole)
        if reason := "forced" if force else held.why_due(period, covers, versions, now):
            found.append(Due(query.name, period, reason))
    moving = {task.period[:4] for task in found if task.reason != "ageing" and is_closed(task.period, now)}
    years = {*map(str, range(window.start.year, (window.end - INTERVAL).year + 1))} - moving
    return found[::-1] + [task for year in sorted(years, reverse=True) for task in held.due_year(year, now)]


def _with_whole_months(
    manifest: Manifest, query: Query, covered: list[Window], window: Window, now: datetime
) -> Window:
    """``window``, widened over each published month that a day of it would replace: else its other days would go."""
    days = [period for period in _periods(covered, window, now) if len(period) == len("2026-05-14")]
    for entry in manifest.series(query.name, query.fingerprint, query.grains[-1]):
        if len(entry.period) == len("2026-05") and any(day.startswith(entry.period) for day in days):
            month = period_window(entry.period)
            window = Window(min(window.start, month.start), max(window.end, month.end))
    return window


def _periods(covered: list[Window], window: Window, now: datetime) -> list[str]:
    """The months that are closed and whole, and the days that are not, which ``window`` touches; in time order."""
    days = [day for part in covered for day in part.days()]
    by_month: dict[str, list[str]] = {}
    for day in days:
        by_month.setdefault(f"{day:%Y-%m}", []).append(f"{day:%Y-%m-%d}")
    periods: list[str] = []
    for month, names in by_month.items():
        span = period_window(month)
        whole = any(part.overlap(span) == span for part in covered)
        periods += [month] if whole and is_closed(month, now) else names
    return [period for period in periods if period_window(period).overlap(window)]


@dataclass(frozen=True, slots=True)
class _Held:
    """What a store holds of a query, by period; ``former`` are the periods held of another definition.

    ``newest`` is the end of all data where what a quota took since is not missed, else None.
    """

    store: Store
    manifest: Manifest
    query: Query
    entries: Mapping[str, list[Entry]]
    former: Set[str]
    newest: datetime | None

    @classmethod
    def of(cls, store: Store, manifest: Manifest, query: Query, newest: datetime | None) -> _Held:
        """What ``manifest`` names of it."""
        entries: dict[str, list[Entry]] = defaultdict(list)
        former = set()
        for entry in manifest.entries:
            if (entry.query, entry.fingerprint) == (query.name, query.fingerprint):
                entries[entry.period].append(entry)
            elif entry.query == query.name:
                former.add(entry.period)
        return cls(store, manifest, query, entries, former, newest)

    def due_year(self, year: str, now: datetime) -> list[Due]:
        """The year, if its closed parts are not in one file yet; of one part that would be a copy."""
        parts = closed_parts(self.manifest, self.query, year, now)
        if len(parts) < 2:
            return []
        covers = Window(parts[0].covers.start, parts[-1].covers.end)
        reason = self.why_due(year, covers, partial(made_of, parts), now)
        return [Due(self.query.name, year, reason)] if reason else []

    def why_due(
        self, period: str, covers: Window, versions: Callable[[], Mapping[str, str]], now: datetime
    ) -> BuildReason | None:
        """Why ``period`` is, which the source covers so, at those versions; None if it is not."""
        held = self.entries.get(period, [])
        if not held and period in self.former:
            return "definition_changed"
        grains = self.query.grains[-1:] if is_year(period) else self.query.grains
        if self.newest is not None:
            grains = tuple(grain for grain in grains if self.query.keeps(grain, self.newest - covers.end))
        if not {entry.grain for entry in held}.issuperset(grains):
            return "missing"
        source_now = versions()
        if any(dict(entry.sources) != source_now or entry.covers != covers for entry in held):
            return "source_changed"
        if not all(self.store.is_whole(entry) for entry in held):
            return "broken"
        # A year is as fresh as its parts: renewing those renews it.
        return "ageing" if not is_year(period) and any(_is_ageing(entry, now) for entry in held) else None


def _is_ageing(entry: Entry, now: datetime) -> bool:
    """Whether half its TTL is gone and having its source checked now would renew it.

    Were it only renewed once expired, a schedule of half the TTL would find it seconds short of that every other time,
    and leave it expired till the next. A source that stands still cannot renew the day it stopped in.
    """
    # By its build, within a tenth of the TTL: what was built together need not be renewed together.
    early = int(entry.build[:4], 16) / 0xFFFF / 10
    if now - entry.freshness.verified_at < timedelta(seconds=entry.freshness.ttl_seconds) * (0.5 - early):
        return False
    return freshness(period_window(entry.period), entry.covers.end, now).expires_at > entry.freshness.expires_at
