"""A world is a raw set, the lake landed from it, a store warmed from that, and the instant at which all are fresh."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa

from cache_store import CATALOGUE, Answer, Store, fetch, open_store
from cache_store.due import due
from cache_store.manifest import Entry, publish_manifest
from cache_store.warm import warm as library_warm
from nem.source import Source, open_source
from nem.windows import EPOCH, Window
from tests.oracle import expected

Filters = Mapping[str, Sequence[str]]
WALL = datetime(2100, 1, 1, tzinfo=UTC)  # sweeps judge file times, so every file here is past its grace


@dataclass(frozen=True, eq=False)
class World:
    """``span`` is the window for which the source has data."""

    raw: Mapping[str, pa.Table]
    source: Source
    store: Store
    now: datetime
    span: Window

    def fetch(self, query: str, window: Window, **asked: object) -> Answer:
        return fetch(self.store, self.source, query, window, **{"now": self.now, **asked})

    def expected(
        self, query: str, window: Window, resolution: str, filters: Filters | None = None, **former: object
    ) -> pd.DataFrame:
        return expect(self.raw, query, window, resolution, filters, **former)

    def copied_to(self, folder: Path) -> World:
        """The same in ``folder``, to be broken there. Times of the lake's files, and so its versions, are kept."""
        for name in ("lake", "store"):
            if (self.source.root.parent / name).exists():
                shutil.copytree(self.source.root.parent / name, folder / name)
        return World(self.raw, open_source(folder / "lake"), open_store(folder / "store"), self.now, self.span)


def expect(
    raw: Mapping[str, pa.Table],
    query: str,
    window: Window,
    resolution: str,
    filters: Filters | None = None,
    **former: object,
) -> pd.DataFrame:
    """What the oracle says. A single region is its own argument there; several are a choice among all rows."""
    left = {key: list(values) for key, values in (filters or {}).items()}
    regions = left.pop("region_id", None)
    region = regions[0] if regions and len(regions) == 1 else None
    if regions and region is None:
        left["region_id"] = regions
    return expected(query, raw, window, resolution, region, left, **former)


def warm(store: Store, source: Source, now: datetime, *, window: Window | None = None) -> list[tuple[str, str, str]]:
    """Do all that is due, as the flows do, and return (query, period, reason)."""
    done = []
    for query in CATALOGUE.values():
        tasks = due(store, source, query, now=now, window=window)
        assert library_warm(store, source, query, tasks, now=now).failed == {}
        done += [(task.query, task.period, task.reason) for task in tasks]
    return done


def only(store: Store, entries: Iterable[Entry]) -> None:
    """Publish a generation that holds ``entries`` and nothing else."""
    kept = list(entries)
    publish_manifest(store.root, lambda _: kept)


class Partial(Source):
    """A source that holds only ``held``, but for the reading that completes its last row."""

    held: Window

    def coverage(self, table: str, window: Window) -> list[Window]:
        """What of that its lake covers."""
        part = window.overlap(self.held)
        return super().coverage(table, part) if part else []

    def span(self, table: str) -> Window:
        """Within that."""
        return super().span(table).overlap(self.held)


def partial(source: Source, start: datetime, end: datetime) -> Source:
    """``source`` as it would be with no label before ``start`` or after ``end``."""
    return type("PartialOf", (Partial,), {"held": Window(start, end), "__slots__": ()})(source.root)


def arriving(source: Source, until: datetime) -> Source:
    """``source`` as it stood when the label ``until`` had just arrived."""
    return partial(source, EPOCH, until)
