"""Pieces of a window into one table: scans of partitions and live rows, merged where they share a bucket."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import duckdb
import pyarrow as pa

from cache_store import rollup
from cache_store.build import run_leaf
from cache_store.catalogue import Query
from cache_store.derive import derived, only
from cache_store.errors import PartitionCorruptError
from cache_store.plan import Piece
from cache_store.request import Filters, Request
from cache_store.store import Store
from nem.errors import SourceUnavailableError
from nem.source import Source
from nem.windows import Window, ceil, floor

LIVE_TIMEOUT = timedelta(minutes=2)  # of one query at the source, and of the wait for a place there
_AGAIN = 0.05  # seconds between two interrupts of what is over its time


def stitch(store: Store, source: Source, request: Request, pieces: Sequence[Piece]) -> pa.Table:
    """The rows of all pieces, merged in one statement, with what is derived from them, ordered by key.

    Raises:
        SourceUnavailableError: a live piece, and the source cannot be read.
        PartitionCorruptError: a partition cannot be read.
    """
    query, runs = request.query.narrowed(request.measures), _runs(pieces)
    # A share is of the whole supply, whatever fuels are chosen to be shown.
    shown = {key: values for key, values in request.filters if "share" in query.ratios and key == "fueltech_id"}
    chosen = {key: values for key, values in request.filters if key not in shown}
    with store.connection.cursor() as cursor:
        statement, parameters = _rows(cursor, store, source, request, runs, chosen)
        is_merged = request.sum_regions or _needs_merging(request, pieces)
        if is_merged:
            statement = rollup.merged(query, request.resolution, statement, sum_regions=request.sum_regions)
        # One scan of files listed in time order comes in the order they are in, and sorting takes as long again. Under
        # load about one in 2,000 did not: `derived` looks.
        if is_merged or len(runs) > 1 or runs[0][0].entry is None:
            statement = rollup.ordered(query, statement)
        elif request.measures:
            statement = rollup.relation(query, f"({statement})", {})
        try:
            table = cursor.sql(statement, params=parameters).to_arrow_table()
        except duckdb.Error as error:
            if not any(piece.entry for piece in pieces):
                raise SourceUnavailableError(f"{query.name} over {request.window} cannot be merged: {error}") from error
            raise PartitionCorruptError(f"{query.name} over {request.window} cannot be read: {error}") from error
    return only(derived(query, request.resolution, request.window, table, [_window(run) for run in runs]), shown)


def _rows(
    cursor: duckdb.DuckDBPyConnection,
    store: Store,
    source: Source,
    request: Request,
    runs: Sequence[Sequence[Piece]],
    filters: Filters,
) -> tuple[str, dict[str, Any]]:
    """A statement for the rows of all runs, and its parameters; live ones are asked for here and now."""
    parts: list[str] = []
    parameters: dict[str, Any] = {}
    for i, run in enumerate(runs):
        window = _window(run)
        if run[0].entry is None:
            with place_at_source(store, cursor, request.query, window):
                run_leaf(cursor, source, request.query, request.resolution, window, into=f"live_{i}", filters=filters)
            parts.append(f"FROM live_{i}")
            continue
        parameters |= rollup.filter_parameters(filters)
        parameters[f"files_{i}"] = store.files([piece.entry for piece in run if piece.entry])
        # Comparing every label of files read whole is a tenth of the time.
        whole = all(piece.entry and piece.entry.covers == piece.segment.window for piece in run)
        if not whole:
            parameters |= {f"start_{i}": window.start, f"end_{i}": ceil(window.end, run[0].segment.grain)}
        parts.append(rollup.stored(i, filters, whole=whole))
    return " UNION ALL ".join(parts), parameters


@contextmanager
def place_at_source(store: Store, cursor: duckdb.DuckDBPyConnection, query: Query, window: Window) -> Iterator[None]:
    """A place at the source, which takes so many readers at once, and no one for longer than ``LIVE_TIMEOUT``."""
    seconds = LIVE_TIMEOUT.total_seconds()
    remedy = f"within {seconds:g} s; warm it, or ask for a shorter window"
    if not store.at_source.acquire(timeout=seconds):
        raise SourceUnavailableError(f"{query.name} over {window}: the source had no place for it {remedy}")
    over, done = threading.Event(), threading.Event()

    def interrupt() -> None:
        over.set()
        cursor.interrupt()
        while not done.wait(_AGAIN):  # one that comes between two statements is lost
            cursor.interrupt()

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (SourceUnavailableError, duckdb.Error) as error:
        if over.is_set():
            raise SourceUnavailableError(f"{query.name} over {window} was not answered {remedy}") from error
        raise
    finally:
        done.set()
        timer.cancel()
        timer.join()  # or a late one would end the next statement
        store.at_source.release()


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


def _window(run: Sequence[Piece]) -> Window:
    return Window(run[0].segment.window.start, run[-1].segment.window.end)
