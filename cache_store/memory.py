"""The memory tier: what this process answered, within a byte budget, each until its own time is up."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import pyarrow as pa
from cachetools import LRUCache

from cache_store.answer import Answer

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Held:
    """A value, until when it may be given out, and its size."""

    value: Any
    expires_at: datetime
    byte_count: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """Since the process began; ``byte_count`` and ``entries`` are what is held now."""

    hits: int
    misses: int
    entries: int
    byte_count: int

    @property
    def hit_ratio(self) -> float | None:
        """Hits over all that was asked; None before anything was."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


class Memory:
    """Least recently used values go first when the budget is full. Safe from any thread."""

    def __init__(self, byte_budget: int) -> None:
        self._lock = threading.Lock()
        self._held: LRUCache[Hashable, Held] = LRUCache(byte_budget, getsizeof=lambda held: held.byte_count)
        self._hits = 0
        self._misses = 0

    def get(self, key: Hashable, now: datetime) -> Held | None:
        """What is held under ``key`` and has not expired by ``now``. A held None is a hit; a miss is None itself."""
        with self._lock:
            held = self._held.get(key)
            if held is not None and now < held.expires_at:
                self._hits += 1
                return held
            self._misses += 1
            return None

    def put(self, key: Hashable, held: Held) -> None:
        """Hold it in place of what was under ``key``; not if it is larger than the whole budget."""
        with self._lock:
            self._held.pop(key, None)
            if held.byte_count <= self._held.maxsize:
                self._held[key] = held

    def statistics(self) -> Statistics:
        """Counts so far."""
        with self._lock:
            return Statistics(self._hits, self._misses, len(self._held), int(self._held.currsize))


def size_of(value: object) -> int:
    """The bytes that ``value`` keeps in memory; of a slice of an Arrow table, those of the whole table."""
    held = value.table if isinstance(value, Answer) else value
    if isinstance(held, pa.Table):
        return int(held.get_total_buffer_size())
    size = getattr(held, "nbytes", None)
    return size if isinstance(size, int) else sys.getsizeof(held)


def remembered(
    memory: Memory, *, ttl: timedelta, clock: Callable[[], datetime]
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Give a function of hashable arguments the memory tier, each result for ``ttl`` by ``clock``.

    For an analyst's own work on top of ``fetch``. A call that raises is not remembered; None is. An Arrow table, an
    answer or a NumPy array counts its buffers against the budget, anything else what ``sys.getsizeof`` says.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            key = (function, args, tuple(sorted(kwargs.items())))
            held = memory.get(key, clock())
            if held is None:
                value = function(*args, **kwargs)
                held = Held(value, clock() + ttl, size_of(value))
                memory.put(key, held)
            result: T = held.value
            return result

        return call

    return decorate
