"""The published snapshot: which partitions are live, what each covers, and how fresh it is.

``manifest.json`` is the store's only publication point. It is replaced whole and atomically; readers hold one
generation and open only the files it names. Files it does not name are unpublished, however they came to be there.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from cache_store.catalogue import Query
from cache_store.errors import StoreUnavailableError, StoreVersionError
from cache_store.freshness import CLOSES_AFTER, Freshness, soonest
from nem.files import locked, publish_bytes
from nem.remote import Remote, last_named
from nem.windows import EPOCH, Resolution, Window, joined, market_time

MANIFEST = "manifest.json"
LOCK = ".lock"  # of whoever writes the store
FORMAT_VERSION = 1
# What is written of an entry as it is, and of its freshness as times.
_PLAIN = ("query", "fingerprint", "grain", "period", "build", "byte_count", "row_count", "checksum", "sources")
_AGES = ("verified_at", "expires_at", "swr_until", "sie_until")
# By file, what was last read there or written, of a few files: a tick publishes each query, and looks at what it published.
_newest: dict[Path, tuple[bytes, Manifest]] = {}
_FEW = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """One immutable partition file. ``covers`` is the part of its period it has data for.

    ``sources`` are the versions of the tables it was made of; of a year's, the builds (see ``made_of``).
    ``build_seconds`` is what making it took, its finer grains apart; None of one whose footer alone is left to tell.
    """

    query: str
    fingerprint: str
    grain: Resolution
    period: str
    build: str
    covers: Window
    byte_count: int
    row_count: int
    checksum: str
    built_at: datetime
    sources: Mapping[str, str]
    freshness: Freshness
    build_seconds: float | None = field(default=None, compare=False)

    @property
    def path(self) -> str:
        """Relative to the store's root."""
        return f"{self.query}/{self.fingerprint}/{self.grain}/{self.period}.{self.build}.parquet"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One generation. Entries of one query, fingerprint and grain stand in time order and never overlap, but for years.

    A year of the coarsest grain comes first of them all. It holds what its closed months and days hold, once more in one
    file, and stands only beside those it was made of, as fresh as they are.
    ``former`` says when files that are no longer named were: whoever reads an older generation may want them yet.
    """

    generation: int = 0
    entries: tuple[Entry, ...] = ()
    by_series: Mapping[tuple[str, str, Resolution], tuple[Entry, ...]] = field(default_factory=dict)
    former: Mapping[str, datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, generation: int, entries: Iterable[Entry], former: Mapping[str, datetime] | None = None) -> Manifest:
        """A snapshot of ``entries``, sorted and indexed; without the years whose parts have moved."""
        series: dict[tuple[str, str, Resolution], list[Entry]] = {}
        for entry in sorted(entries, key=lambda e: (e.query, e.fingerprint, e.grain, e.covers)):
            series.setdefault((entry.query, entry.fingerprint, entry.grain), []).append(entry)
        by_series = {key: (*_standing_years(found), *_parts(found)) for key, found in series.items()}
        return cls(generation, tuple(chain.from_iterable(by_series.values())), by_series, former or {})

    @property
    def paths(self) -> set[str]:
        """The files it names."""
        return {entry.path for entry in self.entries}

    def in_use(self, now: datetime) -> set[str]:
        """The files it names, or named so lately that readers may hold on to them."""
        return {*last_named(self.former, self.paths, now)}

    def series(self, query: str, fingerprint: str, grain: Resolution) -> tuple[Entry, ...]:
        """The partitions of one query, definition and grain, in time order."""
        return self.by_series.get((query, fingerprint, grain), ())


@cache
def period_window(period: str) -> Window:
    """What a period's name spans: ``2026-05-14`` a day, ``2026-05`` a month, ``2026`` a year."""
    year, month, day = (int(part) for part in f"{period}-01-01"[:10].split("-"))
    start = datetime(year, month, day)
    if len(period) == 10:
        return Window(start, start + timedelta(days=1))
    end = datetime(year + 1, 1, 1) if is_year(period) else (start + timedelta(days=31)).replace(day=1)
    return Window(max(start, EPOCH), end)


def is_year(period: str) -> bool:
    """Whether a period's name is a year's."""
    return len(period) == len("2026")


def is_closed(period: str, now: datetime) -> bool:
    """Whether it ended long enough ago to be put together with others."""
    return market_time(now) - period_window(period).end >= CLOSES_AFTER


def closed_parts(manifest: Manifest, query: Query, year: str, now: datetime) -> list[Entry]:
    """What a file of ``year`` is to be made of at ``now``: its closed months and days, from the last gap in them on.

    In time order, at the coarsest grain of ``query``.
    """
    series = _parts(manifest.series(query.name, query.fingerprint, query.grains[-1]))
    closed = [
        entry
        for entry in series
        if entry.period.startswith(year)
        and entry.covers.end == period_window(entry.period).end
        and is_closed(entry.period, now)
    ]
    unbroken = joined([entry.covers for entry in closed])[-1:]
    return [entry for entry in closed for stretch in unbroken if entry.covers.overlap(stretch)]


def made_of(parts: Iterable[Entry]) -> dict[str, str]:
    """The ``sources`` of a year's file: a digest of the builds it was made of."""
    return {"parts": hashlib.sha256(" ".join(part.build for part in parts).encode()).hexdigest()[:16]}


def _parts(series: Iterable[Entry]) -> list[Entry]:
    return [entry for entry in series if not is_year(entry.period)]


def _standing_years(series: Sequence[Entry]) -> list[Entry]:
    """The years of one query, definition and grain whose parts are still those they were made of."""
    found: list[Entry] = []
    for year in (entry for entry in series if is_year(entry.period)):
        parts = [part for part in _parts(series) if year.covers.start <= part.covers.start < year.covers.end]
        if year.sources == made_of(parts):
            fresh = soonest([part.freshness for part in parts])
            found.append(dataclasses.replace(year, freshness=fresh))
    return found


def read_manifest(root: Path) -> Manifest:
    """The newest published generation; generation 0, empty, where nothing was published yet.

    Raises:
        StoreUnavailableError: it cannot be read.
        StoreVersionError: another version of this program wrote it.
    """
    path = root / MANIFEST
    try:
        return _parsed(path, path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return Manifest()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreUnavailableError(
            f"the store's manifest {path} cannot be read ({error}); run `nemwarm check --repair`"
        ) from error


def _parsed(path: Path, content: bytes) -> Manifest:
    known = _newest.get(path)
    if known is None or known[0] != content:
        document = json.loads(content)
        if document["version"] != FORMAT_VERSION:
            raise StoreVersionError(f"{path} has format {document['version']}, this version reads {FORMAT_VERSION}")
        former = {path: datetime.fromisoformat(at) for path, at in document.get("former", {}).items()}
        parsed = Manifest.of(int(document["generation"]), (entry_from(row) for row in document["entries"]), former)
        return _remembered(path, content, parsed)
    return known[1]


def _remembered(path: Path, content: bytes, manifest: Manifest) -> Manifest:
    _newest[path] = content, manifest
    for former in list(_newest)[:-_FEW]:
        _newest.pop(former, None)
    return manifest


def publish_manifest(
    root: Path,
    change: Callable[[Manifest], Iterable[Entry]],
    *,
    onto: Manifest | None = None,
    remote: Remote | None = None,
) -> Manifest:
    """Replace the manifest by what ``change`` makes of the newest one, under the writers' lock.

    ``onto`` stands in for the newest one where that cannot be read. Where ``root`` is a copy of a ``remote``, the newest is
    the one there, the new one is published there first, and ``change`` is asked again whenever another machine was quicker.

    Raises:
        StoreUnavailableError: the root cannot be written; the published generation stands.
    """
    try:
        with writer_lock(root):
            while True:
                if remote:
                    remote.pull(root, MANIFEST)
                newest = onto or read_manifest(root)
                following = _following(newest, change(newest))
                content = _bytes_of(following)
                if remote is None or _put(root, remote, content, following.paths, newest.paths):
                    break
            publish_bytes(root / MANIFEST, content)
            return _remembered(root / MANIFEST, content, following)
    except OSError as error:
        raise StoreUnavailableError(f"the store at {root} cannot be written: {error}") from error


def _following(newest: Manifest, entries: Iterable[Entry]) -> Manifest:
    made = Manifest.of(newest.generation + 1, entries)
    gone = newest.paths - made.paths
    return dataclasses.replace(made, former=last_named(newest.former, gone, datetime.now(UTC)))


def _put(root: Path, remote: Remote, content: bytes, files: set[str], there: set[str]) -> bool:
    """Put a manifest in place of the one last pulled; False if another machine's came first.

    The ``files`` it names are put first, but for those known to be ``there``: a writer killed in between leaves
    objects that nothing names, and no name without its object.
    """
    remote.upload({path: root / path for path in (files - there if remote.seen else files)})
    tag = remote.swap(MANIFEST, content, remote.seen)
    remote.seen = tag or remote.seen
    return tag is not None


def _bytes_of(manifest: Manifest) -> bytes:
    rows = [facts(entry) for entry in manifest.entries]
    former = {path: at.isoformat() for path, at in manifest.former.items()}
    document = {"version": FORMAT_VERSION, "generation": manifest.generation, "entries": rows, "former": former}
    return json.dumps(document, separators=(",", ":")).encode()


def writer_lock(root: Path) -> AbstractContextManager[None]:
    """One writer at a time on this host."""
    return locked(root / LOCK)


def replace(entries: Iterable[Entry], built: Iterable[Entry], renewed: Iterable[Entry] = ()) -> list[Entry]:
    """``entries`` with ``built`` in place of whatever they overlap in their own series, and ``renewed`` in place of themselves.

    A year takes no month's place. What is to be renewed and is no longer there was superseded meanwhile, and stays so.
    """
    new, again = list(built), {entry.build: entry for entry in renewed}

    def superseded(old: Entry) -> bool:
        return any(
            (old.query, old.fingerprint, old.grain) == (entry.query, entry.fingerprint, entry.grain)
            and period_window(old.period).overlap(period_window(entry.period))
            and is_year(old.period) == is_year(entry.period)
            for entry in new
        )

    return [again.get(old.build, old) for old in entries if not superseded(old)] + new


def facts(entry: Entry) -> dict[str, Any]:
    """An entry as plain JSON values: the manifest's row, and the Parquet footer's keys."""
    times = {"data_from": entry.covers.start, "data_through": entry.covers.end, "built_at": entry.built_at}
    times |= {name: getattr(entry.freshness, name) for name in _AGES}
    row = {name: getattr(entry, name) for name in (*_PLAIN, "build_seconds")}
    return row | {name: time.isoformat() for name, time in times.items()} | {"ttl_seconds": entry.freshness.ttl_seconds}


def entry_from(row: Mapping[str, Any]) -> Entry:
    """The entry whose ``facts`` are ``row``.

    Raises:
        KeyError, ValueError, TypeError: they are not.
    """
    time = datetime.fromisoformat
    return Entry(
        **{name: row[name] for name in _PLAIN},
        covers=Window(time(row["data_from"]), time(row["data_through"])),
        built_at=time(row["built_at"]),
        freshness=Freshness(ttl_seconds=row["ttl_seconds"], **{name: time(row[name]) for name in _AGES}),
        build_seconds=row.get("build_seconds"),  # no footer has it
    )
