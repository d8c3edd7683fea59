"""Read-through: what partitions should have served and did not is built in the background, by one reader at a time."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from datetime import datetime, timedelta

from cache_store.answer import Segment
from cache_store.catalogue import Query
from cache_store.due import due
from cache_store.errors import CacheStoreError, StoreUnavailableError
from cache_store.flight import take_turn
from cache_store.request import Request
from cache_store.store import Store
from cache_store.warm import warm
from nem.errors import NemError
from nem.source import Source
from nem.windows import Window

LONGEST_FILL = timedelta(days=31)  # of a gap that readers fill; a longer one waits for a flow
LONG_WAIT, NO_WAIT = timedelta(seconds=5), timedelta(0)  # for another's build: what a month's gap takes to fill
_BUILDABLE = ("range_gap", "stale", "corrupt", "fingerprint_mismatch")
_log = logging.getLogger(__name__)


def turn_to_fill(store: Store, request: Request, segments: Sequence[Segment]) -> ExitStack | None:
    """The turn to build what partitions should have held of ``segments``; None if that is nothing, or there is no turn.

    Whoever builds the query's partitions already is waited for where asking the source as well would cost more.
    """
    gap = _gap(segments) if store.background and request.origin == "auto" else None
    if gap is None:
        return None
    try:
        return take_turn(store.root, request.query.name, within=LONG_WAIT if gap.hours > 24 else NO_WAIT)
    except (BlockingIOError, StoreUnavailableError):
        return None  # somebody builds it, or it is a read-only mount: answer, and build nothing


def fill_later(
    store: Store, source: Source, query: Query, segments: Sequence[Segment], now: datetime, turn: ExitStack | None
) -> None:
    """Build in the background what partitions should have served of ``segments``; ``turn`` is held until it is done."""
    gap = _gap(segments)
    if store.background and turn and gap:
        filling = store.background.submit(_fill, store, source, query, gap, now, turn.pop_all())
        filling.add_done_callback(tell)


def tell(done: Future[None]) -> None:
    """Log what nobody foresaw in the background: there is no caller to raise it to."""
    if error := done.exception():
        _log.error("a background task failed", exc_info=error)


def _fill(store: Store, source: Source, query: Query, gap: Window, now: datetime, turn: ExitStack) -> None:
    """Warm what is due over ``gap``. Nobody waits for the outcome, so it is told to the log."""
    with turn:
        try:
            warmed = warm(store, source, query, due(store, source, query, now=now, window=gap), now=now)
        except (NemError, CacheStoreError) as error:
            _log.warning("%s over %s was answered live and not materialised: %s", query.name, gap, error)
        else:
            for period, cause in warmed.failed.items():
                _log.warning("%s for %s was not materialised: %s", query.name, period, cause)


def _gap(segments: Sequence[Segment]) -> Window | None:
    """From the first to the last stretch that partitions should have served; None if they did, or it is too long."""
    stretches = [s.window for s in segments if s.origin == "stale" or (s.origin == "live" and s.reason in _BUILDABLE)]
    if not stretches:
        return None
    gap = Window(stretches[0].start, stretches[-1].end)
    return gap if gap.hours <= LONGEST_FILL.total_seconds() / 3600 else None
