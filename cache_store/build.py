"""Partition files: a query's rows from the source, the files made of them and the facts in their footers, published.

Only this module writes footers.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from cache_store import rollup
from cache_store.catalogue import Query
from cache_store.errors import PartitionCorruptError, StoreUnavailableError
from cache_store.freshness import freshness, soonest
from cache_store.manifest import Entry, Manifest, closed_parts, facts, made_of, period_window, publish_manifest, replace
from cache_store.store import Store
from nem.errors import SourceUnavailableError
from nem.files import publish
from nem.source import Source
from nem.windows import INTERVAL_HOURS, Resolution, Window, floor

LEAF_AT_ONCE = timedelta(days=8)  # of a period's leaf rows
_JSON_FACTS = {"row_count", "ttl_seconds", "sources"}  # of a footer; the others are text as they are
_OF_THE_FILE = ("byte_count", "checksum", "build_seconds")  # which its own footer cannot know


def materialise(store: Store, source: Source, query: Query, period: str, *, now: datetime) -> list[Entry]:
    """Build every grain of one period from the source and return the entries, not yet published.

    The entries carry the source's version from before the read: if it moved meanwhile, they stay due for a rebuild.
    An empty list means the source holds nothing there.

    Raises:
        SourceUnavailableError: the source cannot be read.
        StoreUnavailableError: the store cannot be written.
    """
    window = period_window(period)
    covered = source.coverage(query.sources[0], window)
    if not covered:
        return []
    if len(covered) > 1:
        raise SourceUnavailableError(f"{query.name}: the source lacks days of {period}; build its days one by one")
    covers = covered[0]
    versions = source.versions(query.sources, window)
    began = time.perf_counter()
    with store.connection.cursor() as cursor:
        parts = []
        for i, part in enumerate(_a_few_days_each(covers) if "unit_scada" in query.sources else [covers]):
            run_leaf(cursor, source, query, query.grains[0], part, into=f"part_{i}")
            parts.append(f"FROM part_{i}")
        cursor.execute(f"CREATE TEMP VIEW grain_0 AS {' UNION ALL '.join(parts)}")
        entries = []
        for i, grain in enumerate(query.grains):
            if i:
                rows = rollup.ordered(query, rollup.merged(query, grain, f"FROM grain_{i - 1}"))
                with _writing(store):
                    cursor.execute(f"CREATE TEMP TABLE grain_{i} AS {rows}")
            made = _facts_of(query, grain, period, covers, versions, now)
            entries.append(_write(store, cursor, f"grain_{i}", made, began))
            began = time.perf_counter()
        return entries


def _a_few_days_each(covers: Window) -> Iterator[Window]:
    """``covers``, cut at midnights: grouping the readings of a month of 550 units at once takes a gigabyte."""
    start = covers.start
    while start < covers.end:
        end = min(covers.end, floor(start, "1d") + LEAF_AT_ONCE)
        yield Window(start, end)
        start = end


def compact(store: Store, query: Query, year: str, *, now: datetime) -> Entry:
    """Build the coarsest grain of a year so far from its closed months and days, as published; not yet published itself.

    Raises:
        PartitionCorruptError: there are none, or one is broken.
        StoreUnavailableError: the store cannot be written.
    """
    parts = closed_parts(store.manifest(), query, year, now)
    if not parts or not all(store.is_sound(part) for part in parts):
        raise PartitionCorruptError(f"{query.name}: not all of {year} is published and whole; warm it first")
    covers = Window(parts[0].covers.start, parts[-1].covers.end)
    made = _facts_of(query, query.grains[-1], year, covers, made_of(parts), now)
    made = dataclasses.replace(made, freshness=soonest([part.freshness for part in parts]))
    rows, began = rollup.ordered(query, rollup.stored(0, {}, whole=True)), time.perf_counter()
    with store.connection.cursor() as cursor:
        with _writing(store):
            cursor.execute(f"CREATE TEMP TABLE year AS {rows}", {"files_0": store.files(parts)})
        return _write(store, cursor, "year", made, began)


def publish_entries(store: Store, built: Iterable[Entry], renewed: Iterable[Entry] = ()) -> Manifest:
    """Make built and renewed partitions live, in place of those they supersede.

    Raises:
        StoreUnavailableError: the store cannot be written; the published generation stands.
    """
    return publish_manifest(store.root, lambda newest: replace(newest.entries, built, renewed), remote=store.remote)


def renew(store: Store, query: Query, period: str, *, now: datetime) -> list[Entry]:
    """The published entries of a day or month whose source did not move, fresh from ``now``; not yet published themselves."""
    manifest = store.manifest()
    return [
        dataclasses.replace(entry, freshness=freshness(period_window(period), entry.covers.end, now))
        for grain in query.grains
        for entry in manifest.series(query.name, query.fingerprint, grain)
        if entry.period == period
    ]


def run_leaf(
    cursor: duckdb.DuckDBPyConnection,
    source: Source,
    query: Query,
    resolution: Resolution,
    window: Window,
    *,
    into: str,
    filters: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Run the query live over ``window`` and leave its rows, merged to ``resolution`` and in key order, in a temporary table.

    ``filters`` pick leaf rows, as they pick stored ones: a unit that moves counts in each region for its time there.

    Raises:
        SourceUnavailableError: the source is away or unreadable.
    """
    source.attach(cursor, query.sources, window)
    chosen = filters or {}
    rows = rollup.ordered(query, rollup.merged(query, resolution, rollup.relation(query, f"({query.sql})", chosen)))
    parameters: dict[str, Any] = {"start": window.start, "end": window.end, "interval_hours": INTERVAL_HOURS}
    parameters |= rollup.filter_parameters(chosen)
    try:
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE {into} AS {rows}", parameters)
    except duckdb.Error as error:
        raise SourceUnavailableError(f"{query.name} cannot be answered live for {window}: {error}") from error


def footer_of(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, Any]:
    """The facts a partition's footer carries, as the manifest has them; without its size and checksum.

    Raises:
        duckdb.Error: it is no Parquet file.
        ValueError: its facts are not ours.
    """
    with connection.cursor() as cursor:
        rows = cursor.execute("SELECT key, value FROM parquet_kv_metadata($path)", {"path": str(path)}).fetchall()
    text = {key.decode(): value.decode() for key, value in rows}
    return {name: json.loads(value) if name in _JSON_FACTS else value for name, value in text.items()}


def _facts_of(
    query: Query, grain: Resolution, period: str, covers: Window, versions: Mapping[str, str], now: datetime
) -> Entry:
    """The entry of a file still to be written: its size, rows and checksum are filled in once it is."""
    return Entry(
        query=query.name,
        fingerprint=query.fingerprint,
        grain=grain,
        period=period,
        build=secrets.token_hex(6),
        covers=covers,
        byte_count=0,
        row_count=0,
        checksum="",
        built_at=now,
        sources=dict(versions),
        freshness=freshness(period_window(period), covers.end, now),
    )


def _write(store: Store, cursor: duckdb.DuckDBPyConnection, table: str, entry: Entry, began: float) -> Entry:
    """Write ``table`` as a partition, facts in the footer; its entry with size, rows, checksum and time since ``began``."""
    path = store.root / entry.path
    entry = dataclasses.replace(entry, row_count=len(cursor.table(table)))
    footer = {
        name: json.dumps(value) if name in _JSON_FACTS else value
        for name, value in facts(entry).items()
        if name not in _OF_THE_FILE
    }
    footer["attribution"] = "Source: AEMO"
    copy = (
        f"COPY (FROM {table}) TO $path "
        # Measures hardly repeat, so a dictionary of them is no gain. By rows so few a month is read on several cores.
        "(FORMAT parquet, COMPRESSION lz4_raw, DICTIONARY_SIZE_LIMIT 1000, ROW_GROUP_SIZE 30720, KV_METADATA $footer)"
    )
    with _writing(store):
        publish(path, lambda temporary: cursor.execute(copy, {"path": str(temporary), "footer": footer}))
        content = path.read_bytes()
    checksum, seconds = hashlib.sha256(content).hexdigest(), round(time.perf_counter() - began, 3)
    return dataclasses.replace(entry, byte_count=len(content), checksum=checksum, build_seconds=seconds)


@contextlib.contextmanager
def _writing(store: Store) -> Iterator[None]:
    try:
        yield
    except (OSError, duckdb.Error) as error:
        raise StoreUnavailableError(f"the store at {store.root} cannot be written: {error}") from error
