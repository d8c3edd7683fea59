"""The store's state and use in Prometheus' text format, from its files: no flow or page need be running."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cache_store.history import Outcome, newest_of_each, read_runs
from cache_store.status import status
from cache_store.store import Store
from cache_store.usage import Tally, read_usage


def metrics(store: Store, *, now: datetime) -> str:
    """Partitions, freshness and lag by query and grain at ``now``; requests by query since usage was last swept.

    Of memory, what this process holds and how often it had the answer; nothing where it was not asked.

    Raises:
        StoreUnavailableError: the manifest cannot be read.
    """
    families = [*_state(store, now), *_use(store), *_memory(store), *_runs(store)]

    class Found(Collector):
        def collect(self) -> Iterator[Metric]:
            yield from families

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Found())
    return generate_latest(registry).decode()


def _state(store: Store, now: datetime) -> Iterator[Metric]:
    count = GaugeMetricFamily("nemwarm_partitions", "Published partitions.", labels=["query", "grain", "state"])
    size = GaugeMetricFamily("nemwarm_partition_bytes", "Bytes of them.", labels=["query", "grain"])
    lag = GaugeMetricFamily(
        "nemwarm_lag_seconds", "From the newest label warmed to the newest due.", labels=["query", "grain"]
    )
    for row in status(store, now=now):
        series = [row.query, row.grain]
        count.add_metric([*series, "fresh"], row.fresh)
        count.add_metric([*series, "expired"], row.expired)
        size.add_metric(series, row.byte_count)
        if row.lag is not None:
            lag.add_metric(series, row.lag.total_seconds())
    generation = GaugeMetricFamily("nemwarm_manifest_generation", "How often the manifest was published.")
    generation.add_metric([], store.manifest().generation)
    yield from (count, size, lag, generation)


def _use(store: Store) -> Iterator[Metric]:
    asked = CounterMetricFamily("nemwarm_requests", "Requests answered.", labels=["query"])
    live = CounterMetricFamily("nemwarm_live_requests", "Of these, answered by the source in part.", labels=["query"])
    seconds = CounterMetricFamily("nemwarm_request_seconds", "Time they took.", labels=["query"])
    saved = GaugeMetricFamily("nemwarm_saved_seconds", "What asking the source would have added.", labels=["query"])
    usage = read_usage(store.root)
    for query in sorted({shape.query for shape in usage}):
        tallies = [tally for shape, tally in usage.items() if shape.query == query]
        total = sum(tallies, Tally())
        asked.add_metric([query], total.count)
        live.add_metric([query], total.live_count)
        seconds.add_metric([query], total.seconds)
        saved.add_metric([query], sum(tally.seconds_saved for tally in tallies))
    yield from (asked, live, seconds, saved)


def _memory(store: Store) -> Iterator[Metric]:
    held = store.memory.statistics()
    if held.hit_ratio is None:
        return
    asked = CounterMetricFamily("nemwarm_memory_requests", "Asked of this process's memory.", labels=["outcome"])
    asked.add_metric(["hit"], held.hits)
    asked.add_metric(["miss"], held.misses)
    size = GaugeMetricFamily("nemwarm_memory_bytes", "Bytes it holds.")
    size.add_metric([], held.byte_count)
    yield from (asked, size)


def _runs(store: Store) -> Iterator[Metric]:
    ended = GaugeMetricFamily(
        "nemwarm_last_run_timestamp_seconds", "When the last run of this outcome ended.", labels=["run", "outcome"]
    )
    took = GaugeMetricFamily("nemwarm_last_run_duration_seconds", "How long the last run took.", labels=["run"])
    runs = read_runs(store.root)
    for outcome in get_args(Outcome):
        for run in newest_of_each(runs, outcome):
            ended.add_metric([run.name, outcome], run.began_at.timestamp() + run.seconds)
    for run in newest_of_each(runs):
        took.add_metric([run.name], run.seconds)
    yield from (ended, took)
