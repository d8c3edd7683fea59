"""One computation at a time: of a request within this process, of a query's partitions on this host."""

from __future__ import annotations

import fcntl
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TypeVar

from cache_store.errors import StoreUnavailableError

T = TypeVar("T")
_POLL_SECONDS = 0.02


@dataclass(slots=True)
class Flights:
    """Computations under way in this process. Whoever asks for one that is, waits and shares its outcome."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _under_way: dict[Hashable, Future[Any]] = field(default_factory=dict)

    def once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """What ``compute`` returns or raises, run by the first caller alone; nothing is kept once it has landed."""
        with self._lock:
            flight = self._under_way.get(key)
            leads = flight is None
            if flight is None:
                flight = self._under_way[key] = Future()
        if not leads:
            shared: T = flight.result()
            return shared
        try:
            result = compute()
        except BaseException as error:
            # Waiters must wake even when the leader is interrupted; the error is theirs too.
            flight.set_exception(error)
            raise
        else:
            flight.set_result(result)
            return result
        finally:
            with self._lock:
                del self._under_way[key]


@dataclass(slots=True)
class Turn:
    """The right to build a query's partitions on this host, till closed. The kernel takes it back from the dead."""

    _handle: TextIOWrapper | None

    def __enter__(self) -> Turn:
        """Held since it was taken."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the next one build, unless it was handed over. Any thread may."""
        if self._handle:
            self._handle.close()

    def handed_over(self) -> Turn:
        """The same turn for somebody else to close."""
        heir = Turn(self._handle)
        self._handle = None
        return heir


def wait_for_turn(root: Path, query: str) -> Turn:
    """The turn to build ``query``, however long whoever has it takes.

    Raises:
        StoreUnavailableError: the root cannot be written.
    """
    handle = _open_lock(root, query)
    with _releasing(handle, root):
        fcntl.flock(handle, fcntl.LOCK_EX)
    return Turn(handle)


def take_turn(root: Path, query: str, *, wait: timedelta) -> Turn | None:
    """The turn to build ``query``; None if whoever has it is not done within ``wait``.

    Raises:
        StoreUnavailableError: the root cannot be written.
    """
    handle = _open_lock(root, query)
    give_up_at = time.monotonic() + wait.total_seconds()
    with _releasing(handle, root):
        while not _lock_now(handle):
            if time.monotonic() >= give_up_at:
                handle.close()
                return None
            time.sleep(_POLL_SECONDS)
    return Turn(handle)


def _open_lock(root: Path, query: str) -> TextIOWrapper:
    try:
        root.mkdir(parents=True, exist_ok=True)
        return (root / f".build-{query}.lock").open("w")
    except OSError as error:
        raise StoreUnavailableError(f"the store at {root} cannot be written: {error}") from error


@contextmanager
def _releasing(handle: TextIOWrapper, root: Path) -> Iterator[None]:
    """Close ``handle`` where locking fails, as it does on file systems without locks."""
    try:
        yield
    except OSError as error:
        handle.close()
        raise StoreUnavailableError(f"the store at {root} cannot be locked: {error}") from error


def _lock_now(handle: TextIOWrapper) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
