"""How the store is doing, from its own files alone: what it holds, how far behind, what runs and readers did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cache_store.catalogue import CATALOGUE
from cache_store.history import Run, newest_of_each, read_runs
from cache_store.store import Store
from cache_store.usage import Tally, read_usage
from nem.windows import Resolution, newest_due


@dataclass(frozen=True, slots=True)
class SeriesStatus:
    """One query at one grain. ``data_through`` is NEM time; ``lag`` counts from the newest label due by now.

    ``built_at`` and ``verified_at`` (UTC) are the newest of its partitions. ``build_seconds`` is how long the one built
    last took, of a batch the newest: None where that is not known.
    """

    query: str
    grain: Resolution
    partitions: int
    fresh: int
    expired: int
    row_count: int
    byte_count: int
    data_through: datetime | None
    lag: timedelta | None
    built_at: datetime | None
    build_seconds: float | None
    verified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    """The store at one instant. Ratios and percentiles are None where nothing was asked, or no run is on record.

    ``lag`` is that of the query furthest behind; its percentiles are over the runs on record. ``hit_ratio`` is the
    share of requests answered without the source, ``seconds_saved`` what asking it would have cost besides, both since
    usage was last swept. ``last_runs`` and ``last_failures`` have one run of each name, newest first.
    """

    series: list[SeriesStatus]
    generation: int
    lag: timedelta | None
    lag_p50: timedelta | None
    lag_p95: timedelta | None
    request_count: int
    hit_ratio: float | None
    seconds_saved: float
    last_runs: list[Run]
    last_failures: list[Run]


def overview(store: Store, *, now: datetime) -> Overview:
    """All of it. Nothing need be running: neither Prefect, nor a page.

    Raises:
        StoreUnavailableError: the manifest cannot be read.
    """
    series, runs, usage = status(store, now=now), read_runs(store.root), read_usage(store.root)
    asked = sum(usage.values(), Tally())
    lags = sorted(run.lag for run in runs if run.lag is not None)
    return Overview(
        series=series,
        generation=store.manifest().generation,
        lag=furthest_behind(series),
        lag_p50=lags[len(lags) // 2] if lags else None,
        lag_p95=lags[len(lags) * 95 // 100] if lags else None,
        request_count=asked.count,
        hit_ratio=1 - asked.live_count / asked.count if asked.count else None,
        seconds_saved=sum(tally.seconds_saved for tally in usage.values()),
        last_runs=newest_of_each(runs),
        last_failures=newest_of_each(runs, "failed"),
    )


def furthest_behind(series: list[SeriesStatus]) -> timedelta | None:
    """The lag of the query furthest behind, at its finest grain; None if nothing is warmed."""
    finest = {row.query: row.lag for row in reversed(series) if row.lag is not None}
    return max(finest.values(), default=None)


def status(store: Store, *, now: datetime) -> list[SeriesStatus]:
    """One row per query and stored grain of the catalogue, warmed or not.

    Raises:
        StoreUnavailableError: the manifest cannot be read.
    """
    manifest = store.manifest()
    found = []
    for query in CATALOGUE.values():
        for grain in query.grains:
            entries = manifest.series(query.name, query.fingerprint, grain)
            fresh = sum(now < entry.freshness.expires_at for entry in entries)
            through = max((entry.covers.end for entry in entries), default=None)
            last = max(entries, key=lambda entry: (entry.built_at, entry.covers.end), default=None)
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
                    lag=newest_due(now) - through if through else None,
                    built_at=last.built_at if last else None,
                    build_seconds=last.build_seconds if last else None,
                    verified_at=max((entry.freshness.verified_at for entry in entries), default=None),
                )
            )
    return found
