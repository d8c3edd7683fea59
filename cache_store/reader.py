"""fetch: memory, then partitions, then the source, in one answer that says which.

Only this module chooses between fresh, stale and live.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from cache_store import rollup
from cache_store.answer import Answer, Receipt, Segment
from cache_store.catalogue import TTL_OPEN, find_query
from cache_store.errors import NoAnswerError, PartitionCorruptError, StalenessExceededError
from cache_store.manifest import Manifest
from cache_store.plan import Grace, Piece, plan
from cache_store.request import Choice, Filters, Request, check_request
from cache_store.store import Store, run_leaf
from nem.errors import SourceUnavailableError
from nem.source import Source, as_arrow
from nem.windows import Window, bucket_edges, ceil, check_instant, floor


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
) -> Answer:
    """Answer ``query`` over ``window`` at ``now`` (aware UTC): from memory, partitions, the source, or all three.

    ``filters`` map key columns to the values wanted; ``region_id=["NEM"]`` adds the regions up. ``resolution`` "auto"
    is the finest within 2,200 points. ``origin`` "cache" never asks the source, "live" opens no partition.
    ``max_staleness`` refuses partitions last verified longer ago.

    Raises:
        UnknownQueryError, RequestError, WindowError: the caller's mistake.
        StalenessExceededError: only rows past every bound are left, and the source failed.
        NoAnswerError: nothing holds any of the window, or the source failed and no partition covers it.
    """
    check_instant(now)
    request = check_request(query, window, filters, resolution, origin, max_staleness)
    manifest = store.manifest()
    key = (request, manifest.generation)
    held = store.memory.get(key, now)
    if held is not None:
        return replace(held, receipt=replace(held.receipt, from_memory=True, now=now))
    answer, expires_at = _answer(store, source, request, manifest, now)
    store.memory.put(key, answer, expires_at)
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
) -> Receipt:
    """The receipt ``fetch`` would give, without opening a data file. Raises as ``fetch`` does for a bad request."""
    request = check_request(query, window, filters, resolution, origin, max_staleness)
    manifest = store.manifest()
    pieces = _mark_empty(source, request, _plan(manifest, request, now))
    return _receipt(request, manifest, pieces, now)


def extent(store: Store, source: Source, query: str) -> Window:
    """From the first to the newest label that the store or the source holds for ``query``.

    Raises:
        NoAnswerError: neither holds any.
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
        raise NoAnswerError(f"{query}: no partition is warmed, and {cause}") from cause
    return Window(min(part.start for part in held), max(part.end for part in held))


def _plan(
    manifest: Manifest,
    request: Request,
    now: datetime,
    *,
    grace: Grace = "revalidate",
    broken: frozenset[str] = frozenset(),
) -> list[Piece]:
    return plan(
        manifest,
        request.query,
        request.window,
        request.resolution,
        now=now,
        grace=grace,
        max_staleness=request.max_staleness,
        broken=broken,
        live_only=request.origin == "live",
    )


def _answer(
    store: Store, source: Source, request: Request, manifest: Manifest, now: datetime
) -> tuple[Answer, datetime]:
    """The answer and until when memory may hold it."""
    grace: Grace = "revalidate"
    cause: SourceUnavailableError | None = None
    while True:
        pieces = _sound_plan(store, manifest, request, now, grace)
        try:
            if cause or request.origin == "cache":
                _refuse_live(request, pieces, cause)
            pieces = _mark_empty(source, request, pieces)
            table = _run(store, source, request, pieces)
        except SourceUnavailableError as error:
            # The source failed: partitions past their TTL may answer yet, inside their longer grace.
            grace, cause = "error", error
        except PartitionCorruptError:
            # A file went bad after its checksum was taken: look again, once.
            entries = [piece.entry for piece in pieces if piece.entry]
            store.doubt(entries)
            if all(store.is_sound(entry) for entry in entries):
                raise
        else:
            return Answer(table, _receipt(request, manifest, pieces, now, table)), _expiry(pieces, now)


def _sound_plan(store: Store, manifest: Manifest, request: Request, now: datetime, grace: Grace) -> list[Piece]:
    """A plan whose partitions all hold what was published; broken ones are reported and left out."""
    broken: frozenset[str] = frozenset()
    while True:
        pieces = _plan(manifest, request, now, grace=grace, broken=broken)
        unsound = [piece.entry for piece in pieces if piece.entry and not store.is_sound(piece.entry)]
        if not unsound:
            return pieces
        store.report_broken(unsound)
        broken |= {entry.build for entry in unsound}


def _refuse_live(request: Request, pieces: Sequence[Piece], cause: Exception | None) -> None:
    live = [piece.segment for piece in pieces if piece.entry is None]
    if not live:
        return
    why = f"the source failed ({cause})" if cause else "the request allows the cache alone"
    if any(segment.reason == "stale" for segment in live):
        raise StalenessExceededError(
            f"{request.query.name} over {live[0].window}: partitions are past their bound and {why}; run `nemwarm warm`"
        ) from cause
    raise NoAnswerError(
        f"{request.query.name} over {live[0].window}: no partition serves it ({live[0].reason}) and {why}; "
        "run `nemwarm warm` or ask for a window that is held"
    ) from cause


def _mark_empty(source: Source, request: Request, pieces: list[Piece]) -> list[Piece]:
    """Split live pieces by what the source holds.

    Raises:
        NoAnswerError: nothing holds any of the window.
        SourceUnavailableError: a live piece, and the source is away.
    """
    marked: list[Piece] = []
    for piece in pieces:
        if piece.entry is not None:
            marked.append(piece)
            continue
        segment = piece.segment
        held = source.coverage(request.query.sources[0], segment.window)
        marked += [Piece(replace(segment, window=part)) for part in held]
        marked += [Piece(replace(segment, window=gap, reason="empty_source")) for gap in segment.window.minus(held)]
    if all(piece.segment.reason == "empty_source" for piece in marked):
        span = source.span(request.query.sources[0])
        raise NoAnswerError(
            f"{request.query.name} over {request.window}: nothing is held there; the source holds {span}; "
            "ask inside it, or land more with `nemwarm ingest`"
        )
    return sorted(marked, key=lambda piece: piece.segment.window)


def _run(store: Store, source: Source, request: Request, pieces: Sequence[Piece]) -> pa.Table:
    """The rows of all pieces, merged and derived, in one statement."""
    query = request.query
    parts: list[str] = []
    inner = {key: values for key, values in request.filters if key != "fueltech_id"}
    outer = {key: values for key, values in request.filters if key == "fueltech_id"}
    parameters: dict[str, Any] = dict(rollup.filter_parameters(dict(request.filters)))
    with store.connection.cursor() as cursor:
        for i, run in enumerate(_runs(pieces)):
            window = Window(run[0].segment.window.start, run[-1].segment.window.end)
            if run[0].entry is None:
                run_leaf(cursor, source, query, request.resolution, window, into=f"live_{i}")
                parts.append(rollup.relation(query, f"live_{i}", inner))
                continue
            parameters |= {
                f"files_{i}": store.files([piece.entry for piece in run if piece.entry]),
                f"start_{i}": window.start,
                f"end_{i}": ceil(window.end, run[0].segment.grain),
            }
            parts.append(rollup.stored(query, i, inner))
        rows = " UNION ALL ".join(parts)
        if request.sum_regions or _needs_merging(request, pieces):
            rows = rollup.merged(query, request.resolution, rows, sum_regions=request.sum_regions)
        cursor.register("bucket", _buckets(request, pieces))
        try:
            return cursor.sql(rollup.derived(query, rows, outer), params=parameters).to_arrow_table()
        except duckdb.Error as error:
            raise PartitionCorruptError(f"{query.name} over {request.window} cannot be read: {error}") from error


def _runs(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Neighbouring pieces that one scan, or one live query, can serve; empty ones left out."""
    held = [piece for piece in pieces if piece.segment.reason != "empty_source"]

    def like(numbered: tuple[int, Piece]) -> tuple[object, ...]:
        i, piece = numbered
        breaks = sum(a.segment.window.end != b.segment.window.start for a, b in itertools.pairwise(held[: i + 1]))
        return (breaks, piece.segment.grain, piece.entry is None)

    return [[piece for _, piece in run] for _, run in itertools.groupby(enumerate(held), key=like)]


def _needs_merging(request: Request, pieces: Sequence[Piece]) -> bool:
    """Whether rows of one bucket may come from several pieces, or finer rows than asked."""
    held = [piece.segment for piece in pieces if piece.segment.reason != "empty_source"]
    if any(segment.origin != "live" and segment.grain != request.resolution for segment in held):
        return True
    return any(floor(a.window.end, request.resolution) != a.window.end for a in held[:-1])


def _buckets(request: Request, pieces: Sequence[Piece]) -> pa.Table:
    """Per bucket of the window: its label, its start, and how many seconds of it are asked and held.

    Columns ``settlement_date``, ``interval_start``, ``held_seconds``.
    """
    edges = np.array(bucket_edges(request.window, request.resolution), dtype="datetime64[us]")
    start, end = edges[:-1], edges[1:]
    held = np.zeros(len(start), dtype="timedelta64[us]")
    for run in _runs(pieces):
        first, last = np.datetime64(run[0].segment.window.start), np.datetime64(run[-1].segment.window.end)
        held += np.maximum(np.minimum(end, last) - np.maximum(start, first), np.timedelta64(0))
    label = pa.timestamp("us")
    return pa.table(
        {
            "settlement_date": as_arrow(end, label),
            "interval_start": as_arrow(start, label),
            "held_seconds": as_arrow(held // np.timedelta64(1, "s"), pa.int64()),
        }
    )


def _receipt(
    request: Request, manifest: Manifest, pieces: Sequence[Piece], now: datetime, table: pa.Table | None = None
) -> Receipt:
    segments: list[Segment] = [piece.segment for piece in pieces]
    notes: tuple[str, ...] = ()
    if table is not None and "demand_operational_count" in table.column_names:
        stood_in = sum(table["demand_operational_count"].to_pylist() or [0])
        notes = ("demand is DEMAND_AND_NONSCHEDGEN where TOTALDEMAND is absent",) if stood_in else ()
    return Receipt(
        request.query.name,
        request.window,
        request.resolution,
        manifest.generation,
        now,
        tuple(segments),
        notes=notes,
    )


def _expiry(pieces: Sequence[Piece], now: datetime) -> datetime:
    """No later than any partition's own expiry; a live part lasts as long as an open day would."""
    live = [now + TTL_OPEN.fresh] if any(piece.entry is None for piece in pieces) else []
    return min(live + [piece.entry.freshness.expires_at for piece in pieces if piece.entry])
