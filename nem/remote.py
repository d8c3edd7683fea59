"""A folder of an object store, in which several machines publish: each has a folder of its own that is a copy of it.

Objects are immutable and named once, so a copy of one is never stale: it is brought when it is first read. Only the head
changes, the object that names all others (of a store its manifest, of a lake ``lake.json``). It is replaced by conditional
write: whoever saw an older one is refused, looks again and retries. Needs ``nemwarm[remote]``.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nem.files import locked, publish_bytes

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore

FILE = "remote.json"  # in a folder that is a copy: of what
GRACE = timedelta(hours=1)  # longer than any read holds a file, and than any build takes to publish one
_LOOK_EVERY_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 30.0  # after it could not be reached: a reader waits for every attempt
_AT_ONCE = 8
_log = logging.getLogger(__name__)


class Held(NamedTuple):
    """An object's size, and when it was written."""

    byte_count: int
    modified_at: datetime


@dataclass(slots=True)
class Remote:
    """An object store's folder, by URL. Every failure to reach it is an ``OSError``, as of a disk."""

    url: str
    objects: ObjectStore
    seen: str | None = None  # the tag of the head last read or written
    _look_at: float = 0.0

    def look_again(self) -> None:
        """Look for a newer head at the next question."""
        self._look_at = 0.0

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
            publish_bytes(path, content)

    def follow(self, root: Path, name: str, lock: str) -> None:
        """Take over what another machine published, now and then. Out of reach, what is here stands, and ages."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + _LOOK_EVERY_SECONDS
        try:
            with locked(root / lock, within=timedelta(0)):
                self.pull(root, name)
        except BlockingIOError:
            pass  # whoever has the lock looks there as well
        except OSError as error:
            self._look_at = time.monotonic() + _LOOK_AGAIN_SECONDS
            _log.warning("%s stays as it is: %s", root, error)

    def upload(self, files: Mapping[str, Path]) -> None:
        """Put files there, by the names of their objects. One that is there already is the same: it was named once."""
        from obstore.exceptions import AlreadyExistsError

        def put(name: str) -> None:
            with self._reaching(), contextlib.suppress(AlreadyExistsError):
                self.objects.put(name, files[name].read_bytes(), mode="create")

        each(put, files)

    def get(self, name: str) -> bytes:
        """What an object holds.

        Raises:
            FileNotFoundError: there is none.
            OSError: it cannot be reached.
        """
        with self._reaching():
            return bytes(self.objects.get(name).bytes())

    def bring(self, root: Path, names: Iterable[str]) -> None:
        """Copy objects into ``root``, each whole or not at all.

        Raises:
            FileNotFoundError: one is not there.
            OSError: one cannot be reached, or the disk takes no more. The others were brought.
        """
        each(lambda name: publish_bytes(root / name, self.get(name)), names)

    def names(self) -> dict[str, Held]:
        """Every object there, by name."""
        with self._reaching():
            pages = list(self.objects.list())
        return {one["path"]: Held(one["size"], one["last_modified"]) for page in pages for one in page}

    def unnamed(self, is_ours: Callable[[str], object], named: Set[str], now: datetime) -> dict[str, int]:
        """The bytes of each object of ours that is not ``named``, and was put there longer ago than publishing takes."""
        return {
            name: held.byte_count
            for name, held in self.names().items()
            if is_ours(name) and name not in named and now - held.modified_at > GRACE
        }

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects; one that is gone already is no error."""

        def drop(name: str) -> None:
            with self._reaching(), contextlib.suppress(FileNotFoundError):
                self.objects.delete(name)

        each(drop, names)

    @contextlib.contextmanager
    def _reaching(self) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        # Not implemented: a folder or a plain web server knows no conditions on writes.
        except (BaseError, NotImplementedError) as error:
            said = str(error).splitlines()[0]
            raise OSError(f"{self.url} cannot be reached: {said}") from error


def last_named(former: Mapping[str, datetime], names: Iterable[str], now: datetime) -> dict[str, datetime]:
    """When a head last named each object that readers may want: ``names`` now, ``former`` when they say, for as long as that."""
    return {name: at for name, at in former.items() if now - at <= GRACE} | dict.fromkeys(names, now)


def remote_of(root: Path) -> Remote | None:
    """What the folder is a copy of; None if it is nobody's.

    Raises:
        OSError: what it is a copy of cannot be told, or ``nemwarm[remote]`` is missing.
    """
    try:
        url = str(json.loads((root / FILE).read_bytes())["url"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OSError(f"{root / FILE} does not say what {root} is a copy of: {error}") from error
    return _opened(root, url)


@lru_cache
def _opened(_root: Path, url: str) -> Remote:
    """One of each copy for the process: it knows which head the copy has."""
    return open_remote(url)


def open_remote(url: str) -> Remote:
    """The object store's folder at ``url``. Keys and endpoint are those of its own tools' environment.

    Raises:
        OSError: no address of an object store, or ``nemwarm[remote]`` is missing.
    """
    try:
        return Remote(url, _client(url))
    except ImportError as error:
        raise OSError(f"{url}: object storage needs obstore; pip install 'nemwarm[remote]'") from error


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
        raise OSError(f"{url} is no address of an object store: {error}") from error


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


def open_to_attach(root: Path, url: str) -> tuple[Remote, bool]:
    """The object store's folder at ``url``, proved, and whether ``root`` is a copy of it already.

    Raises:
        OSError: it cannot be written or ignores conditions, or ``root`` is a copy of another.
    """
    known = remote_of(root)
    if known and known.url != url:
        raise OSError(f"{root} is a copy of {known.url} already; take another folder")
    remote = known or open_remote(url)
    prove(remote)
    return remote, known is not None


def mark_copy(root: Path, remote: Remote) -> None:
    """Have ``root`` be a copy of ``remote`` from now on."""
    publish_bytes(root / FILE, json.dumps({"url": remote.url}).encode())


def each(work: Any, names: Iterable[str]) -> None:
    """``work`` on every name, some at a time; the first error once all are done."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        done = [pool.submit(partial(work, name)) for name in names]
    for one in done:
        one.result()
