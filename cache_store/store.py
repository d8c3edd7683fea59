"""A store as one process has it open: its root and manifest, which of its files are sound, DuckDB and memory."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Semaphore

import duckdb

from cache_store.errors import StoreUnavailableError
from cache_store.flight import Flights
from cache_store.manifest import LOCK, MANIFEST, Entry, Manifest, publish_manifest, read_manifest
from cache_store.memory import Memory
from cache_store.usage import Usage
from nem.remote import Remote, mark_copy, open_to_attach, remote_of

LIVE_AT_ONCE = 4  # queries that readers of this process have the source run: each may take all cores and its own memory
# A freed block of so much has glibc keep twice of it at hand. Else what an answer takes goes back to the kernel and comes
# anew, page by page, with the next: a third of a reading's time.
KEPT_BYTES = 8 * 2**20
BROKEN = "broken"  # a folder of empty files, each named after a build some reader found broken


@dataclass(frozen=True)
class Store:
    """A store at ``root``, with this process's DuckDB and memory tier. Use it from any thread: a cursor per call."""

    root: Path
    connection: duckdb.DuckDBPyConnection
    memory: Memory
    flights: Flights
    background: ThreadPoolExecutor | None
    usage: Usage
    remote: Remote | None = None  # what ``root`` is a copy of
    at_source: Semaphore = field(default_factory=lambda: Semaphore(LIVE_AT_ONCE))
    _seen: dict[str, tuple[tuple[int, ...], Manifest]] = field(default_factory=dict)
    _sound: set[str] = field(default_factory=set)

    def manifest(self) -> Manifest:
        """The newest published generation; parsed again only when the file was replaced.

        A copy of a remote follows it within seconds.

        Raises:
            StoreUnavailableError: it cannot be read.
        """
        if self.remote:
            self.remote.follow(self.root, MANIFEST, LOCK)
        try:
            stat = os.stat(f"{self.root}/{MANIFEST}")  # noqa: PTH116 a path made of paths takes longer than the look
        except (FileNotFoundError, NotADirectoryError):
            return Manifest()
        except OSError as error:
            raise StoreUnavailableError(f"the store at {self.root} cannot be read: {error}") from error
        identity = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        known = self._seen.get("manifest")
        if known is None or known[0] != identity:
            known = (identity, read_manifest(self.root))
            self._seen["manifest"] = known
            # Every tick names new builds, and a process serves for weeks.
            self._sound.intersection_update(entry.build for entry in known[1].entries)
        return known[1]

    def files(self, entries: list[Entry]) -> list[str]:
        """Absolute paths, in the order given."""
        return [f"{self.root}/{entry.path}" for entry in entries]

    def is_whole(self, entry: Entry) -> bool:
        """Whether its file is there, in the size published, and no reader has found it broken. Opens nothing.

        What a copy has not brought yet counts as whole: whether the remote has it is for ``check`` to tell.
        """
        try:
            whole = (self.root / entry.path).stat().st_size == entry.byte_count
        except OSError:
            return self.remote is not None
        return whole and not self._mark(entry).exists()

    def is_sound(self, entry: Entry) -> bool:
        """Whether its file holds what was published: its checksum, taken once per process."""
        if entry.build not in self._sound:
            try:
                content = self.content(entry)
            except OSError:
                return False
            if hashlib.sha256(content).hexdigest() != entry.checksum:
                return False
            self._sound.add(entry.build)
        return True

    def content(self, entry: Entry) -> bytes:
        """Its file, brought here first if only the remote has it.

        Raises:
            OSError: it is nowhere, or out of reach.
        """
        path = self.root / entry.path
        if self.remote and not path.exists():
            try:
                self.remote.bring(self.root, [entry.path])
            except FileNotFoundError:
                self.remote.look_again()  # swept since: a newer manifest names another
                raise
        return path.read_bytes()

    def bring(self, entries: Iterable[Entry]) -> None:
        """Bring what only the remote has, several at a time. What cannot be brought is found missing when it is read."""
        if self.remote:
            lacking = [entry.path for entry in entries if not (self.root / entry.path).exists()]
            with contextlib.suppress(OSError):
                self.remote.bring(self.root, lacking)

    def report_broken(self, entries: Iterable[Entry]) -> None:
        """Have the next warming rebuild them. On a read-only mount nothing is marked, and each process finds out alone.

        Of a remote only the copy is dropped: the next read brings it again.
        """
        for entry in entries:
            self._sound.discard(entry.build)
            if self.remote:
                with contextlib.suppress(OSError):
                    (self.root / entry.path).unlink()
                continue
            with contextlib.suppress(OSError):
                self._mark(entry).parent.mkdir(exist_ok=True)
                self._mark(entry).touch()

    def doubt(self, entries: Iterable[Entry]) -> None:
        """Take their checksums again before they are next read."""
        self._sound.difference_update(entry.build for entry in entries)

    def _mark(self, entry: Entry) -> Path:
        return self.root / BROKEN / entry.build


def open_store(
    root: Path | str, *, memory_bytes: int = 256 * 2**20, read_through: bool = False, threads: int | None = None
) -> Store:
    """The store at ``root``, which need not exist yet. Nothing is written until something is materialised.

    With ``read_through``, what a fetch answers live is materialised in the background, and so survives a restart; and
    what is asked is counted, for ``usage.most_asked``. Its statements take ``threads`` cores, or all.

    Raises:
        StoreUnavailableError: it is a copy of a remote that cannot be told, or whose package is missing.
    """
    at = Path(root).expanduser()
    try:
        remote = remote_of(at)
    except OSError as error:
        raise StoreUnavailableError(str(error)) from error
    bytearray(KEPT_BYTES)  # freed at once
    background = ThreadPoolExecutor(1, "read-through") if read_through else None
    connection = duckdb.connect(config={"threads": threads} if threads else {})
    # Else a signal is heard only at a statement's end, where it has more than one thread.
    connection.execute("SET scheduler_process_partial = true")
    return Store(at, connection, Memory(memory_bytes), Flights(), background, Usage(), remote)


def attach(root: Path, url: str) -> Store:
    """Make the store at ``root`` a copy of the one in object storage at ``url``, and publish there what it holds first.

    Raises:
        StoreUnavailableError: ``url`` cannot be written or ignores conditions, or both hold a store already.
    """
    try:
        remote, is_copy = open_to_attach(root, url)
        is_there = remote.read_newer(MANIFEST, None)[0] is not None
        if not is_copy and is_there and (root / MANIFEST).exists():
            raise StoreUnavailableError(f"both {root} and {url} hold a store; empty one of them first")
        mark_copy(root, remote)
    except OSError as error:
        raise StoreUnavailableError(f"{root} cannot become a copy of {url}: {error}") from error
    store = open_store(root)
    if not is_there and store.manifest().entries:
        publish_manifest(root, lambda newest: newest.entries, remote=store.remote)
    return store
