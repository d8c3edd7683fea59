"""How long a partition holds: until when it is fresh, may be served past that, and stays however small the quota."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from nem.windows import Resolution, Window, utc_time


@dataclass(frozen=True, slots=True)
class Ttl:
    """How long a partition is fresh; and how long past that it may be served, marked, while rebuilt or its source fails."""

    fresh: timedelta
    stale_while_revalidate: timedelta
    stale_if_error: timedelta


# A day still arriving is warmed every five minutes: a TTL of twice that outlives a late run.
TTL_OPEN = Ttl(timedelta(minutes=10), timedelta(minutes=10), timedelta(hours=1))
# AEMO may still revise it; warmed hourly.
TTL_RECENT = Ttl(timedelta(hours=2), timedelta(hours=2), timedelta(days=2))
# Settled: its source version is checked daily, which renews it without a rebuild.
TTL_SETTLED = Ttl(timedelta(days=28), timedelta(days=7), timedelta(days=90))
PUBLICATION_DELAY = timedelta(minutes=5)  # AEMO's files of a label are up within it
SETTLES_AFTER = timedelta(days=35)  # price revisions and late meter rows have stopped by then
# A month is one file from then on, and its days part of their year's: most revisions came by then, and a later one
# rebuilds a month in seconds, where every read of its days would open thirty files.
CLOSES_AFTER = timedelta(days=3)

# What a quota leaves of each grain, back from the newest data; all of a query's coarsest.
KEEP: Mapping[Resolution, timedelta] = {
    "5min": timedelta(days=36),  # what is warmed hourly
    "30min": timedelta(days=92),  # what 90 days are drawn from, by the hour
}


@dataclass(frozen=True, slots=True)
class Freshness:
    """Until when a partition is fresh, may be served stale while rebuilt, and stale while the source fails. UTC."""

    verified_at: datetime
    ttl_seconds: int
    expires_at: datetime
    swr_until: datetime
    sie_until: datetime


def freshness(period: Window, data_through: datetime, verified_at: datetime) -> Freshness:
    """How fresh a partition is whose source was last checked at ``verified_at`` (UTC).

    A period still arriving ages with its data: however often a flow succeeds, a source that stands still lets it
    expire. A complete one ages from when its source was last checked.
    """
    if data_through < period.end:
        return _ages(TTL_OPEN, utc_time(data_through) + PUBLICATION_DELAY, verified_at)
    settled = verified_at - utc_time(period.end) >= SETTLES_AFTER
    return _ages(TTL_SETTLED if settled else TTL_RECENT, verified_at, verified_at)


def soonest(parts: Sequence[Freshness]) -> Freshness:
    """How fresh a file is that holds what ``parts`` hold: no longer than any of them."""
    return Freshness(*(min(getattr(part, field.name) for part in parts) for field in fields(Freshness)))


def _ages(ttl: Ttl, since: datetime, verified_at: datetime) -> Freshness:
    expires_at = since + ttl.fresh
    return Freshness(
        verified_at=verified_at,
        ttl_seconds=int(ttl.fresh.total_seconds()),
        expires_at=expires_at,
        swr_until=expires_at + ttl.stale_while_revalidate,
        sie_until=expires_at + ttl.stale_if_error,
    )
