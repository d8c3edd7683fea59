"""Keeping a store healthy: rebuild its manifest from footers, collect what nothing names, check what is named.

Nothing here is needed to answer; everything here may run while others read and warm.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import duckdb
import numpy as np
import pyarrow as pa

from cache_store import rollup
from cache_store.build import footer_of
from cache_store.catalogue import CATALOGUE, find_query
from cache_store.due import due
from cache_store.errors import StoreUnavailableError
from cache_store.flight import take_turn
from cache_store.manifest import (
    Entry,
    Manifest,
    entry_from,
    is_year,
    period_window,
    publish_manifest,
    replace,
    writer_lock,
)
from cache_store.reader import fetch
from cache_store.store import BROKEN, Store
from cache_store.usage import FOLDER as USAGE
from cache_store.warm import warm
from nem.remote import GRACE, Held, Remote
from nem.source import Source

KEEP_USAGE = timedelta(days=30)  # what was asked longer ago says nothing of tomorrow

Problem = Literal["missing", "resized", "altered", "swapped", "differs", "unpublished"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A file that is not what it should be."""

    path: str
    problem: Problem
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep took, or would take: files nothing names, and partitions over the quota."""

    files: tuple[str, ...]
    evicted: tuple[str, ...]
    byte_count: int


def rebuild_manifest(store: Store, *, now: datetime) -> Manifest:
    """Publish a manifest made of the footers alone: per period the newest whole build, its checksum taken anew.

    Generations count on from the seconds of ``now``, which no count reaches: a number is never used twice.

    Raises:
        StoreUnavailableError: the root cannot be written.
    """
    found: list[tuple[datetime, int, Entry]] = []
    if store.remote:
        _bring_all(store.root, store.remote)
    for name in sorted(_partitions(store.root)):
        path = store.root / name
        try:
            footer = footer_of(store.connection, path)
            content, modified = path.read_bytes(), path.stat().st_mtime_ns
            made = entry_from({**footer, "byte_count": len(content), "checksum": hashlib.sha256(content).hexdigest()})
        except (OSError, duckdb.Error, KeyError, TypeError, ValueError):
            continue  # torn or foreign: `check` reports it as unpublished
        if made.path == name:
            found.append((made.built_at, modified, made))
    live: list[Entry] = []
    for *_, entry in sorted(found, key=lambda dated: dated[:2]):
        live = replace(live, [entry])
    return publish_manifest(store.root, lambda _: live, onto=Manifest(int(now.timestamp())), remote=store.remote)


def sweep(store: Store, *, now: datetime, byte_quota: int | None = None, dry_run: bool = False) -> Swept:
    """Delete files that no manifest named within ``GRACE`` and that are older; over ``byte_quota``, drop partitions first.

    Partitions of former definitions go once the current one covers them, and over the quota all of them. Then the finest
    grain goes, oldest first, but never what ends within ``KEEP`` of the newest data, nor a query's coarsest grain. What
    went is answered live, and built again for whoever asks for its window: see ``due``.
    ``now`` is wall-clock UTC: it is compared to file times.

    Raises:
        StoreUnavailableError: the store cannot be read or written.
    """
    manifest = store.manifest()
    evicted = _superseded(manifest)
    evicted += _over_quota(_without(manifest, evicted), byte_quota)
    if evicted and not dry_run:
        manifest = publish_manifest(store.root, lambda newest: _without(newest, evicted), remote=store.remote)
    named = manifest.in_use(now)
    builds = {entry.build for entry in manifest.entries}
    try:
        with writer_lock(store.root):
            old = [path for path in _swept_files(store.root, named, builds) if _age(path, now) > GRACE]
            old += [path for path in (store.root / USAGE).glob("*.json") if _age(path, now) > KEEP_USAGE]
            byte_count = sum(path.stat().st_size for path in old)
            for path in [] if dry_run else old:
                path.unlink(missing_ok=True)
        names = [str(path.relative_to(store.root)) for path in old]
        if store.remote:
            unnamed = store.remote.unnamed(_is_partition, named, now)
            byte_count += sum(unnamed.values())
            names += [f"{store.remote.url}/{name}" for name in unnamed]
            store.remote.delete([] if dry_run else unnamed)
    except OSError as error:
        raise StoreUnavailableError(f"the store at {store.root} cannot be swept: {error}") from error
    return Swept(tuple(names), tuple(entry.path for entry in evicted), byte_count)


def check(store: Store, source: Source | None, *, now: datetime, sample: int = 0) -> list[Finding]:
    """What is wrong with the published files, and files nobody published; ``sample`` partitions are recomputed.

    The sample moves on by its own length each day, so daily checks come round to all n partitions in n / sample days.
    ``now`` is wall-clock UTC: the now of a replayed past stands still, and so would the sample.

    Of a remote every partition is brought here, and its sizes are compared as well.

    Raises:
        StoreUnavailableError: the manifest cannot be read, or the remote not be listed.
        SourceUnavailableError: a sample is asked for and the source is away.
    """
    manifest = store.manifest()
    try:
        there = _remote_files(store.remote) if store.remote else {}
    except OSError as error:
        raise StoreUnavailableError(f"the store at {store.root} cannot be checked: {error}") from error
    store.bring(manifest.entries)
    found = [finding for entry in manifest.entries if (finding := _check_entry(store, entry, there))]
    unnamed = (_partitions(store.root) | there.keys()) - manifest.paths
    found += [Finding(name, "unpublished") for name in sorted(unnamed)]
    bad = {finding.path for finding in found}
    if source is not None:
        # A year holds what its parts do, and goes when one of them moves.
        parts = [e for e in manifest.entries if not is_year(e.period)]
        sound = [e for e in parts if e.path not in bad and _is_read(e)]
        first = now.toordinal() * sample
        chosen = [sound[(first + i) % len(sound)] for i in range(min(sample, len(sound)))]
        found += [Finding(entry.path, "differs", entry) for entry in chosen if _differs(store, source, entry, now)]
    return found


def repair(store: Store, source: Source, findings: Iterable[Finding], *, now: datetime) -> list[tuple[str, str]]:
    """Unpublish the partitions found wrong, so that readers go live, and rebuild those anybody reads: (query, period) of each.

    Raises:
        StoreUnavailableError: the store cannot be written.
        SourceUnavailableError: the source is away; what was wrong stays unpublished, for the next warming.
    """
    wrong = [finding.entry for finding in findings if finding.entry]
    rebuilt: list[tuple[str, str]] = []
    for query in sorted({entry.query for entry in wrong}):
        # In our turn, or whoever renews these partitions meanwhile would publish them again.
        with take_turn(store.root, query):
            publish_manifest(store.root, lambda newest: _without(newest, wrong), remote=store.remote)
            for period in sorted({entry.period for entry in wrong if entry.query == query and _is_read(entry)}):
                tasks = due(store, source, find_query(query), now=now, window=period_window(period))
                done = warm(store, source, find_query(query), tasks, now=now)
                rebuilt += [(query, task.period) for task in tasks if task.period not in done.failed]
    return rebuilt


def lost(wrong: Iterable[Finding], rebuilt: Sequence[tuple[str, str]]) -> list[str]:
    """The periods that were wrong, read by somebody, and that nothing ``rebuilt`` stands in for; a month does for its days."""
    entries = [finding.entry for finding in wrong if finding.entry and _is_read(finding.entry)]
    return sorted(
        {
            f"{entry.query} {entry.period}"
            for entry in entries
            if not any(query == entry.query and entry.period.startswith(period) for query, period in rebuilt)
        }
    )


def _partitions(root: Path) -> set[str]:
    """Every partition file on disk, published or not. Readers never look here: they open what the manifest names."""
    return {str(path.relative_to(root)) for path in root.glob("*/*/*/*.parquet") if not path.name.startswith(".")}


def _remote_files(remote: Remote) -> dict[str, Held]:
    return {name: held for name, held in remote.names().items() if _is_partition(name)}


def _is_partition(name: str) -> bool:
    return name.count("/") == 3 and name.endswith(".parquet")


def _bring_all(root: Path, remote: Remote) -> None:
    try:
        remote.bring(root, _remote_files(remote).keys() - _partitions(root))
    except OSError as error:
        raise StoreUnavailableError(f"the partitions of {remote.url} cannot be brought: {error}") from error


def _swept_files(root: Path, named: set[str], builds: set[str]) -> Iterator[Path]:
    yield from (root / name for name in sorted(_partitions(root) - named))
    yield from root.rglob(".*.tmp")
    yield from (mark for mark in (root / BROKEN).glob("*") if mark.name not in builds)


def _age(path: Path, now: datetime) -> timedelta:
    return timedelta(seconds=now.timestamp() - path.stat().st_mtime)


def _current(query: str) -> str | None:
    return CATALOGUE[query].fingerprint if query in CATALOGUE else None


def _is_read(entry: Entry) -> bool:
    return entry.fingerprint == _current(entry.query)


def _without(manifest: Manifest, gone: Iterable[Entry]) -> list[Entry]:
    builds = {entry.build for entry in gone}
    return [entry for entry in manifest.entries if entry.build not in builds]


def _superseded(manifest: Manifest) -> list[Entry]:
    """Partitions of a former definition whose whole stretch the current one covers at their grain."""

    def is_covered(entry: Entry, current: str) -> bool:
        held = [other.covers for other in manifest.series(entry.query, current, entry.grain)]
        return entry.fingerprint != current and not entry.covers.minus(held)

    return [e for e in manifest.entries if (current := _current(e.query)) and is_covered(e, current)]


def _over_quota(entries: Sequence[Entry], byte_quota: int | None) -> list[Entry]:
    total = sum(entry.byte_count for entry in entries)
    if byte_quota is None or total <= byte_quota:
        return []
    newest = max(entry.covers.end for entry in entries)
    evictable = []
    for entry in entries:
        if not _is_read(entry):
            evictable.append((-1, entry.covers.end, entry.path, entry))  # this version cannot read it
        elif not CATALOGUE[entry.query].keeps(entry.grain, newest - entry.covers.end):
            rank = CATALOGUE[entry.query].grains.index(entry.grain)
            evictable.append((rank, entry.covers.end, entry.query, entry))
    gone: list[Entry] = []
    for *_, entry in sorted(evictable, key=lambda ranked: ranked[:3]):
        if total <= byte_quota:
            break
        gone.append(entry)
        total -= entry.byte_count
    return gone


def _check_entry(store: Store, entry: Entry, there: Mapping[str, Held]) -> Finding | None:
    path = store.root / entry.path
    try:
        content = store.content(entry)
    except OSError:
        return Finding(entry.path, "missing", entry)
    if store.remote and entry.path not in there:
        return Finding(entry.path, "missing", entry)
    sizes = {len(content)} | ({there[entry.path].byte_count} if store.remote else set())
    if sizes != {entry.byte_count}:
        return Finding(entry.path, "resized", entry)
    if hashlib.sha256(content).hexdigest() == entry.checksum:
        return None
    try:
        is_other = footer_of(store.connection, path).get("build") != entry.build
    except duckdb.Error:
        is_other = False
    return Finding(entry.path, "swapped" if is_other else "altered", entry)


def _differs(store: Store, source: Source, entry: Entry, now: datetime) -> bool:
    """Whether the source now answers otherwise than the partition; one whose source has moved is merely due."""
    query = find_query(entry.query)
    if source.versions(query.sources, period_window(entry.period)) != dict(entry.sources):
        return False
    live = fetch(store, source, query.name, entry.covers, now=now, resolution=entry.grain, origin="live").table
    with store.connection.cursor() as cursor:
        statement = rollup.stored(0, {}, whole=True)
        held = cursor.sql(statement, params={"files_0": store.files([entry])}).to_arrow_table()
    names = {name: "interval_end" if name == "settlement_date" else name for name in query.columns}
    return live.num_rows != held.num_rows or any(_unequal(live[shown], held[name]) for name, shown in names.items())


def _unequal(live: pa.ChunkedArray, held: pa.ChunkedArray) -> bool:
    """Float sums differ in their last digits from run to run."""
    if pa.types.is_floating(live.type):
        return not np.allclose(live.to_numpy(), held.to_numpy(), rtol=1e-9, atol=1e-6, equal_nan=True)
    return not live.equals(held)
