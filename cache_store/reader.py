"""fetch: memory, then partitions, then the source, in one answer that says which.

Only this module chooses between fresh, stale and live.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from cache_store.answer import Answer, Receipt, Segment
from cache_store.catalogue import STOOD_IN, find_query
from cache_store.derive import derived
from cache_store.errors import NoAnswerError, NothingHeldError, PartitionCorruptError
from cache_store.fill import fill_later, tell, turn_to_fill
from cache_store.manifest import Manifest
from cache_store.memory import Held, size_of
from cache_store.names import check_names
from cache_store.pieces import mark_empty, refuse_live, sound_pieces
from cache_store.plan import Grace, Piece, plan
from cache_store.request import Choice, Filters, Request, check_request
from cache_store.stitch import stitch
from cache_store.store import Store
from nem.errors import SourceUnavailableError, TableAbsentError
from nem.source import Source
from nem.windows import Resolution, Window, check_instant

T = TypeVar("T")
LIVE_TTL = timedelta(minutes=1)  # of live rows in memory: new ones land every five
_TYPES = {"TIMESTAMP": pa.timestamp("us"), "VARCHAR": pa.string(), "DOUBLE": pa.float64(), "BIGINT": pa.int64()}
_log = logging.getLogger(__name__)


def fetch(
    store: Store,
    source: Source,
    query: str,
    window: Window,
    *,
    now: datetime,
    filters: Filters | None = None,
    resolution: str = "auto",
    origin: Choice = "auto",
    max_staleness: timedelta | None = None,
    measures: Sequence[str] | None = None,
) -> Answer:
    """Answer ``query`` over ``window`` at ``now`` (aware UTC): from memory, partitions, the source, or all three.

    ``filters`` map key columns to the values wanted; ``region_id=["NEM"]`` adds the regions up. ``resolution`` "auto"
    is the finest within 2,200 points. ``origin`` "cache" never asks the source, "live" opens no partition.
    ``max_staleness`` refuses partitions last verified longer ago. ``measures`` are the measures and ratios wanted beside
    keys and facts, and all if left out: a year of two is read in half the time of ten.

    Raises:
        UnknownQueryError, RequestError, UnknownNameError, WindowError: the caller's mistake.
        StalenessExceededError: only rows past every bound are left, and the source failed.
        NothingHeldError: nothing holds any of the window.
        NoAnswerError: the source failed and no partition covers it.
    """
    check_instant(now)
    began = time.perf_counter()
    request = check_request(query, window, filters, resolution, origin, max_staleness, measures)
    manifest = store.manifest()
    held = _recall(store, request, manifest, now)
    if held is not None:
        answer = Answer(held.table, replace(held.receipt, from_memory=True, now=now))
    else:
        key = (request, manifest.generation)
        answer = store.flights.once(key, lambda: _answer_once(store, source, request, manifest, now))
    _note(store, request, answer, time.perf_counter() - began)
    return answer


def explain(
    store: Store,
    source: Source,
    query: str,
    window: Window,
    *,
    now: datetime,
    filters: Filters | None = None,
    resolution: str = "auto",
    origin: Choice = "auto",
    max_staleness: timedelta | None = None,
    measures: Sequence[str] | None = None,
) -> Receipt:
    """The receipt ``fetch`` would give, without opening a data file; raises as ``fetch`` would, names apart."""
    check_instant(now)
    request = check_request(query, window, filters, resolution, origin, max_staleness, measures)
    planned = sound_pieces(store, store.manifest(), request, now, "revalidate", opening=False)
    manifest, pieces, _ = _read(store, source, request, planned, now, lambda _: None, opening=False)
    return _receipt(request, manifest, pieces, now)


def extent(store: Store, source: Source, query: str) -> Window:
    """From the first to the newest label that the store or the source holds for ``query``.

    Raises:
        NothingHeldError: no partition is warmed, and the source has no such table.
        NoAnswerError: no partition is warmed, and the source is away.
    """
    declared = find_query(query)
    held = [
        entry.covers
        for grain in declared.grains
        for entry in store.manifest().series(declared.name, declared.fingerprint, grain)
    ]
    cause: Exception | None = None
    try:
        held.append(source.span(declared.sources[0]))
    except SourceUnavailableError as error:
        cause = error
    if not held:
        kind = NothingHeldError if isinstance(cause, TableAbsentError) else NoAnswerError
        raise kind(f"{query}: no partition is warmed, and {cause}") from cause
    return Window(min(part.start for part in held), max(part.end for part in held))


def empty_answer(query: str, window: Window, resolution: Resolution, *, now: datetime, why: str) -> Answer:
    """What ``fetch`` would give if nothing held were an answer: no rows, and a receipt that notes ``why``."""
    declared = find_query(query)
    rows = pa.schema([(name, _TYPES[column.type]) for name, column in declared.columns.items()]).empty_table()
    nothing = Segment(window, "live", "empty_source", resolution)
    return Answer(
        derived(declared, resolution, window, rows, []),
        Receipt(query, window, resolution, 0, now, (nothing,), notes=(why,)),
    )


def _note(store: Store, request: Request, answer: Answer, seconds: float) -> None:
    """Count the request where somebody may act on it: not on a mount that nothing is built on, nor one of ours."""
    if store.background is None or request.origin != "auto":
        return
    if store.usage.note(request, answer.receipt, seconds=seconds):
        store.background.submit(_flush, store).add_done_callback(tell)


def _flush(store: Store) -> None:
    try:
        store.usage.flush(store.root)
    except OSError as error:
        _log.warning("what was asked could not be written: %s", error)


def _recall(store: Store, request: Request, manifest: Manifest, now: datetime) -> Answer | None:
    """What memory holds for ``request``, if it is still what would be answered.

    A later manifest leaves it valid where the same builds would be read again: a tick replaces today's partitions, and
    last month's answers stay. Manifests are told apart by object, not by number: one begun anew counts from 1 again.
    """
    held = store.memory.get(request, now)
    if held is None:
        return None
    answer: Answer
    answered_from, answer = held.value
    if answered_from is manifest:
        return answer
    if tuple(piece.segment for piece in plan(manifest, request, now)) != answer.receipt.segments:
        return None
    answer = replace(answer, receipt=replace(answer.receipt, generation=manifest.generation))
    store.memory.put(request, replace(held, value=(manifest, answer)))
    return answer


def _answer_once(store: Store, source: Source, request: Request, manifest: Manifest, now: datetime) -> Answer:
    """The answer, held in memory; what of it partitions should have held is built in the background."""
    planned = sound_pieces(store, manifest, request, now, "revalidate")
    turn = turn_to_fill(store, request, [piece.segment for piece in planned[1]])
    with turn or contextlib.nullcontext():
        if (newest := store.manifest()) is not planned[0]:  # as once somebody waited for has built
            planned = sound_pieces(store, newest, request, now, "revalidate")
        manifest, pieces, table = _read(store, source, request, planned, now, partial(stitch, store, source, request))
        check_names(store, source, request, table)
        answer = Answer(table, _receipt(request, manifest, pieces, now, table))
        store.memory.put(request, Held((manifest, answer), _expiry(request, pieces, now), size_of(answer)))
        fill_later(store, source, request.query, answer.receipt.segments, now, turn)
        return answer


def _read(
    store: Store,
    source: Source,
    request: Request,
    planned: tuple[Manifest, list[Piece]],
    now: datetime,
    read: Callable[[Sequence[Piece]], T],
    *,
    opening: bool = True,
) -> tuple[Manifest, list[Piece], T]:
    """The manifest and the pieces that answer, and what ``read`` makes of them; not ``opening`` files, see ``sound_pieces``."""
    grace: Grace = "revalidate"
    cause: SourceUnavailableError | None = None
    gone_bad: set[str] = set()
    while True:
        manifest, pieces = planned
        try:
            if cause or request.origin == "cache":
                refuse_live(manifest, request, pieces, now, cause)
            pieces = mark_empty(source, request, pieces)
            return manifest, pieces, read(pieces)
        except SourceUnavailableError as error:
            # The source failed: partitions past their TTL may answer yet, inside their longer grace.
            grace, cause = "error", error
        except PartitionCorruptError:
            # A file went bad after its checksum was taken: look again, once for each.
            entries = [piece.entry for piece in pieces if piece.entry]
            store.doubt(entries)
            bad = {entry.build for entry in entries if not store.is_sound(entry)}
            if bad <= gone_bad:
                raise
            gone_bad |= bad
        planned = sound_pieces(store, manifest, request, now, grace, opening=opening)


def _receipt(
    request: Request, manifest: Manifest, pieces: Sequence[Piece], now: datetime, table: pa.Table | None = None
) -> Receipt:
    notes: tuple[str, ...] = ()
    if table is not None and STOOD_IN in table.column_names:
        stood_in = pc.sum(table[STOOD_IN]).as_py()
        notes = ("demand is DEMAND_AND_NONSCHEDGEN where TOTALDEMAND is absent",) if stood_in else ()
    return Receipt(
        request.query.name,
        request.window,
        request.resolution,
        manifest.generation,
        now,
        tuple(piece.segment for piece in pieces),
        notes=notes,
    )


def _expiry(request: Request, pieces: Sequence[Piece], now: datetime) -> datetime:
    """Until when memory may give the answer out: no later than any partition's own expiry, or the caller's bound.

    A live part may be overtaken by the source at any moment.
    """
    is_live = any(piece.entry is None for piece in pieces)
    held = [piece.entry.freshness for piece in pieces if piece.entry]
    ends = [now + LIVE_TTL] if is_live else []
    ends += [one.expires_at for one in held]
    if request.max_staleness is not None:
        seen = ([now] if is_live else []) + [one.verified_at for one in held]
        ends.append(min(seen) + request.max_staleness + timedelta(microseconds=1))  # the bound itself still serves
    return min(ends)
