"""Where a store is published for several machines: an object store, of which each machine's folder is a copy.

Partitions are immutable and named once, so a copy of one is never stale: it is brought when it is first read. Only the
manifest changes, and it is replaced by conditional write: whoever saw an older one is refused, looks again and retries.
Needs ``nemwarm[remote]``.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Iterable, Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cache_store.errors import StoreUnavailableError
from nem.files import publish

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore

MANIFEST = "manifest.json"
FILE = "remote.json"  # in a folder that is a copy: of what
_LOOK_EVERY_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 30.0  # after it could not be reached: a reader waits for every attempt
_AT_ONCE = 8


class Held(NamedTuple):
    """An object's size, and when it was written."""

    byte_count: int
    modified_at: datetime


@dataclass(slots=True)
class Remote:
    """An object store's folder, by URL. Every failure to reach it is an ``OSError``, as of a disk."""

    url: str
    objects: ObjectStore
    seen: str | None = None  # the tag of the manifest last read or written
    _look_at: float = 0.0

    def is_due(self) -> bool:
        """Whether it is time to look for a newer manifest; asked again, not before some seconds are over."""
        if time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + _LOOK_EVERY_SECONDS
        return True

    def look_again(self, *, soon: bool) -> None:
        """Look for a newer manifest at the next question, or a while later."""
        self._look_at = 0.0 if soon else time.monotonic() + _LOOK_AGAIN_SECONDS

    def read_newer(self, name: str, seen: str | None) -> tuple[bytes | None, str | None]:
        """An object and its tag; no bytes if the tag is still ``seen``, and no tag either if there is no such object."""
        from obstore.exceptions import NotModifiedError

        with self._reaching():
            try:
                found = self.objects.get(name, options={"if_none_match": seen} if seen else None)
                return bytes(found.bytes()), found.meta["e_tag"]
            except NotModifiedError:
                return None, seen
            except FileNotFoundError:
                return None, None

    def swap(self, name: str, content: bytes, seen: str | None) -> str | None:
        """Put ``content`` in place of what was ``seen`` there, None for nothing; its tag, or None if another came first."""
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        # Ceph, and what is built on it, takes a tag for the object's only without its quotes.
        modes: list[Any] = [{"e_tag": seen}, {"e_tag": seen.strip('"')}] if seen else ["create"]
        with self._reaching():
            for mode in modes:
                with contextlib.suppress(PreconditionError, AlreadyExistsError, FileNotFoundError):
                    return self.objects.put(name, content, mode=mode)["e_tag"]
        return None

    def pull(self, root: Path, name: str) -> None:
        """Have the newest ``name`` in ``root``, under its writers' lock. Where none was published, what is here stands."""
        path = root / name
        content, self.seen = self.read_newer(name, self.seen if path.exists() else None)
        if content is not None and not (path.exists() and path.read_bytes() == content):
            publish(path, lambda temporary: temporary.write_bytes(content))

    def push(self, root: Path, name: str, text: str, *, files: Set[str], there: Set[str]) -> bool:
        """Put ``text`` in place of the ``name`` last pulled; False if another machine's came first.

        The ``files`` it speaks of are put first, but for those it knew ``there``: a writer killed in between leaves
        objects that nothing names, and no name without its object.
        """
        self.upload(root, files - there if self.seen else files)
        tag = self.swap(name, text.encode(), self.seen)
        self.seen = tag or self.seen
        return tag is not None

    def upload(self, root: Path, names: Iterable[str]) -> None:
        """Put files of ``root`` there. One that is there already is the same: it was named once."""
        from obstore.exceptions import AlreadyExistsError

        def put(name: str) -> None:
            with self._reaching(), contextlib.suppress(AlreadyExistsError):
                self.objects.put(name, (root / name).read_bytes(), mode="create")

        _each(put, names)

    def bring(self, root: Path, names: Iterable[str]) -> None:
        """Copy objects into ``root``, each whole or not at all.

        Raises:
            FileNotFoundError: one is not there.
            OSError: one cannot be reached, or the disk takes no more. The others were brought.
        """

        def get(name: str) -> None:
            with self._reaching():
                content = bytes(self.objects.get(name).bytes())
            publish(root / name, lambda temporary: temporary.write_bytes(content))

        _each(get, names)

    def holds(self, name: str) -> bool:
        """Whether there is such an object."""
        with self._reaching():
            try:
                self.objects.head(name)
            except FileNotFoundError:
                return False
            return True

    def names(self) -> dict[str, Held]:
        """Every object there, by name."""
        with self._reaching():
            pages = list(self.objects.list())
        return {one["path"]: Held(one["size"], one["last_modified"]) for page in pages for one in page}

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects; one that is gone already is no error."""

        def drop(name: str) -> None:
            with self._reaching(), contextlib.suppress(FileNotFoundError):
                self.objects.delete(name)

        _each(drop, names)

    @contextlib.contextmanager
    def _reaching(self) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except BaseError as error:
            said = str(error).splitlines()[0]
            raise OSError(f"{self.url} cannot be reached: {said}") from error


def remote_of(root: Path) -> Remote | None:
    """What the folder is a copy of; None if it is a store of its own.

    Raises:
        StoreUnavailableError: what it is a copy of cannot be told, or ``nemwarm[remote]`` is missing.
    """
    try:
        url = str(json.loads((root / FILE).read_bytes())["url"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreUnavailableError(f"{root / FILE} does not say what {root} is a copy of: {error}") from error
    return open_remote(url)


def open_remote(url: str) -> Remote:
    """The object store's folder at ``url``. Keys and endpoint are those of its own tools' environment.

    Raises:
        StoreUnavailableError: no address of an object store, or ``nemwarm[remote]`` is missing.
    """
    try:
        return Remote(url, _client(url))
    except ImportError as error:
        raise StoreUnavailableError(f"{url}: object storage needs obstore; pip install 'nemwarm[remote]'") from error


@lru_cache
def _client(url: str) -> ObjectStore:
    """One client of each for the process: it holds the connections."""
    from obstore.exceptions import BaseError
    from obstore.store import MemoryStore, from_url

    if url.startswith("memory://"):
        return MemoryStore()  # this process's own, by any name
    limits: ClientConfig = {"connect_timeout": "3s", "timeout": "30s", "allow_http": True}
    try:
        return from_url(url, client_options=limits, retry_config={"max_retries": 2})
    except (BaseError, ValueError) as error:
        raise StoreUnavailableError(f"{url} is no address of an object store: {error}") from error


def prove(remote: Remote) -> None:
    """See that the server honours conditions on writes: one that ignores them loses what two machines publish at once.

    Raises:
        OSError: it cannot be written, or does not.
    """
    name = f".probe-{secrets.token_hex(6)}"
    first = remote.swap(name, b"first", None)
    try:
        again = remote.swap(name, b"again", None)
        second = remote.swap(name, b"second", first)
        late = remote.swap(name, b"late", first)
    finally:
        remote.delete([name])
    if not first or again or not second or late:
        raise OSError(f"{remote.url} does not honour conditions on writes (If-Match, If-None-Match)")


def attach(root: Path, url: str) -> Remote:
    """Make ``root`` a copy of the object store's folder at ``url``. What it holds is published there with its next change.

    Raises:
        StoreUnavailableError: ``url`` cannot be written or ignores conditions, or both hold a store already.
    """
    known = remote_of(root)
    if known and known.url != url:
        raise StoreUnavailableError(f"{root} is a copy of {known.url} already; take another folder")
    remote = known or open_remote(url)
    try:
        prove(remote)
        both = not known and (root / MANIFEST).exists() and remote.holds(MANIFEST)
        if both:
            raise StoreUnavailableError(f"both {root} and {url} hold a store; empty one of them first")
        publish(root / FILE, lambda path: path.write_text(json.dumps({"url": url})))
    except OSError as error:
        raise StoreUnavailableError(f"{root} cannot become a copy of {url}: {error}") from error
    return remote


def _each(work: Any, names: Iterable[str]) -> None:
    """``work`` on every name, some at a time; the first error once all are done."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        done = [pool.submit(partial(work, name)) for name in names]
    for one in done:
        one.result()
