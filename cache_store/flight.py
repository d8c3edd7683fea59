"""One computation at a time: of a request within this process, of a query's partitions on this host."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from cache_store.errors import StoreUnavailableError
from nem.files import locked

T = TypeVar("T")


@dataclass(slots=True)
class Flights:
    """Computations under way in this process. Whoever asks for one that is, waits and shares its outcome."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _under_way: dict[Hashable, Future[Any]] = field(default_factory=dict)

    def once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """What ``compute`` returns or raises, run by the first caller alone; nothing is kept once it has landed."""
        mine: Future[Any] = Future()
        with self._lock:
            flight = self._under_way.setdefault(key, mine)
        if flight is not mine:
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


def take_turn(root: Path, query: str, *, within: timedelta | None = None) -> ExitStack:
    """The right to build ``query``'s partitions on this host, till closed, by any thread; ``pop_all`` hands it over.

    Whoever has it is waited for, ``within`` that time if given. The kernel takes it back from the dead.

    Raises:
        BlockingIOError: they have it still.
        StoreUnavailableError: the root cannot be written, or its file system has no locks.
    """
    turn = ExitStack()
    try:
        turn.enter_context(locked(root / f".build-{query}.lock", within=within))
    except BlockingIOError:
        raise
    except OSError as error:
        raise StoreUnavailableError(f"the store at {root} cannot be written: {error}") from error
    return turn
