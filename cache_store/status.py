"""What the store holds and how far behind the market it is, from the manifest alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cache_store.catalogue import CATALOGUE
from cache_store.store import Store
from nem.windows import Resolution, ceil, market_time


@dataclass(frozen=True, slots=True)
class SeriesStatus:
    """One query at one grain. ``data_through`` is NEM time; ``lag`` counts from the newest label due by now."""

    query: str
    grain: Resolution
    partitions: int
    fresh: int
    expired: int
    row_count: int
    byte_count: int
    data_through: datetime | None
    lag: timedelta | None


def status(store: Store, *, now: datetime) -> list[SeriesStatus]:
    """One row per query and stored grain of the catalogue, warmed or not.

    Raises:
        StoreUnavailableError: the manifest cannot be read.
    """
    manifest = store.manifest()
    newest_due = ceil(market_time(now).replace(microsecond=0), "5min")
    found = []
    for query in CATALOGUE.values():
        for grain in query.grains:
            entries = manifest.series(query.name, query.fingerprint, grain)
            fresh = sum(now < entry.freshness.expires_at for entry in entries)
            through = max((entry.covers.end for entry in entries), default=None)
            found.append(
                SeriesStatus(
                    query=query.name,
                    grain=grain,
                    partitions=len(entries),
                    fresh=fresh,
                    expired=len(entries) - fresh,
                    row_count=sum(entry.row_count for entry in entries),
                    byte_count=sum(entry.byte_count for entry in entries),
                    data_through=through,
                    lag=newest_due - through if through else None,
                )
            )
    return found
