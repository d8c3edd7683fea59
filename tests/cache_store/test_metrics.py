"""Prometheus' own parser reads what a scrape gets, and finds the counts that are in the store."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from cache_store import CATALOGUE, fetch, find_query, open_store
from cache_store.due import due
from cache_store.metrics import metrics
from cache_store.warm import warm
from nem.source import open_source
from nem.windows import utc_time
from tests.tiny_nem import LEAP_DAY, WINDOW

NOW = utc_time(WINDOW.end)


def scrape(text: str) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(text)
    labels = ("query", "grain", "state", "outcome")
    return {
        (one.name, *(one.labels[label] for label in labels if label in one.labels)): one.value
        for family in families
        for one in family.samples
    }


def test_a_scrape_tells_partitions_lag_and_requests(two_days: Path, tmp_path: Path) -> None:
    source, store = open_source(two_days), open_store(tmp_path / "store", read_through=True)
    price = find_query("regional_price")
    warm(store, source, price, due(store, source, price, now=NOW, window=LEAP_DAY), now=NOW)
    found = scrape(metrics(store, now=NOW + timedelta(minutes=5)))
    assert found["nemwarm_partitions", "regional_price", "1d", "fresh"] == 1
    assert found["nemwarm_partitions", "capacity_factor", "1d", "fresh"] == 0
    assert found["nemwarm_lag_seconds", "regional_price", "5min"] == (24 * 60 + 5) * 60
    assert ("nemwarm_lag_seconds", "capacity_factor", "1d") not in found
    assert found["nemwarm_partition_bytes", "regional_price", "5min"] > 1000
    assert found["nemwarm_manifest_generation",] == store.manifest().generation
    for window in (LEAP_DAY, WINDOW):  # the second is partly live
        fetch(store, source, "regional_price", window, now=NOW)
    store.usage.flush(store.root)
    found = scrape(metrics(store, now=NOW))
    assert found["nemwarm_requests_total", "regional_price"] == 2
    assert found["nemwarm_live_requests_total", "regional_price"] == 1
    assert found["nemwarm_request_seconds_total", "regional_price"] > 0


def test_a_scrape_tells_what_memory_answered(two_days: Path, tmp_path: Path) -> None:
    source, store = open_source(two_days), open_store(tmp_path / "store", memory_bytes=10**6)
    for _ in range(3):
        fetch(store, source, "regional_price", LEAP_DAY, now=NOW)
    found = scrape(metrics(store, now=NOW))
    assert found["nemwarm_memory_requests_total", "hit"] == 2
    assert found["nemwarm_memory_requests_total", "miss"] == 1
    assert found["nemwarm_memory_bytes",] > 0


def test_an_empty_store_is_scraped_too(tmp_path: Path) -> None:
    found = scrape(metrics(open_store(tmp_path), now=NOW))
    assert {name for name, *_ in found} >= {"nemwarm_partitions", "nemwarm_manifest_generation"}
    assert sum(name == "nemwarm_partition_bytes" for name, *_ in found) == sum(
        len(query.grains) for query in CATALOGUE.values()
    )
