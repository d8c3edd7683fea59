"""Asking the cache for what a run warmed: a run that warmed nothing readers can use has failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from cache_store import Query, Store, fetch, find_query
from cache_store.errors import CacheStoreError, PartitionCorruptError, StalenessExceededError
from cache_store.manifest import Entry
from cache_store.usage import Shape
from nem import Source, Window
from nem.errors import NemError
from nem.windows import INTERVAL


def read_back(
    store: Store, source: Source, query: Query, entries: Iterable[Entry], now: datetime
) -> dict[str, NemError | CacheStoreError]:
    """Ask the cache alone for what was published, and return the causes by period where that is not what comes."""
    causes: dict[str, NemError | CacheStoreError] = {}
    for run in _adjoining(entries):
        window = Window(run[0].covers.start, run[-1].covers.end)
        # Where a source stands still, its newest day is past its TTL however new the build: ask inside the TTL.
        as_of = min([now, *(entry.freshness.expires_at - INTERVAL for entry in run)])
        try:
            answer = fetch(store, source, query.name, window, now=as_of, resolution=run[0].grain, origin="cache")
            found, expected = answer.table.num_rows, sum(entry.row_count for entry in run)
            # The reader passes over a file it cannot read, to a finer grain: look which it took.
            if found != expected or {part.build for part in answer.receipt.segments} != {entry.build for entry in run}:
                raise PartitionCorruptError(
                    f"{query.name} over {window} at {run[0].grain} does not come from the files just published, "
                    f"or not whole: {found} rows read, {expected} written"
                )
        except (NemError, CacheStoreError) as error:
            causes |= dict.fromkeys((entry.period for entry in run), error)
    return causes


def ask_again(
    store: Store, source: Source, queries: Sequence[Query], shapes: Iterable[Shape], now: datetime
) -> list[str]:
    """Ask the cache alone for each shape, as its readers will, and return a sentence for each it does not answer."""
    problems = []
    names = {query.name for query in queries}
    for shape in shapes:
        try:
            window = shape.window(source.span(find_query(shape.query).sources[0]), now=now)
            if window and shape.query in names:
                asked = (store, source, shape.query, window)
                fetch(*asked, now=now, filters=dict(shape.filters), resolution=shape.resolution, origin="cache")
        except StalenessExceededError:
            continue  # a source that stands still: nothing warmed could be younger than its data
        except (NemError, CacheStoreError) as error:
            problems.append(
                f"{shape.query} over {shape.days} days is asked often and not answered from the cache: {error}"
            )
    return problems


def _adjoining(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Runs of one grain without a gap: each is one fetch."""
    run: list[Entry] = []
    for entry in sorted(entries, key=lambda entry: (entry.grain, entry.covers)):
        if run and (run[-1].grain, run[-1].covers.end) != (entry.grain, entry.covers.start):
            yield run
            run = []
        run.append(entry)
    if run:
        yield run
