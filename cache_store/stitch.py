"""Pieces of a window into one table: scans of partitions and live rows, merged where they share a bucket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from cache_store import rollup
from cache_store.errors import PartitionCorruptError
from cache_store.plan import Piece
from cache_store.request import Request
from cache_store.store import Store, run_leaf
from nem.errors import SourceUnavailableError
from nem.source import Source, as_arrow
from nem.windows import Window, bucket_edges, ceil, floor


def stitch(store: Store, source: Source, request: Request, pieces: Sequence[Piece]) -> pa.Table:
    """The rows of all pieces, merged and derived, in one statement, ordered by key.

    Raises:
        SourceUnavailableError: a live piece, and the source cannot be read.
        PartitionCorruptError: a partition cannot be read.
    """
    query = request.query
    parts: list[str] = []
    inner = {key: values for key, values in request.filters if key != "fueltech_id"}
    outer = {key: values for key, values in request.filters if key == "fueltech_id"}
    parameters: dict[str, Any] = dict(rollup.filter_parameters(outer))
    with store.connection.cursor() as cursor:
        for i, run in enumerate(_runs(pieces)):
            window = Window(run[0].segment.window.start, run[-1].segment.window.end)
            if run[0].entry is None:
                run_leaf(cursor, source, query, request.resolution, window, into=f"live_{i}", filters=inner)
                parts.append(f"FROM live_{i}")
                continue
            parameters |= rollup.filter_parameters(inner)
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
            if not any(piece.entry for piece in pieces):
                raise SourceUnavailableError(f"{query.name} over {request.window} cannot be merged: {error}") from error
            raise PartitionCorruptError(f"{query.name} over {request.window} cannot be read: {error}") from error


def _runs(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Neighbouring pieces that one scan, or one live query, can serve; empty ones left out."""
    runs: list[list[Piece]] = []
    for piece in pieces:
        if piece.segment.reason == "empty_source":
            continue
        last = runs[-1][-1] if runs else None
        if last and (last.segment.window.end, last.segment.grain, last.entry is None) == (
            piece.segment.window.start,
            piece.segment.grain,
            piece.entry is None,
        ):
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return runs


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
    runs = _runs(pieces)
    # Not of the whole window: a hand-made one of a century at five minutes would be eleven million buckets.
    edges = bucket_edges(Window(runs[0][0].segment.window.start, runs[-1][-1].segment.window.end), request.resolution)
    start, end = edges[:-1], edges[1:]
    held = np.zeros(len(start), dtype="timedelta64[us]")
    for run in runs:
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
