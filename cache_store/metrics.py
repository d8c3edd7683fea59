"""The store's state and use in Prometheus' text format, from its files alone: no flow or page need be running."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cache_store.status import status
from cache_store.store import Store
from cache_store.usage import Tally, read_usage

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics(store: Store, *, now: datetime) -> str:
    """Partitions, freshness and lag by query and grain at ``now``; requests by query since usage was last swept.

    Raises:
        StoreUnavailableError: the manifest cannot be read.
    """
    families = [*_state(store, now), *_use(store)]

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
    by_query: dict[str, Tally] = defaultdict(Tally)
    for shape, tally in read_usage(store.root).items():
        by_query[shape.query].add(tally)
    for query, total in sorted(by_query.items()):
        asked.add_metric([query], total.count)
        live.add_metric([query], total.live_count)
        seconds.add_metric([query], total.seconds)
    yield from (asked, live, seconds)
