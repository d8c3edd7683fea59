"""The memory tier: answers this process gave, within a byte budget, none outliving the partitions it came from."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from datetime import datetime

from cachetools import LRUCache

from cache_store.answer import Answer


class Memory:
    """Answers by request and manifest generation. Bytes are those of the Arrow buffers."""

    def __init__(self, byte_budget: int) -> None:
        self._lock = threading.Lock()
        self._held: LRUCache[Hashable, tuple[datetime, Answer]] = LRUCache(
            byte_budget, getsizeof=lambda held: held[1].table.nbytes
        )

    def get(self, request: Hashable, now: datetime) -> Answer | None:
        """The answer held for ``request``, unless it has expired by ``now``."""
        with self._lock:
            held = self._held.get(request)
            return held[1] if held and now < held[0] else None

    def put(self, request: Hashable, answer: Answer, expires_at: datetime) -> None:
        """Hold ``answer`` until ``expires_at``; one larger than the whole budget is not held."""
        with self._lock:
            if answer.table.nbytes <= self._held.maxsize:
                self._held[request] = (expires_at, answer)
