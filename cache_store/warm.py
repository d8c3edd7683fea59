"""Doing what is due, for a flow or for a reader that met a gap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cache_store.build import compact, materialise, publish_entries, renew
from cache_store.catalogue import Query
from cache_store.due import Due
from cache_store.errors import CacheStoreError
from cache_store.manifest import Entry, is_year
from cache_store.store import Store
from nem.errors import NemError
from nem.source import Source


@dataclass(frozen=True, slots=True)
class Warmed:
    """What was published, and the causes of what was not, by period."""

    entries: tuple[Entry, ...]
    failed: dict[str, NemError | CacheStoreError]


def warm(store: Store, source: Source, query: Query, tasks: Iterable[Due], *, now: datetime) -> Warmed:
    """Build or renew ``tasks`` and publish them at once. A period that fails does not stop the others.

    Call it in your turn (see ``flight``): two builders of one query would do the same work twice.

    Raises:
        StoreUnavailableError: nothing can be published.
    """
    built: list[Entry] = []
    renewed: list[Entry] = []
    failed: dict[str, NemError | CacheStoreError] = {}
    for task in tasks:
        try:
            if task.reason == "ageing":
                renewed += renew(store, query, task.period, now=now)
            elif is_year(task.period):
                built.append(compact(store, query, task.period, now=now))
            else:
                built += materialise(store, source, query, task.period, now=now)
        except (NemError, CacheStoreError) as error:
            failed[task.period] = error
    if built or renewed:
        publish_entries(store, built, renewed)
    return Warmed((*built, *renewed), failed)
